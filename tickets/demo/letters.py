"""The SMS of the demo: what was sent or dictated about its appeals, and what became of it. Nothing is sent."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from hotline.operators.models import User
from service_centers.contacts import contacts
from sms import segments
from sms.eligibility import judge_number
from sms.models import DeniedCode, OptOut, SmsMessage, SmsStateChange, SmsTemplate
from sms.templating import MissingValue, render
from tickets.actions.messages import values_of
from tickets.demo.world import Code, Life
from tickets.models import Appeal, AppealMessage

State, Moment = SmsMessage.State, SmsTemplate.Moment
OUTCOMES = ([State.DELIVERED, State.UNDELIVERED, State.EXPIRED, State.REJECTED, State.UNKNOWN], [92, 4, 2, 1, 1])
WAY = {
    State.DELIVERED: [State.QUEUED, State.SUBMITTING, State.ACCEPTED, State.DELIVERED],
    State.UNDELIVERED: [State.QUEUED, State.SUBMITTING, State.ACCEPTED, State.UNDELIVERED],
    State.EXPIRED: [State.QUEUED, State.SUBMITTING, State.ACCEPTED, State.EXPIRED],
    State.REJECTED: [State.QUEUED, State.SUBMITTING, State.REJECTED],
    State.UNKNOWN: [State.QUEUED, State.SUBMITTING, State.UNKNOWN],
    State.DICTATED: [State.DICTATED],
}


# Of what was sent within this time some is still open: not made good, not decided.
LATELY = timedelta(days=2)
REASONS = {
    State.UNDELIVERED: "absent_subscriber",
    State.REJECTED: "invalid_destination",
    State.UNKNOWN: "no_answer",
}
# Of the latest messages, newest first: what became of them. `True`: of those that the operator who signs in has sent.
OPEN = [
    (State.UNDELIVERED, True),
    (State.EXPIRED, True),
    (State.UNKNOWN, False),
    (State.UNKNOWN, True),
    (State.UNKNOWN, False),
]


def write(rng: random.Random, lives: list[Life], *, now: datetime, operator: User) -> None:
    """Messages on most requests and on every consultation after which contacts were given; a refusal of SMS."""
    templates: dict[str, SmsTemplate] = {
        template.moment: template for template in SmsTemplate.objects.current().order_by("-code")
    }
    denied = DeniedCode.objects.as_mapping()
    made: list[tuple[Life, SmsMessage, str]] = []
    for life in lives:
        appeal = life.appeal
        center = life.assignments[0].service_center if life.assignments else appeal.referred_to
        if center is None or rng.random() < 0.12:
            continue
        purpose, moment = AppealMessage.Purpose.REQUEST, Moment.REQUEST_REGISTERED
        if not appeal.is_request:
            out = appeal.verdict == Appeal.Verdict.OUT
            purpose = AppealMessage.Purpose.CONTACTS
            moment = Moment.OUT_OF_WARRANTY if out else Moment.SERVICE_CENTER_CONTACTS
        if moment not in templates:
            continue
        try:
            text = render(templates[moment], values_of(appeal, contacts(center)))
        except MissingValue:  # a centre whose hours nobody knows
            continue
        may = judge_number(appeal.phone, denied).allowed
        state = rng.choices(*OUTCOMES)[0] if may else State.DICTATED
        is_old = appeal.registered_at < now - LATELY
        if state == State.UNKNOWN and is_old:
            state = State.DELIVERED  # the client has said so long ago
        made.append((life, _message(rng, appeal, text, templates[moment], state, seconds=95), purpose))
        if state in SmsMessage.FAILED and (rng.random() < 0.5 or is_old):
            again = _message(rng, appeal, text, templates[moment], State.DICTATED, seconds=300)
            made.append((life, again, purpose))
    _leave_open([message for _life, message, _purpose in made], operator)
    SmsMessage.objects.bulk_create([message for _life, message, _purpose in made])
    links = AppealMessage.objects.bulk_create(
        AppealMessage(appeal=life.appeal, message=message, purpose=purpose) for life, message, purpose in made
    )
    for (life, message, _purpose), link in zip(made, links, strict=True):
        dictated = message.state == State.DICTATED
        facts = {"message": message.pk, "purpose": str(link.purpose)}
        code = Code.SMS_DICTATED if dictated else Code.SMS_QUEUED
        life.write(message.created_at, code, message.requested_by, lambda facts=facts: facts)  # type: ignore[misc]
    SmsStateChange.objects.bulk_create(change for _life, message, _purpose in made for change in _changes(message))


def _leave_open(messages: list[SmsMessage], operator: User) -> None:
    """What the day begins with: SMS to make good, some that only a person can decide, a client who wants none."""
    delivered = [message for message in reversed(messages) if message.state == State.DELIVERED]
    for state, own in OPEN:
        message = next(each for each in delivered if (each.requested_by_id == operator.pk) is own)
        delivered.remove(message)
        message.state, message.reason = state, REASONS.get(state, "")
        if state == State.UNKNOWN:
            message.gateway_id = ""
    refused = delivered[7]
    OptOut.objects.create(
        number=refused.to, note="Просил не писать", started_by=refused.requested_by, started_at=refused.created_at
    )


def _message(
    rng: random.Random, appeal: Appeal, text: str, template: SmsTemplate, state: str, *, seconds: int
) -> SmsMessage:
    created = appeal.registered_at + timedelta(seconds=seconds + rng.randrange(120))
    dictated = state == State.DICTATED
    settled = created if dictated else min(created + timedelta(seconds=rng.randrange(4, 40)), timezone.now())
    identity = uuid.UUID(int=rng.getrandbits(128), version=4)
    return SmsMessage(
        action_id=identity,
        to=appeal.phone,
        text=text,
        template=template,
        state=state,
        reason=REASONS.get(State(state), ""),
        sender="" if dictated else settings.SMS_SENDER,
        segments=segments.count(text).count,
        gateway="" if dictated else "development",
        gateway_id="" if dictated or state in (State.REJECTED, State.UNKNOWN) else identity.hex[:12],
        requested_by=appeal.registered_by,
        created_at=created,
        state_changed_at=settled,
        not_before=created,
        due_at=created,
        attempts=0 if dictated else 1,
    )


def _changes(message: SmsMessage) -> list[SmsStateChange]:
    """Its journal: every state on the way, in even steps."""
    way = WAY[State(message.state)]
    step = (message.state_changed_at - message.created_at) / max(len(way) - 1, 1)
    before = ["", *way]
    return [
        SmsStateChange(
            message=message,
            from_state=before[number],
            to_state=state,
            at=message.created_at + step * number,
            reason=message.reason if state == message.state else "",
        )
        for number, state in enumerate(way)
    ]
