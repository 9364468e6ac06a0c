"""How the outbox and its gateways are told: the figures, the metrics, what quiet hours do not count for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY

from hotline.base.heartbeats import beat
from hotline.base.models import Heartbeat
from sms import checks, metrics, overview
from sms.actions import claim, give_consent, opt_out, save_template, settle
from sms.gateways.base import NotSubmitted
from sms.models import DeniedCode, GatewayState, OptOut, SmsMessage, SmsTemplate
from tests.helpers import assert_same_query_count, count_queries
from tests.sms.factories import MOBILE, OTHER_MOBILE, deny, message, template

pytestmark = pytest.mark.django_db


def aged(minutes: int, **fields: Any) -> SmsMessage:
    made = message(**fields)
    long_ago = Now() - timedelta(minutes=minutes)
    SmsMessage.objects.filter(pk=made.pk).update(
        created_at=long_ago, **({} if "due_at" in fields else {"due_at": long_ago})
    )
    return made


def test_each_gateway_with_what_waits_for_it(settings: Any) -> None:
    settings.SMS_GATEWAYS, settings.SMS_SENDERS = ["smsc", "development"], {"SERVICE": ["development"]}
    GatewayState.objects.create(
        name="smsc",
        balance=Decimal("12.50"),
        balance_at=timezone.now(),
        problem="no_balance",
        problem_at=timezone.now(),
    )
    oldest = aged(5)
    message()
    message(not_before=timezone.now() + timedelta(hours=1))
    message("submitting")
    message("unknown", resend_of=None)
    message("unknown", gateway="pigeon")
    smsc, development, pigeon = overview.gateways()
    assert (smsc.name, smsc.senders, smsc.is_in_use) == ("smsc", ["HOTLINE: 1"], True)
    assert smsc.state is not None
    assert (smsc.state.balance, smsc.state.problem_in_words) == (Decimal("12.50"), "шлюз не сообщил баланс")
    assert development.senders == ["HOTLINE: 2", "SERVICE: 1"]
    assert (development.waiting, development.postponed, development.under_way, development.unknown) == (2, 1, 1, 1)
    oldest.refresh_from_db()
    assert development.oldest == oldest.due_at
    assert (pigeon.name, pigeon.is_in_use, pigeon.unknown) == ("pigeon", False, 1)


def test_a_gateway_with_a_process_of_its_own_is_linked_while_one_beats(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smpp", "development"]
    assert [row.is_linked for row in overview.gateways()] == [False, None]
    beat("smpp")
    assert [row.is_linked for row in overview.gateways()] == [True, None]
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=46))
    assert overview.gateways()[0].is_linked is False


def test_what_was_sent_anew_is_not_uncertain_any_more() -> None:
    old = message("unknown")
    message(resend_of=old)
    assert overview.figures().uncertain == 0
    assert overview.gateways()[0].unknown == 0


def test_it_costs_the_same_whatever_waits() -> None:
    message()
    before = len(count_queries(overview.gateways))
    for _ in range(10):
        message()
        message("unknown")
    assert len(count_queries(overview.gateways)) == before == 4


def test_the_metrics(client: Client) -> None:
    aged(7)
    message("unknown")
    answer = client.get("/metrics").content.decode()
    assert "hotline_sms_uncertain 1.0" in answer
    assert "hotline_sms_undecided 1.0" in answer
    oldest = next(line for line in answer.splitlines() if line.startswith("hotline_sms_oldest_undecided_seconds "))
    assert 419 <= float(oldest.split()[1]) <= 480


def test_metrics_survive_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError

    monkeypatch.setattr(metrics, "figures", away)
    assert list(metrics.OutboxCollector().collect()) == []
    assert REGISTRY.get_sample_value("hotline_sms_uncertain") is None


def test_the_night_does_not_count_as_waiting() -> None:
    """At nine in the morning what waited for its hour is due since nine, not since yesterday evening."""
    nine = timezone.now() - timedelta(minutes=2)
    night = aged(600, reason="quiet_hours", not_before=nine, due_at=nine)
    assert checks.outbox().ready
    assert 119 <= checks.outbox().facts["oldest_waiting_s"] <= 180
    SmsMessage.objects.filter(pk=night.pk).update(due_at=Now() - timedelta(minutes=11))
    assert not checks.outbox().ready


def test_the_night_does_not_count_after_a_try_either() -> None:
    """The gateway throttled at nine: it is due since nine, though it names its hour no more."""
    nine = timezone.now() - timedelta(minutes=2)
    night = aged(600, reason="quiet_hours", not_before=nine, due_at=nine)
    claimed = claim(pk=night.pk)
    assert claimed
    assert timedelta(minutes=2) <= overview.figures().oldest_undecided < timedelta(minutes=3)
    settle(pk=night.pk, token=claimed.token, outcome=NotSubmitted("throttled"))
    assert checks.outbox().ready
    assert 119 <= checks.outbox().facts["oldest_waiting_s"] <= 180


def test_what_comes_back_in_the_evening_is_no_work_until_the_morning() -> None:
    """Due since the afternoon, tried, and put off (`test_quiet`): it is nobody's trouble at night."""
    nine = timezone.now() + timedelta(hours=9)
    aged(36000, reason="quiet_hours", attempts=3, not_before=nine, due_at=nine)
    assert overview.figures().undecided == 0
    assert checks.outbox().ready


def test_a_pause_after_a_try_is_waiting_all_the_same() -> None:
    """A gateway that refuses for hours is trouble, also in the seconds between two tries."""
    row = aged(600)
    claimed = claim(pk=row.pk)
    assert claimed
    settle(pk=row.pk, token=claimed.token, outcome=NotSubmitted("bad_credentials", is_down=True))
    row.refresh_from_db()
    assert row.not_before > timezone.now()
    assert overview.figures().undecided == 1
    assert overview.figures().oldest_undecided >= timedelta(minutes=10)
    assert not checks.outbox().ready


def test_until_when_a_message_waits() -> None:
    at = timezone.now() + timedelta(hours=3)
    assert message(reason="quiet_hours", not_before=at).waits_until == at
    assert message(reason="quiet_hours", not_before=timezone.now() - timedelta(seconds=1)).waits_until is None
    assert message(reason="no_connection", not_before=at).waits_until is None
    assert message("delivered").waits_until is None


def test_what_was_accepted_and_never_heard_of_again_says_so() -> None:
    at = timezone.now() - SmsMessage.SILENT_AFTER
    soon, silent = (
        message("accepted", state_changed_at=at + timedelta(minutes=1)),
        message("accepted", state_changed_at=at),
    )
    assert (soon.reason_code, soon.reason_in_words) == ("", "")
    assert (silent.reason_code, silent.reason_in_words) == ("no_receipt", "оператор связи не сообщил, доставлено ли")
    assert message("delivered", state_changed_at=at).reason_code == ""


# --- What holds messages back -----------------------------------------------------------------------
def test_the_limits_as_they_are_configured(settings: Any) -> None:
    settings.SMS_DAILY_PER_NUMBER, settings.SMS_QUIET_HOURS = 7, "22:00-08:30"
    limited = template("news", daily_limit=3)
    save_template(code="news", moment=limited.moment, name="Новости", text="Иначе.", daily_limit=2, actor=None)
    template("free")
    # Of whichever version, today, and only what may have left us.
    message(template=limited)
    message("delivered", template=limited)
    message("rejected", template=limited)
    yesterday = message(template=limited)
    SmsMessage.objects.filter(pk=yesterday.pk).update(due_at=Now() - timedelta(days=1))
    ended = opt_out(number="+79160000777", actor=None)
    OptOut.objects.filter(pk=ended.pk).update(ended_at=Now())
    opt_out(number=OTHER_MOBILE, actor=None)
    give_consent(number=MOBILE, actor=None)
    DeniedCode.objects.all().delete()
    deny()
    found = overview.limits()
    assert (found.daily_per_number, found.quiet) == (7, "22:00–08:30")
    assert [(limit.template.name, limit.today, limit.is_reached) for limit in found.templates] == [("Новости", 2, True)]
    assert (found.refusals, found.consents, found.denied_codes) == (1, 1, 1)


@pytest.mark.parametrize("hours", ["", "09:00-09:00"])
def test_hours_that_are_none(settings: Any, hours: str) -> None:
    settings.SMS_QUIET_HOURS = hours
    assert overview.limits().quiet == ""


def test_limits_cost_the_same_whatever_there_is() -> None:
    def more(count: int) -> None:
        for n in range(count):
            code = f"t{SmsTemplate.objects.count()}-{n}"
            message(template=template(code, daily_limit=5))
            opt_out(number=f"+7916000{SmsMessage.objects.count():04d}", actor=None)

    assert_same_query_count(more, overview.limits)
