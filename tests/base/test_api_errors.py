"""Errors at the door of the API: Russian, in one envelope, whoever asks and whatever was sent."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client as Browser
from django.test import override_settings
from django.urls import path

from hotline.base.api import KeysetPagination, nowhere
from hotline.operators.models import User
from tests.factories import AppealFactory, TopicFactory, UserFactory, api_token
from tests.sms.factories import MOBILE

pytestmark = pytest.mark.django_db
MESSAGES, APPEALS = "/api/v1/sms/messages/", "/api/v1/appeals/"


class Machine(Browser):
    def __init__(self, *scopes: str) -> None:
        super().__init__(headers={"authorization": f"Bearer {api_token(UserFactory(integration=True), *scopes)}"})


@pytest.fixture
def machine() -> Machine:
    return Machine()


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The envelope, after it was seen to be one, and Russian."""
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (status, "application/json")
    body: dict[str, Any] = answer.json()
    assert list(body) == ["code", "detail", "fields"]
    assert body["code"] == code
    said = [body["detail"], *(problem["detail"] for found in body["fields"].values() for problem in found)]
    assert [words for words in said if not re.search("[а-яё]", words)] == []
    return body


def post(machine: Browser, address: str, body: Any) -> Any:
    return machine.post(address, json.dumps(body), content_type="application/json")


# --- The library's words ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("address", "sent", "field", "code", "said"),
    [
        (MESSAGES, {"to": MOBILE, "text": "a"}, "action_id", "required", "Обязательное поле."),
        (MESSAGES, {"action_id": "x", "to": MOBILE, "text": "a"}, "action_id", "invalid", "Нужен UUID."),
        (MESSAGES, {"action_id": None, "to": [], "text": "a"}, "to", "invalid", "Нужна строка."),
        (MESSAGES, {"category": "odd"}, "category", "invalid_choice", "Значения odd нет среди допустимых вариантов."),
        (MESSAGES, {"template": "с пробелом"}, "template", "invalid", "Допустимы только латинские буквы"),
        (MESSAGES, {"values": [], "template": "x"}, "values", "not_a_dict", "Нужен объект JSON, а пришло: list."),
        (MESSAGES, None, "non_field_errors", "null", "Нужен объект JSON."),
        (MESSAGES, [1], "non_field_errors", "invalid", "Нужен объект JSON, а пришло: list."),
        (MESSAGES, {"text": "\ud800"}, "text", "surrogate_characters_not_allowed", "Недопустимый символ U+D800"),
        (APPEALS, {"topic": "a\x00"}, "", "invalid", "нулевой байт"),
        (APPEALS, {"account": 10**9}, "account", "does_not_exist", "Записи с id «1000000000» нет."),
        (APPEALS, {"topic": "odd"}, "topic", "does_not_exist", "Записи, у которой code = odd, нет."),
        (APPEALS, {"account": {}}, "account", "incorrect_type", "Нужен id записи, а пришло: dict."),
        (APPEALS, {"purchase_date": "вчера"}, "purchase_date", "invalid", "Дата не того вида. Нужно: YYYY-MM-DD."),
    ],
)
def test_wrong_fields(machine: Machine, address: str, sent: Any, field: str, code: str, said: str) -> None:
    body = refused(post(machine, address, sent), 400, "invalid")
    assert body["fields"][field][0]["code"] == code
    assert said in body["fields"][field][0]["detail"]


def test_a_moment_before_the_calendar_begins(machine: Machine) -> None:
    address = f"{APPEALS}{AppealFactory().number}/reminders/"
    sent = {"to": UserFactory().pk, "text": "Позвонить", "due_at": "0001-01-01"}
    assert "невозможная дата" in refused(post(machine, address, sent), 400, "invalid")["fields"][""][0]["detail"]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b'{"to": ', "Это не JSON: строка 1, символ 8."),
        (b'{\n "to" 1}', "Это не JSON: строка 2, символ 7."),
        (b"\xff\xfe", "Это не JSON в UTF-8."),
        (b'{"to": NaN}', "Это не JSON в UTF-8."),
        (b"9" * 5000, "Это не JSON в UTF-8."),
        (b"[" * 100_000, "JSON"),
    ],
)
def test_a_body_that_is_no_json(machine: Machine, sent: bytes, said: str) -> None:
    assert said in refused(machine.post(MESSAGES, sent, content_type="application/json"), 400, "parse_error")["detail"]


@pytest.mark.parametrize(
    ("sent", "kind", "status", "code"),
    [
        (b"a", "text/plain", 415, "unsupported_media_type"),
        (b"a", "", 415, "unsupported_media_type"),
        (b"a", "multipart/form-data", 400, "parse_error"),
        (b"a=1", "application/x-www-form-urlencoded; charset=bz2_codec", 400, "parse_error"),
        (b"{}", "application/json; charset=bz2_codec", 400, "parse_error"),
        (b"&".join(b"a=1" for _ in range(1001)), "application/x-www-form-urlencoded", 400, "parse_error"),
    ],
)
def test_a_body_of_another_kind(machine: Machine, sent: bytes, kind: str, status: int, code: str) -> None:
    refused(machine.generic("POST", MESSAGES, sent, content_type=kind), status, code)


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_that_is_too_large(machine: Machine, kind: str, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({"text": "a" * 1000}).encode()
    refused(machine.post(MESSAGES, body, content_type=kind), 413, "too_large")
    just = json.dumps({"text": "a" * (1000 - len('{"text": ""}'))}).encode()
    assert machine.post(MESSAGES, just, content_type=kind).status_code == 400


def test_who_may_not(client: Browser, machine: Machine) -> None:
    assert "токена" in refused(client.get(MESSAGES), 401, "not_authenticated")["detail"]
    refused(client.get(MESSAGES, headers={"authorization": "Bearer x"}), 401, "invalid_token")
    refused(machine.delete(f"{MESSAGES}1/"), 405, "method_not_allowed")
    refused(machine.get(f"{MESSAGES}1/"), 404, "not_found")
    refused(machine.get(MESSAGES, headers={"accept": "text/html"}), 406, "not_acceptable")
    refused(machine.get(f"{MESSAGES}?cursor=odd"), 404, "not_found")
    refused(machine.get(f"{MESSAGES}?state=odd"), 400, "invalid")
    refused(client.post("/api/v1/sms/callbacks/smsru/guessed/"), 404, "not_found")
    refused(client.post("/api/v1/telephony/events/generic/guessed/"), 401, "invalid_token")


def test_a_page_without_its_csrf_token(client: Browser) -> None:
    page = Browser(enforce_csrf_checks=True)
    page.force_login(UserFactory(), backend="hotline.operators.backends.RoleBackend")
    refused(post(page, MESSAGES, {}), 403, "csrf_failed")


def test_whoever_chose_english_reads_english() -> None:
    page = Browser()
    person: User = UserFactory(language="en")
    page.force_login(person, backend="hotline.operators.backends.RoleBackend")
    assert post(page, MESSAGES, {}).json()["fields"]["action_id"][0]["detail"] == "This field is required."


# --- Pages ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", ["0", "-1", "abc", "", "201", "1.5", "1e2", "9" * 30, "٣", "%00", "+5"])
def test_a_page_size_that_is_none(machine: Machine, size: str) -> None:
    body = refused(machine.get(f"/api/v1/topics/?page_size={size}"), 400, "bad_page_size")
    assert body["fields"]["page_size"][0]["detail"] == "Нужно целое число от 1 до 200."


@pytest.mark.parametrize("size", [1, 2, KeysetPagination.max_page_size])
def test_a_page_has_the_size_that_was_asked_for(machine: Machine, size: int) -> None:
    for _ in range(3):
        TopicFactory()
    page = machine.get(f"/api/v1/topics/?page_size={size}").json()
    assert len(page["results"]) == min(size, 3)
    if page["next"]:
        assert machine.get(page["next"]).status_code == 200


def test_the_schema_tells_the_bounds(machine: Machine) -> None:
    paths = machine.get("/api/v1/schema/?format=json").json()["paths"]
    asked = {parameter["name"]: parameter for parameter in paths[MESSAGES]["get"]["parameters"]}
    assert asked["page_size"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}


def test_pages_for_people_have_their_own_size(client: Browser) -> None:
    client.force_login(UserFactory(supervisor=True), backend="hotline.operators.backends.RoleBackend")
    for address in ("/sms/", "/appeals/", "/clients/"):
        assert client.get(f"{address}?page_size=abc").status_code == 200


# --- Where nothing is -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "address", ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v2/appeals/", "/api/v1/a%00b/", "/api/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_an_address_that_is_none(client: Browser, machine: Machine, address: str, method: str) -> None:
    for asking in (client, machine, Browser(enforce_csrf_checks=True)):
        body = refused(asking.generic(method, address, b"{}", content_type="application/json"), 404, "not_found")
        assert body["detail"] == "По этому адресу ничего нет."


def test_a_missing_slash(machine: Machine) -> None:
    """Reading is led on; writing would arrive as reading, and look like a success."""
    answer = machine.get("/api/v1/topics?page_size=1")
    assert (answer.status_code, answer["Location"]) == (301, "/api/v1/topics/?page_size=1")
    assert "косой черты" in refused(post(machine, "/api/v1/appeals", {}), 404, "not_found")["detail"]


def _broken(request: Any) -> None:
    raise ZeroDivisionError


urlpatterns = [path("api/broken/", _broken), path("api/nowhere/", nowhere), path("broken/", _broken)]
handler400, handler500 = "hotline.base.api.bad_request", "hotline.base.api.server_error"


@override_settings(ROOT_URLCONF=__name__)
def test_a_fault_of_ours_keeps_the_shape() -> None:
    client = Browser(raise_request_exception=False)
    refused(client.get("/api/broken/"), 500, "error")
    refused(client.get("/api/nowhere/", headers={"host": "evil.example"}), 400, "parse_error")
    page = client.get("/broken/")
    assert (page.status_code, page["Content-Type"].split(";")[0]) == (500, "text/html")


def test_a_host_that_is_not_ours_keeps_the_shape(machine: Machine) -> None:
    refused(machine.get("/api/v1/topics/", headers={"host": "evil.example"}), 400, "parse_error")


def test_the_schema_says_how_errors_look(machine: Machine) -> None:
    """Of every operation, and that is how they look."""
    schema = machine.get("/api/v1/schema/?format=json").json()
    for address, methods in schema["paths"].items():
        for method, operation in methods.items():
            answer = operation["responses"]["4XX"]["content"]["application/json"]["schema"]
            assert answer == {"$ref": "#/components/schemas/Error"}, (address, method)
    refused = machine.get("/api/v1/sms/messages/", {"page_size": "409"}).json()
    assert set(schema["components"]["schemas"]["Error"]["required"]) == set(refused)
    assert schema["paths"]["/api/v1/sms/eligibility/"]["get"]["responses"]["200"]["content"]["application/json"][
        "schema"
    ] == {"$ref": "#/components/schemas/Verdict"}
