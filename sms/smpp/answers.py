"""What the centre's words mean for a part: command_status → outcome, a receipt → state. Tables, pure (docs/smpp.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sms.gateways.base import Accepted, NotSubmitted, Outcome, Rejected, Unknown
from sms.smpp import pdus

# --- command_status of a submit_sm_resp (SMPP 3.4, 5.1.3) -------------------------------------------
# The centre is full: surely not taken, another try follows.
THROTTLED = {0x14: "RMSGQFUL", 0x58: "RTHROTTLED"}
# It takes no submit_sm from this connection: surely not taken, and the connection is made anew.
NOT_BOUND = {0x04: "RINVBNDSTS"}
# There is no such number.
NO_SUCH_NUMBER = {0x0B: "RINVDSTADR", 0x50: "RINVDSTTON", 0x51: "RINVDSTNPI"}
# The sender's name is not ours, or not registered.
BAD_SENDER = {0x0A: "RINVSRCADR", 0x48: "RINVSRCTON", 0x49: "RINVSRCNPI"}
# The centre found the request wrong before it did anything: the next one would be the same.
REFUSED = {
    0x01: "RINVMSGLEN",
    0x02: "RINVCMDLEN",
    0x03: "RINVCMDID",
    0x06: "RINVPRTFLG",
    0x07: "RINVREGDLVFLG",
    0x15: "RINVSERTYP",
    0x43: "RINVESMCLASS",
    0x53: "RINVSYSTYP",
    0x54: "RINVREPFLAG",
    0x61: "RINVSCHED",
    0x62: "RINVEXPIRY",
    0x63: "RINVDFTMSGID",
    0xC0: "RINVOPTPARSTREAM",
    0xC1: "ROPTPARNOTALLWD",
    0xC2: "RINVPARLEN",
    0xC3: "RMISSINGOPTPARAM",
    0xC4: "RINVOPTPARAMVAL",
}
# Whatever else it says (RSYSERR, RSUBMITFAIL, RUNKNOWNERR, a vendor's own): nobody knows how far it came.


def outcome_of(answer: pdus.Pdu, ids: str = "same") -> Outcome:
    """What the answer to a submit_sm means; a generic_nack in its place is judged by the same table."""
    status = answer.status
    if answer.command == pdus.SUBMIT_SM | pdus.RESPONSE and status == pdus.ROK:
        return Accepted(gateway_id=id_of_answer(pdus.message_id(answer.body), ids))
    if status in THROTTLED:
        return NotSubmitted(reason="throttled")
    if status in NOT_BOUND:
        return NotSubmitted(reason="no_connection:not_bound")
    if status in NO_SUCH_NUMBER:
        return Rejected(reason="invalid_destination")
    if status in BAD_SENDER:
        return Rejected(reason="sender_not_allowed")
    if status in REFUSED:
        return Rejected(reason=f"bad_request:{REFUSED[status]}")
    return Unknown(reason=f"unclear:{status:#x}")


# --- Receipts (5.2.28, appendix B) ------------------------------------------------------------------
# message_state, and the word of the text form. "": no news, or nobody knows; the part stays what it is.
STATES: dict[int, tuple[str, str]] = {
    1: ("ENROUTE", ""),
    2: ("DELIVRD", "delivered"),
    3: ("EXPIRED", "expired"),
    4: ("DELETED", "undelivered"),
    5: ("UNDELIV", "undelivered"),
    6: ("ACCEPTD", ""),
    7: ("UNKNOWN", ""),
    8: ("REJECTD", "rejected"),
}
# Some centres write the names of the states out (5.2.28).
_WRITTEN_OUT = {
    "ACCEPTED": "",
    "DELIVERED": "delivered",
    "UNDELIVERABLE": "undelivered",
    "UNDELIVERED": "undelivered",
    "REJECTED": "rejected",
}
_BY_WORD = {**dict(STATES.values()), **_WRITTEN_OUT}

_TYPE, _RECEIPT, _INTERMEDIATE = 0x3C, 0x04, 0x20  # esm_class of a deliver_sm (5.2.12)
# An empty field takes nothing from the one behind it.
_NAMES = "id|sub|dlvrd|submit date|done date|stat|err|text"
_FIELD = re.compile(rf"\b(id|stat|err):\s*(?!(?:{_NAMES}):)([^\s;,]+)", re.IGNORECASE)
_TEXT = re.compile(r"\btext:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says of a part: `state` is of SmsPart, "" where that is no news; `gateway_id` in the form in which
    we keep ids."""

    gateway_id: str
    state: str
    reason: str


def is_receipt(delivery: pdus.Delivery) -> bool:
    """Of a message of ours; else it is what a client wrote, or a client's telephone.

    Some centres leave esm_class 0 and name the message in the option, which nothing but a receipt has (5.3.2.12).
    """
    return delivery.esm_class & _TYPE in (_RECEIPT, _INTERMEDIATE) or (
        delivery.esm_class & _TYPE == 0 and pdus.RECEIPTED_MESSAGE_ID in delivery.options
    )


def receipt_of(delivery: pdus.Delivery, ids: str = "same") -> Receipt | None:
    """What a receipt says; None where it can't be read. Options count more than the text.

    The id: of a centre that writes both kinds in one way the option's, else the text's. An option alone names the id as
    the answer did (5.3.2.12).
    """
    said = _fields(delivery)
    named = delivery.options.get(pdus.RECEIPTED_MESSAGE_ID, b"").partition(b"\0")[0].decode("ascii", "replace").strip()
    written = said.get("id", "")
    told = delivery.options.get(pdus.MESSAGE_STATE, b"")
    written_state = _BY_WORD.get(said.get("stat", "").upper())
    state = (STATES[told[0]][1] if told[0] in STATES else None) if told else written_state
    by_option = bool(named) and (ids == "same" or not written)
    gateway_id = id_of_answer(named, ids) if by_option else id_of_receipt(written, ids)
    if not gateway_id or state is None:
        return None
    return Receipt(gateway_id, state, "" if state in ("", "delivered") else _reason(delivery, said))


def _fields(delivery: pdus.Delivery) -> dict[str, str]:
    """`id`, `stat` and `err` of the text form, read in the alphabet that was declared; where that shows nothing, in
    another one: some centres write ASCII and say UCS-2, or write its octets the other way round."""
    first = ("utf-16-be", "latin-1") if delivery.data_coding == 8 else ("latin-1", "utf-16-be")
    alphabets = (*first, "utf-16-le")
    found = (_fields_of(delivery.message.decode(alphabet, "replace")) for alphabet in alphabets)
    return next(filter(None, found), {})


def _fields_of(text: str) -> dict[str, str]:
    """What stands behind `text:` is the client's."""
    found: dict[str, str] = {}
    for name, value in _FIELD.findall(_TEXT.split(text.replace("\0", " "), maxsplit=1)[0]):
        found.setdefault(name.lower(), value)
    return found


def _reason(delivery: pdus.Delivery, said: dict[str, str]) -> str:
    code = said.get("err", "")
    if not code and len(octets := delivery.options.get(pdus.NETWORK_ERROR_CODE, b"")) == 3:
        code = str(int.from_bytes(octets[1:], "big"))
    return f"network:{code}"[:60] if code.strip("0") else "network"


# --- Ids --------------------------------------------------------------------------------------------
# (base of the ids in answers, base of those in receipts): kept as decimal then, whoever wrote them.
ID_FORMS: dict[str, tuple[int, int] | None] = {"same": None, "hex-dec": (16, 10), "dec-hex": (10, 16)}
_MARK = re.compile(r"^0[xX](?=[0-9a-fA-F])")


def id_of_answer(written: str, ids: str) -> str:
    """An id of a submit_sm_resp in the form in which we keep it."""
    return _kept(written, ids, 0)


def id_of_receipt(written: str, ids: str) -> str:
    """The same of a receipt's text."""
    return _kept(written, ids, 1)


def _kept(written: str, ids: str, whose: int) -> str:
    form = ID_FORMS[ids]
    written = written.strip()[:100]
    return _decimal(written, form[whose]) if form else _plain(written)


def _decimal(written: str, base: int) -> str:
    """`0x` says what it is. What can't be read in this base stays as it is."""
    digits = _MARK.sub("", written)
    if digits != written:
        base = 16
    if not re.fullmatch(r"[0-9a-fA-F]{1,64}" if base == 16 else r"[0-9]{1,64}", digits):
        return written
    return str(int(digits, base))[:100]


def _plain(written: str) -> str:
    """One form of what a centre writes now with leading zeros, `0x` or capitals, and now without: a number, decimal or
    hexadecimal, or a UUID.

    Of other ids each letter counts, for two may differ in case alone; so it does where both cases are mixed.
    """
    digits = _MARK.sub("", written)
    if not re.fullmatch(r"[0-9a-f-]+|[0-9A-F-]+", digits):
        return written
    return digits.lower().lstrip("0") or "0"
