"""Reference data of this room: the cities of Russia (`manage.py load_reference`)."""

from __future__ import annotations

import csv
from pathlib import Path

from django.db import transaction

from service_centers.models import City

# Names, coordinates and zones: GeoNames (www.geonames.org), CC BY 4.0; Russian spelling, ё and other names: ours.
CITIES = Path(__file__).resolve().parent / "data" / "cities.csv"


def cities() -> list[City]:
    """The rows of the file, unsaved."""
    with CITIES.open(encoding="utf-8", newline="") as file:
        return [
            City(
                name=row["name"],
                region=row["region"],
                latitude=float(row["latitude"]),
                longitude=float(row["longitude"]),
                timezone=row["timezone"],
                population=int(row["population"]),
                other_names=row["other_names"],
            )
            for row in csv.DictReader(file)
        ]


def load() -> None:
    """Add the cities that are missing; one that a supervisor has changed is left as it is. May run again and again."""
    with transaction.atomic():
        City.objects.bulk_create(cities(), ignore_conflicts=True)
