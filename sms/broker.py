"""Putting tasks on the broker without ever waiting for it, or failing with it.

The row in the database is the message; a task on the broker is only a hint to a worker that there is something to do.
So a broker that refuses, hangs or is gone costs the person at the page at most WAIT, once; the sweep puts the task
there again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import structlog

log = structlog.get_logger(__name__)

# The longest that a caller waits for the broker (seconds). A healthy one takes a few milliseconds.
WAIT = 0.5
# After a broker did not answer in time, nobody waits for it for so long (seconds).
REST = 5.0
# Publishing at the same time in one process. Behind a broker that hangs no more threads than these pile up.
_SLOTS = 8


class Publisher:
    """Publishes in a thread of its own, so that the wait is bounded whatever the client library of the broker does."""

    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(_SLOTS)
        self._resting_until = 0.0

    def publish(self, task: Any, pks: Sequence[int], *, wait: float = WAIT) -> bool:
        """Put `task(pk)` on the broker for each pk. True where the broker has all of them; never raises."""
        if not pks:
            return True
        if time.monotonic() < self._resting_until or not self._slots.acquire(blocking=False):
            log.warning("broker_skipped", task=task.name, count=len(pks))
            return False
        failed: list[Exception] = []
        done = threading.Event()

        def run() -> None:
            try:
                with task.app.producer_or_acquire() as producer:
                    for pk in pks:
                        task.apply_async((pk,), producer=producer, retry=False)
            except Exception as error:  # noqa: BLE001 - whatever it is, the sweep will do it again
                failed.append(error)
            else:
                # Late perhaps (the first one imports the client library), but it works: nobody need spare it.
                self._resting_until = 0.0
            finally:
                self._slots.release()
                done.set()

        # A daemon: a process that ends does not wait for a broker that hangs.
        threading.Thread(target=run, name="sms-publish", daemon=True).start()
        if done.wait(wait) and not failed:
            return True
        if not done.is_set() or failed:
            self._resting_until = time.monotonic() + REST
        log.warning(
            "broker_did_not_take",
            task=task.name,
            count=len(pks),
            error=type(failed[0]).__name__ if failed else "timeout",
        )
        return False


publish = Publisher().publish
