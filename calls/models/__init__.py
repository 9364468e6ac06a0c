"""The call: what the exchange said of it, what the operator did in it, what is still owed after it."""

from calls.models.callbacks import LostCallBack, PromisedCallBack
from calls.models.calls import Call, CallAppeal, CallResult
from calls.models.drafts import Draft
from calls.models.evidence import CallEvent, CallJournalEntry, CallReference, CallStage
from calls.models.followups import FollowUp
from calls.models.script import (
    Phrase,
    Script,
    ScriptAcknowledgement,
    ScriptChange,
    ScriptVersion,
    Stage,
    StageCode,
)

__all__ = [
    "Call",
    "CallAppeal",
    "CallEvent",
    "CallJournalEntry",
    "CallReference",
    "CallResult",
    "CallStage",
    "Draft",
    "FollowUp",
    "LostCallBack",
    "Phrase",
    "PromisedCallBack",
    "Script",
    "ScriptAcknowledgement",
    "ScriptChange",
    "ScriptVersion",
    "Stage",
    "StageCode",
]
