"""Processes of their own for tests: the web process, a Celery worker; they run hotline/settings.py itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hotline.boot.processes import die_with_parent
from tests.helpers import PATIENCE, free_port

ROOT = Path(__file__).resolve().parent.parent


def database_url(database: Mapping[str, Any]) -> str:
    """The test database as a DATABASE_URL, for another process."""
    user = quote(database["USER"], safe="")
    password = ":" + quote(database["PASSWORD"], safe="") if database["PASSWORD"] else ""
    return (
        f"postgres://{user}{password}@{database['HOST']}:{database['PORT'] or 5432}/{quote(database['NAME'], safe='')}"
    )


class Server:
    """A child process with its log in a file; started and stopped by the test, killed in the end whatever happened."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.arguments = list(arguments)
        self.environment = dict(environment)
        self.log_path = log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def pid(self) -> int:
        assert self.process is not None, "the server is not started"
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def whole_environment(self) -> dict[str, str]:
        """What the process gets: ours, but for the settings of the tests, and its own."""
        ours = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
        return {**ours, **self.environment}

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.arguments,
                env=self.whole_environment,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),  # a killed test run leaves no server behind
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Nothing to wait for in general."""

    def kill(self) -> None:
        """SIGKILL to the process and all its children: no cleanup of any kind."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        for each in (how, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, each)
            except ProcessLookupError:
                break
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()
        self.process = None


class WebServer(Server):
    """uvicorn with hotline.asgi on a fixed free port of 127.0.0.1."""

    def __init__(self, database: Mapping[str, Any], folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(
            [
                sys.executable,
                "-m",
                "uvicorn",
                "hotline.asgi:application",
                "--host",
                "127.0.0.1",
                "--port",
                str(self.port),
            ]
            + ["--timeout-graceful-shutdown", "3", "--no-access-log", "--log-level", "warning"],
            {
                "DATABASE_URL": database_url(database),
                "HOTLINE_DEMO": "1",
                "HOTLINE_DATA": str(folder),
                "HOTLINE_DB_POOL_MAX": "8",
                **environment,
            },
            folder / "web.log",
        )

    def ensure(self) -> None:
        if not self.running:
            self.start()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if not self.running:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                    return
            except urllib.error.HTTPError:
                return  # it answers
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the web process did not come up:\n{self.log[-4000:]}")


def worker_server(database: Mapping[str, Any], folder: Path, *options: str, **environment: str) -> Server:
    """A Celery worker; not started yet. `options` go to `celery worker`, `environment` to the process."""
    return Server(
        [sys.executable, "-m", "celery", "-A", "hotline", "worker", "--loglevel", "info", *options],
        {"DATABASE_URL": database_url(database), "HOTLINE_DEMO": "1", "HOTLINE_DATA": str(folder), **environment},
        folder / "worker.log",
    )
