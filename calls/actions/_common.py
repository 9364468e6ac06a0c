"""What the verbs of a call share: locks in one order, who may act, who is told."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from calls import journal
from calls.facts import may_take_calls
from calls.models import Call
from hotline.base.errors import NotFound, Refused
from hotline.base.live import publish
from hotline.operators.actions import set_state
from hotline.operators.models import Role, User


# --- Locks: calls by rising pk, then call backs, then people -----------------------------------------
def lock_calls(pks: Iterable[int | None]) -> dict[int, Call]:
    """Lock several calls, always in the order of their keys, so that two verbs never wait for each other.

    FOR NO KEY UPDATE: a row that refers to a locked call (journal, link, event) may be written meanwhile.
    """
    wanted = {pk for pk in pks if pk is not None}
    rows = Call.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=wanted).order_by("pk")
    return {call.pk: call for call in rows}


def lock_call(call_id: int, actor: User | None) -> Call:
    """The call, locked, if it is this person's: the operator's own, a supervisor's any, the machine's any.

    Raises NotFound otherwise, the same as for a call that does not exist.
    """
    return _own(lock_calls([call_id]).get(call_id), actor)


def lock_open_call(call_id: int, actor: User | None) -> Call:
    """As `lock_call`; Refused (`closed`) where the call is closed."""
    return _open(lock_call(call_id, actor))


def lock_family(call_id: int, actor: User | None) -> tuple[Call, list[Call]]:
    """An open call and its relatives: the lost call and the one attempt to call back share the appeal (D2)."""
    calls = lock_calls({call_id, *_relatives(call_id)})
    # An attempt may have been made before we got the lock; none can be made after.
    calls |= lock_calls(_relatives(call_id) - calls.keys())
    call = _open(_own(calls.pop(call_id, None), actor))
    return call, list(calls.values())


def _relatives(call_id: int) -> set[int]:
    return set(
        Call.objects.filter(Q(attempt_of__call=call_id) | Q(lost_call_back__attempt_call=call_id)).values_list(
            "pk", flat=True
        )
    )


def _own(call: Call | None, actor: User | None) -> Call:
    if call is None or (actor is not None and actor.role != Role.SUPERVISOR and call.operator_id != actor.pk):
        raise NotFound("not_found", _("There is no such call."))
    return call


def _open(call: Call) -> Call:
    if not call.is_open:
        raise Refused("closed", _("The call is closed. Reopen it to go on."))
    return call


def need_talk(call: Call) -> None:
    """Refuse what is only done with the client on the line, or after having been."""
    if call.answered_at is None:
        raise Refused("not_answered", _("Nobody has answered this call."))


def enter_dialog(call: Call, actor: User | None, why: str) -> bool:
    """Any work in stage 2 or later is a dialog (D1, D2). Says whether it began just now; the caller saves `phase`."""
    if call.answered_at is None or call.phase not in (Call.Phase.BEFORE_GREETING, Call.Phase.GREETING):
        return False
    call.phase = Call.Phase.DIALOG
    journal.note(call, journal.Code.DIALOG_BEGUN, actor, why=why)
    return True


# --- Who is told ------------------------------------------------------------------------------------
def audience(call: Call) -> list[int]:
    """Whom a ring concerns: the telephones it names, else everybody who is ready or in wrap-up."""
    people = User.objects.filter(is_active=True)
    if call.ring_extensions:
        people = people.filter(Q(extension__in=call.ring_extensions) | Q(username__in=call.ring_extensions))
    else:
        people = people.filter(state__in=[User.State.READY, User.State.WRAP_UP])
    return list(people.values_list("pk", flat=True))


def tell_ring(call: Call, *also: int | None) -> None:
    """The set of ringing calls changed for those whom this call rings at."""
    publish(topic="incoming", pk=call.pk, users={*audience(call), *(pk for pk in also if pk is not None)})


def tell_line(call: Call) -> None:
    """The line of an operator's call changed: whatever page the operator is on says so, and leads to the call."""
    if call.operator_id is not None:
        publish(topic="incoming", pk=call.pk, users=[call.operator_id])


def tell(call: Call) -> None:
    """The call changed: its operator and the supervisors see it at once."""
    supervisors = User.objects.supervisors().values_list("pk", flat=True)
    publish(topic="call", pk=call.pk, users={*supervisors, *([call.operator_id] if call.operator_id else [])})


def tell_call_backs(*owners: int | None) -> None:
    """Somebody's list of call backs changed."""
    supervisors = User.objects.supervisors().values_list("pk", flat=True)
    publish(topic="call_backs", users={*supervisors, *(pk for pk in owners if pk is not None)})


# --- What the operator is doing ---------------------------------------------------------------------
def settle_operator(operator_id: int | None, actor: User | None) -> None:
    """Let the operator's state follow the calls: in a call, in wrap-up, or free again. The last thing a verb does."""
    if operator_id is None:
        return
    operator = User.objects.get(pk=operator_id)
    rows = list(
        Call.objects.open().filter(operator=operator).values_list("direction", "line_state", "work_state", "parked_at")
    )
    talking = any(
        line == Call.LineState.TALKING or (direction == Call.Direction.OUT and line == Call.LineState.RINGING)
        for direction, line, _work, _parked in rows
    )
    wrapping = any(work == Call.WorkState.WRAP_UP and parked is None for _direction, _line, work, parked in rows)
    busy = operator.state in (User.State.IN_CALL, User.State.WRAP_UP)
    if talking:
        state: str = User.State.IN_CALL
    elif wrapping and (busy or operator.state == User.State.READY):
        state = User.State.WRAP_UP
    elif busy and not wrapping:
        # S3: who has not read the new script takes no further calls until it is read.
        state = User.State.READY if may_take_calls(operator).allowed else User.State.BREAK
    else:
        return
    set_state(user=operator, state=state, actor=actor)
