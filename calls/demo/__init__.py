"""Demo data of the room: a thousand calls of the past half year, and a day that is under way.

Bulk rows with explicit times from one generator; the evidence (events, acts of stages, journal) is what the verbs
write.
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Protocol

from calls.demo import call_backs, evidence, stories, today
from calls.demo.stories import House
from calls.models import (
    Call,
    CallAppeal,
    CallEvent,
    CallJournalEntry,
    CallResult,
    CallStage,
    ScriptAcknowledgement,
    ScriptVersion,
)
from hotline.operators.models import Alias, User
from tickets.models import Appeal


class Appeals(Protocol):
    """What the demo of tickets has built: appeals in the order of time."""

    @property
    def appeals(self) -> list[Appeal]: ...


def build(rng: random.Random, *, now: datetime, operators: list[User], supervisor: User, appeals: Appeals) -> None:
    """Fill the room for the same generator in the same way; `operators[0]` signs in. Needs the reference data."""
    house = House(
        now=now,
        operators=operators,
        script=ScriptVersion.objects.in_force(now).first(),
        aliases=list(Alias.objects.all()),
        results={result.code: result for result in CallResult.objects.all()},
    )
    _acknowledge(house)
    told = [
        *stories.of_appeals(rng, house, appeals.appeals),
        *stories.missed(rng, house, appeals.appeals),
        *stories.dropped(rng, house, appeals.appeals),
    ]
    told += today.stories(rng, house, appeals.appeals)
    Call.objects.bulk_create([story.call for story in told])
    told += call_backs.build(rng, house, told)
    today.finish(rng, house, told)
    CallAppeal.objects.bulk_create(link for story in told for link in story.links())
    CallEvent.objects.bulk_create((row for story in told for row in evidence.events(story)), batch_size=2000)
    CallStage.objects.bulk_create((row for story in told for row in evidence.stages(rng, story)), batch_size=2000)
    CallJournalEntry.objects.bulk_create((row for story in told for row in evidence.journal(story)), batch_size=2000)


def _acknowledge(house: House) -> None:
    """Everybody has read the version in force, but for the last colleague: the supervisor sees who has not (S3)."""
    if house.script is not None:
        ScriptAcknowledgement.objects.bulk_create(
            ScriptAcknowledgement(version=house.script, operator=operator, at=operator.date_joined)
            for operator in house.operators[:-1]
        )
