"""What happened, and what of the promise it breaks: pure, out of what the gateway, the rows and the journal say."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

# The gateway has it: by its answer, or because it was asked.
HANDED_OVER = {"accepted", "delivered", "undelivered", "expired", "rejected"}


@dataclass(frozen=True, slots=True)
class Kill:
    """Planned: `after` so many arrivals and `hesitation` seconds, for `away` seconds; then the gateway's answers take
    `delay_ms`. `empties`: the broker loses every task."""

    target: str
    after: int
    hesitation: float
    away: float
    empties: bool
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Happened:
    """A kill as it came: to whom, between which moments (seconds since the epoch), with how many arrivals before it."""

    kill: Kill
    name: str
    before: float
    after: float
    arrived: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message on the wire, and what the gateway had been told to answer."""

    reference: str
    answer: str
    at: float


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the journal of a message."""

    message: int
    state: str
    at: float
    reason: str


# One claim of one message: its pk, and when.
Attempt = tuple[int, float]


@dataclass(frozen=True)
class Result:
    """All that is known afterwards. `rows`: pk → (action, state); `promised`: actions whose «done» was told."""

    seed: int
    slots: int
    asked_for: int
    promised: Sequence[str]
    rows: Mapping[int, tuple[str, str]]
    journal: Sequence[Step]
    wire: Sequence[Arrival]
    kills: Sequence[Happened]
    began: float
    ended: float

    @cached_property
    def states(self) -> Counter[str]:
        return Counter(state for _, state in self.rows.values())

    @property
    def per_second(self) -> float:
        """From the first arrival to the last."""
        return (len(self.wire) - 1) / (self.wire[-1].at - self.wire[0].at)

    @cached_property
    def ever_unknown(self) -> set[int]:
        return {step.message for step in self.journal if step.state == "unknown"}

    @cached_property
    def attempts(self) -> dict[Attempt, float]:
        """Until when each attempt was under way."""
        steps: defaultdict[int, list[Step]] = defaultdict(list)
        for step in self.journal:
            steps[step.message].append(step)
        return {
            (step.message, step.at): following.at if following else math.inf
            for line in steps.values()
            for step, following in zip(line, [*line[1:], None], strict=True)
            if step.state == "submitting"
        }

    def _under_way(self, begin: float, end: float) -> set[Attempt]:
        return {attempt for attempt, until in self.attempts.items() if attempt[1] <= end and until > begin}

    @cached_property
    def in_flight(self) -> list[set[Attempt]]:
        """Of each kill: the attempts that it fell into. One that an earlier kill has cut already is that one's."""
        found: list[set[Attempt]] = []
        for kill in self.kills:
            found.append(self._under_way(kill.before, kill.after).difference(*found))
        return found

    def crowded(self) -> list[str]:
        """Where more were in flight at the moment before a kill than the workers have places."""
        cut: set[Attempt] = set()
        found = []
        for kill, attempts in zip(self.kills, self.in_flight, strict=True):
            at_once = len(self._under_way(kill.before, kill.before) - cut)
            cut |= attempts
            if at_once > self.slots:
                found.append(f"{at_once} in flight at once, and the workers have {self.slots} places ({kill.name})")
        return found

    @cached_property
    def cut(self) -> set[int]:
        """Messages that were being handed over when a worker or the database was killed. A broker is not asked then."""
        return {
            message
            for kill, attempts in zip(self.kills, self.in_flight, strict=True)
            if kill.kill.target != "broker"
            for message, _ in attempts
        }


def broken(result: Result) -> list[str]:
    """Each promise that was not kept, in a sentence; nothing where all were."""
    rows = dict(result.rows.values())
    arrived = Counter(arrival.reference for arrival in result.wire)
    rejected = {arrival.reference for arrival in result.wire if arrival.answer == "reject"}
    undecided = sorted({*result.states} - HANDED_OVER - {"unknown"})
    by_in_flight = sum(map(len, result.in_flight))
    found = {
        "promised, and there is no row": set(result.promised) - rows.keys(),
        "on the wire, and there is no row": arrived.keys() - rows.keys(),
        "on the wire more than once": {reference for reference, times in arrived.items() if times > 1},
        "handed over by our word, and never on the wire": {
            action for action, state in rows.items() if state in HANDED_OVER and action not in arrived
        },
        "rejected by our word, and not by the gateway's": {
            action for action, state in rows.items() if state == "rejected" and action not in rejected
        },
        "rejected by the gateway, and not by our word": {
            action for action in rejected if rows.get(action) not in ("rejected", "unknown")
        },
        "not decided": {action for action, state in rows.items() if state in undecided},
        "uncertain, and in flight at no kill": {str(pk) for pk in result.ever_unknown - result.cut},
    }
    sentences = [f"{len(which)} {words}: {sorted(which)[:5]}" for words, which in found.items() if which]
    if len(result.ever_unknown) > by_in_flight:
        sentences.append(f"{len(result.ever_unknown)} became uncertain, and {by_in_flight} were in flight at the kills")
    return sentences + result.crowded()
