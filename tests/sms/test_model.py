"""A model of the outbox (issue B, «it must show» 3): any order of what people, workers, gateways and deaths do to it.

Hypothesis drives the real verbs and tasks on real PostgreSQL, with real commits; what was handed over is counted at a
socket (`wire`), and a process may die at each of its steps (`deaths`). After every step:

- each message, and each part of a long one, was handed over once at the most; again only what was surely refused;
- what may have been taken is never queued again, nor what a dead process left behind: it becomes `unknown`;
- states moved forward only, by the table of the design, and the journal says so step by step;
- nothing goes to a number that has refused, nor in the night what nobody asked for by hand; but for the rest of what
  is there in part;
- what is called accepted or delivered was on the wire whole, under the id that the gateway gave it, and what was on the
  wire is a row.

In the end, with everything healthy again, nothing is left queued or being handed over: none is forgotten.

The suite runs the same examples each time. For a long run, with other ones, and its figures:

    MODEL_EXAMPLES=3000 python -m pytest tests/sms/test_model.py -k any_order -s
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from hotline.base.errors import Conflict, Refused
from hotline.operators.models import Role, User
from sms import actions, broker, tasks
from sms.actions.parts import PartToSend
from sms.gateways.base import NotSubmitted, Outcome, Rejected, Unknown
from sms.models import GatewayState, OptOut, OutboxHome, SmsMessage, SmsPart, SmsReceipt, SmsStateChange
from sms.smpp import answers, encoding, pdus
from tests.helpers import race
from tests.sms import deaths, wire
from tests.sms.deaths import Life
from tests.sms.factories import person
from tests.sms.wire import Contact, Wire

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))
STEPS = 30

# What is sent, and the lengths of the parts that SMPP makes of it.
TEXTS = {
    "one": "Zayavka 100001 zaregistrirovana.",
    "one, Cyrillic": "Заявка №100001 зарегистрирована.",
    "two": "Сервисный центр «Ремонт» ждёт вас. " * 3,
    "three": "ya " * 110,
    "emoji at the edge": "я" * 66 + "🔧" + "я" * 20,
}
USUAL, IN_PARTS = "HOTLINE", "PARTS"
LEASE = timedelta(seconds=60)

# The design's own table, not the product's: which state follows which.
_ENDS = {"delivered", "undelivered", "expired", "rejected"}
FORWARD = {
    "": {"queued"},
    "queued": {"submitting", "withdrawn", "accepted", *_ENDS},
    "submitting": {"queued", "accepted", "unknown", *_ENDS},
    "unknown": {"accepted", *_ENDS},
    "accepted": _ENDS,
}
DECIDED = {"withdrawn", *_ENDS}
OF_PLAY = {wire.ACCEPT: "accepted", wire.REJECT: "rejected", wire.THROTTLE: "queued", wire.DOWN: "queued"}


def reachable(state: str) -> set[str]:
    """Where a state may be after any number of moves, itself included."""
    found: set[str] = set()
    ahead = [state]
    while ahead:
        each = ahead.pop()
        if each not in found:
            found.add(each)
            ahead += FORWARD.get(each, ())
    return found


@dataclass
class World:
    """What examples share: the wire, the settings, the people, and what happened how often."""

    wire: Wire
    dead_url: str
    operator: User
    supervisor: User
    broker: str = "takes"
    # What lies on the broker: (name of the task, pk).
    tasks: list[tuple[str, int]] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)

    def publish(self, task: Any, pks: list[int], *, wait: float = 0) -> bool:
        """Stands for `broker.publish`."""
        self.tally[f"broker {self.broker}"] += 1
        if self.broker == "raises":
            raise ConnectionError("the broker is gone")
        if self.broker == "takes":
            self.tasks += [(task.name.rpartition(".")[2], pk) for pk in pks]
        return self.broker != "refuses"

    def configure(self, *usual: str, parts: tuple[str, ...] = ("smpp", "development")) -> None:
        # Not through the fixture, which puts a layer upon the others each time, and unmakes all that in the end.
        settings.SMS_GATEWAYS = list(usual or ("smsc", "development"))
        settings.SMS_SENDERS = {IN_PARTS: list(parts)}
        settings.SMS_QUIET_HOURS = ""
        self.reach(self.wire.url)

    def reach(self, url: str) -> None:
        """The HTTP gateways are there."""
        settings.SMSC_URL = settings.SMS_DEVELOPMENT_URL = url


@pytest.fixture
def world(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[World]:
    caplog.set_level(logging.CRITICAL, "django.db.backends.base")  # a broker that raises
    # The database's process does not die here: none of its commits need wait for the disk.
    monkeypatch.setitem(connections["default"].settings_dict["OPTIONS"], "options", "-c synchronous_commit=off")
    connections.close_all()
    settings.SMS_DAILY_PER_NUMBER = 0
    settings.SMS_TIMEOUT = 10
    settings.SMSC_LOGIN = settings.SMSC_PASSWORD = "hotline"
    with wire.listening() as listening, wire.nobody_listening() as dead_url:
        made = World(listening, dead_url, person(), person("vera", Role.SUPERVISOR))

        def connect(*args: Any, **options: Any) -> socket.socket:
            mortal = deaths.connect(*args, **options)
            listening.note_opened()
            return mortal

        monkeypatch.setattr(socket, "create_connection", connect)
        monkeypatch.setattr(broker, "publish", made.publish)
        made.configure()
        yield made
    connections.close_all()


@dataclass(eq=False)
class Sent:
    """A message as the model knows it: what was asked for."""

    pk: int
    action: UUID
    number: str
    text: str
    sender: str
    by_hand: bool = True

    def __repr__(self) -> str:
        return f"<{self.sender} {self.number}>"


# --- Draws ------------------------------------------------------------------------------------------
MESSAGES: Bundle[Sent] = Bundle("messages")
# The step at which it dies, each as likely as any other (integers() likes small ones). Beyond the last one is no death.
DEATHS = st.sampled_from([None] * 30 + list(range(50)))
DEATHS_IN_PARTS = st.sampled_from([None] * 80 + list(range(100)))
PLAYS = st.sampled_from([*wire.PLAYS, wire.ACCEPT, wire.ACCEPT, "nobody"])
# What happens while the gateway has a message and has not answered yet.
MEANWHILE = st.lists(st.sampled_from(["accepted", "delivered", "undelivered", "again", "lapse"]), max_size=2)
# A window that is accepted in part and refused in part is what is worth looking at.
PART_PLAYS = st.lists(st.sampled_from([*wire.PLAYS, *[wire.ACCEPT] * 5, *[wire.THROTTLE] * 3]), min_size=1, max_size=4)
# A message that is asked for just now: there are others, too, but most of them are through.
NEW = st.none() | st.sampled_from(list(TEXTS))
STATUSES = ["accepted", "delivered", "undelivered", "expired", "rejected"]
BROKERS = st.sampled_from(["takes", "takes", "takes", "loses", "refuses", "raises"])


class Outbox(RuleBasedStateMachine):
    """One example: a few messages, and what becomes of them."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.wire = world, world.wire
        self.numbers, self.sequences = count(1), count(1)
        self.sent: dict[int, Sent] = {}
        # The PDUs of the last bound link, in the order in which they were written: (sequence number, pk, seq).
        self.written: list[tuple[int, int, int]] = []
        # Which message the HTTP gateway is being given: a torn request does not say.
        self.at_hand = 0
        # By (pk, seq); seq 0 is a message that went as a whole.
        self.contacts: dict[tuple[int, int], list[Contact]] = defaultdict(list)
        self.counted = self.read_journal = 0
        self.states: dict[int, str] = {}
        self.parts: dict[int, dict[int, Any]] = defaultdict(dict)
        self.part_states: dict[tuple[int, int], str] = {}
        self.in_doubt: set[int] = set()
        self.refused: set[str] = set()
        self.sound = False
        empty_outbox()
        world.configure()
        world.tasks = []
        self.wire.clear()

    # --- People -----------------------------------------------------------------------------------
    @initialize(target=MESSAGES, texts=st.lists(st.sampled_from(list(TEXTS)), min_size=2, max_size=2))
    def begin(self, texts: list[str]) -> Any:
        """One message of each kind is always there."""
        senders = (USUAL, IN_PARTS)
        asked = [self._ask(text, sender) for text, sender in zip(texts, senders, strict=True)]
        return multiple(*asked)

    @rule(
        target=MESSAGES,
        text=st.sampled_from(list(TEXTS)),
        sender=st.sampled_from([USUAL, IN_PARTS]),
        later=st.sampled_from([False, False, False, True]),
        takes=BROKERS,
        death=DEATHS,
    )
    def ask(self, text: str, sender: str, later: bool, takes: str, death: int | None) -> Sent:
        """A person sends; where the process dies, the person presses the key again: that is one message."""
        return self._ask(text, sender, later=later, takes=takes, death=death)

    def _ask(
        self, text: str, sender: str, *, later: bool = False, takes: str = "takes", death: int | None = None
    ) -> Sent:
        number = f"+7916{next(self.numbers):07}"
        asked = Sent(0, uuid4(), number, TEXTS[text].strip(), sender, by_hand=not later)
        zone = "Europe/Moscow" if later else ""
        with quiet_hours(night() if later else settings.SMS_QUIET_HOURS):
            asked.pk = self._press(partial(self._queue, asked, quiet_zone=zone), takes, death).pk
        self.sent[asked.pk] = asked
        return asked

    def _queue(self, asked: Sent, **options: Any) -> SmsMessage:
        return actions.queue_message(
            action_id=asked.action,
            to=asked.number,
            text=asked.text,
            sender=asked.sender,
            actor=self.world.operator,
            **options,
        )

    def _press(self, press: Callable[[], SmsMessage], takes: str, death: int | None) -> SmsMessage:
        made: list[SmsMessage] = []
        with self._broker(takes), self._life(death):
            made.append(press())
        with self._broker(takes):
            made.append(press())
        assert len({each.pk for each in made}) == 1, "one action, two messages"
        return made[0]

    @rule(
        target=MESSAGES,
        what=st.sampled_from(["confirm", "send anew", "withdraw", "opt out"]),
        message=MESSAGES,
        takes=BROKERS,
        death=DEATHS,
    )
    def decide(self, what: str, message: Sent, takes: str, death: int | None) -> Any:
        if what == "send anew":
            return self._send_anew(message, takes, death)
        if what == "confirm":
            self._confirm(message, death)
        else:
            self._call_off(message, death, by_opt_out=what == "opt out")
        return multiple()

    def _confirm(self, message: Sent, death: int | None) -> None:
        """A supervisor hears that it arrived."""
        with self._life(death):
            try:
                actions.confirm_arrival(pk=message.pk, actor=self.world.supervisor)
            except Refused:
                assert self.states[message.pk] not in {"unknown", "delivered"}
            except Conflict:  # somebody was faster: it stands for itself no more
                assert self.states[message.pk] == "unknown"
                assert SmsMessage.objects.filter(resend_of=message.pk).exists()

    def _send_anew(self, message: Sent, takes: str, death: int | None) -> Any:
        """A new message stands for the old one, which stays as it is; it has one successor at the most."""
        before = row_of(message.pk)
        anew = Sent(0, uuid4(), message.number, message.text, message.sender)
        press = partial(actions.send_anew, pk=message.pk, action_id=anew.action, actor=self.world.supervisor)
        has_one = SmsMessage.objects.filter(resend_of=message.pk).exists()
        is_open = before["state"] in {"unknown", "undelivered", "expired", "rejected"}
        try:
            anew.pk = self._press(press, takes, death).pk
        except (Conflict, Refused) as refusal:
            expected = {"resent"} if has_one else {"opted_out"} if is_open else {"decided"}
            assert {refusal.code} == expected  # noqa: PT017 - which of the three comes is what is looked at
            return multiple()
        assert is_open
        assert not has_one
        assert row_of(message.pk) == before, "the old message changed"
        assert row_of(anew.pk)["resend_of_id"] == message.pk
        self.sent[anew.pk] = anew
        self.world.tally["sent anew"] += 1
        return anew

    def _call_off(self, message: Sent, death: int | None, *, by_opt_out: bool) -> None:
        """Its news is over, or the client wants no SMS: only what waits whole in the queue is withdrawn."""
        could = self.states[message.pk] == "queued" and not self._went_in_parts(message.pk)
        with self._life(death) as lived:
            if by_opt_out:
                actions.opt_out(number=message.number, actor=self.world.operator)
            else:
                try:
                    actions.withdraw(pk=message.pk, reason="opted_out", actor=self.world.operator)
                except Refused:
                    assert not could
        if could and not lived.died_at:
            assert row_of(message.pk)["state"] == "withdrawn"
        if by_opt_out and not lived.died_at:
            self.refused.add(message.number)

    # --- Workers ----------------------------------------------------------------------------------
    @rule(which=st.integers(0, 9), play=PLAYS, meanwhile=MEANWHILE, death=DEATHS, told=st.sampled_from([*STATUSES, ""]))
    def work(self, which: int, play: str, meanwhile: list[str], death: int | None, told: str) -> None:
        """A worker takes a task, not always the first; where it dies, the broker has the task again."""
        if not self.world.tasks:
            return
        self.world.tally["worked"] += 1
        name, pk = self.world.tasks.pop(which % len(self.world.tasks))
        lived = self._submit(pk, play, meanwhile, death) if name == "submit" else self._check(pk, told, death)
        if lived.died_at:
            self.world.tasks.append((name, pk))

    @rule(target=MESSAGES, new=NEW, message=MESSAGES, play=PLAYS, meanwhile=MEANWHILE, death=DEATHS)
    def work_twice(self, new: str | None, message: Sent, play: str, meanwhile: list[str], death: int | None) -> Any:
        """A task that the broker delivers once more, or late: whatever state the message is in, its pause over."""
        if new:
            message = self._ask(new, USUAL)
        self.world.tally["worked twice"] += 1
        pass_time(70)
        self._submit(message.pk, play, meanwhile, death)
        self._submit(message.pk, play, [], None)
        return message if new else multiple()

    @rule(target=MESSAGES, new=NEW, message=MESSAGES, play=PLAYS)
    def work_at_once(self, new: str | None, message: Sent, play: str) -> Any:
        """Two workers and the sweep at the same moment."""
        if new:
            message = self._ask(new, USUAL)
        pass_time(70)
        self._play(message.pk, play)
        results = race(partial(tasks.submit, message.pk), partial(tasks.submit, message.pk), actions.sweep)
        assert [each for each in results if isinstance(each, BaseException)] == []
        self.world.tally["at once"] += 1
        return message if new else multiple()

    @rule(seconds=st.sampled_from([3, 25, 70, 600]), takes=BROKERS, death=DEATHS)
    def sweep(self, seconds: int, takes: str, death: int | None) -> None:
        """Time passes, and the sweep looks at what has become of everything."""
        pass_time(seconds)
        with self._broker(takes), self._life(death):
            tasks.sweep()

    def _submit(self, pk: int, play: str, meanwhile: list[str], death: int | None) -> Life:
        before, journal = len(self.wire.contacts), len(journal_of(pk))
        self._play(pk, play)
        if meanwhile:
            self.wire.meanwhile = partial(self._meanwhile, meanwhile)
        with self._life(death) as lived:
            tasks.submit(pk)
        self.wire.wait_until_quiet()
        self.wire.meanwhile = None
        if lived.died_at or meanwhile:
            return lived
        came = self.wire.contacts[before:]
        if came:
            assert len(came) == 1, "one task, one request"
            assert journal_of(pk)[journal:] == ["submitting", OF_PLAY.get(play, "unknown")]
        elif play == "nobody":
            assert journal_of(pk)[journal:] in ([], ["submitting", "queued"])
        else:
            assert journal_of(pk)[journal:] == [], "claimed, and not handed over"
        return lived

    def _play(self, pk: int, play: str) -> None:
        self.at_hand = pk
        self.wire.behave("accept" if play == "nobody" else play)
        self.wire.expects_submissions = True
        self.world.reach(self.world.dead_url if play == "nobody" else self.wire.url)

    def _meanwhile(self, what: list[str], contact: Contact) -> None:
        """In the thread of the wire, which has a connection of its own to the database."""
        try:
            for each in what:
                self.world.tally[f"meanwhile {each}"] += 1
                if each == "again":
                    tasks.submit(self.at_hand)
                elif each == "lapse":
                    self.in_doubt.add(self.at_hand)
                    pass_time(600)
                    actions.sweep()
                elif contact.play != wire.REJECT and contact.play not in wire.REFUSALS:
                    self._tell(contact, each)
        finally:
            connections.close_all()

    def _check(self, pk: int, told: str, death: int | None) -> Life:
        self.wire.told, self.wire.expects_submissions = told or wire.CUT, False
        self.world.reach(self.wire.url)
        with self._life(death) as lived:
            tasks.check_status(pk)
        self.wire.wait_until_quiet()
        self.world.tally["asked"] += 1
        return lived

    # --- SMPP -------------------------------------------------------------------------------------
    @rule(
        target=MESSAGES,
        new=NEW,
        most=st.integers(1, 6),
        plays=PART_PLAYS,
        window=st.integers(1, 4),
        impatient=st.booleans(),
        death=DEATHS_IN_PARTS,
    )
    def smpp(
        self, new: str | None, most: int, plays: list[str], window: int, impatient: bool, death: int | None
    ) -> Any:
        """The process of `manage.py smpp`: bound, it claims, writes a window of parts, settles what came of each."""
        asked = [self._ask(new, IN_PARTS)] if new else []
        pass_time(70)
        self._smpp(plays, most=most, window=window, impatient=impatient, death=death)
        return multiple(*asked)

    def _smpp(
        self,
        plays: list[str],
        *,
        most: int = 50,
        window: int = 4,
        impatient: bool = False,
        death: int | None = None,
    ) -> Life:
        self.written = []
        self.wire.behave(*plays)
        with self._life(death) as lived, socket.create_connection(self.wire.address, timeout=10) as link:
            self._hand_parts_over(link, most, window, impatient=impatient)
        self.wire.wait_until_quiet()
        self.world.tally["smpp"] += 1
        return lived

    def _hand_parts_over(self, link: socket.socket, most: int, window: int, *, impatient: bool) -> None:
        waiting = actions.claim_parts(gateway="smpp", lease=LEASE, most=most)
        while waiting:
            batch, waiting = waiting[:window], waiting[window:]
            outcomes = self._one_window(link, batch)
            for part, outcome in outcomes:
                if impatient or isinstance(outcome, Unknown):
                    self.in_doubt.add(part.message)
                if impatient:  # its time was over, and the answer comes late
                    self._settle(part, Unknown("link_lost"))
                self._settle(part, outcome)
            failed = {
                part.token: outcome.reason for part, outcome in outcomes if isinstance(outcome, Rejected | Unknown)
            }
            lost = any(outcome == Unknown("link_lost") for _, outcome in outcomes)
            for part in waiting:
                if lost or part.token in failed:
                    self._settle(part, NotSubmitted(failed.get(part.token, "no_connection")))
            waiting = [] if lost else [part for part in waiting if part.token not in failed]

    def _settle(self, part: PartToSend, outcome: Outcome) -> None:
        actions.settle_parts(message_id=part.message, token=part.token, outcomes={part.seq: outcome})

    def _one_window(self, link: socket.socket, batch: list[PartToSend]) -> list[tuple[PartToSend, Outcome]]:
        """Written one after the other, then the answers as they come; from the first octet on, none means unknown."""
        by_sequence = {next(self.sequences): part for part in batch}
        came: dict[int, Outcome] = {}
        try:
            for sequence, part in by_sequence.items():
                self.written.append((sequence, part.message, part.seq))
                link.sendall(pdus.Pdu(pdus.SUBMIT_SM, pdus.ROK, sequence, encoding.submit_body(part)).encode())
            while len(came) < len(by_sequence):
                length, command, status, sequence = pdus.read_header(_exactly(link, pdus.HEADER.size))
                answer = pdus.Pdu(command, status, sequence, _exactly(link, length))
                came[sequence] = answers.outcome_of(answer)
        except (OSError, pdus.Malformed):
            pass
        return [(part, came.get(sequence, Unknown("link_lost"))) for sequence, part in by_sequence.items()]

    # --- The gateway ------------------------------------------------------------------------------
    @rule(which=st.integers(1, 4), states=st.lists(st.sampled_from(STATUSES), min_size=1, max_size=3), death=DEATHS)
    def receipts(self, which: int, states: list[str], death: int | None) -> None:
        """Of something that was taken of late: doubled, out of order, contradicting each other."""
        taken = [each for each in self.wire.contacts if each.whole and each.may_be_taken and each.play != wire.REJECT]
        if not taken:
            return
        contact = taken[-min(which, len(taken))]
        with self._life(death):
            for state in states:
                self._tell(contact, state)

    def _tell(self, contact: Contact, state: str) -> None:
        self.world.tally["receipts"] += 1
        if contact.protocol == "smpp":
            actions.receive_status(gateway="smpp", gateway_id=contact.gateway_id, state=state)
            return
        is_smsc = contact.gateway_id == contact.key
        actions.receive_status(
            gateway="smsc" if is_smsc else "development",
            gateway_id=contact.gateway_id,
            state=state,
            reference=UUID(contact.key) if is_smsc else None,
        )

    # --- The house --------------------------------------------------------------------------------
    @rule(
        usual=st.sampled_from([("smsc", "development"), ("development", "smsc"), ("development",)]),
        parts=st.sampled_from([("smpp", "development"), ("development",)]),
        event=st.sampled_from(["", "no bind", "restored", "night"]),
        message=MESSAGES,
        death=DEATHS,
    )
    def configure(
        self, usual: tuple[str, ...], parts: tuple[str, ...], event: str, message: Sent, death: int | None
    ) -> None:
        """Other gateways from now on. No bind: what waits whole for SMPP goes to the next one. Night: until the next
        configuration."""
        self.world.configure(*usual, parts=parts)
        if event == "no bind":
            self.world.tally["passed on"] += actions.pass_on(gateway="smpp")
        elif event == "restored":
            self._restore(message, death)
        elif event == "night":
            settings.SMS_QUIET_HOURS = night()

    def _restore(self, message: Sent, death: int | None) -> None:
        """In a copy, made just now, nothing goes out until somebody releases it."""
        assert OutboxHome.objects.update(identity="another/1/1/1")
        before = len(self.wire.contacts)
        pass_time(70)
        self._submit(message.pk, "accept", [], None)
        self._smpp(["accept"])
        actions.sweep()
        assert len(self.wire.contacts) == before, "a restored copy handed something over"
        self.world.tally["restored"] += 1
        with self._life(death):
            actions.release_outbox(actor=self.world.supervisor)
        actions.release_outbox(actor=self.world.supervisor)

    # --- The promise ------------------------------------------------------------------------------
    @invariant()
    def promise(self) -> None:
        self.sound = False
        self.wire.wait_until_quiet()
        rows = {row["id"]: row for row in SmsMessage.objects.values()}
        assert set(rows) == set(self.sent), "a row that nobody asked for"
        self._read_wire()
        self._read_journal(rows)
        self._read_parts(rows)
        for pk, row in rows.items():
            self._judge(pk, row)
        self._read_receipts(rows)
        self.states = {pk: row["state"] for pk, row in rows.items()}
        self.in_doubt |= {pk for pk, state in self.states.items() if state == "submitting"}
        self.world.tally["steps"] += 1
        self.sound = True

    def _read_wire(self) -> None:
        came = self.wire.contacts[self.counted :]
        self.counted = len(self.wire.contacts)
        self.world.tally["contacts"] += len(came)
        if came and came[0].protocol == "smpp":
            assert len(came) <= len(self.written)
            for contact, (sequence, pk, seq) in zip(came, self.written, strict=False):
                assert contact.key in ("", str(sequence))  # a torn one does not say
                self._attribute_part(pk, seq, contact)
        else:
            for contact in came:
                self._attribute(self.at_hand, contact)

    def _attribute(self, pk: int, contact: Contact) -> None:
        if contact.whole:
            asked = self.sent[pk]
            assert (contact.key, contact.to, contact.text) == (str(asked.action), asked.number, asked.text)
        self._hand(pk, 0, contact)

    def _attribute_part(self, pk: int, seq: int, contact: Contact) -> None:
        if contact.whole:
            texts = list(SmsPart.objects.filter(message=pk).order_by("seq").values_list("text", flat=True))
            header = (pk & 0xFF, len(texts), seq) if len(texts) > 1 else None
            assert "".join(texts) == self.sent[pk].text
            assert (contact.to, contact.header, contact.text) == (self.sent[pk].number, header, texts[seq - 1])
        self._hand(pk, seq, contact)

    def _hand(self, pk: int, seq: int, contact: Contact) -> None:
        """One more contact of a message or a part: is that allowed?"""
        self.world.tally[f"{contact.protocol} {contact.play if contact.whole else 'torn'}"] += 1
        earlier = self.contacts[pk, seq]
        assert not any(each.may_be_taken for each in earlier), f"handed over twice: {pk}/{seq} {[*earlier, contact]}"
        assert self.states.get(pk, "queued") == "queued", f"handed over while {self.states[pk]}: {pk}"
        earlier.append(contact)
        self._may_it_go(self.sent[pk], pk, contact)
        other = [
            each for (of, at), found in self.contacts.items() if of == pk and (at == 0) != (seq == 0) for each in found
        ]
        assert not any(each.may_be_taken for each in other), f"in parts and as a whole: {pk}"

    def _may_it_go(self, asked: Sent, pk: int, contact: Contact) -> None:
        others = [each for (of, _), found in self.contacts.items() if of == pk for each in found if each is not contact]
        if not any(each.may_be_taken for each in others):
            assert asked.number not in self.refused, f"handed over, though its client refused: {pk}"
            assert asked.by_hand or not settings.SMS_QUIET_HOURS, f"handed over in the night: {pk}"

    def _read_journal(self, rows: dict[int, Any]) -> None:
        changes = SmsStateChange.objects.filter(pk__gt=self.read_journal).order_by("pk")
        states = dict(self.states)
        for pk, message, came_from, to in changes.values_list("pk", "message_id", "from_state", "to_state"):
            self.read_journal = pk
            self.world.tally[f"{came_from or 'new'} → {to}"] += 1
            assert came_from == states.get(message, ""), f"the journal of {message} has a gap"
            assert to in FORWARD.get(came_from, set()), f"{message}: {came_from} → {to}"
            left_behind = self.states.get(message) == "submitting" and states[message] == "submitting"
            assert not (left_behind and to == "queued"), f"{message}: left behind by a dead process, and queued again"
            states[message] = to
        assert states == {pk: row["state"] for pk, row in rows.items()}, "a state without its line in the journal"

    def _read_parts(self, rows: dict[int, Any]) -> None:
        self.parts.clear()
        for part in SmsPart.objects.values("message_id", "seq", "state", "gateway_id", "reason"):
            pk, seq, state = part["message_id"], part["seq"], part["state"]
            self.parts[pk][seq] = part
            was = self.part_states.get((pk, seq), "queued")
            assert state in reachable(was), f"{pk}/{seq}: {was} → {state}"
            assert not (was == "submitting" and state == "queued"), f"{pk}/{seq}: left behind, and queued again"
            self.part_states[pk, seq] = state
            if part["reason"] == "never_sent":  # its message came to an end before its turn
                assert (rows[pk]["state"] in DECIDED, state) == (True, "undelivered")
                assert not any(each.may_be_taken for each in self.contacts[pk, seq])
            else:
                self._judge_place(pk, seq, state, part["gateway_id"])

    def _read_receipts(self, rows: Mapping[int, Any]) -> None:
        """Also one that came before the answer counts, once the answer has told whom it is about."""
        ends = set(SmsReceipt.objects.filter(state__in=_ENDS).values_list("gateway_id", flat=True))
        waiting = {row["gateway_id"] for row in rows.values() if row["state"] == "accepted"}
        waiting |= {
            part["gateway_id"] for of in self.parts.values() for part in of.values() if part["state"] == "accepted"
        }
        assert not ends & (waiting - {""}), "it was told what became of it, and it is still called accepted"

    def _judge(self, pk: int, row: Mapping[str, Any]) -> None:
        asked = self.sent[pk]
        assert (row["action_id"], row["to"], row["text"]) == (asked.action, asked.number, asked.text)
        assert (row["lease_until"] is None) == (row["state"] != "submitting")
        if row["reason"].startswith("confirmed"):
            return  # a person's word, whatever the wire saw
        handed = any(each.may_be_taken for seq in (0, *self.parts[pk]) for each in self.contacts[pk, seq])
        if self._went_in_parts(pk):
            assert not (row["state"] == "withdrawn" and handed)
            if row["state"] in {"accepted", "delivered"}:
                assert {part["state"] for part in self.parts[pk].values()} <= {"accepted", "delivered"}
            if row["state"] in _ENDS:
                assert handed
        else:
            self._judge_place(pk, 0, row["state"], row["gateway_id"])

    def _judge_place(self, pk: int, seq: int, state: str, gateway_id: str) -> None:
        """The state of what was handed over, or was not: a message as a whole, or a part."""
        contacts = self.contacts[pk, seq]
        taken = next((each for each in contacts if each.may_be_taken), None)
        if taken is None:
            assert state not in {"accepted", *_ENDS}, f"{pk}/{seq} is {state}, and was never handed over"
        else:
            assert state not in {"queued", "withdrawn"}, f"{pk}/{seq} may have been taken, and is {state}"
        if state in {"accepted", *_ENDS}:
            assert taken is not None
            assert taken.whole, f"{pk}/{seq} is {state}, and never came whole"
        if gateway_id:
            assert taken is not None
            assert gateway_id == taken.gateway_id

    def _went_in_parts(self, pk: int) -> bool:
        return any(part["state"] != "queued" and part["reason"] != "never_sent" for part in self.parts[pk].values())

    # --- The end ----------------------------------------------------------------------------------
    def teardown(self) -> None:
        if not self.sound:
            return  # it has failed already
        self.world.tally["examples"] += 1
        self.world.configure()
        self.world.broker = "takes"
        self.world.tasks = []  # the broker has lost everything
        for _ in range(8):
            if set(self.states.values()) <= {"unknown", *DECIDED}:
                break
            self._all_is_well()
        self._nothing_is_forgotten()

    def _all_is_well(self) -> None:
        pass_time(700)
        actions.sweep()
        while self.world.tasks:
            name, pk = self.world.tasks.pop(0)
            if name == "submit":
                self._submit(pk, "accept", [], None)
            else:
                self._check(pk, "delivered", None)
            self.promise()
        self._smpp(["accept"])
        self.promise()
        for contact in self.wire.contacts:
            if contact.protocol == "smpp" and contact.whole and contact.play == wire.ACCEPT and contact.may_be_taken:
                self._tell(contact, "delivered")
        self.promise()

    def _nothing_is_forgotten(self) -> None:
        left = {pk: state for pk, state in self.states.items() if state not in {"unknown", *DECIDED}}
        assert left == {}, f"forgotten: {left}"
        for pk, state in self.states.items():
            self.world.tally[f"in the end {state}"] += 1
            unclear = any(
                each.play in wire.UNCLEAR for (of, _), found in self.contacts.items() if of == pk for each in found
            )
            if state == "unknown":
                assert pk in self.in_doubt or unclear, f"{pk} is unknown, and nothing was unclear about it"

    # --- Helpers ----------------------------------------------------------------------------------
    @contextmanager
    def _life(self, death: int | None) -> Iterator[Life]:
        with deaths.life(death) as lived:
            yield lived
        if lived.died_at:
            self.world.tally[f"died {lived.died_at}"] += 1

    @contextmanager
    def _broker(self, takes: str) -> Iterator[None]:
        self.world.broker = takes
        yield
        self.world.broker = "takes"


def _exactly(link: socket.socket, size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        more = link.recv(size - len(octets))
        if not more:
            raise ConnectionResetError
        octets += more
    return octets


# --- The database -----------------------------------------------------------------------------------
def row_of(pk: int) -> Mapping[str, Any]:
    return SmsMessage.objects.values().get(pk=pk)


def journal_of(pk: int) -> list[str]:
    return list(SmsStateChange.objects.filter(message=pk).order_by("pk").values_list("to_state", flat=True))


@contextmanager
def without_triggers() -> Iterator[Any]:
    """What the database's guards forbid to everybody, the test may do in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor


@contextmanager
def quiet_hours(hours: str) -> Iterator[None]:
    before, settings.SMS_QUIET_HOURS = settings.SMS_QUIET_HOURS, hours
    yield
    settings.SMS_QUIET_HOURS = before


def night() -> str:
    """Quiet hours in which Moscow is now, for some minutes more."""
    now = timezone.localtime(timezone=ZoneInfo("Europe/Moscow"))
    return f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(minutes=6):%H:%M}"


def pass_time(seconds: int) -> None:
    """By the database's clock: every moment that was written down lies so much further back."""
    moments = {
        SmsMessage: [
            "created_at",
            "state_changed_at",
            "lease_until",
            "not_before",
            "due_at",
            "enqueued_at",
            "check_after",
        ],
        SmsStateChange: ["at"],
        SmsReceipt: ["received_at"],
    }
    with without_triggers():
        for model, names in moments.items():
            model._default_manager.update(**{name: F(name) - timedelta(seconds=seconds) for name in names})


def empty_outbox() -> None:
    with without_triggers() as cursor:
        for model in (SmsStateChange, SmsPart, SmsReceipt, SmsMessage, OptOut, OutboxHome, GatewayState):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")


# --- The tests --------------------------------------------------------------------------------------
@pytest.mark.slow
def test_whatever_happens_in_any_order(world: World) -> None:
    profile = hypothesis_settings(
        max_examples=EXAMPLES or 40,
        stateful_step_count=STEPS,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(partial(Outbox, world), settings=profile)  # type: ignore[arg-type]
    finally:
        sys.stdout.write("".join(f"\n{times:8} {what}" for what, times in sorted(world.tally.items())) + "\n")


@pytest.mark.slow
@pytest.mark.parametrize("play", [wire.ACCEPT, wire.THROTTLE, wire.CUT])
def test_a_worker_dies_at_every_step_in_turn(world: World, play: str) -> None:
    """One step further each time, until it comes through: all or nothing before the socket, unknown after it."""

    def hand_over(outbox: Outbox, message: Sent, at: int) -> Life:
        return outbox._submit(message.pk, play, [], at)

    assert die_at_every_step(world, USUAL, hand_over) == {"before the connection", *EVERYWHERE}


@pytest.mark.slow
@pytest.mark.parametrize("plays", [[wire.ACCEPT, wire.THROTTLE, wire.ACCEPT], [wire.ACCEPT, wire.CUT]])
def test_the_smpp_process_dies_at_every_step_in_turn(world: World, plays: list[str]) -> None:
    """The same with a message of three parts, written one after the other before any answer is read."""

    def hand_over(outbox: Outbox, message: Sent, at: int) -> Life:
        return outbox._smpp(plays, death=at + 1)  # bound, it does not die before the connection

    # Whether an answer is there to be read before the link is gone is the other side's matter, on a busy machine too.
    assert EVERYWHERE - die_at_every_step(world, IN_PARTS, hand_over) <= {"after the answer"}


EVERYWHERE = {
    "statement",
    "before the commit",
    "after the commit",
    "before the first octet",
    "after the first octet",
    "after the last octet",
    "after the answer",
}


def die_at_every_step(world: World, sender: str, hand_over: Callable[[Outbox, Sent, int], Life]) -> set[str]:
    """Returns the names of the steps at which it died."""
    outbox = Outbox(world)
    died_at: set[str] = set()
    for at in count():
        message = outbox._ask("three", sender)
        outbox.promise()
        lived = hand_over(outbox, message, at)
        outbox.promise()
        if not lived.died_at:
            break
        died_at.add(lived.died_at)
        if row_of(message.pk)["state"] == "submitting":
            pass_time(70)
            actions.expire_leases()
            outbox.promise()
            assert row_of(message.pk)["state"] == "unknown"
        elif row_of(message.pk)["state"] == "queued":
            # Before the claim's commit nothing has happened; or what did is written down, and it was refused.
            assert not any(each.may_be_taken for each in outbox.contacts[message.pk, 0])
            outbox._all_is_well()
    outbox.teardown()
    return died_at
