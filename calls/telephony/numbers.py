"""Reading the client's number as exchanges give it: «anonymous», SIP addresses, no plus, internal extensions."""

from __future__ import annotations

import re

from hotline.base.phones import read_phone

HIDDEN = frozenset(
    {
        "", "-", "0", "anonymous", "asserted", "blocked", "hidden", "none", "null", "private", "restricted",
        "unavailable", "undefined", "unknown", "withheld",
    }
)  # fmt: skip
_ADDRESS = re.compile(r"^(?:sips?|tel):", re.IGNORECASE)
_INTERNAL = re.compile(r"^[*#0-9]{1,6}$")


def bare(raw: str) -> str:
    """The number out of what exchanges wrap it in: `"Ivan" <sip:+7916…@pbx;user=phone>` → `+7916…`."""
    text = raw.strip()
    if "<" in text and text.endswith(">"):
        text = text[text.rindex("<") + 1 : -1].strip()
    text = _ADDRESS.sub("", text)
    return re.split(r"[@;]", text, maxsplit=1)[0].strip()


def is_hidden(raw: str) -> bool:
    """The exchange says that the caller withheld the number, or says nothing."""
    return bare(raw).casefold() in HIDDEN


def is_internal(raw: str) -> bool:
    """A telephone of the house: up to six digits."""
    return bool(_INTERNAL.match(bare(raw)))


def read_number(raw: str) -> str:
    """E.164, or "" for what is hidden, internal or no number. Never raises."""
    text = bare(raw)
    if text.casefold() in HIDDEN or _INTERNAL.match(text):
        return ""
    if text.startswith("00") and len(text) > 10:
        text = "+" + text[2:]
    return read_phone(text).e164
