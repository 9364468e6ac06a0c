"""A client's history (stage 4): the whole of it, and condensed to what has to be said now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Prefetch, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.models import Appeal, AppealMessage, Assignment, Client, Comment, Document, Reminder

# (ours) After how many days in a state an open request is overdue. DONE: the client has not confirmed it yet.
OVERDUE_DAYS = {
    Appeal.State.REGISTERED: 1,
    Appeal.State.ASSIGNED: 2,
    Appeal.State.ACCEPTED: 7,
    Appeal.State.IN_WORK: 14,
    Appeal.State.DONE: 7,
}
SEVERITIES = ("bad", "warn", "info")


@dataclass(frozen=True, slots=True)
class SayNow:
    """One thing that the client should hear, or be asked, now.

    Codes: overdue, letter, no_center, reminder, undelivered, act, comment. `severity` is bad, warn or info.
    """

    code: str
    text: str
    appeal: Appeal
    severity: str
    at: datetime


def say_now(client: Client, *, since: datetime | None = None, now: datetime | None = None) -> list[SayNow]:
    """What has to be said, the worst first, of the same weight the oldest. Eight queries.

    `since` is the last contact, by which an act or a comment is news; by default the client's latest appeal.
    """
    now = now or timezone.now()
    if since is None:
        since = Appeal.objects.filter(client=client).aggregate(at=Max("registered_at"))["at"]
    found = [
        *_requests(client, now),
        *_letters(client),
        *_reminders(client, now),
        *_undelivered(client),
        *_news(client, since or now),
    ]
    found.sort(key=lambda item: (SEVERITIES.index(item.severity), item.at))
    return found


def history(client: Client, *, limit: int = 20) -> list[Appeal]:
    """The client's appeals, newest first, with what hangs on them. Six queries.

    Each has `papers`, `open_reminders`, `latest_comments` (three) and `active_assignments` as lists.
    """
    return list(
        Appeal.objects.filter(client=client)
        .for_list()
        .prefetch_related(
            Prefetch("documents", Document.objects.for_list(), to_attr="papers"),
            Prefetch("reminders", Reminder.objects.waiting().for_list(), to_attr="open_reminders"),
            Prefetch("comments", Comment.objects.for_list()[:3], to_attr="latest_comments"),
        )
        .order_by("-registered_at", "-pk")[:limit]
    )


# --- What has to be said --------------------------------------------------------------------------
def _requests(client: Client, now: datetime) -> Iterator[SayNow]:
    requests = Appeal.objects.filter(client=client, kind__in=Appeal.REQUESTS, state__in=Appeal.OPEN_STATES)
    for appeal in requests.for_list():
        days = (now - appeal.state_changed_at).days
        if days < OVERDUE_DAYS[Appeal.State(appeal.state)]:
            continue
        facts = {"number": appeal.number, "state": appeal.get_state_display(), "days": days}
        if appeal.state == Appeal.State.REGISTERED:
            text = ngettext(
                "№%(number)s: no service centre for %(days)d day.",
                "№%(number)s: no service centre for %(days)d days.",
                days,
            )
            yield SayNow("no_center", text % facts, appeal, "bad", appeal.state_changed_at)
            continue
        text = ngettext(
            "№%(number)s is overdue: «%(state)s» for %(days)d day.",
            "№%(number)s is overdue: «%(state)s» for %(days)d days.",
            days,
        )
        severity = "warn" if appeal.state == Appeal.State.DONE else "bad"
        yield SayNow("overdue", (text % facts) + _with_whom(appeal), appeal, severity, appeal.state_changed_at)


def _with_whom(appeal: Appeal) -> str:
    active: Assignment | None = appeal.active_assignment()
    return f" {active.service_center.name}." if active is not None else ""


def _letters(client: Client) -> Iterator[SayNow]:
    letters = Document.objects.filter(appeal__client=client, is_answered=False)
    for letter in letters.select_related("kind", "appeal"):
        text = _("№%(number)s: %(paper)s of %(date)s has no answer.") % {
            "number": letter.appeal.number,
            "paper": str(letter).lower() if not letter.number else str(letter),
            "date": f"{letter.date:%d.%m.%Y}",
        }
        yield SayNow("letter", text, letter.appeal, "bad", letter.created_at)


def _reminders(client: Client, now: datetime) -> Iterator[SayNow]:
    due = Reminder.objects.waiting().filter(appeal__client=client, due_at__lte=now)
    for reminder in due.for_list():
        text = _("№%(number)s: reminder of %(due)s: %(text)s") % {
            "number": reminder.appeal.number,
            "due": f"{timezone.localtime(reminder.due_at):%d.%m %H:%M}",
            "text": reminder.text,
        }
        yield SayNow("reminder", text, reminder.appeal, "warn", reminder.due_at)


def _undelivered(client: Client) -> Iterator[SayNow]:
    """Messages that did not reach the client and were not followed by another: dictate, or send anew. Of a request that
    is over there is nothing left to say."""
    alive = Q(appeal__state__in=Appeal.OPEN_STATES) | ~Q(appeal__kind__in=Appeal.REQUESTS)
    failed = AppealMessage.objects.filter(alive, appeal__client=client).not_followed_up()
    for link in failed.select_related("appeal", "message"):
        text = _("№%(number)s: the SMS did not reach the client. Dictate, or send it anew.")
        yield SayNow("undelivered", text % {"number": link.appeal.number}, link.appeal, "warn", link.message.created_at)


def _news(client: Client, since: datetime) -> Iterator[SayNow]:
    papers = Document.objects.filter(appeal__client=client, created_at__gt=since, is_answered=True)
    for paper in papers.select_related("kind", "appeal"):
        text = _("№%(number)s: %(paper)s came on %(date)s.") % {
            "number": paper.appeal.number,
            "paper": paper,
            "date": f"{timezone.localtime(paper.created_at):%d.%m.%Y}",
        }
        yield SayNow("act", text, paper.appeal, "info", paper.created_at)
    comments = Comment.objects.filter(appeal__client=client, created_at__gt=since, service_center__isnull=False)
    for comment in comments.select_related("appeal", "service_center").order_by("-created_at")[:5]:
        text = _("№%(number)s: %(center)s wrote: %(text)s") % {
            "number": comment.appeal.number,
            "center": comment.service_center,
            "text": comment.text if len(comment.text) <= 120 else f"{comment.text[:117]}…",
        }
        yield SayNow("comment", text, comment.appeal, "info", comment.created_at)
