"""An SMPP centre that is not ours (npm's `smpp`), and the process of `manage.py smpp` beside it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from tests.helpers import free_port
from tests.servers import Server, database_url

FOLDER = Path(__file__).parent / "centre"
# A failure's patience, not the test's duration (seconds).
PATIENCE = 120


def wait_for(condition: Callable[[], Any], *servers: Server, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        ended = any(server.process is not None and server.process.poll() is not None for server in servers)
        if ended or time.monotonic() > deadline:
            logs = "\n".join(f"--- {server.log_path.name}\n{server.log[-3000:]}" for server in servers)
            pytest.fail(f"{'one of them ended' if ended else f'not within {seconds} seconds'}\n{logs}")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """npm's `smpp`, installed once beside the test data; skipped where npm can't get it, which fails a run in CI."""
    package = FOLDER / "package.json"
    cache = Path(os.environ.get("HOTLINE_DATA") or tempfile.gettempdir())
    home = cache / f"smpp-centre-{hashlib.sha256(package.read_bytes()).hexdigest()[:12]}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            shutil.copy(package, home)
            npm = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
            try:
                subprocess.run(npm, cwd=home, check=True, capture_output=True, timeout=120)
            except (OSError, subprocess.SubprocessError) as error:
                pytest.skip(f"npm can't install the SMPP centre ({type(error).__name__}), its tests are skipped")
            (home / "done").touch()
    return home / "node_modules"


class Centre(Server):
    """The centre in a process of its own; `.events()` is what it witnessed."""

    def __init__(self, modules: Path, folder: Path, *certificate: Path) -> None:
        self.port = free_port()
        self.witness, self.behaviour = folder / "witness.jsonl", folder / "behaviour.json"
        super().__init__(
            ["node", str(FOLDER / "centre.js"), str(self.port), str(self.witness), str(self.behaviour)]
            + [str(path) for path in certificate],
            {"SMPP_MODULES": str(modules)},
            folder / "centre.log",
        )

    def start(self) -> None:
        known = len(self.events("listening"))
        super().start()
        wait_for(lambda: len(self.events("listening")) > known or not self.running, self)
        assert self.running, self.log

    def behave(self, **wanted: Any) -> None:
        """From the next request on."""
        fresh = self.behaviour.with_suffix(".new")
        fresh.write_text(json.dumps(wanted))
        fresh.replace(self.behaviour)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """In the order in which they happened."""
        lines = self.witness.read_text().splitlines() if self.witness.exists() else []
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def submits(self) -> list[dict[str, Any]]:
        return self.events("submit")

    def taken(self) -> list[dict[str, Any]]:
        """Those that it answered, or would have answered, with «yes»."""
        return [event for event in self.submits() if event["status"] == 0]


@pytest.fixture
def centre(node_modules: Path, tmp_path: Path) -> Iterator[Centre]:
    server = Centre(node_modules, tmp_path)
    try:
        server.start()
        yield server
    finally:
        server.kill()


class SmppProcess(Server):
    """`manage.py smpp` on the test database."""

    def __init__(self, port: int, folder: Path, name: str, *options: str, **environment: str) -> None:
        super().__init__(
            [sys.executable, "manage.py", "smpp", *options],
            {
                "DATABASE_URL": database_url(django_settings.DATABASES["default"]),
                "HOTLINE_DEMO": "1",
                "HOTLINE_DATA": str(folder),
                "HOTLINE_DB_POOL_MAX": "6",
                "HOTLINE_LOG_LEVEL": "INFO",
                "HOTLINE_SMS_GATEWAYS": "smpp",
                "HOTLINE_SMS_TIMEOUT": "10",
                "HOTLINE_SMPP_HOST": "127.0.0.1",
                "HOTLINE_SMPP_PORT": str(port),
                "HOTLINE_SMPP_SYSTEM_ID": "hotline",
                "HOTLINE_SMPP_PASSWORD": "geheim",
                "HOTLINE_SMPP_PER_SECOND": "200",
                **environment,
            },
            folder / f"{name}.log",
        )


@pytest.fixture
def smpp(tmp_path: Path, settings: Any) -> Iterator[Callable[..., SmppProcess]]:
    """Start the process: `smpp(centre.port, "--silence", "1", HOTLINE_SMPP_WINDOW="4")`. All are ended in the end."""
    settings.SMS_GATEWAYS = ["smpp"]
    settings.SMS_DAILY_PER_NUMBER = 0
    started: list[SmppProcess] = []

    def start(port: int, *options: str, **environment: str) -> SmppProcess:
        process = SmppProcess(port, tmp_path, f"smpp{len(started) + 1}", *options, **environment)
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.kill()
