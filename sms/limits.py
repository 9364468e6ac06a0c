"""May one more SMS go to this number now? Refusals, consent, daily limits, and a number that seems to block us.

A pure rule, `judge_limits`: facts in, a reason code out; every row of it is in tests/sms/test_limits.py. The facts are
read by `facts_of`; a verb that makes a message locks the number first, so that two at once count each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, QuerySet
from django.utils import timezone

from sms.models import Category, Consent, OptOut, SmsMessage, SmsTemplate

State = SmsMessage.State

# (ours) So many in a row that did not arrive, the last within this time: the subscriber probably blocks us.
BLOCKED_AFTER = 3
BLOCKED_FOR = timedelta(days=30)
# What was made longer before is not looked for: no quiet hours are so long, and so the indexes by date of making serve.
_LONGEST_WAIT = timedelta(days=2)
# What never left us does not count for a limit.
_NEVER_SENT = [State.DICTATED, State.WITHDRAWN, State.REJECTED]


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """What is known of a number, and of what would be sent there."""

    category: str = Category.SERVICE
    opted_out: bool = False
    consented: bool = False
    sent_today: int = 0
    daily_per_number: int | None = None  # None: no limit
    template_today: int = 0
    template_daily: int | None = None
    failed_in_a_row: int = 0


def judge_limits(facts: LimitFacts) -> str:
    """The reason code (`opted_out`, `no_consent`, `number_limit`, `template_limit`), "" where nothing is against it."""
    if facts.opted_out:
        return "opted_out"
    if facts.category != Category.SERVICE and not facts.consented:
        return "no_consent"
    if facts.daily_per_number is not None and facts.sent_today >= facts.daily_per_number:
        return "number_limit"
    if facts.template_daily is not None and facts.template_today >= facts.template_daily:
        return "template_limit"
    return ""


def is_probably_blocked(facts: LimitFacts) -> bool:
    """A warning to the operator, not a ban: dictate rather."""
    return facts.failed_in_a_row >= BLOCKED_AFTER


def facts_of(
    number: str,
    *,
    category: str = Category.SERVICE,
    template: SmsTemplate | None = None,
    leaves_at: datetime | None = None,
) -> LimitFacts:
    """The facts about a number (E.164), for a message that leaves then, or now. Three to five queries."""
    messages = SmsMessage.objects.filter(to=number)
    lately = (
        messages.filter(
            state__in=[State.DELIVERED, State.UNDELIVERED, State.EXPIRED],
            created_at__gte=timezone.now() - BLOCKED_FOR,
        )
        .order_by("-created_at", "-pk")
        .values_list("state", flat=True)[:BLOCKED_AFTER]
    )
    failed = 0
    for state in lately:
        if state == State.DELIVERED:
            break
        failed += 1
    template_daily = daily_limit_of(template)
    return LimitFacts(
        category=category,
        opted_out=OptOut.objects.in_force().filter(number=number).exists(),
        consented=category != Category.SERVICE
        and Consent.objects.in_force().filter(number=number, category=category).exists(),
        sent_today=_of_the_day(messages, leaves_at).count(),
        daily_per_number=settings.SMS_DAILY_PER_NUMBER or None,
        template_today=count_by_template([template.code], leaves_at).get(template.code, 0)
        if template is not None and template_daily is not None
        else 0,
        template_daily=template_daily,
        failed_in_a_row=failed,
    )


def daily_limit_of(template: SmsTemplate | None) -> int | None:
    """Of the version in use."""
    return template.in_use().daily_limit if template is not None else None


def count_by_template(codes: list[str], leaves_at: datetime | None = None) -> dict[str, int]:
    """How many messages of templates count for the daily limits of what leaves then, or now; a template with none is
    left out."""
    made = _of_the_day(SmsMessage.objects.filter(template__code__in=codes), leaves_at)
    counted = made.values("template__code").order_by("template__code")
    return {row["template__code"]: row["n"] for row in counted.annotate(n=Count("pk"))}


def _of_the_day(messages: QuerySet[SmsMessage], leaves_at: datetime | None) -> QuerySet[SmsMessage]:
    """Those that go to their client on the same day: what waits for the end of the quiet hours counts for the day after
    them, not for the one on which it was made."""
    day = timezone.localdate(leaves_at)
    begins = datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())
    messages = messages.filter(created_at__gte=begins - _LONGEST_WAIT)
    return messages.filter(due_at__gte=begins, due_at__lt=begins + timedelta(days=1)).exclude(state__in=_NEVER_SENT)


def lock_number(number: str) -> None:
    """One at a time for one number, to the end of the transaction: limits and refusals count each other."""
    _lock(f"sms number {number}")


def lock_template(template: SmsTemplate) -> None:
    """One at a time for one template that has a daily limit."""
    _lock(f"sms template {template.code}")


def _lock(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [name])
