"""The regulation's rules of a call as pure functions: facts in, a verdict with its reason out.

No query, no clock, no setting: `calls/facts.py` collects the facts, verbs and pages ask. Letters as in the regulation
(docs/rules.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from calls.models import Call, StageCode

Text = str | Promise

# (ours) A client who stays on the line for longer than this after the whole greeting has heard it, and talks.
HEARD_OUT_SECONDS = 5
GREETING_PHASES = frozenset({Call.Phase.BEFORE_GREETING, Call.Phase.GREETING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the rules look at. The defaults are those of an incoming call in dialog."""

    direction: str = Call.Direction.IN
    is_attempt: bool = False  # this call is itself the call back after a lost connection
    is_second_attempt: bool = False  # dialled by hand after the one call back (D2)
    line: str = Call.LineState.TALKING
    answered: bool = True
    phase: str = Call.Phase.DIALOG
    ending: str = ""
    talk_ended_by: str = Call.Party.OPERATOR
    talk_seconds: int = 0
    greeting_seconds: int = 45  # a talk longer than this was no mere greeting (ours)
    seconds_after_greeting: int = 0  # how long the line held once the whole greeting had been said
    is_atypical: bool = False
    wants_rating: bool = False
    promised: bool = False  # a call back was promised in this call and not taken back
    has_number: bool = True
    call_back: str = ""  # of this call: "", planned, attempted, cancelled
    client_called: bool = False  # the client got through to us after the connection was lost
    has_appeal: bool = False
    has_topic: bool = False
    has_result: bool = False

    @property
    def ended(self) -> bool:
        return self.line == Call.LineState.ENDED

    @property
    def is_lost(self) -> bool:
        return self.ended and self.ending == Call.Ending.LOST

    @property
    def in_greeting(self) -> bool:
        return self.phase in GREETING_PHASES


@dataclass(frozen=True, slots=True)
class Verdict:
    """May it be, and why: `code` for machines and the evidence, `text` for the operator."""

    allowed: bool
    code: str
    text: Text = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that keeps a call from closing, and the stage where it is put right."""

    code: str
    text: Text
    stage: StageCode


_NOBODY_HEARS = Verdict(False, "connection_lost", _("The connection was lost: there is nobody to say it to."))


# --- Stage 8 and 9: what is said -------------------------------------------------------------------
def ask_question(facts: Facts) -> Verdict:
    """«Остались ли у вас дополнительные вопросы?»: only when the operator is the one who ends the talk (stage 8)."""
    if facts.is_lost:
        return _NOBODY_HEARS
    if facts.talk_ended_by == Call.Party.CLIENT:
        return Verdict(
            False,
            "client_ends",
            _("The client ends the talk: the question is not asked. Tell the next steps if there is a chance."),
        )
    return Verdict(True, "operator_ends", _("You end the talk: ask whether questions remain."))


def say_farewell(facts: Facts) -> Verdict:
    """«…оцените мою консультацию»: said, but for four exceptions (stage 9). The first that holds is the reason.

    Into a line that was lost nothing is said at all.
    """
    if facts.is_lost:
        return _NOBODY_HEARS
    if facts.promised:
        return Verdict(False, "promised_call_back", _("A call back was promised: no farewell with the rating."))
    if facts.direction == Call.Direction.OUT:
        return Verdict(False, "outgoing", _("An outgoing call: no farewell with the rating."))
    if facts.is_atypical:
        return Verdict(False, "atypical", _("An atypical question: no farewell with the rating."))
    if facts.wants_rating:
        return Verdict(
            False, "client_wants_rating", _("The client asks for the rating himself: no farewell, put him through.")
        )
    return Verdict(True, "said", _("Ask for the rating and say goodbye."))


# --- Dropped calls ---------------------------------------------------------------------------------
def closes_by_itself(facts: Facts) -> Verdict:
    """D1: dropped before the dialog, or never answered: nothing is owed and the call closes by itself.

    A talk that outlasted any greeting counts as a dialog even if nothing was pressed: R1 must not depend on a key. So
    does a line that held on after the whole greeting was said: D1 is for one that had only begun.
    """
    if not facts.ended:
        return Verdict(False, "line_open")
    if not facts.answered:
        if facts.direction == Call.Direction.OUT:
            return Verdict(True, "not_reached", _("The client was not reached."))
        return Verdict(True, "missed", _("Nobody answered."))
    if not facts.in_greeting:
        return Verdict(False, "dialog", _("There was a dialog."))
    if facts.talk_seconds > facts.greeting_seconds:
        return Verdict(False, "too_long_for_a_greeting", _("The talk was too long for a mere greeting."))
    if facts.seconds_after_greeting > HEARD_OUT_SECONDS:
        return Verdict(False, "greeting_was_over", _("The greeting was over, and the client stayed on the line."))
    return Verdict(True, "dropped_in_greeting", _("Dropped in the greeting: no call back, no consultation is owed."))


def ending_needed(facts: Facts) -> Verdict:
    """After a hang-up in dialog the operator says which it was: the talk was over, or the connection was lost."""
    if not facts.ended:
        return Verdict(False, "line_open")
    if not facts.answered:
        return Verdict(False, "not_answered")
    if facts.ending:
        return Verdict(False, "said")
    if facts.phase == Call.Phase.DONE:
        return Verdict(False, "talk_was_over", _("Goodbye was said before the line went."))
    if facts.in_greeting:
        return Verdict(False, "no_dialog", _("There was no dialog."))
    return Verdict(True, "ask", _("Was the talk over, or was the connection lost?"))


def may_call_back(facts: Facts) -> Verdict:
    """D2: may the one call back after a lost connection be planned or started? D1: not without a dialog."""
    if facts.is_attempt:
        return Verdict(False, "is_attempt", _("This call is itself the call back: there is no other."))
    if facts.is_second_attempt:
        return Verdict(False, "second_attempt", _("The client was called back before: there is no other call back."))
    if not facts.answered:
        return Verdict(False, "not_answered", _("Nobody talked: there is nothing to call back about."))
    if facts.in_greeting:
        return Verdict(False, "no_dialog", _("Dropped in the greeting: no call back."))
    if facts.call_back == "attempted":
        return Verdict(False, "attempted", _("The one call back was made. There is no second attempt, by anyone."))
    if not facts.ended:
        return Verdict(False, "line_open", _("The line is open."))
    if facts.ending == Call.Ending.GOODBYE:
        return Verdict(False, "goodbye", _("The talk was over: no call back."))
    if facts.ending != Call.Ending.LOST:
        return Verdict(False, "ending_unknown", _("Say first how the talk ended."))
    if facts.client_called:
        return Verdict(False, "client_called", _("The client called in first: no call back."))
    if not facts.has_number:
        return Verdict(False, "no_number", _("The number is hidden: nobody can be called back."))
    return Verdict(True, "lost", _("The connection was lost: call back, exactly once."))


def may_correct_ending(facts: Facts) -> Verdict:
    """The choice can be corrected until the call is closed, but not once the call back was attempted."""
    if not facts.ended:
        return Verdict(False, "line_open", _("The line is open."))
    if not facts.answered:
        return Verdict(False, "not_answered", _("Nobody answered this call."))
    if facts.in_greeting:
        return Verdict(False, "no_dialog", _("There was no dialog: the call closes as dropped."))
    if facts.call_back == "attempted":
        return Verdict(False, "attempted", _("The call back was made: the ending stays «connection lost»."))
    return Verdict(True, "open")


def may_promise(facts: Facts) -> Verdict:
    """A call back is promised to the client, so it is recorded while talking, once a call."""
    if facts.promised:
        return Verdict(False, "already_promised", _("A call back is promised in this call already."))
    if facts.line != Call.LineState.TALKING:
        return Verdict(False, "not_talking", _("A call back is promised to the client, while talking."))
    return Verdict(True, "talking")


# --- R: what is owed at the end --------------------------------------------------------------------
def consultation_owed(facts: Facts) -> Verdict:
    """R1 and D3: a dialog needs a registered appeal, whatever became of the call back."""
    if not facts.answered:
        return Verdict(False, "not_answered", _("Nobody answered: nothing is owed."))
    if facts.in_greeting:
        return Verdict(False, "no_dialog", _("There was no dialog: no consultation is owed."))
    if facts.has_appeal:
        return Verdict(False, "registered", _("The appeal is registered."))
    if facts.ending == Call.Ending.LOST:
        return Verdict(True, "owed_after_loss", _("The connection was lost: register the consultation all the same."))
    return Verdict(True, "owed", _("Don't forget to register the consultation!"))


def missing(facts: Facts) -> list[Missing]:
    """Everything that keeps the call from closing, in the order in which it is put right. Empty: it may close."""
    found: list[Missing] = []
    if not facts.ended:
        return [Missing("line_open", _("The line is open: finish the talk."), StageCode.FAREWELL)]
    if not facts.answered or facts.in_greeting:
        return found
    if ending_needed(facts).allowed:
        found.append(
            Missing("ending", _("How the talk ended: it was over, or the connection was lost."), StageCode.FAREWELL)
        )
    if (owed := consultation_owed(facts)).allowed:
        found.append(Missing("appeal", owed.text, StageCode.REGISTRATION))
    if not facts.has_topic:
        found.append(Missing("topic", _("The topic of the call."), StageCode.WRAP_UP))
    if not facts.has_result:
        found.append(Missing("result", _("The result of the call."), StageCode.WRAP_UP))
    return found
