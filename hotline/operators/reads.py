"""What other rooms ask of staff: the name that is voiced, who bears a name, who sits at which telephone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.apps import apps
from django.utils import timezone

from hotline.base.folding import Fold, fold
from hotline.operators.models import Alias, Role, User

# Telephones that nobody sat at for this long are not suggested any more.
LATELY = timedelta(days=30)


def alias_in_force(user: User, at: datetime | None = None) -> Alias | None:
    """The alias that `user` may voice at a moment, now by default. Causes one SQL query."""
    return Alias.objects.in_force(at).filter(operator=user).first()


def spoken_name(user: User, at: datetime | None = None) -> str:
    """What {operator} stands for in the greeting: the alias in force, else the first name. Causes one SQL query."""
    alias = alias_in_force(user, at)
    return alias.spoken_name if alias else (user.first_name or user.username)


def full_name_to_voice(user: User, at: datetime | None = None) -> str:
    """What is said when the client asks for the full name (V2): the alias' full form, else the own ФИО.

    Causes one SQL query.
    """
    alias = alias_in_force(user, at)
    return alias.full_form if alias else str(user)


@dataclass(frozen=True, slots=True)
class Namesake:
    """Somebody who is heard by a name: by an alias, or by the own first name (`alias` is None)."""

    user: User
    alias: Alias | None


def namesakes(name: str, *, except_for: User | None = None, at: datetime | None = None) -> list[Namesake]:
    """Operators who are called `name` on the line: by an alias, or as their own first name, whatever is voiced instead.

    Case and ё/е are one. A name twice is a warning to both, never a ban (V3). Now, an alias that still waits for its
    acknowledgement counts too; asked about a moment, only those in force then. Causes two SQL queries.
    """
    folded = fold(name)
    aliases = Alias.objects.alias(folded=Fold("spoken_name")).filter(folded=folded)
    aliases = aliases.borne() if at is None else aliases.in_force(at)
    people = User.objects.alias(folded=Fold("first_name")).filter(folded=folded, role=Role.OPERATOR)
    if at is None:
        people = people.filter(is_active=True)
        aliases = aliases.filter(operator__is_active=True)
    if except_for is not None:
        aliases, people = aliases.exclude(operator=except_for), people.exclude(pk=except_for.pk)
    by_alias = {alias.operator_id: Namesake(alias.operator, alias) for alias in aliases.select_related("operator")}
    by_own = [Namesake(user, None) for user in people if user.pk not in by_alias]
    return sorted([*by_alias.values(), *by_own], key=lambda found: (str(found.user), found.user.pk))


def who_was(name: str, at: datetime) -> list[Namesake]:
    """«Who was “Анна” on 12 March at 14:30»: who voiced this alias then, and whose own first name it was and was
    voiced.

    Causes three SQL queries.
    """
    found = namesakes(name, at=at)
    own = [other.user.pk for other in found if other.alias is None]
    hidden = set(Alias.objects.in_force(at).filter(operator__in=own).values_list("operator", flat=True))
    return [
        other
        for other in found
        if other.alias is not None or (other.user.pk not in hidden and other.user.date_joined <= at)
    ]


def namesakes_of(user: User) -> list[Namesake]:
    """The warning on the person's own pages: colleagues with the name that this operator is heard by, or asks to be.

    The own first name counts where a colleague took it for an alias; two people who were christened alike are no news.
    Causes five SQL queries, two more while a second alias waits.
    """
    if user.role != Role.OPERATOR:
        return []
    found: dict[int, Namesake] = {}
    for name in {fold(alias.spoken_name) for alias in user.aliases.borne()}:
        found |= {other.user.pk: other for other in namesakes(name, except_for=user)}
    if user.first_name:
        own = namesakes(user.first_name, except_for=user)
        found |= {other.user.pk: other for other in own if other.alias is not None}
    return list(found.values())


def extensions_lately() -> list[str]:
    """Telephones that somebody sat at in the last month: the suggestions at sign-in. Read from the row history."""
    rows = (
        apps.get_model("operators", "UserHistory")
        .objects.filter(pgh_created_at__gte=timezone.now() - LATELY)
        .exclude(extension="")
        .values_list("extension", flat=True)
        .distinct()
    )
    return sorted(rows, key=lambda extension: (len(extension), extension))


def last_extension_of(user: User) -> str:
    """The telephone this person sat at last in the last month, "" where none: what sign-in offers on a new machine.

    Read from the row history; one SQL query.
    """
    rows = apps.get_model("operators", "UserHistory").objects.filter(pgh_obj=user).exclude(extension="")
    lately = rows.filter(pgh_created_at__gte=timezone.now() - LATELY).order_by("-pgh_id")
    return lately.values_list("extension", flat=True).first() or ""
