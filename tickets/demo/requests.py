"""How the demo's requests came and went: which centre had them, what was done, what got stuck."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from hotline.operators.models import User
from tickets.demo import people, texts
from tickets.demo.placing import Placed
from tickets.demo.world import Code, Kind, Life, State, World, base, candidates, registered
from tickets.models import (
    Appeal,
    AppealReference,
    Assignment,
    Comment,
    Document,
    Reminder,
)


def request(world: World, at: datetime, kind: str) -> Life:
    rng = world.rng
    household = rng.choice(world.households)
    if kind == Kind.INSTALLATION:
        bought = (at - timedelta(days=rng.randrange(1, 15))).date()
        owned = people.appliance(rng, household.account, rng.choice(world.models), bought)
        household.appliances.append(owned)
        code, words = "installation", rng.choice(texts.INSTALLATIONS[owned.category.name])  # type: ignore[union-attr]
    else:
        owned = rng.choice(household.appliances)
        code, words = rng.choice(texts.FAULTS[owned.category.name])  # type: ignore[union-attr]
    appeal = base(world, at, household, kind, owned, code, words)
    if not (appeal.city or appeal.city_text):
        appeal.city_text = rng.choice(texts.VILLAGES)
    appeal.is_paid = kind == Kind.REPAIR and appeal.verdict == Appeal.Verdict.OUT
    life = registered(Life(appeal, household))
    if rng.random() < 0.15:
        number = f"{'G' if rng.random() < 0.7 else 'N'}-{rng.randrange(10**7):07d}"
        system = AppealReference.System.GSIS if number[0] == "G" else AppealReference.System.NAUMEN
        life.references.append(AppealReference(appeal=appeal, system=system, number=number))
    earlier = next(
        (other for other in reversed(world.requests) if other.household is household and other.duplicate_of is None),
        None,
    )
    found = candidates(world, appeal)
    if earlier and earlier.appeal.appliance is owned and at - earlier.appeal.registered_at < timedelta(days=20):
        _duplicate(world, life, earlier, found)
    elif found:
        _with_centers(world, life, found)
    else:
        _without_center(world, life)
    _extras(world, life)
    world.requests.append(life)
    return life


def _duplicate(world: World, life: Life, earlier: Life, found: list[Placed]) -> None:
    """The same matter a second time: somebody notices within the hour."""
    at = life.appeal.registered_at + timedelta(minutes=world.rng.randrange(5, 50))
    life.appeal.no_center_reason = Appeal.NoCenterReason.CLIENT_DECIDES
    life.duplicate_of = earlier
    life.write(at, Code.DUPLICATE_MARKED, world.supervisor, lambda: {"of": earlier.appeal.number})
    life.move(at, State.DUPLICATE, world.supervisor)


def _without_center(world: World, life: Life) -> None:
    """Nobody near: it waits with its reason; after some weeks the client gives up."""
    appeal = life.appeal
    appeal.no_center_reason = Appeal.NoCenterReason.NONE_NEAR
    appeal.no_center_note = texts.OUTCOME_NO_CENTER
    given_up = world.later(appeal.registered_at, 5, 20)
    if given_up < world.now:
        life.move(given_up, State.CANCELLED, world.operator())


def _with_centers(world: World, life: Life, found: list[Placed]) -> None:
    rng, appeal = world.rng, life.appeal
    first = found[1] if len(found) > 1 and rng.random() < 0.12 else found[0]
    current = _assign(world, life, first, appeal.registered_at, appeal.registered_by)
    at = appeal.registered_at
    if rng.random() < 0.08:  # it declines, and another is found or not
        at = world.later(at, 0.1, 1.5)
        if at >= world.now:
            return
        _end(life, current, Assignment.State.DECLINED, at, rng.choice(texts.DECLINED))
        appeal.no_center_reason = Appeal.NoCenterReason.DECLINED
        appeal.no_center_note = current.note
        life.move(at, State.REGISTERED, None)
        others = [placed for placed in found if placed.center != current.service_center]
        at = world.later(at, 0.1, 1)
        if not others or at >= world.now:
            return
        appeal.no_center_reason = appeal.no_center_note = ""
        current = _assign(world, life, others[0], at, world.operator())
        life.move(at, State.ASSIGNED, world.operator())
    stops_at = rng.choice([State.ASSIGNED, State.ACCEPTED, State.IN_WORK]) if rng.random() < 0.09 else None
    cancelled_at = rng.choice([State.ASSIGNED, State.ACCEPTED, State.IN_WORK]) if rng.random() < 0.07 else None
    for state, low, high in (
        (State.ACCEPTED, 0.1, 1.2),
        (State.IN_WORK, 0.5, 4),
        (State.DONE, 0.3, 11),
        (State.CLOSED, 0.2, 4),
    ):
        if appeal.state == stops_at:
            return  # stuck: what the operator has to say now
        at = world.later(at, low, high)
        if at >= world.now:
            return
        if appeal.state == cancelled_at:
            _end(life, current, Assignment.State.WITHDRAWN, at, "")
            life.move(at, State.CANCELLED, world.operator())
            return
        if state == State.ACCEPTED:
            current.state = Assignment.State.ACCEPTED
        if state == State.DONE:
            _end(life, current, Assignment.State.COMPLETED, at, "")
            _paper(world, life, "act", at + timedelta(hours=rng.uniform(1, 60)), None)
        life.move(at, state, world.operator() if state == State.CLOSED else None)


def _assign(world: World, life: Life, placed: Placed, at: datetime, actor: User | None) -> Assignment:
    assignment = Assignment(
        appeal=life.appeal, service_center=placed.center, rank=placed.rank, reasons=placed.reasons,
        distance_km=placed.distance_km, assigned_at=at, assigned_by=actor,
    )  # fmt: skip
    life.assignments.append(assignment)
    if life.appeal.state == State.REGISTERED and at == life.appeal.registered_at:
        life.appeal.state = State.ASSIGNED
    life.write(
        at + timedelta(seconds=1),
        Code.ASSIGNED,
        actor,
        lambda: {"center": placed.center.pk, "rank": placed.rank, "reasons": placed.reasons},
    )
    return assignment


def _end(life: Life, assignment: Assignment, outcome: str, at: datetime, note: str) -> None:
    assignment.state, assignment.ended_at, assignment.note = outcome, at, note
    center = assignment.service_center_id
    life.write(at, Code.ASSIGNMENT_ENDED, None, lambda: {"center": center, "outcome": outcome})


# --- What hangs on a request ----------------------------------------------------------------------
def _extras(world: World, life: Life) -> None:
    """Comments of the centre and of staff, RC, letters, reminders; more of them on what got stuck."""
    rng, appeal = world.rng, life.appeal
    begun = appeal.registered_at
    last = appeal.state_changed_at if not appeal.is_open else world.now
    span = max((last - begun).total_seconds(), 3600)
    for _ in range(rng.choices([0, 1, 2, 3], [35, 40, 18, 7])[0]):
        at = begun + timedelta(seconds=rng.uniform(0.1, 0.95) * span)
        if life.assignments and rng.random() < 0.7:
            _comment(life, at, rng.choice(texts.CENTER_COMMENTS), None, life.assignments[-1].service_center)
        else:
            _comment(life, at, rng.choice(texts.STAFF_COMMENTS), world.operator(), None)
    if appeal.state == State.IN_WORK and rng.random() < 0.3:
        _paper(world, life, "rc", begun + timedelta(seconds=0.5 * span), world.operator())
    if rng.random() < (0.2 if appeal.is_open else 0.04):
        at = begun + timedelta(seconds=rng.uniform(0.3, 0.9) * span)
        answered = not appeal.is_open or rng.random() < 0.2
        _paper(world, life, "letter", at, world.operator(), is_answered=answered)
    if rng.random() < (0.5 if appeal.is_open else 0.08):
        _reminder(world, life, begun + timedelta(seconds=rng.uniform(0.05, 0.5) * span))


def _comment(life: Life, at: datetime, text: str, author: User | None, center: Any) -> None:
    if timezone.localtime(at).hour < 9:  # nobody writes at night: it was in the evening before
        at = max(at - timedelta(hours=9), life.appeal.registered_at + timedelta(minutes=20))
    comment = Comment(appeal=life.appeal, author=author, service_center=center, text=text, created_at=at)
    life.comments.append(comment)
    life.write(at, Code.COMMENTED, author, lambda: {"comment": comment.pk, "center": comment.service_center_id})


def _paper(world: World, life: Life, code: str, at: datetime, actor: User | None, *, is_answered: bool = True) -> None:
    if at >= world.now:
        return
    world.document_numbers += 1
    prefix = {"act": "А", "rc": "RC", "letter": "П"}[code]
    note = world.rng.choice(texts.LETTERS) if code == "letter" else ""
    document = Document(
        appeal=life.appeal, kind=world.kinds[code], number=f"{prefix}-{world.document_numbers:05d}",
        date=timezone.localtime(at).date(), note=note, is_answered=is_answered, created_at=at, created_by=actor,
    )  # fmt: skip
    life.documents.append(document)
    life.write(at, Code.DOCUMENT_ADDED, actor, lambda: {"document": document.pk, "kind": code})


def _reminder(world: World, life: Life, at: datetime) -> None:
    to = world.operators[0] if world.rng.random() < 0.35 else world.operator()
    due = world.later(at, 1, 6)
    done = due < world.now and (not life.appeal.is_open or world.rng.random() < 0.4)
    reminder = Reminder(
        appeal=life.appeal, to=to, due_at=due, text=world.rng.choice(texts.REMINDERS), created_at=at, created_by=to,
        done_at=due + timedelta(minutes=world.rng.randrange(5, 300)) if done else None, done_by=to if done else None,
    )  # fmt: skip
    if reminder.done_at is not None and reminder.done_at >= world.now:
        reminder.done_at = world.now - timedelta(minutes=1)
    life.reminders.append(reminder)
    life.write(at, Code.REMINDER_SET, to, lambda: {"reminder": reminder.pk, "to": to.pk, "due_at": due.isoformat()})
    if reminder.done_at is not None:
        life.write(reminder.done_at, Code.REMINDER_DONE, to, lambda: {"reminder": reminder.pk})
