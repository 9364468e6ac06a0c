"""Whom an exchange means: by telephone, by login, by e-mail, by name."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, Value
from django.db.models.functions import Concat, Lower

from hotline.base.folding import Fold, fold
from hotline.operators.models import Role, User


def find_people(names: Iterable[str]) -> list[User]:
    """Members of staff that the exchange names, in its order, each once; names nobody bears are left out.

    Zammad's `user[]` carries real names, others carry telephones or logins: a telephone wins over a login, a login
    over an e-mail, an e-mail over a name. A name that two people bear is nobody's. Causes one SQL query, none for no
    names.
    """
    wanted = [name.strip() for name in names if name.strip()]
    if not wanted:
        return []
    lowered = [name.lower() for name in wanted]
    folded = [fold(name) for name in wanted]
    people = list(
        User.objects.filter(is_active=True)
        .exclude(role=Role.INTEGRATION)
        .alias(login=Lower("username"), mail=Lower("email"))
        .annotate(
            forwards=Fold(Concat("first_name", Value(" "), "last_name")),
            backwards=Fold(Concat("last_name", Value(" "), "first_name")),
            full=Fold(Concat("last_name", Value(" "), "first_name", Value(" "), "middle_name")),
        )
        .filter(
            Q(extension__in=wanted)
            | Q(login__in=lowered)
            | Q(mail__in=lowered)
            | Q(forwards__in=folded)
            | Q(backwards__in=folded)
            | Q(full__in=folded)
        )
    )
    found: dict[int, User] = {}
    for name in wanted:
        if (person := _meant(name, people)) is not None:
            found.setdefault(person.pk, person)
    return list(found.values())


def _meant(name: str, people: list[User]) -> User | None:
    lowered, folded = name.lower(), fold(name)
    for same in (
        [person for person in people if person.extension == name],
        [person for person in people if person.username.lower() == lowered],
        [person for person in people if person.email.lower() == lowered],
        [
            person
            for person in people
            if folded in (person.forwards, person.backwards, person.full)  # type: ignore[attr-defined]
        ],
    ):
        if same:
            return same[0] if len(same) == 1 else None
    return None
