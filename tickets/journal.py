"""The journal in words: what its codes and references mean to a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from hotline.operators.models import User
from service_centers.models import ServiceCenter
from sms import eligibility
from tickets.models import Appeal, AppealEvent, AppealMessage, Assignment, Client, DocumentKind

Code = AppealEvent.Code
_STATES = dict(Appeal.State.choices)
_OUTCOMES = dict(Assignment.State.choices)


def worded(entries: list[AppealEvent]) -> list[AppealEvent]:
    """The entries, each with `words`: «Казань-Сервис (место 1)». Four queries at the most, whatever their number."""
    found = _Names(entries)
    for entry in entries:
        say = _SAY.get(Code(entry.code))
        entry.words = say(entry.data, found) if say else ""  # type: ignore[attr-defined]
    return entries


class _Names:
    """What the references of a journal are called."""

    def __init__(self, entries: list[AppealEvent]) -> None:
        def pks(*keys: str) -> set[int]:
            return {entry.data[key] for entry in entries for key in keys if isinstance(entry.data.get(key), int)}

        moved = {
            entry.data[key]
            for entry in entries
            if entry.code == Code.MOVED
            for key in ("before", "after")
            if entry.data.get(key)
        }
        self.centers = ServiceCenter.objects.in_bulk(pks("center", "instead_of")) if pks("center", "instead_of") else {}
        self.people = User.objects.in_bulk(pks("to")) if pks("to") else {}
        self.clients = Client.objects.in_bulk(moved) if moved else {}
        has_papers = any(entry.code == Code.DOCUMENT_ADDED for entry in entries)
        self.kinds = dict(DocumentKind.objects.values_list("code", "name")) if has_papers else {}

    def center(self, pk: Any) -> str:
        return str(self.centers.get(pk, "—"))


def _assigned(data: dict[str, Any], names: _Names) -> str:
    center = names.center(data.get("center"))
    if data.get("instead_of"):
        center = _("%(center)s instead of %(before)s") % {"center": center, "before": names.center(data["instead_of"])}
    if data.get("rank"):
        return _("%(center)s (candidate %(rank)s)") % {"center": center, "rank": data["rank"]}
    return center


def _state_changed(data: dict[str, Any], names: _Names) -> str:
    before, after = _STATES.get(data.get("before", ""), "—"), _STATES.get(data.get("after", ""), "—")
    return f"{before} → {after}"


def _edited(data: dict[str, Any], names: _Names) -> str:
    labels = {field.name: str(field.verbose_name) for field in Appeal._meta.concrete_fields}
    return ", ".join(labels.get(name, name) for name in data.get("fields", []))


def _moved(data: dict[str, Any], names: _Names) -> str:
    before, after = names.clients.get(data.get("before")), names.clients.get(data.get("after"))
    return f"{before or '—'} → {after or '—'}"


def _reminder(data: dict[str, Any], names: _Names) -> str:
    due = timezone.localtime(datetime.fromisoformat(data["due_at"])) if data.get("due_at") else None
    return f"{names.people.get(data.get('to'), '—')}, {due:%d.%m %H:%M}" if due else ""


def _ended(data: dict[str, Any], names: _Names) -> str:
    return f"{names.center(data.get('center'))}: {_OUTCOMES.get(data.get('outcome', ''), '—')}"


def why_skipped(code: str) -> str:
    """Why no automatic SMS went out, in words: what the gate says, or that a value was missing."""
    return str(_("a value of the message is missing")) if code == "nothing_to_send" else eligibility.in_words(code)


_PURPOSES = dict(AppealMessage.Purpose.choices)


def _queued(data: dict[str, Any], names: _Names) -> str:
    purpose = str(_PURPOSES.get(data.get("purpose", ""), ""))
    return _("%(purpose)s (automatic)") % {"purpose": purpose} if data.get("automatic") else purpose


_SAY: dict[AppealEvent.Code, Callable[[dict[str, Any], _Names], str]] = {
    Code.ASSIGNED: _assigned,
    Code.ASSIGNMENT_ENDED: _ended,
    Code.STATE_CHANGED: _state_changed,
    Code.EDITED: _edited,
    Code.MOVED: _moved,
    Code.CONTACTS_GIVEN: lambda data, names: names.center(data.get("center")),
    Code.SMS_QUEUED: _queued,
    Code.SMS_SKIPPED: lambda data, names: why_skipped(data.get("reason", "")),
    Code.SMS_DICTATED: lambda data, names: str(_PURPOSES.get(data.get("purpose", ""), "")),
    Code.COMMENTED: lambda data, names: names.center(data["center"]) if data.get("center") else "",
    Code.DOCUMENT_ADDED: lambda data, names: str(names.kinds.get(data.get("kind", ""), "")),
    Code.REMINDER_SET: _reminder,
    Code.CONSULTED: lambda data, names: f"№{data.get('consultation', '—')}",
    Code.DUPLICATE_MARKED: lambda data, names: f"№{data.get('of', '—')}",
}
