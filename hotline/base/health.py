"""/healthz (this process answers), /readyz (all it needs is there), /metrics (for Prometheus, not for the world).

Rooms above register what else belongs to being ready: `register_readiness("sms_outbox", function)` in their AppConfig.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from hotline.base import heartbeats
from hotline.base.tasks import WORKER

BROKER_PATIENCE = 2  # seconds, in all

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """A verdict and the figures behind it (ages in seconds, counts); never personal data, /readyz shows them."""

    ready: bool
    facts: dict[str, Any] = field(default_factory=dict)


Part = Callable[[], Readiness | None]
_registered: dict[str, Part] = {}


def register_readiness(name: str, function: Part) -> None:
    """Ask `function` in every /readyz. It must answer within a second; what it raises counts as not ready.

    None: this installation has no such part, and nothing is said of it.
    """
    _registered[name] = function


def readiness() -> dict[str, Readiness]:
    """The verdict of every part, each asked although another failed."""
    found = {name: _ask(name, function) for name, function in _registered.items()}
    return {name: verdict for name, verdict in found.items() if verdict is not None}


def _ask(name: str, function: Part) -> Readiness | None:
    started = time.monotonic()
    try:
        found = function()
    except Exception as error:  # noqa: BLE001 - a part that can't be asked is not ready, whatever the reason
        log.warning("not_ready", part=name, error=type(error).__name__)
        return Readiness(False, {"error": type(error).__name__})
    if found is None:
        return None
    return Readiness(found.ready, {**found.facts, "took_ms": round((time.monotonic() - started) * 1000)})


def _database() -> Readiness:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Readiness(True)


def _broker() -> Readiness:
    """Opens a connection of its own: the pool's may be dead without knowing it."""
    with current_app.connection_for_write(connect_timeout=BROKER_PATIENCE) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=BROKER_PATIENCE)
        broker.default_channel  # noqa: B018 - Redis connects with the channel only
    return Readiness(True)


def _worker() -> Readiness:
    """A worker that does its tasks: beat, broker and worker are all behind this one figure."""
    return by_heartbeat(WORKER)


def by_heartbeat(process: str) -> Readiness:
    """Ready while the process has beaten lately (`heartbeats.OLDEST`)."""
    age = heartbeats.age(process)
    if age is None:
        return Readiness(False, {"heartbeat": "never"})
    return Readiness(age <= heartbeats.OLDEST, {"heartbeat_age_s": round(age.total_seconds())})


register_readiness("database", _database)
register_readiness("broker", _broker)
register_readiness("worker", _worker)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This process takes requests; asks nobody else, so that a database that is away restarts no web process."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 where every part is ready, else 503; the parts are named in both."""
    parts = readiness()
    ready = all(part.ready for part in parts.values())
    body = {
        "status": "ready" if ready else "not ready",
        "parts": {name: {"ready": part.ready, **part.facts} for name, part in parts.items()},
    }
    return JsonResponse(body, status=200 if ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' figures for this process: with the token of HOTLINE_METRICS_TOKEN, or from this machine itself."""
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    if (token and constant_time_compare(given, f"Bearer {token}")) or _is_from_this_machine(request):
        return ExportToDjangoView(request)
    return HttpResponse(status=403)


def _is_from_this_machine(request: HttpRequest) -> bool:
    """From loopback, and not handed on by a proxy that runs on this machine."""
    if any(request.headers.get(name) for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
