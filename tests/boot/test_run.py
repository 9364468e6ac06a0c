"""`make run`, whole: ready twice, refused while it runs, everything gone after a stop, alive again after a SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.helpers import free_port
from tests.servers import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("boot")]
COLD = 240  # seconds; the environment is there already, the machine may be busy with the rest of the suite
CHILDREN = {"postgres", "valkey-server", "sms_gateway", "uvicorn", "worker", "beat"}


class Run:
    """One `make run` after the environment is there."""

    def __init__(self, data: Path, port: int) -> None:
        own = ("DATABASE_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE")
        environment = {
            key: value for key, value in os.environ.items() if key not in own and not key.startswith("HOTLINE_")
        }
        self.log = data.parent / "run.log"
        self.port = port
        self.start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hotline.boot", "run"],
                env={**environment, "HOTLINE_DATA": str(data), "PORT": str(port)},
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.log.read_bytes()[self.start :].decode()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + COLD
        while "Hotline is ready" not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return int(answer.status)

    def wait(self) -> int:
        return self.process.wait(60)


@pytest.fixture
def data(folder: Path) -> Path:
    return folder / "data"


@pytest.fixture
def runs(data: Path) -> Iterator[list[Run]]:
    """All runs that a test started; none is left after it."""
    started: list[Run] = []
    yield started
    for run in started:
        if run.process.poll() is None:
            run.process.kill()
            run.wait()


def start(runs: list[Run], data: Path, port: int) -> Run:
    runs.append(Run(data, port))
    return runs[-1]


def all_gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=30)
    return not [each for each in alive if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def test_the_whole_life_of_make_run(runs: list[Run], data: Path) -> None:
    port = free_port()
    first = start(runs, data, port)
    first.wait_until_ready()
    assert "loading the demo data" in first.said
    assert f"http://127.0.0.1:{port}/" in first.said
    for word in ("operator ", "operator2", "supervisor", "admin", "API token"):
        assert word in first.said
    assert first.get("/healthz") == 200
    assert first.get("/") == 200
    children = first.children()
    lines = " ".join(" ".join(each.cmdline()) for each in children)
    assert {name for name in CHILDREN if name not in lines} == set()
    web = next(each for each in children if "uvicorn" in " ".join(each.cmdline()))
    assert {each.laddr.ip for each in web.net_connections("tcp") if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}

    second = start(runs, data, free_port())
    assert second.wait() == 1
    assert f"make run (process {first.process.pid}) is already at work" in second.said

    elsewhere = start(runs, data.parent / "other", port)
    assert elsewhere.wait() == 1
    assert f"port {port} is in use by «" in elsewhere.said

    first.process.send_signal(signal.SIGTERM)
    assert first.wait() == 0
    assert "everything is stopped" in first.said
    assert all_gone(children)

    # The second time: nothing is loaded anew.
    again = start(runs, data, port)
    again.wait_until_ready()
    assert "loading" not in again.said
    assert "bringing the database up to date" not in again.said
    children = again.children()
    again.process.kill()
    again.wait()
    assert all_gone(children)

    # After a kill; and a process that dies takes everything with it, in words.
    healed = start(runs, data, port)
    healed.wait_until_ready()
    children = healed.children()
    beat = next(each for each in children if "beat" in each.cmdline())
    beat.kill()
    assert healed.wait() == 1
    assert "the process «beat» ended by itself (code -9), so everything was stopped" in healed.said
    assert all_gone(children)


def test_a_first_start_that_is_killed_within_loading_recovers(runs: list[Run], data: Path) -> None:
    port = free_port()
    first = start(runs, data, port)
    deadline = time.monotonic() + COLD
    while "loading the demo data" not in first.said:
        assert first.process.poll() is None, first.said
        assert time.monotonic() < deadline
        time.sleep(0.02)
    children = first.children()
    first.process.kill()
    first.wait()
    assert all_gone(children)
    second = start(runs, data, port)
    second.wait_until_ready()
    assert "loading the demo data" in second.said
    assert "supervisor" in second.said
    second.process.send_signal(signal.SIGINT)
    assert second.wait() == 0
