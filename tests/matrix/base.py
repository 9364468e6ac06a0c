"""What machines ask is open to everybody; metrics only from this machine, where the test's client is."""

from __future__ import annotations

from hotline.base.tasks import heartbeat
from sms.tasks import sweep
from tests.matrix import ANYONE, SUPERVISOR, Line, World


def worker_at_work(world: World) -> dict[str, int]:
    heartbeat()
    sweep()
    return {}


LINES = {
    "base:healthz": Line(ANYONE, public=True),
    "base:readyz": Line(ANYONE, kwargs=worker_at_work, public=True),
    "base:metrics": Line(ANYONE, public=True),
    # Nothing is there, for nobody; the test's verdict on that is «out».
    "api-nowhere": Line(frozenset(), public=True),
    "base:styleguide": Line(SUPERVISOR),
    "base:styleguide-call": Line(SUPERVISOR),
}
