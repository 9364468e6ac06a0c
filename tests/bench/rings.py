"""The screen-pop: an exchange says that a call rings, 150 operators have a page open; how long until each shows it."""

from __future__ import annotations

import asyncio
import json
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import psycopg
from django.conf import settings
from django.db import connection
from django.urls import reverse

from tests.bench.bare import CHANNEL
from tests.bench.cases import Asker, Request
from tests.bench.scene import Scene

PATIENCE = 60.0
LIMIT = 500.0  # ms: «at once», with 150 streams open


@dataclass(frozen=True)
class Delays:
    """In ms, over all streams and rings."""

    name: str
    median: float
    p95: float
    longest: float

    @classmethod
    def of(cls, name: str, values: Sequence[float]) -> Delays:
        ordered = sorted(values)
        return cls(name, statistics.median(ordered), ordered[int(len(ordered) * 0.95)], ordered[-1])


@dataclass(frozen=True)
class Rings:
    """`shown`: the ring has come to the page. `cleared`: it has gone. `crowd`: all pages ask, as after a restart."""

    streams: int
    shown: Delays
    cleared: Delays
    crowd: Delays
    bare: Delays

    @property
    def ratio(self) -> float:
        return self.shown.median / self.bare.median

    @property
    def too_slow(self) -> list[Delays]:
        return [each for each in (self.shown, self.cleared) if each.longest > LIMIT]

    @property
    def refused(self) -> bool:
        return self.crowd.longest == math.inf


class RefusedError(Exception):
    """The web process answered with an error."""


class Page:
    """One operator's page: its stream, and the connections by which it asks what rings."""

    def __init__(self, port: int, session: str) -> None:
        self.port = port
        self.cookie = f"Cookie: {settings.SESSION_COOKIE_NAME}={session}"
        self.heard: asyncio.Queue[tuple[float, str | None]] = asyncio.Queue()

    async def open(self) -> None:
        self.stream, writer = await self._connect("/live/")
        self.writers = [writer]
        await self.stream.readuntil(b"\r\n\r\n")
        self.reading = asyncio.create_task(self._read())

    async def _connect(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self.cookie}\r\n\r\n".encode())
        await writer.drain()
        status = await reader.readline()
        if b" 200 " not in status:
            raise RefusedError(f"{path} answered {status!r}")
        return reader, writer

    async def _read(self) -> None:
        async for line in self.stream:
            if line.startswith(b"data: ") and (said := json.loads(line[6:])).get("topic") == "incoming":
                self.heard.put_nowait((time.perf_counter(), said.get("html")))

    async def show(self) -> float:
        """The moment when the next event is shown: it has brought the fragment, or the page has asked for it."""
        async with asyncio.timeout(PATIENCE):
            moment, html = await self.heard.get()
        return moment if html is not None else await self.ask()

    async def ask(self) -> float:
        """Fetch what rings; the moment when it is here, ∞ if it never is."""
        async with asyncio.timeout(PATIENCE):
            try:
                reader, writer = await self._connect(reverse("calls:incoming"))
            except RefusedError:
                return math.inf
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            writer.close()
        return time.perf_counter()

    def close(self) -> None:
        self.reading.cancel()
        for writer in self.writers:
            writer.close()


async def measure(scene: Scene, port: int, rounds: int) -> Rings:
    """Ring, let all pages ask at once, hang up, hop; ring …"""
    pages = [Page(port, session) for session in scene.sessions]
    for page in pages:
        await page.open()
    exchange = Exchange(port, scene)
    shown: list[float] = []
    cleared: list[float] = []
    crowd: list[float] = []
    bare: list[float] = []
    try:
        async with await _listener() as listener:
            for n in range(rounds + 1):
                number = scene.callers[n % len(scene.callers)]
                shown_now = await exchange.ring(number, [page.show() for page in pages])
                crowd_now = await _crowd(pages)
                cleared_now = await exchange.hang_up([page.show() for page in pages])
                hop = await _hop(exchange, listener)
                if n:  # the first round warms up
                    shown += shown_now
                    crowd += crowd_now
                    cleared += cleared_now
                    bare.append(hop)
    finally:
        for page in pages:
            page.close()
    return Rings(
        len(pages),
        Delays.of("screen-pop: the page shows the ring", shown),
        Delays.of("the ring is gone from the page", cleared),
        Delays.of("all pages ask at once, as after a restart", crowd),
        Delays.of("bare LISTEN/NOTIFY hop", bare),
    )


class Exchange:
    """Says what a telephone exchange says, one call at a time, on a connection of its own."""

    def __init__(self, port: int, scene: Scene) -> None:
        self.port = port
        self.path = reverse("api:telephony-generic", args=[scene.exchange])
        self.call = {"from": "", "to": "78000000000", "direction": "in", "callId": ""}

    async def ring(self, number: str, waiting: Sequence[asyncio.Future[float]]) -> list[float]:
        """Delays in ms from the moment before the event is posted."""
        self.call |= {"from": number, "callId": uuid4().hex}
        return await self._say("newCall", waiting)

    async def hang_up(self, waiting: Sequence[asyncio.Future[float]]) -> list[float]:
        self.call |= {"cause": "cancel"}
        return await self._say("hangup", waiting)

    async def _say(self, event: str, waiting: Sequence[asyncio.Future[float]]) -> list[float]:
        return await self.post(self.path, {**self.call, "event": event}, waiting)

    async def post(self, path: str, body: dict[str, str], waiting: Sequence[asyncio.Future[float]]) -> list[float]:
        request = Request(path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        tasks = [asyncio.ensure_future(each) for each in waiting]
        asker = Asker(self.port)  # the server closes a connection that is silent for five seconds
        try:
            begun = time.perf_counter()
            await asyncio.to_thread(asker.ask, request)
            return [(moment - begun) * 1000 for moment in await asyncio.gather(*tasks)]
        finally:
            asker.close()


async def _crowd(pages: Sequence[Page]) -> list[float]:
    begun = time.perf_counter()
    return [(moment - begun) * 1000 for moment in await asyncio.gather(*[page.ask() for page in pages])]


async def _listener() -> psycopg.AsyncConnection:
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    listener = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
    await listener.execute(f"LISTEN {CHANNEL}")
    return listener


async def _hop(exchange: Exchange, listener: psycopg.AsyncConnection) -> float:
    """The same way without us: a view that does nothing but NOTIFY, one connection that listens."""

    async def hear() -> float:
        async for _notification in listener.notifies(timeout=PATIENCE, stop_after=1):
            return time.perf_counter()
        raise TimeoutError("the notification did not come")

    return (await exchange.post("/bare/notify/", {"call": "1"}, [hear()]))[0]
