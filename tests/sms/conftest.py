"""A development gateway in this process, and a broker that takes nothing: tasks are called by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sms import broker
from sms.gateways.development_server import DevelopmentServer


@pytest.fixture
def gateway(settings: Any, tmp_path: Path) -> Iterator[DevelopmentServer]:
    """A running development gateway that the settings name; `.log.newest(9)` is what arrived there."""
    server = DevelopmentServer(port=0, log=tmp_path / "gateway.jsonl")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    settings.SMS_GATEWAYS = ["development"]
    settings.SMS_DEVELOPMENT_URL = server.url
    settings.SMS_TIMEOUT = 2
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What was put on the broker: (task, pk)."""
    taken: list[tuple[str, int]] = []

    def publish(task: Any, pks: list[int], *, wait: float = 0) -> bool:
        taken.extend((task.name.rpartition(".")[2], pk) for pk in pks)
        return True

    monkeypatch.setattr(broker, "publish", publish)
    return taken


@pytest.fixture(autouse=True)
def _no_broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is put on a real broker, except where a test starts a worker of its own."""
    if "enqueued" not in request.fixturenames and not request.node.get_closest_marker("slow"):
        monkeypatch.setattr(broker, "publish", lambda task, pks, wait=0: True)
