"""Dates as they are said, whatever the day: a date that is read wrongly makes a wrong verdict on the warranty."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.core.exceptions import ValidationError

from tickets.fields import SpokenDateField, read_moment

LEAP_YEAR = [(day, month) for month in range(1, 13) for day in (1, 2, 9, 10, 11, 12, 21, 22, 28, 29)]


@pytest.mark.parametrize(
    "spelling", ["{:%d.%m.%Y}", "{:%d.%m.%y}", "{:%d%m%Y}", "{:%d%m%y}", "{:%d/%m/%Y}", "{:%d-%m-%Y}", "{:%Y-%m-%d}"]
)
def test_every_day_is_read_as_it_was_said(spelling: str) -> None:
    field = SpokenDateField()
    for day, month in LEAP_YEAR:
        said = date(2024, month, day)
        assert field.clean(f" {spelling.format(said)} ") == said


@pytest.mark.parametrize("typed", ["1.4.24", "1.04.2024", "01/04/2024"])
def test_leading_zeros_may_be_left_out_where_there_is_a_mark(typed: str) -> None:
    assert SpokenDateField().clean(typed) == date(2024, 4, 1)


@pytest.mark.parametrize(
    "typed", ["1424", "14324", "1432024", "310224", "321224", "001224", "14 03 24 1", "вчера", "٠١٠٤٢٤"]
)
def test_what_is_no_date_is_said_so(typed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SpokenDateField().clean(typed)
    assert refused.value.code == "invalid"


@pytest.mark.parametrize(
    ("now", "said", "meant"),
    [
        ("2026-11-30 21:00", "15:00", "2026-12-01 15:00"),
        ("2026-11-30 12:00", "15:00", "2026-11-30 15:00"),
        ("2026-11-30 12:00", "01.12 10:30", "2026-12-01 10:30"),
        ("2026-12-30 12:00", "02.01 10:00", "2027-01-02 10:00"),
        ("2026-11-30 12:00", "30.11 10:00", "2026-11-30 10:00"),  # this morning: past, which the verb says
        ("2026-11-30 12:00", "29.11 10:00", "2026-11-29 10:00"),  # yesterday, and not in a year
        ("2026-11-30 12:00", "01.07 10:00", "2026-07-01 10:00"),
        ("2026-11-30 12:00", "15.05 10:00", "2027-05-15 10:00"),
        ("2026-11-30 12:00", "29.11.27 10:00", "2027-11-29 10:00"),
        ("2026-11-30 12:00", "31.02 10:00", ""),
        ("2026-11-30 12:00", "вчера", ""),
    ],
)
def test_a_day_without_its_year_is_the_nearest_one(now: str, said: str, meant: str) -> None:
    expected = datetime.fromisoformat(meant) if meant else None
    assert read_moment(said, datetime.fromisoformat(now)) == expected
