"""The simulated exchange of the demo: it tells what a real one tells, through the same verb, as source «demo»."""

from __future__ import annotations

import uuid

from calls.actions import record_event
from calls.models import Call, CallEvent
from calls.telephony.event import TelephonyEvent
from hotline.operators.models import User

SOURCE = "demo"
LINE = "+7 800 000-00-00"

Type = CallEvent.Type


def ring(*, number: str, people: tuple[str, ...] = (), queue: str = "", actor: User | None = None) -> Call:
    """A client calls in: at the telephones named, else at everybody who is ready."""
    return _say(_new_id(), Type.RINGING, number=number, people=people, queue=queue, line=LINE, actor=actor)


def dial(*, number: str, person: User, actor: User | None = None) -> Call:
    """An operator dials a number on the telephone."""
    return _say(_new_id(), Type.RINGING, number=number, people=(telephone_of(person),), outgoing=True, actor=actor)


def answer(*, call: Call, person: User, actor: User | None = None) -> Call:
    """Somebody picks up: this person an incoming call, the client an outgoing one."""
    call = _announced(call, person, actor)
    return _tell(call, Type.ANSWERED, people=(telephone_of(person),), actor=actor)


def hang_up(*, call: Call, by: str = "", lost: bool = False, actor: User | None = None) -> Call:
    """The line goes: somebody hung up, or it broke and the exchange says so (`lost`)."""
    if call.operator is not None:
        call = _announced(call, call.operator, actor)
    unanswered = "noAnswer" if call.direction == Call.Direction.OUT else "cancel"
    cause = "networkOutOfOrder" if lost else "normalClearing" if call.answered_at else unanswered
    by = Call.HungUpBy.SYSTEM if lost else "" if cause == "noAnswer" else by
    return _tell(call, Type.ENDED, cause=cause, hung_up_by=by, lost=lost, actor=actor)


def is_ours(call: Call) -> bool:
    """Calls of a real exchange, or said by hand, are not ours to answer; one that waits to be dialled is."""
    return call.source == SOURCE or is_waiting(call)


def is_waiting(call: Call) -> bool:
    """Begun on the page, and the telephone has not dialled yet."""
    return call.source == Call.MANUAL and call.is_dialling


def telephone_of(person: User) -> str:
    return person.extension or person.username


def _announced(call: Call, person: User, actor: User | None) -> Call:
    """The call with its announcement: the telephone dials what was begun on the page."""
    return dial(number=call.number, person=call.operator or person, actor=actor) if is_waiting(call) else call


def _tell(call: Call, event_type: str, **said: object) -> Call:
    return _say(
        call.external_id,
        event_type,
        number=call.number_raw or call.number,
        outgoing=call.direction == Call.Direction.OUT,
        **said,  # type: ignore[arg-type]
    )


def _say(
    call_id: str,
    event_type: str,
    *,
    number: str,
    people: tuple[str, ...] = (),
    queue: str = "",
    line: str = "",
    outgoing: bool = False,
    cause: str = "",
    hung_up_by: str = "",
    lost: bool = False,
    actor: User | None = None,
) -> Call:
    recorded = record_event(
        event=TelephonyEvent(
            source=SOURCE,
            call_id=call_id,
            name=event_type,
            type=event_type,
            direction=Call.Direction.OUT if outgoing else Call.Direction.IN,
            number=number,
            line=line,
            people=people,
            queue=queue,
            cause=cause,
            hung_up_by=hung_up_by,
            is_lost=lost,
            payload={"simulated": True, "people": list(people), "cause": cause},
        ),
        actor=actor,
    )
    assert recorded.call is not None  # noqa: S101 - every event of a known type has its call
    return recorded.call


def _new_id() -> str:
    return f"demo-{uuid.uuid4().hex}"
