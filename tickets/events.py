"""The journal of an appeal: one function for each thing that is recorded, called by the verb inside its transaction.

`data` holds codes, numbers and references, never names, phones or what somebody wrote: the journal outlives the
erasure of personal data. Each entry also tells open pages that the appeal changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hotline.base.live import publish
from hotline.operators.models import User
from tickets.models import (
    Appeal,
    AppealEvent,
    AppealMessage,
    AppealReference,
    Assignment,
    Client,
    Comment,
    Document,
    Reminder,
)

Code = AppealEvent.Code


def _write(appeal: Appeal, code: AppealEvent.Code, actor: User | None, at: datetime | None = None, **data: Any) -> None:
    entry = AppealEvent(appeal=appeal, code=code, actor=actor, data=data)
    if at is not None:
        entry.at = at
    entry.save(force_insert=True)
    publish(topic="appeal", pk=appeal.pk)
    if appeal.client_id:
        publish(topic="client", pk=appeal.client_id)


def registered(appeal: Appeal, actor: User | None) -> None:
    _write(appeal, Code.REGISTERED, actor, kind=appeal.kind, state=appeal.state, verdict=appeal.verdict)


def consulted(appeal: Appeal, consultation: Appeal, actor: User | None) -> None:
    _write(appeal, Code.CONSULTED, actor, consultation=consultation.number)


def assigned(
    appeal: Appeal, assignment: Assignment, actor: User | None, *, instead_of: Assignment | None = None
) -> None:
    data: dict[str, Any] = {
        "center": assignment.service_center_id,
        "rank": assignment.rank,
        "reasons": assignment.reasons,
    }
    if instead_of is not None:
        data["instead_of"] = instead_of.service_center_id
    _write(appeal, Code.ASSIGNED, actor, **data)


def assignment_ended(appeal: Appeal, assignment: Assignment, actor: User | None) -> None:
    _write(appeal, Code.ASSIGNMENT_ENDED, actor, center=assignment.service_center_id, outcome=assignment.state)


def state_changed(appeal: Appeal, before: str, actor: User | None) -> None:
    _write(appeal, Code.STATE_CHANGED, actor, before=before, after=appeal.state)


def edited(appeal: Appeal, fields: Sequence[str], actor: User | None) -> None:
    _write(appeal, Code.EDITED, actor, fields=sorted(fields))


def moved(appeal: Appeal, before: Client | None, actor: User | None) -> None:
    _write(appeal, Code.MOVED, actor, before=before.pk if before else None, after=appeal.client_id)
    if before is not None:
        publish(topic="client", pk=before.pk)


def contacts_given(appeal: Appeal, actor: User | None) -> None:
    _write(appeal, Code.CONTACTS_GIVEN, actor, center=appeal.referred_to_id)


def duplicate_marked(appeal: Appeal, original: Appeal, actor: User | None) -> None:
    _write(appeal, Code.DUPLICATE_MARKED, actor, of=original.number)


def sms_queued(appeal: Appeal, link: AppealMessage, actor: User | None) -> None:
    automatic: dict[str, Any] = {"automatic": True} if link.is_automatic else {}
    _write(appeal, Code.SMS_QUEUED, actor, message=link.message_id, purpose=link.purpose, **automatic)


def sms_skipped(appeal: Appeal, reason: str, actor: User | None) -> None:
    """`reason`: a code of the gate (`sms/eligibility.py`), or `nothing_to_send`."""
    _write(appeal, Code.SMS_SKIPPED, actor, reason=reason)


def sms_dictated(appeal: Appeal, link: AppealMessage, actor: User | None) -> None:
    _write(appeal, Code.SMS_DICTATED, actor, message=link.message_id, purpose=link.purpose)


def commented(appeal: Appeal, comment: Comment, actor: User | None) -> None:
    _write(appeal, Code.COMMENTED, actor, comment=comment.pk, center=comment.service_center_id)


def document_added(appeal: Appeal, document: Document, actor: User | None) -> None:
    _write(appeal, Code.DOCUMENT_ADDED, actor, document=document.pk, kind=document.kind.code)


def letter_answered(appeal: Appeal, document: Document, actor: User | None) -> None:
    _write(appeal, Code.LETTER_ANSWERED, actor, document=document.pk)


def reminder_set(appeal: Appeal, reminder: Reminder, actor: User | None) -> None:
    _write(
        appeal, Code.REMINDER_SET, actor, reminder=reminder.pk, to=reminder.to_id, due_at=reminder.due_at.isoformat()
    )


def reminder_done(appeal: Appeal, reminder: Reminder, actor: User | None) -> None:
    _write(appeal, Code.REMINDER_DONE, actor, reminder=reminder.pk)


def reference_noted(appeal: Appeal, reference: AppealReference, actor: User | None) -> None:
    _write(appeal, Code.REFERENCE_NOTED, actor, system=reference.system, reference=reference.pk)
