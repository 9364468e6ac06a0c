"""How the demo's appeals came, one after the other: who called about what."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from tickets.demo import texts
from tickets.demo.requests import request
from tickets.demo.world import Code, Kind, Life, State, World, base, candidates, registered
from tickets.models import (
    Appeal,
)

APPEALS = 900
DAYS = 180


def tell(world: World) -> list[Life]:
    """Nine hundred appeals in the order of time."""
    return [_appeal(world, at) for at in _moments(world)]


def _moments(world: World) -> list[datetime]:
    """When they were registered: days and evenings, weekdays more than weekends, the last weeks a little more."""
    found: list[datetime] = []
    today = timezone.localtime(world.now).replace(minute=0, second=0)
    while len(found) < APPEALS:
        day = today - timedelta(days=int(DAYS * world.rng.random() ** 1.15))
        if day.weekday() >= 5 and world.rng.random() < 0.55:
            continue
        moment = day.replace(hour=min(20, int(world.rng.triangular(8, 21, 12)))) + timedelta(
            seconds=world.rng.randrange(3600)
        )
        # The last hours belong to the calls of today.
        if moment < world.now - timedelta(hours=3):
            found.append(moment)
    return sorted(found)


def _appeal(world: World, at: datetime) -> Life:
    dice = world.rng.random()
    open_requests = [life for life in world.requests[-60:] if life.appeal.registered_at > at - timedelta(days=25)]
    if dice < 0.05:
        return _atypical(world, at)
    if dice < 0.28 and open_requests:
        return _about_a_request(world, at, world.rng.choice(open_requests))
    if dice < 0.55:
        return _consultation(world, at)
    return request(world, at, Kind.REPAIR if dice < 0.9 else Kind.INSTALLATION)


# --- Consultations --------------------------------------------------------------------------------
def _atypical(world: World, at: datetime) -> Life:
    """A job seeker, a wrong number: no card."""
    code, words, outcome = world.rng.choice(texts.ATYPICAL)
    appeal = Appeal(
        kind=Kind.OTHER, state=State.CLOSED, topic=world.topics[code], description=words, outcome=outcome,
        registered_at=at, state_changed_at=at, registered_by=world.operator(),
    )  # fmt: skip
    return registered(Life(appeal))


def _about_a_request(world: World, at: datetime, about: Life) -> Life:
    code, words, outcome = world.rng.choice(texts.ABOUT_A_REQUEST)
    appeal = base(world, at, about.owner, Kind.CONSULTATION, about.appeal.appliance, code, words)
    appeal.outcome, appeal.state = outcome, State.CLOSED
    life = registered(Life(appeal, about.owner, parent=about))
    about.write(at, Code.CONSULTED, appeal.registered_by, lambda: {"consultation": appeal.number})
    return life


def _consultation(world: World, at: datetime) -> Life:
    household = world.rng.choice(world.households)
    code, words, outcome = world.rng.choice(texts.CONSULTATIONS)
    appeal = base(world, at, household, Kind.CONSULTATION, world.rng.choice(household.appliances), code, words)
    appeal.outcome = outcome
    life = Life(appeal, household)
    if appeal.verdict == Appeal.Verdict.OUT and code in ("cost", "center-address", "spare-parts", "error-code"):
        found = candidates(world, appeal)
        if found:
            appeal.referred_to, appeal.state = found[0].center, State.REFERRED
            life.write(at, Code.CONTACTS_GIVEN, appeal.registered_by, lambda: {"center": appeal.referred_to_id})
            return registered(life)
    # What the operator still has to find out stays open for a while.
    appeal.state = State.REGISTERED if world.rng.random() < 0.08 else State.CLOSED
    registered(life)
    if appeal.state == State.REGISTERED:
        closed = world.later(at, 1, 6)
        if closed < world.now and world.rng.random() < 0.8:
            life.move(closed, State.CLOSED, world.operator())
    return life
