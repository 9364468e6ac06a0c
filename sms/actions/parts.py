"""Messages of a gateway with a process of its own (SMPP): claimed in batches, handed over and settled part by part.

The same promise as in `outbox`: a part is SUBMITTING, committed, before it is written to the socket; only what surely
was not taken goes back to the queue, and then only the parts that were not accepted are sent again, under the same
reference; a part without an answer is unknown, and so is its message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from django.db.models import F
from django.db.models.functions import Now

from hotline.base import heartbeats
from hotline.base.actions import verb
from sms import segments
from sms.actions import home
from sms.actions._moves import lock_gateway_id, move, record_move, requeue, to_unknown, wait_for_the_morning
from sms.actions.condition import note_outcome
from sms.gateways import routing
from sms.gateways.base import Accepted, NotSubmitted, Outcome, Rejected
from sms.models import SmsMessage, SmsPart, SmsReceipt

log = structlog.get_logger(__name__)
State, PartState = SmsMessage.State, SmsPart.State

# The worst part counts; what is still under way is waited for first.
_WORST_FIRST = [
    PartState.SUBMITTING,
    PartState.REJECTED,
    PartState.UNDELIVERED,
    PartState.EXPIRED,
    PartState.UNKNOWN,
    PartState.QUEUED,
    PartState.ACCEPTED,
    PartState.DELIVERED,
]

# The next ones go with the next look.
_PASSED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class PartToSend:
    """One part that may be written to the socket, once, within the lease of its claim.

    `reference` (8 bits) joins the parts of a long message at the telephone (3GPP TS 23.040, 9.2.3.24.1): the same for
    every part and every attempt. `encoding` is of `segments`.
    """

    message: int
    token: UUID
    seq: int
    total: int
    reference: int
    to: str
    sender: str
    text: str
    encoding: str


def worst(states: Iterable[str]) -> str:
    """The state of a message by the states of its parts: one that failed fails the whole, one uncertain makes it so."""
    return str(min(states, key=lambda state: _WORST_FIRST.index(PartState(state))))


@verb
def claim_parts(*, gateway: str, lease: timedelta, most: int) -> list[PartToSend]:
    """Take queued messages of this gateway that are due, with all their parts that were not accepted yet: up to `most`
    parts, and one message at least.

    Many processes at once each get others (SKIP LOCKED). Nothing is taken in a restored copy (`home`). The caller
    writes to the socket only after this was committed, and only within `lease`.
    """
    due = SmsMessage.objects.filter(state=State.QUEUED, gateway=gateway, not_before__lte=Now())
    # What its client does not want any more goes no further, but for the rest of one that is there in part.
    due = due.wanted() | due.begun()
    found = list(home.only_at_home(due).select_for_update(skip_locked=True).order_by("not_before", "pk")[:most])
    claimed: list[PartToSend] = []
    for message in found:
        if message.quiet_zone and not message.has_begun() and wait_for_the_morning(message):
            continue
        parts, encoding = _parts_of(message)
        waiting = [part for part in parts if part.state == PartState.QUEUED]
        if claimed and len(claimed) + len(waiting) > most:
            break  # it is the first of the next claim
        message.parts.filter(pk__in=[part.pk for part in waiting]).update(state=PartState.SUBMITTING, reason="")
        token = uuid4()
        SmsMessage.objects.filter(pk=message.pk).update(
            state=State.SUBMITTING,
            reason="",
            attempt_token=token,
            lease_until=Now() + lease,
            attempts=F("attempts") + 1,
            state_changed_at=Now(),
        )
        message.refresh_from_db()
        record_move(message, came_from=State.QUEUED)
        claimed += [
            PartToSend(
                message=message.pk,
                token=token,
                seq=part.seq,
                total=len(parts),
                reference=message.pk & 0xFF,
                to=message.to,
                sender=message.sender,
                text=part.text,
                encoding=encoding,
            )
            for part in waiting
        ]
    return claimed


def _parts_of(message: SmsMessage) -> tuple[list[SmsPart], str]:
    """The parts of a locked message, cut at its first attempt and the same from then on; and their encoding."""
    counted = segments.count(message.text)
    parts = list(message.parts.order_by("seq"))
    if not parts:
        parts = SmsPart.objects.bulk_create(
            SmsPart(message=message, seq=seq, text=text) for seq, text in enumerate(counted.parts, start=1)
        )
    return parts, counted.encoding


@verb
def pass_on(*, gateway: str) -> int:
    """This gateway is out of order: what waits for it whole goes to the next of its sender. Returns how many.

    Nothing while some process of it has beaten lately: that one could not bind does not mean that none can. A message
    of which parts are there already stays: no other may get the rest.
    """
    age = heartbeats.age(gateway)
    if age is not None and age <= heartbeats.OLDEST:
        return 0
    movable = [sender for sender in routing.senders() if routing.after(sender, gateway) not in ("", gateway)]
    waiting = SmsMessage.objects.filter(state=State.QUEUED, gateway=gateway, not_before__lte=Now(), sender__in=movable)
    passed = last = 0
    while passed < _PASSED_AT_ONCE:
        # Beyond those that can't move, however many: begun ones, and texts too long for the next gateway.
        ahead = waiting.filter(pk__gt=last).select_for_update(skip_locked=True).order_by("pk")[:_PASSED_AT_ONCE]
        if not (found := list(ahead)):
            break
        last = found[-1].pk
        # First the lock, then the look at the parts: it must not see them as they were before somebody's attempt.
        for message in found:
            other = routing.after(message.sender, gateway, message.text)
            if other not in ("", gateway) and not message.has_begun():
                passed += SmsMessage.objects.filter(pk=message.pk).update(gateway=other, enqueued_at=None)
    return passed


@verb
def settle_parts(*, message_id: int, token: UUID, outcomes: Mapping[int, Outcome]) -> SmsMessage:
    """Write down what came of parts of one attempt (`seq` → outcome): only under its token, and only forward."""
    gateway = SmsMessage.objects.values_list("gateway", flat=True).get(pk=message_id)
    accepted = {outcome.gateway_id for outcome in outcomes.values() if isinstance(outcome, Accepted)}
    for gateway_id in sorted(accepted - {""}):
        lock_gateway_id(gateway, gateway_id)  # before the row's lock, as receive_status() takes them
    message = SmsMessage.objects.select_for_update().get(pk=message_id)
    if message.attempt_token != token:
        log.warning("sms_stale_answer", message=message_id)
        return message
    pause: NotSubmitted | None = None
    for part in message.parts.filter(seq__in=outcomes):
        outcome = outcomes[part.seq]
        part.message = message
        if isinstance(outcome, NotSubmitted):
            pause = outcome
        _settle_part(part, outcome)
    for outcome in outcomes.values():
        if isinstance(outcome, Accepted):
            note_outcome(gateway, outcome)
            break
    conclude(message, pause)
    return message


def _settle_part(part: SmsPart, outcome: Outcome) -> None:
    if isinstance(outcome, Accepted):
        state, reason = PartState.ACCEPTED, ""
    elif isinstance(outcome, Rejected):
        state, reason = PartState.REJECTED, outcome.reason
    elif isinstance(outcome, NotSubmitted):
        state, reason = PartState.QUEUED, outcome.reason
    else:
        state, reason = PartState.UNKNOWN, outcome.reason
    if state not in SmsMessage.TRANSITIONS[part.state]:
        return
    part.state, part.reason = state, reason[:60]
    if isinstance(outcome, Accepted):
        part.gateway_id = outcome.gateway_id
    part.save(update_fields=["state", "reason", "gateway_id"])
    if isinstance(outcome, Accepted):
        # Ids may come again: words from before this attempt are about another part.
        began = part.message.changes.filter(to_state=State.SUBMITTING).latest("pk").at
        early = SmsReceipt.objects.filter(
            gateway=part.message.gateway, gateway_id=part.gateway_id, received_at__gte=began
        )
        for receipt in early.order_by("pk"):
            if receipt.state in SmsMessage.TRANSITIONS[part.state]:
                part.state, part.reason = PartState(receipt.state), receipt.reason
                part.save(update_fields=["state", "reason"])


def conclude(message: SmsMessage, pause: NotSubmitted | None = None) -> None:
    """Move a locked message to where its parts have come; nothing while some are still being handed over.

    Of one that was unknown for a while, what was never sent never will be: the client has no whole message.
    """
    parts = list(message.parts.all())
    target = worst(part.state for part in parts)
    if target in (PartState.SUBMITTING, message.state):
        return
    reason = next((part.reason for part in parts if part.state == target), "")
    if target == PartState.QUEUED and message.state == State.UNKNOWN:
        move(message, State.UNDELIVERED, reason="never_sent", lease_until=None, check_after=None)
    elif target == PartState.QUEUED:
        accepted = any(part.state in (PartState.ACCEPTED, PartState.DELIVERED) for part in parts)
        requeue(message, pause or NotSubmitted(reason=reason), stays=accepted)
    elif target == PartState.UNKNOWN:
        to_unknown(message, reason)
    else:
        move(message, target, reason=reason, lease_until=None, check_after=None)


# --- What the gateway says afterwards ---------------------------------------------------------------
def lock_part(gateway: str, gateway_id: str, state: str) -> SmsPart | None:
    """The part that a receipt of this id is about, its message locked; None where no part has it (yet).

    Ids may come again: of the latest message, and only while its centre may still have something to say of it. A centre
    that has one id for all parts of a message sends a receipt for each: of the last one that this one still moves.
    """
    named = SmsPart.objects.filter(
        gateway_id=gateway_id,
        message__gateway=gateway,
        message__state_changed_at__gte=Now() - SmsMessage.SILENT_AFTER,
    )
    found = named.order_by("-pk").first()
    if found is None:
        return None
    message = SmsMessage.objects.select_for_update().get(pk=found.message_id)
    parts = list(message.parts.filter(gateway_id=gateway_id).order_by("-seq"))
    part = next((part for part in parts if state in SmsMessage.TRANSITIONS[part.state]), parts[0])
    part.message = message
    return part


def apply_to_part(part: SmsPart, state: str, reason: str) -> SmsMessage:
    """Move a part whose message is locked, where that is forward, and the message with it."""
    if state in SmsMessage.TRANSITIONS[part.state]:
        SmsPart.objects.filter(pk=part.pk).update(state=state, reason=reason[:60])
        conclude(part.message)
    return part.message
