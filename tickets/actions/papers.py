"""Verbs on what hangs on an appeal: comments, documents, reminders, numbers in other systems (stage 4)."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import PurePath
from typing import cast

from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from hotline.base.actions import verb
from hotline.base.errors import InvalidFields, NotFound
from hotline.operators.models import Role, User
from service_centers.models import ServiceCenter
from tickets import events
from tickets.actions._common import clean, just_made, lock_appeal
from tickets.models import AppealReference, Comment, Document, DocumentKind, Reminder

MAX_FILE_BYTES = 10 * 1024 * 1024
# How each kind of file begins: the name is the sender's word, the first bytes are the file's.
FILE_KINDS = {
    ".pdf": (b"%PDF-",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".docx": (b"PK\x03\x04",),
    ".xlsx": (b"PK\x03\x04",),
}


@verb
def add_comment(
    *, appeal_id: int, text: str, actor: User | None, service_center: ServiceCenter | None = None
) -> Comment:
    """Write on an appeal, or pass on what a service centre says. Raises NotFound; InvalidFields."""
    appeal = lock_appeal(appeal_id)
    comment = Comment(appeal=appeal, author=actor, service_center=service_center, text=text)
    clean(comment)
    if again := just_made(appeal.comments.all(), author=actor, text=comment.text, service_center=service_center):
        return cast(Comment, again)
    comment.save(force_insert=True)
    events.commented(appeal, comment, actor)
    return comment


@verb
def add_document(
    *,
    appeal_id: int,
    kind: DocumentKind,
    date: date,
    number: str = "",
    note: str = "",
    file: UploadedFile | None = None,
    is_answered: bool = True,
    actor: User | None,
) -> Document:
    """Note a paper on an appeal, with its file where there is one. `is_answered=False`: a letter waits for an answer.

    Raises NotFound; InvalidFields: `date_future`, `file_too_big`, `file_kind`, `file_empty`.
    """
    appeal = lock_appeal(appeal_id)
    if date > timezone.localdate():
        _refuse("date", "date_future", _("The date is in the future."))
    if file is not None:
        _judge_file(file)
    document = Document(
        appeal=appeal,
        kind=kind,
        number=number,
        date=date,
        note=note,
        file_name=PurePath(file.name or "").name[-150:] if file is not None else "",
        is_answered=is_answered,
        created_by=actor,
    )
    clean(document, fields={"number", "note", "file_name"})
    same = {name: getattr(document, name) for name in ("kind", "number", "date", "note", "file_name", "is_answered")}
    if again := just_made(appeal.documents.all(), created_by=actor, **same):
        return cast(Document, again)
    if file is not None:
        document.file.save(document.file_name, file, save=False)
    document.save(force_insert=True)
    events.document_added(appeal, document, actor)
    return document


@verb
def answer_letter(*, document_id: int, actor: User | None) -> Document:
    """The client has the answer to a letter. Answered already: nothing happens. Raises NotFound."""
    found = Document.objects.filter(pk=document_id).values_list("appeal", flat=True).first()
    if found is None:
        raise NotFound("no_document", _("There is no such document."))
    appeal = lock_appeal(found)
    document = Document.objects.get(pk=document_id)
    if not document.is_answered:
        document.is_answered = True
        document.save(update_fields=["is_answered"])
        events.letter_answered(appeal, document, actor)
    return document


@verb
def set_reminder(*, appeal_id: int, to: User, due_at: datetime, text: str, actor: User | None) -> Reminder:
    """Remind a colleague, or oneself, of an appeal. Raises NotFound; InvalidFields: `not_staff`, `due_past`."""
    appeal = lock_appeal(appeal_id)
    if to.role == Role.INTEGRATION or not to.is_active:
        _refuse("to", "not_staff", _("Choose somebody who works here."))
    if due_at <= timezone.now():
        _refuse("due_at", "due_past", _("The time is past."))
    reminder = Reminder(appeal=appeal, to=to, due_at=due_at, text=text, created_by=actor)
    clean(reminder)
    if again := just_made(appeal.reminders.all(), created_by=actor, to=to, due_at=due_at, text=reminder.text):
        return cast(Reminder, again)
    reminder.save(force_insert=True)
    events.reminder_set(appeal, reminder, actor)
    return reminder


@verb
def complete_reminder(*, reminder_id: int, actor: User | None) -> Reminder:
    """It is done, whoever did it. Done already: nothing happens. Raises NotFound."""
    found = Reminder.objects.filter(pk=reminder_id).values_list("appeal", flat=True).first()
    if found is None:
        raise NotFound("no_reminder", _("There is no such reminder."))
    appeal = lock_appeal(found)
    reminder = Reminder.objects.get(pk=reminder_id)
    if reminder.done_at is None:
        reminder.done_at = timezone.now()
        reminder.done_by = actor
        reminder.save(update_fields=["done_at", "done_by"])
        events.reminder_done(appeal, reminder, actor)
    return reminder


@verb
def note_reference(*, appeal_id: int, system: str, number: str, actor: User | None) -> AppealReference:
    """Note the number that the appeal got in another system; the same number again is the same note.

    Raises NotFound; InvalidFields.
    """
    appeal = lock_appeal(appeal_id)
    reference = AppealReference(appeal=appeal, system=system, number=number)
    clean(reference, fields={"system", "number"})
    existing = appeal.references.filter(system=reference.system, number=reference.number).first()
    if existing is not None:
        return existing
    reference.save(force_insert=True)
    events.reference_noted(appeal, reference, actor)
    return reference


def _judge_file(file: UploadedFile) -> None:
    """Size and kind, by the name and by the first bytes alike."""
    if not file.size:
        _refuse("file", "file_empty", _("The file is empty."))
    if (file.size or 0) > MAX_FILE_BYTES:
        limit = filesizeformat(MAX_FILE_BYTES)
        _refuse("file", "file_too_big", _("The file is larger than %(limit)s.") % {"limit": limit})
    beginnings = FILE_KINDS.get(PurePath(file.name or "").suffix.lower())
    head = file.read(16)
    file.seek(0)
    if beginnings is None or not head.startswith(beginnings):
        kinds = ", ".join(suffix[1:].upper() for suffix in FILE_KINDS if suffix != ".jpeg")
        _refuse("file", "file_kind", _("Only files of these kinds: %(kinds)s.") % {"kinds": kinds})


def _refuse(field: str, code: str, message: str) -> None:
    raise InvalidFields({field: [(code, message)]}, _("Check what was entered."))
