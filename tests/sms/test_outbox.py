"""Claim, hand over, settle, sweep: at most once, forward only, nothing forgotten."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from hotline.base import clocks
from hotline.base.errors import NotFound
from sms import gateways
from sms.actions import check_status, claim, deliver, expire_leases, outbox, receive_status, settle, sweep, sweeping
from sms.gateways.base import Accepted, NotSubmitted, Outcome, Rejected, Unknown
from sms.gateways.development import DevelopmentGateway
from sms.gateways.development_server import DevelopmentServer
from sms.models import SmsMessage, SmsReceipt
from tests.helpers import race
from tests.sms.factories import message

S = SmsMessage.State


def age(row: SmsMessage, **moments: timedelta) -> SmsMessage:
    """Set moments relative to the database's now: `lease_until=timedelta(seconds=-1)`."""
    SmsMessage.objects.filter(pk=row.pk).update(**{name: Now() + delta for name, delta in moments.items()})
    row.refresh_from_db()
    return row


def journal(row: SmsMessage) -> list[str]:
    return list(row.changes.values_list("to_state", flat=True))


# --- Claim ------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_claim_is_a_token_and_a_lease_longer_than_the_gateways_deadline() -> None:
    row = message()
    claimed = claim(pk=row.pk)
    row.refresh_from_db()
    assert claimed is not None
    assert (row.state, row.attempt_token, row.attempts, row.gateway) == (S.SUBMITTING, claimed.token, 1, "development")
    assert row.lease_until is not None
    assert row.lease_until - row.state_changed_at == DevelopmentGateway().deadline + outbox.LEASE_MARGIN
    assert (claimed.submission.reference, claimed.submission.to, claimed.submission.text) == (
        row.action_id,
        row.to,
        row.text,
    )
    assert journal(row) == [S.SUBMITTING]


@pytest.mark.django_db
@pytest.mark.parametrize("state", [state for state in S.values if state != S.QUEUED])
def test_only_what_is_queued_can_be_claimed(state: str) -> None:
    row = message(state)
    assert claim(pk=row.pk) is None
    row.refresh_from_db()
    assert (row.state, row.attempts, journal(row)) == (state, 0 if state == S.DICTATED else 1, [])


@pytest.mark.django_db
def test_what_is_not_due_is_not_claimed() -> None:
    row = age(message(), not_before=timedelta(seconds=5))
    assert claim(pk=row.pk) is None
    age(row, not_before=timedelta(seconds=-1))
    assert claim(pk=row.pk) is not None


@pytest.mark.django_db
def test_nothing_is_claimed_where_sms_are_switched_off(settings: Any) -> None:
    row = message()
    settings.SMS_GATEWAYS = []
    assert claim(pk=row.pk) is None
    assert claim(pk=0) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_one_wins() -> None:
    for _ in range(5):
        row = message()
        won = [found for found in race(*[lambda: claim(pk=row.pk)] * 4) if found is not None]  # noqa: B023
        row.refresh_from_db()
        assert [found.token for found in won] == [row.attempt_token]
        assert (row.attempts, journal(row)) == (1, [S.SUBMITTING])


# --- Hand over --------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_delivery(gateway: DevelopmentServer) -> None:
    row = message()
    outcome = deliver(pk=row.pk)
    row.refresh_from_db()
    [arrived] = gateway.log.newest(9)
    assert outcome == Accepted(gateway_id=arrived.id)
    assert (arrived.to, arrived.text, arrived.reference) == (row.to, row.text, str(row.action_id))
    assert (row.state, row.gateway_id, row.lease_until) == (S.ACCEPTED, arrived.id, None)
    assert row.check_after is not None
    assert journal(row) == [S.SUBMITTING, S.ACCEPTED]
    # a repeated task finds nothing to do
    assert deliver(pk=row.pk) is None
    assert len(gateway.log.newest(9)) == 1


@pytest.mark.django_db(transaction=True)
def test_the_claim_is_committed_before_the_socket_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen from another connection while the gateway works; and inside a transaction nothing is handed over at all."""
    row = message()
    seen: list[Any] = []

    def submit(self: Any, submission: Any) -> Outcome:
        seen.extend(race(lambda: SmsMessage.objects.get(pk=row.pk).state))
        assert not connection.in_atomic_block
        return Accepted(gateway_id="1")

    monkeypatch.setattr(DevelopmentGateway, "submit", submit)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        deliver(pk=row.pk)
    assert seen == []
    deliver(pk=row.pk)
    assert seen == [S.SUBMITTING]


@pytest.mark.django_db
def test_an_adapter_that_breaks_leaves_the_message_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def submit(self: Any, submission: Any) -> Outcome:
        raise ZeroDivisionError

    monkeypatch.setattr(DevelopmentGateway, "submit", submit)
    row = message()
    deliver(pk=row.pk)
    row.refresh_from_db()
    assert (row.state, row.reason) == (S.UNKNOWN, "adapter:ZeroDivisionError")


@pytest.mark.django_db
def test_a_process_that_stood_still_after_its_claim_hands_nothing_over(
    gateway: DevelopmentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = message()
    monkeypatch.setattr(outbox, "LEASE_MARGIN", timedelta(0))
    assert deliver(pk=row.pk) == NotSubmitted(reason="too_late", saw_nothing=True)
    row.refresh_from_db()
    assert (row.state, gateway.log.newest(9)) == (S.QUEUED, [])


@pytest.mark.django_db
def test_a_machine_that_was_suspended_after_the_claim_hands_nothing_over(
    gateway: DevelopmentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The monotonic clock stood still meanwhile, the lease did not."""
    row, moments = message(), iter([100.0, 111.0])
    monkeypatch.setattr(outbox.clocks, "seconds", lambda: next(moments))
    assert deliver(pk=row.pk) == NotSubmitted(reason="too_late", saw_nothing=True)
    assert gateway.log.newest(9) == []


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="a clock of Linux")
def test_the_clock_of_deadlines_goes_on_while_the_machine_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "clock_gettime", lambda clock: {time.CLOCK_BOOTTIME: 7.0}[clock])
    assert clocks.seconds() == 7.0


# --- Settle -----------------------------------------------------------------------------------------
OUTCOMES: list[tuple[str, Outcome, str, str]] = [
    # state before, outcome, state after, reason
    (S.SUBMITTING, Accepted("g-1"), S.ACCEPTED, ""),
    (S.SUBMITTING, Rejected("invalid_destination"), S.REJECTED, "invalid_destination"),
    (S.SUBMITTING, NotSubmitted("no_connection"), S.QUEUED, "no_connection"),
    (S.SUBMITTING, Unknown("no_answer"), S.UNKNOWN, "no_answer"),
    # a late answer, after the sweep: forward yes, back into the queue never
    (S.UNKNOWN, Accepted("g-1"), S.ACCEPTED, ""),
    (S.UNKNOWN, Rejected("invalid_destination"), S.REJECTED, "invalid_destination"),
    (S.UNKNOWN, NotSubmitted("no_connection"), S.UNKNOWN, ""),
    (S.UNKNOWN, Unknown("no_answer"), S.UNKNOWN, ""),
    # an answer after the receipt
    (S.DELIVERED, Accepted("g-1"), S.DELIVERED, ""),
    (S.UNDELIVERED, Accepted("g-1"), S.UNDELIVERED, ""),
    (S.DELIVERED, NotSubmitted("no_connection"), S.DELIVERED, ""),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "outcome", "after", "reason"), OUTCOMES)
def test_settling(before: str, outcome: Outcome, after: str, reason: str) -> None:
    row = message(before)
    assert row.attempt_token is not None
    settle(pk=row.pk, token=row.attempt_token, outcome=outcome)
    row.refresh_from_db()
    assert (row.state, row.reason) == (after, reason)
    assert journal(row) == ([] if before == after else [after])
    assert row.lease_until is None or before == S.SUBMITTING == after


@pytest.mark.django_db
def test_back_in_the_queue_with_a_pause_that_grows() -> None:
    row = message(S.SUBMITTING)
    pauses = []
    for attempt in range(1, 9):
        SmsMessage.objects.filter(pk=row.pk).update(attempts=attempt)
        settle(pk=row.pk, token=row.attempt_token, outcome=NotSubmitted("no_connection"))
        row.refresh_from_db()
        pauses.append(round((row.not_before - row.state_changed_at).total_seconds()))
        assert (row.attempt_token, row.enqueued_at) == (None, None)
        age(row, not_before=timedelta(0))
        claim(pk=row.pk)
        row.refresh_from_db()
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.django_db
def test_a_pause_that_the_gateway_asks_for() -> None:
    row = message(S.SUBMITTING)
    settle(pk=row.pk, token=row.attempt_token, outcome=NotSubmitted("throttled", retry_after=timedelta(minutes=7)))
    row.refresh_from_db()
    assert round((row.not_before - row.state_changed_at).total_seconds()) == 420


@pytest.mark.django_db
@pytest.mark.parametrize("outcome", [Accepted("g-9"), Rejected("x"), NotSubmitted("x"), Unknown("x")])
def test_a_stale_token_changes_nothing(outcome: Outcome) -> None:
    row = message(S.SUBMITTING)
    settle(pk=row.pk, token=uuid4(), outcome=outcome)
    fresh = SmsMessage.objects.get(pk=row.pk)
    assert (fresh.state, fresh.gateway_id, fresh.attempt_token, journal(row)) == (
        S.SUBMITTING,
        "",
        row.attempt_token,
        [],
    )


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_the_sweep_at_the_same_moment() -> None:
    """Whoever is first, the message ends accepted: the sweep only says «unknown», the answer still moves it on."""
    for _ in range(6):
        row = age(message(S.SUBMITTING), lease_until=timedelta(seconds=-1))
        token = row.attempt_token
        results = race(lambda: settle(pk=row.pk, token=token, outcome=Accepted("g-1")), expire_leases)  # noqa: B023
        assert not [found for found in results if isinstance(found, BaseException)]
        row.refresh_from_db()
        assert row.state == S.ACCEPTED
        assert journal(row) in ([S.ACCEPTED], [S.UNKNOWN, S.ACCEPTED])


# --- What the gateway says afterwards ---------------------------------------------------------------
@pytest.mark.django_db
def test_receipts_move_forward_only() -> None:
    row = message(S.ACCEPTED)
    for said, expected in [
        ("accepted", S.ACCEPTED),
        ("delivered", S.DELIVERED),
        ("delivered", S.DELIVERED),
        ("undelivered", S.DELIVERED),
        ("accepted", S.DELIVERED),
    ]:
        receive_status(gateway="development", gateway_id=row.gateway_id, state=said)
        row.refresh_from_db()
        assert row.state == expected
    assert journal(row) == [S.DELIVERED]
    assert SmsReceipt.objects.count() == 5
    assert row.check_after is None


@pytest.mark.django_db
def test_a_receipt_before_the_answer_waits_in_the_inbox() -> None:
    row = message(S.SUBMITTING)
    assert receive_status(gateway="development", gateway_id="g-1", state="delivered") is None
    assert receive_status(gateway="other", gateway_id="g-2", state="undelivered") is None
    settle(pk=row.pk, token=row.attempt_token, outcome=Accepted("g-1"))
    row.refresh_from_db()
    assert (row.state, row.gateway_id) == (S.DELIVERED, "g-1")
    assert journal(row) == [S.ACCEPTED, S.DELIVERED]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("attempts", "said", "state"),
    [
        (1, "accepted", S.ACCEPTED),
        (1, "delivered", S.DELIVERED),
        (1, "undelivered", S.QUEUED),  # of the attempt that was turned away
        (1, "rejected", S.QUEUED),
        (0, "delivered", S.QUEUED),  # it never had it
    ],
)
def test_what_the_gateway_turned_away_and_has_after_all_is_not_sent_again(attempts: int, said: str, state: str) -> None:
    """It knows our reference: it said that it took nothing, and tells what became of it all the same."""
    row = message(attempts=attempts)
    receive_status(gateway="development", gateway_id="g-1", state=said, reference=row.action_id)
    row.refresh_from_db()
    assert (row.state, row.gateway_id) == (state, "" if state == S.QUEUED else "g-1")
    assert (claim(pk=row.pk) is None) == (state != S.QUEUED)


@pytest.mark.django_db
def test_a_receipt_waits_in_the_inbox_until_a_query_tells_the_id() -> None:
    """There was no answer; the receipt came, and then the gateway's own word that it has it, older than the receipt."""
    row = message(S.UNKNOWN)
    assert receive_status(gateway="development", gateway_id="g-1", state="delivered") is None
    receive_status(gateway="development", gateway_id="g-1", state="accepted", reference=row.action_id)
    row.refresh_from_db()
    assert (row.state, row.gateway_id) == (S.DELIVERED, "g-1")
    assert journal(row) == [S.DELIVERED]


@pytest.mark.django_db(transaction=True)
def test_a_receipt_and_its_answer_at_the_same_moment() -> None:
    for number in range(8):
        row = message(S.SUBMITTING)
        token, gateway_id = row.attempt_token, f"g-{number}"
        race(
            lambda: settle(pk=row.pk, token=token, outcome=Accepted(gateway_id)),  # noqa: B023
            lambda: receive_status(gateway="development", gateway_id=gateway_id, state="delivered"),  # noqa: B023
        )
        row.refresh_from_db()
        assert row.state == S.DELIVERED


@pytest.mark.django_db
def test_a_status_query_moves_the_message(gateway: DevelopmentServer, monkeypatch: pytest.MonkeyPatch) -> None:
    row = message()
    deliver(pk=row.pk)
    check_status(pk=row.pk)
    row.refresh_from_db()
    assert (row.state, SmsReceipt.objects.count()) == (S.ACCEPTED, 0)
    assert row.check_after is not None
    monkeypatch.setattr("sms.gateways.development_server.MOMENT", 0)
    check_status(pk=row.pk)
    row.refresh_from_db()
    assert (row.state, row.check_after) == (S.DELIVERED, None)


@pytest.mark.django_db
def test_an_uncertain_message_is_reconciled_by_our_reference(
    gateway: DevelopmentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer was lost on the way: the gateway knows the message under our reference, and it is not sent again."""
    gateway.behaviour = {"delay_ms": 0, "answer": "drop"}
    row = message()
    assert isinstance(deliver(pk=row.pk), Unknown)
    row.refresh_from_db()
    assert (row.state, row.gateway_id) == (S.UNKNOWN, "")
    assert row.check_after is not None
    check_status(pk=row.pk)
    row.refresh_from_db()
    assert (row.state, row.gateway_id) == (S.ACCEPTED, gateway.log.newest(1)[0].id)
    monkeypatch.setattr("sms.gateways.development_server.MOMENT", 0)
    check_status(pk=row.pk)
    row.refresh_from_db()
    assert row.state == S.DELIVERED
    assert len(gateway.log.newest(9)) == 1


@pytest.mark.django_db
def test_a_gateway_that_knows_nothing_leaves_it_unknown(gateway: DevelopmentServer) -> None:
    row = message(S.UNKNOWN)
    check_status(pk=row.pk)
    row.refresh_from_db()
    assert row.state == S.UNKNOWN
    assert row.check_after is not None
    assert gateway.log.newest(9) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("lasted", "pause"), [(1, 2), (10, 10), (300, 300), (7200, 600)])
def test_the_gateway_is_asked_ever_more_seldom(gateway: DevelopmentServer, lasted: int, pause: int) -> None:
    row = age(message(S.ACCEPTED), state_changed_at=timedelta(seconds=-lasted))
    check_status(pk=row.pk)
    row.refresh_from_db()
    assert row.check_after is not None
    waits = row.check_after - row.state_changed_at - timedelta(seconds=lasted)
    assert abs(waits.total_seconds() - pause) < 1


@pytest.mark.django_db
def test_after_two_days_the_gateway_is_not_asked_any_more(gateway: DevelopmentServer) -> None:
    row = age(message(S.UNKNOWN), state_changed_at=timedelta(hours=-49), check_after=timedelta(0))
    check_status(pk=row.pk)
    row.refresh_from_db()
    assert (row.state, row.check_after) == (S.UNKNOWN, None)


@pytest.mark.django_db
def test_an_adapter_that_breaks_at_a_status_is_asked_no_sooner_than_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: DevelopmentGateway, **asked: Any) -> None:
        raise RuntimeError("an answer that nobody thought of")

    row = message(S.ACCEPTED)
    SmsMessage.objects.update(state_changed_at=Now() - timedelta(minutes=5))
    monkeypatch.setattr(DevelopmentGateway, "fetch_status", broken)
    with pytest.raises(RuntimeError):
        check_status(pk=row.pk)
    row.refresh_from_db()
    assert row.check_after is not None
    assert timedelta(minutes=4) < row.check_after - timezone.now() < timedelta(minutes=6)


@pytest.mark.django_db
def test_a_check_of_what_needs_none() -> None:
    row = message(S.DELIVERED)
    check_status(pk=row.pk)
    with pytest.raises(NotFound):
        check_status(pk=0)


# --- Sweep ------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_sweep_turns_expired_leases_into_unknown() -> None:
    expired = age(message(S.SUBMITTING), lease_until=timedelta(seconds=-1))
    alive = age(message(S.SUBMITTING), lease_until=timedelta(seconds=5))
    assert sweep()["expired"] == 1
    expired.refresh_from_db()
    alive.refresh_from_db()
    assert (expired.state, expired.reason, alive.state) == (S.UNKNOWN, "lease_expired", S.SUBMITTING)
    assert expired.check_after is not None  # this gateway can be asked by our reference


@pytest.mark.django_db
def test_the_sweep_enqueues_what_no_task_will_come_for(
    enqueued: list[tuple[str, int]], django_capture_on_commit_callbacks: Any
) -> None:
    never = message()
    lost = age(message(), enqueued_at=-sweeping.REENQUEUE_AFTER - timedelta(seconds=1))
    age(message(), enqueued_at=timedelta(seconds=-1))  # on its way
    age(message(), not_before=timedelta(seconds=60))  # not due
    message(S.DICTATED)
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep()["enqueued"] == 2
    assert sorted(enqueued) == [("submit", never.pk), ("submit", lost.pk)]
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep()["enqueued"] == 0
    assert len(enqueued) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(("on_their_way", "expected"), [(0, 3), (1, 3), (2, 2), (4, 0), (6, 0)])
def test_a_backlog_stays_in_the_database(
    enqueued: list[tuple[str, int]],
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
    on_their_way: int,
    expected: int,
) -> None:
    monkeypatch.setattr(sweeping, "MOST_ENQUEUED", 4)
    for _ in range(on_their_way):
        age(message(), enqueued_at=timedelta(seconds=-1))
    lost = age(message(), not_before=timedelta(seconds=-70), enqueued_at=timedelta(seconds=-60))
    waiting = [age(message(), not_before=timedelta(seconds=-seconds)) for seconds in (80, 90)]
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep()["enqueued"] == expected
    oldest_first = [("submit", each.pk) for each in (waiting[1], waiting[0], lost)]
    assert enqueued == oldest_first[:expected]


@pytest.mark.django_db
def test_the_sweep_asks_about_what_is_due(
    enqueued: list[tuple[str, int]], django_capture_on_commit_callbacks: Any
) -> None:
    accepted = age(message(S.ACCEPTED), check_after=timedelta(seconds=-1))
    unknown = age(message(S.UNKNOWN), check_after=timedelta(seconds=-1))
    age(message(S.ACCEPTED), check_after=timedelta(seconds=9))
    message(S.UNKNOWN)
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep()["checks"] == 2
        assert sweep()["checks"] == 0
    assert sorted(enqueued) == [("check_status", accepted.pk), ("check_status", unknown.pk)]


@pytest.mark.django_db
def test_the_sweep_takes_more_than_one_batch(
    enqueued: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 3)
    for _ in range(7):
        message()
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep()["enqueued"] == 7
    assert len(set(enqueued)) == 7


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_share_the_work(enqueued: list[tuple[str, int]]) -> None:
    for _ in range(20):
        message()
        age(message(S.SUBMITTING), lease_until=timedelta(seconds=-1))
    results = race(sweep, sweep, sweep)
    assert sum(found["expired"] for found in results) == 20
    assert sum(found["enqueued"] for found in results) == 20
    assert len(enqueued) == len(set(enqueued)) == 20


@pytest.mark.django_db(transaction=True)
def test_a_sweep_does_not_wait_for_a_message_that_somebody_holds() -> None:
    held = age(message(S.SUBMITTING), lease_until=timedelta(seconds=-1))
    with transaction.atomic():
        SmsMessage.objects.select_for_update().get(pk=held.pk)
        [found] = race(sweep)
    assert found["expired"] == 0
    assert sweep()["expired"] == 1


@pytest.mark.django_db
def test_a_gateway_of_an_earlier_configuration_can_not_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    row = age(message(S.SUBMITTING, gateway="gone"), lease_until=timedelta(seconds=-1))
    assert "gone" not in gateways.GATEWAYS
    sweep()
    row.refresh_from_db()
    assert (row.state, row.check_after) == (S.UNKNOWN, None)
    age(row, check_after=timedelta(0))
    check_status(pk=row.pk)
    row.refresh_from_db()
    assert (row.state, row.check_after) == (S.UNKNOWN, None)
