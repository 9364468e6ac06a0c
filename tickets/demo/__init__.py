"""The demo data of this room: a half year of a hotline, as bulk rows with explicit times from one seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

import sms.reference
from hotline.operators.models import User
from service_centers.models import Brand, Category
from tickets import reference
from tickets.demo import catalogue, letters, lives, people
from tickets.demo.world import Life, World
from tickets.models import (
    Account,
    Appeal,
    AppealEvent,
    AppealReference,
    Appliance,
    Assignment,
    Client,
    ClientPhone,
    Comment,
    Document,
    ModelSuggestion,
    ProductModel,
    Reminder,
    WarrantyRule,
)


@dataclass(frozen=True)
class Built:
    """What the demo of the calls goes on with: `appeals` in the order of time, their clients and phones loaded."""

    clients: list[Client]
    appeals: list[Appeal]


def build(rng: random.Random, *, now: datetime, staff: list[User]) -> Built:
    """Fill the room for the same generator in the same way. `staff`: operators, the supervisor last.

    Needs the demo of service centres; loads the reference data it stands on.
    """
    sms.reference.load()
    reference.load()
    models = _catalogue(rng, now, staff)
    households = people.invent(rng, models, now)
    told = lives.tell(World(rng, now, staff, households, models))
    _date_the_cards(rng, households, told)
    _save_households(households)
    _save_appeals(told)
    letters.write(rng, told, now=now, operator=staff[0])
    AppealEvent.objects.bulk_create((entry for life in told for entry in life.journal()), batch_size=2000)
    return Built([household.client for household in households], [life.appeal for life in told])


def _catalogue(rng: random.Random, now: datetime, staff: list[User]) -> list[ProductModel]:
    brands = {brand.name: brand for brand in Brand.objects.all()}
    categories = {category.name: category for category in Category.objects.all()}
    models = ProductModel.objects.bulk_create(
        ProductModel(brand=brands[brand], category=categories[category], name=name)
        for brand, of_brand in catalogue.MODELS.items()
        for category, names in of_brand.items()
        for name in names
    )
    WarrantyRule.objects.bulk_create(
        WarrantyRule(
            brand=brands[brand], category=categories[category] if category else None, months=months, valid_from=since
        )
        for brand, category, months, since in catalogue.WARRANTY
    )
    ModelSuggestion.objects.bulk_create(
        ModelSuggestion(
            text=text,
            times=rng.randrange(1, 9),
            first_met_at=now - timedelta(days=rng.randrange(2, 60)),
            suggested_by=rng.choice(staff[:-1]),
        )
        for text in catalogue.UNKNOWN_MODELS
    )
    return models


def _date_the_cards(rng: random.Random, households: list[people.Household], told: list[Life]) -> None:
    """Most who called for the first time within the half year were registered in that call."""
    first: dict[int, Appeal] = {}
    for life in told:
        if life.household is not None:
            first.setdefault(id(life.household), life.appeal)
    for household in households:
        appeal = first.get(id(household))
        if appeal is not None and rng.random() < 0.7:
            household.client.created_at = appeal.registered_at - timedelta(minutes=rng.randrange(2, 5))
            household.client.created_by = appeal.registered_by
        for account in filter(None, (household.account, household.second)):
            account.opened_at, account.opened_by = household.client.created_at, household.client.created_by
        for phone in household.phones:
            phone.created_at = household.client.created_at


def _save_households(households: list[people.Household]) -> None:
    households.sort(key=lambda household: household.client.created_at)
    Client.objects.bulk_create([household.client for household in households])
    accounts = [account for household in households for account in (household.account, household.second) if account]
    for account, number in zip(accounts, _numbers("tickets_account_number_seq", len(accounts)), strict=True):
        account.number = number
    Account.objects.bulk_create(accounts)
    ClientPhone.objects.bulk_create([phone for household in households for phone in household.phones])
    Appliance.objects.bulk_create([appliance for household in households for appliance in household.appliances])


def _save_appeals(told: list[Life]) -> None:
    for life, number in zip(told, _numbers("tickets_appeal_number_seq", len(told)), strict=True):
        life.appeal.number = number
    # Those that name another appeal are saved after it.
    for batch in (
        [life for life in told if life.parent is None and life.duplicate_of is None],
        [life for life in told if life.parent is None and life.duplicate_of is not None],
        [life for life in told if life.parent is not None],
    ):
        for life in batch:
            life.appeal.parent = life.parent.appeal if life.parent else None
            life.appeal.duplicate_of = life.duplicate_of.appeal if life.duplicate_of else None
        Appeal.objects.bulk_create([life.appeal for life in batch])
    Assignment.objects.bulk_create([row for life in told for row in life.assignments])
    Document.objects.bulk_create([row for life in told for row in life.documents])
    Comment.objects.bulk_create([row for life in told for row in life.comments])
    Reminder.objects.bulk_create([row for life in told for row in life.reminders])
    AppealReference.objects.bulk_create([row for life in told for row in life.references])


def _numbers(sequence: str, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [sequence, count])
        return [row[0] for row in cursor.fetchall()]
