"""The development gateway: hands messages to the process of `manage.py sms_gateway`. Nothing leaves the machine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import httpx
from django.conf import settings
from django.core.checks import CheckMessage, Error

from sms.gateways import _http
from sms.gateways.base import (
    Accepted,
    Capabilities,
    NotSubmitted,
    Outcome,
    Rejected,
    Status,
    Submission,
)

_STATES = {"accepted", "delivered", "undelivered", "expired", "rejected"}


class GatewayDown(Exception):
    """The process does not answer. Its page says so."""


class DevelopmentGateway(_http.HttpGateway):
    """One POST a message over a connection of its own: no pool, so no stale connection that fails half-way."""

    name: ClassVar[str] = "development"
    capabilities: ClassVar[Capabilities] = Capabilities(status_by_id=True, status_by_reference=True)

    def __init__(self, url: str | None = None, timeout: float | None = None) -> None:
        super().__init__(url or settings.SMS_DEVELOPMENT_URL, settings.SMS_TIMEOUT if timeout is None else timeout)

    def hand_over(self, submission: Submission) -> _http.Answer:
        body = {
            "reference": str(submission.reference),
            "from": submission.sender,
            "to": submission.to,
            "text": submission.text,
        }
        return self.post("/messages", json=body)

    def outcome_of(self, answer: _http.Answer) -> Outcome:
        said = answer.json_object()
        if answer.status == 429:
            return NotSubmitted(reason="throttled", retry_after=_retry_after(answer.headers))
        if answer.status == 201 and isinstance(said.get("id"), str) and 0 < len(said["id"]) <= 100:
            return Accepted(gateway_id=said["id"])
        if answer.status == 422 and isinstance(said.get("error"), str):
            return Rejected(reason=said["error"][:60])
        return _http.otherwise(answer)

    def fetch_status(self, *, gateway_id: str, reference: UUID, to: str) -> Status | None:
        query = {"id": gateway_id} if gateway_id else {"reference": str(reference)}
        try:
            got = _http.request("GET", f"{self.url}/messages", timeout=self.timeout, params=query)
        except (_http.NotSent, _http.NoAnswer):
            return None
        found = got.json_object().get("messages")
        if got.status != 200 or not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
            return None
        told = found[0]
        if told.get("state") not in _STATES or not isinstance(told.get("id"), str):
            return None
        return Status(gateway_id=told["id"], state=told["state"], reason=str(told.get("reason", ""))[:60])

    def sent(self, *, limit: int = 100) -> list[dict[str, Any]]:
        """The messages as they arrived there, newest first, for the page «what was sent». Raises GatewayDown."""
        return self._ask("GET", "/messages", params={"limit": limit})["messages"]

    def behaviour(self) -> dict[str, Any]:
        """How it behaves now: `delay_ms` and `answer`. Raises GatewayDown."""
        return self._ask("GET", "/behaviour")

    def behave(self, *, delay_ms: int, answer: str) -> None:
        """Make it behave otherwise from the next message on. Raises GatewayDown."""
        self._ask("PUT", "/behaviour", json={"delay_ms": delay_ms, "answer": answer})

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            got = _http.request(method, self.url + path, timeout=self.timeout, **options)
        except (_http.NotSent, _http.NoAnswer) as error:
            raise GatewayDown from error
        if got.status != 200:
            raise GatewayDown
        return got.json_object()

    def check_config(self) -> list[CheckMessage]:
        found: list[CheckMessage] = []
        if not (settings.DEMO or settings.DEBUG):
            found.append(
                Error(
                    "The development SMS gateway is chosen in production: no client would ever get a message.",
                    hint="Set HOTLINE_SMS_GATEWAYS to a real gateway, or to nothing: then SMS are dictated.",
                    id="sms.E002",
                )
            )
        if not _http.is_loopback(self.url):
            found.append(
                Error(
                    "HOTLINE_SMS_DEVELOPMENT_URL is not an http address of this machine.",
                    hint="The development gateway is for 127.0.0.1 only, e.g. http://127.0.0.1:8025.",
                    id="sms.E003",
                )
            )
        return found


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    value = headers.get("Retry-After", "")
    return timedelta(seconds=min(int(value), 3600)) if value.isdecimal() else None
