"""`make test` and `make bench`: a command on servers of its own, so that it never touches the data of the demo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from hotline.boot.places import ROOT, data_folder, only_one
from hotline.boot.processes import die_with_parent
from hotline.boot.servers import servers


def test(arguments: Sequence[str]) -> int:
    """The whole suite on two to four workers; `arguments` go to pytest, the last one counts."""
    workers = max(2, min(4, os.cpu_count() or 2))
    command = [sys.executable, "-m", "pytest", "-n", str(workers), "--dist", "loadgroup"]
    return on_servers("test", [*command, *arguments])


def bench(arguments: Sequence[str]) -> int:
    return on_servers("bench", [sys.executable, "-m", "tests.bench", *arguments])


def on_servers(name: str, command: Sequence[str]) -> int:
    """Run the command on the servers of `<data>/<name>`, or on those that the environment names; its exit code."""
    folder = data_folder() / name
    folder.mkdir(exist_ok=True)
    with only_one(folder, f"make {name}"), servers(folder) as started:
        environment = {**os.environ, **started.environment, "HOTLINE_DATA": str(folder)}
        environment.pop("DJANGO_SETTINGS_MODULE", None)  # importing hotline has set it; tests bring their own
        process = subprocess.Popen(command, env=environment, cwd=ROOT, preexec_fn=die_with_parent(signal.SIGTERM))
        _hand_signals_to(process)
        return process.wait()


def _hand_signals_to(process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C reaches the child by itself, and it ends in its own time; what reaches us alone is handed on."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        process.send_signal(signal.SIGINT)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
