"""What the machine does about calls by itself: rings whose end was never told, SMS that did not arrive."""

from __future__ import annotations

from celery import shared_task

from calls.actions import end_stale_ring, open_follow_ups
from calls.models import Call


@shared_task(name="calls.tasks.end_stale_rings", ignore_result=True)
def end_stale_rings() -> int:
    """Let calls that have rung beyond all patience end as missed. Idempotent; says how many it looked at."""
    pks = list(Call.objects.ringing_too_long().values_list("pk", flat=True)[:200])
    for pk in pks:
        end_stale_ring(call_id=pk, actor=None)
    return len(pks)


@shared_task(name="calls.tasks.follow_up_messages", ignore_result=True)
def follow_up_messages() -> int:
    """Messages that failed become somebody's to make good. Every twenty seconds, by beat."""
    return open_follow_ups()
