"""PDUs of SMPP 3.4 as octets: the dozen that a transceiver meets (SMPP 3.4, sections 3 and 4). Pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

GENERIC_NACK = 0x80000000
SUBMIT_SM = 0x00000004
DELIVER_SM = 0x00000005
UNBIND = 0x00000006
BIND_TRANSCEIVER = 0x00000009
OUTBIND = 0x0000000B
ENQUIRE_LINK = 0x00000015
ALERT_NOTIFICATION = 0x00000102
DATA_SM = 0x00000103
RESPONSE = 0x80000000  # the bit that makes an answer of a request

# command_status (5.1.3), those that we send; what we get is in `answers`.
ROK = 0x00
RINVCMDLEN = 0x02
RINVCMDID = 0x03
RX_T_APPN = 0x64  # «temporary»: the centre says it again
RX_P_APPN = 0x65  # «permanent»: it need not

HEADER = struct.Struct(">IIII")
# message_payload may hold 64 KiB; what claims to be longer is no PDU.
LONGEST = 70_000
_VERSION = 0x34

# Optional parameters (5.3.2) that receipts carry.
RECEIPTED_MESSAGE_ID = 0x001E
NETWORK_ERROR_CODE = 0x0423
MESSAGE_PAYLOAD = 0x0424
MESSAGE_STATE = 0x0427


class Malformed(Exception):
    """These octets are no PDU. `status` is what a generic_nack says about them."""

    def __init__(self, words: str, status: int = RINVCMDLEN) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU; `body` is what follows its header."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def encode(self) -> bytes:
        return HEADER.pack(HEADER.size + len(self.body), self.command, self.status, self.sequence) + self.body


def read_header(octets: bytes) -> tuple[int, int, int, int]:
    """(length of the body, command, status, sequence). Raises Malformed on a length that can't be."""
    length, command, status, sequence = HEADER.unpack(octets)
    if not HEADER.size <= length <= LONGEST:
        raise Malformed(f"a PDU of {length} octets")
    return length - HEADER.size, command, status, sequence


# --- What we send -----------------------------------------------------------------------------------
def bind_transceiver(*, system_id: str, password: str, system_type: str) -> bytes:
    """The body of a bind (4.1.5): no address range, the centre knows ours."""
    names = b"".join(map(c_string, (system_id, password, system_type)))
    return names + bytes((_VERSION, 0, 0)) + c_string("")


def submit_sm(
    *,
    source: tuple[int, int, str],
    destination: tuple[int, int, str],
    esm_class: int,
    data_coding: int,
    short_message: bytes,
) -> bytes:
    """The body of a submit_sm (4.4.1) that asks for a receipt. `source` and `destination`: TON, NPI, address."""
    if len(short_message) > 254:
        raise ValueError("a short message has 254 octets at the most")
    return b"".join(
        (
            c_string(""),  # service_type
            bytes(source[:2]) + c_string(source[2]),
            bytes(destination[:2]) + c_string(destination[2]),
            bytes((esm_class, 0, 0)),  # protocol_id, priority_flag
            c_string(""),  # schedule_delivery_time: now
            c_string(""),  # validity_period: the centre's own
            bytes((1, 0, data_coding, 0)),  # registered_delivery, replace_if_present, …, sm_default_msg_id
            bytes((len(short_message),)) + short_message,
        )
    )


def c_string(text: str) -> bytes:
    """A C-octet string. Raises ValueError on what is no ASCII or would end it early."""
    if "\0" in text or not text.isascii():
        raise ValueError("a C-octet string holds ASCII without NUL")
    return text.encode("ascii") + b"\0"


# --- What we get ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Delivery:
    """What a deliver_sm or data_sm brings: a receipt, or what a client wrote."""

    esm_class: int
    data_coding: int
    message: bytes  # without its user data header
    options: Mapping[int, bytes]


def message_id(body: bytes) -> str:
    """The id in the body of a submit_sm_resp; "" where it has none. Centres leave out its NUL, or the whole of it."""
    return body.partition(b"\0")[0].decode("ascii", "replace").replace("\ufffd", "?").strip()[:100]


def read_delivery(pdu: Pdu) -> Delivery:
    """A deliver_sm (4.6.1) or data_sm (4.7.1). Raises Malformed; options that can't be read are left out."""
    reader = _Reader(pdu.body)
    reader.c_string()  # service_type
    for _ in ("source", "destination"):
        reader.octets(2)
        reader.c_string()
    if pdu.command == DATA_SM:
        esm_class, _, data_coding = reader.octets(3)
        message = b""  # it is in the option
    else:
        esm_class = reader.octets(3)[0]
        reader.c_string()
        reader.c_string()
        data_coding = reader.octets(4)[2]
        message = reader.octets(reader.octets(1)[0])
    options = _read_options(reader.rest())
    message = message or options.get(MESSAGE_PAYLOAD, b"")
    if esm_class & 0x40 and message:
        message = message[1 + message[0] :]
    return Delivery(esm_class, data_coding, message, options)


class _Reader:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def octets(self, count: int) -> bytes:
        found = self._octets[self._at : self._at + count]
        if len(found) < count:
            raise Malformed("a body that ends too early")
        self._at += count
        return found

    def c_string(self) -> bytes:
        end = self._octets.find(b"\0", self._at)
        if end < 0:
            raise Malformed("a string without its end")
        found = self._octets[self._at : end]
        self._at = end + 1
        return found

    def rest(self) -> bytes:
        return self._octets[self._at :]


def _read_options(octets: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while len(octets) >= 4:
        tag, length = struct.unpack_from(">HH", octets)
        if len(octets) < 4 + length:
            break
        found.setdefault(tag, octets[4 : 4 + length])
        octets = octets[4 + length :]
    return found
