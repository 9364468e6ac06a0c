"""The application behind /live/ itself, with short intervals: beats, sign-outs, laggards, no database for a while."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connections

from hotline.base import live_asgi
from hotline.base.live_asgi import BACKLOG, LiveApplication
from hotline.operators.models import Role, User
from tests.helpers import run_loop
from tests.live.streams import session_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("live")]


class Client:
    """An ASGI server's side of one request."""

    def __init__(self, application: LiveApplication, session: str) -> None:
        cookie = f"{settings.SESSION_COOKIE_NAME}={session}".encode()
        self.scope: MutableMapping[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": "/live/",
            "query_string": b"",
            "headers": [(b"host", b"testserver"), (b"cookie", cookie)],
        }
        self.status = 0
        self.body = b""
        self.finished = False
        self.slow = asyncio.Event()
        self.slow.set()
        self._left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(application(self.scope, self._receive, self._send))

    async def _receive(self) -> MutableMapping[str, Any]:
        await self._left
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        await self.slow.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message["body"]
            self.finished = not message.get("more_body")

    @property
    def heard(self) -> list[tuple[str, Any, str | None]]:
        """Topic, pk and fragment of each event."""
        said = [json.loads(line[6:]) for line in self.body.splitlines() if line.startswith(b"data: ")]
        return [(each["topic"], each["pk"], each.get("html")) for each in said if each]

    def leave(self) -> None:
        self._left.set_result(None)

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)


def staff(user: Any) -> bool:
    return user.role in (Role.OPERATOR, Role.SUPERVISOR)


def drive(scenario: Callable[[LiveApplication], Awaitable[None]], **options: Any) -> None:
    """Run a scenario against an application of its own, in a loop of its own thread."""

    async def run() -> None:
        application = LiveApplication(may_listen=staff, **options)
        try:
            await scenario(application)
        finally:
            await application.aclose()

    run_loop(run())


@pytest.fixture
def session() -> str:
    return session_of(User.objects.create(username="operator", role=Role.OPERATOR))


def test_beats_in_silence(session: str) -> None:
    async def scenario(application: LiveApplication) -> None:
        client = Client(application, session)
        await client.until(lambda: client.body.count(b"event: beat\ndata: {}\n\n") >= 3)
        client.leave()
        await client.task
        assert client.status == 200

    drive(scenario, heartbeat=0.05)


@pytest.mark.parametrize("way", ["signed out", "switched off", "other role", "other password"])
def test_who_may_no_longer_listen_is_cut_off(session: str, way: str) -> None:
    def happen() -> None:
        user = User.objects.get()
        if way == "signed out":
            Session.objects.all().delete()
        elif way == "switched off":
            User.objects.update(is_active=False)
        elif way == "other role":
            User.objects.update(role=Role.INTEGRATION)
        else:
            user.set_password("another-one-2026")
            user.save()
        connections.close_all()

    async def scenario(application: LiveApplication) -> None:
        client = Client(application, session)
        await client.until(lambda: client.status == 200)
        await asyncio.sleep(0.3)
        assert not client.finished
        await asyncio.to_thread(happen)
        await client.until(lambda: client.finished)
        assert application.streams == set()

    drive(scenario, recheck=0.1)


def test_a_page_that_does_not_read_is_cut_off_and_others_hear(session: str) -> None:
    async def scenario(application: LiveApplication) -> None:
        slow, quick = Client(application, session), Client(application, session)
        await slow.until(lambda: slow.status == quick.status == 200)
        slow.slow.clear()
        for number in range(BACKLOG + 20):
            application._pass_on(f'{{"topic":"call","pk":{number},"users":null}}')
            await asyncio.sleep(0)
        await asyncio.wait_for(slow.task, 5)
        await quick.until(lambda: f'"pk":{BACKLOG + 19}}}'.encode() in quick.body)
        assert len(application.streams) == 1
        assert not quick.finished

    drive(scenario)


def test_while_the_database_stays_away_streams_end_and_none_opens(
    session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = live_asgi._connection_parameters

    async def scenario(application: LiveApplication) -> None:
        monkeypatch.setattr(live_asgi, "CONNECT_PATIENCE", 0.5)
        client = Client(application, session)
        await client.until(lambda: client.status == 200)
        monkeypatch.setattr(live_asgi, "_connection_parameters", lambda: {**real(), "port": 1})
        await asyncio.to_thread(_break_listening)
        await client.until(lambda: client.finished)
        refused = Client(application, session)
        await refused.until(lambda: refused.finished)
        assert refused.status == 503
        monkeypatch.setattr(live_asgi, "_connection_parameters", real)
        again: list[Client] = []

        def opens() -> bool:
            if not again or again[-1].finished:
                again.append(Client(application, session))
            return again[-1].status == 200

        await client.until(opens)

    drive(scenario)


def _break_listening() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'hotline-live' AND datname = current_database()"
        )
    connections.close_all()


def test_none_opens_while_the_process_stops(session: str) -> None:
    async def scenario(application: LiveApplication) -> None:
        client = Client(application, session)
        await client.until(lambda: client.status == 200)
        application.close()
        await client.until(lambda: client.finished)
        late = Client(application, session)
        await late.until(lambda: late.finished)
        assert late.status == 503

    drive(scenario)


# --- Fragments that go along ----------------------------------------------------------------------------
class Maker:
    """Makes fragments that say how many times it was asked, except for those `without`."""

    def __init__(self, *without: int) -> None:
        self.without = without
        self.asked: list[set[int]] = []
        self.free = threading.Event()
        self.free.set()

    def __call__(self, people: Collection[int]) -> dict[int, str]:
        self.asked.append(set(people))
        self.free.wait(10)
        return {pk: f"<b>{len(self.asked)}</b>" for pk in people if pk not in self.without}


def news(topic: str, pk: int, *users: User) -> str:
    return json.dumps({"topic": topic, "pk": pk, "users": [user.pk for user in users] or None})


async def streams(application: LiveApplication, *sessions: str) -> list[Client]:
    clients = [Client(application, session) for session in sessions]
    for client in clients:
        await client.until(lambda client=client: client.status == 200)
    return clients


def test_a_fragment_is_made_once_for_all_streams_and_once_for_a_burst(session: str) -> None:
    maker = Maker()

    async def scenario(application: LiveApplication) -> None:
        clients = await streams(application, *[session] * 20)
        application._pass_on(news("ring", 1))
        for client in clients:
            await client.until(lambda client=client: client.heard == [("ring", 1, "<b>1</b>")])
        assert len(maker.asked) == 1
        for pk in range(2, 7):
            application._pass_on(news("ring", pk))
        expected = [("ring", pk, "<b>2</b>") for pk in range(2, 7)]
        for client in clients:
            await client.until(lambda client=client: client.heard[1:] == expected)
        assert len(maker.asked) == 2

    drive(scenario, fragments={"ring": maker})


def test_a_fragment_is_made_for_those_it_concerns_and_for_pages_that_are_open(session: str) -> None:
    person = User.objects.get()
    other, away = (User.objects.create(username=name, role=Role.OPERATOR) for name in ("other", "away"))
    others = session_of(other)
    maker = Maker()

    async def scenario(application: LiveApplication) -> None:
        mine, theirs = await streams(application, session, others)
        application._pass_on(news("ring", 1, person, away))
        application._pass_on(news("ring", 2, away))
        await asyncio.sleep(0)
        application._pass_on(news("end", 3))
        await mine.until(lambda: ("ring", 1, "<b>1</b>") in mine.heard)
        await theirs.until(lambda: theirs.heard == [("end", 3, None)])
        assert maker.asked == [{person.pk}]

    drive(scenario, fragments={"ring": maker})


def test_who_gets_no_fragment_gets_the_event_alone(session: str) -> None:
    maker = Maker(User.objects.get().pk)

    async def scenario(application: LiveApplication) -> None:
        (client,) = await streams(application, session)
        application._pass_on(news("ring", 1))
        await client.until(lambda: client.heard == [("ring", 1, None)])

    drive(scenario, fragments={"ring": maker})


def test_where_no_fragment_can_be_made_the_event_goes_alone_and_the_next_is_tried(session: str) -> None:
    maker = Maker()

    def moody(people: Collection[int]) -> dict[int, str]:
        made = maker(people)
        return made if len(maker.asked) > 1 else {}[0]

    async def scenario(application: LiveApplication) -> None:
        (client,) = await streams(application, session)
        application._pass_on(news("ring", 1))
        await client.until(lambda: client.heard == [("ring", 1, None)])
        application._pass_on(news("ring", 2))
        await client.until(lambda: client.heard[1:] == [("ring", 2, "<b>2</b>")])

    drive(scenario, fragments={"ring": moody})


def test_while_a_fragment_is_made_other_news_pass_and_patience_ends(
    session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_asgi, "FRAGMENT_PATIENCE", 0.5)
    maker = Maker()
    maker.free.clear()

    async def scenario(application: LiveApplication) -> None:
        (client,) = await streams(application, session)
        application._pass_on(news("ring", 1))
        await client.until(lambda: len(maker.asked) == 1)
        application._pass_on(news("call", 2))
        await client.until(lambda: client.heard == [("call", 2, None)])
        await client.until(lambda: client.heard[1:] == [("ring", 1, None)])
        maker.free.set()

    drive(scenario, fragments={"ring": maker})
