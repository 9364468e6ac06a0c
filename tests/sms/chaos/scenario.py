"""The scenario: messages are asked for, two workers hand them over, and things are killed at random moments.

What happens when is drawn from a seed and tied to what has arrived at the gateway so far, so that every kill falls into
the middle of the work on a slow machine, too. Times are the machine's clock, which is the database's here.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.helpers import PATIENCE, free_port
from tests.servers import ROOT, Server
from tests.sms.chaos.servers import Database, Queue
from tests.sms.chaos.verdict import Arrival, Happened, Kill, Result, Step

# How long a killed thing is away (seconds, from and to). An answer in hand survives a database that is away for some
# five seconds (`outbox.persistently`): both sides of that are met.
AWAY = {"worker": (0.0, 1.0), "broker": (0.3, 2.5), "database": (0.3, 7.0)}
# Seconds of silence from the gateway that make a message uncertain: long, so that only kills do on a busy machine.
TIMEOUT = 8
# This much of the messages is rejected, in one spell.
REJECTED_SHARE = 0.02
LOOK = 0.02


@dataclass(frozen=True, slots=True)
class Scale:
    """How large it is. `per_second` of the messages that are asked for, 0: as many as the machine can.

    `delays`: what the gateway takes to answer (ms, from and to), another time after each kill: so that submissions are
    in flight at all moments. `concurrency`: of each worker. `patience`: seconds until the whole thing has failed.
    """

    messages: int
    kills_of_each: int
    concurrency: int
    per_second: float
    seed: int
    patience: float
    delays: tuple[int, int] = (40, 200)
    until_all_is_known: bool = False

    @property
    def slots(self) -> int:
        """Submissions at the same time, at the most."""
        return 2 * self.concurrency


@dataclass(slots=True)
class Wire:
    """What the gateway wrote down, in the order of arrival; read on from where the last look ended."""

    path: Path
    arrivals: list[Arrival] = field(default_factory=list)
    _read: int = 0

    def look(self) -> int:
        """How many have arrived by now."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._read)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._read += len(line)
                    told = json.loads(line)
                    self.arrivals.append(Arrival(told["reference"], told["answer"], told["at"]))
        return len(self.arrivals)


def plan(scale: Scale) -> list[Kill]:
    """Which thing is killed after how many arrivals, in their order."""
    chance = random.Random(scale.seed)
    targets = [target for target in AWAY for _ in range(scale.kills_of_each)]
    chance.shuffle(targets)
    moments = sorted(chance.sample(range(scale.messages // 20, scale.messages * 17 // 20), len(targets)))
    kills, brokers = [], 0
    for target, after in zip(targets, moments, strict=True):
        brokers += target == "broker"
        kills.append(
            Kill(
                target=target,
                after=after,
                hesitation=chance.uniform(0, 0.2),
                away=chance.uniform(*AWAY[target]),
                empties=target == "broker" and brokers % 2 == 1,
                delay_ms=chance.randint(*scale.delays),
            )
        )
    return kills


class Gateway(Server):
    """The development gateway in a process of its own: the witness, which nobody kills."""

    def __init__(self, witness: Path, log: Path, delay_ms: int) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rpartition(":")[2]
        arguments = [sys.executable, "-m", "sms.gateways.development_server", "--port", port, "--log", str(witness)]
        arguments += ["--delay", str(delay_ms)]
        super().__init__(arguments, {}, log)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.behave(answer="deliver")
            except httpx.ConnectError:
                assert self.running, self.log
                assert time.monotonic() < deadline, self.log
                time.sleep(0.05)
            else:
                return

    def behave(self, **wanted: Any) -> None:
        """From the next message on."""
        httpx.put(f"{self.url}/behaviour", json=wanted, timeout=10, trust_env=False).raise_for_status()


class Scenario:
    """Runs once. Everything it starts is ended with it, whatever happens."""

    def __init__(self, scale: Scale, folder: Path, say: Callable[[str], object]) -> None:
        """`folder`: an empty one of `servers.open_folder`. `say` is told of each kill."""
        self.scale, self.folder, self.say = scale, folder, say
        self.database, self.queue = Database(folder), Queue(folder)
        self.wire = Wire(folder / "witness.jsonl")
        self.promises = folder / "promises"
        self.happened: list[Happened] = []
        for name in ("log", "data"):
            (folder / name).mkdir()
        self._chance = random.Random(scale.seed + 1)
        self._back: list[tuple[float, Callable[[], None]]] = []  # when who comes back (monotonic)
        self._down: set[str] = set()
        self._up_since: dict[str, float] = {}

    def run(self) -> Result:
        with ExitStack() as stack:
            for each in (self.database, self.queue):
                stack.callback(each.stop)
                each.start()
            self._make_processes()
            for server in self.servers:
                stack.callback(server.kill)
            self._migrate()
            self.gateway.start()
            for name, server in self.supervised.items():
                server.start()
                self._up_since[name] = time.monotonic()
            self.producer.start()
            began = time.time()
            self._work()
            self._wait_until_decided()
            ended = time.time()
            # Nobody is at work any more when the rows are read.
            for server in self.supervised.values():
                server.kill()
            return self._result(began, ended)

    # --- What runs ------------------------------------------------------------------------------------
    def _make_processes(self) -> None:
        python, log = sys.executable, self.folder / "log"
        self.gateway = Gateway(self.wire.path, log / "gateway.log", sum(self.scale.delays) // 2)
        environment = {
            "DATABASE_URL": self.database.url,
            "CELERY_BROKER_URL": self.queue.url,
            "HOTLINE_DEMO": "1",
            "HOTLINE_DATA": str(self.folder / "data"),
            "HOTLINE_QUEUE": "chaos",
            "HOTLINE_LOG_LEVEL": "WARNING",
            "HOTLINE_DB_POOL_MAX": str(self.scale.concurrency + 2),
            "HOTLINE_SMS_GATEWAYS": "development",
            "HOTLINE_SMS_DEVELOPMENT_URL": self.gateway.url,
            "HOTLINE_SMS_TIMEOUT": str(TIMEOUT),
            "HOTLINE_SMS_DAILY_PER_NUMBER": "0",
            "HOTLINE_SMS_SENDERS": "",
        }
        celery = [python, "-m", "celery", "-A", "hotline"]
        worker = [*celery, "worker", "--concurrency", str(self.scale.concurrency)]
        worker += ["--without-gossip", "--without-mingle", "--loglevel", "warning"]
        # One with processes, one with threads and a connection pool, as `make run` has it.
        self.supervised = {
            "worker1": Server([*worker, "--hostname", "one@%h"], environment, log / "worker1.log"),
            "worker2": Server([*worker, "--hostname", "two@%h", "--pool", "threads"], environment, log / "worker2.log"),
            "beat": Server(
                [*celery, "beat", "--pidfile=", "--schedule", str(self.folder / "beat")], environment, log / "beat.log"
            ),
        }
        self.producer = Server(
            [python, "-m", "tests.sms.chaos.producer", "--messages", str(self.scale.messages)]
            + ["--per-second", str(self.scale.per_second), "--promises", str(self.promises)],
            {**environment, "HOTLINE_DB_POOL_MAX": "0"},
            log / "producer.log",
        )

    @property
    def servers(self) -> list[Server]:
        return [self.gateway, *self.supervised.values(), self.producer]

    def _migrate(self) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env=self.producer.whole_environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]

    # --- Killing ----------------------------------------------------------------------------------------
    def _work(self) -> None:
        """Until everything was asked for, everything planned was killed, and all of it is back."""
        deadline = time.monotonic() + self.scale.patience
        kills = plan(self.scale)
        rejects_from = self._chance.randrange(self.scale.messages // 10, self.scale.messages * 8 // 10)
        # The spell ends when so many were rejected, not when so many more have arrived: those may have been in flight
        # before it began.
        rejects, spell = max(1, int(self.scale.messages * REJECTED_SHARE)), "to come"
        while kills or self._back or self.producer.running or spell != "over":
            arrived = self.wire.look()
            self._bring_back()
            if spell == "to come" and arrived >= rejects_from:
                self.gateway.behave(answer="reject")
                spell = "on"
            elif spell == "on" and self._rejected() >= rejects:
                self.gateway.behave(answer="deliver")
                spell = "over"
            if kills and arrived >= kills[0].after and self._can(kills[0]):
                self._do(kills.pop(0))
            self._fail_after(deadline, "not everything was killed, brought back and asked for")
            time.sleep(LOOK)
        assert self.producer.process is not None
        assert self.producer.process.returncode == 0, self.producer.log[-3000:]

    def _rejected(self) -> int:
        return sum(arrival.answer == "reject" for arrival in self.wire.arrivals)

    def _can(self, kill: Kill) -> bool:
        """What is away already can't be killed: it is, once it is back."""
        return kill.target not in self._down

    def _do(self, kill: Kill) -> None:
        time.sleep(kill.hesitation)
        arrived = self.wire.look()
        name, before = kill.target, time.time()
        if kill.target == "database":
            self.database.kill()
            comes_back: Callable[[], None] = self.database.restart
        elif kill.target == "broker":
            self.queue.kill()
            comes_back = lambda: self.queue.restart(empty=kill.empties)  # noqa: E731
        else:
            # The one that has worked longest: one that is just starting has nothing in its hands.
            name = min(("worker1", "worker2"), key=self._up_since.__getitem__)
            self.supervised[name].kill()
            comes_back = lambda: self._start(name)  # noqa: E731
        after = time.time()
        self.happened.append(Happened(kill, name, before, after, arrived))
        self._down.add(kill.target)
        self._back.append((time.monotonic() + kill.away, lambda: self._return(kill.target, comes_back)))
        if kill.target == "worker" and "broker" not in self._down:
            self.queue.redeliver()
        self.gateway.behave(delay_ms=kill.delay_ms)
        tasks = ", its tasks are gone" if kill.empties else ""
        self.say(f"{arrived} arrived: {name} killed, away for {kill.away:.1f} s{tasks}")

    def _return(self, target: str, comes_back: Callable[[], None]) -> None:
        comes_back()
        self._down.discard(target)

    def _start(self, name: str) -> None:
        self.supervised[name].start()
        self._up_since[name] = time.monotonic()

    def _bring_back(self) -> None:
        """What has been away for long enough; and, as a supervisor does, what ended by itself."""
        due = [each for each in self._back if each[0] <= time.monotonic()]
        for each in due:
            self._back.remove(each)
            each[1]()
        for name, server in self.supervised.items():
            code = server.process.poll() if server.process is not None else None
            if code is not None and not self._down & {"database", "broker"}:
                self.say(f"{self.wire.look()} arrived: {name} had ended by itself ({code}), started again")
                self._start(name)

    # --- The end ----------------------------------------------------------------------------------------
    def _wait_until_decided(self) -> None:
        deadline = time.monotonic() + self.scale.patience
        while not self._decided():
            self._bring_back()
            self._fail_after(deadline, "not every message was decided")
            time.sleep(0.3)

    def _decided(self) -> bool:
        """Nothing is queued or under way; `until_all_is_known`: nor is there more to be learned from the gateway."""
        states = dict(self._ask("SELECT state, count(*) FROM sms_smsmessage GROUP BY state"))
        if states.keys() & {"queued", "submitting"}:
            return False
        if not self.scale.until_all_is_known:
            return True
        self.wire.look()
        arrived = {arrival.reference for arrival in self.wire.arrivals}
        uncertain = self._ask("SELECT action_id::text FROM sms_smsmessage WHERE state = 'unknown'")
        return not states.get("accepted") and not any(action in arrived for (action,) in uncertain)

    def _fail_after(self, deadline: float, what: str) -> None:
        if time.monotonic() > deadline:
            logs = "\n".join(f"--- {server.log_path.name}\n{server.log[-2500:]}" for server in self.servers)
            raise AssertionError(
                f"seed {self.scale.seed}: {what} within {self.scale.patience:.0f} s; {self._states()}\n{logs}"
            )

    def _states(self) -> str:
        try:
            return str(dict(self._ask("SELECT state, count(*) FROM sms_smsmessage GROUP BY state")))
        except psycopg.Error as error:
            return f"the database does not answer: {error}"

    def _ask(self, statement: str) -> Sequence[tuple[Any, ...]]:
        with psycopg.connect(self.database.url, connect_timeout=5) as connection:
            return connection.execute(statement.encode()).fetchall()

    def _result(self, began: float, ended: float) -> Result:
        self.wire.look()
        return Result(
            seed=self.scale.seed,
            slots=self.scale.slots,
            asked_for=self.scale.messages,
            promised=self.promises.read_text().split(),
            rows={
                pk: (action, state)
                for pk, action, state in self._ask("SELECT id, action_id::text, state FROM sms_smsmessage")
            },
            journal=[
                Step(*row)
                for row in self._ask(
                    "SELECT message_id, to_state, extract(epoch FROM at)::float8, reason"
                    " FROM sms_smsstatechange ORDER BY id"
                )
            ],
            wire=self.wire.arrivals,
            kills=self.happened,
            began=began,
            ended=ended,
        )
