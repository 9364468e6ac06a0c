"""A tiny web site for testing the scripts of the look: our static files, pages made of strings, a stream, and answers
that a test prescribes. No Django, no database: what is tested is the script."""

from __future__ import annotations

import json
import queue
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

STATIC = Path(__file__).resolve().parents[2] / "hotline" / "base" / "static" / "base"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
# As in base/_head.html: what is not allowed there must not work here either.
CSP = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'"

WORDS = """
<template id="words" data-user="7" data-live-url="/live/" data-time-zone="Europe/Moscow" data-login-url="/sign-in/"
  data-live-on="on the line" data-live-off="no line" data-live-connecting="dialling"
  data-draft-saved="saved at {time}" data-draft-failed="not saved, trying again" data-draft-refused="refused"
  data-draft-restored="put back" data-draft-conflict="two versions" data-draft-found="text of {time}"
  data-draft-keep-mine="Keep mine" data-draft-take-saved="Take the saved one"
  data-net-offline="no server" data-net-error="error {status}" 
  data-net-forbidden="forbidden" data-net-signed-out="signed out"></template>
<div id="net-notice" hidden>
  <span data-net-text></span><a data-net-link hidden>Sign in</a><button data-net-close>x</button></div>
<div id="messages"></div>
<template id="toast-template">
  <div class="toast"><span data-toast-text></span><button data-toast-close>x</button></div>
</template>
<dialog id="keys-dialog"><button data-dialog-close>Close</button><dl data-keys-list></dl></dialog>
"""
# The very configuration that pages have.
HTMX = re.search(
    r"<meta name=\"htmx-config\"[^>]+>",
    (STATIC.parents[3] / "templates/base/_head.html").read_text(encoding="utf-8"),
)


def until(page: Page, condition: str) -> None:
    """Wait until a JavaScript expression holds. Playwright's own wait evaluates in the page, which our CSP forbids."""
    deadline = time.monotonic() + 10
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"never came true: {condition}"
        page.wait_for_timeout(30)


class Site:
    """Pages by path, answers to POST by path, and what was posted. `say` sends to the open streams of /live/."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.answers: dict[str, Callable[[bytes], tuple[int, str]]] = {}
        self.posted: list[tuple[str, bytes]] = []
        self.streams: list[queue.Queue[bytes | None]] = []
        self.refuse_streams = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def page(self, path: str, body: str, *scripts: str) -> str:
        """Put a page there with those scripts of ours (all, where none is named), and return its address."""
        tags = "".join(f'<script type="module" src="/static/base/{name}.js"></script>' for name in scripts)
        assert HTMX is not None
        htmx = HTMX[0] + '<script src="/static/base/vendor/htmx.min.js" defer></script>'
        self.pages[path] = (
            f'<!doctype html><html lang="ru"><head><meta charset="utf-8"><title>t</title>{htmx}{tags}</head>'
            f"<body>{body}{WORDS}</body></html>"
        )
        return self.url + path

    def posts(self, path: str) -> list[Any]:
        """The JSON bodies posted to a path."""
        return [json.loads(body) for where, body in self.posted if where == path]

    def say(self, text: str) -> None:
        for stream in list(self.streams):
            stream.put(text.encode())

    def open_streams(self, expected: int = 1, patience: float = 10) -> int:
        """How many streams somebody listens to: a closed one is noticed by writing to it, in its own time."""
        until = time.monotonic() + patience
        while True:
            for _ in range(2):
                self.say(": are you there\n\n")
                time.sleep(0.15)
            if len(self.streams) == expected or time.monotonic() > until:
                return len(self.streams)

    def hang_up(self) -> None:
        for stream in list(self.streams):
            stream.put(None)

    def close(self) -> None:
        self.hang_up()
        self._server.shutdown()
        self._server.server_close()

    def _handler(site) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def answer(self, status: int, body: bytes, kind: str = "text/html; charset=utf-8") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Security-Policy", CSP)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                if path == "/live/":
                    self.stream()
                elif path.startswith("/static/base/"):
                    file = STATIC / path.removeprefix("/static/base/")
                    self.answer(200, file.read_bytes(), TYPES[file.suffix])
                elif path in site.answers:
                    status, text = site.answers[path](b"")
                    self.answer(status, text.encode())
                else:
                    self.answer(200 if path in site.pages else 404, site.pages.get(path, "none").encode())

            def do_POST(self) -> None:
                path = urlsplit(self.path).path
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                site.posted.append((path, body))
                status, text = site.answers[path](body)
                if status == 0:  # the server dies in the middle
                    self.connection.close()
                    return
                self.answer(status, text.encode(), "application/json" if text.startswith("{") else "text/html")

            def stream(self) -> None:
                if site.refuse_streams:
                    self.answer(503, b"")
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                said: queue.Queue[bytes | None] = queue.Queue()
                said.put(b"event: beat\ndata: {}\n\n")
                site.streams.append(said)
                try:
                    while (chunk := said.get()) is not None:
                        self.wfile.write(chunk)
                        self.wfile.flush()
                except OSError:
                    pass
                finally:
                    site.streams.remove(said)

        return Handler
