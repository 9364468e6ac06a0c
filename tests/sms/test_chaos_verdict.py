"""The judge of the scenario with kills, judged: each broken promise is seen, what is allowed is not taken for one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.sms.chaos.verdict import Arrival, Happened, Kill, Result, Step, broken

# Message 1 was delivered, 2 was rejected, 3 was cut by a kill at the times 10 to 10.1 and never arrived.
GOOD = Result(
    seed=1,
    slots=2,
    asked_for=3,
    promised=["one", "two", "three"],
    rows={1: ("one", "delivered"), 2: ("two", "rejected"), 3: ("three", "unknown")},
    journal=[
        Step(1, "queued", 1, ""),
        Step(2, "queued", 1, ""),
        Step(3, "queued", 1, ""),
        Step(1, "submitting", 2, ""),
        Step(1, "accepted", 3, ""),
        Step(2, "submitting", 4, ""),
        Step(2, "rejected", 5, "invalid_destination"),
        Step(1, "delivered", 6, ""),
        Step(3, "submitting", 9.9, ""),
        Step(3, "unknown", 30, "lease_expired"),
    ],
    wire=[Arrival("one", "deliver", 2.1), Arrival("two", "reject", 4.1)],
    kills=[Happened(Kill("worker", 1, 0, 0, False, 0), "worker1", 10, 10.1, 2)],
    began=0,
    ended=31,
)


def test_what_is_allowed() -> None:
    assert broken(GOOD) == []
    assert GOOD.cut == GOOD.ever_unknown == {3}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"promised": ["one", "two", "three", "four"]}, "promised, and there is no row"),
        ({"wire": [*GOOD.wire, Arrival("five", "deliver", 7)]}, "on the wire, and there is no row"),
        ({"wire": [*GOOD.wire, Arrival("one", "deliver", 7)]}, "on the wire more than once"),
        ({"wire": GOOD.wire[1:]}, "handed over by our word, and never on the wire"),
        ({"wire": [GOOD.wire[0], Arrival("two", "deliver", 4)]}, "rejected by our word, and not by the gateway's"),
        ({"rows": {**GOOD.rows, 2: ("two", "delivered")}}, "rejected by the gateway, and not by our word"),
        ({"rows": {**GOOD.rows, 3: ("three", "queued")}}, "not decided"),
        ({"rows": {**GOOD.rows, 3: ("three", "submitting")}}, "not decided"),
        ({"kills": []}, "uncertain, and in flight at no kill"),
        # claimed after the kill; decided before it; nobody asks a broker when a message is handed over
        ({"journal": [*GOOD.journal[:-2], Step(3, "submitting", 10.2, ""), GOOD.journal[-1]]}, "in flight at no kill"),
        ({"journal": [*GOOD.journal[:-1], Step(3, "unknown", 9.95, "")]}, "in flight at no kill"),
        ({"kills": [replace(GOOD.kills[0], kill=replace(GOOD.kills[0].kill, target="broker"))]}, "at no kill"),
        ({"slots": 0}, "1 in flight at once, and the workers have 0 places"),
    ],
)
def test_what_is_not(change: dict[str, Any], words: str) -> None:
    found = broken(replace(GOOD, **change))
    assert any(words in sentence for sentence in found), found


def test_a_message_is_counted_at_the_kill_that_cut_it() -> None:
    kill = GOOD.kills[0]
    again = replace(GOOD, kills=[kill, replace(kill, before=11, after=11.1)])
    assert [len(attempts) for attempts in again.in_flight] == [1, 0]
