"""The endpoint that accepts what Zammad's generic CTI accepts: never a 500, never a lost call."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calls.models import Call, CallEvent
from calls.telephony import generic
from calls.telephony.numbers import read_number
from hotline.base.errors import HotlineError
from hotline.operators.models import ApiToken
from tests.calls.factories import NUMBER, ready
from tests.factories import UserFactory, api_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def exchange() -> Any:
    return UserFactory(integration=True, username="pbx")


@pytest.fixture
def address(exchange: Any) -> str:
    return reverse("api:telephony-generic", args=[api_token(exchange, ApiToken.Scope.TELEPHONY)])


def post(address: str, body: Any, content_type: str = "application/json") -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    response = Client(raise_request_exception=False).post(address, data, content_type=content_type)
    return response.status_code, response.json()


def form(address: str, *pairs: tuple[str, str]) -> tuple[int, dict[str, Any]]:
    return post(address, urlencode(pairs), "application/x-www-form-urlencoded")


NEW_CALL = {"event": "newCall", "from": "79161234567", "to": "78000000000", "direction": "in", "callId": "z-1"}


# --- One call as Zammad's documentation tells it -----------------------------------------------------
def test_a_call_in_json(address: str) -> None:
    operator = ready("101")
    assert post(address, {**NEW_CALL, "user": ["101"], "queue": "helpdesk"})[0] == 200
    call = Call.objects.get()
    assert (call.source, call.external_id, call.number, call.number_raw) == ("pbx", "z-1", NUMBER, "79161234567")
    assert (call.line, call.queue, call.ring_extensions) == ("78000000000", "helpdesk", ["101"])
    assert post(address, {**NEW_CALL, "event": "answer", "answeringNumber": "101"})[1]["outcome"] == "applied"
    assert post(address, {**NEW_CALL, "event": "hangup", "cause": "normalClearing"})[1] == {
        "outcome": "applied",
        "call": call.pk,
    }
    call.refresh_from_db()
    assert (call.operator, call.line_state, call.cause, call.hung_up_by) == (
        operator,
        "ended",
        "normalClearing",
        "unknown",
    )


def test_a_call_as_a_form_with_several_users(address: str) -> None:
    ready("101", first_name="Ольга", last_name="Иванова")
    ready("102")
    status, _said = form(address, *NEW_CALL.items(), ("user[]", "Ольга Иванова"), ("user[]", "102"))
    assert (status, Call.objects.get().ring_extensions) == (200, ["101", "102"])


def test_an_outgoing_call(address: str) -> None:
    operator = ready("101")
    post(address, {"event": "newCall", "direction": "out", "from": "101", "to": NUMBER, "callId": "o", "user": "101"})
    call = Call.objects.get()
    assert (call.direction, call.origin, call.number, call.operator) == ("out", "outgoing", NUMBER, operator)


def test_a_direction_that_is_not_said_is_guessed(address: str) -> None:
    post(address, {"event": "newCall", "from": "101", "to": NUMBER, "callId": "o"})
    post(address, {"event": "newCall", "from": NUMBER, "to": "500", "callId": "i", "direction": "sideways"})
    assert dict(Call.objects.values_list("external_id", "direction")) == {"o": "out", "i": "in"}


# --- Repeated, late, orphaned, unknown ---------------------------------------------------------------
def test_the_same_event_again_is_a_duplicate(address: str) -> None:
    first = post(address, NEW_CALL)
    again = post(address, {**NEW_CALL, "from": "79990000000"})
    assert (first[1]["outcome"], again) == ("applied", (200, {"outcome": "duplicate", "call": first[1]["call"]}))
    assert (Call.objects.get().number, CallEvent.objects.count()) == (NUMBER, 1)


def test_events_without_a_call_make_it(address: str) -> None:
    ready("101")
    assert post(address, {**NEW_CALL, "event": "answer", "user": "101"})[1]["outcome"] == "applied"
    assert post(address, NEW_CALL)[1]["outcome"] == "late"
    assert post(address, {**NEW_CALL, "callId": "z-2", "event": "hangup", "cause": "cancel"})[0] == 200
    states = dict(Call.objects.values_list("external_id", "work_state"))
    assert states == {"z-1": "talking", "z-2": "closed"}


def test_an_unknown_event_is_recorded(address: str) -> None:
    status, said = post(address, {**NEW_CALL, "event": "transfer", "target": "105"})
    assert (status, said) == (200, {"outcome": "ignored", "call": None})
    event = CallEvent.objects.get()
    assert (event.type, event.payload["event"], event.payload["others"]) == ("unknown", "transfer", ["target"])


def test_a_rating_is_our_addition(address: str) -> None:
    post(address, NEW_CALL)
    assert post(address, {"event": "rating", "callId": "z-1", "rating": 4})[1]["outcome"] == "applied"
    assert Call.objects.get().rating == 4


@pytest.mark.parametrize(
    ("cause", "hung_up_by", "is_lost"),
    [
        ("normalClearing", "", False),
        ("cancel", "client", False),
        ("noAnswer", "", False),
        ("busy", "", False),
        ("congestion", "", False),
        ("notFound", "", False),
        ("forwarded", "", False),
        ("", "", False),
        ("networkOutOfOrder", "system", True),
        ("NORMAL_TEMPORARY_FAILURE", "system", True),
        ("rtp-timeout", "system", True),
        ("38", "system", True),
        ("16", "", False),
    ],
)
def test_causes(cause: str, hung_up_by: str, is_lost: bool) -> None:
    event = generic.fold({"event": ["hangup"], "callId": ["1"], "direction": ["in"], "cause": [cause]}, "pbx")
    assert (event.hung_up_by, event.is_lost, event.cause) == (hung_up_by, is_lost, cause)
    outgoing = generic.fold({"event": ["hangup"], "callId": ["1"], "direction": ["out"], "cause": ["cancel"]}, "pbx")
    assert outgoing.hung_up_by == "operator"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("+79161234567", NUMBER),
        ("79161234567", NUMBER),
        ("89161234567", NUMBER),
        ("9161234567", NUMBER),
        ("0079161234567", NUMBER),
        ("8 (916) 123-45-67", NUMBER),
        ("sip:+79161234567@pbx.example.org;user=phone", NUMBER),
        ('"Иван" <sip:79161234567@10.0.0.1>', NUMBER),
        ("tel:+7-916-123-45-67", NUMBER),
        ("77010000771", "+77010000771"),
        ("+4930123456", "+4930123456"),
        ("anonymous", ""),
        ("Anonymous@anonymous.invalid", ""),
        ("unknown", ""),
        ("", ""),
        ("101", ""),
        ("*77", ""),
        ("не номер", ""),
    ],
)
def test_numbers_as_exchanges_give_them(raw: str, expected: str) -> None:
    assert read_number(raw) == expected


# --- What is refused, and clearly ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        ("{", "application/json", "malformed"),
        ("[1, 2]", "application/json", "malformed"),
        ("null", "application/json", "malformed"),
        ("[" * 5000, "application/json", "malformed"),
        ('{"a":' * 3000, "application/json", "malformed"),
        ("{}", "application/json", "event_missing"),
        ("", "application/x-www-form-urlencoded", "event_missing"),
        ('{"event": "newCall"}', "application/json", "call_id_missing"),
        ('{"event": "newCall", "callId": ""}', "application/json", "call_id_missing"),
        ('{"event": {}, "callId": "1"}', "application/json", "event_missing"),
        ("event=newCall", "text/plain", "call_id_missing"),
        ("&".join(f"a{n}=1" for n in range(300)), "application/x-www-form-urlencoded", "malformed"),
        ("x" * 70_000, "application/json", "too_big"),
        (b"\xff\xfe{", "application/json", "malformed"),
    ],
)
def test_what_can_not_be_read_is_a_clear_400(address: str, body: Any, content_type: str, code: str) -> None:
    status, said = post(address, body, content_type)
    assert (status, said["code"], bool(said["detail"])) == (400, code, True)
    assert (Call.objects.count(), CallEvent.objects.count()) == (0, 0)


def test_the_fields_of_a_missing_thing_are_named(address: str) -> None:
    assert list(post(address, {"event": "newCall"})[1]["fields"]) == ["callId"]


def test_characters_that_can_not_be_stored_are_dropped(address: str) -> None:
    status, _said = post(address, '{"event": "newCall", "callId": "a\\u0000b", "queue": "\\ud800x", "from": "\\u0000"}')
    call = Call.objects.get()
    assert (status, call.external_id, call.queue) == (200, "ab", "x")


def test_who_may_tell() -> None:
    exchange, operator = UserFactory(integration=True), UserFactory()
    expired = api_token(exchange)
    ApiToken.objects.filter(digest=ApiToken.digest_of(expired)).update(expires_at=timezone.now() - timedelta(hours=1))
    closed = api_token(UserFactory(integration=True, is_active=False))
    for token, status, code in (
        ("nonsense", 401, "invalid_token"),
        (expired, 401, "invalid_token"),
        (closed, 401, "invalid_token"),
        (api_token(exchange, ApiToken.Scope.READ), 403, "insufficient_scope"),
        (api_token(operator), 403, "insufficient_scope"),
        (api_token(exchange, ApiToken.Scope.TELEPHONY), 200, None),
    ):
        answered, said = post(reverse("api:telephony-generic", args=[token]), NEW_CALL)
        assert (answered, said.get("code")) == (status, code)
    assert Call.objects.count() == 1


def test_get_is_not_a_way_to_tell(address: str) -> None:
    assert Client().get(address).status_code == 405


def test_a_long_login_still_has_its_own_source() -> None:
    assert generic.source_of("x" * 41, 7) == "integration-7"
    assert generic.source_of("pbx", 7) == "pbx"


# --- Whatever comes ---------------------------------------------------------------------------------
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=400)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)
KEYS = st.sampled_from(
    ["event", "from", "to", "direction", "callId", "user", "user[]", "queue", "answeringNumber", "cause", "rating"]
) | st.text(max_size=20)
EVENTS = st.sampled_from(["newCall", "answer", "hangup", "rating", "transfer"]) | st.text(max_size=60)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.dictionaries(KEYS, VALUES, max_size=12), event=EVENTS, call_id=st.text(max_size=300))
def test_arbitrary_json_is_recorded_or_refused(address: str, payload: dict[str, Any], event: str, call_id: str) -> None:
    payload |= {"event": event, "callId": call_id}
    before = CallEvent.objects.count()
    status, said = post(address, json.dumps(payload))
    assert status in {200, 400}, said
    if status == 400:
        assert said["code"] in {"event_missing", "call_id_missing"}
        return
    assert said["outcome"] == "duplicate" or CallEvent.objects.count() == before + 1
    # Never a lost call: whatever is told of a call, the call is there.
    if event.strip().lower() in {"newcall", "answer", "hangup"}:
        assert Call.objects.filter(pk=said["call"], source="pbx").exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300), content_type=st.sampled_from(["application/json", "text/plain", "image/png", ""]))
def test_arbitrary_bytes_are_refused_or_recorded(address: str, body: bytes, content_type: str) -> None:
    status, said = post(address, body, content_type or "application/x-www-form-urlencoded")
    assert status in {200, 400}, said


def test_the_adapter_raises_nothing_but_typed_errors() -> None:
    with pytest.raises(HotlineError):
        generic.read(b"{", "application/json")
