"""What the gateways over HTTP have in common: the faults that mean the same at each, and who is asked in the tests."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from sms.gateways import by_name
from sms.gateways.base import NotSubmitted, Outcome, Submission, Unknown
from tests.sms.faults import (
    Play,
    Received,
    answers,
    faulty,
    half,
    hang_up,
    no_http,
    says,
    silence,
    trickle,
    trickle_headers,
    trickle_to_the_end,
)

SUBMISSION = Submission(reference=UUID(int=7), to="+79160000101", text="Заявка №1 «готова» & ждёт.", sender="HOTLINE")
SECRET = "a1b2c3d4" * 4  # of the settings

# The variables under which each is at home in the tests.
ACCOUNTS: dict[str, dict[str, str]] = {
    "smsc": {"SMSC_LOGIN": "maker", "SMSC_PASSWORD": "smsc-secret"},
    "smsaero": {"SMSAERO_EMAIL": "maker@example.org", "SMSAERO_API_KEY": "aero-secret"},
    "smsru": {"SMSRU_API_ID": "smsru-secret"},
}

# (id, what the server does, what becomes of the message)
FAULTS: list[tuple[str, Play, Outcome]] = [
    ("slow", silence, Unknown("no_answer:ReadTimeout")),
    ("slow byte by byte", trickle, Unknown("no_answer:_TooSlow")),
    ("slow header by header", trickle_headers, Unknown("no_answer:_TooSlow")),
    ("slow, and cut by ourselves", trickle_to_the_end, Unknown("no_answer:_TooSlow")),
    ("cut before the answer", hang_up, Unknown("no_answer:RemoteProtocolError")),
    ("cut in the body", half, Unknown("no_answer:RemoteProtocolError")),
    ("no HTTP at all", no_http, Unknown("no_answer:RemoteProtocolError")),
    ("500", says("500 Internal Server Error", "{}"), Unknown("http_500")),
    ("503", says("503 Unavailable", "<html>"), Unknown("http_503")),
    ("502 with a yes", says("502 Bad Gateway", '{"id": "1", "cnt": 1, "success": true}'), Unknown("http_502")),
    ("403", says("403 Forbidden", ""), Unknown("http_403")),
    ("404", says("404 Not Found", "{}"), Unknown("http_404")),
    ("429", says("429 Too Many Requests", "", "Retry-After: 7"), NotSubmitted("throttled", is_down=True)),
    ("redirect", says("302 Found", "", "Location: /elsewhere"), Unknown("http_302")),
    ("redirect that keeps the method", says("307 Temporary", "", "Location: /elsewhere"), Unknown("http_307")),
    ("unparsable", says("200 OK", "<html>"), Unknown("http_200")),
    ("empty", says("200 OK", ""), Unknown("http_200")),
    ("an empty object", answers({}), Unknown("http_200")),
    ("not an object", answers([1]), Unknown("http_200")),
    ("null", answers(None), Unknown("http_200")),
    ("nested without end", says("200 OK", "[" * 100_000), Unknown("http_200")),
]


def at(name: str, url: str, settings: Any) -> None:
    """The settings under which this gateway is reached at that address."""
    settings.SMS_TIMEOUT = 0.3
    for variable, value in {f"{name.upper()}_URL": url, **ACCOUNTS[name]}.items():
        setattr(settings, variable, value)


def submit(name: str, play: Play, settings: Any) -> tuple[Outcome, Received]:
    """What becomes of a message at a server that does that; it made one request."""
    with faulty(play) as (url, requests):
        at(name, url, settings)
        outcome = by_name(name).submit(SUBMISSION)
        time.sleep(0.02)
    [request] = requests
    return outcome, request
