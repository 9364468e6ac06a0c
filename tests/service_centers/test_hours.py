"""Opening hours: open or not at a moment, and the words for it, in the centre's local time."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from service_centers.hours import Hours, hours_text, open_state, parse_hours
from tests.service_centers.factories import clock

MOSCOW = ZoneInfo("Europe/Moscow")
VLADIVOSTOK = ZoneInfo("Asia/Vladivostok")  # UTC+10, seven hours ahead of Moscow


def week(*rows: tuple[int, str, str]) -> list[Hours]:
    return [Hours(day, clock(begin), clock(end)) for day, begin, end in rows]


def by_day(row: Hours) -> tuple[int, object]:
    return row.weekday, row.opens_at


OFFICE = week(*[(day, "9:00", "18:00") for day in range(1, 6)], (6, "10:00", "15:00"))
WITH_BREAK = week(*[(day, "9:00", "13:00") for day in range(1, 6)], *[(day, "14:00", "18:00") for day in range(1, 6)])
ALWAYS = week(*[(day, "0:00", "23:59") for day in range(1, 8)])
# 20 July 2026 is a Monday.
CASES = [
    # what, hours, zone, UTC moment, is open, words
    ("in the middle of the day", OFFICE, MOSCOW, "2026-07-20 09:00", True, "открыт до 18:00"),
    ("at the minute it opens", OFFICE, MOSCOW, "2026-07-20 06:00", True, "открыт до 18:00"),
    ("a minute before", OFFICE, MOSCOW, "2026-07-20 05:59", False, "откроется в 9:00"),
    ("the last minute", OFFICE, MOSCOW, "2026-07-20 14:59", True, "открыт до 18:00"),
    ("at the minute it closes", OFFICE, MOSCOW, "2026-07-20 15:00", False, "откроется завтра в 9:00"),
    ("Friday evening: Saturday is short", OFFICE, MOSCOW, "2026-07-24 16:00", False, "откроется завтра в 10:00"),
    ("Saturday evening: over Sunday", OFFICE, MOSCOW, "2026-07-25 13:00", False, "откроется в понедельник в 9:00"),
    ("Sunday", OFFICE, MOSCOW, "2026-07-26 09:00", False, "откроется завтра в 9:00"),
    ("another zone: night there", OFFICE, VLADIVOSTOK, "2026-07-20 09:00", False, "откроется завтра в 9:00"),
    ("another zone: Monday has begun there", OFFICE, VLADIVOSTOK, "2026-07-19 23:30", True, "открыт до 18:00"),
    ("before the break", WITH_BREAK, MOSCOW, "2026-07-20 09:30", True, "открыт до 13:00"),
    ("in the break", WITH_BREAK, MOSCOW, "2026-07-20 10:30", False, "откроется в 14:00"),
    ("after the break", WITH_BREAK, MOSCOW, "2026-07-20 11:00", True, "открыт до 18:00"),
    ("round the clock", ALWAYS, MOSCOW, "2026-07-19 20:59:59", True, "открыт круглосуточно"),
    ("till midnight", week((1, "9:00", "23:59")), MOSCOW, "2026-07-20 20:59:30", True, "открыт до 24:00"),
    ("once a week", week((2, "9:00", "12:00")), MOSCOW, "2026-07-21 10:00", False, "откроется во вторник в 9:00"),
    (
        "rows that touch",
        week((1, "9:00", "13:00"), (1, "13:00", "18:00")),
        MOSCOW,
        "2026-07-20 08:00",
        True,
        "открыт до 18:00",
    ),
    ("no hours at all", [], MOSCOW, "2026-07-20 09:00", None, "часы работы не указаны"),
]


@pytest.mark.parametrize(("what", "hours", "zone", "moment", "is_open", "words"), CASES, ids=[c[0] for c in CASES])
def test_open_state(
    what: str, hours: list[Hours], zone: ZoneInfo, moment: str, is_open: bool | None, words: str
) -> None:
    with translation.override("ru"):
        state = open_state(hours, zone, datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert (state.is_open, state.text) == (is_open, words)
    assert (state.opens_next is None) == (is_open is not False)


def test_moments_are_in_the_local_zone() -> None:
    closed = open_state(OFFICE, VLADIVOSTOK, datetime(2026, 7, 24, 9, 0, tzinfo=UTC))  # Friday 19:00 there
    assert closed.opens_next == datetime(2026, 7, 25, 10, 0, tzinfo=VLADIVOSTOK)
    is_open = open_state(week((1, "9:00", "23:59")), MOSCOW, datetime(2026, 7, 20, 9, 0, tzinfo=UTC))
    assert is_open.until == datetime(2026, 7, 21, 0, 0, tzinfo=MOSCOW)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (1, "откроется в понедельник в 9:00"),
        (2, "откроется во вторник в 9:00"),
        (3, "откроется в среду в 9:00"),
        (4, "откроется в четверг в 9:00"),
        (5, "откроется в пятницу в 9:00"),
        (6, "откроется в субботу в 9:00"),
        (7, "откроется в воскресенье в 9:00"),
    ],
)
def test_every_day_has_its_own_sentence(day: int, words: str) -> None:
    # asked on the same weekday after closing: the next time is in a week
    moment = datetime(2026, 7, 19 + day, 16, 0, tzinfo=UTC)
    with translation.override("ru"):
        assert open_state(week((day, "9:00", "18:00")), MOSCOW, moment).text == words


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (OFFICE, "Пн–Пт 9:00–18:00, Сб 10:00–15:00"),
        (week(*[(day, "8:30", "20:00") for day in range(1, 8)]), "ежедневно 8:30–20:00"),
        (week((1, "9:00", "18:00"), (3, "9:00", "18:00"), (4, "9:00", "18:00")), "Пн 9:00–18:00, Ср–Чт 9:00–18:00"),
        (WITH_BREAK, "Пн–Пт 9:00–18:00, перерыв 13:00–14:00"),
        (
            [*WITH_BREAK, *week((6, "10:00", "15:00"))],
            "Пн–Пт 9:00–18:00, перерыв 13:00–14:00; Сб 10:00–15:00",
        ),
        (ALWAYS, "круглосуточно"),
        (week((6, "10:00", "23:59")), "Сб 10:00–24:00"),
        ([], ""),
    ],
)
def test_the_week_in_one_line(hours: list[Hours], words: str) -> None:
    with translation.override("ru"):
        assert hours_text(reversed(hours)) == words


# --- Reading the week back --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Пн–Пт 9:00–18:00, Сб 10:00–15:00", OFFICE),
        ("пн-пт 9.00 - 18.00; сб 10:00-15:00", OFFICE),
        ("Mon–Fri 9:00–18:00, Sat 10:00–15:00", OFFICE),
        ("Пн–Пт 9:00–18:00, перерыв 13:00–14:00", WITH_BREAK),
        ("Пн–Пт 9:00–18:00 , обед 13:00–14:00", WITH_BREAK),
        ("Пн–Пт 9:00–13:00, 14:00–18:00", WITH_BREAK),
        ("круглосуточно", ALWAYS),
        ("round the clock", ALWAYS),
        ("ежедневно 0:00–24:00", ALWAYS),
        ("Вс 9:00–12:00", week((7, "9:00", "12:00"))),
        ("", []),
        (" ; ", []),
    ],
)
def test_reading_hours(text: str, expected: list[Hours]) -> None:
    assert sorted(parse_hours(text), key=by_day) == sorted(expected, key=by_day)


@pytest.mark.parametrize("hours", [OFFICE, WITH_BREAK, ALWAYS, [], [*WITH_BREAK, *week((7, "10:00", "23:59"))]])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_what_is_written_can_be_read(hours: list[Hours], language: str) -> None:
    with translation.override(language):
        assert sorted(parse_hours(hours_text(hours)), key=by_day) == sorted(hours, key=by_day)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("9:00–18:00", "«9:00-18:00»: начните с дней, например «Пн–Пт 9:00–18:00»."),
        ("Пн, Ср 9:00–18:00", "«пн»: начните с дней, например «Пн–Пт 9:00–18:00»."),
        ("Пн–Пц 9:00–18:00", "«пц» — не день недели."),
        ("Пт–Пн 9:00–18:00", "«пт-пн»: дни стоят не по порядку."),
        ("Пн 9–18", "«9-18»: пишите время так: 9:00–18:00."),
        ("Пн 18:00–9:00", "«18:00-9:00» — не промежуток одного дня."),
        ("Пн 9:00–25:00", "«9:00-25:00» — не промежуток одного дня."),
        ("Пн 9:60–18:00", "«9:60-18:00» — не промежуток одного дня."),
        ("уточните по телефону", "«уточните по телефону»: начните с дней, например «Пн–Пт 9:00–18:00»."),
    ],
)
def test_hours_that_can_not_be_read_say_why(text: str, words: str) -> None:
    with translation.override("ru"), pytest.raises(ValueError, match="«") as refused:
        parse_hours(text)
    assert str(refused.value) == words
