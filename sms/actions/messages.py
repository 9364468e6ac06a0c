"""A message comes to be: queued to be sent, or written down as dictated (R3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from hotline.base.actions import constraint_of, verb
from hotline.base.errors import Conflict, Invalid, Refused
from hotline.base.phones import read_phone
from hotline.operators.models import User
from sms import broker, eligibility, limits, quiet, segments
from sms.actions import home
from sms.actions._moves import record_birth
from sms.gateways import routing
from sms.models import Category, SmsMessage, SmsTemplate
from sms.templating import checked_text

# (ours) More than a client reads, and more than gateways take at once.
MAX_SEGMENTS = 10


@verb
def queue_message(
    *,
    action_id: UUID,
    to: str,
    text: str,
    template: SmsTemplate | None = None,
    category: str = "",
    sender: str = "",
    quiet_zone: str = "",
    resend_of: SmsMessage | None = None,
    actor: User | None,
) -> SmsMessage:
    """Put a message into the outbox; a worker hands it to the gateway. `to` as typed: it is judged here once more.

    `action_id` is made by the caller for one deliberate action of a person: the same id with the same content gives the
    message that is already there, so that a double click or a repeated request is one message. The category of a
    template holds, and of a text by itself it is «service» where none is named; a sender is the template's where none
    is named. `quiet_zone` (IANA): nobody asked for it by hand, so it waits for the end of the quiet hours by the clock
    there, whenever its turn comes.

    Raises Refused (field `to`, the code of the gate), Invalid (field `text`: `empty`, `bad_characters`, `too_long`;
    field `sender`: `unknown_sender`; field `category`: `not_the_templates`), Conflict `action_id_reused`.
    """
    if template is not None:
        # Of the version in use: it says what may be sent, whatever an old one said that is sent anew.
        kind = template.in_use().category
        if category not in ("", kind):
            raise Invalid("not_the_templates", _("The template's category is another one."), field="category")
        category = kind
    category = category or Category.SERVICE
    sender = sender or (template.sender if template else "") or settings.SMS_SENDER
    if sender not in routing.senders():
        raise Invalid("unknown_sender", _("There is no such sender."), field="sender")
    morning = quiet.until(quiet_zone)
    verdict = eligibility.judge_number_only(to)
    if verdict.allowed:
        # In this order, as whoever holds the number already comes to the template.
        limits.lock_number(verdict.phone.e164)
        if template is not None and limits.daily_limit_of(template) is not None:
            limits.lock_template(template)
        # What the action has made already, a moment ago perhaps, is not judged by limits that it counts for itself.
        known = SmsMessage.objects.filter(action_id=action_id).exists()
        if not known:
            verdict = eligibility.judge_limits_of(verdict, category=category, template=template, leaves_at=morning)
    if not verdict.allowed:
        raise Refused(verdict.code, verdict.text, field="to")
    text = checked_text(text)
    counted = segments.count(text)
    if counted.count > MAX_SEGMENTS:
        raise Invalid(
            "too_long",
            _("The text takes %(count)d SMS; %(most)d are the most.") % {"count": counted.count, "most": MAX_SEGMENTS},
            field="text",
        )
    gateway = routing.first(sender, text)
    if not gateway and routing.first(sender):
        raise Invalid(
            "too_long",
            _("No gateway of this sender takes so long a text: %(count)d SMS.") % {"count": counted.count},
            field="text",
        )
    home.move_in()
    return _one_for_this_action(
        SmsMessage(
            action_id=action_id,
            to=verdict.phone.e164,
            text=text,
            template=template,
            category=Category(category),
            resend_of=resend_of,
            sender=sender,
            gateway=gateway,
            state=SmsMessage.State.QUEUED,
            reason="" if morning is None else "quiet_hours",
            quiet_zone=quiet_zone,
            segments=counted.count,
            requested_by=actor,
            # On its way to the broker from here on; where that fails, the sweep sees it (`_hand_to_broker`).
            enqueued_at=Now() if morning is None else None,
            **({} if morning is None else {"not_before": morning, "due_at": morning}),
        )
    )


@verb
def record_dictation(
    *, action_id: UUID, to: str, text: str, template: SmsTemplate | None = None, actor: User | None
) -> SmsMessage:
    """Write down what was dictated to the client and read back (R3): to any telephone, or none where it was hidden.

    A number that can be read is kept as E.164, any other as it was typed.

    Raises Invalid (field `text`: `empty`, `bad_characters`; field `to`: `too_long`, `bad_characters`), Conflict
    `action_id_reused`.
    """
    text = checked_text(text)
    number = read_phone(to)
    kept = number.e164 if number.e164 and not number.extension else to.strip()
    if kept:
        kept = checked_text(kept, field="to")
    if len(kept) > 64:
        raise Invalid("too_long", _("The number is longer than 64 characters."), field="to")
    return _one_for_this_action(
        SmsMessage(
            action_id=action_id,
            to=kept,
            text=text,
            template=template,
            state=SmsMessage.State.DICTATED,
            segments=segments.count(text).count,
            requested_by=actor,
        )
    )


def _one_for_this_action(message: SmsMessage) -> SmsMessage:
    """Insert it; or, where its action has a message already, that one. The database decides who was first."""
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError as error:
        if constraint_of(error) != "sms_message_action_unique":
            raise
        return _same_or_conflict(message)
    message.refresh_from_db()  # the times that the database set
    record_birth(message)
    if message.state == SmsMessage.State.QUEUED and message.enqueued_at is not None:
        # robust: whatever goes wrong here, the message is saved and the page is told so. No partial: Django reports the
        # error under the function's name, which a partial has not got, and so would raise after all.
        transaction.on_commit(lambda: _hand_to_broker(message.pk), robust=True)
    return message


def _same_or_conflict(message: SmsMessage) -> SmsMessage:
    existing = SmsMessage.objects.get(action_id=message.action_id)
    if _content(existing) == _content(message):
        return existing
    raise Conflict(
        "action_id_reused",
        _("This action has already made another message. Load the page anew."),
        field="action_id",
    )


def _content(message: SmsMessage) -> tuple[Any, ...]:
    """What makes two requests the same: to whom, what, of which kind, in whose name, by whom, instead of what, sent or
    dictated."""
    return (
        message.to,
        message.text,
        message.template_id,
        message.category,
        message.sender,
        message.requested_by_id,
        message.resend_of_id,
        message.state == SmsMessage.State.DICTATED,
    )


def _hand_to_broker(pk: int) -> None:
    from sms import tasks

    if not broker.publish(tasks.submit, [pk]):
        # Not stamped as enqueued: the next sweep takes it.
        SmsMessage.objects.filter(pk=pk, state=SmsMessage.State.QUEUED).update(enqueued_at=None)
