"""The worker's heartbeat, for /readyz."""

from __future__ import annotations

from celery import shared_task
from django.db.models.functions import Now

from hotline.base.models import Heartbeat

WORKER = "worker"


@shared_task
def heartbeat() -> None:
    """Note, by the database's clock, that a worker takes tasks; beat plans it every 10 seconds."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=WORKER, at=Now())], update_conflicts=True, unique_fields=["name"], update_fields=["at"]
    )
