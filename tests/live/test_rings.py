"""A ring for all who are ready, in a real web process: brought to every page, and a crowd that asks is served."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from hotline.operators.models import User
from tests.calls.factories import CallFactory, ready
from tests.calls.test_telephony import ANSWERED, ENDED, RINGING, say
from tests.helpers import PATIENCE
from tests.live.streams import Page, session_of, until
from tests.servers import WebServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("live")]


def rings(page: Page) -> list[str | None]:
    """The fragments that came with the news of what rings; None where the news came alone."""
    return [data.get("html") for event, data in page.heard if event == "message" and data["topic"] == "incoming"]


def test_a_ring_is_brought_to_the_pages_it_concerns_and_taken_away_again(asgi_server: WebServer) -> None:
    ones, others, busy = ready("101"), ready("102"), ready("103")
    CallFactory(dialog=True, operator=busy)
    at_break = ready("104")
    User.objects.filter(pk=at_break.pk).update(state=User.State.BREAK)
    with ExitStack() as stack:
        pages = [
            stack.enter_context(closing(Page(asgi_server.url, session_of(user))))
            for user in (ones, others, others, busy, at_break)
        ]
        one, other, twin, talking, absent = pages
        say(RINGING)
        for page in (one, other, twin):
            until(lambda page=page: len(rings(page)) == 1)
            assert "+7 916 123-45-67" in (rings(page)[0] or "")
        until(lambda: rings(talking) == [None])  # ready by mistake: the page asks, and shows the call that goes on
        say(ANSWERED, people=("101",))
        until(lambda: len(rings(one)) == 2)
        for page in (other, twin):
            until(lambda page=page: len(rings(page)) == 2)
            assert (rings(page)[1] or "?").strip() == ""
        assert rings(one)[1] is None  # put through to this telephone: the page goes there
        say(ENDED)
        assert rings(absent) == []


@pytest.mark.slow
def test_a_crowd_waits_longer_than_the_pool_and_nobody_is_refused(asgi_server: WebServer) -> None:
    """All pages ask at once while the database holds them up: without the gate they empty the pool and get 500."""
    session = session_of(ready())
    cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}

    def ask(path: str, headers: Mapping[str, str]) -> int:
        with closing(HTTPConnection("127.0.0.1", asgi_server.port, timeout=PATIENCE)) as asking:
            asking.request("GET", path, headers=dict(headers))
            return asking.getresponse().status

    patience = 10  # of the pool, in seconds (settings.DATABASES)
    with ThreadPoolExecutor(40) as crowd:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE calls_call IN ACCESS EXCLUSIVE MODE")
            answers: list[Any] = [crowd.submit(ask, reverse("calls:incoming"), cookie) for _ in range(40)]
            until(lambda: sql_waiting() >= 1)
            assert ask("/healthz", {}) == ask("/static/base/live.js", {}) == 200
            with closing(Page(asgi_server.url, session)) as page:
                assert page.status == 200
            cursor.execute("SELECT pg_sleep(%s)", [patience + 2])
        assert [answer.result(PATIENCE) for answer in answers] == [200] * 40


def sql_waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'calls_call'::regclass")
        return int(cursor.fetchone()[0])
