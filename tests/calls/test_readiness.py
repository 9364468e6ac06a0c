"""S3: who has not read the script in force is not ready for calls; and rings that nobody ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from calls.actions import acknowledge_version, end_stale_ring
from calls.facts import may_take_calls
from calls.tasks import end_stale_rings
from hotline.base.errors import HotlineError
from hotline.operators.actions import pick_extension, switch_state
from hotline.operators.models import User
from tests.calls.factories import CallFactory, script_version
from tests.calls.test_telephony import ANSWERED, RINGING, say, the_call
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("case", "allowed", "code"),
    [
        ("no script at all", True, "no_script"),
        ("not read", False, "script_unread"),
        ("read", True, "acknowledged"),
        ("an older one was read", False, "script_unread"),
        ("the next one is not in force yet", True, "acknowledged"),
        ("a supervisor", True, "not_asked"),
        ("switched off", True, "not_asked"),
    ],
)
def test_who_may_take_calls(case: str, allowed: bool, code: str, settings: Any) -> None:
    operator = UserFactory(supervisor=case == "a supervisor")
    settings.SCRIPT_NEEDS_ACKNOWLEDGEMENT = case != "switched off"
    if case != "no script at all":
        first = script_version(number=1, effective_from=timezone.now() - timedelta(days=2))
        if case in ("read", "an older one was read", "the next one is not in force yet"):
            acknowledge_version(version_id=first.pk, actor=operator)
        if case == "an older one was read":
            script_version(number=2)
        if case == "the next one is not in force yet":
            script_version(number=2, effective_from=timezone.now() + timedelta(days=2))
    verdict = may_take_calls(operator)
    assert (verdict.allowed, verdict.code) == (allowed, code)


def test_signing_in_without_having_read_is_a_break_and_ready_is_refused() -> None:
    version = script_version()
    operator = UserFactory(state=User.State.OFFLINE)
    person = pick_extension(user=operator, extension="101", actor=operator)
    assert person.state == User.State.BREAK
    with pytest.raises(HotlineError) as refused:
        switch_state(user=operator, state="ready", actor=operator)
    assert (refused.value.code, refused.value.field) == ("script_unread", "state")
    acknowledge_version(version_id=version.pk, actor=operator)
    assert switch_state(user=operator, state="ready", actor=operator).state == User.State.READY


def test_who_has_read_is_ready_at_once() -> None:
    version = script_version()
    operator = UserFactory(state=User.State.OFFLINE)
    acknowledge_version(version_id=version.pk, actor=operator)
    assert pick_extension(user=operator, extension="101", actor=operator).state == User.State.READY


# --- Rings that nobody ends -------------------------------------------------------------------------
def test_a_ring_whose_end_was_never_told_is_missed_in_the_end() -> None:
    stale = CallFactory(started_at=timezone.now() - timedelta(minutes=31))
    fresh, talking = CallFactory(), CallFactory(dialog=True, started_at=timezone.now() - timedelta(hours=2))
    assert (end_stale_rings(), end_stale_rings()) == (1, 0)
    for call, state in ((stale, "closed"), (fresh, "ringing"), (talking, "talking")):
        call.refresh_from_db()
        assert call.work_state == state
    assert (stale.cause, stale.hung_up_by, stale.is_missed) == ("stale", "system", True)


def test_answered_in_the_last_moment_it_goes_on() -> None:
    call = CallFactory(dialog=True, started_at=timezone.now() - timedelta(hours=1))
    assert end_stale_ring(call_id=call.pk, actor=None).line_state == "talking"


def test_an_answer_that_is_told_after_all_still_counts() -> None:
    say(RINGING)
    call = the_call()
    type(call).objects.update(started_at=timezone.now() - timedelta(minutes=31))
    end_stale_rings()
    assert say(ANSWERED).outcome == "late"
    assert the_call().answered_at is not None
