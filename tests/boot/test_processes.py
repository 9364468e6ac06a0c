"""Children never outlive us, and what does not want to stop is ended."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from hotline.boot.processes import Child, stop_all
from tests.helpers import PATIENCE

STUBBORN = "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
STUBBORN += "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
STUBBORN += "print(p.pid, flush=True); time.sleep(600)"


def wait_for_log(child: Child) -> str:
    deadline = time.monotonic() + PATIENCE
    while not (text := child.tail()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return text


def gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_stop_all_ends_the_stubborn_and_their_children(tmp_path: Path) -> None:
    child = Child("stubborn", [sys.executable, "-c", STUBBORN], tmp_path / "log")
    child.start()
    grandchild = int(wait_for_log(child))
    stop_all([child], seconds=0.3)
    assert child.code == -signal.SIGKILL
    assert gone(grandchild)


def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = "import sys, time, pathlib; from hotline.boot.processes import Child;"
    code += "c = Child('c', [sys.executable, '-c', 'import time; time.sleep(600)'], pathlib.Path(sys.argv[1]));"
    code += "c.start(); print(c.process.pid, flush=True); time.sleep(600)"
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.kill()
    parent.wait()
    assert gone(child)


def test_a_large_log_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    child = Child("c", [sys.executable, "-c", "print('new')"], log)
    child.start()
    child.wait(PATIENCE)
    assert child.tail() == "new"
    assert (tmp_path / "x.old.log").stat().st_size > 10 * 1024 * 1024
