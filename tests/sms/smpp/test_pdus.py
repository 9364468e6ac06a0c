"""PDUs as octets: what can't be one is refused, and never more than refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms.smpp import answers, pdus
from sms.smpp.pdus import Malformed, Pdu, read_delivery, read_header

# deliver_sm: 79160000101 → HOTLINE, esm_class 4, «id:1 stat:DELIVRD», then message_state
FRONT = b"\0" + b"\x01\x0179160000101\0" + b"\x05\0HOTLINE\0" + b"\x04\0\0" + b"\0\0" + b"\0\0\0\0"
TEXT = b"id:1 stat:DELIVRD"


# data_sm: the same, and the text in the option
DATA = b"\0" + b"\x01\x0179160000101\0" + b"\x05\0HOTLINE\0" + b"\x04\0\x08"


def body(message: bytes = TEXT, options: bytes = b"", front: bytes = FRONT) -> bytes:
    return front + bytes((len(message),)) + message + options


def delivered(octets: bytes, command: int = pdus.DELIVER_SM) -> pdus.Delivery:
    return read_delivery(Pdu(command, 0, 1, octets))


def test_a_bind() -> None:
    bind = pdus.bind_transceiver(system_id="hotline", password="geheim", system_type="SMPP")
    assert bind == b"hotline\0geheim\0SMPP\0\x34\0\0\0"
    assert (
        Pdu(pdus.BIND_TRANSCEIVER, 0, 1, bind).encode() == bytes.fromhex("00000028 00000009 00000000 00000001") + bind
    )


def test_a_header() -> None:
    assert read_header(bytes.fromhex("00000011 80000004 00000058 00000007")) == (1, 0x80000004, 0x58, 7)


@pytest.mark.parametrize("length", [0, 1, 15, pdus.LONGEST + 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x48545450])
def test_an_absurd_length(length: int) -> None:
    with pytest.raises(Malformed):
        read_header(length.to_bytes(4, "big") + b"\0" * 12)


def test_a_delivery() -> None:
    found = delivered(body(options=b"\x04\x27\0\x01\x02" + b"\x00\x1e\0\x03A1\0"))
    assert (found.esm_class, found.data_coding, found.message) == (4, 0, TEXT)
    assert found.options == {pdus.MESSAGE_STATE: b"\x02", pdus.RECEIPTED_MESSAGE_ID: b"A1\0"}


def test_a_text_in_the_option_and_behind_a_header() -> None:
    assert delivered(body(b"", b"\x04\x24\0\x05hello")).message == b"hello"
    front = FRONT.replace(b"\x04\0\0", b"\x44\0\0")
    assert delivered(body(b"\x05\0\x03\x01\x02\x01hello", front=front)).message == b"hello"
    assert delivered(body(b"\xff\0", front=front)).message == b""


def test_a_data_sm() -> None:
    found = delivered(DATA + b"\x04\x24\0\x11" + TEXT + b"\x04\x27\0\x01\x02", pdus.DATA_SM)
    assert (found.esm_class, found.data_coding, found.message) == (4, 8, TEXT)
    assert found.options[pdus.MESSAGE_STATE] == b"\x02"
    assert answers.receipt_of(found) == answers.Receipt("1", "delivered", "")


def test_options_that_end_too_early_are_left_out() -> None:
    assert delivered(body(options=b"\x04\x27\0\x01\x02" + b"\x00\x1e\0\xffA1")).options == {0x427: b"\x02"}


@pytest.mark.parametrize("end", range(len(body())))
def test_half_a_delivery(end: int) -> None:
    with pytest.raises(Malformed):
        delivered(body()[:end])


@pytest.mark.parametrize("end", range(len(DATA)))
def test_half_a_data_sm(end: int) -> None:
    with pytest.raises(Malformed):
        delivered(DATA[:end], pdus.DATA_SM)


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([pdus.DELIVER_SM, pdus.DATA_SM]))
def test_whatever_comes_is_read_or_refused(octets: bytes, command: int) -> None:
    try:
        found = delivered(octets, command)
    except Malformed:
        return
    answers.is_receipt(found)
    for ids in answers.ID_FORMS:
        answers.receipt_of(found, ids)


@settings(deadline=None)
@given(st.binary(max_size=80), st.sampled_from(sorted(answers.ID_FORMS)), st.integers(0, 0xFFFFFFFF))
def test_whatever_an_answer_holds_it_has_an_outcome(octets: bytes, ids: str, status: int) -> None:
    answers.outcome_of(Pdu(pdus.SUBMIT_SM | pdus.RESPONSE, status, 1, octets), ids)
