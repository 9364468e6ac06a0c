"""The telephone: events of an exchange folded into calls, and the same said by hand where the exchange is silent."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import IntegrityError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from calls import journal
from calls.actions import _lost, _outgoing
from calls.actions._common import lock_calls, lock_open_call, settle_operator, tell, tell_line, tell_ring
from calls.actions._line import hand_to, hang_up, put_through, voice
from calls.models import Call, CallEvent, ScriptVersion
from calls.telephony.event import RANK, TelephonyEvent
from calls.telephony.numbers import is_hidden, is_internal, read_number
from calls.telephony.people import find_people
from hotline.base.actions import constraint_of, verb
from hotline.base.errors import Forbidden, Invalid, NotFound, Refused
from hotline.operators.models import Role, User

Type, Outcome, Line = CallEvent.Type, CallEvent.Outcome, Call.LineState
# An exchange's clock may be wrong: what it dates further from ours than this is dated by ours.
CLOCK_SKEW = timedelta(hours=1)


def record_event(*, event: TelephonyEvent, actor: User | None = None) -> CallEvent:
    """Record what an exchange said, once, and fold it into its call by rank, not by arrival.

    The first event with its key wins; the same again comes back as it was recorded, with `is_repeat` set, and does
    nothing. Late, unknown and orphaned events are recorded too: an answer or a hang-up of a call that was never
    announced makes the call. Never raises for what an exchange says.
    """
    try:
        return _record(event=event, actor=actor)
    except IntegrityError as error:
        # The lock in `_record` makes this impossible for our own code; the database has the last word.
        if constraint_of(error) != "calls_callevent_once":
            raise
        return _repeated(event) or _record(event=event, actor=actor)


@verb
def _record(*, event: TelephonyEvent, actor: User | None) -> CallEvent:
    # One at a time for each call, even while the call has no row that could be locked.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"{event.source} {event.external_id}"])
    if (known := _repeated(event)) is not None:
        return known
    found = Call.objects.filter(source=event.source, external_id=event.external_id).values_list("pk", flat=True).first()
    call = lock_calls([found])[found] if found is not None else None
    at = _when(event)
    outcome: str = Outcome.IGNORED
    if event.type in RANK:
        call, outcome = _fold(call, event, at)
    elif event.type == Type.RATING:
        outcome = _rate(call, event)
    return CallEvent.objects.create(
        source=event.source,
        event_id=event.event_id,
        call=call,
        type=event.type,
        occurred_at=event.at,
        outcome=outcome,
        payload=event.payload,
    )


def _repeated(event: TelephonyEvent) -> CallEvent | None:
    known = CallEvent.objects.select_related("call").filter(source=event.source, event_id=event.event_id).first()
    if known is not None:
        known.is_repeat = True
    return known


def _when(event: TelephonyEvent) -> datetime:
    now = timezone.now()
    return event.at if event.at is not None and abs(event.at - now) < CLOCK_SKEW else now


def _fold(call: Call | None, event: TelephonyEvent, at: datetime) -> tuple[Call, str]:
    """Let the event do what its rank allows, and tell those concerned. The call with the outcome."""
    was_ringing = call is None or call.work_state == Call.WorkState.RINGING
    people = find_people(event.people)
    if call is None:
        call = _announce(event, people, at)
        # A call begun by hand may be talking before the exchange announces it.
        late = RANK[event.type] < _rank(call)
        outcome: str = Outcome.LATE if late else Outcome.APPLIED if event.type == Type.RINGING else ""
    else:
        outcome = Outcome.LATE if RANK[event.type] <= _rank(call) else ""
        _fill_in(call, event)
    if event.type == Type.ANSWERED:
        operator = people[0] if people else None
        if not outcome:
            put_through(call, operator, at, None, journal.Code.ANSWERED)
        else:
            _late_answer(call, operator, at)
    elif event.type == Type.ENDED:
        if not outcome:
            hang_up(call, at, None, cause=event.cause[:60], hung_up_by=event.hung_up_by, lost=event.is_lost)
        elif call.hung_up_by == Call.HungUpBy.UNKNOWN and event.hung_up_by:
            # Ended by hand before; the exchange knows more.
            call.hung_up_by, call.cause = Call.HungUpBy(event.hung_up_by), call.cause or event.cause[:60]
            call.save(update_fields=["hung_up_by", "cause"])
    settle_operator(call.operator_id, None)
    tell(call)
    if call.direction == Call.Direction.IN and was_ringing:
        tell_ring(call, call.operator_id)
    else:
        tell_line(call)
    return call, outcome or Outcome.APPLIED


def _rank(call: Call) -> int:
    return {Line.RINGING: 1, Line.TALKING: 2, Line.ENDED: 3}[Line(call.line_state)]


def _announce(event: TelephonyEvent, people: list[User], at: datetime) -> Call:
    """The call that the exchange speaks of for the first time: one that we expected, or a new one."""
    direction = Call.Direction.OUT if event.is_outgoing else Call.Direction.IN
    number = read_number(event.number)
    operator = people[0] if people and event.is_outgoing else None
    call = _outgoing.expected(direction=direction, number=number, operator=operator, at=at)
    if call is not None:
        call.source, call.external_id = event.source, event.external_id
        call.line, call.queue = event.line[:64], event.queue[:100]
        call.save(update_fields=["source", "external_id", "line", "queue"])
        return call
    call = Call(
        source=event.source,
        external_id=event.external_id,
        direction=direction,
        origin=Call.Origin.OUTGOING if event.is_outgoing else Call.Origin.INCOMING,
        number_raw=event.number[:64],
        number=number,
        line=event.line[:64],
        queue=event.queue[:100],
        ring_extensions=[] if event.is_outgoing else [person.extension or person.username for person in people],
        started_at=at,
        script_version=ScriptVersion.objects.in_force(at).first(),
    )
    if not event.is_outgoing:
        call.save()
        return call
    if operator is not None:
        call.operator = operator
        voice(call, operator, at)
    _outgoing.place(call)
    return call


def _fill_in(call: Call, event: TelephonyEvent) -> None:
    """A later event may know what the first did not say; what is known is never overwritten."""
    changed: dict[str, str] = {}
    if not call.number_raw and event.number:
        changed |= {"number_raw": event.number[:64], "number": read_number(event.number)}
    if not call.line and event.line:
        changed["line"] = event.line[:64]
    if not call.queue and event.queue:
        changed["queue"] = event.queue[:100]
    if changed:
        for name, value in changed.items():
            setattr(call, name, value)
        call.save(update_fields=list(changed))


def _late_answer(call: Call, operator: User | None, at: datetime) -> None:
    """An answer that comes after the call was answered or ended: it may still tell by whom and that it was answered."""
    changed = []
    if call.answered_at is None:
        call.answered_at = min(at, call.ended_at or at)
        changed.append("answered_at")
    if call.operator_id is None and operator is not None:
        hand_to(call, operator, call.answered_at)
        changed += ["operator", "alias", "spoken_name"]
    if changed:
        call.save(update_fields=changed)
        journal.note(call, journal.Code.ANSWERED, None, operator=call.operator_id, late=True)


def _rate(call: Call | None, event: TelephonyEvent) -> str:
    """The client's score after the call (оценка): the first one counts."""
    if call is None:
        return Outcome.UNKNOWN_CALL
    if event.rating is None or not 1 <= event.rating <= 5 or call.rating is not None:
        return Outcome.IGNORED
    call.rating = event.rating
    call.save(update_fields=["rating"])
    tell(call)
    return Outcome.APPLIED


# --- By hand ----------------------------------------------------------------------------------------
@verb
def begin_by_hand(*, operator: User, direction: str, number: str, actor: User | None) -> Call:
    """The exchange is silent: the operator is already talking, with a number as typed or "" for a hidden one.

    An outgoing call is matched with the call backs as a dialled one is. Raises Invalid (`direction`,
    `number_invalid`, `number_missing`), Forbidden.
    """
    if actor is not None and actor.pk != operator.pk and actor.role != Role.SUPERVISOR:
        raise Forbidden("forbidden", _("A call is begun by the person who talks."))
    if direction not in Call.Direction.values:
        raise Invalid("direction", _("Incoming or outgoing."), field="direction")
    outgoing = direction == Call.Direction.OUT
    e164 = read_number(number)
    if not e164 and not is_hidden(number) and not is_internal(number):
        raise Invalid("number_invalid", _("This is no telephone number."), field="number")
    if outgoing and not number.strip():
        raise Invalid("number_missing", _("Which number was dialled?"), field="number")
    now = timezone.now()
    if not outgoing and (ringing := _rings_from(e164)) is not None:
        # Not silent after all: it announced the call, and only the answer did not come.
        return answer_by_hand(call_id=ringing, actor=operator)
    call = Call(
        source=Call.MANUAL,
        external_id=uuid.uuid4().hex,
        direction=Call.Direction(direction),
        origin=Call.Origin.OUTGOING if outgoing else Call.Origin.INCOMING,
        number_raw=number.strip()[:64],
        number=e164,
        started_at=now,
        script_version=ScriptVersion.objects.in_force(now).first(),
    )
    if outgoing:
        call.operator = operator
        voice(call, operator, now)
        _outgoing.place(call)
    else:
        call.save()
    journal.note(call, journal.Code.BEGUN_BY_HAND, actor)
    put_through(call, operator, now, actor, journal.Code.ANSWERED_BY_HAND)
    settle_operator(operator.pk, actor)
    tell(call)
    return call


def _rings_from(number: str) -> int | None:
    ringing = Call.objects.filter(direction=Call.Direction.IN, work_state=Call.WorkState.RINGING, number=number)
    return ringing.order_by("-pk").values_list("pk", flat=True).first() if number else None


@verb
def answer_by_hand(*, call_id: int, actor: User) -> Call:
    """Answered, and the exchange did not say so: the client picked up, or the operator took a call that rings.

    Said twice it is said once. Raises NotFound, Refused (`closed`, `line_ended`).
    """
    call = lock_calls([call_id]).get(call_id)
    if call is None or (call.operator_id not in (None, actor.pk) and actor.role != Role.SUPERVISOR):
        raise NotFound("not_found", _("There is no such call."))
    if call.line_state == Line.ENDED:
        raise Refused("line_ended", _("The line is gone already."))
    if call.line_state == Line.RINGING:
        put_through(call, actor, timezone.now(), actor, journal.Code.ANSWERED_BY_HAND)
        settle_operator(call.operator_id, actor)
        tell(call)
        tell_ring(call, call.operator_id)
    return call


@verb
def end_by_hand(*, call_id: int, hung_up_by: str, actor: User | None) -> Call:
    """The line is gone, and the exchange is silent. Said twice it is said once.

    Raises NotFound, Invalid (`hung_up_by`), Refused (`closed`).
    """
    if hung_up_by not in Call.HungUpBy.values:
        raise Invalid("hung_up_by", _("Say who hung up."), field="hung_up_by")
    call = lock_open_call(call_id, actor)
    if call.line_state != Line.ENDED:
        journal.note(call, journal.Code.ENDED_BY_HAND, actor, hung_up_by=hung_up_by)
        hang_up(call, timezone.now(), actor, hung_up_by=hung_up_by)
        settle_operator(call.operator_id, actor)
        tell(call)
        tell_line(call)
    return call


@verb
def end_stale_ring(*, call_id: int, actor: User | None) -> Call:
    """A call has rung beyond all patience: the exchange never told its end. It is missed, and clears from the pages.

    A call that was answered or ended meanwhile is left as it is; an answer told later still counts. Raises NotFound.
    """
    call = lock_calls([call_id]).get(call_id)
    if call is None:
        raise NotFound("not_found", _("There is no such call."))
    if Call.objects.ringing_too_long().filter(pk=call.pk).exists():
        hang_up(call, timezone.now(), actor, cause="stale", hung_up_by=Call.HungUpBy.SYSTEM)
        tell(call)
        tell_ring(call)
    return call


@verb
def take_call(*, call_id: int, actor: User, operator: User | None = None) -> Call:
    """A call that was answered at a telephone nobody is signed in at becomes somebody's: the operator's who takes it.

    A supervisor may give it, or a colleague's open call, to an operator. Raises NotFound, Refused (`closed`,
    `not_answered`, `taken`), Forbidden, Invalid (`operator`).
    """
    if operator is not None and operator.pk != actor.pk and actor.role != Role.SUPERVISOR:
        raise Forbidden("forbidden", _("Only a supervisor gives calls to others."))
    person = operator or actor
    if person.role == Role.INTEGRATION or not person.is_active:
        raise Invalid("operator", _("This person does not take calls."), field="operator")
    call = lock_calls([call_id]).get(call_id)
    if call is None:
        raise NotFound("not_found", _("There is no such call."))
    if call.operator_id == person.pk:
        return call
    if call.operator_id is not None and actor.role != Role.SUPERVISOR:
        raise Refused("taken", _("A colleague has this call."))
    if not call.is_open:
        raise Refused("closed", _("The call is closed. Reopen it to go on."))
    if call.answered_at is None:
        raise Refused("not_answered", _("Nobody has answered this call."))
    before = call.operator_id
    hand_to(call, person, timezone.now())
    call.save(update_fields=["operator", "alias", "spoken_name"])
    journal.note(call, journal.Code.TAKEN, actor, before=before, after=person.pk)
    if call.ending == Call.Ending.LOST:
        _lost.follow_ending(call, actor)
    for pk in sorted({person.pk} if before is None else {before, person.pk}):
        settle_operator(pk, actor)
    tell(call)
    tell_ring(call, before, person.pk)
    return call
