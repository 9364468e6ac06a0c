"""Child processes that never outlive us: each in its own session, its log in a file, ended with its children."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(how: signal.Signals) -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel sends `how` to the child when we die, however we die (Linux only).

    A child of ours must not be left behind even by SIGKILL; elsewhere the next start finds and adopts what was left.
    """
    if _libc is None:
        return None
    parent = os.getpid()
    libc = _libc

    def set_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0)
        if os.getppid() != parent:  # it died between the fork and this line
            os.kill(os.getpid(), how)

    return set_signal


@dataclass
class Child:
    """One process of ours."""

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    cwd: str | Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    identity: tuple[int, int] | None = None  # uid and gid to run as
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        user, group = self.identity or (None, None)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        _rotate(self.log)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self.arguments),
                env=dict(self.environment) if self.environment is not None else None,
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone; we end the others in order
                preexec_fn=die_with_parent(self.death_signal),
                user=user,
                group=group,
                extra_groups=[] if self.identity else None,
            )

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def code(self) -> int | None:
        return self.process.poll() if self.process else None

    def tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def ask_to_stop(self) -> None:
        if self.running and self.process:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(self.stop_signal)

    def wait(self, seconds: float) -> bool:
        """Has it ended within that time?"""
        if self.process is None:
            return True
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> None:
        """End what is left of it and of its children, at once."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def stop_all(children: Sequence[Child], seconds: float) -> None:
    """Ask all to stop, give them that long together, then end what is left."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + seconds
    for child in children:
        child.wait(max(0.0, deadline - time.monotonic()))
    for child in children:
        child.end()


def _rotate(log: Path, limit: int = 10 * 1024 * 1024) -> None:
    """Keep one older log; a demo that runs for months must not fill the disk at its next starts."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > limit:
            log.replace(log.with_suffix(".old.log"))
