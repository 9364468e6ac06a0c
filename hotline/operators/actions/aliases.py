"""The alias (V3): declared by the operator, made known to the supervisor, who acknowledges or stops it.

Every verb locks the operator's row first, then the alias: two aliases of one person are never decided at once, and
there is one order of locks. Behind them the database holds the rule itself (`operators_alias_one_in_force`).
"""

from __future__ import annotations

import re
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hotline.base.actions import verb
from hotline.base.errors import Forbidden, Invalid, InvalidFields, NotFound, Refused
from hotline.base.live import publish
from hotline.operators.models import Alias, Role, User
from hotline.operators.reads import namesakes
from hotline.operators.roles import require

LIMITS = {"spoken_name": 60, "full_form": 150}  # as the columns are
_SPACES = re.compile(r"\s+")
_CYRILLIC = "А-Яа-яЁё"
_WORD = rf"(?:[{_CYRILLIC}]+|[A-Za-z]+)"
# Words of letters, joined by single spaces or hyphens; one word is of one alphabet («Анна» with a Latin A is another
# name).
_NAME = re.compile(rf"{_WORD}(?:[ -]{_WORD})*")
_LETTERS = re.compile(rf"[{_CYRILLIC}A-Za-z -]+")
_FIRST = re.compile(rf"(?<![{_CYRILLIC}A-Za-z])[{_CYRILLIC}a-z]")


@verb
def declare_alias(*, operator: User, spoken_name: str, full_form: str, actor: User | None) -> Alias:
    """Declare the name to be voiced from now on; the supervisors are informed by an item that waits for them (V3).

    The name in force so far is retired. Where the hotline made the acknowledgement a condition
    (`ALIAS_NEEDS_ACKNOWLEDGEMENT`), the new one waits beside the name in force, and only one waits at a time.
    A name that a colleague bears is no hindrance: `reads.namesakes` says who, to both.

    Raises InvalidFields (`name_missing`, `name_letters`, `name_mixed`, `name_long`, `full_form_short`), Forbidden.
    """
    require(actor, "operators.declare_alias")
    if actor is not None and actor.pk != operator.pk:
        raise Forbidden("forbidden", _("An alias is declared by the operator who will voice it."))
    spoken_name, full_form = _clean(spoken_name, full_form)
    person = _lock(operator)
    if person.role != Role.OPERATOR:
        raise Forbidden("forbidden", _("An alias is declared by the operator who will voice it."))
    now = _clock()
    waits = bool(settings.ALIAS_NEEDS_ACKNOWLEDGEMENT)
    replaced = Q(state=Alias.State.DECLARED, period__isnull=True)
    if not waits:
        replaced |= Q(period__upper_inf=True)
    for old in Alias.objects.select_for_update().filter(replaced, operator=person).order_by("pk"):
        _end(old, Alias.State.RETIRED, now)
    alias = Alias(
        operator=person,
        spoken_name=spoken_name,
        full_form=full_form,
        declared_at=now,
        period=None if waits else DateTimeTZRange(now, None),
    )
    alias.save()
    _publish(alias)
    return alias


@verb
def acknowledge_alias(*, alias: Alias, actor: User | None) -> Alias:
    """Take note of an alias. One that waited for this is in force from now on, and the name before it is retired.

    Raises Refused (`alias_decided`) where it was acknowledged, stopped or retired before, Forbidden, NotFound.
    """
    require(actor, "operators.decide_alias")
    person = _lock(alias.operator)
    alias = _relock(alias, person, Alias.State.ACKNOWLEDGED)
    now = _clock()
    if alias.period is None:
        for old in Alias.objects.select_for_update().filter(operator=person, period__upper_inf=True).order_by("pk"):
            _end(old, Alias.State.RETIRED, now)
        alias.period = DateTimeTZRange(now, None)
    alias.state, alias.decided_by, alias.decided_at = Alias.State.ACKNOWLEDGED, actor, now
    alias.save(update_fields=["state", "period", "decided_by", "decided_at"])
    _publish(alias)
    return alias


@verb
def stop_alias(*, alias: Alias, reason: str, actor: User) -> Alias:
    """Forbid an alias from now on; the operator voices the own name again and sees why.

    Raises Invalid (`reason_missing`, `reason_long`), Refused (`alias_decided`), Forbidden, NotFound.
    """
    require(actor, "operators.decide_alias")
    reason = _SPACES.sub(" ", reason).strip()
    if not reason:
        raise Invalid("reason_missing", _("Say why: the operator will read it."), field="reason")
    if len(reason) > 300:
        raise Invalid("reason_long", _("At most 300 characters."), field="reason")
    person = _lock(alias.operator)
    alias = _relock(alias, person, Alias.State.STOPPED)
    now = _clock()
    alias.decided_by, alias.decided_at, alias.reason = actor, now, reason
    _end(alias, Alias.State.STOPPED, now)
    _publish(alias)
    return alias


@verb
def retire_alias(*, alias: Alias, actor: User | None) -> Alias:
    """Lay an alias down: the operator voices the own name again.

    Raises Refused (`alias_decided`) where it is not in use any more, Forbidden, NotFound (another's alias).
    """
    require(actor, "operators.retire_alias")
    if actor is not None and actor.pk != alias.operator_id:
        raise NotFound("alias_not_found", _("There is no such alias."))
    person = _lock(alias.operator)
    alias = _relock(alias, person, Alias.State.RETIRED)
    _end(alias, Alias.State.RETIRED, _clock())
    _publish(alias)
    return alias


# --- What they share --------------------------------------------------------------------------------
def _lock(operator: User) -> User:
    # NO KEY: rows that refer to this person can be written meanwhile.
    return User.objects.select_for_update(no_key=True).get(pk=operator.pk)


def _relock(alias: Alias, person: User, target: Alias.State) -> Alias:
    """The alias as it is now, if it may go to the state `target`."""
    fresh = Alias.objects.select_for_update().filter(pk=alias.pk, operator=person).first()
    if fresh is None:
        raise NotFound("alias_not_found", _("There is no such alias."))
    if target not in Alias.TRANSITIONS[fresh.state]:
        raise Refused(
            "alias_decided",
            _("This alias is %(state)s already.") % {"state": fresh.get_state_display()},
            details={"state": fresh.state},
        )
    fresh.operator = person
    return fresh


def _end(alias: Alias, state: Alias.State, now: datetime) -> None:
    """Leave the force. The period keeps when it was voiced; one that never came into force has none."""
    if alias.period is not None:
        alias.period = DateTimeTZRange(alias.period.lower, now)
    alias.state = state
    alias.save(update_fields=["state", "period", "decided_by", "decided_at", "reason"])


def _clock() -> datetime:
    """The database's clock: periods of one operator follow each other whichever machine declared them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _publish(alias: Alias) -> None:
    """To the operator, to the supervisors, and to colleagues who bear the name: they see the warning come and go."""
    publish(
        topic="alias",
        pk=alias.pk,
        users={
            alias.operator_id,
            *User.objects.supervisors().values_list("pk", flat=True),
            *(other.user.pk for other in namesakes(alias.spoken_name, except_for=alias.operator)),
        },
    )


def _clean(spoken_name: str, full_form: str) -> tuple[str, str]:
    """Both names with single spaces, «анна» written «Анна»; everything that is wrong with them at once."""
    names = {"spoken_name": _tidy(spoken_name), "full_form": _tidy(full_form)}
    problems: dict[str, list[tuple[str, str | Promise]]] = {}
    for field, name in names.items():
        limit = LIMITS[field]
        if not name:
            problems[field] = [("name_missing", _("Fill this in."))]
        elif len(name) > limit:
            problems[field] = [("name_long", _("At most %(limit)d characters.") % {"limit": limit})]
        elif not _LETTERS.fullmatch(name):
            problems[field] = [("name_letters", _("Only letters, spaces and hyphens."))]
        elif not _NAME.fullmatch(name):
            problems[field] = [_shape(name)]
        elif field == "full_form" and " " not in name:
            problems[field] = [("full_form_short", _("A first name and a surname at least."))]
    if problems:
        raise InvalidFields(problems, _("The alias can't be declared like this."))
    return names["spoken_name"], names["full_form"]


def _shape(name: str) -> tuple[str, str | Promise]:
    if re.search(rf"[{_CYRILLIC}][A-Za-z]|[A-Za-z][{_CYRILLIC}]", name):
        return "name_mixed", _("Cyrillic and Latin letters are mixed in one word.")
    return "name_letters", _("Begin and end with a letter, and put single hyphens.")


def _tidy(name: str) -> str:
    return _FIRST.sub(lambda match: match.group().upper(), _SPACES.sub(" ", name).strip())
