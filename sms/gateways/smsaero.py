"""SMS Aero, API v2: `sms/send`, one POST of JSON a message under Basic authentication (docs/gateways.md, «SMS Aero»).

Sources: the gateway's own clients (github.com/smsaero), which are the only documentation that can be read without a
browser; what they leave open is said in docs/gateways.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.core.checks import CheckMessage, Error

from sms.gateways import _http
from sms.gateways._http import down, read_code, read_id
from sms.gateways.base import (
    Accepted,
    Callback,
    CallbackRefused,
    CallbackReply,
    Capabilities,
    Outcome,
    Rejected,
    Status,
    Submission,
)
from sms.gateways.callback_address import address_of
from sms.models import SmsMessage

State = SmsMessage.State

# HTTP 400, «Validation error.», names the fields that are wrong.
_FIELDS = {"number": "invalid_destination", "sign": "sender_not_allowed", "text": "forbidden_text"}

_STATES: dict[int | None, tuple[str, str]] = {
    0: (State.ACCEPTED, ""),  # in the queue
    1: (State.DELIVERED, ""),
    2: (State.UNDELIVERED, ""),
    3: (State.ACCEPTED, ""),  # handed on
    4: (State.ACCEPTED, ""),  # waits for its status
    6: (State.REJECTED, "rejected_by_gateway"),
    8: (State.ACCEPTED, ""),  # being looked at by a moderator
}
# Clocks that differ: how far from an attempt the gateway's record of it may be.
_SLACK = timedelta(minutes=1)


class SmsAeroGateway(_http.HttpGateway):
    """It takes no id of ours: what is unknown is searched in its list, by number, text and time."""

    name: ClassVar[str] = "smsaero"
    capabilities: ClassVar[Capabilities] = Capabilities(
        status_by_id=True, status_by_text=True, callback=True, balance=True, most_characters=640
    )
    variables: ClassVar[str] = "HOTLINE_SMSAERO"
    first_check: ClassVar[int] = 20

    def __init__(self) -> None:
        super().__init__(settings.SMSAERO_URL, settings.SMS_TIMEOUT)

    def credentials(self) -> dict[str, str]:
        return {"EMAIL": settings.SMSAERO_EMAIL, "API_KEY": settings.SMSAERO_API_KEY}

    def post(self, path: str, **options: Any) -> _http.Answer:
        return super().post(path, auth=(settings.SMSAERO_EMAIL, settings.SMSAERO_API_KEY), **options)

    def hand_over(self, submission: Submission) -> _http.Answer:
        message = {"number": submission.to.removeprefix("+"), "text": submission.text, "sign": submission.sender}
        # Where it shall tell what becomes of the message: it is told so with each one.
        address = address_of(self.name)
        return self.post("/sms/send", json=message | ({"callbackUrl": address} if address else {}))

    def outcome_of(self, answer: _http.Answer) -> Outcome:
        if answer.status == 401:
            return down("bad_credentials")
        said = answer.json_object()
        data, success = _object(said.get("data")), said.get("success")
        if answer.status == 200 and success is True and (gateway_id := read_id(data.get("id"))):
            return Accepted(gateway_id=gateway_id, cost=_http.read_money(data.get("cost")))
        if answer.status == 402 and success is False:
            return down("no_money")
        if answer.status in (200, 402) and success is not True and said.get("result") == "no credits":
            return down("no_money")
        if answer.status == 400 and success is False and data:
            return Rejected(next((reason for field, reason in _FIELDS.items() if field in data), "bad_request"))
        return _http.otherwise(answer)

    def fetch_status(self, *, gateway_id: str, reference: UUID, to: str) -> Status | None:
        number = read_code(gateway_id)
        told = self.ask("/sms/status", json={"id": number}) if number is not None else {}
        return _status(_object(told.get("data"))) if told.get("success") is True else None

    def find_status(self, *, to: str, text: str, sent_after: datetime) -> Status | None:
        """The one message to that number with exactly that text that was taken while we waited for the answer."""
        number = to.removeprefix("+")
        told = self.ask("/sms/list", json={"number": number, "text": text})
        listed = _object(told.get("data"))
        found = [entry for name, entry in listed.items() if name.isdecimal() and isinstance(entry, dict)]
        if told.get("success") is not True or read_code(listed.get("totalCount")) != len(found):
            return None  # there is another page, and on it there may be another one
        first, last = sent_after - _SLACK, sent_after + self.deadline + _SLACK
        same = [
            entry
            for entry in found
            if (str(entry.get("number")), entry.get("text")) == (number, text)
            and first <= _moment(entry.get("dateCreate")) <= last
        ]
        return _status(same[0]) if len(same) == 1 else None

    def fetch_balance(self) -> Decimal | None:
        told = self.ask("/balance", json={})
        return _http.read_balance(_object(told.get("data")).get("balance")) if told.get("success") is True else None

    def parse_callback(self, callback: Callback) -> CallbackReply:
        """`id` and `status`, as a form or as JSON. It signs nothing: the secret in the address is the only proof."""
        parsed = _http.read_json(callback.body)
        said = parsed if isinstance(parsed, dict) else {name: values[0] for name, values in callback.form.items()}
        if not read_id(said.get("id")) or read_code(said.get("status")) is None:
            raise CallbackRefused("unreadable")
        status = _status(said)
        return CallbackReply(statuses=[status] if status else [])

    def check_config(self) -> list[CheckMessage]:
        found = super().check_config()
        if settings.SMS_CALLBACK_ORIGIN and not _http.is_safe(settings.SMS_CALLBACK_ORIGIN):
            found.append(
                Error(
                    "HOTLINE_SMS_CALLBACK_ORIGIN would bring a secret over the network in the clear.",
                    hint="It is our own address as gateways see it, https://…; empty: SMS Aero is asked instead.",
                    id=f"sms.E{self.first_check + 2:03}",
                )
            )
        return found


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _status(told: dict[str, Any]) -> Status | None:
    gateway_id, known = read_id(told.get("id")), _STATES.get(read_code(told.get("status")))
    if not gateway_id or known is None:
        return None
    state, reason = known
    return Status(gateway_id=gateway_id, state=state, reason=reason, cost=_http.read_money(told.get("cost")))


def _moment(value: object) -> datetime:
    """A Unix time; the beginning of time where it is none."""
    seconds = read_code(value) or 0
    return datetime.fromtimestamp(seconds if 0 < seconds < 2**33 else 0, UTC)
