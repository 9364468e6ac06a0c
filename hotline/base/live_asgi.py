"""The stream behind /live/: a raw ASGI application beside Django (design: «Live updates»).

A stream authenticates in a thread that ends before streaming, and from then on holds neither a thread nor a database
connection. One LISTEN connection a process, outside the pool, hears for all streams of it. What is sent (server-sent
events): `{"topic": …, "pk": …}` for each thing that changed, with `html` where pages need not ask (`Fragments`);
`reconnected` when this process was deaf for a moment, so that pages fetch anew; `beat` in silence. A stream that can't
be served any longer is closed: pages return by themselves and fetch anew then.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from io import BytesIO
from types import FrameType
from typing import Any

import psycopg
import structlog
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.db import connections
from django.http import HttpRequest
from prometheus_client import Counter, Gauge

from hotline.base.live import CHANNEL

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
# What the pages of these people (pks) show of a topic now; who is left out fetches it. Called in a thread.
Fragments = Callable[[Collection[int]], Mapping[int, str]]

HEARTBEAT = 15.0  # seconds of silence, then a beat: proxies close idle streams, and a page knows a dead line
RECHECK = 60.0  # how often sessions are looked at again: who signed out or was switched off hears no more
PROBE = 20.0  # how often the LISTEN connection is asked whether it is alive
CONNECT_PATIENCE = 5.0
FIRST_RETRY, LAST_RETRY = 0.2, 10.0
BACKLOG = 256  # events that a stream may lag behind before it is closed
FRAGMENT_PATIENCE = 5.0  # then pages fetch by themselves what could not be brought to them
AT_ONCE = 4  # sign-ins looked up at the same time: 150 pages returning together must not empty the pool

BEAT = b"event: beat\ndata: {}\n\n"
RECONNECTED = b"event: reconnected\ndata: {}\n\n"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]

log = structlog.get_logger(__name__)
STREAMS = Gauge("hotline_live_streams", "Pages that listen now")
LISTENING = Gauge("hotline_live_listening", "Whether this process hears the database (1) or not (0)")
NOTIFICATIONS = Counter("hotline_live_notifications_total", "What the database told this process")


class NotNow(Exception):
    """The stream can't be opened: the HTTP status that says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class News:
    """What a verb has published (hotline.base.live); `users` is None where it concerns all."""

    topic: str
    pk: Any
    users: frozenset[int] | None

    @classmethod
    def read(cls, payload: str) -> News:
        """Raises ValueError, KeyError or TypeError."""
        said = json.loads(payload)
        users = said["users"]
        return cls(str(said["topic"]), said["pk"], None if users is None else frozenset(users))

    def concerns(self, stream: Stream) -> bool:
        return self.users is None or stream.user in self.users

    def event(self, html: str | None = None) -> bytes:
        said = {"topic": self.topic, "pk": self.pk} | ({} if html is None else {"html": html})
        return f"data: {json.dumps(said, separators=(',', ':'))}\n\n".encode()


@dataclass(eq=False, slots=True)
class Stream:
    """One open page. `None` in its queue is its end."""

    user: int
    session: str
    task: asyncio.Task[Any]
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(BACKLOG))
    cut: bool = False

    def put(self, chunk: bytes | None) -> None:
        """Send a chunk when the page is ready for it; a page that lags too far behind is cut off."""
        try:
            self.queue.put_nowait(chunk)
        except asyncio.QueueFull:
            self.cut = True
            self.task.cancel()

    def end(self) -> None:
        self.put(None)


class LiveApplication:
    """Serves /live/ to those signed-in people for whom `may_listen` holds; `fragments` (by topic) go with news."""

    def __init__(
        self,
        *,
        may_listen: Callable[[Any], bool],
        fragments: Mapping[str, Fragments] | None = None,
        heartbeat: float = HEARTBEAT,
        recheck: float = RECHECK,
    ) -> None:
        self.may_listen = may_listen
        self.fragments = fragments or {}
        self.heartbeat = heartbeat
        self.recheck = recheck
        self.streams: set[Stream] = set()
        self.closing = False
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._hearing = asyncio.Event()
        self._to_show: asyncio.Queue[News] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    # --- One stream -----------------------------------------------------------------------------
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            user, session = await self._admit(scope)
        except NotNow as refusal:
            await _answer(send, refusal.status)
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - an ASGI server calls us in a task
        stream = Stream(user, session, task)
        self._add(stream)
        watch = asyncio.create_task(_end_at_disconnect(stream, receive))
        try:
            await self._pump(stream, send)
        except asyncio.CancelledError:
            if not stream.cut:
                raise
        finally:
            watch.cancel()
            self._remove(stream)

    async def _admit(self, scope: Scope) -> tuple[int, str]:
        """The user's pk and session key of whom may listen now; raises NotNow."""
        if scope["method"] != "GET":
            raise NotNow(405)
        try:
            async with self._gate, ThreadSensitiveContext():
                who = await sync_to_async(self._identify)(scope)
        except DatabaseError:
            raise NotNow(503) from None
        if self.closing or not await self._listen():
            raise NotNow(503)
        return who

    async def _pump(self, stream: Stream, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        chunk: bytes | None = BEAT  # a page that has heard one beat knows that it may wait for the next
        while chunk is not None:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            try:
                async with asyncio.timeout(self.heartbeat):
                    chunk = await stream.queue.get()
            except TimeoutError:
                chunk = BEAT
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    # --- Who listens (in a thread, with a database connection that goes back at once) ------------
    def _identify(self, scope: Scope) -> tuple[int, str]:
        try:
            request = ASGIRequest(scope, BytesIO())
            request.get_host()
        except DisallowedHost:
            raise NotNow(400) from None
        session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        try:
            user = _user_of(session)
            if user is None:
                raise NotNow(401)
            if not self.may_listen(user):
                raise NotNow(403)
            return user.pk, session
        finally:
            connections.close_all()

    def _still_there(self, people: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
        """Those of (user, session) that are signed in and may listen still."""
        try:
            there = set()
            for user_pk, session in people:
                user = _user_of(session)
                if user is not None and user.pk == user_pk and self.may_listen(user):
                    there.add((user_pk, session))
            return there
        finally:
            connections.close_all()

    async def _recheck_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self.recheck)
            people = {(stream.user, stream.session) for stream in self.streams}
            try:
                async with ThreadSensitiveContext():
                    there = await sync_to_async(self._still_there)(people)
            except DatabaseError:
                continue  # nobody is signed out because the database is away
            for stream in list(self.streams):
                person = (stream.user, stream.session)
                if person in people and person not in there:
                    stream.end()

    # --- The one connection that listens ----------------------------------------------------------
    async def _listen(self) -> bool:
        """Start listening with the first stream; does this process hear the database?"""
        if not self._tasks:
            for_ever = (self._hear_for_ever(), self._recheck_for_ever(), self._show_for_ever())
            self._tasks = [asyncio.create_task(each) for each in for_ever]
        try:
            async with asyncio.timeout(CONNECT_PATIENCE):
                await self._hearing.wait()
        except TimeoutError:
            return False
        return True

    async def _hear_for_ever(self) -> None:
        delay = FIRST_RETRY
        while True:
            try:
                await self._hear()
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("live_deaf", error=type(error).__name__, streams=len(self.streams))
                if self._hearing.is_set():  # the connection broke: at once again, it may be a moment
                    self._hearing.clear()
                    LISTENING.set(0)
                    delay = FIRST_RETRY
                    continue
                self._end_all()  # pages show that they hear nothing, and return by themselves
                await asyncio.sleep(delay * random.uniform(0.75, 1.25))  # noqa: S311
                delay = min(delay * 2, LAST_RETRY)

    async def _hear(self) -> None:
        """Listen until the connection breaks; raises psycopg.Error, OSError or TimeoutError then."""
        async with asyncio.timeout(CONNECT_PATIENCE):
            connection = await psycopg.AsyncConnection.connect(**_connection_parameters(), autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._hearing.set()
            LISTENING.set(1)
            self._tell(lambda stream: True, RECONNECTED)  # what was said while nobody heard is lost
            while True:
                async for notification in connection.notifies(timeout=PROBE):
                    self._pass_on(notification.payload)
                async with asyncio.timeout(CONNECT_PATIENCE):
                    await connection.execute("SELECT 1")

    def _pass_on(self, payload: str) -> None:
        """To the streams of those it concerns: at once, or as soon as what they show of it is there."""
        NOTIFICATIONS.inc()
        try:
            news = News.read(payload)
        except (ValueError, KeyError, TypeError):
            log.warning("live_unreadable")
            return
        if news.topic in self.fragments:
            self._to_show.put_nowait(news)
        else:
            self._tell(news.concerns, news.event())

    def _tell(self, concerns: Callable[[Stream], bool], chunk: bytes) -> None:
        for stream in list(self.streams):
            if concerns(stream):
                stream.put(chunk)

    # --- What goes along with the news ------------------------------------------------------------
    async def _show_for_ever(self) -> None:
        """One after the other, so that no page ends with what is older; what came meanwhile is shown together."""
        while True:
            burst = [await self._to_show.get()]
            while not self._to_show.empty():
                burst.append(self._to_show.get_nowait())
            for topic in dict.fromkeys(news.topic for news in burst):
                await self._show(topic, [news for news in burst if news.topic == topic])

    async def _show(self, topic: str, burst: Collection[News]) -> None:
        people = {stream.user for stream in self.streams if any(news.concerns(stream) for news in burst)}
        shown = await self._fragments_of(topic, people) if people else {}
        for news in burst:
            events = {html: news.event(html) for html in {None, *shown.values()}}
            for stream in list(self.streams):
                if news.concerns(stream):
                    stream.put(events[shown.get(stream.user)])

    async def _fragments_of(self, topic: str, people: Collection[int]) -> Mapping[int, str]:
        """Nothing where it fails or takes too long: then the news go alone, and pages fetch as they do elsewhere."""
        try:
            async with asyncio.timeout(FRAGMENT_PATIENCE):
                return await asyncio.to_thread(self._make_fragments, topic, people)
        except Exception:
            log.exception("live_no_fragments", topic=topic)
            return {}

    def _make_fragments(self, topic: str, people: Collection[int]) -> Mapping[int, str]:
        try:
            return self.fragments[topic](people)
        finally:
            connections.close_all()

    # --- The set of streams -----------------------------------------------------------------------
    def _add(self, stream: Stream) -> None:
        self.streams.add(stream)
        STREAMS.set(len(self.streams))

    def _remove(self, stream: Stream) -> None:
        self.streams.discard(stream)
        STREAMS.set(len(self.streams))

    def _end_all(self) -> None:
        for stream in list(self.streams):
            stream.end()

    def close(self) -> None:
        """End all streams, and open no new ones: the process is going down."""
        self.closing = True
        self._end_all()

    async def aclose(self) -> None:
        """`close`, and give back the LISTEN connection."""
        self.close()
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    def close_on_signals(self) -> None:
        """End the streams as soon as the server is asked to stop.

        The server itself waits for open responses first, and streams never end: without this every stop takes the whole
        graceful time and ends in cancelled tasks. The server's own handler is called after ours.
        """
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(each)
            if callable(handler):
                with contextlib.suppress(
                    ValueError
                ):  # not in the main thread: somebody else's server, somebody's signals
                    signal.signal(each, partial(_close_first, loop, self, handler))


def _close_first(
    loop: asyncio.AbstractEventLoop,
    application: LiveApplication,
    handler: Callable[[int, FrameType | None], Any],
    number: int,
    frame: FrameType | None,
) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(application.close)
    handler(number, frame)


def _user_of(session: str) -> Any | None:
    """The active user of a session, None where it is unknown, over, or of a password that was changed since."""
    if not session:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session)
    user = get_user(request)
    return user if user.is_authenticated and user.is_active else None


def _connection_parameters() -> dict[str, Any]:
    """Of the default database, for a connection outside the pool."""
    parameters = connections["default"].get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    return {**parameters, "application_name": "hotline-live", "keepalives_idle": 30, "keepalives_interval": 10}


async def _end_at_disconnect(stream: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-length", b"0"), (b"cache-control", b"no-store")]
    if status == 405:
        headers.append((b"allow", b"GET"))
    if status == 503:
        headers.append((b"retry-after", b"2"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
