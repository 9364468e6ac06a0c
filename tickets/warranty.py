"""Is an appliance under warranty? A pure rule: dates and the directory in, a verdict with a reason in words out.

The verdict informs the operator and the client; it never forbids anything (R2). Its snapshot is kept on the appeal, and
`words` says the same sentence again from that snapshot.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# `Appeal.Verdict` and `DateSource` of the models, which this module does not import: they use its words.
IN, OUT, UNKNOWN = "in", "out", "unknown"
MANUFACTURE, NOT_KNOWN = "manufacture", "unknown"

_BY = {
    "receipt": gettext_lazy("by the receipt"),
    "client": gettext_lazy("by the client's words"),
    "manufacture": gettext_lazy("by the date of manufacture"),
}
_WHY_UNKNOWN = {
    "no_date": gettext_lazy("warranty not known: the purchase date is not known"),
    "no_brand": gettext_lazy("warranty not known: the brand is not known"),
    "no_category": gettext_lazy("warranty not known: its length depends on the category, which is not known"),
    "no_rule": gettext_lazy("warranty not known: the directory has no rule for this purchase"),
    "future_date": gettext_lazy("warranty not known: the purchase date is in the future"),
}


class Rule(Protocol):
    """What is read of a `WarrantyRule`."""

    brand_id: int
    category_id: int | None
    months: int
    valid_from: date


@dataclass(frozen=True, slots=True)
class Warranty:
    """`verdict` is in, out or unknown; `until` is the last day, inclusive; `reason` a code for machines.

    Reasons: within, within_by_manufacture, expired, expired_by_manufacture; no_date, no_brand, no_category, no_rule,
    future_date.
    """

    verdict: str
    reason: str
    until: date | None = None
    months: int | None = None
    purchase_date: date | None = None
    source: str = ""

    @property
    def text(self) -> str:
        """«на гарантии до 14.03.2027 (24 мес. с 14.03.2025, по чеку)»."""
        return words(self.reason, self.until, self.purchase_date, self.source)


def verdict(
    *,
    purchase_date: date | None,
    source: str,
    rules: Iterable[Rule],
    brand: int | None,
    category: int | None,
    today: date,
) -> Warranty:
    """Judge one appliance. `brand`, `category`: pks, None where the client does not know; `source`: a `DateSource`.

    A category's own rule goes before the brand's common one; of several, the latest that was in force on the day of
    purchase. Where only the date of manufacture is known, the term runs from it (Consumer Protection Act, 19.2).
    """
    if purchase_date is None or source == NOT_KNOWN:
        return Warranty(UNKNOWN, "no_date")
    if purchase_date > today:
        return Warranty(UNKNOWN, "future_date", purchase_date=purchase_date, source=source)
    if brand is None:
        return Warranty(UNKNOWN, "no_brand", purchase_date=purchase_date, source=source)
    in_force = _in_force(rules, brand, purchase_date)
    if category is None and len(set(in_force.values())) > 1:
        return Warranty(UNKNOWN, "no_category", purchase_date=purchase_date, source=source)
    months = in_force.get(category, in_force.get(None))
    if months is None and category is None and in_force:
        # Every category that has a rule has the same one; whether this appliance's has any is not known.
        return Warranty(UNKNOWN, "no_category", purchase_date=purchase_date, source=source)
    if months is None:
        return Warranty(UNKNOWN, "no_rule", purchase_date=purchase_date, source=source)
    until = add_months(purchase_date, months)
    within = today <= until
    reason = "within" if within else "expired"
    if source == MANUFACTURE:
        reason += "_by_manufacture"
    return Warranty(IN if within else OUT, reason, until, months, purchase_date, source)


def _in_force(rules: Iterable[Rule], brand: int, day: date) -> dict[int | None, int]:
    """Months by category (None: all others of the brand), of the latest rule that was in force on the day."""
    latest: dict[int | None, Rule] = {}
    for rule in rules:
        if rule.brand_id != brand or rule.valid_from > day:
            continue
        known = latest.get(rule.category_id)
        if known is None or rule.valid_from > known.valid_from:
            latest[rule.category_id] = rule
    return {category: rule.months for category, rule in latest.items()}


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or its last day where it is shorter: 31 January + 1 → 28 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def words(reason: str, until: date | None, purchase_date: date | None, source: str) -> str:
    """The verdict in words, from the verdict itself or from its snapshot on an appeal; "" where none was made."""
    if not reason:
        return ""
    if until is None or purchase_date is None:
        return str(_WHY_UNKNOWN.get(reason, reason))
    facts = {
        "until": date_format(until, "d.m.Y"),
        "from": date_format(purchase_date, "d.m.Y"),
        "months": (until.year - purchase_date.year) * 12 + until.month - purchase_date.month,
        "by": str(_BY.get(source, "")),
    }
    if reason.startswith("within"):
        return _("under warranty until %(until)s (%(months)d mo. from %(from)s, %(by)s)") % facts
    return _("out of warranty since %(until)s (%(months)d mo. from %(from)s, %(by)s)") % facts
