"""D2 and D3: the one call back after a lost connection; and what was promised to the client."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from calls.actions import (
    answer_by_hand,
    begin_by_hand,
    begin_dialog,
    close_call,
    declare_ending,
    end_by_hand,
    promise_call_back,
    reassign,
    register_in_call,
    reopen_call,
    settle_promised_call_back,
    start_lost_call_back,
    start_promised_call_back,
    take_call,
)
from calls.facts import missing_to_close
from calls.models import Call, CallEvent, LostCallBack, PromisedCallBack
from hotline.base.actions import constraint_of
from hotline.base.errors import HotlineError
from tests.calls.factories import (
    NUMBER,
    CallFactory,
    LostCallBackFactory,
    PromisedCallBackFactory,
    ready,
    result,
    topic,
)
from tests.calls.test_telephony import ANSWERED, ENDED, RINGING, say, the_call
from tests.factories import ClientFactory, UserFactory

pytestmark = pytest.mark.django_db


def dial(call_id: str = "o-1", person: str = "101", **said: Any) -> CallEvent:
    return say(RINGING, call_id=call_id, direction="out", people=(person,), **said)


def lost_call(**fields: Any) -> Call:
    """A dialog that ended, of the operator at 101, the ending not said yet."""
    return CallFactory(wrap_up=True, number=NUMBER, operator=fields.pop("operator", None) or ready("101"), **fields)


def lose(call: Call) -> LostCallBack:
    declare_ending(call_id=call.pk, ending="lost", actor=call.operator)
    return LostCallBack.objects.get(call=call)


def codes(call: Call) -> list[str]:
    return list(call.journal.order_by("pk").values_list("code", flat=True))


def refusal(verb: Any, **arguments: Any) -> str:
    with pytest.raises(HotlineError) as refused:
        verb(**arguments)
    return refused.value.code


# --- What the operator says of the hang-up ------------------------------------------------------------
def test_lost_plans_the_one_call_back() -> None:
    call = lost_call()
    back = lose(call)
    assert (back.owner, back.is_planned) == (call.operator, True)
    assert codes(call) == ["ending_declared", "call_back_planned"]
    assert list(LostCallBack.objects.visible_to(call.operator).planned()) == [back]
    assert not LostCallBack.objects.visible_to(UserFactory()).exists()


def test_goodbye_plans_nothing() -> None:
    call = lost_call()
    declare_ending(call_id=call.pk, ending="goodbye", actor=call.operator)
    call.refresh_from_db()
    assert (call.ending, LostCallBack.objects.count()) == ("goodbye", 0)


def test_the_choice_is_corrected_and_journalled_both_ways() -> None:
    call = lost_call()
    back = lose(call)
    declare_ending(call_id=call.pk, ending="goodbye", actor=call.operator)
    back.refresh_from_db()
    assert (back.is_planned, back.cancel_reason) == (False, "not_lost")
    declare_ending(call_id=call.pk, ending="lost", actor=call.operator)
    back.refresh_from_db()
    assert (back.is_planned, LostCallBack.objects.count()) == (True, 1)
    assert codes(call) == [
        *("ending_declared", "call_back_planned"),
        *("ending_corrected", "call_back_cancelled"),
        *("ending_corrected", "call_back_planned"),
    ]


def test_saying_the_same_twice_is_once() -> None:
    call = lost_call()
    lose(call), lose(call)
    assert codes(call) == ["ending_declared", "call_back_planned"]


def test_a_hidden_number_is_on_the_record_as_cancelled() -> None:
    call = lost_call()
    Call.objects.filter(pk=call.pk).update(number="", number_raw="anonymous")
    back = lose(call)
    assert (back.is_planned, back.cancel_reason) == (False, "no_number")
    assert refusal(start_lost_call_back, call_back_id=back.pk, actor=call.operator) == "no_number"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"dialog": True}, "line_open"),
        ({"wrap_up": True, "phase": "greeting"}, "no_dialog"),
        ({"wrap_up": True, "answered_at": None, "phase": "before_greeting"}, "not_answered"),
        ({"wrap_up": True, "work_state": "closed", "phase": "greeting", "closed_at": timezone.now()}, "closed"),
    ],
)
def test_when_an_ending_can_not_be_said(fields: dict[str, Any], code: str) -> None:
    call = CallFactory(**fields)
    assert refusal(declare_ending, call_id=call.pk, ending="lost", actor=call.operator) == code
    assert refusal(declare_ending, call_id=call.pk, ending="maybe", actor=call.operator) == "ending"


def test_a_lost_call_without_an_operator_is_planned_when_somebody_takes_it() -> None:
    say(ANSWERED, people=("777",))
    begin_dialog(call_id=the_call().pk, actor=None)
    say(ENDED, is_lost=True)
    assert (the_call().ending, LostCallBack.objects.count()) == ("lost", 0)
    operator = ready("101")
    take_call(call_id=the_call().pk, actor=operator)
    assert LostCallBack.objects.get().owner == operator


# --- The one attempt ----------------------------------------------------------------------------------
def test_starting_makes_an_outgoing_call_that_shares_what_is_known() -> None:
    client = ClientFactory()
    call = lost_call(client=client, account=client.accounts.get(), topic=topic(), caller_name="дочь")
    appeal = register_in_call(call_id=call.pk, kind="consultation", description="Не сливает", actor=call.operator)
    back = lose(call)
    attempt = start_lost_call_back(call_back_id=back.pk, actor=call.operator)
    assert (attempt.origin, attempt.direction, attempt.number) == ("lost_call_back", "out", NUMBER)
    assert (attempt.line_state, attempt.source, attempt.attempt_of) == ("ringing", Call.MANUAL, back)
    assert (attempt.client, attempt.account, attempt.topic) == (client, client.accounts.get(), topic())
    assert (attempt.registered_appeal, attempt.caller_name) == (appeal, "дочь")
    assert attempt.appeals.get().relation == "consulted"
    back.refresh_from_db()
    assert back.attempted_at is not None
    call.operator.refresh_from_db()
    assert call.operator.state == "in_call"


def test_there_is_no_second_attempt_by_anyone() -> None:
    call, supervisor = lost_call(), UserFactory(supervisor=True)
    back = lose(call)
    attempt = start_lost_call_back(call_back_id=back.pk, actor=call.operator)
    end_by_hand(call_id=attempt.pk, hung_up_by="unknown", actor=call.operator)
    assert refusal(start_lost_call_back, call_back_id=back.pk, actor=call.operator) == "attempted"
    assert refusal(start_lost_call_back, call_back_id=back.pk, actor=supervisor) == "attempted"
    assert refusal(declare_ending, call_id=call.pk, ending="goodbye", actor=call.operator) == "attempted"
    assert Call.objects.filter(direction="out").count() == 1


def test_the_database_freezes_the_attempt_and_refuses_another() -> None:
    call = lost_call()
    back = lose(call)
    attempt = start_lost_call_back(call_back_id=back.pk, actor=call.operator)
    for attack in (
        lambda: LostCallBack.objects.filter(pk=back.pk).update(attempted_at=None),
        lambda: LostCallBack.objects.filter(pk=back.pk).update(cancelled_at=timezone.now(), cancel_reason="not_lost"),
        lambda: LostCallBack.objects.filter(pk=back.pk)._raw_delete("default"),
    ):
        with pytest.raises(IntegrityError, match="the one call back was attempted"), transaction.atomic():
            attack()
    with pytest.raises(IntegrityError, match="attempt_of"), transaction.atomic():
        CallFactory(outgoing=True, origin="lost_call_back", attempt_of=back)
    with pytest.raises(IntegrityError, match="call_id"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO calls_lostcallback (call_id, owner_id, planned_at, cancel_reason) VALUES (%s, %s, now(), '')",
            [call.pk, call.operator_id],
        )
    with pytest.raises(IntegrityError, match="never_spawns|never spawns"), transaction.atomic():
        LostCallBackFactory(call=attempt, owner=call.operator)


def test_the_attempt_that_is_lost_again_plans_nothing() -> None:
    call = lost_call()
    attempt = start_lost_call_back(call_back_id=lose(call).pk, actor=call.operator)
    answer_by_hand(call_id=attempt.pk, actor=call.operator)
    begin_dialog(call_id=attempt.pk, actor=call.operator)
    end_by_hand(call_id=attempt.pk, hung_up_by="unknown", actor=call.operator)
    declare_ending(call_id=attempt.pk, ending="lost", actor=call.operator)
    attempt.refresh_from_db()
    assert (attempt.ending, LostCallBack.objects.count()) == ("lost", 1)


def test_the_client_is_not_reached_and_the_consultation_is_owed_all_the_same() -> None:
    result("not_reached")
    call = lost_call()
    attempt = start_lost_call_back(call_back_id=lose(call).pk, actor=call.operator)
    dial()
    say(ENDED, call_id="o-1", direction="out", cause="noAnswer")
    attempt.refresh_from_db()
    assert (attempt.work_state, attempt.is_missed, attempt.result.code) == ("closed", True, "not_reached")
    call.refresh_from_db()
    assert [item.code for item in missing_to_close(call)] == ["appeal", "topic", "result"]
    assert refusal(close_call, call_id=call.pk, actor=call.operator) == "incomplete"


def test_an_appeal_registered_in_the_attempt_is_the_first_calls_too() -> None:
    call = lost_call()
    attempt = start_lost_call_back(call_back_id=lose(call).pk, actor=call.operator)
    answer_by_hand(call_id=attempt.pk, actor=call.operator)
    appeal = register_in_call(
        call_id=attempt.pk, kind="consultation", description="Не греет", topic=topic(), actor=call.operator
    )
    call.refresh_from_db()
    assert (call.registered_appeal, call.topic) == (appeal, topic())
    close_call(call_id=call.pk, result=result(), actor=call.operator)


def test_an_appeal_registered_in_the_first_call_is_the_attempts_too() -> None:
    call = lost_call()
    attempt = start_lost_call_back(call_back_id=lose(call).pk, actor=call.operator)
    appeal = register_in_call(call_id=call.pk, kind="consultation", description="Не греет", actor=call.operator)
    attempt.refresh_from_db()
    assert attempt.registered_appeal == appeal


# --- The client calls in first ------------------------------------------------------------------------
def test_the_client_who_calls_in_and_is_answered_cancels_it() -> None:
    call, other = lost_call(), ready("102")
    back = lose(call)
    say(RINGING)
    assert refusal(start_lost_call_back, call_back_id=back.pk, actor=call.operator) == "client_is_calling"
    say(ANSWERED, people=("102",))
    back.refresh_from_db()
    assert (back.cancel_reason, the_call().operator) == ("client_called", other)
    assert refusal(start_lost_call_back, call_back_id=back.pk, actor=call.operator) == "client_called"


def test_a_ring_that_nobody_answers_cancels_nothing() -> None:
    back = lose(lost_call())
    say(RINGING), say(ENDED)
    back.refresh_from_db()
    assert back.is_planned


def test_the_client_got_through_before_the_operator_said_lost() -> None:
    call = lost_call()
    ready("102")
    say(ANSWERED, people=("102",))
    back = lose(call)
    assert (back.is_planned, back.cancel_reason) == (False, "client_called")


# --- What the exchange says of outgoing calls ---------------------------------------------------------
def test_the_dialled_call_is_the_attempt_that_was_begun_on_the_page() -> None:
    call = lost_call()
    attempt = start_lost_call_back(call_back_id=lose(call).pk, actor=call.operator)
    assert dial().call == attempt
    attempt.refresh_from_db()
    assert (attempt.source, attempt.external_id, attempt.line_state) == ("pbx", "o-1", "ringing")
    say(ANSWERED, call_id="o-1", direction="out", people=("101",))
    attempt.refresh_from_db()
    assert (attempt.line_state, attempt.operator) == ("talking", call.operator)
    assert Call.objects.count() == 2


def test_dialled_by_hand_before_start_was_pressed_it_is_the_attempt() -> None:
    call = lost_call()
    back = lose(call)
    other = ready("102")
    attempt = dial(person="102").call
    back.refresh_from_db()
    assert (attempt.origin, attempt.attempt_of, attempt.operator) == ("lost_call_back", back, other)
    assert back.attempted_at is not None
    assert refusal(start_lost_call_back, call_back_id=back.pk, actor=call.operator) == "attempted"


def test_dialled_by_hand_at_a_telephone_nobody_is_at_it_is_the_owners() -> None:
    call = lost_call()
    lose(call)
    assert dial(person="777").call.operator == call.operator


def test_dialled_by_hand_before_lost_was_said_it_is_the_attempt() -> None:
    call = lost_call()
    dialled = dial().call
    assert dialled.origin == "outgoing"
    back = lose(call)
    dialled.refresh_from_db()
    assert (dialled.origin, dialled.attempt_of, back.attempted_at) == ("lost_call_back", back, dialled.started_at)
    assert refusal(start_lost_call_back, call_back_id=back.pk, actor=call.operator) == "attempted"


def test_a_second_attempt_dialled_by_hand_is_recorded_and_flagged() -> None:
    call = lost_call()
    back = lose(call)
    dial()
    say(ENDED, call_id="o-1", direction="out")
    second = dial("o-2").call
    assert (second.origin, second.hand_dialled_after, second.attempt_of) == ("outgoing", back, None)
    assert "hand_dialled" in codes(second)
    assert "hand_dialled" in codes(call)
    assert list(back.hand_dialled.all()) == [second]


def test_begun_by_hand_counts_as_dialled() -> None:
    call = lost_call()
    back = lose(call)
    assert begin_by_hand(operator=call.operator, direction="out", number=NUMBER, actor=call.operator).attempt_of == back
    second = begin_by_hand(operator=call.operator, direction="out", number=NUMBER, actor=call.operator)
    assert second.hand_dialled_after == back


def test_a_flagged_second_attempt_that_breaks_off_plans_nothing() -> None:
    call = lost_call()
    lose(call)
    dial()
    say(ENDED, call_id="o-1", direction="out")
    second = begin_by_hand(operator=call.operator, direction="out", number=NUMBER, actor=call.operator)
    begin_dialog(call_id=second.pk, actor=call.operator)
    end_by_hand(call_id=second.pk, hung_up_by="unknown", actor=call.operator)
    declare_ending(call_id=second.pk, ending="lost", actor=call.operator)
    second = Call.objects.get(pk=second.pk)
    assert (second.ending, hasattr(second, "lost_call_back")) == ("lost", False)
    assert LostCallBack.objects.count() == 1
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        LostCallBack.objects.create(call=second, owner=call.operator)
    assert constraint_of(refused.value) == "calls_lostcallback_attempt_never_spawns"


def test_after_we_have_talked_with_the_client_a_further_call_is_no_second_attempt() -> None:
    call = lost_call()
    lose(call)
    dial()
    say(ENDED, call_id="o-1", direction="out")
    CallFactory(wrap_up=True, number=NUMBER, answered_at=timezone.now(), ending="goodbye")
    assert dial("o-2").call.hand_dialled_after is None


def test_an_attempt_that_ended_well_is_contact() -> None:
    call = lost_call()
    lose(call)
    attempt = dial().call
    say(ANSWERED, call_id="o-1", direction="out")
    begin_dialog(call_id=attempt.pk, actor=call.operator)
    say(ENDED, call_id="o-1", direction="out")
    declare_ending(call_id=attempt.pk, ending="goodbye", actor=call.operator)
    assert dial("o-2").call.hand_dialled_after is None


def test_another_operator_who_dials_while_the_attempt_waits_is_flagged() -> None:
    call = lost_call()
    back = lose(call)
    attempt = start_lost_call_back(call_back_id=back.pk, actor=call.operator)
    ready("102")
    second = dial(person="102").call
    assert (second.pk != attempt.pk, second.hand_dialled_after) == (True, back)


# --- Promised -----------------------------------------------------------------------------------------
def later(**shift: int) -> Any:
    return timezone.now() + timedelta(**(shift or {"hours": 2}))


def promised(**fields: Any) -> PromisedCallBack:
    call = CallFactory(dialog=True, number=NUMBER, operator=ready("101"))
    return promise_call_back(call_id=call.pk, due_at=later(), actor=call.operator, **fields)


def test_a_promise_has_a_due_time_and_an_owner() -> None:
    promise = promised(reason="Узнать о запчасти")
    assert (promise.owner, promise.number, promise.state) == (promise.call.operator, NUMBER, "open")
    assert codes(promise.call) == ["call_back_promised"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"due_at": timezone.now() - timedelta(days=1)}, "due_in_past"),
        ({"number": "абв"}, "number_invalid"),
    ],
)
def test_what_can_not_be_promised(fields: dict[str, Any], code: str) -> None:
    call = CallFactory(dialog=True)
    arguments = {"call_id": call.pk, "due_at": later(), "actor": call.operator, **fields}
    assert refusal(promise_call_back, **arguments) == code


def test_a_promise_needs_a_number_and_the_client_on_the_line() -> None:
    hidden = CallFactory(dialog=True, number="")
    assert refusal(promise_call_back, call_id=hidden.pk, due_at=later(), actor=hidden.operator) == "number_missing"
    over = CallFactory(wrap_up=True)
    assert refusal(promise_call_back, call_id=over.pk, due_at=later(), actor=over.operator) == "not_talking"
    named = promise_call_back(call_id=hidden.pk, due_at=later(), number="8 916 123-45-67", actor=hidden.operator)
    assert named.number == NUMBER
    assert refusal(promise_call_back, call_id=hidden.pk, due_at=later(), actor=hidden.operator) == "already_promised"


def test_a_promise_may_be_retried_until_it_is_kept() -> None:
    promise = promised()
    owner = promise.owner
    first = start_promised_call_back(call_back_id=promise.pk, actor=owner)
    assert refusal(start_promised_call_back, call_back_id=promise.pk, actor=owner) == "under_way"
    end_by_hand(call_id=first.pk, hung_up_by="unknown", actor=owner)
    second = start_promised_call_back(call_back_id=promise.pk, actor=owner)
    assert (second.origin, second.promised_call_back, promise.attempts.count()) == ("promised_call_back", promise, 2)
    settle_promised_call_back(call_back_id=promise.pk, state="done", actor=owner)
    settle_promised_call_back(call_back_id=promise.pk, state="done", actor=owner)
    assert refusal(start_promised_call_back, call_back_id=promise.pk, actor=owner) == "settled"
    assert codes(promise.call).count("call_back_settled") == 1


@pytest.mark.parametrize(("ending", "state"), [("goodbye", "done"), ("lost", "open")])
def test_closing_the_call_that_kept_it_settles_the_promise(ending: str, state: str) -> None:
    promise = promised()
    call = start_promised_call_back(call_back_id=promise.pk, actor=promise.owner)
    answer_by_hand(call_id=call.pk, actor=promise.owner)
    register_in_call(call_id=call.pk, kind="consultation", description="x", topic=topic(), actor=promise.owner)
    end_by_hand(call_id=call.pk, hung_up_by="client", actor=promise.owner)
    declare_ending(call_id=call.pk, ending=ending, actor=promise.owner)
    close_call(call_id=call.pk, result=result(), actor=promise.owner)
    promise.refresh_from_db()
    assert promise.state == state


def test_taking_a_promise_back_needs_the_reason() -> None:
    promise = promised()
    arguments = {"call_back_id": promise.pk, "actor": promise.owner}
    assert refusal(settle_promised_call_back, state="cancelled", note=" ", **arguments) == "note_missing"
    assert refusal(settle_promised_call_back, state="open", **arguments) == "state"
    settle_promised_call_back(state="cancelled", note="Клиент передумал", **arguments)
    assert refusal(settle_promised_call_back, state="done", **arguments) == "settled"
    # The client is on the line still: another may be promised.
    again = promise_call_back(call_id=promise.call_id, due_at=later(), actor=promise.owner)
    assert (again.pk, again.state, again.settled_at) == (promise.pk, "open", None)


def test_an_outgoing_call_to_the_number_keeps_the_promise() -> None:
    mine = promised()
    theirs = PromisedCallBackFactory(number=NUMBER, due_at=later(minutes=1))
    assert dial().call.promised_call_back == mine
    ready("103")
    say(ENDED, call_id="o-1", direction="out")
    assert dial("o-2", person="103").call.promised_call_back == theirs


def test_the_call_that_keeps_a_promise_may_be_lost_and_called_back_once() -> None:
    promise = promised()
    call = start_promised_call_back(call_back_id=promise.pk, actor=promise.owner)
    answer_by_hand(call_id=call.pk, actor=promise.owner)
    begin_dialog(call_id=call.pk, actor=promise.owner)
    end_by_hand(call_id=call.pk, hung_up_by="unknown", actor=promise.owner)
    declare_ending(call_id=call.pk, ending="lost", actor=promise.owner)
    assert LostCallBack.objects.get().call == call


# --- Whose they are -----------------------------------------------------------------------------------
def test_a_colleagues_call_back_is_not_there() -> None:
    other = ready("109")
    back, promise = LostCallBackFactory(), PromisedCallBackFactory()
    assert refusal(start_lost_call_back, call_back_id=back.pk, actor=other) == "not_found"
    assert refusal(start_promised_call_back, call_back_id=promise.pk, actor=other) == "not_found"
    assert refusal(settle_promised_call_back, call_back_id=promise.pk, state="done", actor=other) == "not_found"
    assert refusal(start_lost_call_back, call_back_id=10**12, actor=other) == "not_found"


def test_a_supervisor_gives_call_backs_to_others_while_they_wait() -> None:
    supervisor, other = UserFactory(supervisor=True), ready("109")
    back, promise = LostCallBackFactory(), PromisedCallBackFactory()
    for each in (back, promise):
        assert refusal(reassign, call_back=each, owner=other, actor=each.owner) == "forbidden"
        reassign(call_back=each, owner=other, actor=supervisor)
        each.refresh_from_db()
        assert (each.owner, codes(each.call)) == (other, ["call_back_reassigned"])
    assert refusal(reassign, call_back=back, owner=UserFactory(integration=True), actor=supervisor) == "owner"
    start_lost_call_back(call_back_id=back.pk, actor=other)
    assert refusal(reassign, call_back=back, owner=supervisor, actor=supervisor) == "attempted"


def test_reopening_after_closing_lets_the_ending_be_corrected() -> None:
    call = lost_call(topic=topic(), result=result())
    register_in_call(call_id=call.pk, kind="consultation", description="x", actor=call.operator)
    declare_ending(call_id=call.pk, ending="goodbye", actor=call.operator)
    close_call(call_id=call.pk, actor=call.operator)
    assert refusal(declare_ending, call_id=call.pk, ending="lost", actor=call.operator) == "closed"
    reopen_call(call_id=call.pk, reason="Связь прервалась", actor=call.operator)
    assert lose(call).is_planned
