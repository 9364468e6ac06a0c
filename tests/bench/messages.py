"""SMS: how many a second, over SMPP beside a bare loop of smpplib, and through two workers that are killed.

The bare loop writes a submit_sm, waits for its answer, answers receipts as they come, and writes the next: no database,
no promise. Hotline hands the same texts to the same centre, with a row, a claim, a journal and a receipt for each.
"""

from __future__ import annotations

import json
import logging
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import smpplib.client
from django.conf import settings
from smpplib import consts

from sms.models import SmsMessage, SmsStateChange
from tests.helpers import PATIENCE, free_port
from tests.servers import Server, database_url
from tests.sms.chaos.scenario import Scale, Scenario
from tests.sms.chaos.servers import open_folder
from tests.sms.chaos.verdict import Result, broken

Say = Callable[[str], object]
# Of the scenario without kills, which tells what the workers do when nobody disturbs them.
UNDISTURBED = 2000
KILLS_OF_EACH = 8
CONCURRENCY = 4
# What the gateway takes to answer (ms): nothing where speed is measured, and enough to be met in the middle of it.
NO_DELAY, DELAYS = (0, 0), (20, 120)
# A failure's patience (seconds): of the whole, and for each message.
_PATIENCE, _PATIENCE_EACH = 300.0, 0.3
SENDER = "HOTLINE"
S = SmsMessage.State


@dataclass(frozen=True, slots=True)
class Link:
    """What the centre tells of a link. `seconds`: from the first message to the last."""

    messages: int
    seconds: float
    twice: int
    receipts: int

    @property
    def per_second(self) -> float:
        return (self.messages - 1) / self.seconds


@dataclass(frozen=True, slots=True)
class Figures:
    """`bare`: before Hotline's turn and after it."""

    hotline: Link
    bare: list[Link]
    undelivered: int
    undisturbed: Result
    killed: Result

    @property
    def bare_per_second(self) -> float:
        return sum(link.messages for link in self.bare) / sum(link.seconds for link in self.bare)

    @property
    def faults(self) -> list[str]:
        """What makes `make bench` fail."""
        found = [f"{which}: {words}" for which in ("undisturbed", "killed") for words in broken(getattr(self, which))]
        if self.hotline.twice or self.undelivered:
            found.append(f"SMPP: {self.hotline.twice} came twice, {self.undelivered} are not delivered")
        return found


def measure(folder: Path, messages: int, seed: int, say: Say) -> Figures:
    say(f"{messages:,} SMS over SMPP, and a bare loop before and after")
    centre = CentreServer(folder)
    centre.start()
    try:
        before = bare_loop(centre, messages)
        hotline, undelivered = smpp_process(centre, folder, messages)
        after = bare_loop(centre, messages)
    finally:
        centre.stop()
    few = min(UNDISTURBED, messages)
    say(f"{few:,} SMS through two workers")
    undisturbed = scenario(few, 0, seed, say)
    say(f"{messages:,} SMS through two workers that are killed, and their database and broker; seed {seed}")
    killed = scenario(messages, KILLS_OF_EACH, seed, say)
    return Figures(hotline, [before, after], undelivered, undisturbed, killed)


# --- SMPP -------------------------------------------------------------------------------------------
class CentreServer(Server):
    """tests/bench/centre.py in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.port, self.report = free_port(), folder / "centre.jsonl"
        arguments = [sys.executable, "-m", "tests.bench.centre", "--port", str(self.port), "--report", str(self.report)]
        super().__init__(arguments, {}, folder / "centre.log")
        self._told = 0

    def link(self) -> Link:
        """What it tells of the link that ended last."""
        wait_for(lambda: self.report.exists() and len(self._lines()) > self._told, PATIENCE, self)
        lines = self._lines()
        self._told = len(lines)
        return Link(**json.loads(lines[-1]))

    def _lines(self) -> list[str]:
        return self.report.read_text().splitlines()


def bare_loop(centre: CentreServer, messages: int) -> Link:
    logging.getLogger("smpplib").setLevel(logging.ERROR)
    client = connect(centre.port)
    answers = {"submitted": 0, "receipts": 0}

    def submitted(pdu: Any, **_: Any) -> None:
        answers["submitted"] += 1

    def received(pdu: Any, **_: Any) -> int:
        answers["receipts"] += 1
        return int(consts.SMPP_ESME_ROK)

    client.set_message_sent_handler(submitted)
    client.set_message_received_handler(received)
    client.bind_transceiver(system_id="hotline", password="geheim")
    for number in range(messages):
        client.send_message(
            source_addr_ton=consts.SMPP_TON_ALNUM,
            source_addr=SENDER,
            dest_addr_ton=consts.SMPP_TON_INTL,
            dest_addr_npi=consts.SMPP_NPI_ISDN,
            destination_addr=number_of(number).removeprefix("+"),
            short_message=text_of(number).encode("utf-16-be"),
            data_coding=consts.SMPP_ENCODING_ISO10646,
            registered_delivery=True,
        )
        while answers["submitted"] <= number:
            client.read_once()
    while answers["receipts"] < messages:
        client.read_once()
    client.unbind()
    client.disconnect()  # which says a warning where all is well
    return centre.link()


def connect(port: int) -> Any:
    """A client of smpplib, as soon as the centre listens."""
    deadline = time.monotonic() + PATIENCE
    while True:
        client = smpplib.client.Client("127.0.0.1", port, logger_name="smpplib.bench", allow_unknown_opt_params=True)
        try:
            client.connect()
            # As Hotline's connection has it (asyncio's own choice); without it each answer waits for an ACK: 40 ms.
            client._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except smpplib.exceptions.ConnectionError:
            client.disconnect()
            assert time.monotonic() < deadline, "the centre does not listen"
            time.sleep(0.05)
        else:
            return client


def smpp_process(centre: CentreServer, folder: Path, messages: int) -> tuple[Link, int]:
    """`manage.py smpp` with everything in the queue; and how many were not delivered in the end."""
    fill_outbox(messages)
    process = Server(
        [sys.executable, "manage.py", "smpp"],
        {
            "DATABASE_URL": database_url(settings.DATABASES["default"]),
            "HOTLINE_DB_POOL_MAX": "6",
            "HOTLINE_LOG_LEVEL": "WARNING",
            "HOTLINE_SMS_GATEWAYS": "smpp",
            "HOTLINE_SMPP_HOST": "127.0.0.1",
            "HOTLINE_SMPP_PORT": str(centre.port),
            "HOTLINE_SMPP_SYSTEM_ID": "hotline",
            "HOTLINE_SMPP_PASSWORD": "geheim",
            "HOTLINE_SMPP_PER_SECOND": "1000",  # the most that may be set: the process is the limit, not its pace
        },
        folder / "smpp.log",
    )
    under_way = SmsMessage.objects.filter(state__in=[S.QUEUED, S.SUBMITTING, S.ACCEPTED])
    process.start()
    try:
        wait_for(lambda: not under_way.exists(), patience(messages), process, centre)
    finally:
        process.stop()
    return centre.link(), SmsMessage.objects.exclude(state=S.DELIVERED).count()


def fill_outbox(messages: int) -> None:
    """As the verb would have left them, by bulk: it is not the verb that is measured here."""
    made = SmsMessage.objects.bulk_create(
        SmsMessage(action_id=uuid4(), to=number_of(number), text=text_of(number), sender=SENDER, gateway="smpp")
        for number in range(messages)
    )
    SmsStateChange.objects.bulk_create(SmsStateChange(message=row, from_state="", to_state=S.QUEUED) for row in made)


def number_of(number: int) -> str:
    return f"+7916000{number % 10_000:04}"  # of the demo's fictional range


def text_of(number: int) -> str:
    return f"Заявка №{number} зарегистрирована."


# --- Through two workers --------------------------------------------------------------------------------
def scenario(messages: int, kills_of_each: int, seed: int, say: Say) -> Result:
    scale = Scale(
        messages=messages,
        kills_of_each=kills_of_each,
        concurrency=CONCURRENCY,
        per_second=0,
        seed=seed,
        patience=patience(messages),
        delays=DELAYS if kills_of_each else NO_DELAY,
        until_all_is_known=True,
    )
    with open_folder() as folder:
        return Scenario(scale, folder, lambda line: say(f"  {line}")).run()


def patience(messages: int) -> float:
    return _PATIENCE + _PATIENCE_EACH * messages


def wait_for(condition: Callable[[], bool], seconds: float, *servers: Server) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        for server in servers:
            assert server.running, f"{server.log_path.name} ended:\n{server.log[-3000:]}"
        assert time.monotonic() < deadline, "\n".join(server.log[-3000:] for server in servers)
        time.sleep(0.1)


# --- What is printed ------------------------------------------------------------------------------------
def text(figures: Figures, *, machine: str) -> str:
    bare, hotline = figures.bare_per_second, figures.hotline
    killed = figures.killed
    rows = [
        ("bare loop of smpplib, one message at a time", figures.hotline.messages, bare),
        ("manage.py smpp, window of 10", hotline.messages, hotline.per_second),
        (
            "two workers, development gateway, undisturbed",
            len(figures.undisturbed.rows),
            figures.undisturbed.per_second,
        ),
        (f"the same with {len(killed.kills)} kills", len(killed.rows), killed.per_second),
    ]
    width = max(len(name) for name, _, _ in rows)
    lines = ["", f"SMS; {machine}", "", f"{'':{width}}  messages  a second  ratio (bare ÷ Hotline)"]
    for name, count, rate in rows:
        ratio = "" if rate == bare else f"×{bare / rate:.1f}"
        lines.append(f"{name:{width}} {count:>9,} {rate:>9.1f}  {ratio}")
    of_each = Counter(each.kill.target for each in killed.kills)
    states = ", ".join(f"{state} {count:,}" for state, count in killed.states.most_common())
    lines += [
        "",
        f"killed: {', '.join(f'{target} {times} times' for target, times in sorted(of_each.items()))}; "
        f"{sum(map(len, killed.in_flight))} messages in flight then, {len(killed.ever_unknown)} became uncertain; "
        f"in the end: {states}",
    ]
    lines += [f"BROKEN PROMISE: {words}" for words in figures.faults]
    return "\n".join(lines)
