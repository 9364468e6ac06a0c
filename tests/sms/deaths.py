"""A process that dies at any step: each statement, each side of a commit, each octet that matters on a socket.

A death is a BaseException that no `except Exception` catches, raised out of whatever runs; its transaction is rolled
back and its connection to the database gone, as the server sees to it where a process was killed. A dead process does
nothing more: the next step raises again.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

_here = threading.local()


class Killed(BaseException):
    """The process is gone."""


class Life:
    """The steps of one thread so far, by name, and at which one it ends: `at` counts from 0, None is never."""

    def __init__(self, at: int | None) -> None:
        self.steps: list[str] = []
        self.died_at = ""
        self._at = at

    def step(self, name: str) -> None:
        if not self.died_at:
            self.steps.append(name)
            if self._at is None or len(self.steps) <= self._at:
                return
            self.died_at = name
            database = connections["default"]
            if database.connection is not None:
                database.connection.rollback()  # at once, not when the server notices
            database.close()
        raise Killed(name)


@contextmanager
def life(at: int | None) -> Iterator[Life]:
    """What runs inside dies at step `at`; `died_at` names that step, and is "" where it came through."""
    lived = Life(at)
    database: Any = connections["default"]
    committed = database.commit

    def commit() -> None:
        lived.step("before the commit")
        committed()
        lived.step("after the commit")

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = run(sql, params, many, context)
        lived.step("statement")
        return result

    database.commit = commit
    _here.life = lived
    try:
        with database.execute_wrapper(execute):
            yield lived
    except Killed:
        pass
    finally:
        del _here.life
        del database.commit


class Mortal(socket.socket):
    """A connected socket whose every octet is a step of the thread that uses it."""

    def send(self, data: Any, flags: int = 0) -> int:
        rest = memoryview(data)
        _step("before the first octet")
        sent = super().send(rest[:1], flags)
        _step("after the first octet")
        if rest[1:]:
            super().sendall(rest[1:], flags)
            sent = len(rest)
        _step("after the last octet")
        return sent

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.send(data, flags)

    def recv(self, size: int, flags: int = 0) -> bytes:
        got = super().recv(size, flags)
        _step("after the answer")
        return got


def connect(address: tuple[str, int], *args: Any, **options: Any) -> Mortal:
    """Stands for `socket.create_connection`."""
    _step("before the connection")
    plain = _create_connection(address, *args, **options)
    mortal = Mortal(plain.family, plain.type, plain.proto, fileno=plain.detach())
    mortal.settimeout(options.get("timeout"))
    mortal.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the first octet goes alone, and at once
    return mortal


_create_connection = socket.create_connection


def _step(name: str) -> None:
    lived: Life | None = getattr(_here, "life", None)
    if lived is not None:
        lived.step(name)
