"""The shift: the telephone a person works at, what they are doing now, how their screen looks."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hotline.base.actions import constraint_of, verb
from hotline.base.errors import Conflict, Invalid, Refused
from hotline.base.live import publish
from hotline.operators.models import Role, User
from hotline.operators.readiness import why_not

# What exchanges call a telephone: digits mostly, sometimes an account of SIP («101», «*12», «anna.p», «sip-7»).
_EXTENSION = re.compile(r"[0-9A-Za-z*#][0-9A-Za-z*#._-]{0,15}")
# Their call goes on whoever has the telephone: taking it over changes the extension only.
_BUSY = frozenset({User.State.IN_CALL, User.State.WRAP_UP})


@verb
def pick_extension(*, user: User, extension: str, take_over_from: int | None = None, actor: User | None) -> User:
    """Sit down at a telephone: from now on its calls are this person's. Who was signed out is ready.

    Or on a break, where something is against being ready (`readiness.py`: the script was not read, S3). A telephone
    that a colleague holds is refused, and the refusal says who holds it and since when. To take it over, name that
    colleague's pk in `take_over_from`: it is cleared from the colleague, who is signed out of it (a call of
    theirs goes on) and told. Another holder than the one named is refused again. Both changes are in the row history.

    Raises Invalid (`extension_missing`, `extension_malformed`), Conflict (`extension_taken`: `details` has `holder`,
    a pk, and `since`).
    """
    extension = extension.strip()
    if not extension:
        raise Invalid("extension_missing", _("Name the telephone you work at."), field="extension")
    if not _EXTENSION.fullmatch(extension):
        raise Invalid(
            "extension_malformed",
            _("An extension is up to 16 digits or Latin letters, without spaces."),
            field="extension",
        )
    # One statement locks both rows in the order of their keys: two people who swap telephones can't deadlock.
    rows = {
        row.pk: row
        for row in User.objects.select_for_update(no_key=True)
        .filter(Q(pk=user.pk) | Q(extension=extension))
        .order_by("pk")
    }
    person = rows.pop(user.pk)
    now = timezone.now()
    for holder in rows.values():
        if holder.pk != take_over_from:
            raise _taken(holder)
        holder.extension, holder.extension_since = "", None
        if holder.state not in _BUSY:
            holder.state, holder.state_since = User.State.OFFLINE, now
        holder.save(update_fields=["extension", "extension_since", "state", "state_since"])
        _publish(holder)
    if person.extension != extension:
        person.extension, person.extension_since = extension, now
    if person.state == User.State.OFFLINE:
        person.state = User.State.READY if why_not(person) is None else User.State.BREAK
        person.state_since = now
    try:
        with transaction.atomic():
            person.save(update_fields=["extension", "extension_since", "state", "state_since"])
    except IntegrityError as error:
        if constraint_of(error) != "operators_user_extension_unique":
            raise
        # Somebody sat down between our reading and our writing.
        raise _taken(User.objects.get(extension=extension)) from error
    _publish(person)
    return person


def _taken(holder: User) -> Conflict:
    return Conflict(
        "extension_taken",
        _("A colleague is signed in at this extension."),
        field="extension",
        details={"holder": holder.pk, "since": holder.extension_since},
    )


@verb
def set_state(*, user: User, state: str, actor: User | None) -> User:
    """Note what a person is doing now. For the call's own verbs: the telephone is never argued with, whatever came
    before.

    The same state again changes nothing and tells nobody.
    """
    person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if person.state == state:
        return person
    person.state, person.state_since = User.State(state), timezone.now()
    person.save(update_fields=["state", "state_since"])
    _publish(person)
    return person


@verb
def switch_state(*, user: User, state: str, actor: User | None) -> User:
    """The person's own choice: ready, or on a break (`User.TRANSITIONS`).

    Raises Invalid (`state_unknown`), Refused (`in_call`: a call ends in its own window; `no_extension`: an operator
    without a telephone can't be ready; or the code of what `readiness.py` has against it).
    """
    if state not in {User.State.READY, User.State.BREAK}:
        raise Invalid("state_unknown", _("One can be ready or on a break."), field="state")
    person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if person.state == state:
        return person
    if state not in User.TRANSITIONS[person.state]:
        raise Refused("in_call", _("A call is going on: finish it first."), field="state")
    if state == User.State.READY and person.role == Role.OPERATOR and not person.extension:
        raise Refused("no_extension", _("Name the telephone you work at first."), field="state")
    if state == User.State.READY and (reason := why_not(person)) is not None:
        raise Refused(*reason, field="state")
    person.state, person.state_since = User.State(state), timezone.now()
    person.save(update_fields=["state", "state_since"])
    _publish(person)
    return person


@verb
def sign_out(*, user: User, actor: User | None) -> User:
    """Leave: the telephone is free for a colleague. An open call stays open, and is there at the next sign-in."""
    person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if person.state == User.State.OFFLINE and not person.extension:
        return person
    person.extension, person.extension_since = "", None
    person.state, person.state_since = User.State.OFFLINE, timezone.now()
    person.save(update_fields=["extension", "extension_since", "state", "state_since"])
    _publish(person)
    return person


@verb
def set_preferences(*, user: User, language: str | None = None, theme: str | None = None, actor: User | None) -> User:
    """Remember how a person's screen looks; None leaves as it is.

    Raises Invalid (`language_unknown`, `theme_unknown`).
    """
    person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if language is not None:
        if language not in dict(User._meta.get_field("language").flatchoices):
            raise Invalid("language_unknown", _("There is no such language here."), field="language")
        person.language = language
    if theme is not None:
        if theme not in User.Theme.values:
            raise Invalid("theme_unknown", _("There is no such theme here."), field="theme")
        person.theme = theme
    person.save(update_fields=["language", "theme"])
    return person


def _publish(person: User) -> None:
    """Tell the person's own pages and the supervisors' that the state or the telephone changed."""
    publish(topic="operator", pk=person.pk, users=[person.pk, *User.objects.supervisors().values_list("pk", flat=True)])
