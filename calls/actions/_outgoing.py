"""Which obligation an outgoing call keeps: the exchange only says that somebody dialled a number. Parts of verbs."""

from __future__ import annotations

from datetime import datetime, timedelta

from calls import journal
from calls.actions import _lost
from calls.actions._common import lock_calls, tell_call_backs
from calls.models import Call, PromisedCallBack
from hotline.operators.models import User

# A call back that was begun on the page waits this long for the operator to dial.
WAITS = timedelta(minutes=30)
# A call begun by hand is taken for the exchange's, should the exchange speak up after all.
LATE = timedelta(minutes=5)


def expected(*, direction: str, number: str, operator: User | None, at: datetime) -> Call | None:
    """The call on our side that the exchange is speaking of without knowing it, locked; None where there is none.

    A call back begun on the page waits for the operator's telephone to dial that number; a call begun by hand may be
    announced by an exchange that had been silent. `operator` None: the exchange does not say who.
    """
    if not number:
        return None
    waiting = Call.objects.open().filter(
        source=Call.MANUAL, direction=direction, number=number, started_at__gte=at - WAITS
    )
    if operator is not None:
        waiting = waiting.filter(operator=operator)
    for found in waiting.exclude(line_state=Call.LineState.ENDED).order_by("pk"):
        if found.line_state == Call.LineState.TALKING and found.started_at < at - LATE:
            continue
        call = lock_calls([found.pk])[found.pk]
        if call.source == Call.MANUAL and call.line_state != Call.LineState.ENDED:
            return call
    return None


def place(call: Call) -> None:
    """Say what an outgoing call is: the one attempt after a lost connection, a promise kept, a second attempt, or none.

    Call with a new call whose number and operator are known; it is saved here.
    """
    if (back := _lost.planned_for(call.number)) is not None:
        # Dialled by hand before «call back» was pressed: it is the attempt all the same (D2).
        if call.operator is None:
            call.operator = back.owner
        _lost.make_attempt(back, back.call, call, None)
        return
    promise = _promise(call.number, call.operator_id)
    if promise is not None:
        call.origin = Call.Origin.PROMISED_CALL_BACK
        call.promised_call_back = promise
        _lost.inherit(call, promise.call)
        call.save()
        _lost.share_appeals(call, promise.call)
        journal.note(promise.call, journal.Code.CALL_BACK_STARTED, None, call_back=promise.pk, call=call.pk)
        tell_call_backs(promise.owner_id, call.operator_id)
        return
    second = _lost.attempted_without_contact(call.number)
    if second is None:
        call.save()
        return
    call.hand_dialled_after = second
    _lost.inherit(call, second.call)
    call.save()
    _lost.share_appeals(call, second.call)
    for each in (call, second.call):
        journal.note(each, journal.Code.HAND_DIALLED, None, call_back=second.pk, call=call.pk)


def _promise(number: str, operator_id: int | None) -> PromisedCallBack | None:
    """The open promise to a number: the operator's own before a colleague's, then the one that is due first."""
    if not number:
        return None
    found = list(
        PromisedCallBack.objects.select_related("call")
        .filter(number=number, state=PromisedCallBack.State.OPEN)
        .order_by("due_at", "pk")
    )
    return min(found, key=lambda promise: promise.owner_id != operator_id, default=None)
