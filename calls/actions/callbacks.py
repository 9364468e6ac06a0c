"""Calling back: the one attempt after a lost connection (D2), and what was promised to the client."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from calls import journal, rules
from calls.actions import _lost
from calls.actions._common import lock_calls, lock_open_call, settle_operator, tell, tell_call_backs
from calls.actions._line import voice
from calls.facts import facts_of
from calls.models import Call, LostCallBack, PromisedCallBack, ScriptVersion
from hotline.base.actions import verb
from hotline.base.errors import Forbidden, Invalid, NotFound, Refused
from hotline.base.phones import read_phone
from hotline.operators.models import Role, User

# A form is filled in for a minute or two: a due time chosen in it may have just passed.
LENIENCY = timedelta(minutes=5)


@verb
def start_lost_call_back(*, call_back_id: int, actor: User) -> Call:
    """Begin the one call back after a lost connection (D2): from this moment no other can be planned or started, ever.

    The call waits for the exchange to say that the operator has dialled. Of two operators who press at once one gets
    it.
    Raises NotFound, Refused (`attempted`, `client_called`, `no_number`, `goodbye`; `client_is_calling` while the client
    rings in).
    """
    back = _visible(LostCallBack.objects.filter(pk=call_back_id).first(), actor)
    lost = lock_calls([back.call_id])[back.call_id]
    back = LostCallBack.objects.get(pk=call_back_id)
    lost.lost_call_back = back
    verdict = rules.may_call_back(facts_of(lost))
    if not verdict.allowed:
        raise Refused(verdict.code, verdict.text)
    if _rings_in(lost.number):
        raise Refused("client_is_calling", _("The client is calling right now: answer that call."))
    call = _dialling(actor, lost.number, lost.number_raw, Call.Origin.LOST_CALL_BACK)
    _lost.make_attempt(back, lost, call, actor)
    settle_operator(actor.pk, actor)
    tell(call)
    tell(lost)
    return call


@verb
def promise_call_back(
    *, call_id: int, due_at: datetime, number: str = "", reason: str = "", actor: User | None
) -> PromisedCallBack:
    """«Перезвоним вам»: recorded while talking, owned by the call's operator, may be retried.

    Without a number it is the one that calls; another may be named. Raises NotFound, Invalid (`due_in_past`,
    `number_missing`, `number_invalid`), Refused (`closed`, `not_talking`, `already_promised`).
    """
    call = lock_open_call(call_id, actor)
    verdict = rules.may_promise(facts_of(call))
    if not verdict.allowed:
        raise Refused(verdict.code, verdict.text)
    if due_at < timezone.now() - LENIENCY:
        raise Invalid("due_in_past", _("This time has passed already."), field="due_at")
    wanted = number.strip() or call.number
    if not wanted:
        raise Invalid("number_missing", _("The number is hidden: ask where to call back."), field="number")
    read = read_phone(wanted)
    if not read.e164:
        raise Invalid("number_invalid", _("This is no telephone number."), field="number")
    owner = call.operator_id or (actor.pk if actor else None)
    if owner is None:
        raise Refused("no_operator", _("The call has no operator."))
    promise, _created = PromisedCallBack.objects.update_or_create(
        call=call,
        defaults={
            "owner_id": owner,
            "number": read.e164,
            "due_at": due_at,
            "reason": reason.strip()[:300],
            "state": PromisedCallBack.State.OPEN,
            "settled_at": None,
            "settled_note": "",
        },
    )
    call.promise_made = promise
    journal.note(call, journal.Code.CALL_BACK_PROMISED, actor, call_back=promise.pk, due_at=due_at.isoformat())
    tell(call)
    tell_call_backs(owner)
    return promise


@verb
def start_promised_call_back(*, call_back_id: int, actor: User) -> Call:
    """Call back as promised; each try is a call of its own until the promise is kept or cancelled.

    Raises NotFound, Refused (`settled`; `under_way` while a try is going on).
    """
    promise = _locked_promise(call_back_id, actor)
    if promise.state != PromisedCallBack.State.OPEN:
        raise Refused("settled", _("This promise is settled already."))
    if promise.attempts.open().exclude(line_state=Call.LineState.ENDED).exists():
        raise Refused("under_way", _("This call back is being made right now."))
    call = _dialling(actor, promise.number, promise.number, Call.Origin.PROMISED_CALL_BACK)
    call.promised_call_back = promise
    _lost.inherit(call, promise.call)
    call.save()
    _lost.share_appeals(call, promise.call)
    settle_operator(actor.pk, actor)
    tell(call)
    journal.note(promise.call, journal.Code.CALL_BACK_STARTED, actor, call_back=promise.pk, call=call.pk)
    tell_call_backs(promise.owner_id, actor.pk)
    return call


@verb
def settle_promised_call_back(*, call_back_id: int, state: str, note: str = "", actor: User | None) -> PromisedCallBack:
    """Kept, or cancelled with the reason in words. Settling it the same way twice is once.

    Raises NotFound, Invalid (`state`, `note_missing`), Refused (`settled`).
    """
    promise = _locked_promise(call_back_id, actor)
    if state not in (PromisedCallBack.State.DONE, PromisedCallBack.State.CANCELLED):
        raise Invalid("state", _("A promise is kept or cancelled."), field="state")
    if promise.state == state:
        return promise
    if promise.state != PromisedCallBack.State.OPEN:
        raise Refused("settled", _("This promise is settled already."))
    if state == PromisedCallBack.State.CANCELLED and not note.strip():
        raise Invalid("note_missing", _("Say why nobody will call back."), field="note")
    promise.state = PromisedCallBack.State(state)
    promise.settled_at = timezone.now()
    promise.settled_note = note.strip()[:300]
    promise.save(update_fields=["state", "settled_at", "settled_note"])
    journal.note(promise.call, journal.Code.CALL_BACK_SETTLED, actor, call_back=promise.pk, state=state)
    tell(promise.call)
    tell_call_backs(promise.owner_id)
    return promise


@verb
def reassign(*, call_back: LostCallBack | PromisedCallBack, owner: User, actor: User | None) -> None:
    """Give a call back to another operator: a supervisor's word.

    Raises Forbidden, Invalid (`owner`), Refused (`attempted`, `settled`).
    """
    if actor is not None and actor.role != Role.SUPERVISOR:
        raise Forbidden("forbidden", _("Only a supervisor gives call backs to others."))
    if owner.role == Role.INTEGRATION or not owner.is_active:
        raise Invalid("owner", _("This person does not make calls."), field="owner")
    call = lock_calls([call_back.call_id])[call_back.call_id]
    fresh = type(call_back)._default_manager.get(pk=call_back.pk)
    if isinstance(fresh, LostCallBack) and not fresh.is_planned:
        raise Refused("attempted", _("This call back is not waiting any more."))
    if isinstance(fresh, PromisedCallBack) and fresh.state != PromisedCallBack.State.OPEN:
        raise Refused("settled", _("This promise is settled already."))
    before = fresh.owner_id
    if before == owner.pk:
        return
    fresh.owner = owner
    fresh.save(update_fields=["owner"])
    journal.note(call, journal.Code.CALL_BACK_REASSIGNED, actor, call_back=fresh.pk, before=before, after=owner.pk)
    tell_call_backs(before, owner.pk)


# --- Parts ------------------------------------------------------------------------------------------
def _visible(back: LostCallBack | None, actor: User) -> LostCallBack:
    """The owner's and every supervisor's; a colleague is refused as if there were none."""
    if back is None or (actor.role != Role.SUPERVISOR and back.owner_id != actor.pk):
        raise NotFound("not_found", _("There is no such call back."))
    return back


def _locked_promise(call_back_id: int, actor: User | None) -> PromisedCallBack:
    """The promise, its call locked first as everywhere, if it is this person's."""
    promise = PromisedCallBack.objects.filter(pk=call_back_id).first()
    if promise is None or (actor is not None and actor.role != Role.SUPERVISOR and promise.owner_id != actor.pk):
        raise NotFound("not_found", _("There is no such call back."))
    call = lock_calls([promise.call_id])[promise.call_id]
    promise = PromisedCallBack.objects.select_for_update(of=("self",), no_key=True).get(pk=call_back_id)
    promise.call = call
    return promise


def _dialling(operator: User, number: str, number_raw: str, origin: str) -> Call:
    """An outgoing call that waits for the exchange: not saved yet."""
    now = timezone.now()
    call = Call(
        source=Call.MANUAL,
        external_id=uuid.uuid4().hex,
        direction=Call.Direction.OUT,
        origin=origin,
        number=number,
        number_raw=number_raw,
        operator=operator,
        started_at=now,
        script_version=ScriptVersion.objects.in_force(now).first(),
    )
    voice(call, operator, now)
    return call


def _rings_in(number: str) -> bool:
    return Call.objects.filter(number=number, direction=Call.Direction.IN, work_state=Call.WorkState.RINGING).exists()
