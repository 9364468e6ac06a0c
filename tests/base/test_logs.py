"""Logs: what is personal or secret does not reach them, whichever way it comes."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from django.test import Client

from hotline.base.logs import before_breadcrumb, before_send, configure_logging, mask, mask_traceback, scrub


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call from +79161234567 ended", "call from [phone] ended"),
        ("8 (916) 123-45-67", "[phone]"),
        ("8-916-123-45-67,", "[phone],"),
        ("89161234567", "[phone]"),
        ("79161234567", "[phone]"),
        ("+7 916 123 45 67", "[phone]"),
        ("+7(916)1234567", "[phone]"),
        ("916 123-45-67", "[phone]"),
        ("(916) 123-45-67", "[phone]"),
        ("+77012345678", "[phone]"),
        ("+375 29 123-45-67", "[phone]"),
        ("/clients/%2B79161234567/", "/clients/[phone]/"),
        ("ivan.petrov@example.ru wrote", "[e-mail] wrote"),
        ("GET /clients/?q=%D0%98%D0%B2%D0%B0%D0%BD HTTP", "GET /clients/?… HTTP"),
        ("POST /api/v1/telephony/events/generic/s3cr3t-t0ken/ HTTP", "POST /api/v1/telephony/events/generic/***/ HTTP"),
        ("POST /api/v1/sms/callbacks/smsaero/s3cr3t/ HTTP", "POST /api/v1/sms/callbacks/smsaero/***/ HTTP"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer ***"),
        ("postgres://hotline:pa55word@db:5432/hotline", "postgres://hotline:***@db:5432/hotline"),
        (
            "duplicate key\nDETAIL:  Key (e164)=(Иванов) already exists.\nCONTEXT: x",
            "duplicate key\nDETAIL: …\nCONTEXT: x",
        ),
        (
            'invalid\nDETAIL:  no text.\nCONTEXT:  JSON data, line 1: ...u0442\\u0435", "store": "\\u0000...',
            "invalid\nDETAIL: …\nCONTEXT:  JSON data, line 1: …",
        ),
        (
            "ValueError: Field 'id' expected a number but got 'it's me'.",
            "ValueError: Field 'id' expected a number but got '…'.",
        ),
        ("invalid literal for int() with base 10: 'Ivanov'", "invalid literal for int() with base 10: '…'"),
        ('invalid input syntax for type uuid: "Ivanov"', 'invalid input syntax for type uuid: "…"'),
        ("DETAIL:  Failing row contains (1, Анна,\n ул. Мира).\n\nThe above", "DETAIL: …\n\nThe above"),
        # What must stay readable.
        ("appeal 10000123 of call 42", "appeal 10000123 of call 42"),
        ("2026-11-23T17:22:13.470201Z took 12.5 s", "2026-11-23T17:22:13.470201Z took 12.5 s"),
        ("16364cfc-1ff0-4938-aceb-80764c92a075", "16364cfc-1ff0-4938-aceb-80764c92a075"),
        ("is it so? yes", "is it so? yes"),
    ],
)
def test_mask(text: str, expected: str) -> None:
    assert mask(text) == expected


def test_cyrillic_in_a_traceback_is_somebodys_data() -> None:
    assert mask_traceback("ValueError: invalid literal for int(): 'Иванов Иван'") == (
        "ValueError: invalid literal for int(): '…'"
    )


def test_scrub_keeps_structure_and_hides_objects() -> None:
    class Client:
        pk = 7

        def __str__(self) -> str:
            return "Иванова Анна"

    key = uuid.UUID(int=1)
    assert scrub({
        "client": Client(),
        "numbers": ["+79161234567", 5],
        "password": "x",
        "request": "GET /search/?anything",
        "none": None,
        "body": b"abc",
        "key": key,
        "error": ValueError("Анна"),
    }) == {
        "client": "<Client 7>",
        "numbers": ["[phone]", 5],
        "password": "***",
        "request": "GET /search/",
        "none": None,
        "body": "<3 bytes>",
        "key": str(key),
        "error": "<ValueError>",
    }  # fmt: skip


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The product's own logging, as JSON, into a buffer; the test run's is put back afterwards."""
    from django.conf import settings

    configuration = configure_logging(level="INFO", as_json=True)
    stream = io.StringIO()
    configuration["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(configuration)
    yield stream
    logging.config.dictConfig(settings.LOGGING)


def written(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_way_in_is_scrubbed(lines: io.StringIO) -> None:
    structlog.get_logger("ours").info("ring", number="+79161234567", call=12)
    logging.getLogger("theirs").warning("from %s", "8 916 123-45-67")
    try:
        int("Иванова +79161234567")
    except ValueError:
        logging.getLogger("celery.app.trace").exception("task failed")
    ring, foreign, failed = written(lines)
    assert (ring["event"], ring["number"], ring["call"], ring["level"]) == ("ring", "[phone]", 12, "info")
    assert foreign["event"] == "from [phone]"
    assert "Иванова" not in failed["exception"]
    assert "9161234567" not in failed["exception"]
    assert "ValueError" in failed["exception"]


def test_access_logs_of_the_server_are_silent(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info('"GET /clients/?q=Иванов" 200')
    logging.getLogger("django.request").error("Internal Server Error: /clients/?q=1")
    assert written(lines) == []


@pytest.mark.django_db
def test_a_request_is_one_line_with_its_id_and_without_query_or_token(client: Client, lines: io.StringIO) -> None:
    client.get("/healthz", {"q": "Иванов", "phone": "+79161234567"}, REMOTE_ADDR="10.1.2.3")
    client.post("/api/v1/telephony/events/generic/s3cr3t-token/", {"from": "+79161234567"})
    text = lines.getvalue()
    for secret in ("9161234567", "%D0", "Иванов", "s3cr3t", "10.1.2.3"):
        assert secret not in text
    first, second = written(lines)
    assert (first["event"], first["request"], first["code"]) == ("request_finished", "GET /healthz", 200)
    assert uuid.UUID(first["request_id"])
    assert second["request"] == "POST /api/v1/telephony/events/generic/***/"
    assert first["request_id"] != second["request_id"]


def test_sentry_gets_no_person() -> None:
    event = before_send(
        {
            "message": "no such number +79161234567",
            "request": {
                "method": "POST",
                "url": "https://h.example/api/v1/telephony/events/generic/s3cr3t/?from=%2B79161234567",
                "query_string": "from=1",
                "headers": {"Cookie": "sessionid=1"},
                "data": {"from": "+79161234567"},
            },
            "user": {"id": "5", "username": "anna", "ip_address": "10.0.0.1"},
            "exception": {
                "values": [
                    {"value": "bad name Анна", "stacktrace": {"frames": [{"vars": {"name": "Анна"}, "lineno": 1}]}}
                ]
            },
        },
        {},
    )
    assert event == {
        "message": "no such number [phone]",
        "request": {"method": "POST", "url": "https://h.example/api/v1/telephony/events/generic/***/"},
        "user": {"id": "5"},
        "exception": {"values": [{"value": "bad name …", "stacktrace": {"frames": [{"lineno": 1}]}}]},
    }


def test_sentry_breadcrumbs_lose_their_data() -> None:
    crumb = {"category": "query", "message": "SELECT '+79161234567'", "data": {"db.params": ["Анна"]}}
    assert before_breadcrumb(crumb, {}) == {"category": "query", "message": "SELECT '[phone]'"}


def test_sentry_is_off_without_a_dsn(monkeypatch: pytest.MonkeyPatch) -> None:
    from hotline.base.logs import configure_sentry

    called: list[Any] = []
    monkeypatch.setattr("sentry_sdk.init", lambda **options: called.append(SimpleNamespace(**options)))
    configure_sentry("")
    assert called == []
    configure_sentry("https://key@sentry.example/1")
    assert called[0].send_default_pii is False
    assert called[0].include_local_variables is False
    assert called[0].max_request_body_size == "never"
