"""What a person decides about a message: it arrived, it is sent anew, it is not to be sent after all."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from hotline.base import live
from hotline.base.actions import verb
from hotline.base.errors import Conflict, NotFound, Refused
from hotline.operators.models import User
from hotline.operators.roles import require
from sms.actions._moves import move
from sms.actions.messages import queue_message
from sms.models import SmsMessage

State = SmsMessage.State


@verb
def confirm_arrival(*, pk: int, actor: User | None) -> SmsMessage:
    """The client says that the uncertain message did arrive. Said twice it is said once.

    Raises Forbidden; NotFound; Refused (`decided`: it is not uncertain any more); Conflict (`resent`: somebody has sent
    it anew meanwhile, `details` has the `message`).
    """
    require(actor, "sms.decide_message")
    message = _locked(pk)
    if message.state == State.DELIVERED:
        return message
    if message.state != State.UNKNOWN:
        raise Refused("decided", _("This message is not uncertain any more."))
    if successor := SmsMessage.objects.filter(resend_of=message).first():
        raise _resent(successor)
    who = f":{actor.pk}" if actor else ""
    move(message, State.DELIVERED, reason=f"confirmed{who}", lease_until=None, check_after=None)
    return message


@verb
def send_anew(*, pk: int, action_id: UUID, actor: User | None) -> SmsMessage:
    """The same words to the same number as a new message that names the old one, which is left as it is.

    For what is uncertain or has failed. The machine never does this: the client may get it twice, and a person takes
    that on. The same `action_id` is one message; an old one has one successor, whoever asks.

    Raises NotFound; Refused (`decided`; or the gate's code, field `to`); Conflict (`resent`: somebody was faster,
    `details` has the `message`).
    """
    old = _locked(pk)
    successor = SmsMessage.objects.filter(resend_of=old).first()
    if successor is not None:
        if successor.action_id == action_id:
            return successor
        raise _resent(successor)
    if old.state != State.UNKNOWN and old.state not in SmsMessage.FAILED:
        raise Refused("decided", _("This message is not to be sent anew."))
    live.publish(topic="sms", pk=old.pk)
    return queue_message(
        action_id=action_id,
        to=old.to,
        text=old.text,
        template=old.template,
        category="" if old.template else old.category,
        sender=old.sender,
        resend_of=old,
        actor=actor,
    )


@verb
def withdraw(*, pk: int, reason: str, actor: User | None) -> SmsMessage:
    """Not to be sent after all. Said twice it is said once.

    While it waits whole in the queue it is withdrawn at once; what is being handed over may go, but where it comes back
    whole, it goes no further (`withdraw_unwanted`).

    Raises NotFound, Refused (`under_way`: it is at the gateway already, or the beginning of it).
    """
    message = _locked(pk)
    if message.state == State.WITHDRAWN:
        return message
    if message.state == State.SUBMITTING:
        SmsMessage.objects.filter(pk=pk).update(withdraw_reason=reason)
        message.refresh_from_db()
        return message
    if message.state != State.QUEUED or message.has_begun():
        raise Refused("under_way", _("This message is on its way already."))
    move(message, State.WITHDRAWN, reason=reason, check_after=None)
    return message


def withdraw_waiting(*, number: str, reason: str, category: str = "") -> int:
    """Withdraw what waits whole in the queue for a number; in the caller's transaction. Returns how many."""
    waiting = SmsMessage.objects.select_for_update(of=("self",)).filter(to=number, state=State.QUEUED)
    if category:
        waiting = waiting.filter(category=category)
    withdrawn = 0
    for message in waiting.order_by("pk"):
        if not message.has_begun():
            withdrawn += move(message, State.WITHDRAWN, reason=reason, check_after=None)
    return withdrawn


def _resent(successor: SmsMessage) -> Conflict:
    return Conflict("resent", _("This message has been sent anew already."), details={"message": successor.pk})


def _locked(pk: int) -> SmsMessage:
    message = SmsMessage.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if message is None:
        raise NotFound("not_found", _("There is no such message."))
    return message
