"""SMSC.ru: what it answers, and what that means for a message."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest

from sms.gateways.base import (
    Accepted,
    Callback,
    CallbackRefused,
    CallbackReply,
    NotSubmitted,
    Outcome,
    Rejected,
    Status,
    Unknown,
)
from sms.gateways.callback_address import secret_of
from sms.gateways.smsc import SmscGateway
from tests.sms.faults import answers, faulty, says
from tests.sms.gateways.cases import SECRET, SUBMISSION, at, submit

REFERENCE = str(SUBMISSION.reference)
ACCOUNT = {"login": "maker", "psw": "smsc-secret", "charset": "utf-8", "fmt": "3"}


# --- Sending ----------------------------------------------------------------------------------------
def test_the_one_request(settings: Any) -> None:
    accepted = answers({"id": REFERENCE, "cnt": 1, "cost": "4.1", "balance": "83.6"})
    outcome, request = submit("smsc", accepted, settings)
    assert outcome == Accepted(REFERENCE, Decimal("4.10"))
    assert (request.method, request.path) == ("POST", "/rest/send/")
    assert request.headers["content-type"] == "application/json"
    assert request.json() == {
        "login": "maker",
        "psw": "smsc-secret",
        "fmt": 3,
        "charset": "utf-8",
        "id": REFERENCE,
        "phones": SUBMISSION.to,
        "mes": SUBMISSION.text,
        "sender": "HOTLINE",
        "cost": 3,
    }


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"error": "parameters error", "error_code": 1}, Rejected("bad_request")),
        ({"error": "authorise error", "error_code": 2}, NotSubmitted("bad_credentials", is_down=True)),
        ({"error": "no money", "error_code": 3, "id": REFERENCE}, NotSubmitted("no_money", is_down=True)),
        ({"error": "IP is blocked", "error_code": 4}, NotSubmitted("bad_credentials", is_down=True)),
        ({"error": "wrong date", "error_code": 5}, Rejected("bad_request")),
        ({"error": "message is denied", "error_code": 6, "id": REFERENCE}, Rejected("forbidden_text")),
        ({"error": "invalid number", "error_code": 7, "id": REFERENCE}, Rejected("invalid_destination")),
        ({"error": "can't deliver", "error_code": 8, "id": REFERENCE}, Rejected("no_route")),
        ({"error": "duplicate request, wait a minute", "error_code": 9}, Unknown("probably_accepted")),
        ({"error": "duplicate", "error_code": "9"}, Unknown("probably_accepted")),
        ({"error": "something new", "error_code": 10}, Unknown("http_200")),
        ({"error": "no code"}, Unknown("http_200")),
        ({"error_code": None, "id": REFERENCE, "cnt": 1}, Unknown("http_200")),
        ({"error_code": True}, Unknown("http_200")),
        ({"error_code": [1]}, Unknown("http_200")),
        ({"error_code": 9.0}, Unknown("http_200")),
    ],
)
def test_each_refusal(body: Any, outcome: Outcome, settings: Any) -> None:
    assert submit("smsc", answers(body), settings)[0] == outcome


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"id": 14, "cnt": 1, "cost": 4.1}, Accepted("14", Decimal("4.10"))),
        ({"id": "14", "cnt": "2"}, Accepted("14")),
        ({"id": "14", "cnt": 1, "cost": "dear"}, Accepted("14")),
        ({"id": "14", "cnt": 1, "cost": "NaN"}, Accepted("14")),
        ({"id": "14", "cnt": 1, "cost": "1e30"}, Accepted("14")),
        ({"id": "14", "cnt": 0}, Unknown("http_200")),
        ({"id": "14"}, Unknown("http_200")),
        ({"id": "", "cnt": 1}, Unknown("http_200")),
        ({"id": True, "cnt": 1}, Unknown("http_200")),
        ({"id": {}, "cnt": 1}, Unknown("http_200")),
        ({"id": "1\u00002", "cnt": 1}, Unknown("http_200")),
        ({"id": "1" * 101, "cnt": 1}, Unknown("http_200")),
        ({"cnt": 1}, Unknown("http_200")),
    ],
)
def test_wrong_types_are_no_yes(body: Any, outcome: Outcome, settings: Any) -> None:
    assert submit("smsc", answers(body), settings)[0] == outcome


# --- Asking -----------------------------------------------------------------------------------------
STATES = [
    (-3, 0, None),
    (-2, 0, ("accepted", "")),
    (-1, 0, ("accepted", "")),
    (0, 0, ("accepted", "")),
    (1, 0, ("delivered", "")),
    (2, 0, ("delivered", "")),
    (3, 6, ("expired", "absent_subscriber")),
    (3, 0, ("expired", "")),
    (4, 0, ("delivered", "")),
    (20, 0, ("undelivered", "")),
    (20, 1, ("undelivered", "invalid_destination")),
    (22, 0, ("rejected", "invalid_destination")),
    (23, 0, ("rejected", "forbidden_text")),
    (23, 254, ("rejected", "sender_not_allowed")),
    (24, 0, ("rejected", "not_paid")),
    (25, 0, ("undelivered", "no_route")),
    (21, 0, None),
    ("1", "0", ("delivered", "")),
    # The account's test mode: nothing was sent.
    (1, 200, ("undelivered", "test_mode")),
    ("lost", 0, None),
    (None, None, None),
    # A word about an error that this table does not know is kept as it is.
    (20, 77, ("undelivered", "smsc_77")),
]
ERRORS = {
    1: "invalid_destination",
    6: "absent_subscriber",
    11: "no_sms_service",
    12: "handset_error",
    13: "subscriber_blocked",
    21: "no_sms_service",
    200: "test_mode",
    219: "sim_changed",
    220: "queue_full",
    237: "absent_subscriber",
    238: "no_template",
    239: "rejected_by_gateway",
    240: "absent_subscriber",
    241: "rejected_by_gateway",
    242: "absent_subscriber",
    243: "no_contract",
    244: "sender_not_allowed",
    245: "no_receipt",
    246: "wrong_hours",
    247: "over_limit",
    248: "no_route",
    249: "invalid_destination",
    250: "denied_number",
    251: "over_limit",
    252: "denied_number",
    253: "forbidden_text",
    254: "sender_not_allowed",
    255: "rejected_by_operator",
}


def told(body: Any, settings: Any, gateway_id: str = REFERENCE) -> Status | None:
    with faulty(answers(body)) as (url, requests):
        at("smsc", url, settings)
        status = SmscGateway().fetch_status(gateway_id=gateway_id, reference=SUBMISSION.reference, to=SUBMISSION.to)
    [request] = requests
    assert (request.method, request.path) == ("POST", "/sys/status.php")
    assert request.form() == ACCOUNT | {"phone": SUBMISSION.to, "id": gateway_id or REFERENCE, "all": "1"}
    return status


@pytest.mark.parametrize(("status", "err", "meaning"), STATES)
def test_each_status(status: Any, err: Any, meaning: tuple[str, str] | None, settings: Any) -> None:
    found = told({"status": status, "err": err, "last_timestamp": 1700000000, "cost": "4.10"}, settings)
    expected = meaning and Status(REFERENCE, *meaning, reference=SUBMISSION.reference, cost=Decimal("4.10"))
    assert found == expected


@pytest.mark.parametrize(("err", "reason"), ERRORS.items())
def test_each_error_of_a_status(err: int, reason: str, settings: Any) -> None:
    found = told({"status": 20, "err": err}, settings)
    assert found == Status(REFERENCE, "undelivered", reason, reference=SUBMISSION.reference)


def test_it_is_asked_by_our_reference(settings: Any) -> None:
    found = told({"status": 1, "err": 0}, settings, gateway_id="")
    assert found == Status(REFERENCE, "delivered", reference=SUBMISSION.reference)


def test_an_id_of_its_own(settings: Any) -> None:
    assert told({"status": 1, "err": 0}, settings, gateway_id="14") == Status("14", "delivered")


@pytest.mark.parametrize("body", [{"error": "…", "error_code": 9}, {"error_code": 2, "status": 1}, [], "delivered"])
def test_no_status(body: Any, settings: Any) -> None:
    assert told(body, settings) is None


def test_a_status_that_can_not_be_had(settings: Any) -> None:
    with faulty(says("500 Oops", '{"status": 1, "err": 0}')) as (url, _):
        at("smsc", url, settings)
        assert SmscGateway().fetch_status(gateway_id="14", reference=UUID(int=7), to=SUBMISSION.to) is None
    assert SmscGateway().fetch_status(gateway_id="14", reference=UUID(int=7), to=SUBMISSION.to) is None


@pytest.mark.parametrize(
    ("body", "balance"),
    [
        ({"balance": "123.45"}, Decimal("123.45")),
        ({"balance": 0}, Decimal(0)),
        ({"balance": "-5.5"}, Decimal("-5.50")),
        ({"error": "authorise error", "error_code": 2}, None),
        ({"balance": "much"}, None),
        ({"balance": [1]}, None),
    ],
)
def test_the_balance(body: Any, balance: Decimal | None, settings: Any) -> None:
    with faulty(answers(body)) as (url, requests):
        at("smsc", url, settings)
        assert SmscGateway().fetch_balance() == balance
    [request] = requests
    assert (request.method, request.path, request.form()) == ("POST", "/sys/balance.php", ACCOUNT)


# --- Being told -------------------------------------------------------------------------------------
def callback(**fields: str) -> Callback:
    form = {name: [value] for name, value in fields.items()}
    return Callback(form=form, body=urlencode(fields).encode())


def signed(algorithm: str, phone: str = "79160000101", **fields: str) -> dict[str, str]:
    over = f"{fields['id']}:{phone}:{fields['status']}:{secret_of('smsc')}".encode()
    return {"phone": phone, **fields, algorithm: hashlib.new(algorithm, over).hexdigest()}


@pytest.mark.parametrize("algorithm", ["sha1", "md5"])
def test_a_signed_status(algorithm: str, settings: Any) -> None:
    settings.SMS_CALLBACK_SECRET = SECRET
    reply = SmscGateway().parse_callback(callback(**signed(algorithm, id=REFERENCE, status="20", err="13")))
    expected = Status(REFERENCE, "undelivered", "subscriber_blocked", reference=SUBMISSION.reference)
    assert reply == CallbackReply([expected], "OK")


def test_one_right_hash_does_not_excuse_a_wrong_one(settings: Any) -> None:
    settings.SMS_CALLBACK_SECRET = SECRET
    fields = signed("sha1", id=REFERENCE, status="1") | {"md5": "0" * 32}
    with pytest.raises(CallbackRefused, match="bad_hash"):
        SmscGateway().parse_callback(callback(**fields))


@pytest.mark.parametrize("fields", [{"mes": "Да", "phone": "7", "to": "8"}, {"waitcall": "1", "phone": "7"}])
def test_incoming_sms_and_calls_are_not_ours(fields: dict[str, str]) -> None:
    assert SmscGateway().parse_callback(callback(**fields)) == CallbackReply([], "OK")


def test_a_status_without_news(settings: Any) -> None:
    settings.SMS_CALLBACK_SECRET = SECRET
    assert SmscGateway().parse_callback(callback(**signed("sha1", id="14", status="-3"))) == CallbackReply([], "OK")
