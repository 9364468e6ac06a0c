"""Numbers as people write them: what was typed is kept, and judged with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.base.phones import digits_of, format_phone, read_phone


@pytest.mark.parametrize(
    ("raw", "e164", "region", "line_type", "extension"),
    [
        ("8 (916) 123-45-67", "+79161234567", "RU", "mobile", ""),
        ("8 (916) 123-45-67 доб. 12", "+79161234567", "RU", "mobile", "12"),
        ("8(495)123-45-67 вн 4", "+74951234567", "RU", "fixed", "4"),
        ("+7 916 123 45 67", "+79161234567", "RU", "mobile", ""),
        ("79161234567", "+79161234567", "RU", "mobile", ""),
        ("9161234567", "+79161234567", "RU", "mobile", ""),
        ("8-916-12З-45-б7".replace("б", "6"), "+79161234567", "RU", "mobile", ""),
        ("8 9I6 123 45 67".replace("I", "1"), "+79161234567", "RU", "mobile", ""),
        ("8 (9О5) О12-34-56", "+79050123456", "RU", "mobile", ""),
        ("+7 701 123-45-67", "+77011234567", "KZ", "mobile", ""),
        ("+375 29 123-45-67", "+375291234567", "BY", "mobile", ""),
        ("8 800 555-35-35", "+78005553535", "RU", "toll_free", ""),
        ("+7 940 123-45-67", "+79401234567", "RU", "mobile", ""),
    ],
)
def test_reads_a_number(raw: str, e164: str, region: str, line_type: str, extension: str) -> None:
    phone = read_phone(raw)
    assert (phone.raw, phone.e164, phone.region, phone.line_type, phone.extension, phone.problem) == (
        raw, e164, region, line_type, extension, "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("8 916 123-45-67, 8 916 765-43-21", "several"),
        ("8 916 123-45-67 или 8 916 765-43-21", "several"),
        ("89161234567; 89167654321", "several"),
        ("не скажу", "letters"),
        ("anonymous", "letters"),
        ("123", "invalid"),
        ("8 916 123-45", "invalid"),
        ("+7 000 000-00-00", "invalid"),
    ],
)
def test_judges_what_is_no_number(raw: str, problem: str) -> None:
    phone = read_phone(raw)
    assert (phone.raw, phone.e164, phone.problem) == (raw, "", problem)


@given(st.text(max_size=200))
def test_never_raises(raw: str) -> None:
    phone = read_phone(raw)
    assert phone.raw == raw
    assert bool(phone.e164) != bool(phone.problem)


@pytest.mark.parametrize(
    ("typed", "digits"), [("8 (916) 123-45-67", "79161234567"), ("45-67", "4567"), ("нет", ""), ("8123", "8123")]
)
def test_digits_for_a_search(typed: str, digits: str) -> None:
    assert digits_of(typed) == digits


def test_shows_a_number_as_people_read_it() -> None:
    assert format_phone("+79161234567") == "+7 916 123-45-67"
    assert format_phone("+77070000482") == "+7 707 000-04-82"
    assert format_phone("+37491123456") == "+374 91 123456"
    assert format_phone("скрыт") == "скрыт"
