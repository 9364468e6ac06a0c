"""What the clients behind numbers said of SMS, for the pages that show it and change it by a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from hotline.base.errors import Invalid
from hotline.operators.models import User
from sms.actions import end_opt_out, give_consent, opt_out, withdraw_consent
from sms.models import Category, Consent, OptOut

_ACTS: dict[str, Callable[..., Any]] = {
    "opt_out": opt_out,
    "end_opt_out": end_opt_out,
    "consent": give_consent,
    "withdraw_consent": withdraw_consent,
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What holds for a number (E.164) now; None where nothing was said."""

    number: str
    opt_out: OptOut | None = None
    consent: Consent | None = None


def wishes_of(numbers: Iterable[str]) -> dict[str, Wishes]:
    """By number, each asked for being there. Two queries."""
    asked = {number for number in numbers if number}
    refusals = {
        row.number: row for row in OptOut.objects.in_force().filter(number__in=asked).select_related("started_by")
    }
    given = Consent.objects.in_force().filter(number__in=asked, category=Category.OTHER).select_related("started_by")
    consents = {row.number: row for row in given}
    return {number: Wishes(number, refusals.get(number), consents.get(number)) for number in asked}


def act(do: str, *, number: str, actor: User) -> str:
    """Call the verb of a key: `opt_out`, `end_opt_out`, `consent`, `withdraw_consent`; returns what was done, in words.

    Raises Invalid (`unknown`, and what the verbs raise).
    """
    if do not in _ACTS:
        raise Invalid("unknown", _("There is no such action."))
    _ACTS[do](number=number, actor=actor)
    return {
        "opt_out": _("Noted: no SMS goes to this number any more."),
        "end_opt_out": _("Noted: SMS may go to this number again."),
        "consent": _("Noted: the client agreed to other messages."),
        "withdraw_consent": _("Noted: the client took the consent back."),
    }[do]
