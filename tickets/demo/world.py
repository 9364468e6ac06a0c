"""What every appeal of the demo takes from, and what is kept of each until it is saved."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from hotline.operators.models import User
from tickets import warranty
from tickets.centers import work_of
from tickets.demo.people import Household
from tickets.demo.placing import Directory, Placed
from tickets.models import (
    Appeal,
    AppealEvent,
    AppealReference,
    Appliance,
    Assignment,
    Comment,
    DateSource,
    Document,
    DocumentKind,
    FactSource,
    ProductModel,
    Reminder,
    Topic,
    WarrantyRule,
)

Code, State, Kind = AppealEvent.Code, Appeal.State, Appeal.Kind
Data = Callable[[], dict[str, Any]]


@dataclass
class Life:
    """An appeal with everything that happened to it until now."""

    appeal: Appeal
    household: Household | None = None
    parent: Life | None = None
    duplicate_of: Life | None = None
    assignments: list[Assignment] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    reminders: list[Reminder] = field(default_factory=list)
    references: list[AppealReference] = field(default_factory=list)
    # what the journal will say once the rows have their keys
    entries: list[tuple[datetime, AppealEvent.Code, User | None, Data]] = field(default_factory=list)

    def write(self, at: datetime, code: AppealEvent.Code, actor: User | None, data: Data | None = None) -> None:
        self.entries.append((at, code, actor, data or dict))

    def journal(self) -> Iterable[AppealEvent]:
        for at, code, actor, data in sorted(self.entries, key=lambda entry: entry[0]):
            yield AppealEvent(appeal=self.appeal, code=code, at=at, actor=actor, data=data())

    def move(self, at: datetime, state: str, actor: User | None) -> None:
        """The next state, with its entry; one version further."""
        before = self.appeal.state
        self.appeal.state, self.appeal.state_changed_at = state, at
        self.appeal.version += 1
        self.write(at, Code.STATE_CHANGED, actor, lambda: {"before": before, "after": state})

    @property
    def owner(self) -> Household:
        """Whose request it is: a request always has a card (R1)."""
        if self.household is None:
            raise LookupError("an appeal without a card")
        return self.household


class World:
    """What every appeal takes from."""

    def __init__(
        self,
        rng: random.Random,
        now: datetime,
        staff: list[User],
        households: list[Household],
        models: list[ProductModel],
    ) -> None:
        self.rng, self.now, self.households, self.models = rng, now, households, models
        self.operators, self.supervisor = staff[:-1], staff[-1]
        self.directory = Directory()
        self.rules = list(WarrantyRule.objects.all())
        self.topics = {topic.code: topic for topic in Topic.objects.all()}
        self.kinds = {kind.code: kind for kind in DocumentKind.objects.all()}
        self.requests: list[Life] = []
        self.document_numbers = 0

    def operator(self) -> User:
        return self.rng.choice(self.operators)

    def later(self, at: datetime, low: float, high: float) -> datetime:
        """Some days later, at working hours of Moscow; `low` and `high` in days."""
        moment = at + timedelta(days=self.rng.uniform(low, high))
        local = timezone.localtime(moment)
        if not 9 <= local.hour < 19:
            clock = time(self.rng.randrange(9, 19), self.rng.randrange(60))
            local = local.replace(hour=clock.hour, minute=clock.minute)
        return local if local > at else at + timedelta(hours=2)


def base(
    world: World, at: datetime, household: Household, kind: str, owned: Appliance | None, topic: str, words: str
) -> Appeal:
    """An appeal of a household about an appliance, with its snapshot of what was told and the verdict of that day."""
    client, rng = household.client, world.rng
    number = household.number
    appeal = Appeal(
        kind=kind, topic=world.topics[topic], client=client, account=owned.account if owned else household.account,
        appliance=owned, description=words, full_name=client.full_name,
        phone=(number.e164 or number.raw[:32]) if number else "", city=client.city, city_text=client.city_text,
        address=client.address, registered_at=at, state_changed_at=at, registered_by=world.operator(),
    )  # fmt: skip
    if owned is None:
        return appeal
    appeal.product_model, appeal.brand, appeal.category = owned.product_model, owned.brand, owned.category
    appeal.model_text, appeal.serial_number = owned.model_text, owned.serial_number
    appeal.model_source = rng.choices([FactSource.NAMEPLATE, FactSource.DOCUMENTS, FactSource.CLIENT], [6, 3, 1])[0]
    appeal.purchase_date, appeal.purchase_date_source = owned.purchase_date, owned.purchase_date_source
    appeal.store = owned.store
    appeal.store_source = rng.choice([FactSource.DOCUMENTS, FactSource.CLIENT]) if owned.store else FactSource.UNKNOWN
    if owned.purchase_date is not None and owned.purchase_date > at.date():
        appeal.purchase_date, appeal.purchase_date_source = None, DateSource.UNKNOWN
    found = warranty.verdict(
        purchase_date=appeal.purchase_date, source=appeal.purchase_date_source, rules=world.rules,
        brand=appeal.brand_id, category=appeal.category_id, today=timezone.localtime(at).date(),
    )  # fmt: skip
    appeal.verdict, appeal.verdict_reason, appeal.warranty_until = found.verdict, found.reason, found.until
    return appeal


def registered(life: Life) -> Life:
    appeal = life.appeal
    state = State.ASSIGNED if appeal.is_request else appeal.state
    facts = {"kind": str(appeal.kind), "state": str(state), "verdict": str(appeal.verdict)}
    life.write(appeal.registered_at, Code.REGISTERED, appeal.registered_by, lambda: facts)
    return life


def candidates(world: World, appeal: Appeal) -> list[Placed]:
    work = work_of(appeal.kind, is_paid=appeal.is_paid, verdict=appeal.verdict)
    return world.directory.candidates(appeal.city, appeal.brand, appeal.category, work, appeal.registered_at)
