"""A clock for deadlines that a lease in the database stands behind."""

from __future__ import annotations

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds() -> float:
    """Seconds from some moment on, never back.

    `time.monotonic` stands still while the machine is suspended, and a lease does not: on Linux this one goes on, too.
    """
    return time.clock_gettime(_CLOCK)
