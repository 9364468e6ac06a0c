"""What the line does to a call: put through, hung up. Parts of verbs, by the exchange's word or the operator's.

Callers hold the call's lock and tell those concerned.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from calls import journal, rules
from calls.actions import _lost
from calls.facts import facts_of, may_take_calls
from calls.models import Call, CallResult, CallStage, StageCode
from hotline.operators.models import User
from hotline.operators.reads import alias_in_force


def voice(call: Call, operator: User, at: datetime) -> None:
    """Keep what the operator calls themself in this call: the alias in force, else the first name. Not saved."""
    alias = alias_in_force(operator, at)
    call.alias = alias
    call.spoken_name = alias.spoken_name if alias else (operator.first_name or operator.username)


def hand_to(call: Call, operator: User, at: datetime) -> None:
    """The call is this operator's from now on: the name voiced, and a flag where the script was not read (S3).

    Not saved. A call that was put through is never refused.
    """
    call.operator = operator
    voice(call, operator, at)
    if not may_take_calls(operator).allowed:
        journal.note(call, journal.Code.SCRIPT_UNREAD, None, operator=operator.pk)


def put_through(call: Call, operator: User | None, at: datetime, actor: User | None, code: str) -> None:
    """Somebody answered. `operator` None: at a telephone that nobody is signed in at; someone will take the call."""
    call.line_state = Call.LineState.TALKING
    call.work_state = Call.WorkState.TALKING
    call.answered_at = max(at, call.started_at)
    if operator is not None and call.operator_id is None:
        hand_to(call, operator, call.answered_at)
    call.save()
    journal.note(call, code, actor, operator=call.operator_id)
    if call.direction == Call.Direction.IN:
        _lost.cancel_for_caller(call)


def hang_up(
    call: Call, at: datetime, actor: User | None, *, cause: str = "", hung_up_by: str = "", lost: bool = False
) -> None:
    """The line is gone. D1: dropped before a dialog, or never answered, the call closes by itself; else wrap-up.

    `lost`: the exchange itself says that the connection broke; in a dialog that is the ending (D2). After the
    farewell it is a goodbye. Otherwise the operator will say which it was.
    """
    call.line_state = Call.LineState.ENDED
    call.ended_at = max(at, call.answered_at or call.started_at)
    call.cause = cause or call.cause
    call.hung_up_by = hung_up_by or call.hung_up_by
    verdict = rules.closes_by_itself(replace(facts_of(call), seconds_after_greeting=_heard_on(call)))
    if verdict.allowed:
        _close(call, verdict.code)
        return
    call.work_state = Call.WorkState.WRAP_UP
    if verdict.code in ("too_long_for_a_greeting", "greeting_was_over"):
        call.phase = Call.Phase.DIALOG
        journal.note(call, journal.Code.DIALOG_BEGUN, None, why=verdict.code)
    if call.phase == Call.Phase.DONE:
        call.ending = Call.Ending.GOODBYE
    elif lost:
        call.ending = Call.Ending.LOST
    call.save()
    if call.ending:
        journal.note(call, journal.Code.ENDING_DECLARED, actor, before="", after=call.ending, cause=call.cause)
        _lost.follow_ending(call, actor)


def _heard_on(call: Call) -> int:
    """Seconds from the end of the greeting to the end of the line; 0 where it was not said to its end. One query."""
    if call.phase != Call.Phase.GREETING or call.ended_at is None:
        return 0
    said = call.stage_acts.filter(stage=StageCode.GREETING, act=CallStage.Act.DONE).order_by("at").first()
    return max(0, int((call.ended_at - said.at).total_seconds())) if said is not None else 0


def _close(call: Call, why: str) -> None:
    call.work_state = Call.WorkState.CLOSED
    call.closed_at = timezone.now()
    if why == "not_reached":
        call.result = call.result or CallResult.objects.filter(code="not_reached").first()
    call.save()
    journal.note(call, journal.Code.CLOSED_ITSELF, None, why=why)
