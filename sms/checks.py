"""System checks of the gateways, and what /readyz says of the outbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db.models import DurationField, F, Max
from django.db.models.functions import Now

from hotline.base.health import Readiness, by_heartbeat
from sms import gateways, quiet
from sms.actions import is_held
from sms.gateways import routing
from sms.gateways.smpp import SmppGateway
from sms.models import SmsMessage
from sms.tasks import SWEEP

# A due message that waits longer means that no worker or no gateway takes it.
OLDEST = timedelta(minutes=10)
SHORTEST_SECRET = 24


def gateway_is_configured(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """sms.E001: a gateway that does not exist; E004–E006: time-out, quiet hours, the secret of callbacks; beyond it,
    what the gateways' own `check_config` finds."""
    found: list[CheckMessage] = []
    named = {name for order in (settings.SMS_GATEWAYS, *settings.SMS_SENDERS.values()) for name in order}
    found += [
        Error(
            f"There is no SMS gateway «{name}».",
            hint=f"HOTLINE_SMS_GATEWAYS and HOTLINE_SMS_SENDERS name: {', '.join(gateways.GATEWAYS)}.",
            id="sms.E001",
        )
        for name in sorted(named - set(gateways.GATEWAYS))
    ]
    in_use = [gateways.by_name(name) for name in routing.in_use()]
    for gateway in in_use:
        found += gateway.check_config()
    if in_use and not 1 <= settings.SMS_TIMEOUT <= 120:
        found.append(
            Error(
                "HOTLINE_SMS_TIMEOUT is not between 1 and 120 seconds.",
                hint="A gateway needs time to answer, and a worker must not wait for ever.",
                id="sms.E004",
            )
        )
    try:
        quiet.parse_hours(settings.SMS_QUIET_HOURS)
    except ValueError:
        found.append(
            Error(
                "HOTLINE_SMS_QUIET_HOURS can't be read.",
                hint="Write it as 21:00-09:00, or leave it empty.",
                id="sms.E005",
            )
        )
    secret = settings.SMS_CALLBACK_SECRET
    if secret and (len(secret) < SHORTEST_SECRET or not secret.isalnum()):
        found.append(
            Error(
                "HOTLINE_SMS_CALLBACK_SECRET is short, or would not stand in an address.",
                hint=f"At least {SHORTEST_SECRET} letters and digits; empty: gateways can't call back.",
                id="sms.E006",
            )
        )
    return found


def smpp_link() -> Readiness | None:
    """Is a `manage.py smpp` bound to its centre? Not asked where no sender uses it, nor while the outbox is held."""
    if SmppGateway.name not in routing.in_use() or is_held():
        return None
    return by_heartbeat(SmppGateway.name)


def sweeping() -> Readiness:
    """Does the sweep, which finds what nobody works on, come to its end?"""
    return by_heartbeat(SWEEP)


def outbox() -> Readiness:
    """How long the oldest message waits to be handed over, how many do, and how many nobody knows the fate of."""
    waited = Max(Now() - F("due_at"), output_field=DurationField())
    found = SmsMessage.objects.undecided().filter(state="queued").aggregate(oldest=waited)
    unknown = SmsMessage.objects.uncertain().count()
    oldest = found["oldest"] or timedelta()
    held = is_held()
    # A restored copy that waits for somebody's word is not broken: it says so, and takes calls.
    stuck = routing.is_on() and oldest > OLDEST and not held
    return Readiness(
        not stuck,
        {
            "oldest_waiting_s": round(oldest.total_seconds()),
            "undecided": SmsMessage.objects.undecided().count(),
            "unknown": unknown,
            "held": held,
        },
    )
