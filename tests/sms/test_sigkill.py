"""SIGKILL of the worker with 200 messages under way (issue A, «it must show» 5): none lost, none twice.

A real Celery worker with its beat, on the suite's own broker and database, against the development gateway in a
process of its own: the witness, which writes down every message that arrives (fsync) and drops no duplicate.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sms.actions import queue_message
from sms.models import SmsMessage, SmsStateChange
from tests.helpers import free_port
from tests.servers import Server, worker_server
from tests.sms.factories import person

MESSAGES = 200
CONCURRENCY = 4
# What the gateway takes to answer: so that at the kill there are submissions whose answer is not yet there (ms).
DELAY = 200
# A failure's patience, not the test's duration: that is well under a minute on an idle machine (seconds).
PATIENCE = 240
S = SmsMessage.State


def wait_for(condition: Callable[[], bool], seconds: float, *servers: Server) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            logs = "\n".join(f"--- {server.log_path.name}\n{server.log[-3000:]}" for server in servers)
            pytest.fail(f"not within {seconds} seconds: {Counter(states())}\n{logs}")
        time.sleep(0.1)


def states() -> list[str]:
    return list(SmsMessage.objects.values_list("state", flat=True))


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.xdist_group("sms sigkill")
@pytest.mark.django_db(transaction=True)
def test_sigkill_of_the_worker_loses_nothing_and_doubles_nothing(tmp_path: Path, settings: Any) -> None:
    settings.SMS_DAILY_PER_NUMBER = 0  # one number gets them all
    port, witness = free_port(), tmp_path / "witness.jsonl"
    gateway = Server(
        [sys.executable, "-m", "sms.gateways.development_server"]
        + ["--port", str(port), "--delay", str(DELAY), "--log", str(witness)],
        {},
        tmp_path / "gateway.log",
    )
    worker = worker_server(
        settings.DATABASES["default"],
        tmp_path,
        *["--beat", "--schedule", str(tmp_path / "beat"), "--concurrency", str(CONCURRENCY)],
        *["--without-gossip", "--without-mingle"],
        HOTLINE_SMS_GATEWAYS="development",
        HOTLINE_SMS_DEVELOPMENT_URL=f"http://127.0.0.1:{port}",
        # Long enough that a busy machine makes nothing uncertain: only the kill does.
        HOTLINE_SMS_TIMEOUT="10",
    )

    def arrived() -> list[str]:
        """References in the order of their arrival."""
        lines = witness.read_text().splitlines() if witness.exists() else []
        return [json.loads(line)["reference"] for line in lines]

    operator = person()
    try:
        gateway.start()
        worker.start()
        for number in range(MESSAGES):
            queue_message(
                action_id=uuid4(), to="+79160000101", text=f"Заявка №{number} зарегистрирована.", actor=operator
            )
        wait_for(lambda: len(arrived()) >= MESSAGES // 4, PATIENCE, worker, gateway)

        worker.kill()
        time.sleep(2 * DELAY / 1000)  # what the gateway was answering, it has answered by now, to nobody
        in_flight = set(SmsMessage.objects.filter(state=S.SUBMITTING).values_list("pk", flat=True))
        assert len(arrived()) < MESSAGES, "the kill came too late to show anything"
        assert 1 <= len(in_flight) <= CONCURRENCY

        worker.start()
        # An uncertain message that did arrive is found by its reference; one that did not stays uncertain, for a
        # person.
        never_arrived = lambda: SmsMessage.objects.filter(state=S.UNKNOWN).exclude(action_id__in=arrived())  # noqa: E731
        wait_for(
            lambda: SmsMessage.objects.exclude(state=S.DELIVERED).count() == never_arrived().count(),
            PATIENCE,
            worker,
            gateway,
        )
    finally:
        worker.stop()
        gateway.stop()

    # Every message is decided: delivered, or uncertain; and uncertain were only those in flight at the kill.
    found = Counter(states())
    assert set(found) <= {S.DELIVERED, S.UNKNOWN}
    assert sum(found.values()) == MESSAGES
    ever_unknown = set(SmsStateChange.objects.filter(to_state=S.UNKNOWN).values_list("message_id", flat=True))
    assert ever_unknown == in_flight
    assert found[S.UNKNOWN] <= len(in_flight)

    # The witness: none twice, and every message that we call delivered did arrive.
    witnessed = Counter(arrived())
    assert [reference for reference, times in witnessed.items() if times > 1] == []
    delivered = {
        str(action) for action in SmsMessage.objects.filter(state=S.DELIVERED).values_list("action_id", flat=True)
    }
    assert delivered == set(witnessed)


@pytest.mark.broker
@pytest.mark.xdist_group("sms sigkill")
@pytest.mark.django_db(transaction=True)
def test_a_worker_comes_up_where_the_broker_still_knows_one_of_its_name(tmp_path: Path, settings: Any) -> None:
    """RabbitMQ notices late that a worker was killed, and until then refuses another its exclusive queue."""
    workers = []
    try:
        for name in ("killed", "anew"):
            folder = tmp_path / name
            folder.mkdir()
            worker = worker_server(
                settings.DATABASES["default"], folder, "--concurrency", "1", HOTLINE_LOG_LEVEL="INFO"
            )
            workers.append(worker)
            worker.start()
            wait_for(lambda worker=worker: " ready." in worker.log or not worker.running, 60, worker)
        assert [worker.running for worker in workers] == [True, True], workers[-1].log[-2000:]
    finally:
        for worker in workers:
            worker.stop()
