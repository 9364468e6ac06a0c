"""The sweep as a whole: it goes on whatever fails, looks under the lock, and ends what no configuration sends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError
from django.db.models.functions import Now
from django.utils import timezone

from hotline.base.models import Heartbeat
from hotline.celery import app
from sms import quiet, tasks
from sms.actions import sweep, sweeping
from sms.models import SmsMessage, SmsPart
from sms.models.messages import SmsMessageQuerySet
from tests.sms.factories import message

pytestmark = pytest.mark.django_db
S, P = SmsMessage.State, SmsPart.State


def begun(**fields: Any) -> SmsMessage:
    """In the queue again, its first part at the gateway."""
    row = message(text="я" * 100, attempts=1, **fields)
    SmsPart.objects.create(message=row, seq=1, text="я" * 67, state=P.ACCEPTED, gateway_id=f"{row.pk}")
    SmsPart.objects.create(message=row, seq=2, text="я" * 33)
    return row


def state_of(row: SmsMessage) -> tuple[str, str, str]:
    row.refresh_from_db()
    return row.state, row.reason, row.gateway


# --- Whatever fails ---------------------------------------------------------------------------------
def test_a_step_that_fails_holds_up_none_of_the_others(
    monkeypatch: pytest.MonkeyPatch, enqueued: list[tuple[str, int]], django_capture_on_commit_callbacks: Any
) -> None:
    def broken() -> int:
        raise ValueError("a row that nobody thought of")

    lost, waiting = message(S.SUBMITTING, lease_until=Now() - timedelta(seconds=1)), message()
    monkeypatch.setattr(sweeping, "put_off", broken)
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ValueError, match="nobody thought of"):
        sweep()
    assert state_of(lost)[0] == S.UNKNOWN
    assert enqueued == [("submit", waiting.pk)]


def test_a_database_that_is_away_is_away_for_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def away() -> int:
        asked.append(1)
        raise OperationalError

    for step in ("expire_leases", "withdraw_unwanted", "enqueue_due"):
        monkeypatch.setattr(sweeping, step, away)
    with pytest.raises(OperationalError):
        sweep()
    assert asked == [1]


# --- Beat -------------------------------------------------------------------------------------------
def test_clocks_that_differ_by_less_than_a_minute_switch_nothing_off() -> None:
    schedule = django_settings.CELERY_BEAT_SCHEDULE
    assert {name: entry["schedule"] for name, entry in schedule.items()} == {
        "sms.tasks.sweep": 2,
        "hotline.base.tasks.heartbeat": 10,
        "calls.tasks.follow_up_messages": 20,
        "calls.tasks.end_stale_rings": 60,
        "sms.tasks.check_balances": 600,
    }
    assert min(entry["options"]["expires"] for entry in schedule.values()) >= 60


@pytest.mark.parametrize("name", list(django_settings.CELERY_BEAT_SCHEDULE))
def test_what_beat_asks_for_is_a_task_and_waits_behind_no_messages(name: str) -> None:
    app.loader.import_default_modules()
    assert name in app.tasks
    route = django_settings.CELERY_TASK_ROUTES[name]
    assert route["queue"] == f"{django_settings.CELERY_TASK_DEFAULT_QUEUE}-housekeeping"


def test_of_a_heap_of_sweeps_one_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    monkeypatch.setattr(tasks.actions, "sweep", lambda: done.append(1))
    for _ in range(5):
        tasks.sweep()
    assert done == [1]
    Heartbeat.objects.update(at=Now() - timedelta(seconds=2))
    tasks.sweep()
    assert done == [1, 1]


def test_readyz_misses_a_sweep_that_fails_or_is_not_done(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> dict[str, Any]:
        part: dict[str, Any] = client.get("/readyz").json()["parts"]["sms_sweep"]
        del part["took_ms"]
        return part

    def broken() -> None:
        raise ValueError("not today")

    with monkeypatch.context() as patch:
        patch.setattr(tasks.actions, "sweep", broken)
        with pytest.raises(ValueError, match="not today"):
            tasks.sweep()
    assert told() == {"ready": False, "heartbeat": "never"}
    tasks.sweep()
    assert told() == {"ready": True, "heartbeat_age_s": 0}
    Heartbeat.objects.update(at=Now() - timedelta(seconds=50))
    assert told() == {"ready": False, "heartbeat_age_s": 50}


# --- Under the lock ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("step", "fields", "of_a_whole_one"),
    [
        ("withdraw_unwanted", {"withdraw_reason": "outdated"}, (S.WITHDRAWN, "outdated", "development")),
        ("reroute", {"gateway": "smpp"}, (S.QUEUED, "", "development")),
        ("put_off", {"quiet_zone": "Europe/Moscow"}, (S.QUEUED, "quiet_hours", "development")),
    ],
)
def test_a_look_from_before_an_attempt_that_ended_a_moment_ago_counts_for_nothing(
    step: str, fields: dict[str, Any], of_a_whole_one: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was chosen as whole has its beginning at the gateway by the time it is locked."""
    monkeypatch.setattr(quiet, "until", lambda zone: timezone.now() + timedelta(hours=9))
    row = begun(**fields)
    before = state_of(row)
    monkeypatch.setattr(SmsMessageQuerySet, "whole", lambda messages: messages)
    assert getattr(sweeping, step)() == 0
    assert state_of(row) == before
    whole = message(attempts=1, **fields)
    assert getattr(sweeping, step)() == 1
    assert state_of(whole) == of_a_whole_one


# --- What no configuration sends any more -----------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "minutes", "end"),
    [
        ({"gateway": "smsc", "sender": "GONE"}, 61, (S.REJECTED, "sender_not_allowed")),
        ({"gateway": "smsc", "sender": "GONE"}, 59, (S.QUEUED, "")),  # perhaps it comes back
        ({"gateway": "smsc", "sender": "HOTLINE"}, 61, (S.QUEUED, "")),  # to the gateway that the sender has now
        ({"gateway": "development", "sender": "GONE"}, 61, (S.QUEUED, "")),  # its gateway takes it yet
    ],
)
def test_a_message_of_a_sender_that_is_gone_comes_to_an_end(
    fields: dict[str, str], minutes: int, end: tuple[str, str]
) -> None:
    row = message(not_before=Now() - timedelta(minutes=minutes), **fields)
    sweep()
    assert state_of(row)[:2] == end


@pytest.mark.parametrize("sender", ["HOTLINE", "GONE"])
def test_of_one_that_is_there_in_part_the_rest_does_not_go(sender: str) -> None:
    row = begun(gateway="smpp", sender=sender, not_before=Now() - timedelta(minutes=61))
    sweep()
    assert state_of(row)[:2] == (S.UNDELIVERED, "never_sent")
    assert list(row.parts.values_list("state", flat=True)) == [P.ACCEPTED, P.UNDELIVERED]


def test_while_sms_are_switched_off_nothing_ends(settings: Any) -> None:
    settings.SMS_GATEWAYS = []
    row = message(gateway="smsc", sender="GONE", not_before=Now() - timedelta(hours=9))
    sweep()
    assert state_of(row)[0] == S.QUEUED
