"""The worker's heartbeat, for /readyz."""

from __future__ import annotations

from celery import shared_task

from hotline.base.heartbeats import beat

WORKER = "worker"


@shared_task
def heartbeat() -> None:
    """A worker takes tasks; beat plans it every 10 seconds."""
    beat(WORKER)
