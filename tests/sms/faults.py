"""A server on loopback that plays a gateway's answers and faults, and keeps every request that it got."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

# What is done with a connection once the request is read.
Play = Callable[[socket.socket], None]


@dataclass(frozen=True, slots=True)
class Received:
    """One request, as it came."""

    method: str
    path: str  # with its query
    headers: dict[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """The form's fields; a name that came twice fails."""
        fields = parse_qs(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        assert all(len(values) == 1 for values in fields.values())
        return {name: values[0] for name, values in fields.items()}


@contextmanager
def faulty(*plays: Play) -> Iterator[tuple[str, list[Received]]]:
    """A server that reads a request and then does what its turn says with the connection; the last turn stays."""
    listener = socket.create_server(("127.0.0.1", 0))
    requests: list[Received] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                requests.append(_read(connection))
                plays[min(len(requests), len(plays)) - 1](connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
    finally:
        listener.close()


def _read(connection: socket.socket) -> Received:
    read = b""
    while b"\r\n\r\n" not in read:
        if not (more := connection.recv(65536)):
            return Received("", "", {}, read)  # it was closed again before there was a request
        read += more
    head, _, body = read.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)) and (more := connection.recv(65536)):
        body += more
    method, path, _ = first.split(" ")
    return Received(method, path, headers, body)


def says(status: str, body: str = "", *headers: str) -> Play:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", *headers, "", body]
    return lambda connection: connection.sendall("\r\n".join(lines).encode())


def answers(body: Any) -> Play:
    """200 with that as JSON."""
    return says("200 OK", json.dumps(body), "Content-Type: application/json")


def hang_up(connection: socket.socket) -> None:
    """Not a byte."""


def silence(connection: socket.socket) -> None:
    time.sleep(1.5)


def trickle(connection: socket.socket) -> None:
    """Headers at once, then a byte now and then: no single read is ever late."""
    connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(60):
        time.sleep(0.1)
        try:
            connection.sendall(b" ")
        except OSError:
            return


def trickle_headers(connection: socket.socket) -> None:
    """The same, and the headers never end."""
    connection.sendall(b"HTTP/1.1 201 Created\r\n")
    for number in range(60):
        time.sleep(0.1)
        try:
            connection.sendall(f"X-{number}: 1\r\n".encode())
        except OSError:
            return


def trickle_to_the_end(connection: socket.socket) -> None:
    """Headers that say a refusal, and a body whose end is that of the connection."""
    connection.sendall(b"HTTP/1.1 429 Too Many Requests\r\n\r\n")
    for _ in range(60):
        time.sleep(0.1)
        try:
            connection.sendall(b" ")
        except OSError:
            return


def half(connection: socket.socket) -> None:
    connection.sendall(b'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"id": "g-1"')


def no_http(connection: socket.socket) -> None:
    connection.sendall(b"220 smtp\r\n\r\n")
