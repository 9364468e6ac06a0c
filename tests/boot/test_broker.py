"""The embedded broker: keeps its tasks over a restart, replaces what a killed run left, listens on no port."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from kombu import Connection

from hotline.boot import broker as module
from hotline.boot.broker import Broker
from hotline.boot.places import BootError

pytestmark = pytest.mark.xdist_group("boot")


def broker(folder: Path) -> Broker:
    return Broker(folder / "broker", folder / "log" / "broker.log")


def put(url: str, text: str) -> None:
    with Connection(url) as connection:
        connection.SimpleQueue("test").put(text)


def get(url: str) -> str:
    with Connection(url) as connection:
        message = connection.SimpleQueue("test").get(timeout=5)
        message.ack()
        return str(message.payload)


def test_tasks_outlive_a_restart(folder: Path) -> None:
    started = broker(folder)
    with started as url:
        assert started.child.process
        process = psutil.Process(started.child.process.pid)
        assert [each for each in process.net_connections("inet") if each.status == psutil.CONN_LISTEN] == []
        assert started.socket.stat().st_mode & 0o777 == 0o700
        put(url, "kept")
    assert not started.running
    assert not started.socket.exists()
    with broker(folder) as again:
        assert get(again) == "kept"


def test_tasks_outlive_a_kill(folder: Path) -> None:
    started = broker(folder)
    put(started.__enter__(), "kept")
    started.child.end()
    assert started.socket.exists()
    with broker(folder) as again:
        assert get(again) == "kept"


def test_one_left_running_is_replaced(folder: Path) -> None:
    left = broker(folder)
    put(left.__enter__(), "kept")
    with broker(folder) as again:
        assert get(again) == "kept"
    left.child.wait(10)
    assert not left.running


def test_no_server_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(module, "files", lambda name: [])
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    with pytest.raises(BootError, match="or set CELERY_BROKER_URL"):
        broker(folder)
