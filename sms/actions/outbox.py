"""The outbox: claim, hand over, settle. Never lost, never twice (docs/sms.md).

    claim     QUEUED → SUBMITTING under a new attempt token and a lease, committed before the socket opens
    submit    the gateway's adapter: one request
    settle    what came of it, on the row that still bears that token

What comes afterwards is in `statuses`, what nobody works on in `sweeping`, gateways with a process of their own in
`parts`. All times are the database's clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from hotline.base import clocks
from hotline.base.actions import verb
from sms import gateways
from sms.actions import home
from sms.actions._moves import (
    first_check,
    lock_gateway_id,
    move,
    record_move,
    requeue,
    to_unknown,
    wait_for_the_morning,
)
from sms.actions.condition import note_outcome
from sms.actions.statuses import apply_early_receipts
from sms.gateways import routing
from sms.gateways.base import Accepted, Gateway, NotSubmitted, Outcome, Rejected, Submission, Unknown
from sms.models import SmsMessage

log = structlog.get_logger(__name__)
State = SmsMessage.State

# A message is leased for the gateway's whole deadline and this: settling takes its time, too.
LEASE_MARGIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to hand one message over, once. Worth nothing after its lease."""

    pk: int
    token: UUID
    gateway: Gateway
    submission: Submission


def deliver(*, pk: int) -> Outcome | None:
    """Claim a message, hand it to the gateway and settle what came of it. None where there was nothing to claim.

    Three transactions, none of them open while the gateway works; a kill between any two leaves a message that the
    sweep decides. Refuses to run inside a transaction: the claim would not be committed before the socket opens.
    """
    started = clocks.seconds()
    with transaction.atomic(durable=True):
        claimed = claim(pk=pk)
    if claimed is None:
        return None
    outcome: Outcome
    try:
        if clocks.seconds() - started < LEASE_MARGIN.total_seconds():
            outcome = claimed.gateway.submit(claimed.submission)
        else:
            # This process stood still: the lease might run out while the gateway works. Nothing has left yet.
            outcome = NotSubmitted(reason="too_late", saw_nothing=True)
    except Exception as error:  # noqa: BLE001 - an adapter that breaks may have sent it: the answer is «unknown»
        log.exception("sms_adapter_failed", message=pk, gateway=claimed.gateway.name, error=type(error).__name__)
        outcome = Unknown(reason=f"adapter:{type(error).__name__}"[:60])
    log.info("sms_submitted", message=pk, gateway=claimed.gateway.name, outcome=type(outcome).__name__)
    persistently(partial(settle, pk=pk, token=claimed.token, outcome=outcome))
    return outcome


def persistently(function: Callable[[], Any]) -> None:
    """An answer in hand is worth a few tries at writing it down, should the database be away for a moment.

    Where all fail the lease runs out, and the message is `unknown` rather than sent again.
    """
    for pause in (0.2, 1.0, 3.0):
        try:
            function()
        except (OperationalError, InterfaceError):
            log.warning("sms_settle_retried")
            if not connection.in_atomic_block:
                connection.close()
            time.sleep(pause)
        else:
            return
    function()


@verb
def claim(*, pk: int) -> Claim | None:
    """Take a queued message that is due: a conditional UPDATE, of many at once one gets it, the others None.

    Nothing is taken that waits for a gateway with a process of its own, nor in a restored copy (`home`), nor what its
    client does not want any more: refused while it was under way, and then back in the queue (`withdraw_unwanted`).
    What came back in the night, or lay in a copy until then, is put off to the morning.
    """
    waiting = SmsMessage.objects.filter(pk=pk, state=State.QUEUED, not_before__lte=Now()).first()
    if waiting is None or waiting.gateway not in routing.in_use():
        return None
    gateway = gateways.by_name(waiting.gateway)
    if gateway.capabilities.own_process or wait_for_the_morning(waiting):
        return None
    token = uuid4()
    due = SmsMessage.objects.filter(pk=pk, state=State.QUEUED, gateway=gateway.name, not_before__lte=Now())
    taken = home.only_at_home(due.wanted()).update(
        state=State.SUBMITTING,
        reason="",
        attempt_token=token,
        lease_until=Now() + gateway.deadline + LEASE_MARGIN,
        attempts=F("attempts") + 1,
        state_changed_at=Now(),
    )
    if not taken:
        return None
    message = SmsMessage.objects.get(pk=pk)
    record_move(message, came_from=State.QUEUED)
    submission = Submission(reference=message.action_id, to=message.to, text=message.text, sender=message.sender)
    return Claim(pk=pk, token=token, gateway=gateway, submission=submission)


@verb
def settle(*, pk: int, token: UUID, outcome: Outcome) -> SmsMessage:
    """Write down what came of an attempt: only on the row that still bears its token, and only forward.

    A late answer still moves a message that the sweep has called `unknown` meanwhile, but never back into the queue.
    """
    accepted_id = outcome.gateway_id if isinstance(outcome, Accepted) else ""
    if accepted_id:
        # Before the row's lock, as receive_status() takes them.
        lock_gateway_id(SmsMessage.objects.values_list("gateway", flat=True).get(pk=pk), accepted_id)
    message = SmsMessage.objects.select_for_update().get(pk=pk)
    if message.attempt_token != token:
        log.warning("sms_stale_answer", message=pk, outcome=type(outcome).__name__)
        return message
    note_outcome(message.gateway, outcome)
    if isinstance(outcome, Accepted):
        _settle_accepted(message, outcome)
    elif isinstance(outcome, Rejected):
        move(message, State.REJECTED, reason=outcome.reason, lease_until=None, check_after=None)
    elif isinstance(outcome, NotSubmitted):
        requeue(message, outcome)
    else:
        to_unknown(message, outcome.reason)
    return message


def _settle_accepted(message: SmsMessage, outcome: Accepted) -> None:
    moved = move(
        message,
        State.ACCEPTED,
        gateway_id=outcome.gateway_id,
        cost=outcome.cost,
        lease_until=None,
        check_after=first_check(message.gateway, by_id=True),
    )
    if not moved and not message.gateway_id:
        SmsMessage.objects.filter(pk=message.pk).update(gateway_id=outcome.gateway_id, cost=outcome.cost)
        message.refresh_from_db()
    apply_early_receipts(message, outcome.gateway_id)
