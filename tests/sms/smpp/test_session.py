"""The wire against a scripted peer on a raw socket: what is malformed, split, late or silent."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from sms.smpp import pdus
from sms.smpp.pdus import Pdu
from sms.smpp.session import Centre, LinkLost, NotBound, NothingWritten, Session
from tests.helpers import PATIENCE, run_loop

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
RESPONSE = pdus.RESPONSE


async def read(reader: Reader) -> Pdu:
    """The next PDU; a link closed with octets unread ends in a reset, which is an end like any other."""
    try:
        length, command, status, sequence = struct.unpack(">IIII", await reader.readexactly(16))
        return Pdu(command, status, sequence, await reader.readexactly(length - 16))
    except ConnectionError as reset:
        raise asyncio.IncompleteReadError(b"", 16) from reset


async def until_the_end(reader: Reader) -> bytes:
    """What comes until the end, be that a reset."""
    found = b""
    with suppress(ConnectionError):
        while octets := await reader.read(1000):
            found += octets
    return found


async def answer_bind(reader: Reader, writer: Writer, status: int = 0) -> None:
    bind = await read(reader)
    assert bind.command == pdus.BIND_TRANSCEIVER
    writer.write(Pdu(bind.command | RESPONSE, status, bind.sequence, b"centre\0" if not status else b"").encode())


def play(
    peer: Callable[[Reader, Writer], Awaitable[Any]],
    ours: Callable[[Session], Awaitable[Any]],
    *,
    bind: bool = True,
    timeout: float = PATIENCE,
    silence: float = PATIENCE,
) -> tuple[Any, Any, list[Pdu]]:
    """Run both sides; (what ours returned, what the peer returned, the deliveries that came).

    `timeout` and `silence` hold once it is bound: a machine that is busy then must not fail the bind. Where the peer
    does not bind (`bind=False`) they hold at once.
    """
    deliveries: list[Pdu] = []

    async def both() -> tuple[Any, Any]:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def serve(reader: Reader, writer: Writer) -> None:
            try:
                if bind:
                    await answer_bind(reader, writer)
                done.set_result(await peer(reader, writer))
            except Exception as error:  # noqa: BLE001 - the test sees it
                if not done.done():
                    done.set_exception(error)
            finally:
                with suppress(OSError):
                    await writer.drain()
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        quick = Centre(**_who(port), timeout=timeout, silence=silence)
        where = replace(quick, timeout=PATIENCE) if bind else quick
        try:
            session = await Session.bind(where, lambda _, pdu: deliveries.append(pdu))
            session._centre = quick
            try:
                result = await ours(session)
            finally:
                session.close("test")
            return result, await asyncio.wait_for(done, PATIENCE)
        finally:
            server.close()

    result, told = run_loop(asyncio.wait_for(both(), 2 * PATIENCE))
    return result, told, deliveries


def _who(port: int) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "system_id": "hotline", "password": "geheim"}


async def nothing(reader: Reader, writer: Writer) -> None:
    """Read until our side closes."""
    with suppress(OSError):
        while await reader.read(1000):
            pass


async def lost(session: Session) -> str:
    await asyncio.wait_for(session.lost.wait(), PATIENCE)
    return session.why


# --- Binding ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "said"),
    [
        (0x0D, "RBINDFAIL"),
        (0x0E, "RINVPASWD"),
        (0x0F, "RINVSYSID"),
        (0x05, "RALYBND"),
        (0x53, "RINVSYSTYP"),
        (0x58, "0x58"),
    ],
)
def test_a_bind_that_is_refused(status: int, said: str) -> None:

    async def peer(reader: Reader, writer: Writer) -> None:
        await answer_bind(reader, writer, status)
        await nothing(reader, writer)

    with pytest.raises(NotBound) as found:
        play(peer, lost, bind=False)
    assert found.value.reason == f"bind:{said}"


@pytest.mark.parametrize(
    "octets", [b"", b"\0\0\0\x10", b"HTTP/1.1 400 Bad Request\r\n\r\n", Pdu(RESPONSE, 3, 0).encode()]
)
def test_a_peer_that_speaks_no_smpp(octets: bytes) -> None:
    async def peer(reader: Reader, writer: Writer) -> None:
        writer.write(octets)

    with pytest.raises(NotBound, match="no_connection:"):
        play(peer, lost, bind=False)


def test_a_peer_that_says_nothing() -> None:
    with pytest.raises(NotBound, match="no_connection:TimeoutError"):
        play(nothing, lost, bind=False, timeout=0.2)


def test_nobody_listens() -> None:
    async def dial() -> None:
        server = await asyncio.start_server(nothing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await Session.bind(Centre(**_who(port)), lambda session, pdu: None)

    with pytest.raises(NotBound, match="no_connection:ConnectionRefusedError"):
        run_loop(dial())


# --- Split, half and absurd -------------------------------------------------------------------------
def test_an_answer_octet_by_octet_and_two_in_one() -> None:
    async def peer(reader: Reader, writer: Writer) -> None:
        first, second = await read(reader), await read(reader)
        for octet in Pdu(first.command | RESPONSE, 0, first.sequence, b"1\0").encode():
            writer.write(bytes((octet,)))
            await writer.drain()
            await asyncio.sleep(0.001)
        third = await read(reader)
        # out of order, in one write, without the NUL
        writer.write(
            Pdu(third.command | RESPONSE, 0, third.sequence, b"3").encode()
            + Pdu(second.command | RESPONSE, 0x58, second.sequence).encode()
        )
        await nothing(reader, writer)

    async def ours(session: Session) -> list[tuple[int, str]]:
        first, second = session.submit(b"one"), session.submit(b"two")
        await first
        third = session.submit(b"three")
        answers = [await first, await second, await third]
        return [(answer.status, pdus.message_id(answer.body)) for answer in answers]

    result, _, _ = play(peer, ours)
    assert result == [(0, "1"), (0x58, ""), (0, "3")]


@pytest.mark.parametrize("octets", [b"\0\0\0\x05" + b"\0" * 12, b"\xff\xff\xff\xff" + b"\0" * 12])
def test_an_absurd_length_is_named_and_ends_the_link(octets: bytes) -> None:
    async def peer(reader: Reader, writer: Writer) -> tuple[Pdu, Pdu, bytes]:
        submit = await read(reader)
        writer.write(octets)
        return submit, await read(reader), await until_the_end(reader)

    async def ours(session: Session) -> str:
        with pytest.raises(LinkLost):
            await session.submit(b"one")
        return session.why

    why, (submit, nack, rest), _ = play(peer, ours)
    assert (why, submit.body, rest) == ("malformed", b"one", b"")
    assert nack == Pdu(pdus.GENERIC_NACK, pdus.RINVCMDLEN, 0)


@pytest.mark.parametrize("end", [0, 3, 15, 16, 17])
def test_half_an_answer_is_none(end: int) -> None:
    async def peer(reader: Reader, writer: Writer) -> None:
        submit = await read(reader)
        writer.write(Pdu(submit.command | RESPONSE, 0, submit.sequence, b"1\0").encode()[:end])

    async def ours(session: Session) -> str:
        with pytest.raises(LinkLost):
            await session.submit(b"one")
        with pytest.raises(NothingWritten):
            session.submit(b"two")
        return session.why

    assert play(peer, ours)[0] == "IncompleteReadError"


def test_half_a_pdu_and_then_silence_is_asked_about_and_ends() -> None:
    async def peer(reader: Reader, writer: Writer) -> tuple[int, bytes]:
        writer.write(b"\0\0\0\x20\0\0")
        return (await read(reader)).command, await until_the_end(reader)

    why, told, _ = play(peer, lost, silence=0.2, timeout=0.2)
    assert (why, told) == ("no_answer_to_enquire_link", (pdus.ENQUIRE_LINK, b""))


# --- What the other side asks -----------------------------------------------------------------------
def test_enquire_link_is_answered_and_asked_in_silence() -> None:
    async def peer(reader: Reader, writer: Writer) -> list[Pdu]:
        writer.write(Pdu(pdus.ENQUIRE_LINK, 0, 77).encode())
        heard: list[Pdu] = []
        while [each.command for each in heard].count(pdus.ENQUIRE_LINK) < 3 or len(heard) < 4:
            heard.append(await read(reader))
            if heard[-1].command == pdus.ENQUIRE_LINK:
                writer.write(Pdu(pdus.ENQUIRE_LINK | RESPONSE, 0, heard[-1].sequence).encode())
        return heard

    _, heard, _ = play(peer, lost, silence=0.1)
    assert [each for each in heard if each.command != pdus.ENQUIRE_LINK] == [Pdu(pdus.ENQUIRE_LINK | RESPONSE, 0, 77)]


def test_the_centre_unbinds() -> None:
    """Nothing more is written, what was asked is still answered, and its own answer comes last."""

    async def peer(reader: Reader, writer: Writer) -> tuple[Pdu, Pdu, bytes]:
        submit = await read(reader)
        writer.write(Pdu(pdus.UNBIND, 0, 9).encode() + Pdu(pdus.ENQUIRE_LINK, 0, 10).encode())
        alive = await read(reader)
        writer.write(Pdu(submit.command | RESPONSE, 0, submit.sequence, b"1\0").encode())
        return alive, await read(reader), await until_the_end(reader)

    async def ours(session: Session) -> tuple[str, str]:
        answer = session.submit(b"one")
        await asyncio.wait_for(session.ending.wait(), PATIENCE)
        with pytest.raises(NothingWritten):
            session.submit(b"two")
        gateway_id = pdus.message_id((await answer).body)
        assert not session.lost.is_set()
        await session.unbind()
        return gateway_id, session.why

    result, told, _ = play(peer, ours)
    assert result == ("1", "unbound_by_centre")
    assert told == (Pdu(pdus.ENQUIRE_LINK | RESPONSE, 0, 10), Pdu(pdus.UNBIND | RESPONSE, 0, 9), b"")


def test_the_centre_unbinds_and_closes() -> None:
    async def peer(reader: Reader, writer: Writer) -> None:
        await read(reader)
        writer.write(Pdu(pdus.UNBIND, 0, 9).encode())

    async def ours(session: Session) -> str:
        with pytest.raises(LinkLost):
            await session.submit(b"one")
        await session.unbind()
        return session.why

    assert play(peer, ours)[0] == "unbound_by_centre"


def test_a_link_that_ends_is_asked_nothing() -> None:
    """Silence after the centre's unbind is no reason to ask: whoever waits for answers has a clock of its own."""

    async def peer(reader: Reader, writer: Writer) -> list[int]:
        writer.write(Pdu(pdus.UNBIND, 0, 9).encode())
        heard = []
        with suppress(asyncio.IncompleteReadError):
            while True:
                asked = await read(reader)
                heard.append(asked.command)
                writer.write(Pdu(asked.command | RESPONSE, 0, asked.sequence).encode())
        return heard

    async def ours(session: Session) -> None:
        await asyncio.wait_for(session.ending.wait(), PATIENCE)
        await asyncio.sleep(1)
        await session.unbind()

    heard = play(peer, ours, silence=0.1)[1]
    assert heard[-1] == pdus.UNBIND | RESPONSE
    assert heard.count(pdus.ENQUIRE_LINK) <= 2  # before the unbind was read, at the most


def test_we_unbind() -> None:
    async def peer(reader: Reader, writer: Writer) -> int:
        said = await read(reader)
        writer.write(Pdu(said.command | RESPONSE, 0, said.sequence).encode())
        return said.command

    assert play(peer, lambda session: session.unbind())[1] == pdus.UNBIND


def test_a_centre_that_does_not_answer_our_unbind_holds_nobody_up() -> None:
    assert play(nothing, lambda session: session.unbind(), timeout=0.2)[0] is None


@pytest.mark.parametrize("command", [0x00000003, 0x00000104, 0x00012345, 0x7FFFFFFF])
def test_requests_that_we_do_not_know(command: int) -> None:
    """query_sm, and what is no command: told so, and the link goes on."""

    async def peer(reader: Reader, writer: Writer) -> tuple[Pdu, Pdu]:
        writer.write(Pdu(command, 0, 5, b"whatever").encode() + Pdu(pdus.ENQUIRE_LINK, 0, 6).encode())
        return await read(reader), await read(reader)

    _, (nack, alive), _ = play(peer, lost)
    assert (nack, alive.sequence) == (Pdu(pdus.GENERIC_NACK, pdus.RINVCMDID, 5), 6)


@pytest.mark.parametrize("command", [pdus.OUTBIND, pdus.ALERT_NOTIFICATION])
def test_requests_that_have_no_answer_get_none(command: int) -> None:
    async def peer(reader: Reader, writer: Writer) -> Pdu:
        writer.write(Pdu(command, 0, 5, b"whatever").encode() + Pdu(pdus.ENQUIRE_LINK, 0, 6).encode())
        return await read(reader)

    assert play(peer, lost)[1] == Pdu(pdus.ENQUIRE_LINK | RESPONSE, 0, 6)


@pytest.mark.parametrize("command", [pdus.DELIVER_SM, pdus.DATA_SM])
def test_a_delivery_is_answered_only_when_we_say_so(command: int) -> None:
    async def peer(reader: Reader, writer: Writer) -> Pdu:
        writer.write(Pdu(command, 0, 0xFFFFFFFF, b"body").encode())
        # What follows is answered first: nothing else waited before it.
        writer.write(Pdu(pdus.ENQUIRE_LINK, 0, 1).encode())
        alive = await read(reader)
        assert alive.command == pdus.ENQUIRE_LINK | RESPONSE
        asked.set()
        return await read(reader)

    async def ours(session: Session) -> None:
        await asyncio.wait_for(asked.wait(), PATIENCE)
        session.answer_delivery(Pdu(command, 0, 0xFFFFFFFF), 0)
        await lost(session)

    asked = asyncio.Event()
    _, told, deliveries = play(peer, ours)
    assert told == Pdu(command | RESPONSE, 0, 0xFFFFFFFF, b"\0")
    assert [pdu.body for pdu in deliveries] == [b"body"]


# --- Answers to nothing -----------------------------------------------------------------------------
def test_a_nack_of_our_request_is_its_answer() -> None:
    async def peer(reader: Reader, writer: Writer) -> None:
        submit = await read(reader)
        writer.write(Pdu(pdus.GENERIC_NACK, 0x03, submit.sequence).encode())
        await nothing(reader, writer)

    async def ours(session: Session) -> Pdu:
        return await session.submit(b"one")

    answer = play(peer, ours)[0]
    assert (answer.command, answer.status) == (pdus.GENERIC_NACK, 3)


def test_a_nack_of_nothing_ends_the_link() -> None:
    async def peer(reader: Reader, writer: Writer) -> None:
        writer.write(Pdu(pdus.GENERIC_NACK, 0x02, 0).encode())
        await nothing(reader, writer)

    assert play(peer, lost)[0] == "generic_nack"


def test_answers_to_nothing_and_of_another_kind_are_passed_over() -> None:
    async def peer(reader: Reader, writer: Writer) -> None:
        submit = await read(reader)
        for command, sequence in (
            (pdus.SUBMIT_SM, submit.sequence + 1),
            (pdus.ENQUIRE_LINK, submit.sequence),
            (pdus.UNBIND, submit.sequence),
            (pdus.SUBMIT_SM, submit.sequence),
            (pdus.SUBMIT_SM, submit.sequence),
        ):
            writer.write(Pdu(command | RESPONSE, 0, sequence, b"1\0").encode())
        probe = await read(reader)
        writer.write(Pdu(probe.command | RESPONSE, 0, probe.sequence).encode())
        await nothing(reader, writer)

    async def ours(session: Session) -> tuple[str, bool]:
        answer = await session.submit(b"one")
        await session.probe()  # its answer comes behind them all
        return pdus.message_id(answer.body), session.lost.is_set()

    assert play(peer, ours)[0] == ("1", False)


def test_a_flood_of_noise_ends_nothing_but_itself() -> None:
    """A thousand answers to nothing, then our answer."""

    async def peer(reader: Reader, writer: Writer) -> None:
        submit = await read(reader)
        writer.write(b"".join(Pdu(0x80000004, 0, 10_000 + each).encode() for each in range(1000)))
        writer.write(Pdu(submit.command | RESPONSE, 0, submit.sequence, b"1\0").encode())
        await nothing(reader, writer)

    async def ours(session: Session) -> str:
        return pdus.message_id((await session.submit(b"one")).body)

    assert play(peer, ours)[0] == "1"
