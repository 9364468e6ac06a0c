"""Wrap-up: closing refuses with everything that is missing; reopening, parking, numbers in other systems."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from calls.actions import (
    close_call,
    complete_stage,
    declare_ending,
    note_reference,
    park_call,
    register_in_call,
    reopen_call,
    resume_call,
    save_wrap_up,
    stage_states,
    unlink_appeal,
)
from calls.facts import missing_to_close
from calls.models import Call, CallStage
from hotline.base.errors import HotlineError, Refused
from hotline.operators.models import User
from tests.calls.factories import CallFactory, ready, result, topic
from tests.factories import AppealFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    """A dialog that ended, with nothing done about it yet."""
    return CallFactory(wrap_up=True, operator=ready("101"))


def complete(call: Call) -> Call:
    """Put right everything that keeps it from closing, but for topic and result."""
    declare_ending(call_id=call.pk, ending="goodbye", actor=call.operator)
    register_in_call(
        call_id=call.pk, kind="consultation", description="Не сливает", action_id=uuid4(), actor=call.operator
    )
    call.refresh_from_db()
    return call


def closed(call: Call) -> Call:
    return close_call(call_id=complete(call).pk, topic=topic(), result=result(), actor=call.operator)


def refusal(verb: Any, **arguments: Any) -> str:
    with pytest.raises(HotlineError) as refused:
        verb(**arguments)
    return refused.value.code


def test_closing_refuses_with_the_whole_list(call: Call) -> None:
    with pytest.raises(Refused) as refused:
        close_call(call_id=call.pk, actor=call.operator)
    listed = [(item["code"], item["stage"]) for item in refused.value.details["missing"]]
    assert listed == [("ending", "farewell"), ("appeal", "registration"), ("topic", "wrap_up"), ("result", "wrap_up")]
    call.refresh_from_db()
    assert (call.is_open, CallStage.objects.count(), call.journal.count()) == (True, 0, 0)


def test_what_was_typed_in_the_wrap_up_counts(call: Call) -> None:
    complete(call)
    assert [item.code for item in missing_to_close(call)] == ["topic", "result"]
    close_call(call_id=call.pk, topic=topic(), result=result(), note=" Вежливый\x00 ", actor=call.operator)
    call.refresh_from_db()
    assert (call.work_state, call.topic, call.result, call.note) == ("closed", topic(), result(), "Вежливый")


def test_a_closed_call_has_its_evidence(call: Call) -> None:
    complete_stage(call_id=call.pk, stage="identification", actor=call.operator)
    closed(call)
    call.refresh_from_db()
    states = stage_states(call)
    done = {"identification", "registration", "wrap_up"}
    assert {stage for stage, state in states.items() if state == "done"} == done
    assert {state for stage, state in states.items() if stage not in done} == {"skipped"}
    assert call.journal.first().code == "closed"


def test_the_operator_is_free_again(call: Call) -> None:
    User.objects.filter(pk=call.operator_id).update(state=User.State.WRAP_UP)
    closed(call)
    assert User.objects.get(pk=call.operator_id).state == User.State.READY


def test_unless_another_call_waits(call: Call) -> None:
    User.objects.filter(pk=call.operator_id).update(state=User.State.IN_CALL)
    CallFactory(dialog=True, operator=call.operator)
    closed(call)
    assert User.objects.get(pk=call.operator_id).state == User.State.IN_CALL


def test_closing_twice_is_once(call: Call) -> None:
    closed(call)
    acts = CallStage.objects.count()
    close_call(call_id=call.pk, actor=call.operator)
    assert (call.journal.filter(code="closed").count(), CallStage.objects.count()) == (1, acts)


def test_a_call_that_still_talks_is_not_closed() -> None:
    call = CallFactory(dialog=True)
    with pytest.raises(Refused) as refused:
        close_call(call_id=call.pk, actor=call.operator)
    assert [item["code"] for item in refused.value.details["missing"]] == ["line_open"]


def test_the_database_itself_refuses(call: Call) -> None:
    """R1 and the ending, whatever way the row is written."""
    closing = {"work_state": "closed", "closed_at": timezone.now()}
    with pytest.raises(IntegrityError, match="calls_call_dialog_closes_with_appeal"), transaction.atomic():
        Call.objects.filter(pk=call.pk).update(ending="goodbye", **closing)
    with pytest.raises(IntegrityError, match="calls_call_dialog_closes_with_ending"), transaction.atomic():
        Call.objects.filter(pk=call.pk).update(registered_appeal=AppealFactory(), **closing)
    closed(call)
    with pytest.raises(IntegrityError, match="calls_call_dialog_closes_with_appeal"), transaction.atomic():
        Call.objects.filter(pk=call.pk).update(registered_appeal=None)
    with pytest.raises(IntegrityError, match="calls_call_closed_is_dated"), transaction.atomic():
        Call.objects.filter(pk=call.pk).update(closed_at=None)


def test_a_closed_call_lets_its_appeal_not_go(call: Call) -> None:
    closed(call)
    call.refresh_from_db()
    arguments = {"call_id": call.pk, "appeal": call.registered_appeal, "actor": call.operator}
    assert refusal(unlink_appeal, **arguments) == "closed"


# --- Reopening ------------------------------------------------------------------------------------
def test_a_call_closed_by_mistake_is_reopened_and_closed_again(call: Call) -> None:
    closed(call)
    reopen_call(call_id=call.pk, reason="Не та тема", actor=call.operator)
    call.refresh_from_db()
    assert (call.work_state, call.closed_at) == ("wrap_up", None)
    close_call(call_id=call.pk, topic=topic("leak"), actor=call.operator)
    codes = list(call.journal.order_by("pk").values_list("code", flat=True))
    assert codes[-3:] == ["closed", "reopened", "closed"]


@pytest.mark.parametrize(
    ("fields", "reason", "code"),
    [
        ({}, "Нужно", "not_closed"),
        ({"work_state": "closed", "closed_at": "2026-01-01T00:00Z", "phase": "greeting"}, " ", "reason_missing"),
        (
            {"work_state": "closed", "closed_at": "2026-01-01T00:00Z", "phase": "before_greeting", "answered_at": None},
            "Нужно",
            "not_answered",
        ),
    ],
)
def test_when_a_call_is_not_reopened(fields: dict[str, Any], reason: str, code: str) -> None:
    call = CallFactory(wrap_up=True, **fields)
    assert refusal(reopen_call, call_id=call.pk, reason=reason, actor=call.operator) == code


def test_a_colleague_reopens_nothing(call: Call) -> None:
    closed(call)
    assert refusal(reopen_call, call_id=call.pk, reason="x", actor=UserFactory()) == "not_found"
    reopen_call(call_id=call.pk, reason="Проверка", actor=UserFactory(supervisor=True))


# --- Parking --------------------------------------------------------------------------------------
def test_parking_frees_the_operator_for_the_next_ring(call: Call) -> None:
    User.objects.filter(pk=call.operator_id).update(state=User.State.WRAP_UP)
    park_call(call_id=call.pk, actor=call.operator)
    park_call(call_id=call.pk, actor=call.operator)
    call.refresh_from_db()
    assert (call.parked_at is not None, User.objects.get(pk=call.operator_id).state) == (True, User.State.READY)
    resume_call(call_id=call.pk, actor=call.operator)
    call.refresh_from_db()
    assert (call.parked_at, User.objects.get(pk=call.operator_id).state) == (None, User.State.WRAP_UP)
    assert list(call.journal.order_by("pk").values_list("code", flat=True)) == ["parked", "resumed"]


def test_a_talk_is_not_parked() -> None:
    call = CallFactory(dialog=True)
    assert refusal(park_call, call_id=call.pk, actor=call.operator) == "line_open"


# --- The rest -------------------------------------------------------------------------------------
def test_the_wrap_up_is_kept_without_closing(call: Call) -> None:
    save_wrap_up(call_id=call.pk, topic=topic(), note="Позже", actor=call.operator)
    call.refresh_from_db()
    assert (call.topic, call.result, call.note, call.is_open) == (topic(), None, "Позже", True)


def test_a_number_in_another_system_is_noted_once_also_after_closing(call: Call) -> None:
    closed(call)
    for _twice in range(2):
        note_reference(call_id=call.pk, system="naumen", number=" N-17 ", actor=call.operator)
    assert call.references.get().number == "N-17"
    assert refusal(note_reference, call_id=call.pk, system="fax", number="1", actor=call.operator) == "system"
    assert refusal(note_reference, call_id=call.pk, system="gsis", number=" ", actor=call.operator) == "number_missing"
