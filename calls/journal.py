"""Writing the evidence of a call: its journal, the acts of its stages. Codes and references only, no personal text.

Called by verbs, inside their transaction.
"""

from __future__ import annotations

from typing import Any

from calls.models import Call, CallJournalEntry, CallStage
from hotline.operators.models import User

Code = CallJournalEntry.Code


def note(call: Call, code: str, actor: User | None, /, **data: Any) -> None:
    """One entry in the journal of a call; `actor` None is the machine or the exchange."""
    CallJournalEntry.objects.create(call=call, code=code, actor=actor, data=data)


def act(call: Call, stage: str, what: str, actor: User | None, data: dict[str, Any] | None = None) -> CallStage:
    """One act of a stage: opened, done or skipped."""
    return CallStage.objects.create(call=call, stage=stage, act=what, actor=actor, data=data or {})


def done(call: Call, /, *stages: str, actor: User | None, **data: Any) -> None:
    """Stages that an act of the operator has done, each once: the second «done» in a row says nothing new."""
    acts = CallStage.objects.filter(call=call, stage__in=stages).order_by("at", "pk")
    latest = dict(acts.values_list("stage", "act"))
    for stage in stages:
        if latest.get(stage) != CallStage.Act.DONE:
            act(call, stage, CallStage.Act.DONE, actor, data)
