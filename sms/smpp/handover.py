"""Parts over one session: claim, write within the lease, wait for the answer. What comes of each goes to the settler.

A part that was claimed ends in exactly one of three ways: it is given back (nothing of it was written), it is answered,
or it is unknown (written, and no answer).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from hotline.base import clocks
from sms.actions.outbox import LEASE_MARGIN
from sms.actions.parts import PartToSend
from sms.gateways.base import NotSubmitted, Outcome, Rejected, Unknown
from sms.smpp import answers, encoding
from sms.smpp.pdus import Pdu
from sms.smpp.session import LinkLost, NothingWritten, Session

log = structlog.get_logger(__name__)

# What lies ready beside what waits for its answer, so that an answer is followed by the next part at once.
LOOK_AHEAD = 5
# How often the database is asked for messages that nobody announced: those whose pause is over, above all.
POLL = 1.5
# After a claim that found nothing: our own announcements wake us, too.
BREATH = 0.1
# The centre is full: how long we wait at first, and at the most.
FIRST_PAUSE, LAST_PAUSE = 1.0, 16.0
# So many parts without an answer in a row, and no answer in time: the link is of no use.
MOST_SILENT = 3
# What is given back because of us, not because of the centre, comes again soon.
_SOON = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """`window`: parts that may wait for their answer at the same time; `timeout`: seconds for one answer."""

    window: int
    per_second: int
    timeout: float
    ids: str = "same"

    @property
    def write_within(self) -> float:
        """Seconds from before the claim in which a part may still be written: a full window's answers, and its pace."""
        return self.timeout + (self.window + 2 * LOOK_AHEAD) / self.per_second + 5

    @property
    def lease(self) -> timedelta:
        """Longer than the last moment of writing and the answer after it."""
        return timedelta(seconds=self.write_within + self.timeout) + LEASE_MARGIN


class Pace:
    """At most so many a second, evenly, whatever the session: kept over a reconnect."""

    def __init__(self, per_second: float) -> None:
        self._step = 1 / per_second
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for the next free moment, and take it."""
        while (wait := self._next - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        # From now, not from when it was due: an idle while is no credit for a burst.
        self._next = max(self._next, time.monotonic()) + self._step

    def hold(self, seconds: float) -> None:
        """Nothing for so long."""
        self._next = max(self._next, time.monotonic() + seconds)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A part, and until when (`clocks.seconds`) it may be written."""

    part: PartToSend
    write_by: float


class Handover:
    """Works on one session until it ends or `stop` is called.

    `silent`: parts in a row that got no answer, those of earlier sessions among them. While there are any the window
    is one part: a centre that takes and never answers must not get a whole window at each bind.
    """

    def __init__(
        self,
        session: Session,
        limits: Limits,
        pace: Pace,
        *,
        claim: Callable[[int], Awaitable[list[PartToSend]]],
        settle: Callable[[PartToSend, Outcome], None],
        unsettled: Callable[[], int],
        silent: int = 0,
    ) -> None:
        """`claim(most)` waits out a database that is away; `settle` returns at once, `unsettled()` are not yet kept."""
        self.session = session
        self.answered = 0
        self.silent = silent
        self.wake = asyncio.Event()
        self._limits = limits
        self._pace = pace
        self._claim, self._settle, self._unsettled = claim, settle, unsettled
        self._stopping = False
        self._ready: deque[Claimed] = deque()
        self._in_flight: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()  # what is ready, in flight, or the window
        self._probe: asyncio.Task[None] | None = None
        self._pause = FIRST_PAUSE
        self._held_until = 0.0

    async def run(self, stop: asyncio.Event, grace: float) -> None:
        """Hand over until the link ends, or `stop`: then no more is written, and the answers in flight are waited for,
        each for its time, after a stop during `grace` seconds."""
        claiming = asyncio.create_task(self._claim_for_ever())
        writing = asyncio.create_task(self._write_for_ever())
        stopped = asyncio.create_task(stop.wait())
        ends = [stopped, asyncio.create_task(self.session.ending.wait())]
        try:
            await asyncio.wait([claiming, writing, *ends], return_when=asyncio.FIRST_COMPLETED)
            self._stopping = True
            self.wake.set()
            writing.cancel()
            await asyncio.wait([writing])
            given_back = NotSubmitted(reason=self._why_given_back(), retry_after=_SOON, saw_nothing=True)
            self._give_back_all(given_back)
            if self.session.ending.is_set():
                log.warning("smpp_link_lost", why=self.session.why, in_flight=len(self._in_flight))
            if self._in_flight:
                await self._wait_for_answers(stopped, grace)
            await self.session.unbind()  # what is still open is unknown from here on
            await asyncio.wait([claiming])  # a claim is never cancelled: its rows would be nobody's
            self._give_back_all(given_back)
            if self._in_flight:
                await asyncio.wait(self._in_flight)
        finally:
            self.session.close("handover_ended")
            for task in (claiming, writing, *ends):
                task.cancel()
        for task in (claiming, writing):
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    async def _wait_for_answers(self, stopped: asyncio.Task[Any], grace: float) -> None:
        """Of a link that is gone each has its outcome at once."""
        answered = asyncio.create_task(asyncio.wait([*self._in_flight]))  # of those now: it begins a turn later
        await asyncio.wait([answered, stopped], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait([answered], timeout=grace)
        answered.cancel()

    # --- Claim ------------------------------------------------------------------------------------
    async def _claim_for_ever(self) -> None:
        while not self._over():
            self.wake.clear()
            room = self._room()
            if room > 0:
                # Taken before the claim: the lease, by the database's clock, begins later.
                write_by = clocks.seconds() + self._limits.write_within
                if found := await self._claim(room):
                    self._ready.extend(Claimed(part, write_by) for part in found)
                    self._changed.set()
                    continue
                await asyncio.sleep(BREATH)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self.wake.wait()

    def _over(self) -> bool:
        return self._stopping or self.session.ending.is_set()

    def _room(self) -> int:
        if time.monotonic() < self._held_until:
            return 0
        return self._window() + LOOK_AHEAD - len(self._ready) - len(self._in_flight) - self._unsettled()

    def _window(self) -> int:
        return 1 if self.silent else self._limits.window

    # --- Write ------------------------------------------------------------------------------------
    async def _write_for_ever(self) -> None:
        """May be cancelled at any await: a part leaves `_ready` only where it is written or given back."""
        while not self._over():
            while not self._may_write():
                self._changed.clear()
                await self._changed.wait()
            await self._pace.turn()
            if self._may_write() and not self._over():
                self._write_next()

    def _may_write(self) -> bool:
        return bool(self._ready) and len(self._in_flight) < self._window()

    def _write_next(self) -> None:
        """Nothing here waits: between the look at the clock and the socket is no gap."""
        claimed = self._ready.popleft()
        part = claimed.part
        try:
            body = encoding.submit_body(part)
        except ValueError:
            self._conclude(part, Rejected(reason="not_encodable"))
            return
        if clocks.seconds() > claimed.write_by:
            self._settle(part, NotSubmitted(reason="too_late", retry_after=_SOON, saw_nothing=True))
            return
        try:
            answer = self.session.submit(body)
        except NothingWritten:
            self._ready.appendleft(claimed)  # given back with the others
            self.session.close("nothing_written")
            return
        task = asyncio.create_task(self._wait_for(part, answer))
        self._in_flight.add(task)
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._changed.set()
        self.wake.set()

    # --- The answer -------------------------------------------------------------------------------
    async def _wait_for(self, part: PartToSend, answer: asyncio.Future[Pdu]) -> None:
        outcome: Outcome = Unknown(reason="link_lost")
        try:
            async with asyncio.timeout(self._limits.timeout):
                outcome = answers.outcome_of(await asyncio.shield(answer), self._limits.ids)
            self._heard(outcome)
        except LinkLost:
            self.silent += 1
        except TimeoutError:
            self.silent += 1
            answer.add_done_callback(partial(self._late, part))
            self._doubt()
        finally:
            self._conclude(part, outcome)

    def _heard(self, outcome: Outcome) -> None:
        """The centre takes messages. Where it says that it does not take ours, nothing shows that it serves."""
        if not _is_not_bound(outcome):
            self.answered += 1
            self.silent = 0

    def _late(self, part: PartToSend, answer: asyncio.Future[Pdu]) -> None:
        """An answer after its time still makes the unknown known; it never goes back to the queue."""
        if answer.cancelled() or answer.exception() is not None:
            return
        log.info("smpp_late_answer", message=part.message, part=part.seq)
        outcome = answers.outcome_of(answer.result(), self._limits.ids)
        self._heard(outcome)
        self._changed.set()
        self._settle(part, outcome)

    def _conclude(self, part: PartToSend, outcome: Outcome) -> None:
        self._settle(part, outcome)
        if isinstance(outcome, (Rejected, Unknown)):
            # The client won't get the whole: the rest of it would cost money, and is not sent.
            self._give_back(lambda claimed: claimed.part.token == part.token, NotSubmitted(reason=outcome.reason))
        elif _is_not_bound(outcome):
            self.session.end("not_bound")
        elif isinstance(outcome, NotSubmitted):
            self._hold()
        else:
            self._pause = FIRST_PAUSE

    def _hold(self) -> None:
        """The centre is full: a pause for all parts, longer each time, and one for a whole window that was refused."""
        now = time.monotonic()
        if now < self._held_until:
            return
        log.info("smpp_throttled", pause=self._pause)
        self._held_until = now + self._pause
        self._pace.hold(self._pause)
        self._pause = min(self._pause * 2, LAST_PAUSE)

    def _doubt(self) -> None:
        """No answer within its time: is anybody there?"""
        if self.session.ending.is_set():
            return
        if self.silent >= MOST_SILENT:
            self.session.close("silent")
        elif self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self.session.probe())

    # --- Give back --------------------------------------------------------------------------------
    def _why_given_back(self) -> str:
        return "no_connection" if self.session.ending.is_set() else "stopped"

    def _give_back_all(self, outcome: NotSubmitted) -> None:
        self._give_back(lambda claimed: True, outcome)

    def _give_back(self, which: Callable[[Claimed], bool], outcome: NotSubmitted) -> None:
        kept = [claimed for claimed in self._ready if not which(claimed)]
        for claimed in self._ready:
            if which(claimed):
                self._settle(claimed.part, outcome)
        self._ready = deque(kept)


def _is_not_bound(outcome: Outcome) -> bool:
    return isinstance(outcome, NotSubmitted) and outcome.reason != "throttled"
