"""One bound connection to the centre: the wire alone, without messages and without the database."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from sms.smpp import pdus
from sms.smpp.pdus import Pdu

log = structlog.get_logger(__name__)

# Why a centre lets nobody in (5.1.3), by its name: it is what the centre's support asks for.
BIND_REFUSED = {0x05: "RALYBND", 0x0D: "RBINDFAIL", 0x0E: "RINVPASWD", 0x0F: "RINVSYSID", 0x53: "RINVSYSTYP"}
_LAST_SEQUENCE = 0x7FFFFFFF
UNBIND_PATIENCE = 2.0


class NotBound(Exception):
    """The centre can't be reached, or does not let us in. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NothingWritten(Exception):
    """The link was gone before the first octet of this request."""


class LinkLost(Exception):
    """The link went before the answer came."""


@dataclass(frozen=True, slots=True)
class Centre:
    """Where it is and who we are there. `timeout`: seconds for each answer. `silence`: after that many seconds in which
    nothing was heard the centre is asked whether it is there."""

    host: str
    port: int
    system_id: str
    password: str
    system_type: str = ""
    tls: ssl.SSLContext | None = None
    timeout: float = 10.0
    silence: float = 30.0


class Session:
    """Made by `bind`. `ending` is set once it takes no more messages; `lost` once the link is gone: then every open
    request fails with LinkLost. In between answers are still heard, and whoever waits for them calls `unbind` then."""

    def __init__(
        self,
        centre: Centre,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        on_delivery: Callable[[Session, Pdu], None],
    ) -> None:
        self.ending = asyncio.Event()
        self.lost = asyncio.Event()
        self.why = ""
        self._centre = centre
        self._reader, self._writer = streams
        self._on_delivery = on_delivery
        self._sequence = 0
        self._unbound_by: int | None = None  # the sequence number of the centre's unbind
        self._open: dict[int, tuple[int, asyncio.Future[Pdu]]] = {}
        self._heard = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._keep_alive())]

    @classmethod
    async def bind(cls, centre: Centre, on_delivery: Callable[[Session, Pdu], None]) -> Session:
        """Connect and bind as a transceiver. Raises NotBound."""
        try:
            async with asyncio.timeout(centre.timeout):
                streams = await asyncio.open_connection(centre.host, centre.port, ssl=centre.tls)
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            raise NotBound(f"no_connection:{type(error).__name__}") from error
        session = cls(centre, streams, on_delivery)
        body = pdus.bind_transceiver(
            system_id=centre.system_id, password=centre.password, system_type=centre.system_type
        )
        try:
            answer = await session._ask(pdus.BIND_TRANSCEIVER, body)
        except (LinkLost, NothingWritten, TimeoutError) as error:
            session.close("bind")
            raise NotBound(f"no_connection:{type(error).__name__}") from error
        except BaseException:
            session.close("bind")
            raise
        if answer.status != pdus.ROK or answer.command == pdus.GENERIC_NACK:
            session.close("bind")
            raise NotBound(f"bind:{BIND_REFUSED.get(answer.status, hex(answer.status))}")
        return session

    # --- Requests of ours -------------------------------------------------------------------------
    def submit(self, body: bytes) -> asyncio.Future[Pdu]:
        """Write a submit_sm now; its answer comes in the future, LinkLost where it can't come any more.

        Raises NothingWritten: the only way in which surely nothing has left.
        """
        if self.ending.is_set():
            raise NothingWritten
        return self._request(pdus.SUBMIT_SM, body)

    async def probe(self) -> None:
        """Ask whether the centre is there; no answer ends the link."""
        try:
            await self._ask(pdus.ENQUIRE_LINK)
        except TimeoutError:
            self.close("no_answer_to_enquire_link")
        except (LinkLost, NothingWritten):
            pass

    async def unbind(self) -> None:
        """Say good-bye, and close whatever the centre says to that; where it was the first, answer it (4.2.2)."""
        if self._unbound_by is not None:
            self._send(Pdu(pdus.UNBIND | pdus.RESPONSE, pdus.ROK, self._unbound_by))
            self.close("unbound_by_centre")
            return
        with contextlib.suppress(LinkLost, NothingWritten, TimeoutError):
            await self._ask(pdus.UNBIND, patience=min(UNBIND_PATIENCE, self._centre.timeout))
        self.close("unbound")

    def answer_delivery(self, delivery: Pdu, status: int) -> None:
        """deliver_sm_resp (4.6.2), data_sm_resp (4.7.2): the id is an empty string. To a link that is gone nothing is
        said."""
        self._send(Pdu(delivery.command | pdus.RESPONSE, status, delivery.sequence, b"\0"))

    def end(self, why: str) -> None:
        """No more messages on this link; what was asked may still be answered."""
        if not self.ending.is_set():
            self.why = why
            self.ending.set()

    def close(self, why: str) -> None:
        """End the link at once."""
        if self.lost.is_set():
            return
        self.end(why)
        self.lost.set()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._writer.close()
        for _, answer in self._open.values():
            if not answer.done():
                answer.set_exception(LinkLost(why))
        self._open.clear()

    def _request(self, command: int, body: bytes = b"") -> asyncio.Future[Pdu]:
        sequence = self._sequence = self._sequence % _LAST_SEQUENCE + 1
        answer: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        # Whoever gave up waiting need not hear that the link went, and asyncio not complain about it.
        answer.add_done_callback(_seen)
        self._open[sequence] = (command, answer)
        if not self._send(Pdu(command, pdus.ROK, sequence, body)):
            del self._open[sequence]
            raise NothingWritten
        return answer

    async def _ask(self, command: int, body: bytes = b"", patience: float | None = None) -> Pdu:
        answer = self._request(command, body)
        async with asyncio.timeout(patience or self._centre.timeout):
            return await answer

    def _send(self, pdu: Pdu) -> bool:
        """False: nothing of it was handed to the socket."""
        if self.lost.is_set() or self._writer.is_closing():
            return False
        self._writer.write(pdu.encode())
        return True

    # --- What comes -------------------------------------------------------------------------------
    async def _read(self) -> None:
        try:
            while not self.lost.is_set():
                length, command, status, sequence = pdus.read_header(await self._reader.readexactly(pdus.HEADER.size))
                body = await self._reader.readexactly(length)
                self._heard = asyncio.get_running_loop().time()
                self._take(Pdu(command, status, sequence, body))
        except pdus.Malformed as error:
            # From here on nobody knows where a PDU begins: say so, and begin anew.
            log.warning("smpp_malformed", words=str(error))
            self._send(Pdu(pdus.GENERIC_NACK, error.status, 0))
            self.close("malformed")
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close(type(error).__name__)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("smpp_reader_failed")
            self.close("reader_failed")

    def _take(self, pdu: Pdu) -> None:
        if pdu.command & pdus.RESPONSE:
            self._take_answer(pdu)
        elif pdu.command in (pdus.DELIVER_SM, pdus.DATA_SM):
            self._on_delivery(self, pdu)
        elif pdu.command == pdus.ENQUIRE_LINK:
            self._send(Pdu(pdus.ENQUIRE_LINK | pdus.RESPONSE, pdus.ROK, pdu.sequence))
        elif pdu.command == pdus.UNBIND:
            # Many centres close at our answer; it waits until those to our messages have come (`unbind`).
            self._unbound_by = pdu.sequence
            self.end("unbound_by_centre")
        elif pdu.command in (pdus.OUTBIND, pdus.ALERT_NOTIFICATION):
            pass  # no news for us, and the only requests that have no answer (4.1.7, 4.12.1)
        else:
            log.warning("smpp_unknown_request", command=f"{pdu.command:#x}")
            self._send(Pdu(pdus.GENERIC_NACK, pdus.RINVCMDID, pdu.sequence))

    def _take_answer(self, pdu: Pdu) -> None:
        command, answer = self._open.get(pdu.sequence, (None, None))
        if answer is None and pdu.command == pdus.GENERIC_NACK:
            # It could not even read which request that was: the two sides are out of step.
            log.warning("smpp_nack", status=f"{pdu.status:#x}")
            self.close("generic_nack")
        elif answer is None or pdu.command not in (pdus.GENERIC_NACK, (command or 0) | pdus.RESPONSE):
            log.warning("smpp_answer_to_nothing", command=f"{pdu.command:#x}", status=f"{pdu.status:#x}")
        else:
            del self._open[pdu.sequence]
            if not answer.done():
                answer.set_result(pdu)

    async def _keep_alive(self) -> None:
        """Silence is asked about; while something comes the link is alive. One that ends anyway is asked nothing."""
        clock = asyncio.get_running_loop().time
        while not self.ending.is_set():
            quiet = clock() - self._heard
            if quiet >= self._centre.silence:
                await self.probe()
            else:
                await asyncio.sleep(self._centre.silence - quiet)


def _seen(answer: asyncio.Future[Pdu]) -> None:
    if not answer.cancelled():
        answer.exception()


def tls_context() -> ssl.SSLContext:
    """The centre's certificate is verified against the system's authorities, and its name."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
