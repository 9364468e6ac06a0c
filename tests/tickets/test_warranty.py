"""The warranty verdict: every row of the rule, and its words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from django.utils import translation

from tickets.warranty import add_months, verdict, words

TODAY = date(2026, 11, 20)
VESTRA, NORDIA = 1, 2
FRIDGES, OVENS, HOODS = 10, 20, 30


@dataclass
class Rule:
    brand_id: int
    category_id: int | None
    months: int
    valid_from: date


RULES = [
    Rule(VESTRA, None, 12, date(2015, 1, 1)),
    Rule(VESTRA, None, 24, date(2025, 1, 1)),  # longer from 2025 on
    Rule(VESTRA, FRIDGES, 36, date(2020, 1, 1)),  # fridges have their own
    Rule(NORDIA, OVENS, 60, date(2015, 1, 1)),  # Nordia has no common rule
]


@pytest.mark.parametrize(
    ("bought", "source", "brand", "category", "expected"),
    [
        # within and expired, by each source
        (date(2025, 3, 14), "receipt", VESTRA, OVENS, ("in", "within", date(2027, 3, 14))),
        (date(2025, 3, 14), "client", VESTRA, OVENS, ("in", "within", date(2027, 3, 14))),
        (date(2025, 3, 14), "manufacture", VESTRA, OVENS, ("in", "within_by_manufacture", date(2027, 3, 14))),
        (date(2023, 3, 14), "receipt", VESTRA, OVENS, ("out", "expired", date(2024, 3, 14))),
        (date(2023, 3, 14), "manufacture", VESTRA, OVENS, ("out", "expired_by_manufacture", date(2024, 3, 14))),
        # the last day is a day of warranty, the next is not
        (date(2023, 11, 20), "receipt", VESTRA, FRIDGES, ("in", "within", date(2026, 11, 20))),
        (date(2023, 11, 19), "receipt", VESTRA, FRIDGES, ("out", "expired", date(2026, 11, 19))),
        # the category's rule before the brand's, even where the brand's is newer
        (date(2025, 3, 14), "receipt", VESTRA, FRIDGES, ("in", "within", date(2028, 3, 14))),
        # the rule that was in force on the day of purchase
        (date(2024, 12, 31), "receipt", VESTRA, OVENS, ("out", "expired", date(2025, 12, 31))),
        (date(2025, 1, 1), "receipt", VESTRA, OVENS, ("in", "within", date(2027, 1, 1))),
        # a category's rule that came later: the brand's before it
        (date(2019, 5, 1), "receipt", VESTRA, FRIDGES, ("out", "expired", date(2020, 5, 1))),
        # bought today
        (TODAY, "receipt", VESTRA, OVENS, ("in", "within", date(2028, 11, 20))),
        # no verdict
        (None, "receipt", VESTRA, OVENS, ("unknown", "no_date", None)),
        (None, "", VESTRA, OVENS, ("unknown", "no_date", None)),
        (date(2025, 3, 14), "unknown", VESTRA, OVENS, ("unknown", "no_date", None)),
        (date(2026, 11, 21), "receipt", VESTRA, OVENS, ("unknown", "future_date", None)),
        (date(2025, 3, 14), "receipt", None, OVENS, ("unknown", "no_brand", None)),
        (date(2025, 3, 14), "receipt", NORDIA, HOODS, ("unknown", "no_rule", None)),
        (date(2010, 3, 14), "receipt", VESTRA, OVENS, ("unknown", "no_rule", None)),
        (date(2025, 3, 14), "receipt", 99, OVENS, ("unknown", "no_rule", None)),
        # the category is not known: only where it makes no difference
        (date(2025, 3, 14), "receipt", VESTRA, None, ("unknown", "no_category", None)),
        (date(2025, 3, 14), "receipt", NORDIA, None, ("unknown", "no_category", None)),
        (date(2019, 3, 14), "receipt", VESTRA, None, ("out", "expired", date(2020, 3, 14))),
    ],
)
def test_verdict(
    bought: date | None,
    source: str,
    brand: int | None,
    category: int | None,
    expected: tuple[str, str, date | None],
) -> None:
    found = verdict(purchase_date=bought, source=source, rules=RULES, brand=brand, category=category, today=TODAY)
    assert (found.verdict, found.reason, found.until) == expected


def test_the_order_of_the_rules_does_not_matter() -> None:
    found = {
        verdict(
            purchase_date=date(2025, 3, 14), source="receipt", rules=rules, brand=VESTRA, category=OVENS, today=TODAY
        )
        for rules in (RULES, RULES[::-1])
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2025, 1, 31), 1, date(2025, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2025, 12, 15), 1, date(2026, 1, 15)),
        (date(2025, 3, 14), 24, date(2027, 3, 14)),
    ],
)
def test_add_months(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


@pytest.mark.parametrize(
    ("reason", "until", "bought", "source", "expected"),
    [
        (
            "within", date(2027, 3, 14), date(2025, 3, 14), "receipt",
            "на гарантии до 14.03.2027 (24 мес. с 14.03.2025, по чеку)",
        ),
        (
            "expired", date(2026, 3, 14), date(2025, 3, 14), "client",
            "гарантия истекла 14.03.2026 (12 мес. с 14.03.2025, со слов клиента)",
        ),
        (
            "within_by_manufacture", date(2027, 2, 28), date(2025, 8, 31), "manufacture",
            "на гарантии до 28.02.2027 (18 мес. с 31.08.2025, по дате изготовления)",
        ),
        ("no_date", None, None, "", "гарантия неизвестна: дата покупки неизвестна"),
        ("", None, None, "", ""),
    ],
)  # fmt: skip
def test_words(reason: str, until: date | None, bought: date | None, source: str, expected: str) -> None:
    with translation.override("ru"):
        assert words(reason, until, bought, source) == expected
