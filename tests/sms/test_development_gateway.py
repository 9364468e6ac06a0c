"""The development gateway's adapter: each answer and fault of a server, one request each. And the process itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from sms.gateways.base import Accepted, NotSubmitted, Outcome, Rejected, Status, Submission, Unknown
from sms.gateways.development import DevelopmentGateway, GatewayDown
from sms.gateways.development_server import DevelopmentServer, Log
from tests.helpers import free_port
from tests.servers import ROOT
from tests.sms.faults import Play, faulty, half, hang_up, no_http, says, silence, trickle

SUBMISSION = Submission(reference=UUID(int=7), to="+79160000101", text="Заявка №1 «готова».", sender="HOTLINE")


# --- Faults -----------------------------------------------------------------------------------------
FAULTS: list[tuple[str, Play, Outcome]] = [
    ("accepted", says("201 Created", '{"id": "g-1"}'), Accepted("g-1")),
    ("rejected", says("422 Unprocessable", '{"error": "invalid_destination"}'), Rejected("invalid_destination")),
    ("throttled", says("429 Too Many", "{}", "Retry-After: 7"), NotSubmitted("throttled", timedelta(seconds=7))),
    ("throttled, no time", says("429 Too Many", "{}"), NotSubmitted("throttled", None)),
    (
        "throttled till the end of time",
        says("429 Too Many", "{}", "Retry-After: 99999999999"),
        NotSubmitted("throttled", timedelta(hours=1)),
    ),
    ("5xx", says("503 Unavailable", "{}"), Unknown("http_503")),
    ("redirect", says("307 Temporary", "", "Location: /messages"), Unknown("http_307")),
    ("accepted without an id", says("201 Created", "{}"), Unknown("http_201")),
    ("accepted with an id that is none", says("201 Created", '{"id": 7}'), Unknown("http_201")),
    ("unparsable", says("201 Created", "<html>"), Unknown("http_201")),
    ("not an object", says("201 Created", "[1]"), Unknown("http_201")),
    ("not found", says("404 Not Found", "{}"), Unknown("http_404")),
    ("rejected without a reason", says("422 Unprocessable", ""), Unknown("http_422")),
    ("cut before the answer", hang_up, Unknown("no_answer:RemoteProtocolError")),
    ("cut in the answer", half, Unknown("no_answer:RemoteProtocolError")),
    ("no HTTP at all", no_http, Unknown("no_answer:RemoteProtocolError")),
    ("silence", silence, Unknown("no_answer:ReadTimeout")),
    ("trickle", trickle, Unknown("no_answer:_TooSlow")),
]


@pytest.mark.parametrize(("answer", "outcome"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_each_fault_is_one_request_and_one_outcome(answer: Play, outcome: Outcome) -> None:
    with faulty(answer) as (url, requests):
        assert DevelopmentGateway(url, timeout=0.3).submit(SUBMISSION) == outcome
        time.sleep(0.05)
    assert [request.json() for request in requests] == [
        {"reference": str(SUBMISSION.reference), "from": "HOTLINE", "to": SUBMISSION.to, "text": SUBMISSION.text}
    ]


def test_nobody_listens() -> None:
    outcome = DevelopmentGateway(f"http://127.0.0.1:{free_port()}", timeout=1).submit(SUBMISSION)
    assert outcome == NotSubmitted("no_connection:ConnectError", is_down=True, saw_nothing=True)


def test_an_address_that_is_none() -> None:
    assert isinstance(DevelopmentGateway("gopher://nowhere", timeout=1).submit(SUBMISSION), NotSubmitted)


def test_a_proxy_of_the_environment_is_not_asked(gateway: DevelopmentServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
    assert isinstance(DevelopmentGateway().submit(SUBMISSION), Accepted)


def status_at(url: str) -> Status | None:
    return DevelopmentGateway(url, timeout=0.3).fetch_status(gateway_id="g", reference=uuid4(), to=SUBMISSION.to)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"messages": []}',
        '{"messages": [1]}',
        '{"messages": [{"id": "g", "state": "lost"}]}',
        '{"messages": [{"state": "delivered"}]}',
    ],
)
def test_a_status_that_tells_nothing(body: str) -> None:
    with faulty(says("200 OK", body)) as (url, _):
        assert status_at(url) is None
    assert status_at(url) is None


def test_the_deadline_is_what_it_says() -> None:
    started = time.monotonic()
    with faulty(trickle) as (url, _):
        adapter = DevelopmentGateway(url, timeout=0.3)
        adapter.submit(SUBMISSION)
    assert time.monotonic() - started < adapter.deadline.total_seconds() + 0.5


# --- The process ------------------------------------------------------------------------------------
def test_a_message_and_its_fate(gateway: DevelopmentServer, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = DevelopmentGateway()
    outcome = adapter.submit(SUBMISSION)
    assert isinstance(outcome, Accepted)
    by_id = adapter.fetch_status(gateway_id=outcome.gateway_id, reference=uuid4(), to=SUBMISSION.to)
    by_reference = adapter.fetch_status(gateway_id="", reference=SUBMISSION.reference, to=SUBMISSION.to)
    assert by_id == by_reference == Status(outcome.gateway_id, "accepted")
    monkeypatch.setattr("sms.gateways.development_server.MOMENT", 0)
    assert adapter.fetch_status(gateway_id="", reference=SUBMISSION.reference, to=SUBMISSION.to) == Status(
        outcome.gateway_id, "delivered"
    )
    assert adapter.fetch_status(gateway_id="", reference=uuid4(), to=SUBMISSION.to) is None


@pytest.mark.parametrize(
    ("answer", "outcome", "state"),
    [
        ("reject", Rejected, "rejected"),
        ("undeliver", Accepted, "undelivered"),
        ("drop", Unknown, "delivered"),
        ("deliver", Accepted, "delivered"),
    ],
)
def test_how_it_may_be_told_to_behave(
    gateway: DevelopmentServer, monkeypatch: pytest.MonkeyPatch, answer: str, outcome: type, state: str
) -> None:
    adapter = DevelopmentGateway()
    adapter.behave(delay_ms=0, answer=answer)
    assert adapter.behaviour() == {"delay_ms": 0, "answer": answer}
    assert isinstance(adapter.submit(SUBMISSION), outcome)
    monkeypatch.setattr("sms.gateways.development_server.MOMENT", 0)
    [sent] = adapter.sent()
    assert (sent["state"], sent["to"], sent["text"], sent["segments"]) == (state, SUBMISSION.to, SUBMISSION.text, 1)


def test_the_delay(gateway: DevelopmentServer) -> None:
    adapter = DevelopmentGateway()
    adapter.behave(delay_ms=300, answer="deliver")
    started = time.monotonic()
    adapter.submit(SUBMISSION)
    assert 0.3 <= time.monotonic() - started < 1.5
    adapter.behave(delay_ms=30_000, answer="deliver")
    assert DevelopmentGateway(timeout=0.2).submit(SUBMISSION) == Unknown("no_answer:ReadTimeout")


def test_it_drops_no_duplicate(gateway: DevelopmentServer) -> None:
    """It is the witness: a message that came twice is there twice."""
    first, second = DevelopmentGateway().submit(SUBMISSION), DevelopmentGateway().submit(SUBMISSION)
    assert first != second
    assert [arrived.reference for arrived in gateway.log.newest(9)] == [str(SUBMISSION.reference)] * 2


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status"),
    [
        ("POST", "/messages", b"{", {"Content-Type": "application/json"}, 400),
        ("POST", "/messages", b"[]", {"Content-Type": "application/json"}, 400),
        ("POST", "/messages", b'{"to": 7}', {"Content-Type": "application/json"}, 400),
        ("POST", "/messages", b'{"to": "7"}', {"Content-Type": "text/plain"}, 415),
        ("POST", "/elsewhere", b"{}", {"Content-Type": "application/json"}, 404),
        ("POST", "/messages", b"x" * 70_000, {"Content-Type": "application/json"}, 413),
        ("PUT", "/behaviour", b'{"answer": "explode"}', {"Content-Type": "application/json"}, 400),
        ("PUT", "/behaviour", b'{"delay_ms": -1}', {"Content-Type": "application/json"}, 400),
        ("PUT", "/behaviour", b'{"delay_ms": "1"}', {"Content-Type": "application/json"}, 400),
        ("PUT", "/behaviour", b'{"port": 1}', {"Content-Type": "application/json"}, 400),
        ("PUT", "/elsewhere", b"{}", {"Content-Type": "application/json"}, 404),
        ("GET", "/elsewhere", b"", {}, 404),
        ("GET", "/messages?limit=x", b"", {}, 200),
        ("DELETE", "/messages", b"", {}, 501),
    ],
)
def test_nonsense_is_answered_and_not_logged(
    gateway: DevelopmentServer, method: str, path: str, content: bytes, headers: dict[str, str], status: int
) -> None:
    answer = httpx.request(method, gateway.url + path, content=content, headers=headers, trust_env=False)
    assert answer.status_code == status
    assert gateway.log.newest(9) == []


def test_a_request_that_ends_in_the_middle_is_no_message(gateway: DevelopmentServer) -> None:
    with socket.create_connection(("127.0.0.1", gateway.server_address[1])) as connection:
        connection.sendall(
            b'POST /messages HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"to"'
        )
    time.sleep(0.2)
    assert gateway.log.newest(9) == []


def test_the_log_outlives_the_process_and_a_torn_line(tmp_path: Path, gateway: DevelopmentServer) -> None:
    DevelopmentGateway().submit(SUBMISSION)
    path = tmp_path / "gateway.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open("ab") as file:
        file.write(b'{"id": "torn", "refer')
    again = Log(path)
    [known] = again.newest(9)
    assert known.reference == str(SUBMISSION.reference)
    again.append(known)
    assert len(Log(path).newest(9)) == 2


@pytest.mark.parametrize("command", [["-m", "sms.gateways.development_server"], ["manage.py", "sms_gateway"]])
def test_the_process_starts_serves_and_ends(command: list[str], tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, *command, "--port", str(port), "--log", str(tmp_path / "log.jsonl"), "--delay", "1"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "hotline.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        adapter = DevelopmentGateway(f"http://127.0.0.1:{port}", timeout=5)
        deadline = time.monotonic() + 90
        while True:
            try:
                assert adapter.behaviour() == {"delay_ms": 1, "answer": "deliver"}
                break
            except GatewayDown:
                assert process.poll() is None, process.communicate()[0]
                assert time.monotonic() < deadline, "it did not come up"
                time.sleep(0.1)
        assert isinstance(adapter.submit(SUBMISSION), Accepted)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert f"http://127.0.0.1:{port}" in output
    assert SUBMISSION.to not in output


def test_a_port_in_use_is_said_in_one_sentence(gateway: DevelopmentServer, tmp_path: Path) -> None:
    from django.core.management import CommandError, call_command

    with pytest.raises(CommandError, match=f"Port {gateway.server_address[1]} is in use"):
        call_command("sms_gateway", port=gateway.server_address[1], log=tmp_path / "other.jsonl")


def test_not_in_production(settings: Any) -> None:
    from django.core.management import CommandError, call_command

    settings.DEMO = False
    with pytest.raises(CommandError, match="demo mode only"):
        call_command("sms_gateway")
