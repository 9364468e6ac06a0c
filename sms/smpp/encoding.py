"""A part of a message as the body of a submit_sm: alphabet, header of a long message, addresses. Pure.

The cut is `segments.count`'s, which counts 153 septets and 67 units a part: the room beside the header with an 8-bit
reference (TS 23.040, 9.2.3.24.1; 6 octets). The one with 16 bits takes 7: 152 and 66, and now and then one part more
to be paid for. Two long messages are mixed up only where both are on their way to one telephone and their references
agree in 8 bits, that is 256 messages apart.
"""

from __future__ import annotations

from sms import segments
from sms.actions.parts import PartToSend
from sms.smpp import pdus

# TS 23.038, 6.2.1: the septet is the place. One septet an octet is what SMPP's default data_coding means to centres.
_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESC = 0x1B
# TS 23.038, 6.2.1.1
_EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_SEPTETS: dict[str, bytes] = {
    **{char: bytes((place,)) for place, char in enumerate(_ALPHABET) if place != _ESC},
    **{char: bytes((_ESC, second)) for char, second in _EXTENSION.items()},
}

DEFAULT_ALPHABET, UCS2 = 0x00, 0x08  # data_coding (5.2.19)
_USER_DATA_HEADER = 0x40  # esm_class (5.2.12)

# TON and NPI (5.2.5, 5.2.6)
_INTERNATIONAL, _NATIONAL_SHORT, _ALPHANUMERIC = (1, 1), (3, 0), (5, 0)


def submit_body(part: PartToSend) -> bytes:
    """The body of the submit_sm of a part. Raises ValueError on what can't be said in it."""
    text = gsm7(part.text) if part.encoding == segments.GSM7 else part.text.encode("utf-16-be")
    header = b""
    if part.total > 1:
        header = bytes((5, 0, 3, part.reference & 0xFF, part.total, part.seq))
    return pdus.submit_sm(
        source=source_address(part.sender),
        destination=(*_INTERNATIONAL, part.to.removeprefix("+")),
        esm_class=_USER_DATA_HEADER if header else 0,
        data_coding=DEFAULT_ALPHABET if part.encoding == segments.GSM7 else UCS2,
        short_message=header + text,
    )


def gsm7(text: str) -> bytes:
    """The default alphabet, one septet an octet, extension characters as ESC and a second one. Raises ValueError."""
    try:
        return b"".join(_SEPTETS[char] for char in text)
    except KeyError as error:
        raise ValueError("a character outside the default alphabet") from error


def source_address(sender: str) -> tuple[int, int, str]:
    """TON, NPI and address: a name, a short number, or a whole one. Raises ValueError where it is none of them."""
    number = sender.removeprefix("+")
    if number.isascii() and number.isdecimal() and len(number) <= 15:
        return (*(_NATIONAL_SHORT if len(number) <= 6 else _INTERNATIONAL), number)
    if 1 <= len(sender) <= 11 and sender.isascii() and sender.isprintable():
        return (*_ALPHANUMERIC, sender)
    raise ValueError("a sender is 11 printable ASCII characters at the most, or a number")
