"""The development gateway's own process: a loopback HTTP server that takes messages and writes down every one of them.

It is the witness of the at-most-once promise, so it drops no duplicate and forgives nothing: each request that
arrives whole is a line in the log, on the disk (fsync), before anything is answered. Pure standard library and no
database: it outlives whatever happens to the rest.

    POST /messages   {"reference", "from", "to", "text"} → 201 {"id", "state": "accepted"} · 422 {"error"}
    GET  /messages   ?id= · ?reference= · ?limit=        → {"messages": [...]}, newest first
    GET  /behaviour  → {"delay_ms", "answer"}            PUT /behaviour sets them, from the next message on

Answers: `deliver` (accepted, delivered after a moment), `undeliver` (accepted, not delivered after a moment),
`reject` (422), `drop` (takes the message and cuts the connection without a word; a status query finds it).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from sms import segments

HOST = "127.0.0.1"
ANSWERS = ("deliver", "undeliver", "reject", "drop")
MAX_DELAY_MS = 60_000
# How long after its arrival a message is delivered, or found undeliverable (seconds).
MOMENT = 1.5
_MAX_BODY = 64 * 1024
_FIELDS = {"reference": 64, "from": 32, "to": 20, "text": 10_000}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One line of the log: a message as it arrived, and what this gateway had been told to do with it."""

    id: str
    reference: str
    sender: str
    to: str
    text: str
    at: float  # seconds since the epoch
    answer: str

    def shown(self) -> dict[str, Any]:
        """The message as the gateway tells of it."""
        counted = segments.count(self.text)
        return {
            **asdict(self),
            "state": self._state(),
            "segments": counted.count,
            "encoding": counted.encoding,
            "reason": {"reject": "invalid_destination", "undeliver": "absent_subscriber"}.get(self.answer, ""),
        }

    def _state(self) -> str:
        if self.answer == "reject":
            return "rejected"
        if time.time() - self.at < MOMENT:
            return "accepted"
        return "undelivered" if self.answer == "undeliver" else "delivered"


class Log:
    """The append-only file of arrivals, and the same in memory. A line torn by a kill does not count."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._arrivals: list[Arrival] = []
        self._by_id: dict[str, Arrival] = {}
        self._by_reference: dict[str, Arrival] = {}
        whole = True
        if path.exists():
            content = path.read_bytes()
            whole = content.endswith(b"\n") or not content
            for line in content.splitlines():
                try:
                    self._remember(Arrival(**json.loads(line)))
                except (ValueError, TypeError):
                    continue
        # It holds numbers and texts: nobody else's to read.
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if not whole:
            os.write(self._file, b"\n")

    def _remember(self, arrival: Arrival) -> None:
        self._arrivals.append(arrival)
        self._by_id[arrival.id] = arrival
        self._by_reference[arrival.reference] = arrival

    def append(self, arrival: Arrival) -> None:
        line = json.dumps(asdict(arrival), ensure_ascii=False) + "\n"
        with self._lock:
            os.write(self._file, line.encode())
            os.fsync(self._file)
            self._remember(arrival)

    def find(self, *, id: str = "", reference: str = "") -> list[Arrival]:
        with self._lock:
            found = self._by_id.get(id) if id else self._by_reference.get(reference)
        return [found] if found else []

    def newest(self, limit: int) -> list[Arrival]:
        with self._lock:
            return self._arrivals[: -limit - 1 : -1]


class DevelopmentServer(ThreadingHTTPServer):
    """Listens on the loopback interface only. `behaviour` may be changed while it runs."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *, port: int, log: Path, delay_ms: int = 0) -> None:
        self.behaviour: dict[str, Any] = {"delay_ms": delay_ms, "answer": "deliver"}
        super().__init__((HOST, port), _Handler)
        try:
            self.log = Log(log)
        except OSError:
            self.server_close()
            raise

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: DevelopmentServer
    protocol_version = "HTTP/1.1"
    server_version = "HotlineDevelopmentGateway"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        if parts.path == "/messages":
            if query.get("id") or query.get("reference"):
                arrivals = self.server.log.find(id=query.get("id", ""), reference=query.get("reference", ""))
            else:
                limit = query.get("limit", "100")
                arrivals = self.server.log.newest(min(int(limit), 500) if limit.isascii() and limit.isdigit() else 100)
            self._answer(200, {"messages": [arrival.shown() for arrival in arrivals]})
        elif parts.path == "/behaviour":
            self._answer(200, self.server.behaviour)
        else:
            self._answer(404, {"error": "not_found"})

    def do_POST(self) -> None:
        if self.path != "/messages":
            self._answer(404, {"error": "not_found"})
            return
        body = self._body()
        if body is None:
            return
        if any(not isinstance(body.get(name), str) or len(body[name]) > most for name, most in _FIELDS.items()):
            self._answer(400, {"error": "bad_request"})
            return
        behaviour = dict(self.server.behaviour)
        arrival = Arrival(
            id=uuid4().hex,
            reference=body["reference"],
            sender=body["from"],
            to=body["to"],
            text=body["text"],
            at=time.time(),
            answer=behaviour["answer"],
        )
        self.server.log.append(arrival)
        time.sleep(behaviour["delay_ms"] / 1000)
        if arrival.answer == "drop":
            self.close_connection = True
        elif arrival.answer == "reject":
            self._answer(422, {"error": "invalid_destination"})
        else:
            self._answer(201, {"id": arrival.id, "state": "accepted"})

    def do_PUT(self) -> None:
        if self.path != "/behaviour":
            self._answer(404, {"error": "not_found"})
            return
        body = self._body()
        if body is None:
            return
        wanted = {**self.server.behaviour, **body}
        delay = wanted.get("delay_ms")
        if (
            set(wanted) != {"delay_ms", "answer"}
            or wanted["answer"] not in ANSWERS
            or not isinstance(delay, int)
            or not 0 <= delay <= MAX_DELAY_MS
        ):
            self._answer(400, {"error": "bad_request"})
            return
        self.server.behaviour = wanted
        self._answer(200, wanted)

    def _body(self) -> dict[str, Any] | None:
        """The JSON object that came, or None after an error was answered.

        The content type is required: a page in somebody's browser can't send it here without being allowed to.
        """
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > _MAX_BODY:
            self.close_connection = True
            self._answer(413, {"error": "too_large"})
            return None
        raw = self.rfile.read(int(length))
        if len(raw) < int(length):  # the sender died in the middle: this is no message
            self.close_connection = True
            return None
        if self.headers.get_content_type() != "application/json":
            self._answer(415, {"error": "not_json"})
            return None
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            self._answer(400, {"error": "bad_request"})
            return None
        return body

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        payload = json.dumps(content, ensure_ascii=False).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
        except OSError:
            self.close_connection = True  # whoever asked is gone

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the log is the log, and numbers don't belong on a console."""


def serve(*, port: int, log: Path, delay_ms: int, say: Callable[[str], object]) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError where the port is taken or the log can't be written."""
    server = DevelopmentServer(port=port, log=log, delay_ms=delay_ms)

    def stop(*_args: object) -> None:
        # shutdown() waits for the loop that this very thread runs.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    say(f"Development SMS gateway on {server.url}, log in {log}")
    with server:
        server.serve_forever(poll_interval=0.2)


def main() -> None:
    """`python -m sms.gateways.development_server`: the same without Django, for tests."""
    parser = argparse.ArgumentParser(description="The development SMS gateway.")
    parser.add_argument("--port", type=int, default=8025)
    parser.add_argument("--delay", type=int, default=0, help="milliseconds before each answer")
    parser.add_argument("--log", type=Path, required=True)
    options = parser.parse_args()
    serve(
        port=options.port,
        log=options.log,
        delay_ms=options.delay,
        say=lambda line: print(line, file=sys.stderr, flush=True),  # noqa: T201
    )


if __name__ == "__main__":
    main()
