"""What the gateways over HTTP have in common: faults, the reading of answers, system checks."""

from __future__ import annotations

import socket
import ssl
import time
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sms.gateways import _http, by_name
from sms.gateways.base import NotSubmitted, Outcome
from tests.helpers import free_port
from tests.sms.faults import Play, faulty, says
from tests.sms.gateways.cases import ACCOUNTS, FAULTS, SUBMISSION, at, submit

each = pytest.mark.parametrize("name", ACCOUNTS)


@each
@pytest.mark.parametrize(("play", "outcome"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_each_fault_is_one_request_and_one_outcome(name: str, play: Play, outcome: Outcome, settings: Any) -> None:
    got, request = submit(name, play, settings)
    assert got == outcome
    assert request.method == "POST"
    assert "?" not in request.path


@each
def test_nobody_listens(name: str, settings: Any) -> None:
    at(name, f"http://127.0.0.1:{free_port()}", settings)
    gateway = by_name(name)
    assert gateway.submit(SUBMISSION) == NotSubmitted("no_connection:ConnectError", is_down=True, saw_nothing=True)
    assert gateway.fetch_balance() is None


@each
def test_a_name_that_is_looked_up_for_ever_is_not_written_to(
    name: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """getaddrinfo knows no time-out: what would be written after the lease is not written at all."""
    look_up = socket.getaddrinfo

    def slow(*asked: Any, **options: Any) -> Any:
        time.sleep(0.8)
        return look_up(*asked, **options)

    monkeypatch.setattr(_http, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with faulty(says("200 OK")) as (url, requests):
        at(name, url, settings)
        assert by_name(name).submit(SUBMISSION) == NotSubmitted("no_connection:TooLate", is_down=True, saw_nothing=True)
    assert [request for request in requests if request.path] == []


@each
def test_no_secret_number_or_text_is_in_a_reason(name: str, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for _, play, _ in FAULTS[2:5]:
        outcome, _request = submit(name, play, settings)
        seen = f"{outcome} {caplog.text}"
        assert not [word for word in [*ACCOUNTS[name].values(), "9160000101", "готова"] if word in seen]


@each
def test_the_deadline_follows_from_the_timeout(name: str, settings: Any) -> None:
    at(name, "https://example.org", settings)
    assert by_name(name).deadline.total_seconds() == _http.longest(0.3)


def test_the_authorities_are_read_once_and_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []
    create = httpx.create_ssl_context

    def counted(**options: Any) -> ssl.SSLContext:
        made.append(create(**options))
        return made[-1]

    monkeypatch.setattr(httpx, "create_ssl_context", counted)
    _http._authorities.cache_clear()
    with faulty(says("200 OK")) as (url, requests):
        for _ in range(2):
            _http.request("GET", url, timeout=5)
    assert len(requests) == 2
    assert {request.headers["connection"] for request in requests} == {"close"}
    [context] = made
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) > 50


# --- System checks ----------------------------------------------------------------------------------
@each
def test_complete_settings_are_not_complained_of(name: str, settings: Any) -> None:
    for url in ("https://gateway.example", "http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"):
        at(name, url, settings)
        assert by_name(name).check_config() == []


@pytest.mark.parametrize(("name", "ids"), [("smsc", ["sms.E010"]), ("smsaero", ["sms.E020"]), ("smsru", ["sms.E030"])])
def test_missing_credentials(name: str, ids: list[str], settings: Any) -> None:
    for variable in ACCOUNTS[name]:
        at(name, "https://gateway.example", settings)
        setattr(settings, variable, "")
        [error] = by_name(name).check_config()
        assert [error.id] == ids
        assert f"HOTLINE_{variable}" in (error.hint or "")


@pytest.mark.parametrize(("name", "ids"), [("smsc", ["sms.E011"]), ("smsaero", ["sms.E021"]), ("smsru", ["sms.E031"])])
@pytest.mark.parametrize("url", ["http://gateway.example", "ftp://gateway.example", "gateway.example", "https://", ""])
def test_an_address_in_the_clear(name: str, ids: list[str], url: str, settings: Any) -> None:
    at(name, url, settings)
    assert [error.id for error in by_name(name).check_config()] == ids


def test_our_own_address_in_the_clear(settings: Any) -> None:
    at("smsaero", "https://gateway.example", settings)
    settings.SMS_CALLBACK_ORIGIN = "http://hotline.example.ru"
    assert [error.id for error in by_name("smsaero").check_config()] == ["sms.E022"]


# --- Reading ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "code"),
    [(9, 9), ("9", 9), (-3, -3), ("-3", -3), (True, None), ("", None), ("٩", None), (Decimal(9), None), (10**30, None)],
)
def test_a_code(value: object, code: int | None) -> None:
    assert _http.read_code(value) == code


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("4.1", Decimal("4.10")),
        (4, Decimal("4.00")),
        (Decimal("0.005"), Decimal("0.00")),
        ("999999.99", Decimal("999999.99")),
        ("1000000", None),
        ("Infinity", None),
        ("NaN", None),
        ("4,1", None),
        (True, None),
        (None, None),
    ],
)
def test_money(value: object, amount: Decimal | None) -> None:
    assert _http.read_money(value) == amount


def test_json_keeps_the_kopecks() -> None:
    assert _http.read_json(b'{"cost": 0.1}') == {"cost": Decimal("0.1")}
    assert _http.read_json(b"\xff") is None
