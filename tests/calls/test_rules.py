"""Every row of the regulation's rules of a call: facts in, verdict and reason out. docs/rules.md names these tables."""

from __future__ import annotations

from typing import Any

import pytest

from calls import rules
from calls.models import Call, StageCode
from calls.rules import Facts

ENDED = {"line": Call.LineState.ENDED}
LOST = {**ENDED, "ending": Call.Ending.LOST}
GOODBYE = {**ENDED, "ending": Call.Ending.GOODBYE}
GREETING = {"phase": Call.Phase.GREETING}
BEFORE = {"phase": Call.Phase.BEFORE_GREETING}
OUT = {"direction": Call.Direction.OUT}


def check(rule: Any, facts: dict[str, Any], allowed: bool, code: str) -> None:
    verdict = rule(Facts(**facts))
    assert (verdict.allowed, verdict.code) == (allowed, code)


# --- Stage 8: the question --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "allowed", "code"),
    [
        ({}, True, "operator_ends"),
        ({"talk_ended_by": "operator"}, True, "operator_ends"),
        ({"talk_ended_by": "client"}, False, "client_ends"),
        # Who hung up the line, the direction and the kind of question have no part in it.
        (OUT, True, "operator_ends"),
        ({"is_atypical": True}, True, "operator_ends"),
        ({"promised": True}, True, "operator_ends"),
        ({**OUT, "talk_ended_by": "client"}, False, "client_ends"),
    ],
)
def test_the_question(facts: dict[str, Any], allowed: bool, code: str) -> None:
    check(rules.ask_question, facts, allowed, code)


# --- Stage 9: the farewell and its four exceptions ----------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "allowed", "code"),
    [
        ({}, True, "said"),
        ({"promised": True}, False, "promised_call_back"),
        (OUT, False, "outgoing"),
        ({"is_atypical": True}, False, "atypical"),
        ({"wants_rating": True}, False, "client_wants_rating"),
        # Several at once: the first of the regulation's order is named.
        ({"promised": True, **OUT, "is_atypical": True, "wants_rating": True}, False, "promised_call_back"),
        ({**OUT, "is_atypical": True, "wants_rating": True}, False, "outgoing"),
        ({"is_atypical": True, "wants_rating": True}, False, "atypical"),
        # The client's ending of the talk forbids the question, not the farewell.
        ({"talk_ended_by": "client"}, True, "said"),
    ],
)
def test_the_farewell(facts: dict[str, Any], allowed: bool, code: str) -> None:
    check(rules.say_farewell, facts, allowed, code)


# --- D1: dropped in the greeting ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "allowed", "code"),
    [
        ({}, False, "line_open"),
        (BEFORE, False, "line_open"),
        ({**ENDED, "answered": False, **BEFORE}, True, "missed"),
        ({**ENDED, "answered": False, **BEFORE, **OUT}, True, "not_reached"),
        ({**ENDED, **BEFORE}, True, "dropped_in_greeting"),
        ({**ENDED, **GREETING}, True, "dropped_in_greeting"),
        ({**ENDED, **GREETING, **OUT}, True, "dropped_in_greeting"),
        ({**ENDED, **GREETING, "talk_seconds": 45}, True, "dropped_in_greeting"),
        ({**ENDED, **GREETING, "talk_seconds": 46}, False, "too_long_for_a_greeting"),
        ({**ENDED, **BEFORE, "talk_seconds": 300}, False, "too_long_for_a_greeting"),
        ({**ENDED, **GREETING, "talk_seconds": 50, "greeting_seconds": 60}, True, "dropped_in_greeting"),
        # D1 is for a greeting that had only begun: after it was said to its end the client stayed, and talks.
        ({**ENDED, **GREETING, "talk_seconds": 20, "seconds_after_greeting": 5}, True, "dropped_in_greeting"),
        ({**ENDED, **GREETING, "talk_seconds": 20, "seconds_after_greeting": 6}, False, "greeting_was_over"),
        ({**ENDED, "phase": Call.Phase.DIALOG}, False, "dialog"),
        ({**ENDED, "phase": Call.Phase.DONE}, False, "dialog"),
    ],
)
def test_what_closes_by_itself(facts: dict[str, Any], allowed: bool, code: str) -> None:
    check(rules.closes_by_itself, facts, allowed, code)


# --- After the hang-up: goodbye, or lost? -------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "allowed", "code"),
    [
        ({}, False, "line_open"),
        ({**ENDED, "answered": False, **BEFORE}, False, "not_answered"),
        (ENDED, True, "ask"),
        ({**ENDED, **OUT}, True, "ask"),
        (GOODBYE, False, "said"),
        (LOST, False, "said"),
        ({**ENDED, **BEFORE}, False, "no_dialog"),
        ({**ENDED, **GREETING}, False, "no_dialog"),
        ({**ENDED, "phase": Call.Phase.DONE}, False, "talk_was_over"),
    ],
)
def test_whether_the_ending_is_asked(facts: dict[str, Any], allowed: bool, code: str) -> None:
    check(rules.ending_needed, facts, allowed, code)


# --- D2: the one call back ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "allowed", "code"),
    [
        (LOST, True, "lost"),
        ({**LOST, "call_back": "planned"}, True, "lost"),
        # An outgoing call may be lost too: the operator and the client were talking.
        ({**LOST, **OUT}, True, "lost"),
        # D1
        ({**LOST, **BEFORE}, False, "no_dialog"),
        ({**LOST, **GREETING}, False, "no_dialog"),
        ({**ENDED, "answered": False, **BEFORE}, False, "not_answered"),
        # It never spawns another, and nobody makes a second one, ever.
        ({**LOST, "is_attempt": True}, False, "is_attempt"),
        ({**LOST, **OUT, "is_second_attempt": True}, False, "second_attempt"),
        ({**LOST, "call_back": "attempted"}, False, "attempted"),
        ({**GOODBYE, "call_back": "attempted"}, False, "attempted"),
        # The client calls in first.
        ({**LOST, "client_called": True, "call_back": "cancelled"}, False, "client_called"),
        # Nobody said that it was lost.
        ({}, False, "line_open"),
        (ENDED, False, "ending_unknown"),
        (GOODBYE, False, "goodbye"),
        ({**LOST, "has_number": False}, False, "no_number"),
        # Taken back as «not lost», then lost after all: it is owed again.
        ({**LOST, "call_back": "cancelled"}, True, "lost"),
    ],
)
def test_the_one_call_back(facts: dict[str, Any], allowed: bool, code: str) -> None:
    check(rules.may_call_back, facts, allowed, code)


@pytest.mark.parametrize(
    ("facts", "allowed", "code"),
    [
        (ENDED, True, "open"),
        (LOST, True, "open"),
        (GOODBYE, True, "open"),
        ({**LOST, "call_back": "planned"}, True, "open"),
        ({**LOST, "call_back": "attempted"}, False, "attempted"),
        ({}, False, "line_open"),
        ({**ENDED, "answered": False, **BEFORE}, False, "not_answered"),
        ({**ENDED, **GREETING}, False, "no_dialog"),
    ],
)
def test_whether_the_ending_can_be_corrected(facts: dict[str, Any], allowed: bool, code: str) -> None:
    check(rules.may_correct_ending, facts, allowed, code)


# --- A call back that is promised is another thing ----------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "allowed", "code"),
    [
        ({}, True, "talking"),
        (OUT, True, "talking"),
        # Also in the call back after a lost connection: a promise is no way round D2, and D2 none round a promise.
        ({**OUT, "is_attempt": True}, True, "talking"),
        (BEFORE, True, "talking"),
        ({"promised": True}, False, "already_promised"),
        (ENDED, False, "not_talking"),
        ({"line": Call.LineState.RINGING, "answered": False}, False, "not_talking"),
    ],
)
def test_a_promise(facts: dict[str, Any], allowed: bool, code: str) -> None:
    check(rules.may_promise, facts, allowed, code)


# --- R1, D3: the consultation -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "allowed", "code"),
    [
        ({}, True, "owed"),
        (GOODBYE, True, "owed"),
        ({"has_appeal": True}, False, "registered"),
        # D3: registered all the same, whatever became of the call back.
        ({**LOST, "call_back": "planned"}, True, "owed_after_loss"),
        ({**LOST, "call_back": "attempted"}, True, "owed_after_loss"),
        ({**LOST, "call_back": "cancelled", "client_called": True}, True, "owed_after_loss"),
        ({**LOST, "has_appeal": True}, False, "registered"),
        # D1: nothing is owed.
        ({**ENDED, **BEFORE}, False, "no_dialog"),
        ({**ENDED, **GREETING}, False, "no_dialog"),
        ({**ENDED, "answered": False, **BEFORE}, False, "not_answered"),
    ],
)
def test_the_consultation(facts: dict[str, Any], allowed: bool, code: str) -> None:
    check(rules.consultation_owed, facts, allowed, code)


# --- Closing: everything that is missing, each where it is put right ------------------------------------
ALL = {"has_appeal": True, "has_topic": True, "has_result": True}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({**GOODBYE, **ALL}, []),
        ({**LOST, **ALL, "call_back": "planned"}, []),
        ({**ENDED, **ALL, "phase": Call.Phase.DONE}, []),
        (
            ENDED,
            [
                ("ending", StageCode.FAREWELL),
                ("appeal", StageCode.REGISTRATION),
                ("topic", StageCode.WRAP_UP),
                ("result", StageCode.WRAP_UP),
            ],
        ),
        ({**ENDED, **ALL}, [("ending", StageCode.FAREWELL)]),
        ({**GOODBYE, **ALL, "has_appeal": False}, [("appeal", StageCode.REGISTRATION)]),
        ({**LOST, **ALL, "has_appeal": False}, [("appeal", StageCode.REGISTRATION)]),
        ({**GOODBYE, **ALL, "has_topic": False}, [("topic", StageCode.WRAP_UP)]),
        ({**GOODBYE, **ALL, "has_result": False}, [("result", StageCode.WRAP_UP)]),
        # The line is open: nothing else matters yet.
        ({}, [("line_open", StageCode.FAREWELL)]),
        (ALL, [("line_open", StageCode.FAREWELL)]),
        # D1, and what nobody answered: nothing is owed.
        ({**ENDED, **BEFORE}, []),
        ({**ENDED, **GREETING}, []),
        ({**ENDED, "answered": False, **BEFORE}, []),
    ],
)
def test_what_is_missing_to_close(facts: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [(item.code, item.stage) for item in rules.missing(Facts(**facts))] == expected


def test_every_refusal_says_why_in_words() -> None:
    """A verdict that the operator sees has a text; those that only steer the machine have none."""
    shown = [
        rules.ask_question(Facts()),
        rules.say_farewell(Facts()),
        rules.may_call_back(Facts()),
        rules.may_correct_ending(Facts()),
        rules.consultation_owed(Facts()),
        *rules.missing(Facts(**ENDED)),
    ]
    assert all(str(verdict.text) for verdict in shown)
