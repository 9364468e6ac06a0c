"""SMSC.ru: `/rest/send/`, one POST of JSON a message, under an id of ours (docs/gateways.md, «SMSC.ru»).

Sources: smsc.ru/api/http/ (sending), …/status_messages/ (codes), …/miscellaneous/callback/.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
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
from sms.gateways.callback_address import secret_of
from sms.models import SmsMessage

State = SmsMessage.State

# `error_code` of sending.
_REFUSALS: dict[int | None, Outcome] = {
    1: Rejected("bad_request"),  # an error in the parameters
    2: down("bad_credentials"),  # login or password, or an IP that is not on the account's list
    3: down("no_money"),
    4: down("bad_credentials"),  # this IP is banned for a while, for its many errors
    5: Rejected("bad_request"),  # the date
    6: Rejected("forbidden_text"),  # the text or the sender's name
    7: Rejected("invalid_destination"),
    8: Rejected("no_route"),  # to this number nothing can be delivered
    # The same request twice in a minute, or more than 15 at once: this may be the answer to the second of two attempts.
    9: Unknown("probably_accepted"),
}

# The same request once more within a minute is error 9, whatever became of the first: then nobody could tell any more.
_NOT_SOONER = timedelta(seconds=65)

# `status` of a message; -3 (not found) says nothing: the request may never have arrived, or not yet.
_STATES: dict[int | None, tuple[str, str]] = {
    -2: (State.ACCEPTED, ""),  # stopped
    -1: (State.ACCEPTED, ""),  # waits to be sent
    0: (State.ACCEPTED, ""),  # handed to the operator
    1: (State.DELIVERED, ""),
    2: (State.DELIVERED, ""),  # read
    3: (State.EXPIRED, ""),
    4: (State.DELIVERED, ""),  # the link in it was followed
    20: (State.UNDELIVERED, ""),
    22: (State.REJECTED, "invalid_destination"),
    23: (State.REJECTED, "forbidden_text"),
    24: (State.REJECTED, "not_paid"),
    25: (State.UNDELIVERED, "no_route"),
}

# `err` of a message that was not delivered: more exact than its status.
_REASONS: dict[int, str] = {
    0: "",
    1: "invalid_destination",
    6: "absent_subscriber",
    11: "no_sms_service",
    12: "handset_error",
    13: "subscriber_blocked",
    21: "no_sms_service",
    200: "test_mode",
    219: "sim_changed",
    220: "queue_full",
    237: "absent_subscriber",  # 237, 240 and 242 are of voice calls
    238: "no_template",
    239: "rejected_by_gateway",  # the IP is not on the account's list
    240: "absent_subscriber",
    241: "rejected_by_gateway",  # not all parts came
    242: "absent_subscriber",
    243: "no_contract",
    244: "sender_not_allowed",
    245: "no_receipt",
    246: "wrong_hours",
    247: "over_limit",
    248: "no_route",
    249: "invalid_destination",
    250: "denied_number",
    251: "over_limit",
    252: "denied_number",
    253: "forbidden_text",
    254: "sender_not_allowed",
    255: "rejected_by_operator",
}
_TEST_MODE = 200


class SmscGateway(_http.HttpGateway):
    """The id is our reference, a UUID: SMSC takes letters, digits and «.-_», 40 at the most. It need not be unique
    there, so a second attempt would be a second message: the id is for asking, not for sending again."""

    name: ClassVar[str] = "smsc"
    capabilities: ClassVar[Capabilities] = Capabilities(
        status_by_id=True,
        status_by_reference=True,
        callback=True,
        balance=True,
        not_sooner=_NOT_SOONER,
        most_characters=1000,
    )
    variables: ClassVar[str] = "HOTLINE_SMSC"
    first_check: ClassVar[int] = 10

    def __init__(self) -> None:
        super().__init__(settings.SMSC_URL, settings.SMS_TIMEOUT)

    def credentials(self) -> dict[str, str]:
        return {"LOGIN": settings.SMSC_LOGIN, "PASSWORD": settings.SMSC_PASSWORD}

    def _account(self) -> dict[str, Any]:
        return {"login": settings.SMSC_LOGIN, "psw": settings.SMSC_PASSWORD, "fmt": 3, "charset": "utf-8"}

    def hand_over(self, submission: Submission) -> _http.Answer:
        message = {
            "id": str(submission.reference),
            "phones": submission.to,  # with its «+»: SMSC then corrects nothing
            "mes": submission.text,
            "sender": submission.sender,
            "cost": 3,  # send, and tell the cost
        }
        return self.post("/rest/send/", json=self._account() | message)

    def outcome_of(self, answer: _http.Answer) -> Outcome:
        said = answer.json_object()
        if answer.status != 200:
            return _http.otherwise(answer)
        if "error_code" in said or "error" in said:
            code = read_code(said.get("error_code"))
            return _REFUSALS.get(code, _http.otherwise(answer))
        if (gateway_id := read_id(said.get("id"))) and read_code(said.get("cnt")):
            return Accepted(gateway_id=gateway_id, cost=_http.read_money(said.get("cost")))
        return _http.otherwise(answer)

    def fetch_status(self, *, gateway_id: str, reference: UUID, to: str) -> Status | None:
        sought = gateway_id or str(reference)
        told = self.ask("/sys/status.php", data=self._account() | {"phone": to, "id": sought, "all": 1})
        if "error_code" in told:
            return None
        return _status(sought, told.get("status"), told.get("err"), _http.read_money(told.get("cost")))

    def fetch_balance(self) -> Decimal | None:
        return _http.read_balance(self.ask("/sys/balance.php", data=self._account()).get("balance"))

    def registered_address(self, address: str) -> str:
        return f"{address}?charset=utf-8&sha1={secret_of(self.name)}"

    def parse_callback(self, callback: Callback) -> CallbackReply:
        """A form with `id`, `phone`, `status`, `err`, and a hash over the first three and the secret word that stands
        in the handler's address as `sha1` or `md5`. Incoming SMS and calls come to the same address: not ours."""
        said = {name: values[0] for name, values in callback.form.items()}
        if "mes" in said or "waitcall" in said:
            return CallbackReply()
        _verify(said)
        status = _status(read_id(said["id"]), said["status"], said.get("err"), None)
        return CallbackReply(statuses=[status] if status else [])


def _verify(said: dict[str, str]) -> None:
    """Raises CallbackRefused where the hash is not there, or is another one. MD5 and SHA-1 are all that SMSC offers."""
    if not {"id", "phone", "status"} <= set(said):
        raise CallbackRefused("unreadable")
    signed = ":".join([said["id"], said["phone"], said["status"], secret_of(SmscGateway.name)]).encode()
    hashes = {"sha1": hashlib.sha1(signed), "md5": hashlib.md5(signed)}  # noqa: S324 - the gateway's choice
    given = [name for name in hashes if name in said]
    if not given or not all(constant_time_compare(said[name].lower(), hashes[name].hexdigest()) for name in given):
        raise CallbackRefused("bad_hash")


def _status(gateway_id: str, status: object, err: object, cost: Decimal | None) -> Status | None:
    """A status in our words; None where it tells nothing."""
    known, error = _STATES.get(read_code(status)), read_code(err)
    if known is None or not gateway_id:
        return None
    state, reason = known
    if state == State.DELIVERED and error == _TEST_MODE:
        state = State.UNDELIVERED  # in the account's test mode nothing is sent, and called delivered
    if state not in {State.ACCEPTED, State.DELIVERED} and error:
        reason = _REASONS.get(error, f"smsc_{error}")
    return Status(gateway_id=gateway_id, state=state, reason=reason, reference=_as_reference(gateway_id), cost=cost)


def _as_reference(gateway_id: str) -> UUID | None:
    try:
        return UUID(gateway_id)
    except ValueError:
        return None
