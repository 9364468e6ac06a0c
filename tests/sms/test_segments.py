"""The segment counter against worked cases (3GPP TS 23.038): 160/153, 70/67, escapes and surrogates at the edge of a
part. What is counted, what is kept and what goes out over SMPP is the same for every one of them.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.actions import PartToSend, claim_parts, queue_message
from sms.models import SmsPart
from sms.segments import GSM7, UCS2, Segments, count
from sms.smpp import encoding
from sms.templating import checked_text
from tests.sms import wire
from tests.sms.factories import MOBILE, person

Я = "я"
EMOJI = "🔧"  # a surrogate pair: two units
FAMILY = "👨\u200d👩\u200d👧"  # three pairs and two joiners: one picture of eight units
FLAG = "🇷🇺"  # two pairs
BREVE = "и\u0306"  # «й» as two characters, which a telephone joins

CASES = [
    # text, encoding, units, lengths of the parts in characters, left in the last part
    ("", GSM7, 0, [], 160),
    ("a", GSM7, 1, [1], 159),
    ("a" * 160, GSM7, 160, [160], 0),
    ("a" * 161, GSM7, 161, [153, 8], 145),
    ("a" * 305, GSM7, 305, [153, 152], 1),
    ("a" * 306, GSM7, 306, [153, 153], 0),
    ("a" * 307, GSM7, 307, [153, 153, 1], 152),
    ("a" * 459, GSM7, 459, [153] * 3, 0),
    ("a" * 460, GSM7, 460, [153] * 3 + [1], 152),
    ("a" * 1530, GSM7, 1530, [153] * 10, 0),
    # extension characters count 2
    ("€", GSM7, 2, [1], 158),
    ("€" * 80, GSM7, 160, [80], 0),
    ("€" * 81, GSM7, 162, [76, 5], 143),  # 76 × 2 = 152: the 77th would be split at 153
    ("a" * 152 + "€" + "a" * 10, GSM7, 164, [152, 11], 141),  # the escape moves whole into the second part
    ("a" * 151 + "€" + "a" * 10, GSM7, 163, [152, 10], 143),  # 151 + 2 = 153 fits
    ("a" * 158 + "€", GSM7, 160, [159], 0),
    ("a" * 159 + "€", GSM7, 161, [153, 7], 145),
    ("€" + "a" * 159, GSM7, 161, [152, 8], 145),
    ("a" * 152 + "€" + "a" * 152, GSM7, 306, [152, 152, 1], 152),  # a unit wasted: 306 units, and yet three parts
    ("a" * 151 + "€" + "a" * 153, GSM7, 306, [152, 153], 0),
    (("a" * 152 + "€") * 2 + "a", GSM7, 309, [152, 152, 3], 149),  # at both edges: the second holds €, 151 × a
    ("^{}\\[~]|€\f", GSM7, 20, [10], 140),
    ("line\nline\r", GSM7, 10, [10], 150),
    ("a\nb", GSM7, 3, [3], 157),
    ("a\r\nb", GSM7, 4, [4], 156),  # as it stands; whoever sends or shows it makes one \n of it before
    ("\n" * 161, GSM7, 161, [153, 8], 145),
    ("$@_ £¥", GSM7, 6, [6], 154),
    ("ÄÖÜäöüßÆæØøÅåÉéñÑ¿¡£¥§¤ΔΦΓΛΩΠΨΣΘΞ@_", GSM7, 35, [35], 125),
    # one character outside the alphabet, and all is UCS-2
    (Я, UCS2, 1, [1], 69),
    (Я * 70, UCS2, 70, [70], 0),
    (Я * 71, UCS2, 71, [67, 4], 63),
    (Я * 133, UCS2, 133, [67, 66], 1),
    (Я * 134, UCS2, 134, [67, 67], 0),
    (Я * 135, UCS2, 135, [67, 67, 1], 66),
    (Я * 201, UCS2, 201, [67] * 3, 0),
    (Я * 202, UCS2, 202, [67] * 3 + [1], 66),
    (Я * 670, UCS2, 670, [67] * 10, 0),
    ("a" * 160 + Я, UCS2, 161, [67, 67, 27], 40),  # one letter more, and one SMS is three
    ("«Ремонт» № 5 — ёлка, 10 €", UCS2, 25, [25], 45),
    ("«" * 70, UCS2, 70, [70], 0),
    ("№" * 71, UCS2, 71, [67, 4], 63),
    ("ё" * 135, UCS2, 135, [67, 67, 1], 66),
    ("{€}" + Я, UCS2, 4, [4], 66),  # nothing counts two here but a pair
    (Я + "\n" + Я + "\r\n", UCS2, 5, [5], 65),
    ("€" * 69 + Я, UCS2, 70, [70], 0),  # in UCS-2 the euro sign is one unit
    (EMOJI, UCS2, 2, [1], 68),
    (EMOJI * 35, UCS2, 70, [35], 0),
    (EMOJI * 36, UCS2, 72, [33, 3], 61),  # 33 × 2 = 66: the 34th would be split at 67
    (Я * 66 + EMOJI + Я * 5, UCS2, 73, [66, 6], 60),  # the pair moves whole into the second part
    (Я * 65 + EMOJI + Я * 5, UCS2, 72, [66, 5], 62),  # 65 + 2 = 67 fits
    (Я * 68 + EMOJI, UCS2, 70, [69], 0),
    (Я * 69 + EMOJI, UCS2, 71, [67, 3], 63),
    (EMOJI + Я * 69, UCS2, 71, [66, 4], 63),
    (Я * 66 + EMOJI + Я * 66, UCS2, 134, [66, 66, 1], 66),  # a unit wasted: 134 units, and yet three parts
    (Я * 65 + EMOJI + Я * 67, UCS2, 134, [66, 67], 0),
    (Я + EMOJI * 67, UCS2, 135, [34, 33, 1], 65),  # 1 + 33 × 2 = 67, then 33 × 2 = 66
    (EMOJI + "a" * 158, UCS2, 160, [66, 67, 26], 41),
    # what looks like one character and is several
    (FAMILY, UCS2, 8, [5], 62),
    (Я * 66 + FAMILY, UCS2, 74, [66, 5], 59),
    (Я * 65 + FAMILY, UCS2, 73, [66, 4], 61),  # the picture may be cut, its pairs may not
    (FLAG, UCS2, 4, [2], 66),
    (BREVE, UCS2, 2, [2], 68),
    (BREVE * 35, UCS2, 70, [70], 0),
    (BREVE * 36, UCS2, 72, [67, 5], 62),
]


@pytest.mark.parametrize(("text", "encoding", "units", "parts", "left"), CASES)
def test_worked_cases(text: str, encoding: str, units: int, parts: list[int], left: int) -> None:
    found = count(text)
    assert (found.encoding, found.units, [len(part) for part in found.parts], found.left) == (
        encoding,
        units,
        parts,
        left,
    )
    assert found.count == len(parts)


FORCED = [
    ("Order 5", ()),
    ("№5", ("№",)),
    ("«Order» — №5, №6", ("«", "»", "—", "№")),
    ("ç", ("ç",)),  # Ç is in the alphabet, ç is not
    ("`", ("`",)),
    ("a\tb", ("\t",)),
    ("a\x1bb", ("\x1b",)),  # ESC is no character of its own
    ("naïve", ("ï",)),
    ("a\u00a0b", ("\u00a0",)),  # a no-break space, pasted from a letter
    ("a\u2009b\u202fc", ("\u2009", "\u202f")),
    ("„a“ ”b’ – …", ("„", "“", "”", "’", "–", "…")),
    ("10 ₽", ("₽",)),
    ("10 €, {a}~", ()),
    ("ё", ("ё",)),
    ("Αα", ("Α", "α")),  # the Greek capital that looks like an A is not in the alphabet, nor is any small letter
    ("ΔΩ", ()),
    ("САМСУНГ", ("С", "А", "М", "У", "Н", "Г")),  # all Cyrillic, whatever it looks like; each named once
    ("a\u0301", ("\u0301",)),  # an accent of its own
    ("ok 👍👍", ("👍",)),
    ("a\u2028b", ("\u2028",)),
    ("a\r\nb\nc", ()),
    ("", ()),
]


@pytest.mark.parametrize(("text", "forced"), FORCED)
def test_which_characters_force_ucs2(text: str, forced: tuple[str, ...]) -> None:
    found = count(text)
    assert found.forced == forced
    assert found.encoding == (UCS2 if forced else GSM7)


@pytest.mark.parametrize("char", list("^{}\\[~]|€\f"))
def test_each_extension_character_counts_two_and_is_never_split(char: str) -> None:
    assert (count(char).encoding, count(char).units) == (GSM7, 2)
    assert [len(part) for part in count("a" * 152 + char + "a" * 7).parts] == [152, 8]


def test_cyrillic_is_told_apart_from_what_else_forces_ucs2() -> None:
    found = count("Заявка №5 — Ok")
    assert found.has_cyrillic
    assert found.forced_besides_cyrillic == ("№", "—")
    assert not count("№5").has_cyrillic


# --- What goes out ----------------------------------------------------------------------------------
def over_smpp(text: str) -> list[wire.Submitted]:
    """Each part as the octets that the SMPP process writes, read by hand."""
    found = count(text)
    return [wire.read_submit_sm(encoding.submit_body(each)) for each in to_send(found)]


def to_send(found: Segments) -> list[PartToSend]:
    return [
        PartToSend(1, uuid4(), seq, found.count, 7, MOBILE, "HOTLINE", part, found.encoding)
        for seq, part in enumerate(found.parts, start=1)
    ]


def as_text(part: wire.Submitted) -> str:
    """Each part by itself, as a telephone reads it: half a pair or half an escape would fail here."""
    if part.coding == wire.UCS2:
        return part.octets.decode("utf-16-be")
    septets = iter(part.octets)
    return "".join(OF_SEPTETS[bytes((each, next(septets)) if each == 0x1B else (each,))] for each in septets)


OF_SEPTETS = {septets: char for char, septets in encoding._SEPTETS.items()}


def assert_the_same_goes_out(text: str, sent: list[wire.Submitted]) -> None:
    found = count(text)
    assert [as_text(part) for part in sent] == list(found.parts)
    assert "".join(found.parts) == text
    for seq, part in enumerate(sent, start=1):
        assert part.header == ((part.header or (0,))[0], found.count, seq) if found.count > 1 else part.header is None
        assert part.coding == (wire.UCS2 if found.encoding == UCS2 else 0)
        # 140 octets: of septets 160, and beside the six octets of a header 153 (TS 23.040, 9.2.3.24.1)
        room = (153 if found.count > 1 else 160) if found.encoding == GSM7 else (134 if found.count > 1 else 140)
        assert len(part.octets) <= room
    units = sum(len(part.octets) for part in sent) // (2 if found.encoding == UCS2 else 1)
    assert units == found.units


@pytest.mark.parametrize("text", [case[0] for case in CASES])
def test_what_is_counted_goes_out(text: str) -> None:
    assert_the_same_goes_out(text, over_smpp(text))


TEXTS = st.text(alphabet=st.sampled_from("aя€№{🔧\n"), max_size=400) | st.text(
    alphabet=st.characters(exclude_categories=["Cs"]), max_size=200
)


@given(st.tuples(st.integers(0, 160), TEXTS).map(lambda drawn: "a" * drawn[0] + drawn[1]))
def test_nothing_is_lost_and_nothing_split(text: str) -> None:
    assert_the_same_goes_out(text, over_smpp(text))


@given(st.tuples(st.integers(60, 70), TEXTS).map(lambda drawn: Я * drawn[0] + drawn[1]))
def test_nothing_is_split_at_the_edge_of_a_cyrillic_part(text: str) -> None:
    assert_the_same_goes_out(text, over_smpp(text))


@given(TEXTS)
def test_no_part_could_take_a_character_more(text: str) -> None:
    """The cut is greedy: there are never more SMS than must be."""
    found = count(text)
    for part, following in pairwise(found.parts):
        assert found.limit < sum(len(encoding_of(char, found)) for char in part + following[0])


def encoding_of(char: str, found: Segments) -> bytes:
    """One octet a unit."""
    return char.encode("utf-16-be")[::2] if found.encoding == UCS2 else encoding.gsm7(char)


SENDABLE = [case[0] for case in CASES if case[0] and "\f" not in case[0] and case[0].strip()]


@pytest.mark.django_db
def test_what_is_counted_is_what_is_kept_and_what_is_claimed(settings: Any) -> None:
    """Every case that can be sent (\\f can't): what a preview counts, the row, the parts of the outbox."""
    settings.SMS_GATEWAYS, settings.SMS_DAILY_PER_NUMBER = ["smpp"], 0
    operator = person()
    for text in SENDABLE:
        shown = count(checked_text(text))
        kept = queue_message(action_id=uuid4(), to=MOBILE, text=text, actor=operator)
        claimed = claim_parts(gateway="smpp", lease=timedelta(minutes=1), most=50)
        assert kept.text == checked_text(text)
        assert (shown.count, shown.parts) == (kept.segments, tuple(part.text for part in claimed))
        assert {part.message for part in claimed} == {kept.pk}
        assert shown.parts == tuple(SmsPart.objects.filter(message=kept).values_list("text", flat=True))
        assert_the_same_goes_out(kept.text, [wire.read_submit_sm(encoding.submit_body(part)) for part in claimed])
