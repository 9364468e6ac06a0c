"""What the worker does: thin ways into the verbs. One pk in, and the row decides whether there is anything to do."""

from __future__ import annotations

from celery import shared_task

from sms import actions
from sms.actions import sweeping


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
    """Every two seconds, by beat."""
    actions.sweep()


@shared_task
def check_balances() -> None:
    """Every ten minutes, by beat."""
    actions.check_balances()
