"""Where things are, who may start them, and the one sentence that ends a start that can't go on."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class BootError(Exception):
    """The start can't go on: one sentence that says what to do."""


def data_folder() -> Path:
    """HOTLINE_DATA, else `.local` in the checkout; made where it is missing, readable by its owner."""
    folder = Path(os.environ.get("HOTLINE_DATA") or ROOT / ".local").expanduser()
    folder = folder if folder.is_absolute() else ROOT / folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BootError(
            f"can't write to {folder} ({error.strerror}): make it yours, or name another folder with HOTLINE_DATA=…"
        ) from error
    return folder.resolve()


def tag_of(folder: Path) -> str:
    """A short name for a folder, the same at every start: for what can't lie in the folder itself."""
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]


def socket_folder(data: Path) -> Path:
    """A folder for unix sockets: `data` itself, or a private one in /tmp where that path is long or has odd characters.

    A socket's path holds 107 bytes at most, and is written into a URL.
    """
    if len(os.fsencode(data)) <= 80 and re.fullmatch(r"[\w./-]+", str(data), re.ASCII):
        return data
    folder = Path(tempfile.gettempdir()) / f"hotline-{os.getuid()}-{tag_of(data)}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise BootError(
            f"{folder} belongs to somebody else: remove it, or name a short data folder with HOTLINE_DATA=…"
        )
    folder.chmod(0o700)
    return folder


@contextmanager
def only_one(data: Path, what: str) -> Iterator[None]:
    """Hold the data folder's lock; a second start in the same folder is told who holds it."""
    path = data / "hotline.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise BootError(
                f"{holder} is already at work in {data}: stop it first, or give this one a folder of its own "
                "with HOTLINE_DATA=…"
            ) from None
        lock.truncate(0)
        lock.write(f"{what} (process {os.getpid()})")
        lock.flush()
        os.set_inheritable(lock.fileno(), False)
        yield
        lock.truncate(0)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wanted_port() -> int:
    """PORT from the environment (8000), when it can be had; else a sentence that names who holds it."""
    text = os.environ.get("PORT") or "8000"
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= 65535:
        raise BootError(f"PORT must be a number from 1 to 65535, not «{text}»")
    port = int(text)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)  # a listener on 0.0.0.0 lets us bind, not always listen
        except PermissionError:
            raise BootError(f"port {port} is only for root: choose another, for example make run PORT=8000") from None
        except OSError:
            raise BootError(
                f"port {port} is in use{_holder_of(port)}: stop that, or choose another, "
                f"for example make run PORT={port % 65535 + 1}"
            ) from None
    return port


def _holder_of(port: int) -> str:
    """« by python3 (process 123)» where the machine tells us, else nothing."""
    import psutil

    try:
        for held in psutil.net_connections("tcp"):
            if held.status == psutil.CONN_LISTEN and held.laddr.port == port and held.pid:
                return f" by «{psutil.Process(held.pid).name()}» (process {held.pid})"
    except (psutil.Error, OSError):
        pass
    return ""


def can_enter(folder: Path, uid: int, gid: int) -> bool:
    """May that user reach the folder? Asked of the system, by that user."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)],
        user=uid,
        group=gid,
        extra_groups=[],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return done.returncode == 0
