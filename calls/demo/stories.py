"""One story a call: who rang when, how far it got, what it led to. The rows of its evidence follow from it."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calls.models import Call, CallAppeal, CallResult, ScriptVersion
from hotline.base.phones import read_phone
from hotline.operators.models import Alias, User
from tickets.models import Appeal

SOURCE = "exchange"  # the demo's exchange by its login: what its token would make
LINE = "+7 800 000-00-00"
QUEUES = ["Горячая линия", "Горячая линия", "Горячая линия", "Сервис", "Установка"]
DAUGHTERS = ["дочь", "сын", "муж", "жена", "соседка", "магазин, продавец-консультант", "мастер АСЦ"]

MISSED, DROPPED, LOST = 64, 26, 18

Line, Work, Phase = Call.LineState, Call.WorkState, Call.Phase


@dataclass
class House:
    """What every story takes from: the people, the script, the directories, the moment."""

    now: datetime
    operators: list[User]
    script: ScriptVersion | None
    aliases: list[Alias]
    results: dict[str, CallResult]

    def voiced(self, operator: User, at: datetime) -> tuple[Alias | None, str]:
        """The alias in force at a moment, and the name that the client heard."""
        for alias in self.aliases:
            period = alias.period
            if alias.operator_id != operator.pk or period is None:
                continue
            if period.lower <= at and (period.upper is None or at < period.upper):
                return alias, alias.spoken_name
        return None, operator.first_name


@dataclass
class Story:
    """A call with what is known of it beyond its row."""

    call: Call
    appeal: Appeal | None = None
    consulted: Appeal | None = None  # the earlier appeal that it was about
    talk: int = 0  # seconds
    corrected: bool = False  # the ending was said wrongly first
    fate: str = ""  # of its call back: attempted, cancelled, or as it falls
    rated: datetime | None = None
    journal: list[tuple[str, datetime, dict[str, object]]] = field(default_factory=list)

    def links(self) -> Iterator[CallAppeal]:
        """The appeals of the call: what was registered in it, and what it was about."""
        at = self.call.ended_at or self.call.started_at
        if self.appeal is not None:
            own = self.call.attempt_of_id is None
            relation = CallAppeal.Relation.REGISTERED if own else CallAppeal.Relation.CONSULTED
            yield CallAppeal(call=self.call, appeal=self.appeal, relation=relation, created_at=at)
        if self.consulted is not None:
            yield CallAppeal(
                call=self.call, appeal=self.consulted, relation=CallAppeal.Relation.CONSULTED, created_at=at
            )


def identity(rng: random.Random) -> str:
    """An id of the exchange's, the same for the same generator."""
    return uuid.UUID(int=rng.getrandbits(128), version=4).hex


def incoming(rng: random.Random, house: House, *, number: str, raw: str, started: datetime) -> Call:
    """A call that has only rung so far."""
    return Call(
        source=SOURCE,
        external_id=identity(rng),
        direction=Call.Direction.IN,
        origin=Call.Origin.INCOMING,
        number=number,
        number_raw=raw,
        line=LINE,
        queue=rng.choice(QUEUES),
        script_version=house.script if house.script and (house.script.effective_from or started) <= started else None,
        started_at=started,
    )


def answer(call: Call, house: House, operator: User, after: int) -> None:
    """Somebody picked up after so many seconds."""
    call.operator = operator
    call.answered_at = call.started_at + timedelta(seconds=after)
    call.alias, call.spoken_name = house.voiced(operator, call.answered_at)
    call.line_state, call.work_state = Line.TALKING, Work.TALKING


def end(call: Call, seconds: int, *, cause: str = "normalClearing", by: str = Call.HungUpBy.UNKNOWN) -> None:
    """The line went after so many seconds of talk."""
    call.line_state, call.work_state = Line.ENDED, Work.WRAP_UP
    call.ended_at = (call.answered_at or call.started_at) + timedelta(seconds=seconds)
    call.cause, call.hung_up_by = cause, Call.HungUpBy(by)


def close(call: Call, after: int) -> None:
    """Closed so many seconds after the line went."""
    call.work_state = Work.CLOSED
    call.closed_at = (call.ended_at or call.started_at) + timedelta(seconds=after)


def of_appeals(rng: random.Random, house: House, appeals: list[Appeal]) -> list[Story]:
    """The call in which each appeal was registered; some are lost in dialog (D2)."""
    told = [_of_appeal(rng, house, appeal) for appeal in appeals]
    calm = [story for story in told if story.call.number and story.call.closed_at and not story.call.is_atypical]
    # Two of today's, one of each fate; the others as it falls.
    chosen = rng.sample(calm[:-30], min(LOST, len(calm[:-30])))
    for story, fate in zip(rng.sample(calm[-14:-2], 2), ("attempted", "cancelled"), strict=True):
        story.fate = fate
        chosen.append(story)
    for story in chosen:
        story.call.ending = Call.Ending.LOST
        story.call.phase = Phase.DIALOG
        story.call.cause = rng.choice(["normalClearing", "normalClearing", "networkOutOfOrder"])
        story.call.rating, story.rated = None, None
        story.call.wants_rating = False
    return told


def _of_appeal(rng: random.Random, house: House, appeal: Appeal) -> Story:
    talk = rng.randint(70, 160) if not appeal.is_request else rng.randint(200, 520)
    before = int(talk * rng.uniform(0.5, 0.8))
    ringing = rng.randint(3, 22)
    started = appeal.registered_at - timedelta(seconds=before + ringing)
    read = read_phone(appeal.phone)
    hidden = not appeal.phone
    call = incoming(rng, house, number=read.e164, raw="anonymous" if hidden else appeal.phone, started=started)
    if hidden and rng.random() < 0.7:
        call.number = call.number_raw = f"+79{rng.choice([16, 26, 51, 63])}000{rng.randint(0, 999):04d}"
    operator = appeal.registered_by or rng.choice(house.operators)
    answer(call, house, operator, ringing)
    by = rng.choices([Call.HungUpBy.UNKNOWN, Call.HungUpBy.CLIENT, Call.HungUpBy.OPERATOR], weights=[60, 30, 10])[0]
    end(call, talk, by=by)
    call.client, call.account = appeal.client, appeal.account
    if appeal.client is not None and rng.random() < 0.09:
        call.caller_name = rng.choice(DAUGHTERS)
    call.registered_appeal = appeal
    call.topic = appeal.topic
    call.is_atypical = bool(appeal.topic and appeal.topic.is_atypical)
    call.phase, call.ending = Phase.DONE, Call.Ending.GOODBYE
    call.talk_ended_by = Call.Party.CLIENT if rng.random() < 0.3 else Call.Party.OPERATOR
    call.result = house.results.get(_result(appeal))
    close(call, rng.randint(6, 150))
    story = Story(call=call, appeal=appeal, consulted=appeal.parent, talk=talk, corrected=rng.random() < 0.01)
    if call.closed_at is not None and call.closed_at > house.now:  # registered a minute ago: not closed before now
        close(call, max(1, int((house.now - (call.ended_at or house.now)).total_seconds())))
    if not call.is_atypical and rng.random() < 0.33:
        call.rating = rng.choices([5, 4, 3, 2, 1], weights=[68, 19, 7, 3, 3])[0]
        call.wants_rating = rng.random() < 0.04
        story.rated = min((call.ended_at or house.now) + timedelta(seconds=rng.randint(10, 40)), house.now)
    return story


def _result(appeal: Appeal) -> str:
    if appeal.is_request:
        return "request_registered"
    if appeal.topic is not None and appeal.topic.code in ("wrong-number", "silence"):
        return "not_ours"
    if appeal.referred_to_id is not None:
        return "contacts_given"
    return "status_told" if appeal.parent_id is not None else "consulted"


def a_moment(rng: random.Random, appeals: list[Appeal]) -> datetime:
    """A moment when the hotline was at work: near one at which something was registered."""
    return rng.choice(appeals).registered_at - timedelta(seconds=rng.randint(300, 1500))


def a_number(rng: random.Random, appeals: list[Appeal]) -> str:
    """Mostly a client's; sometimes one that nobody has."""
    known = read_phone(rng.choice(appeals).phone).e164
    return known if known and rng.random() < 0.6 else f"+7903000{rng.randint(0, 9999):04d}"


def missed(rng: random.Random, house: House, appeals: list[Appeal]) -> list[Story]:
    """Nobody answered in time."""
    told = []
    for _n in range(MISSED):
        number = a_number(rng, appeals)
        call = incoming(rng, house, number=number, raw=number, started=a_moment(rng, appeals))
        waited = rng.randint(8, 75)
        end(call, waited, cause="cancel", by=Call.HungUpBy.CLIENT)
        close(call, 0)
        told.append(Story(call=call))
    return told


def dropped(rng: random.Random, house: House, appeals: list[Appeal]) -> list[Story]:
    """D1: the client dropped in the greeting or before it; nothing is owed."""
    told = []
    for _n in range(DROPPED):
        number = a_number(rng, appeals)
        call = incoming(rng, house, number=number, raw=number, started=a_moment(rng, appeals))
        answer(call, house, rng.choice(house.operators), rng.randint(2, 15))
        call.phase = rng.choice([Phase.GREETING, Phase.GREETING, Phase.BEFORE_GREETING])
        end(call, rng.randint(1, 8), by=rng.choice([Call.HungUpBy.CLIENT, Call.HungUpBy.UNKNOWN]))
        close(call, 0)
        told.append(Story(call=call))
    return told
