"""Collecting what the rules look at. Reads only."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calls.models import Call, LostCallBack, PromisedCallBack, ScriptAcknowledgement, ScriptVersion
from calls.rules import Facts, Missing, Verdict, missing
from hotline.operators.models import Role, User


def lost_call_back_of(call: Call) -> LostCallBack | None:
    """The call back that this call is owed. Causes a SQL query unless `for_workspace()` selected it."""
    return getattr(call, "lost_call_back", None)


def promise_of(call: Call) -> PromisedCallBack | None:
    """The call back promised in this call. Causes a SQL query unless `for_workspace()` selected it."""
    return getattr(call, "promise_made", None)


def facts_of(call: Call) -> Facts:
    """The facts of a call as its row stands. Causes two SQL queries, none after `for_workspace()`."""
    back, promise = lost_call_back_of(call), promise_of(call)
    return Facts(
        direction=call.direction,
        is_attempt=call.attempt_of_id is not None,
        is_second_attempt=call.hand_dialled_after_id is not None,
        line=call.line_state,
        answered=call.answered_at is not None,
        phase=call.phase,
        ending=call.ending,
        talk_ended_by=call.talk_ended_by,
        talk_seconds=call.talk_seconds or 0,
        greeting_seconds=settings.GREETING_SECONDS,
        is_atypical=call.is_atypical,
        wants_rating=call.wants_rating,
        promised=promise is not None and promise.state != PromisedCallBack.State.CANCELLED,
        has_number=bool(call.number),
        call_back=_state_of(back),
        client_called=back is not None and back.cancel_reason == LostCallBack.CancelReason.CLIENT_CALLED,
        has_appeal=call.registered_appeal_id is not None,
        has_topic=call.topic_id is not None,
        has_result=call.result_id is not None,
    )


def _state_of(back: LostCallBack | None) -> str:
    if back is None:
        return ""
    if back.attempted_at is not None:
        return "attempted"
    return "cancelled" if back.cancelled_at is not None else "planned"


def missing_to_close(call: Call) -> list[Missing]:
    """Everything that keeps the call from closing, each with the stage where it is put right (R1, D3)."""
    return missing(facts_of(call))


def may_take_calls(user: User) -> Verdict:
    """S3: an operator acknowledges the version in force before taking calls with it. Causes up to two SQL queries.

    Asked when an operator wants to be ready. A call that the telephone has put through is never refused.
    """
    if not settings.SCRIPT_NEEDS_ACKNOWLEDGEMENT or user.role != Role.OPERATOR:
        return Verdict(True, "not_asked")
    version = ScriptVersion.objects.in_force(timezone.now()).first()
    if version is None:
        return Verdict(True, "no_script")
    if ScriptAcknowledgement.objects.filter(version=version, operator=user).exists():
        return Verdict(True, "acknowledged")
    return Verdict(
        False, "script_unread", _("Read the new version of the script and acknowledge it before you take calls.")
    )
