"""Everything that passed between the hotline and one client, newest first, in one statement however long it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, QuerySet, Value

from calls.models import Call
from hotline.operators.models import User
from tickets.models import Appeal, AppealMessage, Client, Comment, Document

PAGE = 30


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline: `kind` picks the fragment, `row` is the model instance."""

    kind: str
    at: datetime
    row: Any


@dataclass(frozen=True, slots=True)
class Timeline:
    entries: list[Entry]
    before: datetime | None  # where the next page begins; None: this is all


# kind → (the rows of a client, the field of their time, how to load them with what a line shows)
_Source = tuple[Callable[[Client, User], QuerySet[Any]], str, Callable[[QuerySet[Any]], QuerySet[Any]]]
SOURCES: dict[str, _Source] = {
    "call": (
        lambda client, user: Call.objects.filter(client=client),
        "started_at",
        lambda rows: rows.select_related("operator", "topic", "result", "registered_appeal"),
    ),
    "appeal": (
        lambda client, user: Appeal.objects.visible_to(user).filter(client=client),
        "registered_at",
        lambda rows: rows.select_related("topic", "brand", "registered_by"),
    ),
    "message": (
        lambda client, user: AppealMessage.objects.filter(appeal__client=client),
        "message__created_at",
        lambda rows: rows.select_related("message__requested_by", "appeal"),
    ),
    "document": (
        lambda client, user: Document.objects.filter(appeal__client=client),
        "created_at",
        lambda rows: rows.select_related("kind", "appeal"),
    ),
    "comment": (
        lambda client, user: Comment.objects.filter(appeal__client=client),
        "created_at",
        lambda rows: rows.select_related("author", "service_center", "appeal"),
    ),
}


def timeline(client: Client, *, user: User, before: datetime | None = None, limit: int = PAGE) -> Timeline:
    """A page of the timeline. Six SQL statements: one finds the page, one loads the rows of each kind in it."""
    parts = []
    for kind, (of_client, at, _load) in SOURCES.items():
        rows = of_client(client, user)
        if before is not None:
            rows = rows.filter(**{f"{at}__lt": before})
        parts.append(
            rows.order_by(f"-{at}", "-pk")
            .annotate(entry=Value(kind, output_field=CharField()), entry_at=F(at))
            .values_list("entry", "pk", "entry_at")[: limit + 1]
        )
    found = list(parts[0].union(*parts[1:], all=True).order_by("-entry_at", "-pk")[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    wanted: dict[str, list[int]] = defaultdict(list)
    for kind, pk, _at in found:
        wanted[kind].append(pk)
    rows_of = {
        kind: load(of_client(client, user)).in_bulk(wanted[kind]) if wanted[kind] else {}
        for kind, (of_client, _at, load) in SOURCES.items()
    }
    entries = [Entry(kind, at, rows_of[kind][pk]) for kind, pk, at in found if pk in rows_of[kind]]
    return Timeline(entries, before=found[-1][2] if more else None)
