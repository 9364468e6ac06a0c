"""The demo's directory: the same for the same generator, and every reason of the matching is met in it."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from service_centers import demo
from service_centers.matching import ReasonCode, match
from service_centers.models import Brand, Category, City, ServiceCenter, ServiceCenterPhone, WorkKind

MOMENTS = [datetime(2026, 7, 20, 9, 0, tzinfo=UTC), datetime(2026, 7, 19, 22, 0, tzinfo=UTC)]


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any) -> Any:
    """Built once for this module, and rolled back after it."""
    with django_db_blocker.unblock():
        atomic = transaction.atomic()
        atomic.__enter__()
        demo.build(random.Random(7))
        yield
        transaction.set_rollback(True)
        atomic.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def _unblocked(built: None, django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock():
        yield


def test_its_size() -> None:
    assert Brand.objects.count() == 3
    assert Category.objects.count() == 8
    assert ServiceCenter.objects.count() >= 45
    assert ServiceCenter.objects.values("city").distinct().count() >= 35
    assert City.objects.count() > 1000


def test_no_telephone_can_be_a_persons() -> None:
    for number in ServiceCenterPhone.objects.values_list("number", flat=True):
        area, _close, rest = number.removeprefix("+7 (").partition(") ")
        assert rest.startswith("00"), number
        assert len(area) + len(rest.replace("-", "")) == 10, number


def test_every_reason_is_met() -> None:
    met: set[ReasonCode] = set()
    places = [
        "Москва",
        "Казань",
        "Зеленодольск",
        "Тольятти",
        "Самара",
        "Магадан",
        "Брянск",
        "Оренбург",
        "Тверь",
        "Липецк",
    ]
    for place in City.objects.filter(name__in=places):
        for brand in (None, *Brand.objects.all()):
            for category in (None, *Category.objects.filter(name__in=["Холодильники", "Вытяжки"])):
                for moment in MOMENTS:
                    result = match(place, brand, category, WorkKind.WARRANTY_REPAIR, moment)
                    met |= {reason.code for found in result.candidates for reason in found.reasons}
                    met |= {reason.code for lost in result.losers for reason in lost.reasons}
    met |= {r.code for c in match(None, None, None, WorkKind.PAID_REPAIR, MOMENTS[0]).candidates for r in c.reasons}
    assert met == set(ReasonCode)


def picture() -> list[Any]:
    rows = ServiceCenter.objects.order_by("code", "phones__number")
    return list(rows.values_list("code", "name", "latitude", "phones__number", "city__name"))


def test_the_same_generator_makes_the_same() -> None:
    before = picture()
    with transaction.atomic():
        ServiceCenter.objects.all().delete()
        Brand.objects.all().delete()
        Category.objects.all().delete()
        demo.build(random.Random(7))
        assert picture() == before
        transaction.set_rollback(True)
