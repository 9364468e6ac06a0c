"""A part as a submit_sm: worked cases octet by octet, and cuts at the edge of a part."""

from __future__ import annotations

from uuid import uuid4

import pytest

from sms import segments
from sms.actions import PartToSend
from sms.smpp import encoding, pdus
from sms.smpp.encoding import gsm7, source_address, submit_body


def part(text: str, **fields: object) -> PartToSend:
    made: dict[str, object] = {
        "message": 1,
        "token": uuid4(),
        "seq": 1,
        "total": 1,
        "reference": 0x2A,
        "to": "+79160000101",
        "sender": "HOTLINE",
        "text": text,
        "encoding": segments.count(text).encoding,
    }
    return PartToSend(**{**made, **fields})  # type: ignore[arg-type]


def parts(text: str) -> list[PartToSend]:
    counted = segments.count(text)
    return [
        part(piece, seq=seq, total=counted.count, encoding=counted.encoding)
        for seq, piece in enumerate(counted.parts, start=1)
    ]


def short_message(body: bytes) -> bytes:
    """What follows the last octet before it, sm_length: everything in front is of a known length here."""
    front = len(submit_body(part(""))) - 1
    assert body[front] == len(body) - front - 1
    return body[front + 1 :]


def test_the_alphabet_is_the_counters() -> None:
    alphabet = {char for char in encoding._SEPTETS if len(encoding._SEPTETS[char]) == 1}
    assert (alphabet, set(encoding._EXTENSION)) == (segments._BASIC, segments._EXTENSION)
    assert len(encoding._ALPHABET) == 128
    assert encoding._ALPHABET[encoding._ESC] == "\x1b"


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("@£$¥", "00 01 02 03"),
        ("Hello!", "48 65 6c 6c 6f 21"),
        ("§¿_Δ", "5f 60 11 10"),
        ("ÄÖÑÜäöñüà", "5b 5c 5d 5e 7b 7c 7d 7e 7f"),
        ("€", "1b 65"),
        ("^{}\\[~]|\f", "1b 14 1b 28 1b 29 1b 2f 1b 3c 1b 3d 1b 3e 1b 40 1b 0a"),
        ("a\nb", "61 0a 62"),
    ],
)
def test_septets(text: str, octets: str) -> None:
    assert gsm7(text) == bytes.fromhex(octets)


@pytest.mark.parametrize("text", ["я", "«", "\x1b", "😀"])
def test_what_is_in_no_septet_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="alphabet"):
        gsm7(text)


def test_the_whole_body_of_a_short_message() -> None:
    assert submit_body(part("Hi")) == bytes.fromhex(
        "00"  # service_type
        "05 00 484f544c494e45 00"  # alphanumeric, HOTLINE
        "01 01 3739313630303030313031 00"  # international, ISDN
        "00 00 00"  # esm_class, protocol_id, priority_flag
        "00 00"  # now, the centre's validity
        "01 00 00 00"  # a receipt, no replacement, the default alphabet
        "02 4869"
    )


def test_the_header_of_a_long_message_and_ucs2() -> None:
    first, second = parts("я" * 71)
    body = submit_body(second)
    assert body[1 + 2 + 8 + 2 + 12] == 0x40  # esm_class: there is a header
    assert short_message(body) == bytes.fromhex("05 00 03 2a 02 02" + "044f" * 4)
    assert len(short_message(submit_body(first))) == 140
    assert body[-(14 + 3)] == 8  # data_coding, before sm_default_msg_id, sm_length and the message


def test_an_escape_at_the_edge_of_a_part_stays_whole() -> None:
    first, second = parts("a" * 152 + "€" + "b" * 20)
    assert short_message(submit_body(first))[6:] == b"a" * 152
    assert short_message(submit_body(second))[6:] == b"\x1b\x65" + b"b" * 20


def test_a_surrogate_pair_at_the_edge_of_a_part_stays_whole() -> None:
    first, second = parts("я" * 66 + "😀" + "ю" * 10)
    assert short_message(submit_body(first))[6:].decode("utf-16-be") == "я" * 66
    assert short_message(submit_body(second))[6:].decode("utf-16-be") == "😀" + "ю" * 10


@pytest.mark.parametrize("text", ["a" * 1530, "€" * 760, "я" * 670, "😀" * 330, "a" * 152 + "€" + "[" * 300])
def test_no_part_is_longer_than_a_telephone_takes(text: str) -> None:
    """140 octets with the header: 134 of UCS-2, or 153 septets (each in an octet here)."""
    for each in parts(text):
        message = short_message(submit_body(each))
        limit = 6 + (153 if each.encoding == segments.GSM7 else 134)
        assert 6 < len(message) <= limit


def test_the_reference_is_one_octet() -> None:
    assert short_message(submit_body(part("a", total=2, reference=0x1FF)))[3] == 0xFF


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("HOTLINE", (5, 0, "HOTLINE")),
        ("Bosch & Co.", (5, 0, "Bosch & Co.")),
        ("7878", (3, 0, "7878")),
        ("79160000000", (1, 1, "79160000000")),
        ("+79160000000", (1, 1, "79160000000")),
    ],
)
def test_senders(sender: str, address: tuple[int, int, str]) -> None:
    assert source_address(sender) == address


@pytest.mark.parametrize("sender", ["", "ГОРЯЧАЯ", "TWELVECHARSX", "A\0B", "1" * 16])
def test_what_is_no_sender(sender: str) -> None:
    with pytest.raises(ValueError, match="sender"):
        source_address(sender)


def test_an_address_can_t_end_early() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        pdus.c_string("a\0b")
