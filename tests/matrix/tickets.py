"""Cards and appeals: any client may ring any operator, so the whole staff sees and works on all of them.

Machines read and write them over the API by the scopes of their token; the pages are for people.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.factories import (
    AppealFactory,
    AppealMessageFactory,
    ApplianceFactory,
    ClientFactory,
    DocumentFactory,
    DocumentKindFactory,
    ProductModelFactory,
    ReminderFactory,
    SmsMessageFactory,
    SmsTemplateFactory,
    TopicFactory,
    center,
    main_account,
)
from tests.matrix import MACHINE, STAFF, SUPERVISOR, Line, World
from tickets.models import AppealMessage

EVERYBODY = STAFF | MACHINE


def client(world: World) -> dict[str, Any]:
    return {"pk": ClientFactory(phones=["8 916 000-01-01"]).pk}


def account(world: World) -> dict[str, Any]:
    return {"pk": main_account(ClientFactory()).pk}


def appliance(world: World) -> dict[str, Any]:
    return {"pk": ApplianceFactory().pk}


def appeal(world: World) -> dict[str, Any]:
    """A request that another operator has assigned: it is everybody's work."""
    SmsTemplateFactory()
    return {"number": AppealFactory(assigned=True, registered_by=world.operator, phone="+79160000101").number}


def consultation(world: World) -> dict[str, Any]:
    return {"number": AppealFactory(registered_by=world.operator).number}


def letter(world: World) -> dict[str, Any]:
    document = DocumentFactory(letter=True)
    return {"number": document.appeal.number, "pk": document.pk}


def paper_with_file(world: World) -> dict[str, Any]:
    document = DocumentFactory(file=SimpleUploadedFile("act.pdf", b"%PDF-1.4"), file_name="act.pdf")
    return {"number": document.appeal.number, "pk": document.pk}


def reminder(world: World) -> dict[str, Any]:
    made = ReminderFactory(to=world.operator)
    return {"number": made.appeal.number, "pk": made.pk}


def message(world: World, state: str) -> AppealMessage:
    made: AppealMessage = AppealMessageFactory(
        message=SmsMessageFactory(state=state, gateway="development", sender="HOTLINE", requested_by=world.operator)
    )
    return made


def failed_message(world: World) -> dict[str, Any]:
    link = message(world, "undelivered")
    return {"number": link.appeal.number, "pk": link.message_id}


def uncertain_message(world: World) -> dict[str, Any]:
    link = message(world, "unknown")
    return {"number": link.appeal.number, "pk": link.message_id}


def uncertain(world: World) -> dict[str, Any]:
    return {"pk": message(world, "unknown").message_id}


def soon() -> str:
    return (timezone.now() + timedelta(days=1)).isoformat()


LINES = {
    # --- pages of cards
    "tickets:clients": Line(STAFF),
    "tickets:client-new": (
        Line(STAFF),
        Line(STAFF, "POST", data=lambda world: {"last_name": "Ёлкина", "first_name": "Анна"}),
    ),
    "tickets:duplicates": Line(STAFF, "POST", data=lambda world: {"last_name": "Ёлкина", "first_name": "Анна"}),
    "tickets:account-suggest": Line(STAFF),
    "tickets:client-edit": (
        Line(STAFF, kwargs=client),
        Line(STAFF, "POST", kwargs=client, data=lambda world: {"last_name": "Ёлкина", "version": 1}),
    ),
    "tickets:phones": (
        Line(STAFF, kwargs=client),
        Line(STAFF, "POST", kwargs=client, data=lambda world: {"raw": "8 916 000-01-02"}),
    ),
    "tickets:accounts": (
        Line(STAFF, kwargs=client),
        Line(STAFF, "POST", kwargs=client, data=lambda world: {"reason": "Дача"}),
    ),
    "tickets:appliance-new": (
        Line(STAFF, kwargs=account),
        Line(STAFF, "POST", kwargs=account, data=lambda world: {"model_text": "RF-1"}),
    ),
    "tickets:appliance-edit": (
        Line(STAFF, kwargs=appliance),
        Line(STAFF, "POST", kwargs=appliance, data=lambda world: {"model_text": "RF-1"}),
    ),
    "tickets:model-suggest": Line(STAFF, query=lambda world: {"q": "rf"}),
    # --- pages of appeals
    "tickets:appeals": Line(STAFF),
    "tickets:appeal": Line(STAFF, kwargs=appeal),
    "tickets:appeal-facts": (
        Line(STAFF, kwargs=appeal),
        Line(STAFF, "POST", kwargs=appeal, data=lambda world: {"description": "Течёт", "version": 1}),
    ),
    "tickets:appeal-state": (
        Line(STAFF, kwargs=appeal),
        Line(STAFF, "POST", kwargs=appeal, data=lambda world: {"state": "accepted", "version": 1}),
    ),
    "tickets:appeal-assign": (
        Line(STAFF, kwargs=appeal),
        Line(STAFF, "POST", kwargs=appeal, data=lambda world: {"service_center": center("Другой").pk}),
    ),
    "tickets:appeal-assignment": (
        Line(STAFF, kwargs=appeal),
        Line(STAFF, "POST", kwargs=appeal, data=lambda world: {"outcome": "accepted"}),
    ),
    "tickets:appeal-move": (
        Line(STAFF, kwargs=appeal),
        Line(STAFF, "POST", kwargs=appeal, data=lambda world: {"account_id": main_account(ClientFactory()).pk}),
    ),
    "tickets:appeal-duplicate": (
        Line(STAFF, kwargs=appeal),
        Line(STAFF, "POST", kwargs=appeal, data=lambda world: {"number": AppealFactory().number}),
    ),
    "tickets:appeal-comments": (
        Line(STAFF, kwargs=appeal),
        Line(STAFF, "POST", kwargs=appeal, data=lambda world: {"text": "Ждём"}),
    ),
    "tickets:appeal-documents": (
        Line(STAFF, kwargs=appeal),
        Line(STAFF, "POST", kwargs=appeal, data=lambda world: {"kind": DocumentKindFactory().pk, "date": "01.11.2026"}),
    ),
    "tickets:document": Line(STAFF, kwargs=paper_with_file),
    "tickets:letter-answered": Line(STAFF, "POST", kwargs=letter),
    "tickets:appeal-reminders": (
        Line(STAFF, kwargs=appeal),
        Line(
            STAFF,
            "POST",
            kwargs=appeal,
            data=lambda world: {"to": world.operator.pk, "due_at": "23:59", "text": "Позвонить"},
        ),
    ),
    "tickets:reminder-done": Line(STAFF, "POST", kwargs=reminder),
    "tickets:appeal-messages": (
        Line(STAFF, kwargs=appeal),
        Line(
            STAFF,
            "POST",
            kwargs=appeal,
            data=lambda world: {"do": "send", "to": "+79160000101", "purpose": "request", "action_id": str(uuid4())},
        ),
    ),
    "tickets:appeal-message-resend": (
        Line(STAFF, "POST", kwargs=failed_message),
        # Whether an uncertain one arrived only a supervisor decides.
        Line(SUPERVISOR, "POST", kwargs=uncertain_message),
    ),
    "tickets:sms": Line(SUPERVISOR),
    "tickets:sms-overview": Line(SUPERVISOR),
    "tickets:sms-release": Line(SUPERVISOR, "POST"),
    "tickets:sms-uncertain": (
        Line(SUPERVISOR, kwargs=uncertain),
        Line(SUPERVISOR, "POST", kwargs=uncertain, data=lambda world: {"do": "arrived"}),
    ),
    "tickets:template-preview": Line(SUPERVISOR, "POST", data=lambda world: {"text": "Заявка №{appeal_number}"}),
    "tickets:appeal-references": (
        Line(STAFF, kwargs=appeal),
        Line(STAFF, "POST", kwargs=appeal, data=lambda world: {"system": "gsis", "number": "G-1"}),
    ),
    # --- the API
    "api:clients-list": (
        Line(EVERYBODY),
        Line(EVERYBODY, "POST", data=lambda world: {"last_name": "Ёлкина"}),
    ),
    "api:clients-detail": (
        Line(EVERYBODY, kwargs=client),
        Line(EVERYBODY, "PATCH", kwargs=client, data=lambda world: {"version": 1, "note": "Собака"}),
    ),
    "api:clients-phones": Line(EVERYBODY, "POST", kwargs=client, data=lambda world: {"raw": "8 916 000-01-02"}),
    "api:clients-duplicates": Line(EVERYBODY, "POST", data=lambda world: {"phones": ["8 916 000-01-01"]}),
    "api:clients-say-now": Line(EVERYBODY, kwargs=client),
    "api:accounts-list": (
        Line(EVERYBODY),
        Line(EVERYBODY, "POST", data=lambda world: {"client": ClientFactory().pk, "reason": "Дача"}),
    ),
    "api:accounts-detail": Line(EVERYBODY, kwargs=account),
    "api:appliances-list": (
        Line(EVERYBODY),
        Line(
            EVERYBODY,
            "POST",
            data=lambda world: {"account": main_account(ClientFactory()).pk, "model_text": "RF-1"},
        ),
    ),
    "api:appliances-detail": (
        Line(EVERYBODY, kwargs=appliance),
        Line(EVERYBODY, "PATCH", kwargs=appliance, data=lambda world: {"store": "ДНС"}),
    ),
    "api:appeals-list": (
        Line(EVERYBODY),
        Line(EVERYBODY, "POST", data=lambda world: {"kind": "consultation", "description": "Спросил адрес"}),
    ),
    "api:appeals-detail": (
        Line(EVERYBODY, kwargs=appeal),
        Line(EVERYBODY, "PATCH", kwargs=appeal, data=lambda world: {"version": 1, "outcome": "Ждать"}),
    ),
    "api:appeals-state": Line(EVERYBODY, "POST", kwargs=appeal, data=lambda world: {"state": "accepted"}),
    "api:appeals-assign": Line(
        EVERYBODY, "POST", kwargs=appeal, data=lambda world: {"service_center": center("Другой").pk}
    ),
    "api:appeals-candidates": Line(EVERYBODY, kwargs=appeal),
    "api:appeals-assignment": Line(EVERYBODY, "POST", kwargs=appeal, data=lambda world: {"outcome": "accepted"}),
    "api:appeals-contacts": Line(
        EVERYBODY, "POST", kwargs=consultation, data=lambda world: {"service_center": center().pk}
    ),
    "api:appeals-move": Line(
        EVERYBODY, "POST", kwargs=appeal, data=lambda world: {"account": main_account(ClientFactory()).pk}
    ),
    "api:appeals-duplicate": Line(EVERYBODY, "POST", kwargs=appeal, data=lambda world: {"of": AppealFactory().number}),
    "api:appeals-comments": Line(EVERYBODY, "POST", kwargs=appeal, data=lambda world: {"text": "Ждём"}),
    "api:appeals-documents": Line(
        EVERYBODY,
        "POST",
        kwargs=appeal,
        data=lambda world: {"kind": DocumentKindFactory().code, "date": "2026-11-01"},
    ),
    "api:appeals-reminders": Line(
        EVERYBODY,
        "POST",
        kwargs=appeal,
        data=lambda world: {"to": world.operator.pk, "due_at": soon(), "text": "Позвонить"},
    ),
    "api:appeals-references": Line(
        EVERYBODY, "POST", kwargs=appeal, data=lambda world: {"system": "gsis", "number": "G-1"}
    ),
    "api:appeals-sms": Line(
        EVERYBODY,
        "POST",
        kwargs=appeal,
        data=lambda world: {"action_id": str(uuid4()), "to": "+79160000101", "purpose": "request"},
    ),
    "api:appeals-dictate": Line(
        EVERYBODY,
        "POST",
        kwargs=appeal,
        data=lambda world: {"action_id": str(uuid4()), "to": "", "purpose": "request"},
    ),
    "api:appeals-message-preview": Line(EVERYBODY, kwargs=appeal),
    "api:models-list": Line(EVERYBODY),
    "api:models-detail": Line(EVERYBODY, kwargs=lambda world: {"pk": ProductModelFactory().pk}),
    "api:topics-list": Line(EVERYBODY),
    "api:topics-detail": Line(EVERYBODY, kwargs=lambda world: {"pk": TopicFactory().pk}),
}
