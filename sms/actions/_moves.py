"""One step of a message: the row, its journal and the announcement, in the caller's transaction and under its lock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from hotline.base import live
from sms import gateways, quiet
from sms.gateways import routing
from sms.gateways.base import NotSubmitted
from sms.models import SmsMessage, SmsPart, SmsStateChange

# How soon the gateway is first asked what became of a message.
FIRST_CHECK = timedelta(seconds=2)
# Back-off of what could not be handed over: 2, 4, 8 … seconds, at most a minute.
_LONGEST_BACKOFF = timedelta(minutes=1)


def record_birth(message: SmsMessage) -> None:
    """The first line of the journal of a message that was just inserted."""
    SmsStateChange.objects.create(message=message, from_state="", to_state=message.state, reason=message.reason)
    live.publish(topic="sms", pk=message.pk)


def move(message: SmsMessage, to: str, *, reason: str = "", **fields: Any) -> bool:
    """Move a locked message forward, `fields` with it. False, and nothing written, where that is no way forward."""
    if to not in SmsMessage.TRANSITIONS[message.state]:
        return False
    came_from = message.state
    SmsMessage.objects.filter(pk=message.pk).update(state=to, reason=reason[:60], state_changed_at=Now(), **fields)
    message.refresh_from_db()
    record_move(message, came_from)
    if message.is_decided:
        # No part waits for what will not come: of a message that failed, or whose parts were passed on as a whole.
        message.parts.filter(state=SmsPart.State.QUEUED).update(state=SmsPart.State.UNDELIVERED, reason="never_sent")
    return True


def record_move(message: SmsMessage, came_from: str) -> None:
    SmsStateChange.objects.create(message=message, from_state=came_from, to_state=message.state, reason=message.reason)
    live.publish(topic="sms", pk=message.pk)


def requeue(message: SmsMessage, outcome: NotSubmitted, *, stays: bool = False) -> bool:
    """Back to the queue, which only what surely was not handed over may do: after a pause, to the next gateway of its
    sender where this one is out of order. `stays`: parts of it are there already, so no other may get the rest.
    """
    gateway = message.gateway
    if outcome.is_down and not stays:
        gateway = routing.after(message.sender, message.gateway, message.text) or message.gateway
    return move(
        message,
        SmsMessage.State.QUEUED,
        reason=outcome.reason,
        gateway=gateway,
        attempt_token=None,
        lease_until=None,
        enqueued_at=None,
        gateway_id="",
        cost=None,
        not_before=Now() + _pause(message, outcome, gateway),
    )


def wait_for_the_morning(message: SmsMessage) -> bool:
    """Put off a queued message that nobody asked for by hand, where it is night at its client's. False: it may go."""
    morning = quiet.until(message.quiet_zone)
    if morning is None:
        return False
    queued = SmsMessage.objects.filter(pk=message.pk, state=SmsMessage.State.QUEUED)
    if queued.update(not_before=morning, due_at=morning, reason="quiet_hours", enqueued_at=None):
        live.publish(topic="sms", pk=message.pk)
    return True


def to_unknown(message: SmsMessage, reason: str) -> bool:
    """Nobody knows whether the gateway got it: never sent again by the machine. The message is locked."""
    check_after = first_check(message.gateway, by_id=bool(message.gateway_id))
    return move(message, SmsMessage.State.UNKNOWN, reason=reason, lease_until=None, check_after=check_after)


def first_check(gateway: str, *, by_id: bool) -> Any:
    """When to ask first, as a database expression; None where this gateway can't be asked."""
    if gateway not in gateways.GATEWAYS:
        return None
    able = gateways.by_name(gateway).capabilities
    can_ask = able.status_by_id if by_id else able.status_by_reference or able.status_by_text
    return Now() + FIRST_CHECK if can_ask else None


def _pause(message: SmsMessage, outcome: NotSubmitted, gateway: str) -> timedelta:
    """How long it waits. A gateway that has had it already may want a while before it sees the same again."""
    backoff = _backoff(message.attempts)
    if gateway == message.gateway:
        backoff = outcome.retry_after or backoff
        if outcome.saw_nothing:
            return backoff
    elif routing.is_behind(message.sender, gateway, message.gateway):
        return backoff
    if gateway not in gateways.GATEWAYS:
        return backoff
    return max(backoff, gateways.by_name(gateway).capabilities.not_sooner)


def _backoff(attempts: int) -> timedelta:
    return min(timedelta(seconds=2 ** min(attempts, 10)), _LONGEST_BACKOFF)


def lock_gateway_id(gateway: str, gateway_id: str) -> None:
    """One at a time for one id: else a receipt and the answer, both uncommitted, would not see each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"sms {gateway} {gateway_id}"])
