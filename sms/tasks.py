"""What the worker does: thin ways into the verbs. One pk in, and the row decides whether there is anything to do."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from hotline.base import heartbeats
from sms import actions
from sms.actions import sweeping

SWEEP = "sms_sweep"
_ENOUGH = timedelta(seconds=1)


@shared_task(acks_late=True, expires=sweeping.REENQUEUE_AFTER.total_seconds())
def submit(pk: int) -> None:
    """Hand one message to its gateway. A repeated or late task finds nothing to claim."""
    actions.deliver(pk=pk)


@shared_task(acks_late=True, expires=sweeping.CHECK_LEASE.total_seconds())
def check_status(pk: int) -> None:
    """Ask the gateway what became of one message."""
    actions.check_status(pk=pk)


@shared_task
def sweep() -> None:
    """Every two seconds, by beat. Of a heap of them, left by a worker that was away, one does it; /readyz misses it
    where it fails or is not done."""
    since = heartbeats.age(SWEEP)
    if since is None or since > _ENOUGH:
        actions.sweep()
        heartbeats.beat(SWEEP)


@shared_task
def check_balances() -> None:
    """Every ten minutes, by beat."""
    actions.check_balances()
