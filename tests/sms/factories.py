"""Messages, templates and people for the tests of this room."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.db.models.functions import Now

from hotline.operators.models import Role, User
from sms.models import DeniedCode, SmsMessage, SmsTemplate

# Of the fictional range that the demo uses.
MOBILE = "+79160000101"
OTHER_MOBILE = "+79030000102"


def person(username: str = "anna", role: Role = Role.OPERATOR, **fields: Any) -> User:
    fields = {"first_name": "Анна", "last_name": "Иванова", **fields}
    return User.objects.create_user(username, role=role, **fields)


def template(
    code: str = "contacts", text: str = "АСЦ: {center_name}, тел. {center_phones}.", **fields: Any
) -> SmsTemplate:
    fields = {"moment": SmsTemplate.Moment.SERVICE_CENTER_CONTACTS, "name": "Контакты АСЦ", **fields}
    return SmsTemplate.objects.create(code=code, text=text, **fields)


def message(state: str = SmsMessage.State.QUEUED, **fields: Any) -> SmsMessage:
    """A row as the outbox would have made it; no task is on its way for it."""
    S = SmsMessage.State
    made: dict[str, Any] = {
        "action_id": uuid4(),
        "to": MOBILE,
        "text": "Заявка №100001 зарегистрирована.",
        "state": state,
    }
    if state != S.DICTATED:
        made |= {"gateway": "development", "sender": "HOTLINE"}
    if state not in {S.QUEUED, S.DICTATED}:
        made |= {"attempt_token": uuid4(), "attempts": 1}
    if state == S.SUBMITTING:
        made["lease_until"] = Now()
    if state in {S.ACCEPTED, S.DELIVERED, S.UNDELIVERED, S.EXPIRED}:
        made["gateway_id"] = uuid4().hex
    created = SmsMessage.objects.create(**{**made, **fields})
    created.refresh_from_db()
    return created


def deny(code: str = "940", reason: str = "Абхазия") -> DeniedCode:
    return DeniedCode.objects.create(code=code, reason=reason)
