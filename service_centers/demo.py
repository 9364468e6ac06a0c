"""The demo's directory: three brands that don't exist, and the centres of `data/demo_centers.csv`.

The centres differ so that each reason of the matching is met: whole brands and single categories, paid repair only,
installation only, one that takes no requests, one whose hours nobody knows, regions where the nearest is too far.
Telephones begin with 0 after the area code: no subscriber's number does.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import time
from pathlib import Path

from hotline.base.phones import read_phone
from service_centers import reference
from service_centers.matching import distance_km
from service_centers.models import (
    Brand,
    Category,
    City,
    ServiceCenter,
    ServiceCenterCoverage,
    ServiceCenterHours,
    ServiceCenterPhone,
    ServiceCenterSkill,
    WorkKind,
)

CENTERS = Path(__file__).resolve().parent / "data" / "demo_centers.csv"

VESTRA, ZARNIKA, AQUILON = BRANDS = ("Vestra", "Зарника", "Aquilon")
WASHERS, DISHWASHERS, FRIDGES, OVENS, HOBS, HOODS, HEATERS, MICROWAVES = CATEGORIES = (
    *("Стиральные машины", "Посудомоечные машины", "Холодильники", "Духовые шкафы"),
    *("Варочные панели", "Вытяжки", "Водонагреватели", "Микроволновые печи"),
)
WARRANTY, PAID, INSTALLATION = WorkKind.WARRANTY_REPAIR, WorkKind.PAID_REPAIR, WorkKind.INSTALLATION

Skill = tuple[str, str | None, WorkKind]
# What a centre is authorised for: (brands, categories or none for all, kinds of work).
SKILLS: dict[str, list[tuple[tuple[str, ...], tuple[str | None, ...], tuple[WorkKind, ...]]]] = {
    "all": [(BRANDS, (None,), (WARRANTY, PAID, INSTALLATION))],
    "two_brands": [((VESTRA, ZARNIKA), (None,), (WARRANTY, PAID, INSTALLATION)), ((AQUILON,), (None,), (PAID,))],
    "vestra": [((VESTRA,), (None,), (WARRANTY, PAID, INSTALLATION))],
    "aquilon": [((AQUILON,), (None,), (WARRANTY, PAID))],
    "cold": [(BRANDS, (FRIDGES,), (WARRANTY, PAID))],
    "kitchen": [((VESTRA, AQUILON), (OVENS, HOBS, HOODS, MICROWAVES), (WARRANTY, PAID, INSTALLATION))],
    "water": [(BRANDS, (WASHERS, DISHWASHERS, HEATERS), (WARRANTY, PAID, INSTALLATION))],
    "paid": [(BRANDS, (None,), (PAID,))],
    "install": [(BRANDS, (None,), (INSTALLATION,))],
    "warranty": [((VESTRA, AQUILON), (None,), (WARRANTY,))],
}

DAY = (time(9), time(18))
HOURS: dict[str, list[tuple[range, time, time]]] = {
    "office": [(range(1, 6), *DAY)],
    "six_days": [(range(1, 6), time(9), time(19)), (range(6, 7), time(10), time(15))],
    "daily": [(range(1, 8), time(9), time(21))],
    "break": [(range(1, 6), time(9), time(13)), (range(1, 6), time(14), time(18))],
    "tuesday_saturday": [(range(2, 7), time(10), time(19))],
    "always": [(range(1, 8), time(0), time(23, 59))],
    "unknown": [],
}
FIRST_CODE = 1001
COVERED_AT_MOST = 6


def build(rng: random.Random) -> None:
    """Make the cities, brands, categories and centres of the demo; the same for the same generator."""
    reference.load()
    brands = {row.name: row for row in Brand.objects.bulk_create(Brand(name=name) for name in BRANDS)}
    categories = {row.name: row for row in Category.objects.bulk_create(Category(name=name) for name in CATEGORIES)}
    cities = list(City.objects.order_by("-population", "name", "pk"))
    # Where two cities share a name the bigger is meant: it comes first, and is not overwritten.
    by_name = {city.name: city for city in reversed(cities)}
    with CENTERS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    centers = ServiceCenter.objects.bulk_create(
        ServiceCenter(
            code=f"A-{code}",
            name=row["name"],
            legal_name=row["legal_name"],
            city=by_name[row["city"]],
            address=row["address"],
            directions=row["directions"],
            latitude=round(by_name[row["city"]].latitude + rng.uniform(-0.03, 0.03), 5),
            longitude=round(by_name[row["city"]].longitude + rng.uniform(-0.05, 0.05), 5),
            email=f"a{code}@service.example",
            note=row["note"],
            is_active=row["active"] == "1",
        )
        for code, row in enumerate(rows, start=FIRST_CODE)
    )
    pairs = list(zip(centers, rows, strict=True))
    ServiceCenterPhone.objects.bulk_create(
        phone for center, row in pairs for phone in _phones(center, row["area_code"], rng)
    )
    ServiceCenterHours.objects.bulk_create(
        ServiceCenterHours(service_center=center, weekday=day, opens_at=opens_at, closes_at=closes_at)
        for center, row in pairs
        for days, opens_at, closes_at in HOURS[row["hours"]]
        for day in days
    )
    ServiceCenterCoverage.objects.bulk_create(
        ServiceCenterCoverage(service_center=center, city=city)
        for center, row in pairs
        for city in _reach(center, int(row["reach_km"]), cities)
    )
    ServiceCenterSkill.objects.bulk_create(
        ServiceCenterSkill(
            service_center=center, brand=brands[brand], category=categories[kind] if kind else None, work=work
        )
        for center, row in pairs
        for brand, kind, work in _skills(row["skills"])
    )


def _phones(center: ServiceCenter, area_code: str, rng: random.Random) -> Iterator[ServiceCenterPhone]:
    """One telephone, or a second one of the workshop: +7 (495) 000-12-34, +7 (4862) 00-12-34."""
    labels = ["приёмная", "мастерская"] if rng.random() < 0.4 else [""]
    for position, label in enumerate(labels):
        head = "000" if len(area_code) == 3 else "00"
        number = f"+7 ({area_code}) {head}-{rng.randrange(100):02d}-{rng.randrange(100):02d}"
        yield ServiceCenterPhone(
            service_center=center, number=number, e164=read_phone(number).e164, label=label, position=position
        )


def _reach(center: ServiceCenter, km: int, cities: list[City]) -> list[City]:
    """The biggest cities around that a centre travels to, its own left out."""
    home = center.city
    around = (
        city
        for city in cities
        if city.pk != home.pk and distance_km(home.latitude, home.longitude, city.latitude, city.longitude) <= km
    )
    return [city for city, _number in zip(around, range(COVERED_AT_MOST), strict=False)]


def _skills(profile: str) -> Iterator[Skill]:
    for brands, categories, works in SKILLS[profile]:
        for brand in brands:
            for category in categories:
                for work in works:
                    yield brand, category, work
