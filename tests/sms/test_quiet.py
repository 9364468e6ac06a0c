"""Quiet hours by the client's clock: every edge, nights over midnight, a change of clocks."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from sms.quiet import first_moment, is_quiet, parse_hours

NIGHT = (time(21), time(9))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("21:00-09:00", NIGHT),
        (" 21:00 – 09:00 ", NIGHT),
        ("", None),
        ("  ", None),
        ("13:30-14:00", (time(13, 30), time(14))),
    ],
)
def test_hours_as_written(text: str, hours: tuple[time, time] | None) -> None:
    assert parse_hours(text) == hours


@pytest.mark.parametrize("text", ["ночью", "21:00", "21:00-", "25:00-09:00"])
def test_hours_that_can_not_be_read(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_hours(text)


@pytest.mark.parametrize(
    ("at", "quiet"),
    [("20:59", False), ("21:00", True), ("23:59", True), ("00:00", True), ("08:59", True), ("09:00", False)],
)
def test_the_edges_of_a_night(at: str, quiet: bool) -> None:
    assert is_quiet(time.fromisoformat(at), NIGHT) is quiet


@pytest.mark.parametrize(("at", "quiet"), [("12:59", False), ("13:00", True), ("13:59", True), ("14:00", False)])
def test_the_edges_of_a_noon(at: str, quiet: bool) -> None:
    assert is_quiet(time.fromisoformat(at), (time(13), time(14))) is quiet
    assert is_quiet(time.fromisoformat(at), (time(13), time(13))) is False


@pytest.mark.parametrize(
    ("at", "zone", "first"),
    [
        ("2026-11-25T12:00+03:00", "Europe/Moscow", "2026-11-25T12:00+03:00"),
        ("2026-11-25T21:00+03:00", "Europe/Moscow", "2026-11-26T09:00+03:00"),
        ("2026-11-25T02:10+03:00", "Europe/Moscow", "2026-11-25T09:00+03:00"),
        # 16:00 in Moscow is 23:00 in Vladivostok, whose morning is Moscow's two in the night
        ("2026-11-25T16:00+03:00", "Asia/Vladivostok", "2026-11-26T02:00+03:00"),
        ("2026-11-25T05:00+03:00", "Asia/Vladivostok", "2026-11-25T05:00+03:00"),
        ("2026-11-25T20:30+03:00", "Europe/Kaliningrad", "2026-11-25T20:30+03:00"),
        ("2026-12-31T23:30+03:00", "Europe/Moscow", "2027-01-01T09:00+03:00"),
        # the night in which a zone that changes its clocks loses an hour: nine is nine all the same
        ("2027-03-27T22:00+01:00", "Europe/Berlin", "2027-03-28T08:00+01:00"),
    ],
)
def test_the_first_moment_by_the_clients_clock(at: str, zone: str, first: str) -> None:
    found = first_moment(moment(at), zone, NIGHT)
    assert found == moment(first)
    assert first_moment(moment(at), zone, None) == moment(at)
