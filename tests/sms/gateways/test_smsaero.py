"""SMS Aero: what it answers, and what that means for a message."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

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
from sms.gateways.smsaero import SmsAeroGateway
from tests.sms.faults import Received, answers, faulty, says
from tests.sms.gateways.cases import SECRET, SUBMISSION, at, submit

NUMBER = "79160000101"
BASIC = "Basic " + b64encode(b"maker@example.org:aero-secret").decode()
SENT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def entry(**fields: Any) -> dict[str, Any]:
    """A message as SMS Aero writes it."""
    return {
        "id": 12345,
        "from": "HOTLINE",
        "number": NUMBER,
        "text": SUBMISSION.text,
        "status": 0,
        "extendStatus": "queue",
        "channel": "FREE SIGN",
        "cost": 5.49,
        "dateCreate": int(SENT.timestamp()),
        "dateSend": int(SENT.timestamp()),
        **fields,
    }


def yes(data: Any) -> dict[str, Any]:
    return {"success": True, "data": data, "message": None}


def no(data: Any = None, message: str = "…") -> dict[str, Any]:
    return {"success": False, "data": data, "message": message}


def asked(request: Received, path: str) -> Any:
    assert (request.method, request.path, request.headers["authorization"]) == ("POST", path, BASIC)
    assert request.headers["content-type"] == "application/json"
    return request.json()


# --- Sending ----------------------------------------------------------------------------------------
def test_the_one_request(settings: Any) -> None:
    outcome, request = submit("smsaero", answers(yes(entry())), settings)
    assert outcome == Accepted("12345", Decimal("5.49"))
    assert asked(request, "/sms/send") == {"number": NUMBER, "text": SUBMISSION.text, "sign": "HOTLINE"}


def test_it_is_told_where_to_call_back(settings: Any) -> None:
    settings.SMS_CALLBACK_ORIGIN, settings.SMS_CALLBACK_SECRET = "https://hotline.example.ru/", SECRET
    _, request = submit("smsaero", answers(yes(entry())), settings)
    sent = asked(request, "/sms/send")
    assert sent["callbackUrl"] == f"https://hotline.example.ru/api/v1/sms/callbacks/smsaero/{secret_of('smsaero')}/"


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        ("401 Unauthorized", no(), NotSubmitted("bad_credentials", is_down=True)),
        ("401 Unauthorized", "<html>", NotSubmitted("bad_credentials", is_down=True)),
        ("402 Payment Required", no(), NotSubmitted("no_money", is_down=True)),
        ("402 Payment Required", {}, Unknown("http_402")),
        ("200 OK", {"result": "no credits"}, NotSubmitted("no_money", is_down=True)),
        ("200 OK", {"success": False, "result": "no credits"}, NotSubmitted("no_money", is_down=True)),
        ("200 OK", {"success": True, "result": "no credits"}, Unknown("http_200")),
        ("500 Internal Server Error", {"success": False, "result": "no credits"}, Unknown("http_500")),
        ("400 Bad Request", no({"number": ["wrong"]}), Rejected("invalid_destination")),
        ("400 Bad Request", no({"sign": ["required"]}), Rejected("sender_not_allowed")),
        ("400 Bad Request", no({"text": ["…"]}), Rejected("forbidden_text")),
        ("400 Bad Request", no({"channel": ["…"]}), Rejected("bad_request")),
        ("400 Bad Request", no(), Unknown("http_400")),
        ("400 Bad Request", no(["number"]), Unknown("http_400")),
        ("400 Bad Request", {"data": {"number": ["wrong"]}}, Unknown("http_400")),
        ("200 OK", no(message="something"), Unknown("http_200")),
        ("200 OK", {"result": "reject", "reason": "something"}, Unknown("http_200")),
        ("200 OK", yes(entry(id="77")), Accepted("77", Decimal("5.49"))),
        ("200 OK", yes(entry(cost=None)), Accepted("12345")),
        ("200 OK", yes(entry(cost="free")), Accepted("12345")),
        ("200 OK", yes(entry(id=None)), Unknown("http_200")),
        ("200 OK", yes(entry(id=False)), Unknown("http_200")),
        ("200 OK", yes(entry(id=1.5)), Unknown("http_200")),
        ("200 OK", yes([entry()]), Unknown("http_200")),
        ("200 OK", yes(None), Unknown("http_200")),
        ("200 OK", {"success": "true", "data": entry()}, Unknown("http_200")),
        ("500 Oops", yes(entry()), Unknown("http_500")),
    ],
)
def test_each_answer(status: str, body: Any, outcome: Outcome, settings: Any) -> None:
    play = says(status, body if isinstance(body, str) else json.dumps(body))
    assert submit("smsaero", play, settings)[0] == outcome


# --- Asking -----------------------------------------------------------------------------------------
STATES: dict[Any, tuple[str, str] | None] = {
    0: ("accepted", ""),
    1: ("delivered", ""),
    "1": ("delivered", ""),
    2: ("undelivered", ""),
    3: ("accepted", ""),
    4: ("accepted", ""),
    5: None,
    6: ("rejected", "rejected_by_gateway"),
    7: None,
    8: ("accepted", ""),
    "delivered": None,
    None: None,
}


@pytest.mark.parametrize(("code", "meaning"), STATES.items())
def test_each_status(code: Any, meaning: tuple[str, str] | None, settings: Any) -> None:
    with faulty(answers(yes(entry(status=code)))) as (url, requests):
        at("smsaero", url, settings)
        status = SmsAeroGateway().fetch_status(gateway_id="12345", reference=uuid4(), to=SUBMISSION.to)
    assert status == (meaning and Status("12345", *meaning, cost=Decimal("5.49")))
    [request] = requests
    assert asked(request, "/sms/status") == {"id": 12345}


@pytest.mark.parametrize("body", [no(entry(status=1)), [], yes([]), yes(entry(id=None, status=1)), {"data": entry()}])
def test_no_status(body: Any, settings: Any) -> None:
    with faulty(answers(body)) as (url, _):
        at("smsaero", url, settings)
        assert SmsAeroGateway().fetch_status(gateway_id="12345", reference=uuid4(), to=SUBMISSION.to) is None


def listed(*entries: dict[str, Any], total: Any = None) -> dict[str, Any]:
    numbered = {str(n): each for n, each in enumerate(entries)}
    return yes({**numbered, "links": {"self": "/v2/sms/list?page=1"}, "totalCount": total or str(len(entries))})


MOMENTS = {"long before": timedelta(minutes=-2), "long after": timedelta(minutes=2)}
DELIVERED = Status("12345", "delivered", cost=Decimal("5.49"))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param(listed(entry(status=1)), DELIVERED, id="the one"),
        pytest.param(listed(), None, id="none"),
        pytest.param(listed(entry(status=1), entry(id=2, status=1)), None, id="two of them"),
        pytest.param(listed(entry(status=1), entry(id=2, text="Другое")), DELIVERED, id="another text"),
        pytest.param(listed(entry(status=1), entry(id=2, number="79160000102")), DELIVERED, id="another number"),
        pytest.param(listed(entry(status=1), entry(id=2, dateCreate=1)), DELIVERED, id="and one of another day"),
        pytest.param(listed(entry(status=1), total="138"), None, id="there are more pages"),
        pytest.param(listed(entry(status=1, text=SUBMISSION.text + " ")), None, id="a text that only resembles"),
        pytest.param(listed(entry(status=1, dateCreate="never")), None, id="without its time"),
        pytest.param(listed(entry(status=1, dateCreate=10**17)), None, id="at the end of time"),
        pytest.param(listed(entry(status=1, number=int(NUMBER))), DELIVERED, id="a number as a number"),
        *(
            pytest.param(listed(entry(status=1, dateCreate=int((SENT + by).timestamp()))), None, id=name)
            for name, by in MOMENTS.items()
        ),
        pytest.param(yes({"0": entry(status=1)}), None, id="without a count"),
        pytest.param(yes([entry(status=1)]), None, id="another shape"),
        pytest.param(no(), None, id="refused"),
    ],
)
def test_what_is_unknown_is_searched(body: Any, found: Status | None, settings: Any) -> None:
    with faulty(answers(body)) as (url, requests):
        at("smsaero", url, settings)
        status = SmsAeroGateway().find_status(to=SUBMISSION.to, text=SUBMISSION.text, sent_after=SENT)
    assert status == found
    [request] = requests
    assert asked(request, "/sms/list") == {"number": NUMBER, "text": SUBMISSION.text}


@pytest.mark.parametrize(
    ("body", "balance"),
    [
        (yes({"balance": 337.03}), Decimal("337.03")),
        (yes({"balance": None}), None),
        (no({"balance": 1}), None),
        ([], None),
    ],
)
def test_the_balance(body: Any, balance: Decimal | None, settings: Any) -> None:
    with faulty(answers(body)) as (url, requests):
        at("smsaero", url, settings)
        assert SmsAeroGateway().fetch_balance() == balance
    [request] = requests
    assert asked(request, "/balance") == {}


# --- Being told -------------------------------------------------------------------------------------
def callback(body: bytes, **form: str) -> Callback:
    return Callback({name: [value] for name, value in form.items()}, body)


@pytest.mark.parametrize(
    ("told", "statuses"),
    [
        (callback(b"id=12345&status=1", id="12345", status="1"), [Status("12345", "delivered")]),
        (callback(b'{"id": 12345, "status": 2}'), [Status("12345", "undelivered")]),
        (callback(b'{"id": 12345, "status": 5}'), []),
    ],
)
def test_what_it_tells(told: Callback, statuses: list[Status]) -> None:
    assert SmsAeroGateway().parse_callback(told) == CallbackReply(statuses, "OK")


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b'{"id": 1}', b'{"id": [], "status": 1}', b"{", b"\xff"])
def test_nonsense(body: bytes) -> None:
    with pytest.raises(CallbackRefused, match="unreadable"):
        SmsAeroGateway().parse_callback(callback(body))
