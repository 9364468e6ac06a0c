"""/live/ in a real web process: who hears what, what a stream costs, and what happens when a connection breaks."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from typing import Any

import pytest
from django.db import connection, transaction

from hotline.base.live import publish
from hotline.operators.models import Role, User
from tests.helpers import PATIENCE
from tests.live.streams import Page, session_of, until
from tests.servers import WebServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("live")]


def make_user(name: str, role: Role = Role.OPERATOR) -> User:
    return User.objects.create(username=name, role=role)


@pytest.fixture
def operator(asgi_server: WebServer) -> User:
    return make_user("operator")


@pytest.fixture
def stream(asgi_server: WebServer, operator: User) -> Iterator[Page]:
    with closing(Page(asgi_server.url, session_of(operator))) as opened:
        assert opened.status == 200
        yield opened


def sql(text: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchone()[0]


def backends(name: str) -> int:
    return int(
        sql(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}' AND datname = current_database()")
    )


def threads_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


# --- Who hears what -----------------------------------------------------------------------------------
def test_what_is_published_arrives_after_the_commit(stream: Page) -> None:
    with transaction.atomic():
        publish(topic="call", pk=12)
        time.sleep(0.3)
        assert stream.heard == []
    stream.wait_for("message", {"topic": "call", "pk": 12})


def test_what_is_rolled_back_never_arrives(stream: Page) -> None:
    with transaction.atomic():
        publish(topic="call", pk=1)
        transaction.set_rollback(True)
    publish(topic="call", pk=2)
    stream.wait_for("message", {"topic": "call", "pk": 2})
    assert stream.heard == [("message", {"topic": "call", "pk": 2})]


def test_each_hears_only_what_concerns_them(asgi_server: WebServer, operator: User, stream: Page) -> None:
    other = make_user("other", Role.SUPERVISOR)
    with closing(Page(asgi_server.url, session_of(other))) as others:
        publish(topic="ring", pk=1, users=[operator.pk])
        publish(topic="ring", pk=2, users=[other.pk])
        publish(topic="ring", pk=3, users=[])
        publish(topic="alias", pk=None, users=None)
        for each in (stream, others):
            each.wait_for("message", {"topic": "alias", "pk": None})
        assert stream.heard == [("message", {"topic": "ring", "pk": 1}), ("message", {"topic": "alias", "pk": None})]
        assert others.heard == [("message", {"topic": "ring", "pk": 2}), ("message", {"topic": "alias", "pk": None})]


def test_pages_never_learn_whom_else_it_concerns(asgi_server: WebServer, operator: User, stream: Page) -> None:
    publish(topic="ring", pk=1, users=[operator.pk, 999])
    stream.wait_for("message", {"topic": "ring", "pk": 1})


def test_an_unreadable_notification_harms_nobody(stream: Page) -> None:
    for payload in ("", "no json", "[]", '{"topic": 1}', '{"topic": "x", "pk": 1, "users": 5}'):
        sql(f"SELECT pg_notify('hotline', '{payload}')")
    publish(topic="call", pk=5)
    stream.wait_for("message", {"topic": "call", "pk": 5})
    assert len(stream.heard) == 1


@pytest.mark.parametrize(
    ("role", "active", "expected"),
    [
        (Role.OPERATOR, True, 200),
        (Role.SUPERVISOR, True, 200),
        (Role.INTEGRATION, True, 401),  # machines have no sessions
        (Role.OPERATOR, False, 401),
    ],
)
def test_roles(asgi_server: WebServer, role: Role, active: bool, expected: int) -> None:
    user = make_user("somebody", role)
    session = session_of(user)
    User.objects.filter(pk=user.pk).update(is_active=active)
    with closing(Page(asgi_server.url, session)) as page:
        assert page.status == expected


def test_strangers(asgi_server: WebServer) -> None:
    with closing(Page(asgi_server.url)) as nobody, closing(Page(asgi_server.url, "made-up")) as made_up:
        assert (nobody.status, made_up.status) == (401, 401)
    with closing(Page(asgi_server.url, "x", Host="evil.example")) as foreign:
        assert foreign.status == 400


def test_only_get(asgi_server: WebServer) -> None:
    connection = HTTPConnection("127.0.0.1", asgi_server.port)
    connection.request("POST", "/live/")
    response = connection.getresponse()
    assert (response.status, response.headers["Allow"]) == (405, "GET")


def test_headers_keep_proxies_from_holding_it_back(stream: Page) -> None:
    headers = stream.response.headers
    assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache, no-transform"
    assert headers["X-Accel-Buffering"] == "no"


# --- What a stream costs --------------------------------------------------------------------------------
def test_sixty_streams_cost_no_connection_and_no_thread_each(
    asgi_server: WebServer, operator: User, stream: Page
) -> None:
    stream.wait_for_beats(1)
    session = session_of(operator)
    with ExitStack() as stack:
        pages = [stack.enter_context(closing(Page(asgi_server.url, session))) for _ in range(4)]
        time.sleep(1)  # threads of the sign-ins have ended
        listeners, connections, threads = backends("hotline-live"), backends("hotline"), threads_of(asgi_server.pid)
        pages += [stack.enter_context(closing(Page(asgi_server.url, session))) for _ in range(56)]
        assert {each.status for each in pages} == {200}
        publish(topic="call", pk=60)
        for each in pages:
            each.wait_for("message", {"topic": "call", "pk": 60})
        assert backends("hotline-live") == listeners == 1
        assert backends("hotline") <= connections
        until(lambda: threads_of(asgi_server.pid) <= threads)


def test_no_connection_is_held_in_a_transaction(stream: Page) -> None:
    stream.wait_for_beats(1)
    assert (
        sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'") == 0
    )


# --- Breaking ---------------------------------------------------------------------------------------------
def test_a_broken_listen_connection_comes_back_and_pages_are_told(stream: Page) -> None:
    stream.wait_for_beats(1)
    assert sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'hotline-live' AND datname = current_database()"
    )
    stream.wait_for("reconnected", {})
    publish(topic="call", pk=7)
    stream.wait_for("message", {"topic": "call", "pk": 7})
    assert not stream.ended.is_set()


def test_a_page_that_leaves_is_forgotten(asgi_server: WebServer, operator: User) -> None:
    def streams() -> str:
        client = HTTPConnection("127.0.0.1", asgi_server.port)
        client.request("GET", "/metrics")
        text = client.getresponse().read().decode()
        return next(line for line in text.splitlines() if line.startswith("hotline_live_streams "))

    until(lambda: streams() == "hotline_live_streams 0.0")
    page = Page(asgi_server.url, session_of(operator))
    until(lambda: streams() == "hotline_live_streams 1.0")
    page.close()
    until(lambda: streams() == "hotline_live_streams 0.0")


def test_a_stop_ends_streams_and_cancels_nothing(asgi_server: WebServer, stream: Page) -> None:
    stream.wait_for_beats(1)
    assert asgi_server.process is not None
    asgi_server.process.send_signal(signal.SIGTERM)
    assert stream.ended.wait(PATIENCE)
    asgi_server.process.wait(PATIENCE)
    assert "timeout graceful shutdown exceeded" not in asgi_server.log
