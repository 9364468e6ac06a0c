"""`make run`: the whole demo on one machine, from an empty folder to an address; Ctrl-C leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from hotline.boot.places import ROOT, BootError, data_folder, free_port, only_one, wanted_port
from hotline.boot.processes import Child, die_with_parent, stop_all
from hotline.boot.servers import Servers, servers

READY_PATIENCE = 90  # seconds, on a slow machine
STOP_PATIENCE = 10


class Stop(Exception):  # noqa: N818 - no error: the person or the system asked us to end
    """Ctrl-C, SIGTERM, or the terminal is gone."""


def run() -> None:
    try:
        _stop_on_signals()
        data, port = data_folder(), wanted_port()
        with only_one(data, "make run"), servers(data) as started:
            _serve(data, port, started)
    except Stop:
        print("hotline: everything is stopped", flush=True)


def _serve(data: Path, port: int, started: Servers) -> None:
    gateway = free_port()
    environment = {
        **os.environ,
        **started.environment,
        "HOTLINE_DEMO": "1",
        "HOTLINE_DATA": str(data),
        "HOTLINE_SMS_DEVELOPMENT_URL": f"http://127.0.0.1:{gateway}",
    }
    logins = data / "demo-logins.txt"
    _prepare(environment, logins)
    children = _children(environment, data, port, gateway)
    try:
        for child in children:
            child.start()
        _wait_until_ready(port, children, started)
        _greet(port, data, logins.read_text(encoding="utf-8").splitlines())
        while True:
            _check(children, started)
            time.sleep(0.5)
    except Stop:
        print("\nhotline: stopping", flush=True)
        raise
    finally:
        _ignore_signals()  # what follows is bounded in time; an impatient second Ctrl-C must not cut it short
        stop_all(children, STOP_PATIENCE)


def _prepare(environment: dict[str, str], logins: Path) -> None:
    """Schema, reference data, demo data; its words go to the terminal."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hotline.boot.prepare", str(logins)],
        env=environment,
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
    try:
        code = process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if code:
        raise BootError("the database could not be brought up to date (the reason is above)")


def _children(environment: dict[str, str], data: Path, port: int, gateway: int) -> list[Child]:
    python, log = sys.executable, data / "log"
    celery = [python, "-m", "celery", "-A", "hotline"]
    commands: dict[str, list[str]] = {
        "sms-gateway": [python, "manage.py", "sms_gateway", "--port", str(gateway)],
        # whitenoise misses the folder of collected files; the demo serves them from where they lie.
        "web": [
            python,
            "-W",
            "ignore:No directory at",
            "-m",
            "uvicorn",
            "hotline.asgi:application",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        + ["--timeout-graceful-shutdown", "3", "--no-access-log", "--log-level", "warning"],
        # Threads: the tasks wait for the network, and one process starts and stops faster than four.
        "worker": [
            *celery,
            "worker",
            "--pool",
            "threads",
            "--concurrency",
            "4",
            "--without-gossip",
            "--without-mingle",
        ],
        "beat": [*celery, "beat", "--pidfile="],
    }
    return [
        Child(name, arguments, log / f"{name}.log", environment=environment, cwd=ROOT)
        for name, arguments in commands.items()
    ]


def _check(children: Sequence[Child], started: Servers) -> None:
    started.check()
    for child in children:
        if not child.running:
            raise BootError(
                f"the process «{child.name}» ended by itself (code {child.code}), so everything was stopped; "
                f"the last lines of {child.log}:\n{child.tail()}"
            )


def _wait_until_ready(port: int, children: Sequence[Child], started: Servers) -> None:
    deadline = time.monotonic() + READY_PATIENCE
    while time.monotonic() < deadline:
        _check(children, started)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise BootError(f"the web process did not answer within {READY_PATIENCE} seconds, its log is {children[1].log}")


def _greet(port: int, data: Path, logins: Sequence[str]) -> None:
    lines = [f"Hotline is ready: http://127.0.0.1:{port}/", "", *logins]
    lines += ["", f"Logs are in {data / 'log'}. Ctrl-C stops everything."]
    print("\n" + "\n".join(f"  {line}".rstrip() for line in lines) + "\n", flush=True)


def _stop_on_signals() -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        _ignore_signals()
        raise Stop

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)


def _ignore_signals() -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
