"""Verbs of stage 7: the SMS about an appeal, or its dictation. R3: both are on the record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from hotline.base.actions import verb
from hotline.base.errors import Invalid, Refused
from hotline.base.phones import read_phone
from hotline.operators.models import User
from service_centers.contacts import Contacts, contacts
from service_centers.models import ServiceCenter
from sms import segments
from sms.actions import queue_message, record_dictation, send_anew
from sms.models import SmsMessage, SmsTemplate
from sms.placeholders import PLACEHOLDERS
from sms.templating import MissingValue, render
from tickets import events
from tickets.actions._common import action_reused, lock_appeal
from tickets.models import Appeal, AppealMessage

Purpose = AppealMessage.Purpose
State = SmsMessage.State
# (ours) The very same words to the same number within this are one message too many, whoever sends them.
TWICE = timedelta(minutes=10)
_ON_ITS_WAY = [State.QUEUED, State.SUBMITTING, State.ACCEPTED, State.DELIVERED]


@dataclass(frozen=True, slots=True)
class Preview:
    """What the client will read. `text` is "" where a value is missing; `missing` says which, in the operator's words.

    `segments` counts the SMS; `contacts` are the centre's, for dictation; `template` is None where none is in use.
    """

    text: str
    segments: segments.Segments
    missing: list[str] = field(default_factory=list)
    template: SmsTemplate | None = None
    contacts: Contacts | None = None

    @property
    def is_ready(self) -> bool:
        return bool(self.text)


def center_of(appeal: Appeal) -> ServiceCenter | None:
    """Whose contacts the client is told: the centre that has the request, or the one that was named."""
    active = appeal.active_assignment()
    if active is not None:
        return ServiceCenter.objects.for_detail().get(pk=active.service_center_id)
    if appeal.referred_to_id is None:
        return None
    return ServiceCenter.objects.for_detail().get(pk=appeal.referred_to_id)


def default_purpose(appeal: Appeal) -> str:
    """A request's data go with it; after a consultation only the contacts of the centre."""
    return Purpose.REQUEST if appeal.is_request else Purpose.CONTACTS


def template_for(appeal: Appeal, purpose: str) -> SmsTemplate | None:
    """The template in use for the moment and the kind of an appeal. One query."""
    return SmsTemplate.objects.for_moment(_moment(appeal, purpose), appeal.kind).first()


def template_of(message: SmsMessage) -> SmsTemplate | None:
    """The version in use of the template that a message was made from; None where there is none any more."""
    if message.template is None:
        return None
    return SmsTemplate.objects.current().filter(code=message.template.code).first()


def failed_twin(appeal: Appeal, *, to: str, text: str) -> SmsMessage | None:
    """The last message of these very words to this number that failed or is uncertain, if nothing stands for it yet.

    What is sent then is sent anew and names it. Another number, or other words, are another message.
    """
    twins = SmsMessage.objects.filter(
        pk__in=AppealMessage.objects.filter(appeal=appeal).values("message"),
        to=read_phone(to).e164,
        text=text,
        state__in=[*SmsMessage.FAILED, SmsMessage.State.UNKNOWN],
        resent_as=None,
    )
    return twins.order_by("-pk").first()


def message_text(*, appeal: Appeal, purpose: str, template: SmsTemplate | None = None) -> Preview:
    """The message as it stands now: every value comes from the registered appeal and its centre, none is retyped.

    Without a template it is the one in use for the moment and the kind of appeal. Raises Invalid `purpose`.
    """
    if purpose not in Purpose.values:
        raise Invalid("purpose", _("There is no such message."), field="purpose")
    template = template or template_for(appeal, purpose)
    center = center_of(appeal)
    told = contacts(center) if center is not None else None
    if template is None:
        return Preview("", segments.count(""), [_("a template for this moment")], None, told)
    try:
        text = render(template, values_of(appeal, told))
    except MissingValue as error:
        labels = [str(PLACEHOLDERS[name].label) for name in error.details["placeholders"]]
        return Preview("", segments.count(""), labels, template, told)
    return Preview(text, segments.count(text), [], template, told)


def values_of(appeal: Appeal, told: Contacts | None) -> dict[str, str]:
    """The values that a template may name (`sms/placeholders.py`), from the appeal and its centre's contacts."""
    return {
        "appeal_number": str(appeal.number),
        "appeal_state": str(appeal.get_state_display()),
        "client_name": _addressed(appeal),
        "brand": appeal.brand.name if appeal.brand else "",
        "model": appeal.model_text,
        "center_name": told.name if told else "",
        "center_address": told.full_address if told else "",
        "center_phones": ", ".join(told.phones) if told else "",
        "center_hours": told.hours if told else "",
        "hotline_phone": settings.HOTLINE_PHONE,
    }


def is_outdated(appeal: Appeal, link: AppealMessage) -> bool:
    """Has the appeal changed since a message about it was made, so that the same words would be wrong now?"""
    return bool(outdated(appeal, [link]))


def outdated(appeal: Appeal, links: Iterable[AppealMessage]) -> list[AppealMessage]:
    """Those of an appeal's messages whose words would be wrong now: where the template, in the version each was made
    from, gives others today; and those of a request that is not open any more.

    Three queries at the most, however many there are (and one for each template that was not selected with it).
    """
    center = center_of(appeal)
    values = values_of(appeal, contacts(center) if center is not None else None)
    is_over = appeal.is_request and not appeal.is_open
    return [link for link in links if (is_over and link.purpose != Purpose.STATUS) or _says_otherwise(link, values)]


def _says_otherwise(link: AppealMessage, values: dict[str, str]) -> bool:
    if link.message.template is None:
        return False
    try:
        return render(link.message.template, values) != link.message.text
    except MissingValue:
        return True


@verb
def send_sms(
    *, appeal_id: int, to: str, purpose: str, action_id: UUID, on_the_line: bool = False, actor: User | None
) -> AppealMessage:
    """Queue the message about an appeal to a number, the client's or another one that the client names.

    The same words to the same number as one that failed are sent anew: the new message names it. So is what is
    uncertain, where the client is on the line and can be asked (`on_the_line`), or a supervisor takes it on.

    The same `action_id` is one message. Raises NotFound; Refused with the code of the gate (field `to`),
    `nothing_to_send`, `uncertain`, or `already_sent`: the very words are on their way to this number from another
    window; Conflict `action_reused`.
    """
    appeal = lock_appeal(appeal_id)
    preview = _ready(appeal, purpose)
    known = SmsMessage.objects.filter(action_id=action_id).select_related("resend_of").first()
    twin = known.resend_of if known else failed_twin(appeal, to=to, text=preview.text)
    if twin is not None:
        may = on_the_line or (actor is not None and actor.is_supervisor)
        if twin.state == State.UNKNOWN and not known and not may:
            raise Refused(
                "uncertain",
                _("Nobody knows whether this message has arrived: ask the client, or let a supervisor decide."),
                field="to",
            )
        return link_message(appeal, send_anew(pk=twin.pk, action_id=action_id, actor=actor), purpose, actor)
    _refuse_twice(appeal, to=to, text=preview.text, action_id=action_id)
    message = queue_message(action_id=action_id, to=to, text=preview.text, template=preview.template, actor=actor)
    return link_message(appeal, message, purpose, actor)


@verb
def dictate(
    *,
    appeal_id: int,
    to: str,
    purpose: str,
    action_id: UUID,
    template: SmsTemplate | None = None,
    actor: User | None,
) -> AppealMessage:
    """Record that the message was dictated and read back (R3). `to`: whom the operator spoke with, "" if hidden.
    Without a template it is the one in use for the moment.

    Raises NotFound; Refused `nothing_to_send`; Conflict `action_reused`.
    """
    appeal = lock_appeal(appeal_id)
    preview = _ready(appeal, purpose, template)
    message = record_dictation(action_id=action_id, to=to, text=preview.text, template=preview.template, actor=actor)
    return link_message(appeal, message, purpose, actor)


@verb
def resend(*, message_id: int, action_id: UUID, actor: User | None) -> SmsMessage:
    """Send an uncertain or failed message anew, as a new one that names the old, on the same appeal if it had one.

    Raises NotFound; Refused (`decided`, `outdated`, or the gate's code); Conflict (`resent`, `action_reused`).
    """
    link = AppealMessage.objects.filter(message=message_id).select_related("message__template").first()
    appeal = lock_appeal(link.appeal_id) if link is not None else None
    if appeal is not None and link is not None and link.message.has_failed and is_outdated(appeal, link):
        raise Refused("outdated", _("The appeal has changed since: these words are not true any more."))
    message = send_anew(pk=message_id, action_id=action_id, actor=actor)
    if appeal is not None and link is not None:
        link_message(appeal, message, link.purpose, actor)
    return message


def _refuse_twice(appeal: Appeal, *, to: str, text: str, action_id: UUID) -> None:
    """Two windows, or two operators, are two actions and one message to the client, who would wonder at the second."""
    under_way = AppealMessage.objects.filter(
        appeal=appeal,
        message__to=read_phone(to).e164,
        message__text=text,
        message__created_at__gte=timezone.now() - TWICE,
        message__state__in=_ON_ITS_WAY,
    ).exclude(message__action_id=action_id)
    if under_way.exists():
        raise Refused("already_sent", _("This message has just been sent to this number."), field="to")


def _ready(appeal: Appeal, purpose: str, template: SmsTemplate | None = None) -> Preview:
    preview = message_text(appeal=appeal, purpose=purpose, template=template)
    if not preview.is_ready:
        raise Refused(
            "nothing_to_send",
            _("The message can't be made: there is no %(what)s.") % {"what": ", ".join(preview.missing)},
            details={"missing": preview.missing},
        )
    return preview


def link_message(
    appeal: Appeal, message: SmsMessage, purpose: str, actor: User | None, *, is_automatic: bool = False
) -> AppealMessage:
    """The message is about this appeal, and its journal says so; once, however often it is asked."""
    link, created = AppealMessage.objects.get_or_create(
        message=message, defaults={"appeal": appeal, "purpose": purpose, "is_automatic": is_automatic}
    )
    if link.appeal_id != appeal.pk:
        raise action_reused()
    if created:
        record = events.sms_dictated if message.state == SmsMessage.State.DICTATED else events.sms_queued
        record(appeal, link, actor)
    return link


def _moment(appeal: Appeal, purpose: str) -> str:
    if purpose == Purpose.REQUEST:
        return SmsTemplate.Moment.REQUEST_REGISTERED
    if purpose == Purpose.STATUS:
        return SmsTemplate.Moment.STATUS_CHANGED
    if appeal.state == Appeal.State.REFERRED and appeal.verdict == Appeal.Verdict.OUT:
        return SmsTemplate.Moment.OUT_OF_WARRANTY
    return SmsTemplate.Moment.SERVICE_CENTER_CONTACTS


def _addressed(appeal: Appeal) -> str:
    """How the client is addressed: first name and middle name, without the last."""
    client = appeal.client
    if client is not None and client.full_name == appeal.full_name and client.first_name:
        return f"{client.first_name} {client.middle_name}".strip()
    return " ".join(appeal.full_name.split()[1:]) or appeal.full_name
