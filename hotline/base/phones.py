"""Reading phone numbers as people write them. What was typed is always kept; this module only judges it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

# Letters that stand for digits when somebody types or a scan is read: О and З look like 0 and 3.
_LETTERS = str.maketrans({"О": "0", "о": "0", "O": "0", "o": "0", "З": "3", "з": "3", "І": "1", "l": "1"})
_EXTENSION = re.compile(r"(?:доб(?:авочный)?|вн(?:утр)?|ext|x|#)\.?\s*(\d{1,6})\s*$", re.IGNORECASE)
_SEVEN = re.compile(r"\+7(\d{3})(\d{3})(\d{2})(\d{2})", re.ASCII)
_SEPARATORS = re.compile(r"[;/|\n]|,(?=\s*[+8(7])|\s+(?:или|и)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Phone:
    """A judged number. `e164` is "" where `problem` (a code) says why it could not be read."""

    raw: str
    e164: str = ""
    region: str = ""  # ISO 3166 alpha-2; +7 is RU, KZ, or "" for ranges libphonenumber can't place
    line_type: str = ""  # mobile, fixed, toll_free, other
    extension: str = ""
    problem: str = ""  # empty, several, letters, invalid


_TYPES = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
}


def read_phone(raw: str, *, default_region: str = "RU") -> Phone:
    """Judge a number as typed: «8 (916) 123-45-67 доб. 12», look-alike letters among the digits, two numbers, nothing.

    Never raises: what can't be read comes back with a `problem` code and the text as it was.
    """
    text = raw.strip()
    if not text:
        return Phone(raw=raw, problem="empty")
    extension = ""
    if match := _EXTENSION.search(text):
        extension = match.group(1)
        text = text[: match.start()].strip()
    if len([part for part in _SEPARATORS.split(text) if len(re.sub(r"\D", "", part)) >= 5]) > 1:
        return Phone(raw=raw, problem="several")
    text = text.translate(_LETTERS)
    if re.search(r"[^\W\d_]", text):
        return Phone(raw=raw, problem="letters")
    digits = re.sub(r"\D", "", text)
    if len(digits) == 11 and digits[0] == "7" and "+" not in text:
        text = "+" + digits  # «7916…» without its plus, as exchanges write it
    try:
        number = phonenumbers.parse(text, default_region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        # Two numbers with nothing but a space between them: no number of any country is that long.
        problem = "several" if len(digits) >= 20 else "invalid"
        return Phone(raw=raw, extension=extension, problem=problem)
    return Phone(
        raw=raw,
        e164=phonenumbers.format_number(number, PhoneNumberFormat.E164),
        region=phonenumbers.region_code_for_number(number) or "",
        line_type=_TYPES.get(phonenumbers.number_type(number), "other"),
        extension=extension or (number.extension or ""),
    )


def digits_of(text: str) -> str:
    """Only the digits, for a search by a part of a number; a leading 8 of a full Russian number becomes 7."""
    digits = re.sub(r"\D", "", text.translate(_LETTERS))
    return "7" + digits[1:] if len(digits) == 11 and digits[0] == "8" else digits


def format_phone(e164: str) -> str:
    """«+79161234567» → «+7 916 123-45-67», Kazakh ones alike; what is no number comes back as it is."""
    if match := _SEVEN.fullmatch(e164):
        return "+7 {} {}-{}-{}".format(*match.groups())
    try:
        return phonenumbers.format_number(phonenumbers.parse(e164), PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return e164
