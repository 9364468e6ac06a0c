"""A request came to another state: the journal says so, and the client, where a supervisor switched that on.

The message waits for the end of the quiet hours by the clock of the client's city; a further change meanwhile withdraws
it. Where none can be sent the journal says why: nobody finds out later that the machine kept silent.
"""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from django.conf import settings

from hotline.base.errors import HotlineError
from hotline.base.phones import read_phone
from hotline.operators.models import User
from sms import eligibility
from sms.actions import queue_message, withdraw
from sms.limits import lock_number
from sms.models import SmsMessage, SmsTemplate
from tickets import events
from tickets.actions.messages import link_message, message_text, template_for
from tickets.models import Appeal, AppealMessage, AutomaticSms

STATUS = AppealMessage.Purpose.STATUS


def moved_on(appeal: Appeal, before: str, actor: User | None) -> None:
    """Journal the new state of a locked appeal, and tell the client by the rule for it; in the caller's transaction."""
    events.state_changed(appeal, before, actor)
    if not appeal.is_request:
        return
    if number := read_phone(appeal.phone).e164:
        lock_number(number)  # before any message of it, as a refusal takes them
    _withdraw_outdated(appeal, actor)
    rule = AutomaticSms.objects.filter(state=appeal.state, is_on=True).first()
    if rule is not None:
        _tell(appeal, rule, actor)


def _tell(appeal: Appeal, rule: AutomaticSms, actor: User | None) -> None:
    # Of another kind of appeal: then the one that is in use for this kind is taken.
    fitting = SmsTemplate.objects.current().filter(code=rule.template_code, kind__in=["", appeal.kind])
    template = fitting.first() or template_for(appeal, STATUS)
    preview = message_text(appeal=appeal, purpose=STATUS, template=template)
    gate = eligibility.judge(appeal.phone, template=template)
    if not preview.is_ready or not gate.allowed or gate.warning:
        code = gate.code if not gate.allowed else gate.warning or "nothing_to_send"
        events.sms_skipped(appeal, code, actor)
        return
    try:
        message = queue_message(
            # Of this change alone: the same verb repeated is the same message.
            action_id=uuid5(NAMESPACE_URL, f"appeal/{appeal.pk}/{appeal.version}/{appeal.state}"),
            to=appeal.phone,
            text=preview.text,
            template=template,
            quiet_zone=appeal.city.timezone if appeal.city else settings.TIME_ZONE,
            actor=actor,
        )
    except HotlineError as error:
        events.sms_skipped(appeal, error.code, actor)
    else:
        link_message(appeal, message, STATUS, actor, is_automatic=True)


def _withdraw_outdated(appeal: Appeal, actor: User | None) -> None:
    """What still waits for its hour tells of a state that is over; what is being handed over may still come back."""
    waiting = AppealMessage.objects.filter(
        appeal=appeal, purpose=STATUS, message__state__in=[SmsMessage.State.QUEUED, SmsMessage.State.SUBMITTING]
    )
    for pk in waiting.values_list("message", flat=True):
        try:
            withdraw(pk=pk, reason="outdated", actor=actor)
        except HotlineError:
            continue  # on its way meanwhile
