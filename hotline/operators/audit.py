"""Who changed what of a person's account, read from the row history (pghistory): role, telephone, open or closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.utils.translation import gettext

from hotline.operators.models import Role, User

FIELDS = ("role", "is_active", "is_superuser", "extension")


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an account that changed. `actor` is None for the machine, or for one who is not there any more."""

    at: datetime
    field: str
    before: Any
    after: Any
    actor: User | None
    verb: str

    @property
    def words(self) -> tuple[str, str]:
        """Before and after, for a person."""
        return _in_words(self.field, self.before), _in_words(self.field, self.after)

    @property
    def label(self) -> str:
        return str(User._meta.get_field(self.field).verbose_name)  # type: ignore[union-attr]


def changes_of(user: User, *, limit: int = 50) -> list[Change]:
    """The latest changes of an account, newest first. Causes two SQL queries.

    The history holds the actor's pk in its context and no names (docs/roles.md).
    """
    history = apps.get_model("operators", "UserHistory")
    # One more than asked for, to have something to compare the oldest with.
    rows = list(history.objects.filter(pgh_obj=user).select_related("pgh_context").order_by("-pgh_id")[: limit + 1])
    contexts = [(row.pgh_context.metadata if row.pgh_context else {}) or {} for row in rows]
    actors = User.objects.in_bulk({context["actor"] for context in contexts if context.get("actor")})
    found: list[Change] = []
    for row, before, context in zip(rows, rows[1:], contexts, strict=False):
        found += _differences(row, before, actors.get(context.get("actor")), str(context.get("verb", "")))
    return found[:limit]


def _in_words(field: str, value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return str(Role(value).label) if field == "role" and value in Role.values else str(value or "—")


def _differences(row: Any, before: Any, actor: User | None, verb: str) -> Iterator[Change]:
    for field in FIELDS:
        if getattr(row, field) != getattr(before, field):
            yield Change(row.pgh_created_at, field, getattr(before, field), getattr(row, field), actor, verb)
