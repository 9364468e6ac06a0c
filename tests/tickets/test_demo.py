"""The reference data and the demo's half year: whole, coherent, the same for the same seed, nobody's number."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone

import service_centers.demo
import tickets.demo
from hotline.operators.models import User
from sms.models import SmsMessage
from tests.factories import UserFactory
from tickets import reference, warranty
from tickets.demo import names
from tickets.history import say_now
from tickets.models import (
    Account,
    Appeal,
    AppealEvent,
    AppealMessage,
    Assignment,
    Client,
    ClientPhone,
    Document,
    DocumentKind,
    ModelSuggestion,
    ProductModel,
    Reminder,
    Topic,
    WarrantyRule,
)

State = Appeal.State


@pytest.mark.django_db
def test_the_reference_data_may_be_loaded_again_and_leaves_what_was_changed() -> None:
    reference.load()
    assert (Topic.objects.count() >= 20, Topic.objects.filter(is_atypical=True).count() >= 3) == (True, True)
    assert list(DocumentKind.objects.values_list("code", flat=True)) == ["act", "rc", "letter"]
    Topic.objects.filter(code="leak").update(name="Протечка", is_active=False)
    before = Topic.objects.count()
    reference.load()
    assert Topic.objects.count() == before
    assert Topic.objects.get(code="leak").name == "Протечка"


# --- The demo: built once for the module, undone after it -----------------------------------------
@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any) -> Iterator[tickets.demo.Built]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


def build() -> tickets.demo.Built:
    rng = random.Random(7)
    staff: list[User] = [UserFactory() for _ in range(4)] + [UserFactory(supervisor=True)]
    service_centers.demo.build(rng)
    return tickets.demo.build(rng, now=timezone.now().replace(microsecond=0), staff=staff)


@pytest.fixture
def demo(built: tickets.demo.Built, django_db_blocker: Any) -> Iterator[tickets.demo.Built]:
    with django_db_blocker.unblock():
        yield built


@pytest.mark.slow
def test_a_half_year_of_a_hotline(demo: tickets.demo.Built) -> None:
    now = timezone.now()
    assert (Client.objects.count(), Appeal.objects.count(), ProductModel.objects.count()) == (300, 900, 120)
    assert len(demo.appeals) == 900
    assert [a.registered_at for a in demo.appeals] == sorted(a.registered_at for a in demo.appeals)
    assert Account.objects.filter(is_main=True).count() == 300
    assert Account.objects.filter(is_main=False).count() == 12
    assert set(Appeal.objects.values_list("state", flat=True)) == set(State.values)
    assert set(Appeal.objects.values_list("kind", flat=True)) == set(Appeal.Kind.values)
    assert set(Appeal.objects.exclude(verdict="").values_list("verdict", flat=True)) == {"in", "out", "unknown"}
    assert Appeal.objects.values("description").distinct().count() >= 60
    assert {kind: Document.objects.filter(kind__code=kind).exists() for kind in ("act", "rc", "letter")} == {
        "act": True,
        "rc": True,
        "letter": True,
    }
    assert Document.objects.filter(is_answered=False).exists()
    assert Reminder.objects.waiting().filter(due_at__lt=now).count() >= 3
    assert Reminder.objects.waiting().filter(due_at__gt=now).exists()
    assert ModelSuggestion.objects.waiting().exists()
    assert WarrantyRule.objects.exists()
    states = set(SmsMessage.objects.values_list("state", flat=True))
    assert {"delivered", "undelivered", "dictated"} <= states
    assert not SmsMessage.objects.filter(state__in=["queued", "submitting"]).exists()  # nothing is ever sent


@pytest.mark.slow
def test_nothing_is_in_the_future_and_nothing_before_its_appeal(demo: tickets.demo.Built) -> None:
    now = timezone.now()
    for rows, field in (
        (Appeal.objects.all(), "state_changed_at"),
        (AppealEvent.objects.all(), "at"),
        (Assignment.objects.all(), "assigned_at"),
        (Document.objects.all(), "created_at"),
        (SmsMessage.objects.all(), "state_changed_at"),
    ):
        assert not rows.filter(**{f"{field}__gt": now}).exists(), rows.model
    for model, field in ((AppealEvent, "at"), (Assignment, "assigned_at"), (Document, "created_at")):
        assert not model.objects.filter(**{f"{field}__lt": F("appeal__registered_at")}).exists(), model
    assert not Appeal.objects.filter(registered_at__lt=F("client__created_at")).exists()
    assert not Appeal.objects.filter(purchase_date__gt=F("registered_at__date")).exists()


@pytest.mark.slow
def test_states_and_assignments_agree(demo: tickets.demo.Built) -> None:
    active = Count("assignments", filter=Q(assignments__state__in=Assignment.ACTIVE))
    counted = Appeal.objects.annotate(active=active)
    with_centre = [State.ASSIGNED, State.ACCEPTED, State.IN_WORK]
    assert not counted.filter(state__in=with_centre).exclude(active=1).exists()
    assert not counted.exclude(state__in=with_centre).filter(active__gt=0).exists()
    done = counted.filter(kind__in=Appeal.REQUESTS, state__in=[State.DONE, State.CLOSED])
    assert done.exists()
    assert not done.exclude(assignments__state=Assignment.State.COMPLETED).exists()
    for appeal in Appeal.objects.exclude(state__in=["registered", "assigned"]).filter(kind__in=Appeal.REQUESTS)[:40]:
        last = appeal.journal.filter(code="state_changed").first()
        assert last is not None
        assert last.data["after"] == appeal.state


@pytest.mark.slow
def test_verdicts_are_those_of_the_rule(demo: tickets.demo.Built) -> None:
    rules = list(WarrantyRule.objects.all())
    for appeal in Appeal.objects.exclude(verdict="")[:200]:
        found = warranty.verdict(
            purchase_date=appeal.purchase_date,
            source=appeal.purchase_date_source,
            rules=rules,
            brand=appeal.brand_id,
            category=appeal.category_id,
            today=timezone.localtime(appeal.registered_at).date(),
        )
        assert (appeal.verdict, appeal.warranty_until) == (found.verdict, found.until)


@pytest.mark.slow
def test_names_agree(demo: tickets.demo.Built) -> None:
    his = {last for last, _ in names.LAST_NAMES} | {row[0] for row in (*names.KAZAKH, *names.FOREIGN)}
    hers = {last for _, last in names.LAST_NAMES} | {row[0] for row in (*names.KAZAKH, *names.FOREIGN)}
    fathers = {row[0] for row in names.PATRONYMICS}, {row[1] for row in names.PATRONYMICS}
    others = {row[2] for row in (*names.KAZAKH, *names.FOREIGN)} | {""}
    for client in Client.objects.all():
        female = client.first_name in names.HERS
        if client.first_name in names.HIS or female:
            assert client.last_name in (hers if female else his), client
            assert client.middle_name in fathers[female] | others, client
    assert Client.objects.filter(last_name__contains="ё").exists()
    assert Client.objects.filter(last_name__contains="-").exists()
    shared = ClientPhone.objects.exclude(e164="").values("e164").annotate(cards=Count("client")).filter(cards__gt=1)
    assert shared.count() >= 15  # families


@pytest.mark.slow
def test_russian_numbers_are_nobodys(demo: tickets.demo.Built) -> None:
    phones = ClientPhone.objects.all()
    assert not phones.filter(region="RU", line_type="mobile").exclude(e164__regex=r"^\+79\d\d0000\d{3}$").exists()
    assert phones.filter(region="KZ").exists()
    assert phones.filter(line_type="fixed").exists()
    assert phones.filter(e164="").exists()  # kept as it was typed
    assert phones.filter(raw__contains="ООО").exclude(e164="").exists()  # letters for zeros, read all the same


@pytest.mark.slow
def test_somebody_has_to_be_told_something(demo: tickets.demo.Built) -> None:
    busy = Client.objects.filter(appeals__state__in=Appeal.OPEN_STATES).distinct()[:60]
    codes = {item.code for client in busy for item in say_now(client)}
    assert {"overdue", "no_center"} <= codes
    assert AppealMessage.objects.all().not_followed_up().exists()


@pytest.mark.slow
@pytest.mark.django_db
def test_the_same_seed_makes_the_same_half_year() -> None:
    def shape() -> list[Any]:
        built = build()
        made = [
            [str(client) for client in built.clients],
            [(appeal.kind, appeal.state, appeal.description, appeal.phone) for appeal in built.appeals],
        ]
        transaction.set_rollback(True)
        return made

    with transaction.atomic():
        first = shape()
    with transaction.atomic():
        assert shape() == first
