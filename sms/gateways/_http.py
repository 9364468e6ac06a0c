"""One request to a gateway that speaks HTTP, and what its faults mean for a message (docs/gateways.md).

The whole of the promise is here: no retry, no redirect, no proxy from the environment, no second host, no downgrade of
TLS, no connection kept between messages, a deadline for the whole answer. A fault before the first byte is `NotSent`;
any other one is `NoAnswer`, and the message is unknown. `HttpGateway` is what the adapters of such gateways share, the
functions at the end read what they answer: an answer is never trusted to be of the shape that it should have.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from ipaddress import ip_address
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx
from django.core.checks import CheckMessage, Error

from hotline.base import clocks
from sms.gateways.base import Gateway, NotSubmitted, Outcome, Submission, Unknown

CONNECT_SECONDS = 2.0
_MAX_ANSWER = 4 * 1024 * 1024
_NOTHING_LEFT = (
    httpx.ConnectError,  # TLS that can't be agreed on is one, too
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


class NotSent(Exception):
    """No connection: surely nothing has left. `reason` is a code."""

    def __init__(self, error: Exception) -> None:
        self.reason = f"no_connection:{type(error).__name__}"
        super().__init__(self.reason)


class NoAnswer(Exception):
    """The request may have left, and there is no whole answer. `reason` is a code, never the error's words, which may
    quote the request."""

    def __init__(self, error: Exception) -> None:
        self.reason = f"no_answer:{type(error).__name__}"
        super().__init__(self.reason)


class TooLate(Exception):
    """The connection took so long that the request is not written any more."""


class _TooSlow(Exception):
    """The whole answer did not come within the deadline, or there was no end of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever it says."""

    status: int
    body: bytes
    headers: httpx.Headers

    def json(self) -> Any:
        """The body as JSON, its fractions as Decimal: they are money. None where it is none."""
        return read_json(self.body)

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one where it is none."""
        parsed = self.json()
        return parsed if isinstance(parsed, dict) else {}


def longest(timeout: float) -> float:
    """Seconds that `request` may take at the most, all in all."""
    return CONNECT_SECONDS + 2 * timeout


def request(method: str, url: str, *, timeout: float, **options: Any) -> Answer:
    """One request, one answer. `timeout`: seconds of silence; the whole takes no longer than `longest(timeout)`.

    The first octet is written early enough for that, or not at all: the name's look-up has no time-out of its own, and
    what is written after the lease could be the second time.

    `options` are httpx's: `params`, `data`, `json`, `auth`, `headers`. Raises NotSent, NoAnswer.
    """
    began = clocks.seconds()
    ends_at, write_by = began + longest(timeout), began + CONNECT_SECONDS + timeout
    end = _End()

    def look_at_the_clock(event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started") and clocks.seconds() > write_by:
            raise TooLate
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            end.of(info["return_value"].get_extra_info("socket"))

    headers = {"Connection": "close", **options.pop("headers", {})}
    transport = httpx.HTTPTransport(retries=0, trust_env=False, verify=_authorities())
    limits = httpx.Timeout(timeout, connect=CONNECT_SECONDS)
    # A time-out of httpx is for one read: headers that trickle would never meet it.
    timer = threading.Timer(ends_at - began, end.come)
    timer.daemon = True
    timer.start()
    try:
        with (
            httpx.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=limits) as client,
            client.stream(method, url, headers=headers, extensions={"trace": look_at_the_clock}, **options) as response,
        ):
            chunks = []
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                if clocks.seconds() > ends_at or sum(map(len, chunks)) > _MAX_ANSWER:
                    raise _TooSlow
            if end.has_come:
                raise _TooSlow  # what looks like the end of the answer is our own
            return Answer(response.status_code, b"".join(chunks), response.headers)
    except TooLate as error:
        raise NotSent(error) from error
    except _NOTHING_LEFT as error:
        raise NotSent(error) from error
    except (httpx.HTTPError, httpx.StreamError, _TooSlow, ValueError) as error:
        raise NoAnswer(_TooSlow() if end.has_come else error) from error
    finally:
        timer.cancel()


class _End:
    """The end of the time for an answer: whoever reads from the socket then reads its end."""

    def __init__(self) -> None:
        self.has_come = False
        self._socket: socket.socket | None = None

    def of(self, connection: socket.socket | None) -> None:
        self._socket = connection

    def come(self) -> None:
        self.has_come = True
        if self._socket is not None:
            with suppress(OSError):  # it was closed a moment ago
                # Not that of an SSLSocket, which forgets its encryption while another thread may read and write.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


@cache
def _authorities() -> ssl.SSLContext:
    """Whom we trust, read once in a process: it takes longer than all the rest of a request. Keeps no connection."""
    return httpx.create_ssl_context(trust_env=False)


def is_loopback(url: str) -> bool:
    """Is this an http address of this machine?"""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def is_safe(url: str) -> bool:
    """May personal data go there: https, or http that does not leave this machine."""
    parts = urlsplit(url)
    return (parts.scheme == "https" and bool(parts.hostname)) or is_loopback(url)


# --- What adapters share ----------------------------------------------------------------------------
def down(reason: str) -> NotSubmitted:
    """The gateway says that it took nothing, and would take nothing else either: the next in the order may try."""
    return NotSubmitted(reason=reason, is_down=True)


def otherwise(answer: Answer) -> Outcome:
    """A whole answer that is in no table of the gateway's: neither a yes nor a no, but for «too many requests», with
    which a server of any kind turns a request away (RFC 6585, section 4)."""
    return down("throttled") if answer.status == 429 else Unknown(reason=f"http_{answer.status}")


class HttpGateway(Gateway):
    """A gateway that takes a message by one POST and answers in JSON.

    An adapter says what it sends (`hand_over`) and what the answers mean (`outcome_of`).
    """

    # The variables of this gateway are called so, and its system checks are sms.E<first_check> and the next one.
    variables: ClassVar[str]
    first_check: ClassVar[int]

    def __init__(self, url: str, timeout: float) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout

    @property
    def deadline(self) -> timedelta:
        return timedelta(seconds=longest(self.timeout))

    @abstractmethod
    def hand_over(self, submission: Submission) -> Answer:
        """The one request of `submit`; raises NotSent, NoAnswer."""

    @abstractmethod
    def outcome_of(self, answer: Answer) -> Outcome:
        """What a whole answer means."""

    def credentials(self) -> Mapping[str, str]:
        """What it can't do without: the end of each variable's name, and its value."""
        return {}

    def submit(self, submission: Submission) -> Outcome:
        try:
            answer = self.hand_over(submission)
        except NotSent as error:
            return NotSubmitted(reason=error.reason, is_down=True, saw_nothing=True)
        except NoAnswer as error:
            return Unknown(reason=error.reason)
        return self.outcome_of(answer)

    def post(self, path: str, **options: Any) -> Answer:
        """One POST; raises NotSent, NoAnswer."""
        return request("POST", self.url + path, timeout=self.timeout, **options)

    def ask(self, path: str, **options: Any) -> dict[str, Any]:
        """What the gateway answers to a question; an empty object where it does not."""
        try:
            answer = self.post(path, **options)
        except (NotSent, NoAnswer):
            return {}
        return answer.json_object() if answer.status == 200 else {}

    def check_config(self) -> list[CheckMessage]:
        found: list[CheckMessage] = []
        if missing := [f"{self.variables}_{name}" for name, value in self.credentials().items() if not value]:
            found.append(
                Error(
                    f"The SMS gateway «{self.name}» is in use and does not know who we are.",
                    hint=f"Set {' and '.join(missing)}, or name it neither as a gateway nor as a sender's.",
                    id=f"sms.E{self.first_check:03}",
                )
            )
        if not is_safe(self.url):
            found.append(
                Error(
                    f"{self.variables}_URL would send numbers and texts over the network in the clear.",
                    hint="It begins with https://; http:// is for an address of this machine.",
                    id=f"sms.E{self.first_check + 1:03}",
                )
            )
        return found


# --- Reading ----------------------------------------------------------------------------------------
def read_json(body: bytes) -> Any:
    """JSON with its fractions as Decimal; None where it is none."""
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def read_code(value: object) -> int | None:
    """A code: a whole number, or the same as text. None for anything else."""
    text = _as_text(value)
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else None


def read_id(value: object) -> str:
    """An id of the gateway's, as it is kept; "" where it is none."""
    text = _as_text(value)
    return text if re.fullmatch(r"[A-Za-z0-9_.:-]{1,100}", text) else ""


def _as_text(value: object) -> str:
    """A text, or a whole number as one; "" for anything else. Gateways write the same field now so, now so."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    return value if isinstance(value, str) else ""


def read_money(value: object, *, below: int = 10**6) -> Decimal | None:
    """Roubles, to the kopeck; None where it is no such amount. `below`: what the column that keeps it can hold."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        amount = Decimal(value)
        if abs(amount) >= below:  # before it is rounded, too: 1E+30 can't be
            return None
        amount = amount.quantize(Decimal("0.01"))
        return amount if abs(amount) < below else None
    except InvalidOperation:  # no number at all, or «NaN»
        return None


def read_balance(value: object) -> Decimal | None:
    """The money left; below nothing where the gateway gives credit."""
    return read_money(value, below=10**10)
