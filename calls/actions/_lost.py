"""D2 in one place: the one call back that a lost connection is owed. Parts of verbs; callers hold the lost call's lock.

Whoever changes a LostCallBack locks its lost call first, so the call's lock guards both rows. The database backs it:
unique on the lost call, unique on the attempt, a trigger that freezes the row once attempted, another that refuses a
call back of an attempt.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from calls import journal, rules
from calls.actions._common import lock_calls, tell, tell_call_backs
from calls.facts import facts_of, lost_call_back_of
from calls.models import Call, CallAppeal, LostCallBack
from hotline.operators.models import User

Reason = LostCallBack.CancelReason


def follow_ending(call: Call, actor: User | None) -> None:
    """Make the call back follow what was said of the ending: planned when lost, cancelled when not lost after all.

    The caller saved `call.ending` and holds the call's lock.
    """
    back = lost_call_back_of(call)
    if call.ending == Call.Ending.GOODBYE:
        if back is not None and back.is_planned:
            cancel(back, call, Reason.NOT_LOST, actor)
        return
    if call.ending != Call.Ending.LOST:
        return
    verdict = rules.may_call_back(facts_of(call))
    if not verdict.allowed and verdict.code not in ("no_number", "client_called"):
        return  # the attempt itself, or one that was attempted: there is no other
    if back is None:
        if call.operator_id is None:
            return  # nobody to own it; it is planned when somebody takes the call
        back = LostCallBack.objects.create(call=call, owner_id=call.operator_id)
        call.lost_call_back = back
        journal.note(call, journal.Code.CALL_BACK_PLANNED, actor, call_back=back.pk)
    elif not back.is_planned:
        back.cancelled_at, back.cancel_reason = None, ""
        back.save(update_fields=["cancelled_at", "cancel_reason"])
        journal.note(call, journal.Code.CALL_BACK_PLANNED, actor, call_back=back.pk, again=True)
    if not call.number:
        cancel(back, call, Reason.NO_NUMBER, actor)
    elif (dialled := _dialled_since(call)) is not None:
        # The operator dialled the client before saying «lost»: that call was the one attempt.
        make_attempt(back, call, dialled, actor, at=dialled.started_at)
        tell(dialled)
    elif got_through(call):
        cancel(back, call, Reason.CLIENT_CALLED, actor)


def cancel(back: LostCallBack, lost: Call, reason: str, actor: User | None, **data: object) -> None:
    """Take the plan back, with the reason. The row stays."""
    back.cancelled_at, back.cancel_reason = timezone.now(), Reason(reason)
    back.save(update_fields=["cancelled_at", "cancel_reason"])
    journal.note(lost, journal.Code.CALL_BACK_CANCELLED, actor, call_back=back.pk, reason=reason, **data)


def make_attempt(
    back: LostCallBack, lost: Call, attempt: Call, actor: User | None, *, at: datetime | None = None
) -> None:
    """Make `attempt`, saved or not, the one attempt of `back`: from here on the row is frozen by the database.

    It shares what is known of the first call, its appeal above all (D2).
    """
    back.attempted_at = at or timezone.now()
    back.save(update_fields=["attempted_at"])
    attempt.origin = Call.Origin.LOST_CALL_BACK
    attempt.attempt_of = back
    attempt.hand_dialled_after = None
    inherit(attempt, lost)
    attempt.save()
    share_appeals(attempt, lost)
    journal.note(lost, journal.Code.CALL_BACK_STARTED, actor, call_back=back.pk, call=attempt.pk)
    tell_call_backs(back.owner_id, attempt.operator_id)


def inherit(call: Call, first: Call) -> None:
    """A call back knows what the first call knew, unless it knows better."""
    call.client_id = call.client_id or first.client_id
    call.account_id = call.account_id or (first.account_id if call.client_id == first.client_id else None)
    call.caller_name = call.caller_name or first.caller_name
    call.registered_appeal_id = call.registered_appeal_id or first.registered_appeal_id
    call.topic_id = call.topic_id or first.topic_id
    call.is_atypical = call.is_atypical or first.is_atypical


def share_appeals(call: Call, first: Call) -> None:
    """Link the appeals of the first call to the call back as those it is about."""
    CallAppeal.objects.bulk_create(
        [
            CallAppeal(call=call, appeal_id=appeal, relation=CallAppeal.Relation.CONSULTED)
            for appeal in set(first.appeals.values_list("appeal", flat=True))
        ],
        ignore_conflicts=True,
    )


def cancel_for_caller(call: Call) -> None:
    """The client called in first and was answered: call backs that are planned to this number are cancelled."""
    for lost in _owed(call.number).filter(pk__lt=call.pk).order_by("pk"):
        locked = lock_calls([lost.pk])[lost.pk]
        back = LostCallBack.objects.get(call=locked)
        if back.is_planned:
            cancel(back, locked, Reason.CLIENT_CALLED, None, by_call=call.pk)
            tell(locked)
            tell_call_backs(back.owner_id)


def planned_for(number: str) -> LostCallBack | None:
    """The planned call back to a number, its lost call locked; the oldest where there are several."""
    for lost in _owed(number).order_by("pk"):
        locked = lock_calls([lost.pk])[lost.pk]
        back = LostCallBack.objects.get(call=locked)
        if back.is_planned:
            back.call = locked
            return back
    return None


def attempted_without_contact(number: str) -> LostCallBack | None:
    """The latest call back to a number that was attempted, where we have not talked with the client since.

    A further call to that number, dialled by hand, is a second attempt.
    """
    if not number:
        return None
    back = (
        LostCallBack.objects.select_related("call")
        .filter(call__number=number, attempted_at__isnull=False)
        .order_by("-attempted_at")
        .first()
    )
    if back is None:
        return None
    talked = Call.objects.filter(number=number, answered_at__gt=back.call.ended_at or back.planned_at).exclude(
        # The attempt itself counts as contact only where it ended well.
        Q(attempt_of=back) & ~Q(ending=Call.Ending.GOODBYE)
    )
    return None if talked.filter(phase__in=[Call.Phase.DIALOG, Call.Phase.DONE]).exists() else back


def _owed(number: str) -> QuerySet[Call]:
    if not number:
        return Call.objects.none()
    return Call.objects.filter(
        number=number, lost_call_back__attempted_at__isnull=True, lost_call_back__cancelled_at__isnull=True
    ).exclude(lost_call_back=None)


def got_through(lost: Call) -> bool:
    """The client called in after the connection was lost, and was answered."""
    return Call.objects.filter(
        number=lost.number, direction=Call.Direction.IN, answered_at__gt=lost.ended_at or lost.started_at
    ).exists()


def _dialled_since(lost: Call) -> Call | None:
    """The first call somebody dialled to the client after the connection was lost, locked; None where there is none."""
    found = (
        Call.objects.filter(
            number=lost.number,
            direction=Call.Direction.OUT,
            origin=Call.Origin.OUTGOING,
            started_at__gte=lost.ended_at or lost.started_at,
        )
        .order_by("started_at", "pk")
        .first()
    )
    if found is None:
        return None
    locked = lock_calls([found.pk])[found.pk]
    return locked if locked.origin == Call.Origin.OUTGOING else None
