"""Verbs of the directory."""

from __future__ import annotations

from collections.abc import Iterable

from hotline.base.actions import verb
from hotline.operators.models import User
from service_centers.hours import Hours
from service_centers.models import ServiceCenter, ServiceCenterHours


@verb
def set_hours(*, service_center: ServiceCenter, week: Iterable[Hours], actor: User | None) -> None:
    """Put a week in place of the one that stands there; the centre is locked, so that two weeks never mix."""
    ServiceCenter.objects.select_for_update(of=("self",)).get(pk=service_center.pk)
    service_center.hours.all().delete()
    ServiceCenterHours.objects.bulk_create(
        ServiceCenterHours(
            service_center=service_center, weekday=row.weekday, opens_at=row.opens_at, closes_at=row.closes_at
        )
        for row in week
    )
