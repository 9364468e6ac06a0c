"""SMS over the API."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from hotline.operators.actions import issue_token
from hotline.operators.models import Role, User
from sms import quiet
from sms.actions import claim, give_consent
from sms.models import SmsMessage, SmsPart
from tests.helpers import assert_same_query_count
from tests.sms.factories import MOBILE, deny, message, person, template

MESSAGES = "/api/v1/sms/messages/"
TEXT = "Заявка №100001 зарегистрирована."


@pytest.fixture(autouse=True)
def by_day(settings: Any) -> None:
    """Whenever the tests run; what is made in the night has tests of its own."""
    settings.SMS_QUIET_HOURS = ""


@pytest.fixture
def machine(db: None) -> User:
    return person("asc", Role.INTEGRATION)


def token_of(machine: User, *scopes: str) -> Client:
    _, token = issue_token(
        user=machine,
        name="проба",
        scopes=list(scopes),
        expires_at=timezone.now() + timedelta(days=1),
        actor=person(f"boss-{'-'.join(scopes)}", Role.SUPERVISOR),
    )
    return Client(headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def api(machine: User) -> Client:
    return token_of(machine, "read", "write")


def post(client: Client, path: str, **body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


def test_category_and_sender_of_a_message(api: Client, settings: Any) -> None:
    settings.SMS_SENDERS = {"SERVICE": ["development"]}
    body = {"action_id": str(uuid4()), "to": MOBILE, "text": TEXT}
    refused = post(api, MESSAGES, **body, category="other")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_consent")
    stranger = post(api, MESSAGES, **body, sender="STRANGER")
    assert (stranger.status_code, stranger.json()["code"]) == (400, "unknown_sender")
    give_consent(number=MOBILE, actor=None)
    told = post(api, MESSAGES, **body, category="other", sender="SERVICE").json()
    assert (told["category"], told["sender"], told["resend_of"], told["cost"], told["parts"]) == (
        "other", "SERVICE", None, None, [],
    )  # fmt: skip
    assert post(api, MESSAGES, **{**body, "category": "spam"}).status_code == 400


def test_a_message_sent_anew_and_its_parts(api: Client, machine: User) -> None:
    old = message("unknown", requested_by=machine, cost="3.20")
    SmsPart.objects.create(message=old, seq=1, text="Заявка", state="accepted", gateway_id="p-1")
    new = message(requested_by=machine, resend_of=old)
    assert api.get(f"{MESSAGES}{new.pk}/").json()["resend_of"] == old.pk
    told = api.get(f"{MESSAGES}{old.pk}/").json()
    assert told["cost"] == "3.20"
    assert told["parts"] == [{"seq": 1, "text": "Заявка", "state": "accepted", "gateway_id": "p-1", "reason": ""}]


def test_the_verdict_has_a_warning(api: Client) -> None:
    told = api.get("/api/v1/sms/eligibility/", {"number": MOBILE}).json()
    assert (told["allowed"], told["warning"]) == (True, "")
    for _ in range(3):
        message("undelivered")
    told = api.get("/api/v1/sms/eligibility/", {"number": MOBILE}).json()
    assert (told["allowed"], told["warning"]) == (True, "probably_blocked")


# --- Messages ---------------------------------------------------------------------------------------
def test_a_message_is_queued(
    api: Client, machine: User, enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    action = str(uuid4())
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(api, MESSAGES, action_id=action, to="8 (916) 000-01-01", text=TEXT)
    row = SmsMessage.objects.get()
    body = answer.json()
    assert answer.status_code == 201
    assert (body["id"], body["action_id"], body["to"], body["text"], body["state"]) == (
        row.pk,
        action,
        MOBILE,
        TEXT,
        "queued",
    )
    assert (body["template"], body["template_version"], body["segments"], body["requested_by"]) == (
        None,
        None,
        1,
        machine.pk,
    )
    assert [change["to_state"] for change in body["changes"]] == ["queued"]
    assert enqueued == [("submit", row.pk)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "given", "zone", "waits_until"),
    [
        (Role.INTEGRATION, {}, "Europe/Moscow", "2036-11-26T09:00:00+03:00"),
        (Role.INTEGRATION, {"timezone": "Asia/Vladivostok"}, "Asia/Vladivostok", "2036-11-26T09:00:00+10:00"),
        (Role.INTEGRATION, {"timezone": "America/New_York"}, "America/New_York", ""),  # half past three by day
        (Role.OPERATOR, {}, "", ""),  # a person asks for it here and now
        (Role.OPERATOR, {"timezone": "Asia/Omsk"}, "Asia/Omsk", "2036-11-26T09:00:00+06:00"),
    ],
)
def test_what_a_machine_asks_for_waits_out_the_night(
    role: Role, given: dict[str, str], zone: str, waits_until: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SMS_QUIET_HOURS = "21:00-09:00"
    night = datetime.fromisoformat("2036-11-25T23:30:00+03:00")
    whose, asks = Client(), person("asc", role)
    if role == Role.INTEGRATION:
        whose = token_of(asks, "read", "write")
    else:
        whose.force_login(asks)
    monkeypatch.setattr(quiet, "timezone", SimpleNamespace(now=lambda: night))
    body = post(whose, MESSAGES, action_id=str(uuid4()), to=MOBILE, text=TEXT, **given).json()
    row = SmsMessage.objects.get()
    assert (row.quiet_zone, body["reason"]) == (zone, "quiet_hours" if waits_until else "")
    assert not waits_until or row.not_before == datetime.fromisoformat(waits_until)


@pytest.mark.parametrize(
    ("of_template", "asked", "code"),
    [
        ("other", "service", "not_the_templates"),  # the way round the consent
        ("other", "other", "no_consent"),
        ("other", "", "no_consent"),
        ("service", "other", "not_the_templates"),
        ("service", "service", ""),
        ("service", "", ""),
    ],
)
def test_a_template_has_its_own_category(api: Client, of_template: str, asked: str, code: str) -> None:
    template(text="Скидка на вторую мойку", category=of_template)
    body = {"action_id": str(uuid4()), "to": MOBILE, "template": "contacts"} | ({"category": asked} if asked else {})
    answer = post(api, MESSAGES, **body)
    assert answer.json().get("code", "") == code
    assert [row.category for row in SmsMessage.objects.all()] == ([] if code else [of_template])
    if code == "not_the_templates":
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["category"])


@pytest.mark.parametrize("timezone", ["Moscow", "", "../etc/passwd", "Europe/Moscow\0", None, 3])
def test_a_zone_that_there_is_not(api: Client, timezone: object) -> None:
    answer = post(api, MESSAGES, action_id=str(uuid4()), to=MOBILE, text=TEXT, timezone=timezone)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["timezone"])


def test_a_message_from_a_template(api: Client) -> None:
    used = template()
    answer = post(
        api,
        MESSAGES,
        action_id=str(uuid4()),
        to=MOBILE,
        template="contacts",
        values={"center_name": "Мастер", "center_phones": "8 482 200"},
    )
    assert answer.status_code == 201
    assert answer.json()["text"] == "АСЦ: Мастер, тел. 8 482 200."
    assert (answer.json()["template"], answer.json()["template_version"]) == ("contacts", 1)
    assert SmsMessage.objects.get().template == used


def test_a_repeated_request_is_one_message(api: Client) -> None:
    body = {"action_id": str(uuid4()), "to": MOBILE, "text": TEXT}
    first, second = post(api, MESSAGES, **body), post(api, MESSAGES, **body)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]
    other = post(api, MESSAGES, **{**body, "text": "Иначе."})
    assert (other.status_code, other.json()["code"]) == (409, "action_id_reused")
    assert SmsMessage.objects.count() == 1


BAD = [
    # change, status, code, fields
    ({"to": "+7 701 000 01 01"}, 409, "not_russian", {"to": ["not_russian"]}),
    ({"to": "8 495 123-45-67"}, 409, "fixed_line", {"to": ["fixed_line"]}),
    ({"to": "8 940 000-01-01"}, 409, "denied_code", {"to": ["denied_code"]}),
    ({"to": "8 916 000-01-01, 8 903 000-01-02"}, 409, "several", {"to": ["several"]}),
    ({"to": ""}, 400, "invalid", {"to": ["blank"]}),
    ({"to": "9" * 65}, 400, "invalid", {"to": ["max_length"]}),
    ({"to": None}, 400, "invalid", {"to": ["null"]}),
    ({"to": {}}, 400, "invalid", {"to": ["invalid"]}),
    ({"action_id": "1"}, 400, "invalid", {"action_id": ["invalid"]}),
    ({"action_id": None}, 400, "invalid", {"action_id": ["null"]}),
    ({"text": ""}, 400, "invalid", {"text": ["blank"]}),
    ({"text": "a\x00b"}, 400, "invalid", {"text": ["null_characters_not_allowed"]}),
    ({"text": "a\x07b"}, 400, "bad_characters", {"text": ["bad_characters"]}),
    ({"text": "я" * 671}, 400, "too_long", {"text": ["too_long"]}),
    ({"template": "contacts"}, 400, "invalid", {"text": ["text_or_template"]}),
    ({"values": {}}, 400, "invalid", {"values": ["text_or_template"]}),
    ({"text": None}, 400, "invalid", {"text": ["null"]}),
]


@pytest.mark.parametrize("path", [MESSAGES, "/api/v1/sms/preview/"])
def test_a_character_that_can_not_be_sent_is_named(api: Client, path: str) -> None:
    answer = post(api, path, action_id=str(uuid4()), to=MOBILE, text="a\x07b")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_characters")
    assert "«a·b»: U+0007, 2-й символ" in answer.json()["fields"]["text"][0]["detail"]


@pytest.mark.parametrize(("change", "status", "code", "fields"), BAD)
def test_what_is_refused(
    api: Client, change: dict[str, Any], status: int, code: str, fields: dict[str, list[str]]
) -> None:
    deny()
    template()
    answer = post(api, MESSAGES, **{"action_id": str(uuid4()), "to": MOBILE, "text": TEXT, **change})
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert {name: [problem["code"] for problem in problems] for name, problems in body["fields"].items()} == fields
    assert body["detail"]
    assert SmsMessage.objects.count() == 0


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'"x"', b'{"text": "\\ud800", "to": "1", "action_id": "1"}', b"\xff"]
)
def test_bodies_that_are_no_request(api: Client, raw: bytes) -> None:
    answer = api.post(MESSAGES, raw, content_type="application/json")
    assert answer.status_code == 400
    assert {"code", "detail", "fields"} <= set(answer.json())


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"template": "nothing"}, "unknown_template", "template"),
        ({"template": "contacts", "values": {"center_name": "Мастер"}}, "missing_value", "values"),
        ({"template": "contacts"}, "missing_value", "values"),
        ({"template": "contacts", "values": {"center": "Мастер"}}, "unknown_placeholder", "values"),
    ],
)
def test_templates_that_can_not_be_rendered(api: Client, body: dict[str, Any], code: str, field: str) -> None:
    template()
    for path, extra in ((MESSAGES, {"action_id": str(uuid4()), "to": MOBILE}), ("/api/v1/sms/preview/", {})):
        answer = post(api, path, **body, **extra)
        assert (answer.status_code, answer.json()["code"], list(answer.json()["fields"])) == (400, code, [field])


def test_a_machine_sees_its_own_messages_only(api: Client, machine: User) -> None:
    mine, other = message(requested_by=machine), message(requested_by=person())
    assert [row["id"] for row in api.get(MESSAGES).json()["results"]] == [mine.pk]
    assert api.get(f"{MESSAGES}{mine.pk}/").status_code == 200
    assert api.get(f"{MESSAGES}{other.pk}/").status_code == 404


def test_scopes(machine: User) -> None:
    reader, writer = token_of(machine, "read"), token_of(machine, "write")
    body = {"action_id": str(uuid4()), "to": MOBILE, "text": TEXT}
    assert post(reader, MESSAGES, **body).status_code == 403
    assert post(writer, MESSAGES, **body).status_code == 201
    assert reader.get(MESSAGES).status_code == 200
    assert writer.get(MESSAGES).status_code == 403
    assert post(reader, "/api/v1/sms/preview/", text=TEXT).status_code == 200


def test_the_outcome_is_on_the_record(api: Client, machine: User) -> None:
    row = message(requested_by=machine)
    claim(pk=row.pk)
    body = api.get(f"{MESSAGES}{row.pk}/").json()
    assert (body["state"], [(change["from_state"], change["to_state"]) for change in body["changes"]]) == (
        "submitting",
        [("queued", "submitting")],
    )


def test_filters(api: Client, machine: User) -> None:
    used = template()
    a = message("accepted", requested_by=machine, template=used)
    b = message("unknown", requested_by=machine, to="+79030000102")
    c = message("dictated", requested_by=machine, to="8 (495) 000 доб. 1")

    def found(query: dict[str, Any]) -> list[int]:
        answer = api.get(MESSAGES, query)
        assert answer.status_code == 200, answer.content
        return [row["id"] for row in answer.json()["results"]]

    assert found({}) == [c.pk, b.pk, a.pk]
    assert found({"state": ["accepted", "unknown"]}) == [b.pk, a.pk]
    assert found({"to": "8 (903) 000-01-02"}) == [b.pk]
    assert found({"to": "8 (495) 000 доб. 1"}) == [c.pk]
    assert found({"template": "contacts"}) == [a.pk]
    assert found({"created_before": a.created_at.isoformat()}) == []
    assert found({"created_after": c.created_at.isoformat()}) == [c.pk]
    bad = api.get(MESSAGES, {"state": "lost", "created_after": "yesterday"})
    assert (bad.status_code, sorted(bad.json()["fields"])) == (400, ["created_after", "state"])


def test_growth(api: Client, machine: User) -> None:
    used = template()
    made = iter(range(1000))

    def messages(count: int) -> None:
        for _ in range(count):
            message("accepted", requested_by=machine, template=used)

    def templates(count: int) -> None:
        for _ in range(count):
            template(code=f"t{next(made)}")

    assert_same_query_count(messages, lambda: api.get(MESSAGES))
    assert_same_query_count(templates, lambda: api.get("/api/v1/sms/templates/"))


@pytest.mark.parametrize("depth", [3_000, 100_000])
def test_json_of_unbearable_depth(api: Client, depth: int) -> None:
    for path in (MESSAGES, "/api/v1/sms/preview/"):
        answer = api.post(path, "[" * depth, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json()["code"] == "parse_error"


@pytest.mark.parametrize("field", ["category", "sender", "to", "text", "action_id"])
def test_a_lone_surrogate_is_an_error_beside_its_field(api: Client, field: str) -> None:
    sent = {"action_id": str(uuid4()), "to": MOBILE, "text": TEXT} | {field: "X\ud800"}
    answer = api.post(MESSAGES, json.dumps(sent), content_type="application/json")
    assert answer.status_code == 400
    assert field in answer.json()["fields"]


@pytest.mark.parametrize("action_id", [0, 1, True, 1.5, [], {}])
def test_an_action_id_is_a_string(api: Client, action_id: object) -> None:
    answer = api.post(
        MESSAGES, json.dumps({"action_id": action_id, "to": MOBILE, "text": TEXT}), content_type="application/json"
    )
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["action_id"])
    assert not SmsMessage.objects.exists()


# --- The gate, templates, preview -------------------------------------------------------------------
@pytest.mark.parametrize(
    ("number", "code", "e164"),
    [
        ("8 (916) 000-01-01", "ok", MOBILE),
        ("+7 701 000 01 01", "not_russian", "+77010000101"),
        (" 375291234567", "not_russian", "+375291234567"),  # an unescaped «+»
        ("", "empty", ""),
        ("8 916 000-01-01 доб. 12", "extension", MOBILE),
    ],
)
def test_eligibility(api: Client, number: str, code: str, e164: str) -> None:
    answer = api.get("/api/v1/sms/eligibility/", {"number": number})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["allowed"], body["code"], body["phone"]["e164"], body["phone"]["raw"].strip("+ ")) == (
        code == "ok",
        code,
        e164,
        number.strip("+ "),
    )
    assert body["text"]


@pytest.mark.parametrize("query", [{}, {"number": "9" * 101}, {"number": "\x00"}])
def test_eligibility_of_nothing(api: Client, query: dict[str, str]) -> None:
    answer = api.get("/api/v1/sms/eligibility/", query)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["number"])


def test_templates(api: Client) -> None:
    template(version=1, is_current=False, text="Прежний.")
    template(version=2)
    [body] = api.get("/api/v1/sms/templates/").json()["results"]
    assert (body["code"], body["version"], body["text"]) == ("contacts", 2, "АСЦ: {center_name}, тел. {center_phones}.")
    assert [found["name"] for found in body["placeholders"]] == ["center_name", "center_phones"]
    assert api.get("/api/v1/sms/templates/contacts/").json() == body
    assert api.get("/api/v1/sms/templates/nothing/").status_code == 404


def test_preview(api: Client) -> None:
    template()
    values = {"center_name": "Мастер", "center_phones": "8 482 200"}
    body = post(api, "/api/v1/sms/preview/", template="contacts", values=values).json()
    text = "АСЦ: Мастер, тел. 8 482 200."
    assert body == {
        "text": text,
        "encoding": "ucs2",
        "segments": 1,
        "units": len(text),
        "limit": 70,
        "left": 70 - len(text),
        "parts": [text],
        "forced": list(dict.fromkeys("АСЦМастертел")),
    }
    assert post(api, "/api/v1/sms/preview/", text="Order 5").json()["encoding"] == "gsm7"
    assert SmsMessage.objects.count() == 0


def test_the_schema_names_everything(api: Client) -> None:
    from drf_spectacular.generators import SchemaGenerator

    paths = {
        path: set(methods)
        for path, methods in SchemaGenerator().get_schema(public=True)["paths"].items()
        if path.startswith("/api/v1/sms/")
    }
    assert paths == {
        "/api/v1/sms/messages/": {"get", "post"},
        "/api/v1/sms/messages/{id}/": {"get"},
        "/api/v1/sms/templates/": {"get"},
        "/api/v1/sms/templates/{code}/": {"get"},
        "/api/v1/sms/eligibility/": {"get"},
        "/api/v1/sms/preview/": {"post"},
        "/api/v1/sms/callbacks/{gateway}/{secret}/": {"post"},
    }
