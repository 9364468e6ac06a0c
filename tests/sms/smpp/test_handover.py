"""Parts over one session, against a scripted centre, without a database: each ends in exactly one way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest

from sms.actions import PartToSend
from sms.gateways.base import Accepted, NotSubmitted, Outcome, Rejected, Unknown
from sms.smpp import handover, pdus
from sms.smpp.handover import Handover, Limits, Pace
from sms.smpp.pdus import Pdu
from sms.smpp.session import Centre, Session
from tests.helpers import run_loop
from tests.sms.smpp.test_session import Reader, Writer, answer_bind, nothing, read

RESPONSE = pdus.RESPONSE
Peer = Callable[[Reader, Writer], Awaitable[Any]]
Said = list[tuple[str, Outcome]]


def parts(*texts: str, token: UUID | None = None, message: Iterator[int] = count(1)) -> list[PartToSend]:  # noqa: B008
    """Parts of one message each; of the same one where a token is named."""
    total = len(texts) if token else 1
    return [
        PartToSend(next(message), token or uuid4(), seq, total, 1, "+79160000101", "HOTLINE", text, "gsm7")
        for seq, text in enumerate(texts, start=1)
    ]


def reply(pdu: Pdu, status: int = 0, gateway_id: str = "1") -> bytes:
    return Pdu(pdu.command | RESPONSE, status, pdu.sequence, gateway_id.encode() + b"\0").encode()


def text_of(pdu: Pdu) -> str:
    """Behind two empty times, four single octets and the length, and the header of a long message."""
    message = pdu.body[1 + 2 + 8 + 2 + 12 + 3 + 2 + 4 + 1 :]
    return message[1 + message[0] :].decode() if message[:1] == b"\x05" else message.decode()


def hand_over(
    peer: Peer,
    queue: list[PartToSend],
    *,
    window: int = 3,
    per_second: int = 1000,
    timeout: float = 0.4,
    run_for: float = 1.0,
    grace: float = 1.0,
    claim_takes: float = 0.0,
    asked: list[int] | None = None,
) -> tuple[Said, Any]:
    """Run until the link is lost, or `run_for` seconds and then a stop; what was settled, and what the peer saw."""
    settled: Said = []

    async def both() -> Any:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def serve(reader: Reader, writer: Writer) -> None:
            try:
                await answer_bind(reader, writer)
                done.set_result(await peer(reader, writer))
            except Exception as error:  # noqa: BLE001
                if not done.done():
                    done.set_exception(error)
            finally:
                writer.close()

        async def claim(most: int) -> list[PartToSend]:
            await asyncio.sleep(claim_takes)
            if asked is not None:
                asked.append(most)
            taken = queue[:most]
            del queue[:most]
            return taken

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        centre = Centre("127.0.0.1", port, "hotline", "geheim", timeout=timeout)
        session = await Session.bind(centre, lambda session, pdu: None)
        work = Handover(
            session,
            Limits(window, per_second, timeout),
            Pace(per_second),
            claim=claim,
            settle=lambda part, outcome: settled.append((part.text, outcome)),
            unsettled=lambda: 0,
        )
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(run_for, stop.set)
        await asyncio.wait_for(work.run(stop, grace), 15)
        server.close()
        return await asyncio.wait_for(done, 5)

    seen = run_loop(both())
    return settled, seen


def answering(*statuses: int) -> Peer:
    """Answer each submit_sm with the next status, in the end with yes; returns the texts in their order."""

    async def peer(reader: Reader, writer: Writer) -> list[str]:
        texts: list[str] = []
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                pdu = await read(reader)
                if pdu.command == pdus.SUBMIT_SM:
                    status = statuses[len(texts)] if len(texts) < len(statuses) else 0
                    texts.append(text_of(pdu))
                    writer.write(reply(pdu, status, f"id-{texts[-1]}"))
                else:
                    writer.write(Pdu(pdu.command | RESPONSE, 0, pdu.sequence).encode())
        return texts

    return peer


def test_all_is_handed_over_in_order_once_and_then_we_unbind() -> None:
    queue = parts(*"abcdefghij")
    settled, seen = hand_over(answering(), queue)
    assert seen == list("abcdefghij")
    assert settled == [(text, Accepted(f"id-{text}")) for text in "abcdefghij"]


def test_the_window_is_never_overrun_and_claims_are_what_it_has_room_for() -> None:
    async def peer(reader: Reader, writer: Writer) -> int:
        open_now: list[Pdu] = []
        most = 0
        with suppress(asyncio.IncompleteReadError, TimeoutError):
            while True:
                try:
                    async with asyncio.timeout(0.1):
                        pdu = await read(reader)
                except TimeoutError:
                    for each in open_now:
                        writer.write(reply(each))
                    open_now.clear()
                    continue
                if pdu.command != pdus.SUBMIT_SM:
                    writer.write(reply(pdu))
                    continue
                open_now.append(pdu)
                most = max(most, len(open_now))
        return most

    asked: list[int] = []
    settled, most = hand_over(peer, parts(*"abcdefghijklmnopqr"), window=3, run_for=1.5, asked=asked)
    assert most == 3
    assert sorted(text for text, _ in settled) == list("abcdefghijklmnopqr")
    assert all(isinstance(outcome, Accepted) for _, outcome in settled)
    assert max(asked) == asked[0] == 3 + handover.LOOK_AHEAD
    assert min(asked) > 0


def test_no_more_a_second_than_agreed() -> None:
    moments: list[float] = []

    async def peer(reader: Reader, writer: Writer) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                pdu = await read(reader)
                if pdu.command == pdus.SUBMIT_SM:
                    moments.append(time.monotonic())
                writer.write(reply(pdu))

    settled, _ = hand_over(peer, parts(*"abcdefghijklmnopqrstuvwxyz"), window=10, per_second=20, run_for=1.0)
    assert 15 <= len(moments) <= 22
    assert moments[-1] - moments[0] > 0.7
    # What was claimed and not written by then is given back.
    rest = [outcome for _, outcome in settled if not isinstance(outcome, Accepted)]
    assert {outcome.reason for outcome in rest if isinstance(outcome, NotSubmitted)} <= {"stopped"}
    assert all(isinstance(outcome, NotSubmitted) for outcome in rest)


def test_the_link_is_cut_in_the_middle_of_a_window() -> None:
    """The answered one is accepted, the written ones are unknown, the others are given back."""

    async def peer(reader: Reader, writer: Writer) -> list[str]:
        written = [await read(reader) for _ in range(3)]
        writer.write(reply(written[0], gateway_id="7"))
        written.append(await read(reader))
        writer.transport.abort()
        return [text_of(pdu) for pdu in written]

    settled, seen = hand_over(peer, parts(*"abcdefgh"), window=3)
    assert seen == list("abcd")
    back = NotSubmitted("no_connection", handover._SOON)
    assert dict(settled) == {
        "a": Accepted("7"),
        **dict.fromkeys("bcd", Unknown("link_lost")),
        **dict.fromkeys("efgh", back),
    }
    assert len(settled) == 8


def test_no_answer_in_time_is_unknown_and_a_late_one_is_still_heard() -> None:
    async def peer(reader: Reader, writer: Writer) -> None:
        submit = await read(reader)
        probe = await read(reader)
        assert probe.command == pdus.ENQUIRE_LINK
        writer.write(Pdu(probe.command | RESPONSE, 0, probe.sequence).encode())
        await asyncio.sleep(0.2)
        writer.write(reply(submit, gateway_id="late"))
        await answering()(reader, writer)

    settled, _ = hand_over(peer, parts("a"), run_for=1.2)
    assert settled == [("a", Unknown("link_lost")), ("a", Accepted("late"))]


def test_a_centre_that_takes_and_never_answers_does_not_get_the_whole_queue() -> None:
    async def peer(reader: Reader, writer: Writer) -> int:
        taken = 0
        with suppress(asyncio.IncompleteReadError):
            while True:
                pdu = await read(reader)
                if pdu.command == pdus.SUBMIT_SM:
                    taken += 1
                else:
                    writer.write(Pdu(pdu.command | RESPONSE, 0, pdu.sequence).encode())
        return taken

    queue = parts(*[f"t{number}" for number in range(40)])
    settled, taken = hand_over(peer, queue, window=3, timeout=0.2, run_for=5)
    unknown = [text for text, outcome in settled if outcome == Unknown("link_lost")]
    assert 3 <= taken == len(unknown) <= 6
    assert len(queue) > 20


def test_a_link_that_is_dead_is_found_by_the_probe() -> None:
    settled, _ = hand_over(nothing, parts("a"), timeout=0.2, run_for=10)
    assert settled == [("a", Unknown("link_lost"))]


@pytest.mark.parametrize("status", [0x58, 0x14])
def test_a_full_centre_gets_a_pause(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "FIRST_PAUSE", 0.4)
    moments: list[float] = []

    async def peer(reader: Reader, writer: Writer) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                pdu = await read(reader)
                if pdu.command == pdus.SUBMIT_SM:
                    moments.append(time.monotonic())
                writer.write(reply(pdu, status if len(moments) == 1 else 0))

    settled, _ = hand_over(peer, parts("a", "b"), window=1)
    assert settled == [("a", NotSubmitted("throttled")), ("b", Accepted("1"))]
    assert 0.35 < moments[1] - moments[0] < 0.9


def test_not_bound_any_more_makes_the_link_anew() -> None:
    settled, _ = hand_over(answering(0x04), parts("a", "b"), window=1, run_for=10)
    assert settled == [
        ("a", NotSubmitted("no_connection:not_bound")),
        ("b", NotSubmitted("no_connection", handover._SOON)),
    ]


@pytest.mark.parametrize(
    ("status", "outcome"), [(0x0B, Rejected("invalid_destination")), (0x08, Unknown("unclear:0x8"))]
)
def test_the_rest_of_a_message_that_failed_is_not_sent(status: int, outcome: Outcome) -> None:
    message = count(77)
    long = parts("a1", "a2", "a3", token=uuid4(), message=message)
    settled, seen = hand_over(answering(status), [*long, *parts("b")], window=1)
    assert seen == ["a1", "b"]
    assert settled == [
        ("a1", outcome),
        ("a2", NotSubmitted(outcome.reason)),
        ("a3", NotSubmitted(outcome.reason)),
        ("b", Accepted("id-b")),
    ]


def test_too_late_to_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock runs from before the claim: one that took too long is worth nothing."""
    monkeypatch.setattr(Limits, "write_within", property(lambda self: 0.2))
    settled, seen = hand_over(answering(), parts("a"), claim_takes=0.3)
    assert (settled, seen) == ([("a", NotSubmitted("too_late", handover._SOON))], [])


def test_what_can_t_be_said_is_rejected_and_the_next_one_sent() -> None:
    settled, seen = hand_over(answering(), parts("я", "b"))
    assert (settled, seen) == ([("я", Rejected("not_encodable")), ("b", Accepted("id-b"))], ["b"])


def test_a_stop_waits_for_answers_gives_back_the_rest_and_unbinds() -> None:
    async def peer(reader: Reader, writer: Writer) -> tuple[list[str], int]:
        written = [await read(reader) for _ in range(2)]
        await asyncio.sleep(0.6)
        for pdu in written:
            writer.write(reply(pdu))
        return [text_of(pdu) for pdu in written], (await read(reader)).command

    settled, seen = hand_over(peer, parts(*"abcd"), window=2, timeout=3, run_for=0.3, grace=2)
    assert seen == (["a", "b"], pdus.UNBIND)
    back = NotSubmitted("stopped", handover._SOON)
    assert dict(settled) == {"a": Accepted("1"), "b": Accepted("1"), "c": back, "d": back}


def test_a_stop_does_not_wait_for_ever() -> None:
    began = time.monotonic()
    settled, _ = hand_over(nothing, parts(*"abc"), window=2, timeout=5, run_for=0.2, grace=0.3)
    assert dict(settled) == {
        **dict.fromkeys("ab", Unknown("link_lost")),
        "c": NotSubmitted("stopped", handover._SOON),
    }
    assert time.monotonic() - began < 4


def test_a_claim_that_ends_after_the_stop_is_given_back() -> None:
    settled, seen = hand_over(answering(), parts("a"), claim_takes=0.5, run_for=0.2)
    assert (settled, seen) == ([("a", NotSubmitted("stopped", handover._SOON))], [])


def test_the_lease_outlasts_the_last_answer() -> None:
    for window, per_second, timeout in ((10, 10, 10.0), (1, 1, 1.0), (1000, 1, 120.0)):
        limits = Limits(window, per_second, timeout)
        assert limits.lease.total_seconds() >= limits.write_within + timeout + 10
        assert limits.write_within >= (window + handover.LOOK_AHEAD) / per_second + timeout


def test_a_fault_of_our_own_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        hand_over(nothing, Broken(), run_for=10)


class Broken(list):  # type: ignore[type-arg]
    def __getitem__(self, key: Any) -> Any:
        raise ZeroDivisionError


def test_an_idle_while_is_no_credit_for_a_burst() -> None:
    """Of three at once the third waits for two steps, however long nothing was sent before."""

    async def three() -> float:
        pace = Pace(20)
        await pace.turn()
        await asyncio.sleep(0.2)
        began = time.monotonic()
        for _ in range(3):
            await pace.turn()
        return time.monotonic() - began

    assert run_loop(three()) >= 0.099
