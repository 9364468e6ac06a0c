"""Call backs of the past: after lost connections in each of their ways (D2), and promises kept, retried, taken back."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from calls.demo.stories import House, Story, answer, close, end, identity
from calls.models import Call, CallJournalEntry, LostCallBack, PromisedCallBack

Code, Reason = CallJournalEntry.Code, LostCallBack.CancelReason

KEPT = 22  # promises of the past


def build(rng: random.Random, house: House, told: list[Story]) -> list[Story]:
    """The rows of both, and the calls that were made: saved here, since a call back refers to its first call."""
    made: list[Story] = []
    lost = [story for story in told if story.call.ending == Call.Ending.LOST and story.call.closed_at]
    backs = [_lost(rng, story) for story in lost]
    LostCallBack.objects.bulk_create(backs)
    made += [_attempt(rng, house, story, back) for story, back in zip(lost, backs, strict=True) if back.attempted_at]
    made += _hand_dialled(rng, house, made)
    calm = [story for story in told if story.call.ending == Call.Ending.GOODBYE and story.call.number]
    old = [story for story in calm if (story.call.closed_at or house.now) < house.now - timedelta(days=2)]
    promising = rng.sample(old, min(KEPT, len(old)))
    promises = [_promise(rng, story) for story in promising]
    PromisedCallBack.objects.bulk_create(promises)
    for story, promise in zip(promising, promises, strict=True):
        made += _tries(rng, house, story, promise)
    Call.objects.bulk_create([story.call for story in made])
    return made


# --- After a lost connection --------------------------------------------------------------------------
def _lost(rng: random.Random, story: Story) -> LostCallBack:
    call = story.call
    planned = (call.ended_at or call.started_at) + timedelta(seconds=4)
    back = LostCallBack(call=call, owner=call.operator, planned_at=planned)
    story.journal.append((Code.CALL_BACK_PLANNED, planned, {}))
    if story.fate == "attempted" or (not story.fate and rng.random() < 0.75):
        back.attempted_at = planned + timedelta(seconds=rng.randint(15, 200))
        story.journal.append((Code.CALL_BACK_STARTED, back.attempted_at, {}))
        if call.closed_at is not None and call.closed_at < back.attempted_at:
            call.closed_at = back.attempted_at + timedelta(seconds=200)
            Call.objects.filter(pk=call.pk).update(closed_at=call.closed_at)
    else:
        back.cancelled_at = planned + timedelta(seconds=rng.randint(30, 240))
        back.cancel_reason = Reason.CLIENT_CALLED
        story.journal.append((Code.CALL_BACK_CANCELLED, back.cancelled_at, {"reason": str(Reason.CLIENT_CALLED)}))
    return back


def _attempt(rng: random.Random, house: House, story: Story, back: LostCallBack) -> Story:
    first = story.call
    call = _outgoing(rng, house, first, back.attempted_at or house.now)
    call.origin, call.attempt_of = Call.Origin.LOST_CALL_BACK, back
    call.registered_appeal = story.appeal
    return _went(rng, house, call, first, story, reached=rng.random() < 0.6)


def _hand_dialled(rng: random.Random, house: House, attempts: list[Story]) -> list[Story]:
    """Somebody dialled once more, by hand, a client who had not been reached: recorded and flagged."""
    for story in attempts:
        back = story.call.attempt_of
        if back is not None and story.call.answered_at is None and story.call.ended_at is not None:
            at = story.call.ended_at + timedelta(minutes=7)
            call = _outgoing(rng, house, back.call, at)
            call.origin, call.hand_dialled_after = Call.Origin.OUTGOING, back
            second = _went(rng, house, call, back.call, story, reached=False)
            second.journal.append((Code.HAND_DIALLED, at, {"call_back": back.pk}))
            return [second]
    return []


def _outgoing(rng: random.Random, house: House, first: Call, at: datetime) -> Call:
    return Call(
        source=first.source,
        external_id=identity(rng),
        direction=Call.Direction.OUT,
        number=first.number,
        number_raw=first.number,
        operator=first.operator,
        script_version=first.script_version,
        started_at=at,
        client=first.client,
        account=first.account,
        topic=first.topic,
    )


def _went(rng: random.Random, house: House, call: Call, first: Call, story: Story, *, reached: bool) -> Story:
    """Reached: a talk that ended well; else nobody picked up and the call closed by itself."""
    operator = first.operator or house.operators[0]
    if not reached:
        call.alias, call.spoken_name = house.voiced(operator, call.started_at)
        end(call, rng.randint(20, 45), cause=rng.choice(["noAnswer", "busy", "notFound"]))
        call.result = house.results.get("not_reached")
        close(call, 0)
        return Story(call=call)
    answer(call, house, operator, rng.randint(4, 20))
    talk = rng.randint(40, 200)
    call.phase, call.ending = Call.Phase.DONE, Call.Ending.GOODBYE
    call.result = house.results.get("consulted")
    end(call, talk)
    close(call, rng.randint(5, 40))
    return Story(call=call, appeal=story.appeal, talk=talk)


# --- Promised -----------------------------------------------------------------------------------------
def _promise(rng: random.Random, story: Story) -> PromisedCallBack:
    call = story.call
    at = (call.answered_at or call.started_at) + timedelta(seconds=story.talk * 0.85)
    due = at + timedelta(minutes=rng.choice([30, 60, 120, 180, 24 * 60]))
    kept = rng.random() < 0.85
    story.journal.append((Code.CALL_BACK_PROMISED, at, {"due_at": due.isoformat()}))
    # No farewell with the rating where a call back was promised (stage 9).
    Call.objects.filter(pk=call.pk).update(rating=None)
    call.rating, story.rated = None, None
    return PromisedCallBack(
        call=call,
        owner=call.operator,
        number=call.number,
        due_at=due,
        created_at=at,
        reason=rng.choice(REASONS),
        state=PromisedCallBack.State.DONE if kept else PromisedCallBack.State.CANCELLED,
        settled_at=due + timedelta(minutes=rng.randint(16, 25)),
        settled_note="" if kept else "Клиент перезвонил сам, вопрос решён",
    )


REASONS = [
    "Узнать срок поставки запчасти",
    "Сообщить, когда приедет мастер",
    "Уточнить у АСЦ состояние заявки",
    "Ответ старшего мастера по ошибке на дисплее",
    "Подтвердить адрес установки",
]


def _tries(rng: random.Random, house: House, story: Story, promise: PromisedCallBack) -> list[Story]:
    """A kept promise took one try or two; one that was taken back had none that reached the client."""
    tries = rng.choice([1, 1, 2]) if promise.state == PromisedCallBack.State.DONE else rng.choice([0, 1])
    found = []
    for n in range(tries):
        at = promise.due_at + timedelta(minutes=1 + 9 * n)
        call = _outgoing(rng, house, story.call, at)
        call.origin, call.promised_call_back = Call.Origin.PROMISED_CALL_BACK, promise
        reached = promise.state == PromisedCallBack.State.DONE and n == tries - 1
        call.registered_appeal = story.appeal if reached else None
        story.journal.append((Code.CALL_BACK_STARTED, at, {}))
        found.append(_went(rng, house, call, story.call, story, reached=reached))
    return found
