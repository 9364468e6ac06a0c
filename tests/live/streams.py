"""A client of /live/ for tests: one stream in a thread of its own that notes what it hears."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client

from tests.helpers import PATIENCE


def session_of(user: Any) -> str:
    """The session key of a signed-in user."""
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Page:
    """Opens /live/ and collects (event, data) pairs; beats are noted, not collected."""

    def __init__(self, url: str, session: str = "", **headers: str) -> None:
        parts = urlsplit(url)
        self.connection = HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
        cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"} if session else {}
        self.connection.request("GET", "/live/", headers={**cookie, **headers})
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.heard: list[tuple[str, Any]] = []
        self.beats = 0
        self.ended = threading.Event()
        self._news = threading.Condition()
        if self.status == 200:
            threading.Thread(target=self._read, daemon=True).start()
        else:
            self.ended.set()

    def _read(self) -> None:
        event, data = "message", ""
        try:
            for raw in self.response:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("data: "):
                    data = line[6:]
                elif not line:
                    self._note(event, json.loads(data))
                    event, data = "message", ""
        except (OSError, ValueError, AttributeError):
            pass  # closed under our hands
        self.ended.set()

    def _note(self, event: str, data: Any) -> None:
        with self._news:
            if event == "beat":
                self.beats += 1
            else:
                self.heard.append((event, data))
            self._news.notify_all()

    def wait_for(self, event: str, data: Any, seconds: float = PATIENCE) -> None:
        with self._news:
            found = self._news.wait_for(lambda: (event, data) in self.heard, seconds)
        assert found, f"{(event, data)} did not come, but {self.heard}"

    def wait_for_beats(self, count: int, seconds: float = PATIENCE) -> None:
        with self._news:
            assert self._news.wait_for(lambda: self.beats >= count, seconds), f"{self.beats} beats only"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # a mere close waits for the reader, that is for the next beat
        self.ended.wait(PATIENCE)
        self.response.close()
        self.connection.close()


def until(condition: Any, seconds: float = PATIENCE) -> None:
    """Wait until the condition holds; fail with its last value otherwise."""
    deadline = time.monotonic() + seconds
    while not (last := condition()):
        assert time.monotonic() < deadline, f"did not become true: {last!r}"
        time.sleep(0.05)
