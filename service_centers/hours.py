"""Opening hours: pure functions over rows of a week, in the centre's local time.

Minutes of a day run from 0 to 1440; a day that ends at 23:59 is meant to end at midnight.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

MIDNIGHT = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """One stretch of one weekday (ISO 8601: 1 is Monday) during which a centre is open."""

    weekday: int
    opens_at: time
    closes_at: time


Stretch = tuple[int, int]  # minutes of the day: open from, open until (not included)


@dataclass(frozen=True, slots=True)
class OpenState:
    """Whether a centre is open at a moment, and how to say it. `is_open` is None where its hours are not known.

    `until` and `opens_next` are aware datetimes in the centre's zone; `opens_next` is set only where it is closed.
    """

    is_open: bool | None
    text: str
    until: datetime | None = None
    opens_next: datetime | None = None


def _week(hours: Iterable[Hours]) -> dict[int, tuple[Stretch, ...]]:
    """Weekday → stretches in order; those that touch or overlap are one."""
    week: dict[int, list[Stretch]] = {}
    for row in sorted(hours, key=lambda row: (row.weekday, row.opens_at)):
        begin = row.opens_at.hour * 60 + row.opens_at.minute
        end = row.closes_at.hour * 60 + row.closes_at.minute
        end = MIDNIGHT if end == MIDNIGHT - 1 else end
        day = week.setdefault(row.weekday, [])
        if day and day[-1][1] >= begin:
            day[-1] = (day[-1][0], max(day[-1][1], end))
        else:
            day.append((begin, end))
    return {weekday: tuple(day) for weekday, day in week.items()}


def _is_round_the_clock(week: dict[int, tuple[Stretch, ...]]) -> bool:
    return len(week) == 7 and all(day == ((0, MIDNIGHT),) for day in week.values())


def _clock(minutes: int) -> str:
    """540 → «9:00», as it is said."""
    return f"{minutes // 60}:{minutes % 60:02d}"


def _moment(day: datetime, minutes: int, zone: ZoneInfo) -> datetime:
    """That minute of the local day; wall-clock time, so a change of the clocks is the zone's affair."""
    date = day.date() + timedelta(days=minutes // MIDNIGHT)
    return datetime.combine(date, time(minutes // 60 % 24, minutes % 60), tzinfo=zone)


def _opens_on(weekday: int, clock: str) -> str:
    """A whole sentence for each day: «во вторник» is no «в» and a name of a day."""
    sentences = {
        1: _("opens on Monday at %(time)s"),
        2: _("opens on Tuesday at %(time)s"),
        3: _("opens on Wednesday at %(time)s"),
        4: _("opens on Thursday at %(time)s"),
        5: _("opens on Friday at %(time)s"),
        6: _("opens on Saturday at %(time)s"),
        7: _("opens on Sunday at %(time)s"),
    }
    return sentences[weekday] % {"time": clock}


def open_state(hours: Iterable[Hours], zone: ZoneInfo, at: datetime) -> OpenState:
    """Judge an aware moment by the hours of a place in `zone`: «open until 18:00», «opens tomorrow at 9:00»."""
    week = _week(hours)
    if not week:
        return OpenState(is_open=None, text=_("opening hours unknown"))
    local = at.astimezone(zone)
    now = local.hour * 60 + local.minute
    if _is_round_the_clock(week):
        return OpenState(is_open=True, text=_("open round the clock"))
    for begin, end in week.get(local.isoweekday(), ()):
        if begin <= now < end:
            text = _("open until %(time)s") % {"time": _clock(end)}
            return OpenState(is_open=True, text=text, until=_moment(local, end, zone))
    # Day 7 is this weekday again: a centre that opens once a week and has closed for today.
    for ahead in range(8):
        day = local + timedelta(days=ahead)
        for begin, _end in week.get(day.isoweekday(), ()):
            if ahead == 0 and begin <= now:
                continue
            if ahead == 0:
                text = _("opens at %(time)s") % {"time": _clock(begin)}
            elif ahead == 1:
                text = _("opens tomorrow at %(time)s") % {"time": _clock(begin)}
            else:
                text = _opens_on(day.isoweekday(), _clock(begin))
            return OpenState(is_open=False, text=text, opens_next=_moment(day, begin, zone))
    raise AssertionError("a week with hours has a next opening")  # pragma: no cover


def hours_text(hours: Iterable[Hours]) -> str:
    """The week in one line, days alike joined: «Пн–Пт 9:00–18:00, Сб 10:00–15:00»; "" where nothing is known.

    A gap in the day is said as a break, and then the groups are parted by semicolons.
    """
    week = _week(hours)
    if _is_round_the_clock(week):
        return _("round the clock")
    groups: list[tuple[list[int], tuple[Stretch, ...]]] = []
    for weekday in sorted(week):
        if groups and groups[-1][0][-1] == weekday - 1 and groups[-1][1] == week[weekday]:
            groups[-1][0].append(weekday)
        else:
            groups.append(([weekday], week[weekday]))
    said = [f"{_days(days)} {_stretches(stretches)}" for days, stretches in groups]
    return ("; " if any(len(stretches) > 1 for _days_, stretches in groups) else ", ").join(said)


def _days(days: list[int]) -> str:
    if len(days) == 7:
        return _("daily")
    names = {
        1: pgettext("weekday", "Mon"),
        2: pgettext("weekday", "Tue"),
        3: pgettext("weekday", "Wed"),
        4: pgettext("weekday", "Thu"),
        5: pgettext("weekday", "Fri"),
        6: pgettext("weekday", "Sat"),
        7: pgettext("weekday", "Sun"),
    }
    return names[days[0]] if len(days) == 1 else f"{names[days[0]]}–{names[days[-1]]}"


def _stretches(stretches: tuple[Stretch, ...]) -> str:
    whole = f"{_clock(stretches[0][0])}–{_clock(stretches[-1][1])}"
    breaks = [f"{_clock(end)}–{_clock(begin)}" for (_begin, end), (begin, _end) in pairwise(stretches)]
    return _("%(hours)s, break %(breaks)s") % {"hours": whole, "breaks": ", ".join(breaks)} if breaks else whole


# --- Reading what hours_text() writes, and what people write ----------------------------------------
_DAY_NAMES = {
    **{name: number for number, name in enumerate(("пн", "вт", "ср", "чт", "пт", "сб", "вс"), start=1)},
    **{name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start=1)},
}
_ALL_DAYS = {"ежедневно", "daily"}
_ROUND_THE_CLOCK = {"круглосуточно", "round the clock"}
_BREAK = re.compile(r"^(?:перерыв|обед|break)\s*")
_TIMES = re.compile(r"^(\d{1,2})[:.](\d{2})\s*-\s*(\d{1,2})[:.](\d{2})$")
_GROUP = re.compile(r"^(?P<days>[a-zа-я]+(?:\s*-\s*[a-zа-я]+)?)\s+(?P<times>\d.*)$")


def parse_hours(text: str) -> list[Hours]:
    """«Пн–Пт 9:00–18:00, перерыв 13:00–14:00; Сб 10:00–15:00» as rows; "" is no rows. Raises ValueError with the words.

    A later group of a day that was named before adds to it; times are of one day, 24:00 is midnight.
    """
    week: dict[int, list[Stretch]] = {}
    days: list[int] = []
    normal = re.sub(r"[–—−]", "-", text.strip().lower())
    if normal in _ROUND_THE_CLOCK:
        return [Hours(day, time(0), time(23, 59)) for day in range(1, 8)]
    for piece in (part.strip() for part in re.split(r"[;,\n]", normal)):
        if not piece:
            continue
        without_break = _BREAK.sub("", piece)
        is_break = without_break != piece
        if not is_break and (group := _GROUP.match(piece)):
            days, without_break = _read_days(group["days"]), group["times"]
        if not days:
            raise ValueError(_("«%(text)s»: begin with the days, as in «Mon–Fri 9:00–18:00».") % {"text": piece})
        begin, end = _read_times(without_break)
        for day in days:
            if is_break:
                week[day] = [left for stretch in week.get(day, []) for left in _without(stretch, begin, end)]
            else:
                week.setdefault(day, []).append((begin, end))
    return [
        Hours(day, _time(begin), _time(end))
        for day, stretches in sorted(week.items())
        for begin, end in sorted(stretches)
    ]


def _read_days(text: str) -> list[int]:
    if text in _ALL_DAYS:
        return list(range(1, 8))
    names = [name.strip() for name in text.split("-")]
    if unknown := [name for name in names if name not in _DAY_NAMES]:
        raise ValueError(_("«%(text)s» is no day of the week.") % {"text": unknown[0]})
    first, last = _DAY_NAMES[names[0]], _DAY_NAMES[names[-1]]
    if first > last:
        raise ValueError(_("«%(text)s»: the days stand in the wrong order.") % {"text": text})
    return list(range(first, last + 1))


def _read_times(text: str) -> Stretch:
    found = _TIMES.match(text)
    if not found:
        raise ValueError(_("«%(text)s»: write the time as 9:00–18:00.") % {"text": text})
    begin, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if int(found[2]) > 59 or int(found[4]) > 59 or end > MIDNIGHT or begin >= end:
        raise ValueError(_("«%(text)s» is no stretch of a day.") % {"text": text})
    return begin, end


def _without(stretch: Stretch, begin: int, end: int) -> list[Stretch]:
    """What a break leaves of a stretch."""
    parts = [(stretch[0], min(stretch[1], begin)), (max(stretch[0], end), stretch[1])]
    return [part for part in parts if part[0] < part[1]]


def _time(minutes: int) -> time:
    return time(23, 59) if minutes == MIDNIGHT else time(minutes // 60, minutes % 60)
