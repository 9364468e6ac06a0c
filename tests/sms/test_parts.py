"""Messages in parts (SMPP): claimed together, settled one by one; only what was not accepted is sent again."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations_with_replacement
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from hotline.base.heartbeats import OLDEST, beat
from hotline.base.models import Heartbeat
from sms import actions
from sms.actions import (
    PartToSend,
    claim,
    claim_parts,
    expire_leases,
    note_link,
    pass_on,
    receive_status,
    settle_parts,
    withdraw,
)
from sms.actions.parts import worst
from sms.actions.sweeping import reroute
from sms.gateways.base import Accepted, NotSubmitted, Outcome, Rejected, Unknown
from sms.models import GatewayState, SmsMessage, SmsPart, SmsReceipt
from tests.helpers import race
from tests.sms.factories import message

S, P = SmsMessage.State, SmsPart.State
LEASE = timedelta(seconds=30)
THREE = "я" * 67 * 3


@pytest.fixture(autouse=True)
def _smpp(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smpp"]


def row(text: str = THREE, **fields: Any) -> SmsMessage:
    return message(text=text, gateway="smpp", **fields)


def take(most: int = 50) -> list[PartToSend]:
    return claim_parts(gateway="smpp", lease=LEASE, most=most)


def settle(claimed: list[PartToSend], *outcomes: Outcome) -> SmsMessage:
    """Outcomes of the parts in their order; those beyond are left open."""
    first = claimed[0]
    by_seq = {part.seq: outcome for part, outcome in zip(claimed, outcomes, strict=False)}
    return settle_parts(message_id=first.message, token=first.token, outcomes=by_seq)


def told(gateway_id: str, state: str, reason: str = "") -> SmsMessage | None:
    return receive_status(gateway="smpp", gateway_id=gateway_id, state=state, reason=reason)


def parts(found: SmsMessage) -> list[str]:
    return list(found.parts.order_by("seq").values_list("state", flat=True))


def whys(found: SmsMessage) -> list[tuple[str, str]]:
    return list(found.parts.order_by("seq").values_list("state", "reason"))


def again(found: SmsMessage) -> SmsMessage:
    """Its pause is over."""
    SmsMessage.objects.filter(pk=found.pk).update(not_before=Now())
    return SmsMessage.objects.get(pk=found.pk)


def journal(found: SmsMessage) -> list[str]:
    return list(found.changes.values_list("to_state", flat=True))


# --- The worst counts -------------------------------------------------------------------------------
ORDER = ["submitting", "rejected", "undelivered", "expired", "unknown", "queued", "accepted", "delivered"]


@pytest.mark.parametrize("pair", list(combinations_with_replacement(ORDER, 2)))
def test_the_worst_of(pair: tuple[str, str]) -> None:
    assert worst(pair) == worst(reversed(pair)) == pair[0]


def test_every_state_of_a_part_has_its_place() -> None:
    assert set(ORDER) == set(P.values)


# --- Claim ------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_claim_cuts_the_text_and_takes_all_its_parts() -> None:
    found = row()
    claimed = take()
    found.refresh_from_db()
    assert [(part.seq, part.total, part.text, part.encoding) for part in claimed] == [
        (seq, 3, "я" * 67, "ucs2") for seq in (1, 2, 3)
    ]
    assert {(part.message, part.token, part.reference, part.to, part.sender) for part in claimed} == {
        (found.pk, found.attempt_token, found.pk & 0xFF, found.to, found.sender)
    }
    assert (found.state, found.attempts, parts(found)) == (S.SUBMITTING, 1, [P.SUBMITTING] * 3)
    assert found.lease_until is not None
    assert found.lease_until - found.state_changed_at == LEASE
    assert journal(found) == [S.SUBMITTING]
    assert take() == []


@pytest.mark.django_db
def test_a_claim_takes_whole_messages_as_far_as_there_is_room_and_one_at_least() -> None:
    rows = [row(), row("Hi"), row(), row("Hi")]
    assert [part.message for part in take(most=1)] == [rows[0].pk] * 3
    assert [part.message for part in take(most=3)] == [rows[1].pk]
    assert [part.message for part in take(most=4)] == [rows[2].pk] * 3 + [rows[3].pk]
    assert take(most=4) == []


@pytest.mark.django_db
def test_only_what_is_due_and_ours_is_claimed_and_tasks_take_none_of_it() -> None:
    found = row()
    SmsMessage.objects.filter(pk=found.pk).update(not_before=Now() + timedelta(seconds=9))
    message(gateway="smsc")
    assert take() == []
    again(found)
    assert claim(pk=found.pk) is None
    assert len(take()) == 3


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_each_gets_others() -> None:
    rows = [row() for _ in range(12)]
    found = race(*[lambda: take(most=9)] * 4)
    taken = [part for claimed in found for part in claimed]
    assert len(taken) == len({(part.message, part.seq) for part in taken})
    taken += take(most=99)
    assert sorted({part.message for part in taken}) == [each.pk for each in rows]
    assert len(taken) == 36
    assert set(SmsMessage.objects.values_list("attempts", flat=True)) == {1}


# --- Settle -----------------------------------------------------------------------------------------
YES, FULL, NO, LOST = Accepted("1"), NotSubmitted("throttled"), Rejected("invalid_destination"), Unknown("link_lost")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("outcomes", "state", "reason"),
    [
        ((Accepted("1"), Accepted("2"), Accepted("3")), S.ACCEPTED, ""),
        ((YES, FULL, Accepted("2")), S.QUEUED, "throttled"),
        ((FULL, FULL, FULL), S.QUEUED, "throttled"),
        ((YES, LOST, Accepted("2")), S.UNKNOWN, "link_lost"),
        ((FULL, LOST, FULL), S.UNKNOWN, "link_lost"),
        ((YES, LOST, NO), S.REJECTED, "invalid_destination"),
        ((NO, FULL, FULL), S.REJECTED, "invalid_destination"),
        ((YES, FULL), S.SUBMITTING, ""),
    ],
)
def test_what_comes_of_a_message(outcomes: tuple[Outcome, ...], state: str, reason: str) -> None:
    row()
    settled = settle(take(), *outcomes)
    assert (settled.state, settled.reason) == (state, reason)
    assert (settled.lease_until is None) == (state != S.SUBMITTING)
    assert journal(settled) == [S.SUBMITTING] + [state] * (state != S.SUBMITTING)


@pytest.mark.django_db
def test_only_what_was_not_accepted_is_sent_again_under_the_same_reference() -> None:
    found = row()
    first = take()
    settled = settle(first, Accepted("1"), FULL, Accepted("3"))
    assert (settled.state, settled.attempt_token, parts(settled)) == (
        S.QUEUED,
        None,
        [P.ACCEPTED, P.QUEUED, P.ACCEPTED],
    )
    assert take() == []  # its pause
    again(settled)
    [second] = take()
    assert (second.seq, second.total, second.reference) == (2, 3, first[0].reference)
    assert second.token != first[0].token
    settled = settle([second], Accepted("2"))
    assert (settled.state, settled.attempts) == (S.ACCEPTED, 2)
    assert list(found.parts.order_by("seq").values_list("gateway_id", flat=True)) == ["1", "2", "3"]


@pytest.mark.django_db
def test_a_part_of_it_is_there_so_no_other_gateway_gets_the_rest(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smpp", "smsc"]
    row()
    settled = settle(take(), Accepted("1"), NotSubmitted("no_connection", is_down=True), FULL)
    assert (settled.state, settled.gateway) == (S.QUEUED, "smpp")
    whole = row("Hi")
    settled = settle(take(), NotSubmitted("no_connection", is_down=True))
    assert (settled.pk, settled.gateway) == (whole.pk, "smsc")


@pytest.mark.django_db
def test_an_answer_under_an_old_token_changes_nothing() -> None:
    row("Hi")
    first = take()
    again(settle(first, FULL))
    second = take()
    settled = settle(first, Accepted("old"))
    assert (settled.state, parts(settled)) == (S.SUBMITTING, [P.SUBMITTING])
    settled = settle_parts(message_id=first[0].message, token=uuid4(), outcomes={1: NO})
    assert settled.state == S.SUBMITTING
    assert settle(second, Accepted("new")).state == S.ACCEPTED


@pytest.mark.django_db
def test_after_the_lease_a_part_is_unknown_and_never_goes_back_to_the_queue() -> None:
    found = row()
    claimed = take()
    settle(claimed, Accepted("1"))
    SmsMessage.objects.filter(pk=found.pk).update(lease_until=Now() - timedelta(seconds=1))
    assert expire_leases() == 1
    found.refresh_from_db()
    assert (found.state, found.reason, parts(found)) == (S.UNKNOWN, "lease_expired", [P.ACCEPTED, P.UNKNOWN, P.UNKNOWN])
    # a late «not written» comes too late, a late «yes» does not
    settle_parts(message_id=found.pk, token=claimed[0].token, outcomes={2: FULL})
    settled = settle_parts(message_id=found.pk, token=claimed[0].token, outcomes={3: Accepted("3")})
    assert (settled.state, parts(settled)) == (S.UNKNOWN, [P.ACCEPTED, P.UNKNOWN, P.ACCEPTED])
    settled = settle_parts(message_id=found.pk, token=claimed[0].token, outcomes={2: Accepted("2")})
    assert (settled.state, take()) == (S.ACCEPTED, [])


@pytest.mark.django_db
def test_the_database_itself_lets_no_part_go_back() -> None:
    row("Hi")
    settled = settle(take(), YES)
    with pytest.raises(IntegrityError, match="never goes back"), transaction.atomic():
        settled.parts.update(state=P.QUEUED)


# --- Receipts ---------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_message_is_delivered_when_all_its_parts_are() -> None:
    row()
    settle(take(), Accepted("1"), Accepted("2"), Accepted("3"))
    states = []
    for gateway_id in ("2", "1", "1", "3"):
        found = told(gateway_id, "delivered")
        assert found is not None
        states.append(found.state)
    assert states == [S.ACCEPTED, S.ACCEPTED, S.ACCEPTED, S.DELIVERED]


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["undelivered", "expired", "rejected"])
def test_one_part_that_failed_fails_the_message(state: str) -> None:
    row()
    settle(take(), Accepted("1"), Accepted("2"), Accepted("3"))
    told("1", "delivered")
    found = told("2", state, "network:011")
    assert found is not None
    assert (found.state, found.reason) == (state, "network:011")
    # and no later word makes it better
    told("3", "delivered")
    told("2", "delivered")
    found.refresh_from_db()
    assert (found.state, parts(found)) == (state, [P.DELIVERED, state, P.DELIVERED])


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["undelivered", "expired", "rejected"])
def test_a_part_that_failed_while_others_wait_ends_the_message_and_them(state: str) -> None:
    row()
    settled = settle(take(), Accepted("1"), FULL, Accepted("3"))
    found = told("1", state, "network:011")
    assert found is not None
    assert (found.pk, found.state, found.reason) == (settled.pk, state, "network:011")
    assert whys(found) == [(state, "network:011"), (P.UNDELIVERED, "never_sent"), (P.ACCEPTED, "")]
    again(found)
    assert take() == []
    # and no later word makes it another failure
    found = told("3", "delivered")
    assert found is not None
    assert (found.state, found.reason, parts(found)) == (state, "network:011", [state, P.UNDELIVERED, P.DELIVERED])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("outcomes", "whys_then"),
    [
        ((NO, FULL, FULL), [(P.REJECTED, NO.reason), (P.UNDELIVERED, "never_sent"), (P.UNDELIVERED, "never_sent")]),
        ((YES, NO, FULL), [(P.ACCEPTED, ""), (P.REJECTED, NO.reason), (P.UNDELIVERED, "never_sent")]),
        ((LOST, NO, FULL), [(P.UNKNOWN, LOST.reason), (P.REJECTED, NO.reason), (P.UNDELIVERED, "never_sent")]),
    ],
)
def test_parts_that_were_never_sent_end_with_the_message(
    outcomes: tuple[Outcome, ...], whys_then: list[tuple[str, str]]
) -> None:
    row()
    settled = settle(take(), *outcomes)
    assert (settled.state, settled.reason, whys(settled)) == (S.REJECTED, NO.reason, whys_then)


@pytest.mark.django_db
def test_parts_of_a_message_that_has_not_failed_wait_on() -> None:
    row()
    settled = settle(take(), YES, FULL, FULL)
    assert parts(settled) == [P.ACCEPTED, P.QUEUED, P.QUEUED]
    other = row()
    settled = settle([part for part in take() if part.message == other.pk], LOST, FULL, FULL)
    assert (settled.state, parts(settled)) == (S.UNKNOWN, [P.UNKNOWN, P.QUEUED, P.QUEUED])


@pytest.mark.django_db
def test_receipts_before_the_answers_are_kept_and_matched() -> None:
    row()
    claimed = take()
    assert [told(gateway_id, "delivered") for gateway_id in ("1", "3")] == [None, None]
    assert told("2", "undelivered", "network:5") is None
    assert settle(claimed, Accepted("1")).state == S.SUBMITTING
    settled = settle(claimed[1:], Accepted("2"), Accepted("3"))
    assert (settled.state, settled.reason) == (S.UNDELIVERED, "network:5")
    assert parts(settled) == [P.DELIVERED, P.UNDELIVERED, P.DELIVERED]


@pytest.mark.django_db
def test_an_id_that_comes_again_is_of_the_latest_part() -> None:
    """A centre that counts anew: the old one's words are not about the new one, nor the new one's about the old."""
    old = row("Old")
    settle(take(), Accepted("7"))
    waiting = row("New")  # made before the old one's receipt comes, claimed after it
    told("7", "delivered")
    claimed = take()
    settled = settle(claimed, Accepted("7"))
    assert (settled.pk, settled.state) == (waiting.pk, S.ACCEPTED)
    found = told("7", "expired")
    assert found is not None
    assert (found.pk, found.state) == (waiting.pk, S.EXPIRED)
    old.refresh_from_db()
    assert old.state == S.DELIVERED


@pytest.mark.django_db
def test_what_comes_before_its_answer_is_not_of_a_message_of_long_ago_with_the_same_id() -> None:
    """After two days a centre has nothing more to say of it."""
    old = row("Old")
    settle(take(), Accepted("7"))
    SmsMessage.objects.filter(pk=old.pk).update(state_changed_at=Now() - timedelta(hours=49))
    new = row("New")
    claimed = take()
    assert told("7", "undelivered", "network:5") is None
    settled = settle(claimed, Accepted("7"))
    assert (settled.pk, settled.state, settled.reason) == (new.pk, S.UNDELIVERED, "network:5")
    old.refresh_from_db()
    assert old.state == S.ACCEPTED


@pytest.mark.django_db
def test_a_centre_with_one_id_for_all_parts_sends_a_receipt_for_each() -> None:
    found = row()
    settle(take(), Accepted("7"), Accepted("7"), Accepted("7"))
    for said, state in (
        ("delivered", S.ACCEPTED),
        ("undelivered", S.UNDELIVERED),
        ("delivered", S.UNDELIVERED),
        ("expired", S.UNDELIVERED),  # one too many changes nothing
    ):
        assert told("7", said) == found
        found.refresh_from_db()
        assert found.state == state
    assert parts(found) == [P.DELIVERED, P.UNDELIVERED, P.DELIVERED]


@pytest.mark.django_db
def test_an_answer_without_an_id_matches_no_receipt() -> None:
    row("Hi")
    SmsReceipt.objects.create(gateway="smpp", gateway_id="9", state="delivered")
    assert settle(take(), Accepted("")).state == S.ACCEPTED


@pytest.mark.django_db(transaction=True)
def test_a_receipt_and_its_answer_at_the_same_moment() -> None:
    """Whoever is first: it ends delivered, and no deadlock."""
    for number in range(15):
        found = row("Hi")
        claimed = take()
        raced = race(
            lambda: settle(claimed, Accepted(f"id{number}")),  # noqa: B023
            lambda: told(f"id{number}", "delivered"),  # noqa: B023
        )
        assert not [error for error in raced if isinstance(error, BaseException)]
        found.refresh_from_db()
        assert (found.state, parts(found)) == (S.DELIVERED, [P.DELIVERED])


@pytest.mark.django_db(transaction=True)
def test_answers_receipts_and_the_sweep_at_the_same_moment() -> None:
    """Parts of one message settled from several threads while its lease runs out: forward only, and no deadlock."""
    for number in range(10):
        found = row()
        claimed = take()
        SmsMessage.objects.filter(pk=found.pk).update(lease_until=Now() - timedelta(seconds=1))
        raced = race(
            lambda: settle(claimed[:1], Accepted(f"{number}-1")),  # noqa: B023
            lambda: settle(claimed[1:], Accepted(f"{number}-2"), Accepted(f"{number}-3")),  # noqa: B023
            lambda: told(f"{number}-2", "delivered"),  # noqa: B023
            expire_leases,
        )
        assert not [error for error in raced if isinstance(error, BaseException)]
        found.refresh_from_db()
        assert (found.state, parts(found)) == (S.ACCEPTED, [P.ACCEPTED, P.DELIVERED, P.ACCEPTED])


# --- Out of order -----------------------------------------------------------------------------------
@pytest.mark.django_db
def test_what_waits_whole_goes_to_the_next_gateway_of_its_sender(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smpp", "smsc"]
    begun = row()
    settle(take(), Accepted("1"), FULL, FULL)
    again(begun)
    tried = row("Hi")
    settle([part for part in take() if part.message == tried.pk], FULL)
    settle(_claimed(begun), FULL, FULL)
    again(begun)
    again(tried)
    whole, later, sent = row("Hi"), row("Hi"), message(S.ACCEPTED, gateway="smpp")
    SmsMessage.objects.filter(pk=later.pk).update(not_before=Now() + timedelta(hours=1))
    assert pass_on(gateway="smpp") == 2
    by_pk = dict(SmsMessage.objects.values_list("pk", "gateway"))
    assert by_pk == {
        begun.pk: "smpp",
        tried.pk: "smsc",
        whole.pk: "smsc",
        later.pk: "smpp",
        sent.pk: "smpp",
    }


def _claimed(found: SmsMessage) -> list[PartToSend]:
    """The parts of a message that is being handed over, as its claim gave them."""
    found.refresh_from_db()
    assert found.attempt_token is not None
    return [
        PartToSend(found.pk, found.attempt_token, part.seq, 3, 0, found.to, found.sender, part.text, "ucs2")
        for part in found.parts.filter(state=P.SUBMITTING).order_by("seq")
    ]


@pytest.mark.django_db
def test_where_the_gateway_is_out_of_use_what_waits_whole_is_not_stranded(settings: Any) -> None:
    """Cut into parts, and none of them taken: it is as if it had never been tried."""
    begun = row()
    settle(take(), Accepted("1"), FULL, FULL)
    tried = row()
    settle(take(), FULL, FULL, FULL)
    settings.SMS_GATEWAYS = ["smsc"]
    assert reroute() == 1
    assert dict(SmsMessage.objects.values_list("pk", "gateway")) == {begun.pk: "smpp", tried.pk: "smsc"}


@pytest.mark.django_db
def test_where_there_is_no_other_gateway_it_waits() -> None:
    found = row()
    assert pass_on(gateway="smpp") == 0
    found.refresh_from_db()
    assert found.gateway == "smpp"


@pytest.mark.django_db
def test_nothing_is_passed_on_while_another_process_is_bound(settings: Any) -> None:
    """The centre refuses a second bind: the first one goes on sending, and its messages are its own."""
    settings.SMS_GATEWAYS = ["smpp", "smsc"]
    found = row()
    beat("smpp")
    assert pass_on(gateway="smpp") == 0
    Heartbeat.objects.update(at=Now() - OLDEST - timedelta(seconds=1))
    assert pass_on(gateway="smpp") == 1
    found.refresh_from_db()
    assert found.gateway == "smsc"


@pytest.mark.django_db(transaction=True)
def test_passed_on_or_claimed_but_never_both(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smpp", "smsc"]
    for _ in range(10):
        found = row("Hi")
        passed, claimed = race(lambda: pass_on(gateway="smpp"), take)
        found.refresh_from_db()
        if claimed:
            assert (found.state, found.gateway, passed) == (S.SUBMITTING, "smpp", 0)
        elif passed:
            assert (found.state, found.gateway) == (S.QUEUED, "smsc")
        SmsMessage.objects.filter(pk=found.pk, state=S.QUEUED).update(gateway="done")


@pytest.mark.django_db
def test_who_is_too_narrow_for_a_text_does_not_get_it_passed_on(settings: Any) -> None:
    settings.SMS_GATEWAYS, settings.SMS_SENDERS = ["smpp", "smsaero", "smsru"], {}
    long, short = message(gateway="smpp", text="a" * 641), message(gateway="smpp")
    assert pass_on(gateway="smpp") == 2
    for row, gateway in ((long, "smsru"), (short, "smsaero")):
        row.refresh_from_db()
        assert row.gateway == gateway
    settings.SMS_GATEWAYS = ["smpp", "smsaero"]
    long = message(gateway="smpp", text="a" * 641)
    assert pass_on(gateway="smpp") == 0


@pytest.mark.django_db
def test_whether_it_can_be_bound_to_is_known_on_the_page() -> None:
    note_link(gateway="smpp", problem="bind:RINVPASWD")
    state = GatewayState.objects.get()
    assert (state.problem, state.problem_in_words) == ("bind:RINVPASWD", "шлюз нас не пускает")
    note_link(gateway="smpp", problem="")
    state.refresh_from_db()
    assert (state.problem, state.problem_at) == ("", None)
    note_link(gateway="smpp", problem="bind:RINVPASWD")
    message(gateway="smpp")
    [part] = claim_parts(gateway="smpp", lease=timedelta(minutes=1), most=9)
    settle_parts(message_id=part.message, token=part.token, outcomes={1: Accepted("7")})
    state.refresh_from_db()
    assert state.problem == ""


@pytest.mark.django_db
def test_what_can_not_be_passed_on_holds_nothing_up(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sms.actions.parts._PASSED_AT_ONCE", 2)
    settings.SMS_GATEWAYS, settings.SMS_SENDERS = ["smpp", "smsaero"], {}
    for _ in range(5):
        message(gateway="smpp", text="a" * 641)
    short = [message(gateway="smpp") for _ in range(3)]
    assert pass_on(gateway="smpp") == 3
    assert SmsMessage.objects.filter(pk__in=[each.pk for each in short], gateway="smsaero").count() == 3


@pytest.mark.django_db
def test_a_late_yes_for_the_first_part_makes_no_whole_of_what_was_never_sent() -> None:
    found = row()
    one, two, three = claim_parts(gateway="smpp", lease=LEASE, most=9)
    back = NotSubmitted("link_lost")
    outcomes: dict[int, Outcome] = {1: Unknown("link_lost"), 2: back, 3: back}
    settle_parts(message_id=found.pk, token=one.token, outcomes=outcomes)
    found.refresh_from_db()
    assert found.state == S.UNKNOWN
    settle_parts(message_id=found.pk, token=one.token, outcomes={1: Accepted("7")})
    found.refresh_from_db()
    assert (found.state, found.reason) == (S.UNDELIVERED, "never_sent")
    assert list(found.parts.order_by("seq").values_list("state", "reason")) == [
        (P.ACCEPTED, ""),
        (P.UNDELIVERED, "never_sent"),
        (P.UNDELIVERED, "never_sent"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("end", ["withdrawn", "delivered elsewhere"])
def test_no_part_waits_for_what_will_not_come(end: str, settings: Any) -> None:
    """Given back whole, and then called off, or passed on and delivered as a whole."""
    settings.SMS_GATEWAYS, settings.SMS_SENDERS = ["smpp", "development"], {}
    found = row()
    one, *_ = claim_parts(gateway="smpp", lease=LEASE, most=9)
    settle_parts(message_id=found.pk, token=one.token, outcomes=dict.fromkeys((1, 2, 3), NotSubmitted("throttled")))
    SmsMessage.objects.update(not_before=Now())
    if end == "withdrawn":
        withdraw(pk=found.pk, reason="outdated", actor=None)
    else:
        assert pass_on(gateway="smpp") == 1
        claimed = claim(pk=found.pk)
        assert claimed
        actions.settle(pk=found.pk, token=claimed.token, outcome=Accepted("7"))
        receive_status(gateway="development", gateway_id="7", state=S.DELIVERED)
    found.refresh_from_db()
    assert found.state == end.split()[0]
    assert set(found.parts.values_list("state", "reason")) == {(P.UNDELIVERED, "never_sent")}
