"""The stages of a call: what was shown and done in each. The order guides, it does not lock."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from calls import journal
from calls.actions._common import enter_dialog, lock_open_call, need_talk, tell
from calls.models import Call, CallStage, StageCode
from hotline.base.actions import verb
from hotline.base.errors import Invalid
from hotline.operators.models import User

Act = CallStage.Act
_NO_DIALOG = frozenset({StageCode.GREETING, StageCode.WRAP_UP})


@verb
def open_stage(*, call_id: int, stage: str, actor: User | None, data: dict[str, Any] | None = None) -> Call:
    """The operator turned to a stage: an act of the operator, so from stage 2 on it is a dialog.

    A page that merely shows the next stage by itself does not call this. `data` takes codes and references (phrases
    shown, verdicts), no personal text.

    Raises NotFound, Invalid (`stage`), Refused (`closed`).
    """
    call = _for_work(call_id, stage, actor)
    last = CallStage.objects.filter(call=call).order_by("-at", "-pk").first()
    if last is None or (last.stage, last.act) != (stage, Act.OPENED) or data:
        journal.act(call, stage, Act.OPENED, actor, data)
    if call.line_state == Call.LineState.TALKING and stage not in _NO_DIALOG:
        _enter(call, stage, actor)
        if call.phase == Call.Phase.DONE and stage != StageCode.FAREWELL:
            # «Ах да, ещё вопрос»: the talk goes on after the goodbye, and may be lost again.
            call.phase = Call.Phase.DIALOG
            call.save(update_fields=["phase"])
    tell(call)
    return call


@verb
def complete_stage(*, call_id: int, stage: str, actor: User | None, data: dict[str, Any] | None = None) -> Call:
    """A stage is done. The greeting: phase greeting. The farewell: the talk is over in substance, phase done.

    Completing it twice in a row is once. Raises NotFound, Invalid (`stage`), Refused (`closed`, `not_answered`).
    """
    call = _for_work(call_id, stage, actor)
    need_talk(call)
    journal.done(call, stage, actor=actor, **(data or {}))
    if call.line_state == Call.LineState.TALKING:
        if stage == StageCode.GREETING:
            if call.phase == Call.Phase.BEFORE_GREETING:
                call.phase = Call.Phase.GREETING
                call.save(update_fields=["phase"])
        elif stage != StageCode.WRAP_UP:
            _enter(call, stage, actor)
        if stage == StageCode.FAREWELL and call.phase == Call.Phase.DIALOG:
            call.phase = Call.Phase.DONE
            call.save(update_fields=["phase"])
    tell(call)
    return call


@verb
def skip_stage(*, call_id: int, stage: str, actor: User | None, data: dict[str, Any] | None = None) -> Call:
    """A stage was left out on purpose: recorded as skipped. It may be done later all the same.

    Raises NotFound, Invalid (`stage`), Refused (`closed`).
    """
    call = _for_work(call_id, stage, actor)
    journal.act(call, stage, Act.SKIPPED, actor, data)
    tell(call)
    return call


@verb
def begin_dialog(*, call_id: int, actor: User | None) -> Call:
    """«Диалог начался»: from now on a lost connection is called back and a consultation is owed (D2, R1).

    Said after the talk too: a call that was closed as dropped and is reopened because there had been a dialog.
    Raises NotFound, Refused (`closed`, `not_answered`).
    """
    call = lock_open_call(call_id, actor)
    need_talk(call)
    if enter_dialog(call, actor, "said"):
        call.save(update_fields=["phase"])
        tell(call)
    return call


def stage_states(call: Call) -> dict[str, str]:
    """For each of the ten stages: todo, current, done or skipped. Causes one SQL query.

    Current is the stage turned to last and not done yet, else the first that waits; none in a closed call.
    """
    states: dict[str, str] = dict.fromkeys(StageCode.values, "todo")
    opened = ""
    for stage, act in call.stage_acts.order_by("at", "pk").values_list("stage", "act"):
        if act == Act.OPENED:
            opened = stage
        else:
            states[stage] = act
            opened = "" if opened == stage else opened
    if call.is_open:
        current = opened or next((stage for stage, state in states.items() if state == "todo"), "")
        if current:
            states[current] = "current"
    return states


def _for_work(call_id: int, stage: str, actor: User | None) -> Call:
    if stage not in StageCode.values:
        raise Invalid("stage", _("There is no such stage."), field="stage")
    # A closed call may be looked through; its evidence does not change.
    return lock_open_call(call_id, actor)


def _enter(call: Call, stage: str, actor: User | None) -> None:
    if enter_dialog(call, actor, stage):
        call.save(update_fields=["phase"])
