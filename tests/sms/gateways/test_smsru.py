"""SMS.ru: what it answers, and what that means for a message."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from sms.gateways.base import Accepted, Callback, CallbackReply, NotSubmitted, Outcome, Rejected, Status, Unknown
from sms.gateways.smsru import SmsRuGateway
from tests.sms.faults import answers, faulty
from tests.sms.gateways.cases import SUBMISSION, at, submit

ACCOUNT = {"api_id": "smsru-secret", "json": "1"}
NUMBER = "79160000101"


# --- Sending ----------------------------------------------------------------------------------------
def one(**message: Any) -> dict[str, Any]:
    """The answer to a request that was read, with what became of its message."""
    return {"status": "OK", "status_code": 100, "sms": {NUMBER: message}, "balance": 4122.56}


def test_the_one_request(settings: Any) -> None:
    accepted = answers(one(status="OK", status_code=100, sms_id="000000-10000000"))
    outcome, request = submit("smsru", accepted, settings)
    assert outcome == Accepted("000000-10000000")
    assert (request.method, request.path) == ("POST", "/sms/send")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.form() == ACCOUNT | {"to": NUMBER, "msg": SUBMISSION.text, "from": "HOTLINE"}


DOWN = {
    200: "bad_credentials",
    201: "no_money",
    206: "throttled",
    220: "throttled",
    300: "bad_credentials",
    301: "bad_credentials",
    302: "bad_credentials",
}
REJECTED = {
    150: "no_route",
    202: "invalid_destination",
    203: "bad_request",
    204: "sender_not_allowed",
    205: "too_long",
    207: "no_route",
    208: "bad_request",
    209: "denied_number",
    210: "bad_request",
    211: "bad_request",
    212: "bad_request",
    213: "bad_request",
    214: "denied_number",
    215: "denied_number",
    216: "forbidden_text",
    230: "over_limit",
    501: "over_limit",
    502: "over_limit",
    503: "over_limit",
    504: "over_limit",
    505: "over_limit",
    506: "over_limit",
    507: "bad_request",
    508: "over_limit",
}
CODES: list[tuple[int, Outcome]] = [
    *((code, NotSubmitted(reason, is_down=True)) for code, reason in DOWN.items()),
    *((code, Rejected(reason)) for code, reason in REJECTED.items()),
    *((code, Unknown("probably_accepted")) for code in (231, 232, 233)),
    # of other methods, «an error of the server», and what is not known at all
    *((code, Unknown("http_200")) for code in (-1, 101, 102, 103, 303, 304, 305, 500, 901, 902, 999)),
]


@pytest.mark.parametrize(("code", "outcome"), CODES)
def test_each_code_of_the_message(code: int, outcome: Outcome, settings: Any) -> None:
    body = one(status="ERROR", status_code=code, status_text="…")
    assert submit("smsru", answers(body), settings)[0] == outcome


@pytest.mark.parametrize(("code", "outcome"), CODES)
def test_each_code_of_the_request(code: int, outcome: Outcome, settings: Any) -> None:
    body = {"status": "ERROR", "status_code": code, "status_text": "…"}
    assert submit("smsru", answers(body), settings)[0] == outcome


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (one(status_code="100", sms_id="1-1"), Accepted("1-1")),
        (one(status_code=100, sms_id=11), Accepted("11")),
        (one(status_code=100), Unknown("http_200")),
        (one(status_code=100, sms_id=""), Unknown("http_200")),
        (one(status_code=100, sms_id="1\n1"), Unknown("http_200")),
        (one(status_code=True, sms_id="1-1"), Unknown("http_200")),
        ({"status": "OK", "status_code": 100}, Unknown("http_200")),
        ({"status_code": 100, "sms": {}}, Unknown("http_200")),
        ({"status_code": 100, "sms": []}, Unknown("http_200")),
        ({"status_code": 100, "sms": {NUMBER: 1}}, Unknown("http_200")),
        (
            {"status_code": 100, "sms": {"7": {"status_code": 100, "sms_id": "1"}, "8": {"status_code": 202}}},
            Unknown("http_200"),
        ),
    ],
)
def test_wrong_types_are_no_yes(body: Any, outcome: Outcome, settings: Any) -> None:
    assert submit("smsru", answers(body), settings)[0] == outcome


# --- Asking -----------------------------------------------------------------------------------------
STATES: dict[int, tuple[str, str] | None] = {
    -1: None,
    100: ("accepted", ""),
    101: ("accepted", ""),
    102: ("accepted", ""),
    103: ("delivered", ""),
    104: ("expired", ""),
    105: ("undelivered", "rejected_by_operator"),
    106: ("undelivered", "handset_error"),
    107: ("undelivered", ""),
    108: ("rejected", "rejected_by_operator"),
    110: ("delivered", ""),
    130: ("rejected", "over_limit"),
    131: ("rejected", "over_limit"),
    132: ("rejected", "over_limit"),
    150: ("undelivered", "no_route"),
    # A refusal that is told only later.
    204: ("rejected", "sender_not_allowed"),
    # About the account, or the question, not about the message.
    200: None,
    201: ("rejected", "not_paid"),
    206: ("rejected", "over_limit"),
    231: ("rejected", "over_limit"),
    232: ("rejected", "over_limit"),
    233: ("rejected", "over_limit"),
    999: None,
}


def told(body: Any, settings: Any) -> Status | None:
    with faulty(answers(body)) as (url, requests):
        at("smsru", url, settings)
        status = SmsRuGateway().fetch_status(gateway_id="000000-1", reference=uuid4(), to=SUBMISSION.to)
    [request] = requests
    assert (request.method, request.path) == ("POST", "/sms/status")
    assert request.form() == ACCOUNT | {"sms_id": "000000-1"}
    return status


@pytest.mark.parametrize(("code", "meaning"), STATES.items())
def test_each_status(code: int, meaning: tuple[str, str] | None, settings: Any) -> None:
    body = {"status_code": 100, "sms": {"000000-1": {"status": "OK", "status_code": code, "cost": 0.5}}}
    assert told(body, settings) == (meaning and Status("000000-1", *meaning, cost=Decimal("0.50")))


@pytest.mark.parametrize("body", [{}, [], {"status_code": 301}, {"sms": 1}, {"sms": {"000000-1": {"status_code": []}}}])
def test_no_status(body: Any, settings: Any) -> None:
    assert told(body, settings) is None


@pytest.mark.parametrize(
    ("body", "balance"),
    [
        ({"status": "OK", "status_code": 100, "balance": 4122.56}, Decimal("4122.56")),
        ({"status": "OK", "status_code": 100, "balance": "4122.565"}, Decimal("4122.56")),
        ({"status": "ERROR", "status_code": 301, "balance": 1}, None),
        ({"status_code": 100}, None),
    ],
)
def test_the_balance(body: Any, balance: Decimal | None, settings: Any) -> None:
    with faulty(answers(body)) as (url, requests):
        at("smsru", url, settings)
        assert SmsRuGateway().fetch_balance() == balance
    [request] = requests
    assert (request.method, request.path, request.form()) == ("POST", "/my/balance", ACCOUNT)


# --- Being told -------------------------------------------------------------------------------------
def test_many_at_once_and_what_is_not_about_messages(settings: Any) -> None:
    settings.SMSRU_API_ID = "key"
    entries = [
        "sms_status\n000000-1\n103\n1700000000",
        "callcheck_status\n201737-542\n401\n1700000000",
        "sms_status\n000000-2\n104\n1700000000",
        "sms_status\n000000-3",
        "sms_status\n\n103\n1700000000",
        "sms_status\r\n000000-4\r\n102\r\n1700000000",
        "sms_status\n000000-5\nhundred\n1700000000",
        "",
    ]
    form = {f"data[{n}]": [entry] for n, entry in enumerate(entries)}
    form["hash"] = [hashlib.sha256(("key" + "".join(entries)).encode()).hexdigest()]
    reply = SmsRuGateway().parse_callback(Callback(form, b""))
    assert reply == CallbackReply(
        [Status("000000-1", "delivered"), Status("000000-2", "expired"), Status("000000-4", "accepted")], "100"
    )
