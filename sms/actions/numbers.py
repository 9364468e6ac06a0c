"""What a client said of SMS to a number: none at all, or also such as need consent."""

from __future__ import annotations

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from hotline.base.actions import verb
from hotline.base.errors import Invalid
from hotline.base.phones import read_phone
from hotline.operators.models import User
from sms.actions.decisions import withdraw_waiting
from sms.limits import lock_number
from sms.models import Category, Consent, OptOut


@verb
def opt_out(*, number: str, note: str = "", actor: User | None) -> OptOut:
    """The client wants no SMS at this number: none is made from now on, and what waits for its hour is withdrawn.

    Said twice it is said once. Raises Invalid (`number`: `invalid`).
    """
    e164 = _read(number)
    lock_number(e164)
    found = OptOut.objects.in_force().filter(number=e164).first()
    if found is None:
        found = OptOut.objects.create(number=e164, note=note.strip()[:200], started_by=actor)
        found.refresh_from_db()
    withdraw_waiting(number=e164, reason="opted_out")
    return found


@verb
def end_opt_out(*, number: str, actor: User | None) -> None:
    """The client wants SMS again. Nothing where there was no refusal. Raises Invalid (`number`: `invalid`)."""
    e164 = _read(number)
    lock_number(e164)
    OptOut.objects.in_force().filter(number=e164).update(ended_at=Now(), ended_by=actor)


@verb
def give_consent(*, number: str, category: str = Category.OTHER, note: str = "", actor: User | None) -> Consent:
    """The client agreed to messages of a category. Said twice it is said once.

    Raises Invalid (`number`: `invalid`; `category`: `no_consent_needed`).
    """
    e164 = _read(number)
    if category == Category.SERVICE or category not in Category.values:
        raise Invalid("no_consent_needed", _("Messages of this category need no consent."), field="category")
    lock_number(e164)
    found = Consent.objects.in_force().filter(number=e164, category=category).first()
    if found is None:
        found = Consent.objects.create(
            number=e164, category=Category(category), note=note.strip()[:200], started_by=actor
        )
        found.refresh_from_db()
    return found


@verb
def withdraw_consent(*, number: str, category: str = Category.OTHER, actor: User | None) -> None:
    """The client takes the consent back; what waits for its hour is withdrawn. Raises Invalid (`number`: `invalid`)."""
    e164 = _read(number)
    lock_number(e164)
    Consent.objects.in_force().filter(number=e164, category=category).update(ended_at=Now(), ended_by=actor)
    withdraw_waiting(number=e164, reason="no_consent", category=category)


def _read(number: str) -> str:
    phone = read_phone(number)
    if not phone.e164:
        raise Invalid("invalid", _("This is no telephone number."), field="number")
    return phone.e164
