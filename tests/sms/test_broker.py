"""A broker that refuses or hangs costs at most half a second, once; a page that saved a message says so all the
same.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from django.conf import settings as django_settings

from sms import broker
from sms.actions import sweeping
from sms.broker import Publisher
from tests.helpers import free_port


@pytest.fixture
def hanging() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield int(listener.getsockname()[1])


def task_on(url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)  # Celery would prefer it
    app = Celery("elsewhere", broker=url, set_as_current=False)
    options: dict[str, object] = dict(django_settings.CELERY_BROKER_TRANSPORT_OPTIONS)
    if url.startswith("redis"):
        options |= {"socket_connect_timeout": 2, "socket_timeout": 2}
    else:
        options = {key: value for key, value in options.items() if not key.startswith("socket")}
    app.conf.broker_transport_options = options

    @app.task(name="probe", shared=False)
    def probe(pk: int) -> None:
        """Never runs."""

    return probe


def timed(publisher: Publisher, task: Any) -> tuple[bool, float]:
    started = time.monotonic()
    return publisher.publish(task, [1, 2, 3]), time.monotonic() - started


@pytest.mark.parametrize("scheme", ["redis://127.0.0.1:{}/0", "amqp://guest:guest@127.0.0.1:{}//"])
def test_a_broker_that_refuses(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher, task = Publisher(), task_on(scheme.format(free_port()), monkeypatch)
    taken, seconds = timed(publisher, task)
    assert not taken
    assert seconds < broker.WAIT + 0.5
    taken, seconds = timed(publisher, task)
    assert not taken
    assert seconds < 0.1


@pytest.mark.parametrize("scheme", ["redis://127.0.0.1:{}/0", "amqp://guest:guest@127.0.0.1:{}//"])
def test_a_broker_that_hangs(scheme: str, hanging: int, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher, task = Publisher(), task_on(scheme.format(hanging), monkeypatch)
    taken, seconds = timed(publisher, task)
    assert not taken
    assert broker.WAIT <= seconds < broker.WAIT + 0.5
    # Behind it nobody waits any more …
    assert timed(publisher, task)[1] < 0.1
    # … until it has rested; then one waits again.
    publisher._resting_until = 0
    taken, seconds = timed(publisher, task)
    assert not taken
    assert seconds < broker.WAIT + 0.5


def test_threads_do_not_pile_up_behind_a_broker_that_hangs(hanging: int, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher, task = Publisher(), task_on(f"redis://127.0.0.1:{hanging}/0", monkeypatch)
    before = threading.active_count()
    for _ in range(30):
        publisher._resting_until = 0
        publisher.publish(task, [1], wait=0.01)
    assert threading.active_count() - before <= broker._SLOTS


@pytest.mark.broker
def test_a_healthy_broker_takes_all() -> None:
    """The suite's own broker, by the very tasks that the worker knows; they are taken off again."""
    from hotline.celery import app
    from sms import tasks

    with app.connection_for_write() as connection, connection.channel() as channel:
        queue = app.amqp.queues[app.conf.task_default_queue](channel)
        queue.declare()
        queue.purge()
        assert Publisher().publish(tasks.submit, [1, 2, 3], wait=10)
        assert Publisher().publish(tasks.submit, [])
        for _ in range(50):
            if (message := queue.get(no_ack=True)) is not None:
                assert message.headers["task"] == "sms.tasks.submit"
                # Once another may be made for its message nobody is to do it any more.
                ends = datetime.fromisoformat(message.headers["expires"])
                assert timedelta(0) < ends - datetime.now(UTC) <= sweeping.REENQUEUE_AFTER
                break
            time.sleep(0.05)
        else:
            pytest.fail("nothing arrived")
        queue.purge()


def test_the_environment_is_left_alone() -> None:
    assert os.environ.get("HOTLINE_QUEUE", "").startswith("test-")
