"""Quiet hours of messages that nobody asked for by hand: a client is not woken by «мастер назначен».

Pure, but for `until`: a moment, a zone and the hours in, the first moment at which a message may go out.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def parse_hours(text: str) -> tuple[time, time] | None:
    """«21:00-09:00» → from when and until when it is quiet; "" → None, no quiet hours. Raises ValueError."""
    if not text.strip():
        return None
    begins, _dash, ends = text.replace("–", "-").partition("-")
    return time.fromisoformat(begins.strip()), time.fromisoformat(ends.strip())


def is_quiet(at: time, hours: tuple[time, time]) -> bool:
    """Is it quiet at this time of day? Hours that end earlier than they begin go over midnight."""
    begins, ends = hours
    if begins == ends:
        return False
    return begins <= at < ends if begins < ends else at >= begins or at < ends


def first_moment(at: datetime, zone: str, hours: tuple[time, time] | None) -> datetime:
    """`at` itself (aware), or the end of the quiet hours that it falls into, by the clock of `zone` (IANA)."""
    local = at.astimezone(ZoneInfo(zone))
    if hours is None or not is_quiet(local.time(), hours):
        return at
    end = local.replace(hour=hours[1].hour, minute=hours[1].minute, second=0, microsecond=0, fold=0)
    if end <= local:
        # A day by the calendar, not 24 hours: clocks may change in that night.
        end = (local + timedelta(days=1)).replace(hour=hours[1].hour, minute=hours[1].minute, second=0, microsecond=0)
    return end.astimezone(at.tzinfo)


def until(zone: str) -> datetime | None:
    """When the quiet hours of the settings, in which it is now by the clock of `zone` (IANA), are over.

    None where it is not quiet there, or the message has no zone: somebody asked for it by hand.
    """
    if not zone:
        return None
    now = timezone.now()
    over = first_moment(now, zone, parse_hours(settings.SMS_QUIET_HOURS))
    return over if over > now else None
