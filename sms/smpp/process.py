"""The process of `manage.py smpp`: binds, and binds again; between the wire and the database.

Everything that touches the database runs in a few threads, each with a connection that goes back at once. A database
that is away is waited for: nothing is claimed, what was answered stays in hand until it is written down, and receipts
get a «temporary» error, so that the centre brings them again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import psycopg
import structlog
from django.db import DataError, InterfaceError, OperationalError, connections

from hotline.base import heartbeats
from hotline.base.live import CHANNEL
from sms.actions.condition import note_link
from sms.actions.home import is_held
from sms.actions.outbox import persistently
from sms.actions.parts import PartToSend, claim_parts, pass_on, settle_parts
from sms.actions.statuses import receive_status
from sms.gateways.base import Outcome
from sms.smpp import answers, pdus
from sms.smpp.handover import Handover, Limits, Pace
from sms.smpp.session import Centre, NotBound, Session

log = structlog.get_logger(__name__)
T = TypeVar("T")

GATEWAY = "smpp"
FIRST_RETRY, LAST_RETRY = 1.0, 60.0
DATABASE_RETRY = 1.0
THREADS = 4
# Receipts that wait to be written down; what comes beyond them the centre is to bring later.
MOST_RECEIPTS = 2000
# So many are written down at the same time.
RECEIPTS_AT_ONCE = 2
_PROBE, _CONNECT_PATIENCE = 20.0, 5.0
_HELD_RETRY = 5.0
# At the end, for what is not written down yet: only a database that is away takes so long.
_LAST_PATIENCE = 5.0
_AWAY = (OperationalError, InterfaceError)


class Process:
    """Runs until SIGTERM or SIGINT. Many may run at once, each with a connection to the centre."""

    def __init__(self, centre: Centre, limits: Limits, *, grace: float) -> None:
        self._centre, self._limits, self._grace = centre, limits, grace
        self._stop = asyncio.Event()
        self._pace = Pace(limits.per_second)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="smpp")
        self._handover: Handover | None = None
        self._silent = 0  # parts in a row that the centre left without an answer, whatever the link
        self._bound = asyncio.Event()
        self._outcomes: asyncio.Queue[tuple[PartToSend, Outcome]] = asyncio.Queue()
        self._unsettled = 0
        self._said_held = False
        self._receipts: asyncio.Queue[tuple[Session, pdus.Pdu]] = asyncio.Queue(MOST_RECEIPTS)

    async def run(self) -> None:
        """Raises only on a fault of our own: a supervisor starts the process again, and leases do the rest."""
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, self._stop.set)
        for_ever = [self._listen_for_ever, self._beat_for_ever, self._settle_for_ever]
        for_ever += [self._keep_receipts_for_ever] * RECEIPTS_AT_ONCE
        helpers = [asyncio.create_task(each()) for each in for_ever]
        binding = asyncio.create_task(self._bind_for_ever())
        try:
            await asyncio.wait([binding, *helpers], return_when=asyncio.FIRST_COMPLETED)
            if binding.done():
                await self._write_down_the_rest()
            for task in (binding, *helpers):
                if task.done():
                    task.result()
        finally:
            for task in (binding, *helpers):
                task.cancel()
            await asyncio.wait([binding, *helpers])
            self._threads.shutdown(wait=False, cancel_futures=True)
        log.info("smpp_stopped", unsettled=self._unsettled)

    # --- The link ---------------------------------------------------------------------------------
    async def _bind_for_ever(self) -> None:
        retry = FIRST_RETRY
        while not self._stop.is_set():
            if not await self._may_bind():
                await self._pause(_HELD_RETRY)
                continue
            try:
                session = await self._bind()
            except NotBound as error:
                log.warning("smpp_down", reason=error.reason, retry_in=retry)
                await self._note(error.reason)
                await self._pass_on()
            else:
                if session is None:
                    break
                log.info("smpp_bound", host=self._centre.host, port=self._centre.port)
                await self._note("")
                # A link that served is made anew soon; one that went without having served, ever more seldom.
                if await self._hand_over(session):
                    retry = FIRST_RETRY
            await self._pause(retry * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            retry = min(retry * 2, LAST_RETRY)

    async def _bind(self) -> Session | None:
        """None where we are asked to stop meanwhile. Raises NotBound."""
        binding = asyncio.create_task(Session.bind(self._centre, self._take_delivery))
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait([binding, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if binding.done():
            return binding.result()
        binding.cancel()
        await asyncio.wait([binding])
        return None

    async def _hand_over(self, session: Session) -> bool:
        """Until the link is lost, or we stop. Did it serve?"""
        began = asyncio.get_running_loop().time()
        handover = self._handover = Handover(
            session,
            self._limits,
            self._pace,
            claim=self._claim,
            settle=self._settle,
            unsettled=lambda: self._unsettled,
            silent=self._silent,
        )
        self._bound.set()
        try:
            await handover.run(self._stop, self._grace)
        finally:
            self._bound.clear()
            self._handover = None
            was_silent, self._silent = self._silent, handover.silent
        lasted = asyncio.get_running_loop().time() - began
        return handover.answered > 0 or (lasted > LAST_RETRY and self._silent <= was_silent)

    async def _beat_for_ever(self) -> None:
        """Say that we are bound, while we are: /readyz misses it soon."""
        while True:
            await self._bound.wait()
            try:
                await self._in_thread(partial(heartbeats.beat, GATEWAY))
            except _AWAY as error:
                log.warning("smpp_database_away", error=type(error).__name__)
            await asyncio.sleep(heartbeats.EVERY)

    async def _may_bind(self) -> bool:
        """A restored copy that nobody has released yet must not take the receipts of the one it was made of."""
        try:
            held = await self._in_thread(is_held)
        except _AWAY as error:
            log.warning("smpp_database_away", error=type(error).__name__)
            return False
        if held and not self._said_held:
            log.warning("smpp_held")
        self._said_held = held
        return not held

    async def _note(self, problem: str) -> None:
        """For the page «СМС»: could we bind?"""
        try:
            await self._in_thread(partial(note_link, gateway=GATEWAY, problem=problem))
        except _AWAY as error:
            log.warning("smpp_database_away", error=type(error).__name__)

    async def _pass_on(self) -> None:
        """What waits for us may go to the next gateway of its sender, where there is one."""
        try:
            passed = await self._in_thread(partial(pass_on, gateway=GATEWAY))
        except _AWAY as error:
            log.warning("smpp_database_away", error=type(error).__name__)
        else:
            if passed:
                log.warning("smpp_passed_on", messages=passed)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    # --- Claim and settle -------------------------------------------------------------------------
    async def _claim(self, most: int) -> list[PartToSend]:
        try:
            return await self._in_thread(partial(claim_parts, gateway=GATEWAY, lease=self._limits.lease, most=most))
        except _AWAY as error:
            log.warning("smpp_database_away", error=type(error).__name__)
            await self._pause(DATABASE_RETRY)
            return []

    def _settle(self, part: PartToSend, outcome: Outcome) -> None:
        self._unsettled += 1
        self._outcomes.put_nowait((part, outcome))

    async def _settle_for_ever(self) -> None:
        """What came of parts, the parts of one attempt together, as many as there are by now."""
        while True:
            came = [await self._outcomes.get()]
            while not self._outcomes.empty():
                came.append(self._outcomes.get_nowait())
            attempts: defaultdict[tuple[int, Any], dict[int, Outcome]] = defaultdict(dict)
            for part, outcome in came:
                attempts[part.message, part.token][part.seq] = outcome
            await asyncio.gather(*(self._settle_attempt(*attempt, came) for attempt, came in attempts.items()))
            self._unsettled -= len(came)
            for _ in came:
                self._outcomes.task_done()
            if self._handover:
                self._handover.wake.set()

    async def _settle_attempt(self, message: int, token: Any, outcomes: dict[int, Outcome]) -> None:
        """As long as it takes: even after its lease an answer makes the unknown known."""
        write = partial(settle_parts, message_id=message, token=token, outcomes=outcomes)
        while True:
            try:
                return await self._in_thread(partial(persistently, write))
            except _AWAY as error:
                log.warning("smpp_database_away", error=type(error).__name__)
                await asyncio.sleep(DATABASE_RETRY)
            except Exception:
                log.exception("smpp_settle_failed", message=message)  # the lease runs out: unknown, never sent again
                return None

    async def _write_down_the_rest(self) -> None:
        for queue in (self._outcomes, self._receipts):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_PATIENCE):
                    await queue.join()

    # --- What the centre brings -------------------------------------------------------------------
    def _take_delivery(self, session: Session, pdu: pdus.Pdu) -> None:
        try:
            self._receipts.put_nowait((session, pdu))
        except asyncio.QueueFull:
            session.answer_delivery(pdu, pdus.RX_T_APPN)

    async def _keep_receipts_for_ever(self) -> None:
        while True:
            session, pdu = await self._receipts.get()
            try:
                session.answer_delivery(pdu, await self._keep(pdu))
            except Exception:
                log.exception("smpp_receipt_failed")
                session.answer_delivery(pdu, pdus.RX_T_APPN)
            finally:
                self._receipts.task_done()

    async def _keep(self, pdu: pdus.Pdu) -> int:
        """Write a receipt down; what to answer, after the commit."""
        try:
            delivery = pdus.read_delivery(pdu)
        except pdus.Malformed as error:
            log.warning("smpp_delivery_malformed", words=str(error))
            return pdus.RX_P_APPN
        if not answers.is_receipt(delivery):
            log.info("smpp_incoming_ignored", octets=len(delivery.message))
            return pdus.ROK
        receipt = answers.receipt_of(delivery, self._limits.ids)
        if receipt is None:
            # A centre whose receipts are all so is one that we do not understand. Its words may quote the client's.
            log.warning("smpp_receipt_unreadable", octets=len(delivery.message), data_coding=delivery.data_coding)
            return pdus.ROK
        if not receipt.state:
            log.info("smpp_receipt_without_news")
            return pdus.ROK
        try:
            await self._in_thread(partial(persistently, partial(keep_receipt, receipt)))
        except _AWAY as error:
            log.warning("smpp_database_away", error=type(error).__name__)
            return pdus.RX_T_APPN
        except DataError:
            # It can't be kept, now or later: brought again for ever it would stand in the way of the others.
            log.warning("smpp_receipt_unstorable")
            return pdus.RX_P_APPN
        return pdus.ROK

    # --- The database -----------------------------------------------------------------------------
    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _with_connection, function)

    async def _listen_for_ever(self) -> None:
        """Wake the claim when a message is announced; without this connection the poll finds it a moment later."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("smpp_deaf", error=type(error).__name__)
                await asyncio.sleep(DATABASE_RETRY * random.uniform(0.75, 1.25))  # noqa: S311 - jitter

    async def _listen(self) -> None:
        async with asyncio.timeout(_CONNECT_PATIENCE):
            connection = await psycopg.AsyncConnection.connect(**_connection_parameters(), autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._wake()
            while True:
                async for notification in connection.notifies(timeout=_PROBE):
                    if _is_about_messages(notification.payload):
                        self._wake()
                async with asyncio.timeout(_CONNECT_PATIENCE):
                    await connection.execute("SELECT 1")

    def _wake(self) -> None:
        if self._handover:
            self._handover.wake.set()


def keep_receipt(receipt: answers.Receipt) -> None:
    """Write it down. One of an id that we don't know (yet, where its answer is still to come) is told to the log too:
    that all are is what a wrong HOTLINE_SMPP_RECEIPT_IDS looks like."""
    found = receive_status(gateway=GATEWAY, gateway_id=receipt.gateway_id, state=receipt.state, reason=receipt.reason)
    if found is None:
        log.info("smpp_receipt_of_nothing", gateway=GATEWAY, state=receipt.state)


def _with_connection(function: Callable[[], T]) -> T:
    try:
        return function()
    finally:
        connections.close_all()


def _is_about_messages(payload: str) -> bool:
    try:
        return json.loads(payload)["topic"] == "sms"
    except (ValueError, KeyError, TypeError):
        return False


def _connection_parameters() -> dict[str, Any]:
    """Of the default database, for a connection outside the pool."""
    parameters = connections["default"].get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    return {**parameters, "application_name": "hotline-smpp", "keepalives_idle": 30, "keepalives_interval": 10}
