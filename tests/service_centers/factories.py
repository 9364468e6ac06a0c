"""Rows of the directory for tests: one centre with what the test names, nothing else."""

from __future__ import annotations

from datetime import time
from typing import Any

import factory
from factory.django import DjangoModelFactory

from service_centers.models import (
    Brand,
    Category,
    City,
    ServiceCenter,
    ServiceCenterHours,
    ServiceCenterPhone,
    ServiceCenterSkill,
    WorkKind,
)

# name → (region, latitude, longitude, zone)
PLACES = {
    "Казань": ("Республика Татарстан", 55.7887, 49.1221, "Europe/Moscow"),
    "Зеленодольск": ("Республика Татарстан", 55.8438, 48.5178, "Europe/Moscow"),
    "Чебоксары": ("Чувашская Республика", 56.1322, 47.2519, "Europe/Moscow"),
    "Ульяновск": ("Ульяновская область", 54.3282, 48.3866, "Europe/Ulyanovsk"),
    "Самара": ("Самарская область", 53.2001, 50.15, "Europe/Samara"),
    "Москва": ("Москва", 55.7522, 37.6156, "Europe/Moscow"),
    "Владивосток": ("Приморский край", 43.1056, 131.8735, "Asia/Vladivostok"),
    "Орёл": ("Орловская область", 52.9688, 36.0791, "Europe/Moscow"),
}


def city(name: str = "Казань", **fields: Any) -> City:
    """A city of PLACES by name, or another one; made once."""
    region, latitude, longitude, zone = PLACES.get(name, ("Тестовая область", 55.0, 50.0, "Europe/Moscow"))
    defaults = {"latitude": latitude, "longitude": longitude, "timezone": zone} | fields
    return City.objects.get_or_create(name=name, region=defaults.pop("region", region), defaults=defaults)[0]


def brand(name: str = "Vestra") -> Brand:
    return Brand.objects.get_or_create(name=name)[0]


def category(name: str = "Холодильники") -> Category:
    return Category.objects.get_or_create(name=name)[0]


class ServiceCenterFactory(DjangoModelFactory):
    """A centre in Kazan without phones, hours, coverage or authorisations: `skills`, `hours`, … add them.

    `skills`: (brand, category or None, work) with names; `hours`: (weekday, "9:00", "18:00").
    """

    class Meta:
        model = ServiceCenter
        skip_postgeneration_save = True

    code = factory.Sequence(lambda n: f"T-{n:04d}")
    name = factory.Sequence(lambda n: f"АСЦ {n:04d}")
    city = factory.LazyFunction(city)
    address = "ул. Тестовая, 1"

    @factory.post_generation
    def skills(self: ServiceCenter, create: bool, extracted: Any, **kwargs: Any) -> None:
        ServiceCenterSkill.objects.bulk_create(
            ServiceCenterSkill(
                service_center=self, brand=brand(of), category=category(kind) if kind else None, work=work
            )
            for of, kind, work in extracted or ()
        )

    @factory.post_generation
    def hours(self: ServiceCenter, create: bool, extracted: Any, **kwargs: Any) -> None:
        ServiceCenterHours.objects.bulk_create(
            ServiceCenterHours(service_center=self, weekday=day, opens_at=clock(begin), closes_at=clock(end))
            for day, begin, end in extracted or ()
        )

    @factory.post_generation
    def phones(self: ServiceCenter, create: bool, extracted: Any, **kwargs: Any) -> None:
        ServiceCenterPhone.objects.bulk_create(
            ServiceCenterPhone(service_center=self, number=number, position=position)
            for position, number in enumerate(extracted or ())
        )

    @factory.post_generation
    def covers(self: ServiceCenter, create: bool, extracted: Any, **kwargs: Any) -> None:
        for place in extracted or ():
            self.coverage.create(city=place)


def clock(text: str) -> time:
    """«9:00» as a time."""
    hour, minute = text.split(":")
    return time(int(hour), int(minute))


ALL_WORK = [("Vestra", None, kind) for kind in WorkKind]
WEEKDAYS = [(day, "9:00", "18:00") for day in range(1, 6)]
