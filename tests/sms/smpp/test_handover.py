"""Parts over one session, against a scripted centre, without a database: each ends in exactly one way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
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
from tests.helpers import PATIENCE, run_loop
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
    timeout: float = PATIENCE,
    settles: int | None = None,
    run_for: float | None = None,
    grace: float = PATIENCE,
    claim_takes: float = 0.0,
    asked: list[int] | None = None,
    silent: int = 0,
    made: list[Handover] | None = None,
    waking: Callable[[Handover], Awaitable[Any]] | None = None,
) -> tuple[Said, Any]:
    """Run until the link is lost, or a stop: once so many parts are settled (all of them), or after `run_for` seconds.

    Returns what was settled, and what the peer saw. `timeout` is not the bind's, which a busy machine must not fail.
    """
    settled: Said = []
    most = len(queue) if settles is None else settles

    async def both() -> Any:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()

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

        def settle(part: PartToSend, outcome: Outcome) -> None:
            settled.append((part.text, outcome))
            if run_for is None and len(settled) >= most:
                stop.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        centre = Centre("127.0.0.1", port, "hotline", "geheim", timeout=PATIENCE)
        session = await Session.bind(centre, lambda session, pdu: None)
        session._centre = replace(centre, timeout=timeout)
        work = Handover(
            session,
            Limits(window, per_second, timeout),
            Pace(per_second),
            claim=claim,
            settle=settle,
            unsettled=lambda: 0,
            silent=silent,
        )
        if made is not None:
            made.append(work)
        if run_for is not None:
            asyncio.get_running_loop().call_later(run_for, stop.set)
        waker = asyncio.create_task(waking(work)) if waking else None
        await asyncio.wait_for(work.run(stop, grace), PATIENCE)
        if waker:
            await waker
        server.close()
        return await asyncio.wait_for(done, PATIENCE)

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
    async def peer(reader: Reader, writer: Writer) -> list[int]:
        """Answers only once nothing more comes; how many were waiting for it each time."""
        open_now: list[Pdu] = []
        waiting: list[int] = []
        coming = asyncio.create_task(read(reader))
        with suppress(asyncio.IncompleteReadError):
            while True:
                await asyncio.wait([coming], timeout=0.1 if open_now else None)
                if not coming.done():
                    waiting.append(len(open_now))
                    writer.write(b"".join(map(reply, open_now)))
                    open_now.clear()
                    continue
                pdu = coming.result()
                coming = asyncio.create_task(read(reader))
                if pdu.command == pdus.SUBMIT_SM:
                    open_now.append(pdu)
                else:
                    writer.write(reply(pdu))
        return waiting

    asked: list[int] = []
    settled, waiting = hand_over(peer, parts(*"abcdefghijklmnopqr"), window=3, asked=asked)
    assert max(waiting) == 3
    assert sum(waiting) == 18
    assert sorted(text for text, _ in settled) == list("abcdefghijklmnopqr")
    assert all(isinstance(outcome, Accepted) for _, outcome in settled)
    assert max(asked) == asked[0] == 3 + handover.LOOK_AHEAD
    assert min(asked) > 0


def test_what_is_announced_is_claimed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "POLL", PATIENCE)
    queue: list[PartToSend] = []
    asked: list[int] = []

    async def waking(work: Handover) -> None:
        while not asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)  # it has found nothing by now
        queue.extend(parts("a"))
        work.wake.set()

    began = time.monotonic()
    settled, _ = hand_over(answering(), queue, settles=1, asked=asked, waking=waking)
    assert settled == [("a", Accepted("id-a"))]
    assert time.monotonic() - began < PATIENCE / 2


def test_no_more_a_second_than_agreed() -> None:
    moments: list[float] = []

    async def peer(reader: Reader, writer: Writer) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                pdu = await read(reader)
                if pdu.command == pdus.SUBMIT_SM:
                    moments.append(time.monotonic())
                writer.write(reply(pdu))

    began = time.monotonic()
    settled, _ = hand_over(peer, parts(*"abcdefghijklmnopqrstu"), window=10, per_second=20)
    assert all(isinstance(outcome, Accepted) for _, outcome in settled)
    assert len(moments) == 21
    assert moments[-1] - began > 0.99  # twenty steps of a twentieth


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
    back = NotSubmitted("no_connection", handover._SOON, saw_nothing=True)
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
        writer.write(reply(submit, gateway_id="late"))
        await answering()(reader, writer)

    settled, _ = hand_over(peer, parts("a"), timeout=0.4, settles=2)
    assert settled == [("a", Unknown("link_lost")), ("a", Accepted("late"))]


async def never_answering(reader: Reader, writer: Writer) -> int:
    """But for enquire_link; how many parts it took."""
    taken = 0
    with suppress(asyncio.IncompleteReadError):
        while True:
            pdu = await read(reader)
            if pdu.command == pdus.SUBMIT_SM:
                taken += 1
            else:
                writer.write(Pdu(pdu.command | RESPONSE, 0, pdu.sequence).encode())
    return taken


@pytest.mark.parametrize(
    ("window", "silent", "taken"), [(4, 0, 4), (1, 0, 3), (2, 0, 3), (4, 1, 2), (4, 3, 1), (4, 99, 1)]
)
def test_a_centre_that_takes_and_never_answers_gets_one_window_and_then_one_part_a_link(
    window: int, silent: int, taken: int
) -> None:
    """Three without an answer in a row end the link, those of the links before among them."""
    queue = parts(*[f"t{number}" for number in range(40)])
    made: list[Handover] = []
    settled, found = hand_over(never_answering, queue, window=window, timeout=0.6, silent=silent, made=made)
    assert [outcome for _, outcome in settled].count(Unknown("link_lost")) == found == taken
    assert (made[0].silent, made[0].answered, made[0].session.why) == (silent + taken, 0, "silent")
    assert len(queue) > 20


def test_after_a_silent_link_one_part_goes_first_and_after_its_answer_the_whole_window() -> None:
    async def peer(reader: Reader, writer: Writer) -> list[str]:
        first = await read(reader)
        # The second one would have come by now.
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 0.3)
        writer.write(reply(first))
        window = [await read(reader) for _ in range(3)]
        for pdu in window:
            writer.write(reply(pdu))
        return [text_of(first), *map(text_of, window), *await answering()(reader, writer)]

    made: list[Handover] = []
    settled, seen = hand_over(peer, parts(*"abcde"), window=3, silent=10, made=made)
    assert seen == list("abcde")
    assert settled == [(text, Accepted("1")) for text in "abcd"] + [("e", Accepted("id-e"))]
    assert made[0].silent == 0


def test_the_last_word_of_a_link_that_was_cut_is_silence() -> None:
    async def peer(reader: Reader, writer: Writer) -> None:
        written = [await read(reader) for _ in range(3)]
        writer.write(reply(written[0]))
        await read(reader)
        writer.transport.abort()

    made: list[Handover] = []
    hand_over(peer, parts(*"abcd"), window=3, made=made)
    assert (made[0].silent, made[0].answered) == (3, 1)


def test_a_link_that_is_dead_is_found_by_the_probe() -> None:
    made: list[Handover] = []
    settled, _ = hand_over(nothing, parts("a"), timeout=0.2, settles=99, made=made)
    assert settled == [("a", Unknown("link_lost"))]
    assert made[0].session.why == "no_answer_to_enquire_link"


@pytest.mark.parametrize("status", [0x58, 0x14])
def test_a_full_centre_gets_a_pause(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "FIRST_PAUSE", 1.0)
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
    assert moments[1] - moments[0] > 0.99


def ending(how: Callable[[Pdu], bytes], *, answers: int) -> Peer:
    """Of three parts in flight one gets what `how` says, then so many of the others their answer; then our good-bye."""

    async def peer(reader: Reader, writer: Writer) -> tuple[list[str], Pdu]:
        written = [await read(reader) for _ in range(3)]
        writer.write(how(written[0]))
        # That we have read it shows in nothing written; what we get now comes long after it.
        await asyncio.sleep(0.3)
        for pdu in written[1 : 1 + answers]:
            writer.write(reply(pdu, gateway_id=f"id-{text_of(pdu)}"))
        bye = await read(reader)
        writer.write(Pdu(pdus.UNBIND | RESPONSE, 0, bye.sequence).encode())
        return [text_of(pdu) for pdu in written], bye

    return peer


def not_bound(pdu: Pdu) -> bytes:
    return reply(pdu, 0x04)


def unbind(pdu: Pdu) -> bytes:
    """Its answer, and the centre's good-bye."""
    return reply(pdu, gateway_id="id-a") + Pdu(pdus.UNBIND, 0, 77).encode()


BACK = NotSubmitted("no_connection", handover._SOON, saw_nothing=True)


@pytest.mark.parametrize(
    ("how", "first", "why", "bye"),
    [
        (not_bound, NotSubmitted("no_connection:not_bound"), "not_bound", pdus.UNBIND),
        (unbind, Accepted("id-a"), "unbound_by_centre", pdus.UNBIND | RESPONSE),
    ],
)
def test_a_link_that_the_centre_ends_gets_no_more_and_what_is_in_flight_is_still_answered(
    how: Callable[[Pdu], bytes], first: Outcome, why: str, bye: int
) -> None:
    made: list[Handover] = []
    settled, (seen, said) = hand_over(ending(how, answers=2), parts(*"abcdef"), settles=99, made=made)
    assert (seen, said.command) == (list("abc"), bye)
    assert dict(settled) == {"a": first, "b": Accepted("id-b"), "c": Accepted("id-c"), **dict.fromkeys("def", BACK)}
    assert len(settled) == 6
    assert made[0].session.why == why


@pytest.mark.parametrize("how", [not_bound, unbind])
def test_what_is_in_flight_on_a_link_that_the_centre_ends_is_waited_for_during_the_time_of_an_answer(
    how: Callable[[Pdu], bytes],
) -> None:
    settled, _ = hand_over(ending(how, answers=0), parts(*"abcdef"), timeout=2, settles=99)
    assert {text for text, outcome in settled if outcome == Unknown("link_lost")} == {"b", "c"}
    assert len(settled) == 6


def test_a_stop_while_a_link_ends_waits_no_longer_than_its_grace() -> None:
    began = time.monotonic()
    settled, _ = hand_over(ending(unbind, answers=0), parts(*"abc"), run_for=1, grace=0.2)
    assert dict(settled) == {"a": Accepted("id-a"), **dict.fromkeys("bc", Unknown("link_lost"))}
    assert time.monotonic() - began < PATIENCE / 2


@pytest.mark.parametrize(
    ("status", "answered", "silent"), [(0x04, 0, 7), (0x58, 1, 0), (0x0B, 1, 0), (0x08, 1, 0), (0x00, 1, 0)]
)
def test_an_answer_shows_that_the_centre_serves_but_not_that_it_takes_nothing_from_us(
    status: int, answered: int, silent: int
) -> None:
    made: list[Handover] = []
    hand_over(answering(status), parts("a"), silent=7, made=made)
    assert (made[0].answered, made[0].silent) == (answered, silent)


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
    settled, seen = hand_over(answering(), parts("a"), claim_takes=0.4)
    assert (settled, seen) == ([("a", NotSubmitted("too_late", handover._SOON, saw_nothing=True))], [])


def test_what_can_t_be_said_is_rejected_and_the_next_one_sent() -> None:
    settled, seen = hand_over(answering(), parts("я", "b"))
    assert (settled, seen) == ([("я", Rejected("not_encodable")), ("b", Accepted("id-b"))], ["b"])


def test_a_stop_waits_for_answers_gives_back_the_rest_and_unbinds() -> None:
    async def peer(reader: Reader, writer: Writer) -> tuple[list[str], int]:
        written = [await read(reader) for _ in range(2)]
        await asyncio.sleep(2)
        for pdu in written:
            writer.write(reply(pdu))
        return [text_of(pdu) for pdu in written], (await read(reader)).command

    settled, seen = hand_over(peer, parts(*"abcd"), window=2, run_for=1)
    assert seen == (["a", "b"], pdus.UNBIND)
    back = NotSubmitted("stopped", handover._SOON, saw_nothing=True)
    assert dict(settled) == {"a": Accepted("1"), "b": Accepted("1"), "c": back, "d": back}
    assert [text for text, _ in settled] == ["c", "d", "a", "b"]


def test_a_stop_does_not_wait_for_ever() -> None:
    began = time.monotonic()
    settled, _ = hand_over(nothing, parts(*"abc"), window=2, run_for=1, grace=0.3)
    assert dict(settled) == {
        **dict.fromkeys("ab", Unknown("link_lost")),
        "c": NotSubmitted("stopped", handover._SOON, saw_nothing=True),
    }
    assert time.monotonic() - began < PATIENCE / 2


def test_a_claim_that_ends_after_the_stop_is_given_back() -> None:
    settled, seen = hand_over(answering(), parts("a"), claim_takes=1.5, run_for=0.2)
    assert (settled, seen) == ([("a", NotSubmitted("stopped", handover._SOON, saw_nothing=True))], [])


def test_the_lease_outlasts_the_last_answer() -> None:
    for window, per_second, timeout in ((10, 10, 10.0), (1, 1, 1.0), (1000, 1, 120.0)):
        limits = Limits(window, per_second, timeout)
        assert limits.lease.total_seconds() >= limits.write_within + timeout + 10
        assert limits.write_within >= (window + handover.LOOK_AHEAD) / per_second + timeout


def test_a_fault_of_our_own_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        hand_over(nothing, Broken(), settles=1)


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
