"""Two real connections at the same moment: the database decides, one wins, nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from calls.actions import (
    answer_by_hand,
    close_call,
    declare_ending,
    register_in_call,
    start_lost_call_back,
    take_call,
    unlink_appeal,
)
from calls.models import Call, CallAppeal, CallEvent, LostCallBack
from hotline.base.errors import HotlineError, Refused
from tests.calls.factories import NUMBER, CallFactory, LostCallBackFactory, ready, result, topic
from tests.calls.test_telephony import ANSWERED, ENDED, RINGING, say, the_call
from tests.factories import AppealFactory, UserFactory
from tests.helpers import race
from tickets.models import Appeal

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 5


def errors(results: list[Any]) -> list[str]:
    """The codes of typed errors; anything else that was raised fails the test here."""
    unexpected = [each for each in results if isinstance(each, BaseException) and not isinstance(each, HotlineError)]
    assert unexpected == []
    return [each.code for each in results if isinstance(each, HotlineError)]


def ready_to_close(**fields: Any) -> Call:
    call = CallFactory(wrap_up=True, ending="goodbye", topic=topic(), result=result(), **fields)
    appeal = AppealFactory()
    CallAppeal.objects.create(call=call, appeal=appeal, relation="registered")
    call.registered_appeal = appeal
    call.save()
    return call


# --- Events ---------------------------------------------------------------------------------------
def test_two_identical_events_at_once_are_one() -> None:
    for n in range(ROUNDS):
        call_id = f"r-{n}"
        results = race(*[lambda call_id=call_id: say(RINGING, call_id=call_id) for _ in range(3)])
        assert errors(results) == []
        assert len({event.pk for event in results}) == 1
        assert [event.is_repeat for event in results].count(False) == 1
    assert (Call.objects.count(), CallEvent.objects.count()) == (ROUNDS, ROUNDS)


def test_a_ring_its_answer_and_its_end_at_once_are_one_call_that_ended() -> None:
    operator = ready("101")
    for n in range(ROUNDS):
        call_id = f"r-{n}"
        steps: list[Callable[[], Any]] = [
            lambda call_id=call_id: say(RINGING, call_id=call_id),
            lambda call_id=call_id: say(ANSWERED, call_id=call_id, people=("101",)),
            lambda call_id=call_id: say(ENDED, call_id=call_id),
        ]
        assert errors(race(*steps)) == []
        call = the_call(call_id)
        assert (call.line_state, call.operator, call.events.count()) == ("ended", operator, 3)
        assert call.answered_at is not None


def test_without_our_lock_the_database_still_holds_one_event() -> None:
    """What the unique constraint does when something writes past the verb."""

    def write() -> Any:
        with transaction.atomic():
            return CallEvent.objects.create(source="pbx", event_id="same", type=RINGING, outcome="applied")

    results = race(write, write)
    refused = [each for each in results if isinstance(each, IntegrityError)]
    assert (len(refused), CallEvent.objects.count()) == (1, 1)
    assert "calls_callevent_once" in str(refused[0])


# --- D2 -------------------------------------------------------------------------------------------
def test_two_who_start_the_call_back_at_once_make_one_attempt() -> None:
    supervisor = UserFactory(supervisor=True)
    for _ in range(ROUNDS):
        back = LostCallBackFactory()
        results = race(
            lambda back=back: start_lost_call_back(call_back_id=back.pk, actor=back.owner),
            lambda back=back: start_lost_call_back(call_back_id=back.pk, actor=supervisor),
        )
        assert errors(results) == ["attempted"]
        assert Call.objects.filter(attempt_of=back).count() == 1


def test_starting_on_the_page_while_the_telephone_dials_is_one_attempt() -> None:
    operator = ready("101")
    for n in range(ROUNDS):
        back = LostCallBackFactory(call__operator=operator, call__number=f"+7916000{n:04d}")
        number = back.call.number
        results = race(
            lambda back=back: start_lost_call_back(call_back_id=back.pk, actor=operator),
            lambda n=n, number=number: say(RINGING, f"d-{n}", direction="out", number=number, people=("101",)),
        )
        assert set(errors(results)) <= {"attempted"}
        back.refresh_from_db()
        assert Call.objects.filter(attempt_of=back).count() == 1
        assert back.attempted_at is not None
        Call.objects.filter(operator=operator, line_state="ringing").update(
            line_state="ended", work_state="closed", closed_at=timezone.now(), ended_at=timezone.now()
        )


def test_the_client_answered_and_the_call_back_started_at_once() -> None:
    """Either the attempt is made, or it is cancelled: never both, never neither."""
    ready("102")
    for n in range(ROUNDS):
        back = LostCallBackFactory(call__number=f"+7916000{n:04d}")
        number = back.call.number
        results = race(
            lambda back=back: start_lost_call_back(call_back_id=back.pk, actor=back.owner),
            lambda n=n, number=number: say(ANSWERED, f"c-{n}", number=number, people=("102",)),
        )
        refused = errors(results)
        back.refresh_from_db()
        if refused:
            assert (refused, back.cancel_reason) == (["client_called"], "client_called")
        else:
            assert (back.attempted_at is not None, back.cancelled_at) == (True, None)


def test_two_who_say_lost_at_once_plan_one_call_back() -> None:
    for _ in range(ROUNDS):
        call = CallFactory(wrap_up=True)
        say_lost = lambda call=call: declare_ending(call_id=call.pk, ending="lost", actor=call.operator)  # noqa: E731
        assert errors(race(say_lost, say_lost)) == []
        assert LostCallBack.objects.filter(call=call).count() == 1
        assert call.journal.filter(code="ending_declared").count() == 1


# --- Closing --------------------------------------------------------------------------------------
def test_closing_while_another_unlinks_the_appeal() -> None:
    """R1 holds whoever is first: no closed call without its appeal."""
    supervisor = UserFactory(supervisor=True)
    for _ in range(ROUNDS):
        call = ready_to_close()
        appeal = call.registered_appeal
        results = race(
            lambda call=call: close_call(call_id=call.pk, actor=call.operator),
            lambda call=call, appeal=appeal: unlink_appeal(call_id=call.pk, appeal=appeal, actor=supervisor),
        )
        assert errors(results) in (["incomplete"], ["closed"])
        call.refresh_from_db()
        assert (call.work_state == "closed") == (call.registered_appeal is not None)


def test_closing_while_another_unlinks_past_the_verbs_the_database_refuses() -> None:
    """No lock of ours, two plain UPDATEs: the check constraint alone holds R1."""
    refused = 0
    for _ in range(ROUNDS):
        call = ready_to_close()
        rows = Call.objects.filter(pk=call.pk)
        results = race(
            lambda rows=rows: rows.update(work_state="closed", closed_at=timezone.now()),
            lambda rows=rows: rows.update(registered_appeal=None),
        )
        broken = [each for each in results if isinstance(each, IntegrityError)]
        assert all("calls_call_dialog_closes_with_appeal" in str(each) for each in broken)
        refused += len(broken)
        call.refresh_from_db()
        assert not (call.work_state == "closed" and call.registered_appeal is None)
    assert refused == ROUNDS


def test_a_double_press_closes_once() -> None:
    for _ in range(ROUNDS):
        call = ready_to_close()
        press = lambda call=call: close_call(call_id=call.pk, actor=call.operator)  # noqa: E731
        assert errors(race(press, press)) == []
        assert call.journal.filter(code="closed").count() == 1
        assert call.stage_acts.filter(stage="wrap_up", act="done").count() == 1


def test_an_event_that_comes_while_the_call_is_closed_is_recorded() -> None:
    for n in range(ROUNDS):
        call = ready_to_close(source="pbx", external_id=f"e-{n}")
        results = race(
            lambda call=call: close_call(call_id=call.pk, actor=call.operator),
            lambda n=n: say(ENDED, f"e-{n}", hung_up_by="client", cause="normalClearing"),
        )
        assert errors(results) == []
        call.refresh_from_db()
        assert (call.work_state, call.hung_up_by, call.events.count()) == ("closed", "client", 1)


# --- Registering, taking --------------------------------------------------------------------------
def test_a_form_posted_twice_at_once_registers_one_appeal() -> None:
    for _ in range(ROUNDS):
        call, action = CallFactory(dialog=True), uuid4()
        press = lambda call=call, action=action: register_in_call(  # noqa: E731
            call_id=call.pk, kind="consultation", description="Не греет", action_id=action, actor=call.operator
        )
        results = race(press, press)
        assert errors(results) == []
        assert results[0] == results[1]
        assert (call.appeals.count(), call.journal.filter(code="appeal_registered").count()) == (1, 1)
    assert Appeal.objects.count() == ROUNDS


def test_the_first_call_and_its_call_back_register_at_once() -> None:
    """They share the appeal and lock each other's rows, always in the same order: no deadlock, one main appeal."""
    for _ in range(ROUNDS):
        back = LostCallBackFactory()
        attempt = start_lost_call_back(call_back_id=back.pk, actor=back.owner)
        answer_by_hand(call_id=attempt.pk, actor=back.owner)
        results = race(
            *[
                lambda pk=pk, owner=back.owner: register_in_call(
                    call_id=pk, kind="consultation", description="x", action_id=uuid4(), actor=owner
                )
                for pk in (back.call_id, attempt.pk)
            ]
        )
        assert errors(results) == []
        first, second = Call.objects.filter(pk__in=[back.call_id, attempt.pk]).order_by("pk")
        assert first.registered_appeal == second.registered_appeal is not None


def test_two_who_take_a_call_at_once() -> None:
    one, two = ready("101"), ready("102")
    for n in range(ROUNDS):
        say(ANSWERED, f"t-{n}", people=("777",), number=NUMBER)
        pk = the_call(f"t-{n}").pk
        results = race(lambda pk=pk: take_call(call_id=pk, actor=one), lambda pk=pk: take_call(call_id=pk, actor=two))
        assert errors(results) == ["taken"]
        assert Call.objects.get(pk=pk).operator in (one, two)


def test_a_refusal_leaves_nothing_behind() -> None:
    call = CallFactory(wrap_up=True)
    with pytest.raises(Refused):
        close_call(call_id=call.pk, topic=topic(), actor=call.operator)
    call.refresh_from_db()
    assert (call.topic, call.journal.count()) == (None, 0)
