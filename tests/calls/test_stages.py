"""The stages: done only by their own act, the phase of the talk, what is current; endings, flags."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from calls.actions import (
    begin_dialog,
    complete_stage,
    open_stage,
    set_flags,
    set_talk_ended_by,
    skip_stage,
    stage_states,
)
from calls.facts import facts_of
from calls.models import Call, CallStage, StageCode
from calls.rules import ask_question, say_farewell
from hotline.base.errors import HotlineError
from tests.calls.factories import CallFactory
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    return CallFactory(talking=True)


def act(verb: Any, call: Call, stage: str, **arguments: Any) -> None:
    verb(call_id=call.pk, stage=stage, actor=call.operator, **arguments)
    call.refresh_from_db()


def test_the_greeting_done_is_phase_greeting(call: Call) -> None:
    act(open_stage, call, StageCode.GREETING)
    assert call.phase == "before_greeting"
    act(complete_stage, call, StageCode.GREETING)
    assert call.phase == "greeting"


@pytest.mark.parametrize("stage", [code for code in StageCode if code not in ("greeting", "wrap_up")])
def test_any_work_in_stage_two_or_later_is_a_dialog(call: Call, stage: str) -> None:
    act(open_stage, call, stage)
    assert call.phase == "dialog"


def test_turning_to_the_wrap_up_is_no_dialog(call: Call) -> None:
    act(open_stage, call, StageCode.WRAP_UP)
    act(complete_stage, call, StageCode.WRAP_UP)
    assert call.phase == "before_greeting"


def test_skipping_is_no_work(call: Call) -> None:
    act(skip_stage, call, StageCode.IDENTIFICATION)
    assert call.phase == "before_greeting"


def test_after_the_line_went_nothing_becomes_a_dialog_by_looking() -> None:
    call = CallFactory(wrap_up=True, phase="greeting")
    act(open_stage, call, StageCode.HISTORY)
    assert call.phase == "greeting"
    begin_dialog(call_id=call.pk, actor=call.operator)
    call.refresh_from_db()
    assert call.phase == "dialog"


def test_the_farewell_ends_the_talk_until_it_goes_on(call: Call) -> None:
    act(complete_stage, call, StageCode.FAREWELL)
    assert call.phase == "done"
    act(open_stage, call, StageCode.FAREWELL)
    assert call.phase == "done"
    act(open_stage, call, StageCode.DIAGNOSIS)
    assert call.phase == "dialog"


def test_the_states_of_the_stages(call: Call) -> None:
    assert (stage_states(call)["greeting"], stage_states(call)["wrap_up"]) == ("current", "todo")
    act(complete_stage, call, StageCode.GREETING)
    assert (stage_states(call)["greeting"], stage_states(call)["identification"]) == ("done", "current")
    act(open_stage, call, StageCode.HISTORY)
    assert (stage_states(call)["identification"], stage_states(call)["history"]) == ("todo", "current")
    act(skip_stage, call, StageCode.HISTORY)
    states = stage_states(call)
    assert (states["history"], states["identification"]) == ("skipped", "current")
    # Revisited and done after all.
    act(complete_stage, call, StageCode.HISTORY)
    assert stage_states(call)["history"] == "done"
    assert list(stage_states(call).values()).count("current") == 1


def test_a_closed_call_has_no_current_stage() -> None:
    call = CallFactory(work_state="closed", closed_at="2026-01-01T00:00Z")
    assert set(stage_states(call).values()) == {"todo"}


def test_reading_the_states_is_one_query(call: Call, django_assert_num_queries: Any) -> None:
    for stage in StageCode.values:
        act(complete_stage, call, stage)
    with django_assert_num_queries(1):
        stage_states(call)


def test_done_twice_in_a_row_is_once_and_evidence_is_kept(call: Call) -> None:
    act(complete_stage, call, StageCode.SUMMARY, data={"question": "client_ends"})
    act(complete_stage, call, StageCode.SUMMARY)
    row = call.stage_acts.get()
    assert (row.act, row.data, row.actor) == ("done", {"question": "client_ends"}, call.operator)
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        CallStage.objects.all().delete()


@pytest.mark.parametrize(
    ("fields", "stage", "code"),
    [
        ({"talking": True}, "eleventh", "stage"),
        ({}, "greeting", "not_found"),
        ({"talking": True, "work_state": "closed", "closed_at": "2026-01-01T00:00Z"}, "greeting", "closed"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], stage: str, code: str) -> None:
    call = CallFactory(**fields)
    with pytest.raises(HotlineError) as refused:
        complete_stage(call_id=call.pk, stage=stage, actor=call.operator or UserFactory())
    assert (refused.value.code, CallStage.objects.count()) == (code, 0)


def test_nothing_is_done_in_a_call_that_nobody_answered() -> None:
    call = CallFactory(outgoing=True, operator=UserFactory())
    with pytest.raises(HotlineError) as refused:
        complete_stage(call_id=call.pk, stage="greeting", actor=call.operator)
    assert refused.value.code == "not_answered"


def test_who_ends_the_talk_is_the_operators_word(call: Call) -> None:
    assert ask_question(facts_of(call)).allowed
    set_talk_ended_by(call_id=call.pk, party="client", actor=call.operator)
    set_talk_ended_by(call_id=call.pk, party="client", actor=call.operator)
    call.refresh_from_db()
    assert (ask_question(facts_of(call)).code, call.journal.count()) == ("client_ends", 1)
    with pytest.raises(HotlineError):
        set_talk_ended_by(call_id=call.pk, party="system", actor=call.operator)


def test_flags_decide_about_the_farewell(call: Call) -> None:
    assert say_farewell(facts_of(call)).allowed
    set_flags(call_id=call.pk, actor=call.operator, wants_rating=True)
    call.refresh_from_db()
    assert say_farewell(facts_of(call)).code == "client_wants_rating"
    set_flags(call_id=call.pk, actor=call.operator, is_atypical=True)
    set_flags(call_id=call.pk, actor=call.operator, is_atypical=True)
    call.refresh_from_db()
    assert (say_farewell(facts_of(call)).code, call.journal.count()) == ("atypical", 2)


def test_a_supervisor_may_act_in_any_call_a_machine_user_in_none(call: Call) -> None:
    complete_stage(call_id=call.pk, stage="greeting", actor=UserFactory(supervisor=True))
    with pytest.raises(HotlineError) as refused:
        complete_stage(call_id=call.pk, stage="summary", actor=UserFactory(integration=True))
    assert refused.value.code == "not_found"
