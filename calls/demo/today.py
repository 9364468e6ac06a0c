"""The day that is under way: who talks now, what waits for the operator who signs in, what is due."""

from __future__ import annotations

import random
import uuid
from datetime import timedelta

from calls.demo.stories import House, Story, answer, end, incoming
from calls.models import Call, CallJournalEntry, Draft, FollowUp, LostCallBack, PromisedCallBack
from hotline.operators.models import User
from tickets.models import Appeal, AppealMessage

Code = CallJournalEntry.Code


def stories(rng: random.Random, house: House, appeals: list[Appeal]) -> list[Story]:
    """Open calls: a colleague talks, another wraps up, and the operator has one parked whose connection was lost."""
    known = [appeal for appeal in appeals if appeal.client is not None and appeal.phone.startswith("+79")]
    callers = rng.sample(known[-200:], 4)
    mine, second, *colleagues = house.operators
    talking = _call(rng, house, callers[0], colleagues[0], minutes=4)
    wrapping = _call(rng, house, callers[1], colleagues[1], minutes=7)
    end(wrapping.call, 290)
    wrapping.call.ending, wrapping.talk = Call.Ending.GOODBYE, 290
    lost = _call(rng, house, callers[2], mine, minutes=16)
    half = _call(rng, house, callers[3], second, minutes=41)
    for story, seconds, ending in ((lost, 130, Call.Ending.LOST), (half, 240, Call.Ending.GOODBYE)):
        call = story.call
        end(call, seconds)
        call.ending, story.talk = ending, seconds
        call.parked_at = (call.ended_at or house.now) + timedelta(seconds=50)
        story.journal.append((Code.PARKED, call.parked_at, {}))
    return [talking, wrapping, lost, half]


def _call(rng: random.Random, house: House, caller: Appeal, operator: User, minutes: int) -> Story:
    """A dialog with a client who is on the books, in which nothing is registered yet."""
    started = house.now - timedelta(minutes=minutes)
    call = incoming(rng, house, number=caller.phone, raw=caller.phone, started=started)
    answer(call, house, operator, rng.randint(3, 9))
    call.phase = Call.Phase.DIALOG
    call.client, call.account = caller.client, caller.account
    return Story(call=call, talk=int((house.now - started).total_seconds()))


def finish(rng: random.Random, house: House, told: list[Story]) -> None:
    """What refers to calls that are saved by now: the planned call back, promises that are due, open drafts, states."""
    mine, second, *colleagues = house.operators
    _plan(house, told)
    _follow_ups()
    _promises(rng, house, told)
    _drafts(told, mine, second)
    busy = ((colleagues[0], "103", User.State.IN_CALL), (colleagues[1], "104", User.State.WRAP_UP))
    for person, extension, state in busy:
        User.objects.filter(pk=person.pk).update(
            extension=extension, extension_since=house.now - timedelta(hours=3), state=state, state_since=house.now
        )


def _follow_ups() -> None:
    """SMS that did not arrive, and that nobody has made good: their senders' (R3)."""
    failed = AppealMessage.objects.not_followed_up().select_related("message")
    FollowUp.objects.bulk_create(
        FollowUp(link=link, owner_id=link.message.requested_by_id, created_at=link.message.state_changed_at)
        for link in failed
    )


def _plan(house: House, told: list[Story]) -> None:
    lost = [story for story in told if story.call.ending == Call.Ending.LOST and story.call.closed_at is None]
    for story in lost:
        planned = (story.call.ended_at or house.now) + timedelta(seconds=4)
        owner = story.call.operator or house.operators[0]
        LostCallBack.objects.create(call=story.call, owner=owner, planned_at=planned)
        story.journal.append((Code.CALL_BACK_PLANNED, planned, {}))


# Minutes from now; whose, by their place among the operators; about what.
DUE = [
    (-20, 0, "Уточнить у АСЦ состояние заявки"),
    (40, 0, "Сообщить, когда приедет мастер"),
    (125, 1, "Узнать срок поставки запчасти"),
    (24 * 60, 2, "Подтвердить адрес установки"),
]


def _promises(rng: random.Random, house: House, told: list[Story]) -> None:
    """Promises that are owed: made in calls of the last days, one of them overdue."""
    taken = set(PromisedCallBack.objects.values_list("call", flat=True))
    for minutes, place, reason in DUE:
        owner = house.operators[place]
        story = next(
            story
            for story in reversed(told)
            if story.call.operator_id == owner.pk
            and story.call.ending == Call.Ending.GOODBYE
            and story.call.direction == Call.Direction.IN
            and story.call.closed_at is not None
            and story.call.number
            and story.call.pk not in taken
        )
        call = story.call
        taken.add(call.pk)
        at = (call.answered_at or call.started_at) + timedelta(seconds=story.talk * 0.85)
        due = house.now + timedelta(minutes=minutes)
        PromisedCallBack.objects.create(
            call=call,
            owner=owner,
            number=call.number,
            due_at=due,
            created_at=at,
            reason=reason,
        )
        # Who was promised a call back is not asked for the rating (stage 9).
        Call.objects.filter(pk=call.pk).update(rating=None)
        call.rating, story.rated = None, None
        story.journal.append((Code.CALL_BACK_PROMISED, at, {"due_at": due.isoformat()}))


def _drafts(told: list[Story], mine: User, second: User) -> None:
    """A request the client broke off stays as a draft beside the registered consultation (R2); a form half typed."""
    broken_off = next(
        story
        for story in reversed(told)
        if story.call.operator_id == mine.pk
        and story.appeal is not None
        and story.appeal.kind == Appeal.Kind.CONSULTATION
        and story.call.client_id is not None
        and story.call.closed_at is not None
    )
    appeal = broken_off.appeal
    half = next(story for story in told if story.call.operator_id == second.pk and story.call.parked_at is not None)
    at = broken_off.call.ended_at or broken_off.call.started_at
    Draft.objects.bulk_create(
        [
            Draft(
                owner=mine,
                call=broken_off.call,
                form=Draft.Form.REPAIR,
                action_id=uuid.UUID(int=0xD01, version=4),
                data={
                    "model_text": appeal.model_text if appeal else "",
                    "purchase_date": "прошлой осенью, число не помнит",
                    "store": "",
                    "description": "Обещала найти чек и перезвонить",
                },
                version=3,
                created_at=at,
                updated_at=at,
            ),
            Draft(
                owner=second,
                call=half.call,
                form=Draft.Form.CONSULTATION,
                action_id=uuid.UUID(int=0xD02, version=4),
                data={"description": "Спрашивает, можно ли стирать пуховик на"},
                version=2,
                created_at=half.call.ended_at or half.call.started_at,
                updated_at=half.call.ended_at or half.call.started_at,
            ),
        ]
    )
