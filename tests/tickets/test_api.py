"""The API of cards and appeals: the verbs' refusals as codes, ranked search, keyset lists that do not grow, scopes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.utils import timezone

from tests.factories import (
    AppealFactory,
    AppealMessageFactory,
    AppealReferenceFactory,
    ApplianceFactory,
    ClientFactory,
    CommentFactory,
    DocumentFactory,
    DocumentKindFactory,
    ProductModelFactory,
    ReminderFactory,
    SmsMessageFactory,
    SmsTemplateFactory,
    TopicFactory,
    UserFactory,
    ago,
    api_token,
    brand,
    category,
    center,
    city,
    main_account,
)
from tests.helpers import assert_same_query_count
from tickets import events
from tickets.models import Appeal, Client

pytestmark = pytest.mark.django_db


class Machine(Browser):
    """A client with a token."""

    def __init__(self, *scopes: str) -> None:
        self.user = UserFactory(integration=True)
        super().__init__(headers={"authorization": f"Bearer {api_token(self.user, *scopes)}"})

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = getattr(self, method)(f"/api/v1/{path}", body, content_type="application/json")
        return answer.status_code, answer.json()


@pytest.fixture
def machine(db: None) -> Machine:
    return Machine()


def whole_request(**changes: Any) -> dict[str, Any]:
    known = {
        "kind": "repair",
        "client": ClientFactory(phones=["8 916 000-01-01"]).pk,
        "description": "Не морозит",
        "model_text": "RF-1",
        "brand": brand().pk,
        "category": category().pk,
        "model_source": "nameplate",
        "purchase_date": "2025-03-14",
        "purchase_date_source": "receipt",
        "store_source": "unknown",
        "service_center": center().pk,
        "action_id": str(uuid4()),
    }
    return {**known, **changes}


# --- Cards ----------------------------------------------------------------------------------------
def test_a_card_is_registered_read_and_changed(machine: Machine) -> None:
    status, made = machine.send(
        "post",
        "clients/",
        {"last_name": "Ёлкина", "city": city().pk, "phones": ["8 (916) 000-01-01"], "action_id": str(uuid4())},
    )
    assert (status, made["full_name"], made["version"]) == (201, "Ёлкина", 1)
    assert [phone["e164"] for phone in made["phones"]] == ["+79160000101"]
    assert len(made["accounts"]) == 1
    path = f"clients/{made['id']}/"
    assert machine.send("patch", path, {"version": 1, "first_name": "Анна"})[1]["version"] == 2
    status, refused = machine.send("patch", path, {"version": 1, "first_name": "Алла"})
    assert (status, refused["code"]) == (409, "changed_meanwhile")
    assert Client.objects.get().created_by == machine.user


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "last_name", "name_missing"),
        ({"last_name": "Я" * 101}, "last_name", "max_length"),
        ({"last_name": "Я", "email": "нет"}, "email", "invalid"),
        ({"last_name": "Я", "city": 0}, "city", "does_not_exist"),
        ({"last_name": "Я\u0000"}, "last_name", "null_characters_not_allowed"),
        ({"last_name": "Я", "phones": "нет"}, "phones", "not_a_list"),
    ],
)
def test_what_is_wrong_with_a_card_comes_back_by_field(
    machine: Machine, body: dict[str, Any], field: str, code: str
) -> None:
    status, refused = machine.send("post", "clients/", body)
    assert (status, [each["code"] for each in refused["fields"][field]]) == (400, [code])
    assert not Client.objects.exists()


def test_search_is_ranked_and_the_list_is_not(machine: Machine) -> None:
    other, meant = ClientFactory(last_name="Ёлкинадзе"), ClientFactory(last_name="Ёлкин")
    _, found = machine.send("get", "clients/?q=елкин")
    assert [row["id"] for row in found["results"]] == [meant.pk, other.pk]
    _, listed = machine.send("get", "clients/?page_size=1")
    assert (len(listed["results"]), listed["next"] is not None) == (1, True)
    _, one = machine.send("get", f"clients/?city={city().name}&phone=8 916 000-01-01")
    assert one["results"] == []


def test_duplicates_and_what_to_say(machine: Machine) -> None:
    known = ClientFactory(last_name="Ёлкин", first_name="Иван", phones=["8 916 000-01-01"])
    AppealFactory(client=known, assigned=True, state_changed_at=ago(days=30))
    _, found = machine.send("post", "clients/duplicates/", {"phones": ["+79160000101"]})
    assert [(row["client"]["id"], row["reasons"]) for row in found] == [(known.pk, ["same_phone"])]
    _, said = machine.send("get", f"clients/{known.pk}/say-now/")
    assert [(row["code"], row["severity"]) for row in said] == [("overdue", "bad")]


def test_accounts_and_appliances(machine: Machine) -> None:
    known = ClientFactory()
    status, account = machine.send("post", "accounts/", {"client": known.pk, "reason": "Дача"})
    assert (status, account["is_main"]) == (201, False)
    status, refused = machine.send("post", "accounts/", {"client": known.pk, "reason": ""})
    assert (status, list(refused["fields"])) == (400, ["reason"])
    model = ProductModelFactory()
    status, made = machine.send("post", "appliances/", {"account": account["id"], "product_model": model.pk})
    assert (status, made["model_text"]) == (201, model.name)
    status, changed = machine.send("patch", f"appliances/{made['id']}/", {"store": "ДНС"})
    assert (status, changed["store"]) == (200, "ДНС")
    assert len(machine.send("get", f"appliances/?client={known.pk}")[1]["results"]) == 1
    assert len(machine.send("get", f"accounts/?client={known.pk}")[1]["results"]) == 2


# --- Appeals --------------------------------------------------------------------------------------
def test_a_request_is_registered_once(machine: Machine) -> None:
    body = whole_request()
    status, made = machine.send("post", "appeals/", body)
    again = machine.send("post", "appeals/", body)
    assert (status, made["state"], made["service_center"]) == (201, "assigned", body["service_center"])
    assert (again[1]["number"], Appeal.objects.count()) == (made["number"], 1)
    assert [entry["code"] for entry in made["journal"]] == ["registered", "assigned"]
    status, refused = machine.send("post", "appeals/", {**body, "kind": "installation"})
    assert (status, refused["code"]) == (409, "action_reused")


def test_what_is_missing_comes_back_item_by_item(machine: Machine) -> None:
    status, refused = machine.send("post", "appeals/", {"kind": "repair"})
    assert status == 400
    assert {field: [each["code"] for each in problems] for field, problems in refused["fields"].items()} == {
        "client": ["client_missing"],
        "full_name": ["full_name_missing"],
        "city": ["city_missing"],
        "model_text": ["model_missing"],
        "purchase_date": ["purchase_date_missing"],
        "store": ["store_missing"],
        "description": ["description_missing"],
        "service_center": ["center_missing"],
    }
    assert not Appeal.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "complaint"},
        {"kind": "repair", "client": "x"},
        {"kind": "consultation", "topic": "нет"},
        {"kind": "consultation", "description": "?", "parent": 1},
        {"kind": "consultation", "description": "\ud800"},
        [],
        "нет",
        None,
    ],
)
def test_a_body_that_makes_no_sense_is_a_400(machine: Machine, body: Any) -> None:
    status, refused = machine.send("post", "appeals/", body)
    assert (status, refused["code"] in {"invalid", "parse_error"}) == (400, True)
    assert not Appeal.objects.exists()


def test_an_appeal_is_worked_on(machine: Machine) -> None:
    SmsTemplateFactory()
    appeal = AppealFactory(assigned=True)
    path = f"appeals/{appeal.number}/"
    second = center("Второй")
    candidates = machine.send("get", f"{path}candidates/")[1]["candidates"]
    assert [row["rank"] for row in candidates] == [1, 2]
    assert machine.send("post", f"{path}assign/", {"service_center": second.pk})[1]["state"] == "offered"
    assert machine.send("post", f"{path}assignment/", {"outcome": "accepted"})[1]["state"] == "accepted"
    status, whole = machine.send("post", f"{path}state/", {"state": "in_work"})
    assert (status, whole["state"], whole["service_center"]) == (200, "in_work", second.pk)
    status, refused = machine.send("post", f"{path}state/", {"state": "closed"})
    assert (status, refused["code"]) == (409, "transition")
    assert machine.send("post", f"{path}comments/", {"text": "Ждём", "service_center": second.pk})[0] == 201
    kind = DocumentKindFactory()
    assert machine.send("post", f"{path}documents/", {"kind": kind.code, "date": "2026-01-01"})[0] == 201
    due = (timezone.now() + timedelta(days=1)).isoformat()
    person = UserFactory()
    assert machine.send("post", f"{path}reminders/", {"to": person.pk, "due_at": due, "text": "?"})[0] == 201
    assert machine.send("post", f"{path}references/", {"system": "gsis", "number": "G-1"})[0] == 201
    preview = machine.send("get", f"{path}message-preview/")[1]
    assert (preview["text"].startswith(f"Заявка №{appeal.number}"), preview["missing"]) == (True, [])
    sms = {"action_id": str(uuid4()), "to": "8 916 000-01-01", "purpose": "request"}
    assert machine.send("post", f"{path}sms/", sms)[1]["state"] == "queued"
    status, refused = machine.send("post", f"{path}sms/", {**sms, "action_id": str(uuid4()), "to": "+77010000005"})
    assert (status, refused["code"], list(refused["fields"])) == (409, "not_russian", ["to"])
    dictated = {"action_id": str(uuid4()), "to": "", "purpose": "request"}
    assert machine.send("post", f"{path}dictate/", dictated)[1]["state"] == "dictated"
    edited = machine.send("patch", path, {"version": whole["version"], "outcome": "Ждать"})[1]
    assert (edited["outcome"], edited["version"]) == ("Ждать", whole["version"] + 1)
    status, refused = machine.send("patch", path, {"version": 1, "outcome": "Нет"})
    assert (status, refused["code"]) == (409, "changed_meanwhile")
    assert machine.send("post", f"{path}assignment/", {"outcome": "completed"})[1]["state"] == "completed"
    moved = machine.send("post", f"{path}move/", {"account": main_account(ClientFactory()).pk})[1]
    assert moved["client"] != appeal.client_id
    whole = machine.send("get", path)[1]
    assert (len(whole["comments"]), len(whole["documents"]), len(whole["messages"])) == (1, 1, 2)


def test_contacts_and_duplicates(machine: Machine) -> None:
    consultation, original = AppealFactory(verdict="out"), AppealFactory()
    path = f"appeals/{consultation.number}/"
    assert machine.send("post", f"{path}contacts/", {"service_center": center().pk})[1]["state"] == "referred"
    other = AppealFactory()
    status, marked = machine.send("post", f"appeals/{other.number}/duplicate/", {"of": original.number})
    assert (status, marked["state"]) == (200, "duplicate")
    status, refused = machine.send("post", f"{path}duplicate/", {"of": original.number})
    assert (status, refused["code"]) == (409, "transition")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 0]),
        ("?state=assigned", [1]),
        ("?kind=consultation", [0]),
        ("?open=true&kind=repair", [1]),
        ("?q=ёлкин", [1]),
        ("?registered_after=2020-01-01&registered_before=2020-01-02", []),
    ],
)
def test_the_filters_of_the_page_are_those_of_the_api(machine: Machine, query: str, expected: list[int]) -> None:
    rows = [
        AppealFactory(registered_at=ago(days=2)),
        AppealFactory(assigned=True, client=ClientFactory(last_name="Ёлкин"), registered_at=ago(days=1)),
    ]
    _, found = machine.send("get", f"appeals/{query}")
    assert [row["number"] for row in found["results"]] == [rows[index].number for index in expected]


def test_a_filter_that_makes_no_sense_is_a_400(machine: Machine) -> None:
    for query in ("?state=нет", "?registered_after=вчера", "?topic=0", "?client=x"):
        status, refused = machine.send("get", f"appeals/{query}")
        assert (status, refused["code"]) == (400, "invalid"), query
    assert machine.send("get", "appeals/?cursor=придумано")[0] == 404
    assert machine.send("get", "appeals/999999999999999999/")[0] == 404


def test_models_and_topics(machine: Machine) -> None:
    model = ProductModelFactory(name="ВМ-12")
    ProductModelFactory(name="ВМ-13", is_active=False)
    TopicFactory()
    assert [row["id"] for row in machine.send("get", "models/?q=bm1")[1]["results"]] == [model.pk]
    assert [row["id"] for row in machine.send("get", "models/")[1]["results"]] == [model.pk]
    assert len(machine.send("get", "topics/")[1]["results"]) == 1


# --- Who ------------------------------------------------------------------------------------------
def test_a_token_that_may_only_read_may_ask_but_not_write() -> None:
    reader, appeal = Machine("read"), AppealFactory()
    assert reader.send("get", f"appeals/{appeal.number}/")[0] == 200
    assert reader.send("post", "clients/duplicates/", {"phones": []})[0] == 200
    for path, body in (
        ("clients/", {"last_name": "Ёлкина"}),
        ("appeals/", {"kind": "consultation", "description": "?"}),
        (f"appeals/{appeal.number}/comments/", {"text": "?"}),
    ):
        status, refused = reader.send("post", path, body)
        assert (status, refused["code"]) == (403, "insufficient_scope")
    assert not appeal.comments.exists()
    assert Machine("telephony").send("get", "appeals/")[0] == 403


# --- What it costs --------------------------------------------------------------------------------
def people(count: int) -> None:
    for _ in range(count):
        known = ClientFactory(last_name="Ёлкин", phones=["8 916 000-01-01", "8 916 000-01-02"])
        ApplianceFactory(account=main_account(known))


def appeals(count: int) -> None:
    asked = center()
    for _ in range(count):
        AppealFactory(assigned=True, center=asked, topic=TopicFactory())


@pytest.mark.parametrize(
    ("rows", "path"),
    [
        (people, "clients/"),
        (people, "clients/?q=ёлкин"),
        (people, "accounts/"),
        (people, "appliances/"),
        (appeals, "appeals/"),
        (appeals, "appeals/?open=true"),
        (appeals, "topics/"),
        (lambda count: [ProductModelFactory() for _ in range(count)], "models/"),
        (lambda count: [ProductModelFactory() for _ in range(count)], "models/?q=rf"),
    ],
)
def test_a_list_costs_the_same_for_many_rows(machine: Machine, rows: Callable[[int], Any], path: str) -> None:
    assert_same_query_count(rows, lambda: machine.get(f"/api/v1/{path}"))


def test_one_appeal_costs_the_same_whatever_hangs_on_it(machine: Machine) -> None:
    appeal, asked = AppealFactory(assigned=True), center()

    def rows(count: int) -> None:
        for _ in range(count):
            CommentFactory(appeal=appeal)
            DocumentFactory(appeal=appeal)
            ReminderFactory(appeal=appeal)
            AppealReferenceFactory(appeal=appeal)
            AppealMessageFactory(appeal=appeal, message=SmsMessageFactory(delivered=True))
            appeal.assignments.create(service_center=asked, state="superseded")
            events.registered(appeal, UserFactory())

    assert_same_query_count(rows, lambda: machine.get(f"/api/v1/appeals/{appeal.number}/"))
