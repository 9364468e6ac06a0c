"""Gateways tell what became of messages, over HTTP: right and wrong secrets, hashes, order, ids, bodies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from sms.actions import claim, settle
from sms.gateways.base import Accepted
from sms.gateways.callback_address import secret_of
from sms.models import SmsMessage, SmsReceipt
from tests.sms.factories import message
from tests.sms.gateways.cases import ACCOUNTS, SECRET

S = SmsMessage.State
FORM = "application/x-www-form-urlencoded"

pytestmark = pytest.mark.django_db
each = pytest.mark.parametrize("name", ACCOUNTS)


@pytest.fixture(autouse=True)
def in_use(settings: Any) -> None:
    settings.SMS_GATEWAYS = list(ACCOUNTS)
    settings.SMS_CALLBACK_SECRET = SECRET
    for account in ACCOUNTS.values():
        for variable, value in account.items():
            setattr(settings, variable, value)


# --- How each says it -------------------------------------------------------------------------------
def smsc(gateway_id: str, status: str) -> str:
    over = f"{gateway_id}:79160000101:{status}:{secret_of('smsc')}"
    sha1 = hashlib.sha1(over.encode()).hexdigest()  # noqa: S324 - the gateway's choice
    return urlencode({"id": gateway_id, "phone": "79160000101", "status": status, "err": "0", "sha1": sha1})


def smsaero(gateway_id: str, status: str) -> str:
    return urlencode({"id": gateway_id, "status": status})


def smsru(gateway_id: str, status: str) -> str:
    entry = f"sms_status\n{gateway_id}\n{status}\n1700000000"
    right = hashlib.sha256((ACCOUNTS["smsru"]["SMSRU_API_ID"] + entry).encode()).hexdigest()
    return urlencode({"data[0]": entry, "hash": right})


SAYS: dict[str, Callable[[str, str], str]] = {"smsc": smsc, "smsaero": smsaero, "smsru": smsru}
# Its codes of: on its way, delivered, not delivered; and what it wants to hear.
ON_ITS_WAY = {"smsc": "0", "smsaero": "3", "smsru": "102"}
DELIVERED = {"smsc": "1", "smsaero": "1", "smsru": "103"}
UNDELIVERED = {"smsc": "20", "smsaero": "2", "smsru": "107"}
ANSWER = {"smsc": b"OK", "smsaero": b"OK", "smsru": b"100"}


def call(name: str, body: str | bytes, secret: str = "", content_type: str = FORM) -> Any:
    client = Client(raise_request_exception=True)
    return client.post(f"/api/v1/sms/callbacks/{name}/{secret or secret_of(name)}/", body, content_type=content_type)


def state(row: SmsMessage) -> str:
    row.refresh_from_db()
    return row.state


# --- What comes of it -------------------------------------------------------------------------------
@each
def test_delivered_once_and_again(name: str) -> None:
    row = message(S.ACCEPTED, gateway=name, gateway_id="12345")
    for _ in range(2):
        response = call(name, SAYS[name]("12345", DELIVERED[name]))
        assert (response.status_code, response.content) == (200, ANSWER[name])
    assert state(row) == S.DELIVERED
    assert list(row.changes.values_list("to_state", flat=True)) == [S.DELIVERED]
    assert SmsReceipt.objects.filter(gateway=name, gateway_id="12345", state=S.DELIVERED).count() == 2


@each
@pytest.mark.parametrize("late", [ON_ITS_WAY, UNDELIVERED])
def test_out_of_order(name: str, late: dict[str, str]) -> None:
    row = message(S.ACCEPTED, gateway=name, gateway_id="12345")
    for told in (DELIVERED, late):
        assert call(name, SAYS[name]("12345", told[name])).status_code == 200
    assert state(row) == S.DELIVERED


@each
def test_before_its_answer(name: str) -> None:
    row = message(gateway=name)
    claimed = claim(pk=row.pk)
    assert claimed is not None
    assert call(name, SAYS[name]("12345", DELIVERED[name])).status_code == 200
    assert state(row) == S.SUBMITTING
    settle(pk=row.pk, token=claimed.token, outcome=Accepted("12345"))
    assert state(row) == S.DELIVERED


@each
def test_an_unknown_id(name: str) -> None:
    row = message(S.ACCEPTED, gateway=name, gateway_id="777")
    response = call(name, SAYS[name]("12345", DELIVERED[name]))
    assert (response.status_code, response.content) == (200, ANSWER[name])
    assert state(row) == S.ACCEPTED


@each
def test_the_message_of_another_gateway(name: str) -> None:
    row = message(S.ACCEPTED, gateway="development", gateway_id="12345")
    assert call(name, SAYS[name]("12345", DELIVERED[name])).status_code == 200
    assert state(row) == S.ACCEPTED


@each
@pytest.mark.parametrize("secret", ["x" * 32, SECRET, "0", "é"])
def test_a_wrong_secret(name: str, secret: str) -> None:
    row = message(S.ACCEPTED, gateway=name, gateway_id="12345")
    assert call(name, SAYS[name]("12345", DELIVERED[name]), secret).status_code == 404
    assert state(row) == S.ACCEPTED
    assert not SmsReceipt.objects.exists()


@each
def test_what_one_gateway_knows_opens_nobody_elses_door(name: str) -> None:
    row = message(S.ACCEPTED, gateway=name, gateway_id="12345")
    for other in set(ACCOUNTS) - {name}:
        assert call(name, SAYS[name]("12345", DELIVERED[name]), secret_of(other)).status_code == 404
    assert state(row) == S.ACCEPTED


@each
def test_without_a_secret_of_ours_nobody_is_let_in(name: str, settings: Any) -> None:
    body, once = SAYS[name]("12345", DELIVERED[name]), secret_of(name)
    settings.SMS_CALLBACK_SECRET = ""
    assert secret_of(name) == ""
    assert call(name, body, once).status_code == 404


@each
def test_what_stands_in_the_address_is_not_read(name: str) -> None:
    url = f"/api/v1/sms/callbacks/{name}/{secret_of(name)}/"
    assert Client().get(url, {"id": "12345", "status": "1"}).status_code == 405


def test_the_command_says_what_to_enter_in_the_accounts(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.SMS_GATEWAYS = ["development", *ACCOUNTS]
    settings.SMS_CALLBACK_ORIGIN = "https://hotline.example.ru/"
    call_command("sms_callbacks")
    lines = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    base = "https://hotline.example.ru/api/v1/sms/callbacks"
    assert lines == {
        "smsc": f"{base}/smsc/{secret_of('smsc')}/?charset=utf-8&sha1={secret_of('smsc')}",
        "smsaero": f"{base}/smsaero/{secret_of('smsaero')}/",
        "smsru": f"{base}/smsru/{secret_of('smsru')}/",
    }


@pytest.mark.parametrize("missing", ["SMS_CALLBACK_SECRET", "SMS_CALLBACK_ORIGIN"])
def test_the_command_says_what_is_missing(missing: str, settings: Any) -> None:
    settings.SMS_CALLBACK_ORIGIN = "https://hotline.example.ru/"
    setattr(settings, missing, "")
    with pytest.raises(CommandError, match=f"HOTLINE_{missing}"):
        call_command("sms_callbacks")


@each
def test_a_gateway_that_is_not_in_use(name: str, settings: Any) -> None:
    settings.SMS_GATEWAYS = ["development"]
    settings.SMS_SENDERS = {}
    assert call(name, SAYS[name]("12345", DELIVERED[name])).status_code == 404


@pytest.mark.parametrize("name", ["development", "pigeon"])
def test_a_gateway_that_does_not_call_back(name: str, settings: Any) -> None:
    settings.SMS_GATEWAYS = ["development"]
    assert call(name, "id=1").status_code == 404


@pytest.mark.parametrize("name", ["smsc", "smsru"])
@pytest.mark.parametrize("change", ["wrong", "missing", "not ASCII", "of another status"])
def test_a_wrong_hash(name: str, change: str) -> None:
    row = message(S.ACCEPTED, gateway=name, gateway_id="12345")
    body = SAYS[name]("12345", DELIVERED[name])
    head, separator, _ = body.rpartition("=")
    body = {
        "wrong": f"{head}=" + "0" * 40,
        "missing": body.rpartition("&")[0],
        "not ASCII": f"{head}=%D0%96",
        "of another status": f"{head}=" + SAYS[name]("12345", UNDELIVERED[name]).rpartition("=")[2],
    }[change]
    response = call(name, body)
    assert (response.status_code, response.json()["code"]) == (400, "bad_hash")
    assert state(row) == S.ACCEPTED
    assert not SmsReceipt.objects.exists()


GARBAGE: list[tuple[str | bytes, str]] = [
    (b"", FORM),
    (b"\xff\xfe\x00", FORM),
    (b"id", FORM),
    (b"id=&phone=&status=&sha1=", FORM),
    (b"hash=x&data%5B0%5D=", FORM),
    (b"&".join(b"a=1" for _ in range(1500)), FORM),
    (b"data%5B0%5D=%ff%00&hash=%00", FORM),
    (b"{", "application/json"),
    (b"[" * 100_000, "application/json"),
    (b'{"id": "\\u0000", "status": "1"}', "application/json"),
    (b'{"id": {"id": 1}, "status": 1}', "application/json"),
    (b"<xml/>", "text/xml"),
    (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
]


@each
@pytest.mark.parametrize(("body", "content_type"), GARBAGE)
def test_garbage_is_refused_and_never_an_error(name: str, body: bytes, content_type: str) -> None:
    row = message(S.ACCEPTED, gateway=name, gateway_id="12345")
    assert call(name, body, content_type=content_type).status_code == 400
    assert state(row) == S.ACCEPTED
    assert not SmsReceipt.objects.exists()


def test_smsc_names_our_reference_where_the_answer_never_came() -> None:
    row = message(S.UNKNOWN, gateway="smsc")
    assert call("smsc", smsc(str(row.action_id), "1")).status_code == 200
    assert (state(row), row.gateway_id) == (S.DELIVERED, str(row.action_id))


def test_a_reference_of_nobody() -> None:
    row = message(S.UNKNOWN, gateway="smsc")
    assert call("smsc", smsc(str(uuid4()), "1")).status_code == 200
    assert state(row) == S.UNKNOWN


def test_sms_aero_in_json() -> None:
    row = message(S.ACCEPTED, gateway="smsaero", gateway_id="12345")
    response = call("smsaero", b'{"id": 12345, "status": 1, "cost": "5.49"}', content_type="application/json")
    assert response.status_code == 200
    assert state(row) == S.DELIVERED
    assert str(row.cost) == "5.49"
