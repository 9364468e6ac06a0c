"""/healthz, /readyz and /metrics: what each asks, and whom it answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from hotline.base import health
from hotline.base.health import Readiness
from hotline.base.models import Heartbeat
from hotline.base.tasks import heartbeat


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], Readiness]]:
    """The registry, empty: a test registers what it is about."""
    registry: dict[str, Callable[[], Readiness]] = {}
    monkeypatch.setattr(health, "_registered", registry)
    return registry


def test_healthz_asks_nobody(client: Client) -> None:
    response = client.get("/healthz")  # no database mark: a query would fail the test
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_readyz_names_every_part(client: Client, parts: dict[str, Callable[[], Readiness]]) -> None:
    def broken() -> Readiness:
        raise DatabaseError("FATAL: password of Анна")

    health.register_readiness("database", health._database)
    assert client.get("/readyz").status_code == 200
    health.register_readiness("outbox", lambda: Readiness(False, {"oldest_s": 91}))
    health.register_readiness("broken", broken)
    health.register_readiness("not in this installation", lambda: None)
    response = client.get("/readyz")
    body = response.json()
    assert response.status_code == 503
    assert body["status"] == "not ready"
    assert {name: part["ready"] for name, part in body["parts"].items()} == {
        "database": True,
        "outbox": False,
        "broken": False,
    }
    assert body["parts"]["outbox"]["oldest_s"] == 91
    assert body["parts"]["broken"] == {"ready": False, "error": "DatabaseError"}


@pytest.mark.django_db
def test_worker_is_ready_by_its_heartbeat() -> None:
    assert health._worker() == Readiness(False, {"heartbeat": "never"})
    heartbeat()
    assert health._worker() == Readiness(True, {"heartbeat_age_s": 0})
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=60))
    assert health._worker() == Readiness(False, {"heartbeat_age_s": 60})
    heartbeat()
    assert Heartbeat.objects.count() == 1
    assert health._worker().ready


@pytest.mark.broker
def test_broker_that_is_there() -> None:
    assert health._broker() == Readiness(True)


def test_broker_that_is_down_answers_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import Celery

    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)  # Celery itself prefers it
    away = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    monkeypatch.setattr(health, "current_app", away)
    started = timezone.now()
    found = health._ask("broker", health._broker)
    assert not found.ready
    assert timezone.now() - started < timedelta(seconds=2 * health.BROKER_PATIENCE + 1)


@pytest.mark.parametrize(
    ("token", "headers", "expected"),
    [
        ("", {"REMOTE_ADDR": "127.0.0.1"}, 200),
        ("", {"REMOTE_ADDR": "::1"}, 200),
        ("", {"REMOTE_ADDR": "10.0.0.5"}, 403),
        ("", {"REMOTE_ADDR": ""}, 403),
        ("", {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "10.0.0.5"}, 403),
        ("", {"REMOTE_ADDR": "10.0.0.5", "HTTP_AUTHORIZATION": "Bearer "}, 403),
        ("s3cr3t", {"REMOTE_ADDR": "10.0.0.5", "HTTP_AUTHORIZATION": "Bearer s3cr3t"}, 200),
        ("s3cr3t", {"REMOTE_ADDR": "10.0.0.5", "HTTP_AUTHORIZATION": "Bearer other"}, 403),
    ],
)
def test_metrics_are_not_for_the_world(
    client: Client, settings: Settings, db: None, token: str, headers: dict[str, Any], expected: int
) -> None:
    settings.METRICS_TOKEN = token
    response = client.get("/metrics", **headers)
    assert response.status_code == expected
    if expected == 200:
        assert b"python_info" in response.content


@pytest.mark.django_db
def test_heartbeat_goes_by_the_clock_of_the_database() -> None:
    heartbeat()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp() - at BETWEEN '0 s' AND '5 s' FROM base_heartbeat")
        assert cursor.fetchone() == (True,)
