"""Refusals, consent, daily limits, a number that seems to block us: the rule, its facts, and two at once."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from hotline.base.errors import Refused
from sms import eligibility, limits, quiet
from sms.actions import (
    claim,
    claim_parts,
    end_opt_out,
    give_consent,
    opt_out,
    queue_message,
    send_anew,
    settle,
    settle_parts,
    sweep,
    withdraw_consent,
)
from sms.gateways.base import Accepted, NotSubmitted
from sms.limits import LimitFacts, facts_of, is_probably_blocked, judge_limits
from sms.models import Category, Consent, OptOut, SmsMessage
from tests.helpers import race
from tests.sms.factories import MOBILE, OTHER_MOBILE, message, person, template

S = SmsMessage.State
OTHER = Category.OTHER


# --- The rule ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (LimitFacts(), ""),
        (LimitFacts(opted_out=True), "opted_out"),
        (LimitFacts(opted_out=True, category=OTHER, consented=True), "opted_out"),
        (LimitFacts(category=OTHER), "no_consent"),
        (LimitFacts(category=OTHER, consented=True), ""),
        (LimitFacts(consented=False), ""),
        (LimitFacts(sent_today=9, daily_per_number=10), ""),
        (LimitFacts(sent_today=10, daily_per_number=10), "number_limit"),
        (LimitFacts(sent_today=11, daily_per_number=10), "number_limit"),
        (LimitFacts(sent_today=1000, daily_per_number=None), ""),
        (LimitFacts(template_today=4, template_daily=5), ""),
        (LimitFacts(template_today=5, template_daily=5), "template_limit"),
        (LimitFacts(template_today=0, template_daily=0), "template_limit"),
        (LimitFacts(template_today=5, template_daily=None), ""),
        (LimitFacts(failed_in_a_row=9), ""),  # a warning, no ban
        (LimitFacts(opted_out=True, category=OTHER, sent_today=10, daily_per_number=10), "opted_out"),
    ],
)
def test_every_row_of_the_rule(facts: LimitFacts, code: str) -> None:
    assert judge_limits(facts) == code


@pytest.mark.parametrize(("failed", "blocked"), [(0, False), (2, False), (3, True), (4, True)])
def test_who_probably_blocks_us(failed: int, blocked: bool) -> None:
    assert is_probably_blocked(LimitFacts(failed_in_a_row=failed)) is blocked


# --- The facts --------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_what_never_left_us_does_not_count(settings: Any) -> None:
    for state in S.values:
        message(state)
    message(S.DELIVERED, to=OTHER_MOBILE)
    yesterday = message(S.DELIVERED)
    before = timezone.now() - timedelta(days=1, hours=1)
    SmsMessage.objects.filter(pk=yesterday.pk).update(created_at=before, due_at=before)
    settings.SMS_DAILY_PER_NUMBER = 4
    found = facts_of(MOBILE)
    assert found.sent_today == len(S.values) - 3  # dictated, withdrawn, rejected
    assert found.daily_per_number == 4
    settings.SMS_DAILY_PER_NUMBER = 0
    assert facts_of(MOBILE).daily_per_number is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("states", "failed"),
    [
        ([], 0),
        ([S.UNDELIVERED, S.EXPIRED, S.UNDELIVERED], 3),
        ([S.UNDELIVERED, S.DELIVERED, S.UNDELIVERED, S.EXPIRED], 2),
        ([S.UNDELIVERED, S.UNDELIVERED, S.UNDELIVERED, S.DELIVERED], 0),
        # what is not decided, or was no attempt to reach the telephone, says nothing of the subscriber
        ([S.UNDELIVERED, S.UNDELIVERED, S.UNKNOWN, S.REJECTED, S.DICTATED, S.ACCEPTED, S.EXPIRED], 3),
    ],
)
def test_failures_in_a_row_are_counted_from_the_newest(states: list[str], failed: int) -> None:
    for state in states:
        message(state)
    assert facts_of(MOBILE).failed_in_a_row == failed


@pytest.mark.django_db
def test_a_number_that_probably_blocks_us_is_a_warning() -> None:
    for _ in range(limits.BLOCKED_AFTER):
        message(S.UNDELIVERED)
    verdict = eligibility.judge(MOBILE)
    assert (verdict.allowed, verdict.code, verdict.warning) == (True, "ok", "probably_blocked")
    assert "вероятно" in verdict.text
    SmsMessage.objects.update(created_at=timezone.now() - limits.BLOCKED_FOR - timedelta(hours=1))
    assert eligibility.judge(MOBILE).warning == ""


# --- Said by the client -----------------------------------------------------------------------------
@pytest.mark.django_db
def test_who_wants_no_sms_gets_none_and_what_waits_is_withdrawn() -> None:
    operator = person()
    waiting, under_way, others = message(), message(S.SUBMITTING), message(to=OTHER_MOBILE)
    opt_out(number="8 916 000-01-01", note="просил не писать", actor=operator)
    opt_out(number=MOBILE, actor=operator)
    assert OptOut.objects.get().started_by == operator
    for row, state in ((waiting, S.WITHDRAWN), (under_way, S.SUBMITTING), (others, S.QUEUED)):
        row.refresh_from_db()
        assert row.state == state
    assert eligibility.judge(MOBILE).code == "opted_out"
    with pytest.raises(Refused) as refused:
        queue_message(action_id=uuid4(), to=MOBILE, text="Заявка №1", actor=operator)
    assert (refused.value.code, refused.value.field) == ("opted_out", "to")
    end_opt_out(number=MOBILE, actor=operator)
    assert eligibility.judge(MOBILE).code == "ok"
    assert OptOut.objects.get().ended_by == operator


@pytest.mark.django_db
@pytest.mark.parametrize("category", ["service", OTHER])
def test_what_was_under_way_then_and_comes_back_goes_no_further(category: str) -> None:
    """The gateway did not take it, and the client has said meanwhile that none is wanted."""
    operator = person()
    give_consent(number=MOBILE, actor=operator)
    row, others = message(category=category), message(to=OTHER_MOBILE)
    for each in (row, others):
        claimed = claim(pk=each.pk)
        assert claimed
        if each == row and category == "service":
            opt_out(number=MOBILE, actor=operator)
        elif each == row:
            withdraw_consent(number=MOBILE, actor=operator)
        settle(pk=each.pk, token=claimed.token, outcome=NotSubmitted("throttled", retry_after=timedelta(seconds=-1)))
    assert claim(pk=row.pk) is None
    sweep()
    row.refresh_from_db()
    assert (row.state, row.reason) == (S.WITHDRAWN, "opted_out" if category == "service" else "no_consent")
    assert claim(pk=others.pk)


@pytest.mark.django_db
@pytest.mark.parametrize(("part", "goes_on"), [("queued", False), ("accepted", True)])
def test_of_what_is_there_in_part_the_rest_follows(part: str, goes_on: bool) -> None:
    text = "я" * 100
    row = message(text=text)
    assert len(claim_parts(gateway="development", lease=timedelta(seconds=60), most=5)) == 2
    opt_out(number=MOBILE, actor=person())
    row.refresh_from_db()
    first = Accepted("g-1") if part == "accepted" else NotSubmitted("throttled", retry_after=timedelta(seconds=-1))
    again = NotSubmitted("throttled", retry_after=timedelta(seconds=-1))
    assert row.attempt_token
    settle_parts(message_id=row.pk, token=row.attempt_token, outcomes={1: first, 2: again})
    sweep()
    assert len(claim_parts(gateway="development", lease=timedelta(seconds=60), most=5)) == (1 if goes_on else 0)
    row.refresh_from_db()
    assert row.state == (S.SUBMITTING if goes_on else S.WITHDRAWN)


@pytest.mark.django_db
def test_what_is_no_service_message_needs_consent() -> None:
    operator, offer = person(), template("offer", "Акция: {hotline_phone}", category=OTHER)
    ask = {"to": MOBILE, "text": "Акция", "template": offer, "actor": operator}
    with pytest.raises(Refused) as refused:
        queue_message(action_id=uuid4(), **ask)
    assert refused.value.code == "no_consent"
    give_consent(number=MOBILE, note="звонок 25.11", actor=operator)
    give_consent(number=MOBILE, actor=operator)
    assert Consent.objects.get().note == "звонок 25.11"
    made = queue_message(action_id=uuid4(), **ask)
    assert made.category == OTHER
    withdraw_consent(number=MOBILE, actor=operator)
    made.refresh_from_db()
    assert (made.state, made.reason) == (S.WITHDRAWN, "no_consent")
    assert eligibility.judge(MOBILE, template=offer).code == "no_consent"
    assert eligibility.judge(MOBILE).code == "ok"


# --- Limits -----------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_template_has_its_daily_limit() -> None:
    operator, limited = person(), template(daily_limit=2)
    ask = {"text": "АСЦ", "template": limited, "actor": operator}
    first = uuid4()
    queue_message(action_id=first, to=MOBILE, **ask)
    queue_message(action_id=uuid4(), to=OTHER_MOBILE, **ask)
    with pytest.raises(Refused) as refused:
        queue_message(action_id=uuid4(), to=MOBILE, **ask)
    assert refused.value.code == "template_limit"
    # The same action again is the message that is there, not one too many.
    assert queue_message(action_id=first, to=MOBILE, **ask).action_id == first
    queue_message(action_id=uuid4(), to=MOBILE, text="без шаблона", actor=operator)


@pytest.mark.django_db
@pytest.mark.parametrize(("then", "now", "refused"), [(None, 1, True), (1, None, False)])
def test_what_is_sent_anew_is_judged_by_the_version_in_use(then: int | None, now: int | None, refused: bool) -> None:
    """Its text is of the old version; what may be sent is not."""
    old = template(daily_limit=then, is_current=False)
    template(version=2, daily_limit=now)
    failed = message(S.UNDELIVERED, template=old, to=OTHER_MOBILE)
    again = partial(send_anew, pk=failed.pk, action_id=uuid4(), actor=person())
    if refused:
        with pytest.raises(Refused, match="шаблону"):
            again()
    else:
        assert again().template == old


@pytest.mark.django_db
def test_what_is_sent_anew_is_of_the_category_of_the_version_in_use() -> None:
    old = template(is_current=False)
    template(version=2, category="other")
    operator = person()
    failed = message(S.UNDELIVERED, template=old)
    assert eligibility.judge(MOBILE, template=old).code == "no_consent"
    with pytest.raises(Refused) as refused:
        send_anew(pk=failed.pk, action_id=uuid4(), actor=operator)
    assert refused.value.code == "no_consent"
    give_consent(number=MOBILE, actor=None)
    assert send_anew(pk=failed.pk, action_id=uuid4(), actor=operator).category == "other"


@pytest.mark.django_db
@pytest.mark.parametrize("of", ["number", "template"])
def test_what_waits_for_the_morning_counts_for_the_day_on_which_it_goes(
    of: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At night by hand: today's. What nobody asked for: of tomorrow, as the two that wait already."""
    settings.SMS_QUIET_HOURS = "21:00-09:00"
    limited = template(daily_limit=2 if of == "template" else None)
    settings.SMS_DAILY_PER_NUMBER = 2 if of == "number" else 0
    tomorrow = datetime.combine(timezone.localdate() + timedelta(days=1), time(9), timezone.get_current_timezone())
    monkeypatch.setattr(quiet, "until", lambda zone: tomorrow if zone else None)

    def asked(zone: str = "") -> str:
        try:
            queue_message(action_id=uuid4(), to=MOBILE, text="АСЦ", template=limited, quiet_zone=zone, actor=None)
        except Refused as refused:
            return refused.code
        return "ok"

    assert [asked("Europe/Moscow") for _ in range(3)] == ["ok", "ok", f"{of}_limit"]
    assert [asked() for _ in range(3)] == ["ok", "ok", f"{of}_limit"]


@pytest.mark.django_db(transaction=True)
def test_many_at_once_never_pass_a_numbers_limit(settings: Any) -> None:
    settings.SMS_DAILY_PER_NUMBER = 3
    operator = person()

    def send() -> Any:
        return queue_message(action_id=uuid4(), to=MOBILE, text="Заявка №1", actor=operator)

    results = race(*[send] * 8)
    made = [result for result in results if isinstance(result, SmsMessage)]
    assert len(made) == SmsMessage.objects.count() == 3
    assert {result.code for result in results if isinstance(result, Refused)} == {"number_limit"}


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_at_the_limit_are_one_message_and_no_refusal(settings: Any) -> None:
    settings.SMS_DAILY_PER_NUMBER = 1
    operator = person()
    for turn in range(5):
        action, number = uuid4(), f"+7916000030{turn}"

        def click() -> Any:
            return queue_message(action_id=action, to=number, text="Заявка №1", actor=operator)  # noqa: B023

        first, second = race(click, click)
        assert first == second


@pytest.mark.django_db(transaction=True)
def test_whoever_holds_the_number_comes_to_the_template_next() -> None:
    """A changed state holds the number when it sends by a template with a limit; a message sent anew does both."""
    limited = template(daily_limit=100)
    operator = person()

    def state_changed() -> Any:
        with transaction.atomic():
            limits.lock_number(MOBILE)
            return queue_message(action_id=uuid4(), to=MOBILE, text="Раз", template=limited, actor=operator)

    def sent_anew() -> Any:
        return queue_message(action_id=uuid4(), to=MOBILE, text="Два", template=limited, actor=operator)

    results = race(*[state_changed, sent_anew] * 3, repeat=5)
    assert [result for result in results if not isinstance(result, (SmsMessage, Refused))] == []


@pytest.mark.django_db(transaction=True)
def test_a_refusal_and_a_message_at_once_leave_nothing_that_is_sent() -> None:
    operator = person()
    for turn in range(5):
        number = f"+7916000020{turn}"
        race(
            lambda: queue_message(action_id=uuid4(), to=number, text="Заявка №1", actor=operator),  # noqa: B023
            lambda: opt_out(number=number, actor=operator),  # noqa: B023
        )
        assert not SmsMessage.objects.filter(to=number).exclude(state=S.WITHDRAWN).exists()
