"""What a gateway says afterwards: its receipts, and its answers where it is asked. States only move forward."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, Subquery
from django.db.models.functions import Coalesce, Now

from hotline.base.actions import verb
from hotline.base.errors import NotFound
from sms import gateways
from sms.actions._moves import FIRST_CHECK, lock_gateway_id, move
from sms.actions.parts import apply_to_part, lock_part
from sms.gateways.base import Gateway, Status
from sms.models import SmsMessage, SmsReceipt

State = SmsMessage.State

# Asked soon at first, ever more seldom, not at all in the end.
_LONGEST_CHECK = timedelta(minutes=10)


@verb
def receive_status(
    *,
    gateway: str,
    gateway_id: str,
    state: str,
    reason: str = "",
    reference: UUID | None = None,
    cost: Decimal | None = None,
    asked: bool = False,
) -> SmsMessage | None:
    """Keep what a gateway says about a message, and move the message forward where that is news. None: not known (yet).

    A receipt may come before the answer that tells us the id, twice, or out of order: it waits in the inbox, and a
    state never goes back. `reference` is our own (the action's id), where the gateway names it or was asked by it.
    `asked`: it is the answer to a question of ours, and so about the last attempt.
    """
    lock_gateway_id(gateway, gateway_id)
    SmsReceipt.objects.create(gateway=gateway, gateway_id=gateway_id, state=state, reason=reason[:60], cost=cost)
    if (part := lock_part(gateway, gateway_id, state)) is not None:
        return apply_to_part(part, state, reason)
    theirs = Q(gateway_id=gateway_id)
    if reference is not None:
        theirs |= Q(action_id=reference, gateway_id="")
    message = SmsMessage.objects.select_for_update().filter(theirs, gateway=gateway).order_by("-pk").first()
    if message is None:
        return None
    if message.state == State.QUEUED:
        # About an attempt that was turned away: it waits for the next one, or, if it was taken after all, for none.
        if message.attempts and state in {State.ACCEPTED, State.DELIVERED}:
            SmsMessage.objects.filter(pk=message.pk).update(gateway_id=gateway_id, cost=cost, enqueued_at=None)
            message.refresh_from_db()
            _apply(message, state, reason)
        return message
    if not asked and _is_of_any_attempt(message, gateway_id, state):
        SmsMessage.objects.filter(pk=message.pk, check_after__isnull=False).update(check_after=Now())
        return message
    learned = not message.gateway_id
    if learned or (cost is not None and message.cost is None):
        SmsMessage.objects.filter(pk=message.pk).update(gateway_id=gateway_id, cost=message.cost or cost)
        message.refresh_from_db()
    if learned:
        apply_early_receipts(message, gateway_id)  # with this one, which came last
    else:
        _apply(message, state, reason)
    return message


def apply_early_receipts(message: SmsMessage, gateway_id: str) -> None:
    """What the gateway said about this id before we knew it.

    Ids may come again: words from before this attempt are not about it.
    """
    began = Subquery(message.changes.filter(to_state=State.SUBMITTING).order_by("-pk").values("at")[:1])
    early = SmsReceipt.objects.filter(
        gateway=message.gateway, gateway_id=gateway_id, received_at__gte=Coalesce(began, message.created_at)
    )
    for receipt in early.order_by("pk"):
        if not _is_of_any_attempt(message, gateway_id, receipt.state):
            _apply(message, receipt.state, receipt.reason)


def _is_of_any_attempt(message: SmsMessage, gateway_id: str, state: str) -> bool:
    """Where a gateway names all attempts by our own reference (SMSC), a failure may be that of one that was turned away
    before. Then it is asked what became of the last one."""
    return message.attempts > 1 and gateway_id == str(message.action_id) and state in SmsMessage.FAILED


def _apply(message: SmsMessage, state: str, reason: str) -> None:
    check_after = None if state in SmsMessage.DECIDED else Now() + FIRST_CHECK
    move(message, state, reason=reason, lease_until=None, check_after=check_after)


# --- Asking -----------------------------------------------------------------------------------------
def check_status(*, pk: int) -> None:
    """Ask the gateway what became of an accepted or unknown message; no transaction is open while it answers.

    Raises NotFound where there is no such message.
    """
    message = SmsMessage.objects.filter(pk=pk).first()
    if message is None:
        raise NotFound("not_found", "no such message")
    if message.state not in {State.ACCEPTED, State.UNKNOWN}:
        return
    if message.gateway not in gateways.GATEWAYS:  # of an earlier configuration: nobody to ask
        SmsMessage.objects.filter(pk=pk).update(check_after=None)
        return
    try:
        status = _ask(gateways.by_name(message.gateway), message)
        if status is not None and status.state != message.state:
            receive_status(
                gateway=message.gateway,
                gateway_id=status.gateway_id,
                state=status.state,
                reason=status.reason,
                reference=message.action_id,
                cost=status.cost,
                asked=True,
            )
    finally:
        # An adapter that breaks at its answer would break at the next one, too: no sooner than any other is asked.
        _schedule_check(pk=pk)


def _ask(gateway: Gateway, message: SmsMessage) -> Status | None:
    """What the gateway says of a message: by its id, by our reference, or found by its number and text."""
    if message.gateway_id or not gateway.capabilities.status_by_text:
        return gateway.fetch_status(gateway_id=message.gateway_id, reference=message.action_id, to=message.to)
    attempts = message.changes.filter(to_state=State.SUBMITTING).order_by("-pk")
    began = attempts.values_list("at", flat=True).first() or message.created_at
    status = gateway.find_status(to=message.to, text=message.text, sent_after=began)
    # The same text may have gone to the same number before: what is known to be another message is not this one.
    taken = status and SmsMessage.objects.filter(gateway=message.gateway, gateway_id=status.gateway_id).exists()
    return None if taken else status


def _schedule_check(*, pk: int) -> None:
    """Ask again after as long as this state has lasted: soon at first, ever more seldom, not at all in the end."""
    with transaction.atomic():
        message = (
            SmsMessage.objects.select_for_update()
            .filter(pk=pk, state__in=[State.ACCEPTED, State.UNKNOWN])
            .annotate(lasted=Now() - F("state_changed_at"))
            .first()
        )
        if message is None:
            return
        if message.lasted > SmsMessage.SILENT_AFTER:
            SmsMessage.objects.filter(pk=pk).update(check_after=None)
            return
        pause = max(FIRST_CHECK, min(message.lasted, _LONGEST_CHECK))
        SmsMessage.objects.filter(pk=pk).update(check_after=Now() + pause)
