"""How many SMS a text becomes: GSM 03.38 where every character is in it, UCS-2 otherwise (3GPP TS 23.038, TS 23.040).

Pure: no Django, so that the development gateway's process uses the very same counter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GSM7 = "gsm7"
UCS2 = "ucs2"

# The default alphabet (TS 23.038, 6.2.1) without ESC, which is no character but the way into the extension table.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# The extension table (6.2.1.1): each is sent as ESC and a second septet.
_EXTENSION = frozenset("\f^{}\\[~]|€")

# (alone, as a part of a long message): a part loses 6 octets to the header that joins them (TS 23.040, 9.2.3.24.1).
_LIMITS = {GSM7: (160, 153), UCS2: (70, 67)}

_CYRILLIC = re.compile(r"[Ѐ-ӿ]")


@dataclass(frozen=True, slots=True)
class Segments:
    """A text cut into the parts it is sent in.

    `units` are septets (GSM 03.38) or 16-bit code units (UCS-2); `forced` holds the distinct characters that force
    UCS-2, in the order in which they occur.
    """

    encoding: str
    units: int
    parts: tuple[str, ...]
    forced: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many SMS; 0 for an empty text."""
        return len(self.parts)

    @property
    def limit(self) -> int:
        """Units that fit into one part of this message."""
        return _LIMITS[self.encoding][self.count > 1]

    @property
    def left(self) -> int:
        """Units that still fit into the last part."""
        if not self.parts:
            return self.limit
        return self.limit - sum(_width(char, self.encoding) for char in self.parts[-1])

    @property
    def has_cyrillic(self) -> bool:
        return any(_CYRILLIC.match(char) for char in self.forced)

    @property
    def forced_in_words(self) -> list[str]:
        """`forced_besides_cyrillic` to be shown: what can't be seen by its code point (U+00A0), the first dozen."""
        seen = self.forced_besides_cyrillic[:12]
        return [char if char.isprintable() and not char.isspace() else f"U+{ord(char):04X}" for char in seen]

    @property
    def forced_besides_cyrillic(self) -> tuple[str, ...]:
        """In a Russian text every letter forces UCS-2; this is what would still force it in Latin letters: «, №, —."""
        return tuple(char for char in self.forced if not _CYRILLIC.match(char))


def count(text: str) -> Segments:
    """Cut a text into parts, greedily; an escape sequence or a surrogate pair is never split between two parts."""
    forced = tuple(dict.fromkeys(char for char in text if char not in _BASIC and char not in _EXTENSION))
    encoding = UCS2 if forced else GSM7
    alone, joined = _LIMITS[encoding]
    units = sum(_width(char, encoding) for char in text)
    if units <= alone:
        return Segments(encoding, units, (text,) if text else (), forced)
    parts: list[str] = []
    start = used = 0
    for index, char in enumerate(text):
        width = _width(char, encoding)
        if used + width > joined:
            parts.append(text[start:index])
            start, used = index, 0
        used += width
    parts.append(text[start:])
    return Segments(encoding, units, tuple(parts), forced)


def _width(char: str, encoding: str) -> int:
    """Units of one character: 2 for an extension character, and for one beyond the basic plane (a surrogate pair)."""
    if encoding == UCS2:
        return 2 if ord(char) > 0xFFFF else 1
    return 2 if char in _EXTENSION else 1
