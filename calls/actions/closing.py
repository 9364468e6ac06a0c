"""Wrap-up: closing with everything the regulation demands, reopening, parking, numbers in other systems."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from calls import journal
from calls.actions._common import lock_call, lock_open_call, settle_operator, tell, tell_call_backs
from calls.actions.stages import stage_states
from calls.facts import missing_to_close
from calls.models import Call, CallReference, CallResult, CallStage, PromisedCallBack, StageCode
from hotline.base.actions import constraint_of, verb
from hotline.base.errors import Conflict, Invalid, Refused
from hotline.operators.models import User
from tickets.models import Topic

# What the database says when it refuses to close a call (R1, D2).
_CLOSING = {"calls_call_dialog_closes_with_appeal", "calls_call_dialog_closes_with_ending"}


@verb
def close_call(
    *,
    call_id: int,
    actor: User | None,
    topic: Topic | None = None,
    result: CallResult | None = None,
    note: str | None = None,
) -> Call:
    """Register the contact itself (stage 10) and close the call. None leaves topic, result and note as they are.

    Refuses with the whole list of what is missing (`details["missing"]`: code, text, stage). Stages that were never
    done are recorded as skipped. A promise that the call kept is settled. The operator is free again, unless another
    call goes on. Closing twice is once.

    Raises NotFound, Refused (`incomplete`), Conflict (`changed_meanwhile`: the appeal went away at the same moment).
    """
    call = lock_call(call_id, actor)
    if not call.is_open:
        return call
    if topic is not None:
        call.topic = topic
    if result is not None:
        call.result = result
    if note is not None:
        call.note = note.replace("\x00", "").strip()[:2000]
    if missing := missing_to_close(call):
        raise Refused(
            "incomplete",
            _("Before closing: %(items)s") % {"items": " ".join(str(item.text) for item in missing)},
            details={
                "missing": [{"code": item.code, "text": str(item.text), "stage": item.stage.value} for item in missing]
            },
        )
    _skip_the_rest(call, actor)
    call.work_state = Call.WorkState.CLOSED
    call.closed_at = timezone.now()
    call.parked_at = None
    try:
        with transaction.atomic():
            call.save(update_fields=["work_state", "closed_at", "parked_at", "topic", "result", "note"])
    except IntegrityError as error:
        if constraint_of(error) not in _CLOSING:
            raise
        raise Conflict("changed_meanwhile", _("The call has just changed. Look at it again.")) from error
    journal.note(call, journal.Code.CLOSED, actor, topic=call.topic_id, result=call.result_id)
    _keep_promise(call, actor)
    settle_operator(call.operator_id, actor)
    tell(call)
    return call


def _skip_the_rest(call: Call, actor: User | None) -> None:
    """The wrap-up is done by closing; what was not done before it was skipped, and the record says so."""
    journal.done(call, StageCode.WRAP_UP, actor=actor)
    states = stage_states(call)
    for stage in StageCode.values:
        if states[stage] in ("todo", "current") and stage != StageCode.WRAP_UP:
            journal.act(call, stage, CallStage.Act.SKIPPED, actor, {"why": "closed"})


def _keep_promise(call: Call, actor: User | None) -> None:
    """The talk that was promised took place and ended well: the promise is kept. One that was lost may be retried."""
    if call.promised_call_back_id is None or call.ending != Call.Ending.GOODBYE:
        return
    promise = PromisedCallBack.objects.select_for_update(of=("self",), no_key=True).get(pk=call.promised_call_back_id)
    if promise.state == PromisedCallBack.State.OPEN:
        promise.state, promise.settled_at = PromisedCallBack.State.DONE, timezone.now()
        promise.save(update_fields=["state", "settled_at"])
        journal.note(
            promise.call, journal.Code.CALL_BACK_SETTLED, actor, call_back=promise.pk, state="done", call=call.pk
        )
        tell_call_backs(promise.owner_id)


@verb
def save_wrap_up(
    *,
    call_id: int,
    actor: User | None,
    topic: Topic | None = None,
    result: CallResult | None = None,
    note: str | None = None,
) -> Call:
    """Keep topic, result and note without closing; None leaves as it is. Raises NotFound, Refused (`closed`)."""
    call = lock_open_call(call_id, actor)
    if topic is not None:
        call.topic = topic
    if result is not None:
        call.result = result
    if note is not None:
        call.note = note.replace("\x00", "").strip()[:2000]
    call.save(update_fields=["topic", "result", "note"])
    tell(call)
    return call


@verb
def reopen_call(*, call_id: int, reason: str, actor: User | None) -> Call:
    """A call that was closed by mistake is in wrap-up again, journalled with the reason.

    Raises NotFound, Invalid (`reason_missing`), Refused (`not_closed`, `not_answered`).
    """
    call = lock_call(call_id, actor)
    if call.is_open:
        raise Refused("not_closed", _("The call is open."))
    if call.answered_at is None:
        raise Refused("not_answered", _("Nobody answered this call: there is nothing to reopen."))
    if not reason.strip():
        raise Invalid("reason_missing", _("Say why."), field="reason")
    call.work_state = Call.WorkState.WRAP_UP
    call.closed_at = None
    call.save(update_fields=["work_state", "closed_at"])
    journal.note(call, journal.Code.REOPENED, actor, reason=reason.strip()[:200])
    settle_operator(call.operator_id, actor)
    tell(call)
    return call


@verb
def park_call(*, call_id: int, actor: User | None) -> Call:
    """Put a call in wrap-up aside: another one rings. The operator may take calls again, this one waits.

    Parking twice is once. Raises NotFound, Refused (`closed`, `line_open`).
    """
    call = lock_open_call(call_id, actor)
    if call.work_state != Call.WorkState.WRAP_UP:
        raise Refused("line_open", _("A call can be parked when its line is gone."))
    if call.parked_at is None:
        call.parked_at = timezone.now()
        call.save(update_fields=["parked_at"])
        journal.note(call, journal.Code.PARKED, actor)
        settle_operator(call.operator_id, actor)
        tell(call)
    return call


@verb
def resume_call(*, call_id: int, actor: User | None) -> Call:
    """Come back to a parked call. Raises NotFound, Refused (`closed`)."""
    call = lock_open_call(call_id, actor)
    if call.parked_at is not None:
        call.parked_at = None
        call.save(update_fields=["parked_at"])
        journal.note(call, journal.Code.RESUMED, actor)
        settle_operator(call.operator_id, actor)
        tell(call)
    return call


@verb
def note_reference(*, call_id: int, system: str, number: str, actor: User | None) -> CallReference:
    """The number that the call's registration got in GSIS or Naumen (stage 10); also after closing.

    Noted twice it is once. Raises NotFound, Invalid (`system`, `number_missing`).
    """
    call = lock_call(call_id, actor)
    if system not in CallReference.System.values:
        raise Invalid("system", _("There is no such system."), field="system")
    wanted = number.replace("\x00", "").strip()[:64]
    if not wanted:
        raise Invalid("number_missing", _("Which number did it get?"), field="number")
    reference, created = CallReference.objects.get_or_create(call=call, system=system, number=wanted)
    if created:
        journal.note(call, journal.Code.REFERENCE_NOTED, actor, system=system, reference=reference.pk)
        tell(call)
    return reference
