"""Dates as they are said, whatever the day: a date that is read wrongly makes a wrong verdict on the warranty."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from tickets.fields import SpokenDateField

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
