"""What nobody asked for by hand goes at no hour of the night, however it comes to be due then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from sms import quiet
from sms.actions import claim, claim_parts, settle, settle_parts, sweep
from sms.gateways.base import Accepted, NotSubmitted, Outcome
from sms.models import SmsMessage, SmsPart
from tests.sms.factories import message

pytestmark = pytest.mark.django_db
S = SmsMessage.State
LEASE = timedelta(minutes=1)
# Far ahead, so that a morning that is waited for has not come by the database either.
EVENING = datetime.fromisoformat("2036-11-25T20:59:00+03:00")
NIGHT = datetime.fromisoformat("2036-11-25T21:00:00+03:00")
MORNING = datetime.fromisoformat("2036-11-26T09:00:00+03:00")


@pytest.fixture(autouse=True)
def clock(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """What time it is, as the quiet hours see it."""
    settings.SMS_QUIET_HOURS = "21:00-09:00"
    now = [NIGHT]
    monkeypatch.setattr(quiet.timezone, "now", lambda: now[0])
    return now


def automatic(**fields: Any) -> SmsMessage:
    return message(quiet_zone="Europe/Moscow", **fields)


def waits_for_the_morning(row: SmsMessage) -> bool:
    row.refresh_from_db()
    return (row.state, row.reason, row.not_before, row.due_at, row.enqueued_at) == (
        S.QUEUED,
        "quiet_hours",
        MORNING,
        MORNING,
        None,
    )


@pytest.mark.parametrize(
    ("zone", "hours", "at", "over"),
    [
        ("Europe/Moscow", "21:00-09:00", NIGHT, MORNING),
        ("Europe/Moscow", "21:00-09:00", EVENING, None),
        ("Asia/Vladivostok", "21:00-09:00", EVENING, datetime.fromisoformat("2036-11-26T09:00:00+10:00")),
        ("Europe/Moscow", "", NIGHT, None),
        ("", "21:00-09:00", NIGHT, None),  # somebody asked for it by hand
    ],
)
def test_until_when_it_is_quiet(
    zone: str, hours: str, at: datetime, over: datetime | None, clock: list[datetime], settings: Any
) -> None:
    settings.SMS_QUIET_HOURS, clock[0] = hours, at
    assert quiet.until(zone) == over


def test_what_came_back_in_the_evening_waits_out_the_night(clock: list[datetime]) -> None:
    clock[0] = EVENING
    row = automatic()
    claimed = claim(pk=row.pk)
    assert claimed
    settle(pk=row.pk, token=claimed.token, outcome=NotSubmitted("no_connection", is_down=True))
    SmsMessage.objects.update(not_before=Now())
    clock[0] = NIGHT
    assert claim(pk=row.pk) is None
    assert waits_for_the_morning(row)
    clock[0] = MORNING
    SmsMessage.objects.update(not_before=Now())
    assert claim(pk=row.pk)


def test_what_lay_in_an_outbox_that_was_held_waits_out_the_night() -> None:
    assert claim(pk=automatic().pk) is None
    assert waits_for_the_morning(SmsMessage.objects.get())


def test_the_sweep_puts_off_what_is_due_in_the_night_and_makes_no_task_for_it(clock: list[datetime]) -> None:
    late, far, by_hand = automatic(), message(quiet_zone="Asia/Vladivostok"), message()
    begun = automatic(gateway="smpp")
    SmsPart.objects.create(message=begun, seq=1, text="Зая", state=SmsPart.State.ACCEPTED, gateway_id="7")
    clock[0] = EVENING
    assert sweep()["put_off"] == 1
    tasks_for = SmsMessage.objects.filter(enqueued_at__isnull=False)
    assert {row.pk for row in tasks_for} == {late.pk, by_hand.pk}
    clock[0] = NIGHT
    assert sweep()["put_off"] == 1
    assert waits_for_the_morning(late)
    for row, due in ((far, False), (begun, True)):
        row.refresh_from_db()
        assert (row.reason != "quiet_hours") == due


def test_what_somebody_asked_for_goes_at_any_hour() -> None:
    assert claim(pk=message().pk)


def test_in_parts_it_waits_too_and_holds_nothing_up() -> None:
    row, by_hand = automatic(gateway="smpp"), message(gateway="smpp")
    assert [part.message for part in claim_parts(gateway="smpp", lease=LEASE, most=9)] == [by_hand.pk]
    assert waits_for_the_morning(row)
    assert not SmsPart.objects.filter(message=row).exists()


def test_the_rest_of_what_is_there_in_part_goes_at_once(clock: list[datetime]) -> None:
    clock[0] = EVENING
    row = automatic(gateway="smpp", text="я" * 100)
    one, two = claim_parts(gateway="smpp", lease=LEASE, most=9)
    outcomes: dict[int, Outcome] = {one.seq: Accepted("7"), two.seq: NotSubmitted("throttled")}
    settle_parts(message_id=row.pk, token=one.token, outcomes=outcomes)
    SmsMessage.objects.update(not_before=Now())
    clock[0] = NIGHT
    assert [part.seq for part in claim_parts(gateway="smpp", lease=LEASE, most=9)] == [two.seq]
