"""Heartbeats of processes that take no requests: /readyz asks for their age."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Now

from hotline.base.models import Heartbeat

# Seconds from one beat to the next.
EVERY = 10
OLDEST = timedelta(seconds=45)  # four of them missed


def beat(name: str) -> None:
    """Note, by the database's clock, that the process is at work."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=Now())], update_conflicts=True, unique_fields=["name"], update_fields=["at"]
    )


def age(name: str) -> timedelta | None:
    """Since its last beat, by the database's clock; None: there never was one."""
    return Heartbeat.objects.filter(name=name).annotate(age=Now() - F("at")).values_list("age", flat=True).first()
