"""SMS.ru: `sms/send`, one POST of a form a message (docs/gateways.md, «SMS.ru»).

Sources: sms.ru/api/send, /api/status; for the callback the gateway's own example. One table of codes serves them all.
"""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare

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
    Unknown,
)
from sms.models import SmsMessage

State = SmsMessage.State

_DONE = 100
# `status_code` of sending, of the request or of its one message.
_REFUSALS: dict[int | None, Outcome] = {
    150: Rejected("no_route"),
    200: down("bad_credentials"),
    201: down("no_money"),
    202: Rejected("invalid_destination"),
    203: Rejected("bad_request"),  # no text
    204: Rejected("sender_not_allowed"),
    205: Rejected("too_long"),
    206: down("throttled"),  # the account's limit of a day
    207: Rejected("no_route"),
    208: Rejected("bad_request"),  # the time
    209: Rejected("denied_number"),  # on our own stop list
    210: Rejected("bad_request"),  # GET for POST
    211: Rejected("bad_request"),  # no such method
    212: Rejected("bad_request"),  # not UTF-8
    213: Rejected("bad_request"),  # too many numbers
    214: Rejected("denied_number"),  # abroad, and the account sends to Russia only
    215: Rejected("denied_number"),  # on the stop list of SMS.ru
    216: Rejected("forbidden_text"),
    220: down("throttled"),  # not available at the moment, «try a little later»
    230: Rejected("over_limit"),  # of all messages to this number in a day
    # The same message to the same number again, within a minute or a day: this may be the answer to the second of two
    # attempts, or there was another message that said the same.
    231: Unknown("probably_accepted"),
    232: Unknown("probably_accepted"),
    233: Unknown("probably_accepted"),
    300: down("bad_credentials"),
    301: down("bad_credentials"),
    302: down("bad_credentials"),  # the account is not confirmed
    # Limits by the IP of the person for whom one sends; we name none.
    501: Rejected("over_limit"),
    502: Rejected("over_limit"),
    503: Rejected("over_limit"),
    504: Rejected("over_limit"),
    505: Rejected("over_limit"),
    506: Rejected("over_limit"),
    507: Rejected("bad_request"),
    508: Rejected("over_limit"),
}

# `status_code` of a message; -1 (not found) says nothing.
_STATES: dict[int | None, tuple[str, str]] = {
    100: (State.ACCEPTED, ""),  # in the queue
    101: (State.ACCEPTED, ""),  # being handed to the operator
    102: (State.ACCEPTED, ""),  # on its way
    103: (State.DELIVERED, ""),
    104: (State.EXPIRED, ""),
    105: (State.UNDELIVERED, "rejected_by_operator"),  # deleted by the operator
    106: (State.UNDELIVERED, "handset_error"),
    107: (State.UNDELIVERED, ""),  # for a reason unknown
    108: (State.REJECTED, "rejected_by_operator"),
    110: (State.DELIVERED, ""),  # read
    130: (State.REJECTED, "over_limit"),  # of all messages to this number in a day
    131: (State.REJECTED, "over_limit"),  # of the same message within a minute
    132: (State.REJECTED, "over_limit"),  # of the same message in a day
    150: (State.UNDELIVERED, "no_route"),
    # What would turn a request away ends a message that was taken before.
    201: (State.REJECTED, "not_paid"),
    206: (State.REJECTED, "over_limit"),  # the account's limit of a day
    231: (State.REJECTED, "over_limit"),  # of the same message within a minute
    232: (State.REJECTED, "over_limit"),  # … in a day
    233: (State.REJECTED, "over_limit"),  # … of the same code
}


class SmsRuGateway(_http.HttpGateway):
    """It takes no id of ours and can't be searched: a message without an answer stays unknown, for a person."""

    name: ClassVar[str] = "smsru"
    capabilities: ClassVar[Capabilities] = Capabilities(status_by_id=True, callback=True, balance=True, most_segments=8)
    variables: ClassVar[str] = "HOTLINE_SMSRU"
    first_check: ClassVar[int] = 30

    def __init__(self) -> None:
        super().__init__(settings.SMSRU_URL, settings.SMS_TIMEOUT)

    def credentials(self) -> dict[str, str]:
        return {"API_ID": settings.SMSRU_API_ID}

    def _account(self) -> dict[str, Any]:
        return {"api_id": settings.SMSRU_API_ID, "json": 1}

    def hand_over(self, submission: Submission) -> _http.Answer:
        message = {"to": submission.to.removeprefix("+"), "msg": submission.text, "from": submission.sender}
        return self.post("/sms/send", data=self._account() | message)

    def outcome_of(self, answer: _http.Answer) -> Outcome:
        said = answer.json_object()
        if answer.status != 200:
            return _http.otherwise(answer)
        if read_code(said.get("status_code")) == _DONE:
            said = _only(said.get("sms"))  # what became of the one message of the request
            if read_code(said.get("status_code")) == _DONE and (gateway_id := read_id(said.get("sms_id"))):
                return Accepted(gateway_id=gateway_id)
        return _REFUSALS.get(read_code(said.get("status_code")), _http.otherwise(answer))

    def fetch_status(self, *, gateway_id: str, reference: UUID, to: str) -> Status | None:
        told = self.ask("/sms/status", data=self._account() | {"sms_id": gateway_id})
        found = _only(told.get("sms"))
        return _status(gateway_id, found.get("status_code"), _http.read_money(found.get("cost")))

    def fetch_balance(self) -> Decimal | None:
        told = self.ask("/my/balance", data=self._account())
        return _http.read_balance(told.get("balance")) if read_code(told.get("status_code")) == _DONE else None

    def parse_callback(self, callback: Callback) -> CallbackReply:
        """A form with up to a hundred `data[n]`, each of lines («sms_status», the id, the code, the time), and `hash`:
        SHA-256 over our key and all of them. Whatever it is about, it wants «100» as the answer."""
        entries = [
            value
            for name, values in callback.form.items()
            if re.fullmatch(r"data\[[0-9]*\]", name, re.ASCII)
            for value in values
        ]
        right = hashlib.sha256((settings.SMSRU_API_ID + "".join(entries)).encode()).hexdigest()
        given = callback.form.get("hash", [""])[0]
        if not settings.SMSRU_API_ID or not constant_time_compare(given.lower(), right):
            raise CallbackRefused("bad_hash")
        told = [entry.splitlines() for entry in entries]
        found = [_status(read_id(lines[1]), lines[2], None) for lines in told if _is_of_a_message(lines)]
        return CallbackReply(statuses=[status for status in found if status], answer=str(_DONE))


def _is_of_a_message(lines: list[str]) -> bool:
    return len(lines) >= 3 and lines[0] == "sms_status"


def _only(value: object) -> dict[str, Any]:
    """The one object of an object of objects; an empty one where there is not exactly one."""
    found = list(value.values()) if isinstance(value, dict) else []
    return found[0] if len(found) == 1 and isinstance(found[0], dict) else {}


def _status(gateway_id: str, code: object, cost: Decimal | None) -> Status | None:
    """A status in our words; None where it tells nothing."""
    number = read_code(code)
    known, refusal = _STATES.get(number), _REFUSALS.get(number)
    if known is None and isinstance(refusal, Rejected):
        known = (State.REJECTED, refusal.reason)
    if known is None or not gateway_id:
        return None
    state, reason = known
    return Status(gateway_id=gateway_id, state=state, reason=reason, cost=cost)
