"""Worker, broker and database are killed with messages under way (issue B, «it must show» 4): none lost, none twice.

At 10,000 messages the same is a part of `make bench` (tests/bench/messages.py).
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.sms.chaos.scenario import Scale, Scenario
from tests.sms.chaos.servers import open_folder
from tests.sms.chaos.verdict import broken

MESSAGES = 500
# A failure's patience, not the test's duration (seconds).
PATIENCE = 300
SCALE = Scale(messages=MESSAGES, kills_of_each=2, concurrency=3, per_second=25, seed=20261125, patience=PATIENCE)


@pytest.mark.slow
@pytest.mark.xdist_group("sms sigkill")
def test_killed_workers_brokers_and_databases_lose_nothing_and_double_nothing() -> None:
    print(f"seed {SCALE.seed}")  # noqa: T201 - a failure shows it
    with open_folder() as folder:
        result = Scenario(SCALE, folder, print).run()

    assert broken(result) == []
    assert len(result.promised) == len(result.rows) == MESSAGES

    # It was no idle machine that was killed: each time messages had arrived, and others were still to come.
    assert Counter(each.kill.target for each in result.kills) == {"worker": 2, "broker": 2, "database": 2}
    assert all(0 < each.arrived < len(result.wire) for each in result.kills)
    assert len(result.cut) >= 3
    # And it was worth it: nearly all arrived.
    assert result.states["accepted"] + result.states["delivered"] >= MESSAGES * 9 // 10
    assert 1 <= result.states["rejected"] <= MESSAGES // 10
