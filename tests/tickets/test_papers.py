"""Comments, documents, reminders, numbers in other systems."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from hotline.base.errors import InvalidFields, NotFound
from tests.factories import AppealFactory, DocumentFactory, DocumentKindFactory, ReminderFactory, UserFactory, center
from tickets.actions import (
    add_comment,
    add_document,
    answer_letter,
    complete_reminder,
    note_reference,
    set_reminder,
)
from tickets.actions.papers import MAX_FILE_BYTES
from tickets.models import Appeal, Document

pytestmark = pytest.mark.django_db


def codes(appeal: Appeal) -> list[str]:
    return [entry.code for entry in appeal.journal.order_by("pk")]


def test_a_comment_is_signed() -> None:
    appeal, operator, asked = AppealFactory(), UserFactory(), center()
    own = add_comment(appeal_id=appeal.pk, text=" Ждём ", actor=operator)
    passed_on = add_comment(appeal_id=appeal.pk, text="Мастер едет", service_center=asked, actor=operator)
    assert (own.text, own.author, own.service_center) == ("Ждём", operator, None)
    assert (passed_on.author, passed_on.service_center) == (operator, asked)
    assert appeal.journal.order_by("pk").last().data == {"comment": passed_on.pk, "center": asked.pk}


@pytest.mark.parametrize("text", ["", "  ", "я" * 4001, "\x00"])
def test_a_comment_that_says_nothing_or_too_much(text: str) -> None:
    appeal = AppealFactory()
    with pytest.raises(InvalidFields) as caught:
        add_comment(appeal_id=appeal.pk, text=text, actor=UserFactory())
    assert list(caught.value.fields) == ["text"]
    assert codes(appeal) == []


def test_a_form_posted_twice_makes_one_thing() -> None:
    appeal, operator, other = AppealFactory(), UserFactory(), UserFactory()
    due = timezone.now() + timedelta(hours=1)
    for _ in range(2):
        add_comment(appeal_id=appeal.pk, text="Ждём", actor=operator)
        add(appeal, actor=operator)
        set_reminder(appeal_id=appeal.pk, to=other, due_at=due, text="Позвонить", actor=operator)
    made = (appeal.comments.count(), appeal.documents.count(), appeal.reminders.count(), appeal.journal.count())
    assert made == (1, 1, 1, 3)
    add_comment(appeal_id=appeal.pk, text="Ждём", actor=other)
    add_comment(appeal_id=appeal.pk, text="Ждём", service_center=center(), actor=operator)
    appeal.comments.update(created_at=timezone.now() - timedelta(minutes=2))
    add_comment(appeal_id=appeal.pk, text="Ждём", actor=operator)
    assert appeal.comments.count() == 4


# --- Documents ------------------------------------------------------------------------------------
def add(appeal: Appeal, **changes: Any) -> Document:
    known = {"kind": DocumentKindFactory(), "date": timezone.localdate(), "number": "А-1", "actor": UserFactory()}
    return add_document(appeal_id=appeal.pk, **{**known, **changes})


def test_a_document_keeps_its_file_under_a_name_of_ours() -> None:
    appeal = AppealFactory()
    document = add(appeal, file=SimpleUploadedFile("Акт Иванова.PDF", b"%PDF-1.4 ..."))
    assert document.file_name == "Акт Иванова.PDF"
    assert "Иванов" not in document.file.name
    assert document.file.name.endswith(".pdf")
    assert document.file.read() == b"%PDF-1.4 ..."
    assert (codes(appeal), appeal.journal.get().data) == (["document_added"], {"document": document.pk, "kind": "act"})


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("act.pdf", b"", "file_empty"),
        ("act.exe", b"MZ", "file_kind"),
        ("act.pdf", b"<html>", "file_kind"),
        ("act.png", b"%PDF-1.4", "file_kind"),
        ("act", b"%PDF-1.4", "file_kind"),
        ("act.pdf", b"%PDF-" + b"0" * MAX_FILE_BYTES, "file_too_big"),
    ],
)
def test_a_file_that_is_not_taken(name: str, content: bytes, code: str) -> None:
    appeal = AppealFactory()
    with pytest.raises(InvalidFields) as caught:
        add(appeal, file=SimpleUploadedFile(name, content))
    assert [each for each, _ in caught.value.fields["file"]] == [code]
    assert not Document.objects.exists()
    assert codes(appeal) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jpg", b"\xff\xd8\xff\xe0"),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.docx", b"PK\x03\x04"),
        ("a.xlsx", b"PK\x03\x04"),
    ],
)
def test_files_that_are_taken(name: str, content: bytes) -> None:
    assert add(AppealFactory(), file=SimpleUploadedFile(name, content)).pk


def test_a_document_of_tomorrow_is_refused() -> None:
    with pytest.raises(InvalidFields) as caught:
        add(AppealFactory(), date=timezone.localdate() + timedelta(days=1))
    assert [code for code, _ in caught.value.fields["date"]] == ["date_future"]


def test_a_letter_is_answered_once() -> None:
    letter = DocumentFactory(letter=True)
    answer_letter(document_id=letter.pk, actor=UserFactory())
    assert answer_letter(document_id=letter.pk, actor=UserFactory()).is_answered
    assert codes(letter.appeal) == ["letter_answered"]
    with pytest.raises(NotFound):
        answer_letter(document_id=0, actor=None)


# --- Reminders ------------------------------------------------------------------------------------
def test_a_reminder_is_set_and_done_once() -> None:
    appeal, colleague, operator = AppealFactory(), UserFactory(), UserFactory()
    due = timezone.now() + timedelta(hours=1)
    reminder = set_reminder(appeal_id=appeal.pk, to=colleague, due_at=due, text="Позвонить", actor=operator)
    done = complete_reminder(reminder_id=reminder.pk, actor=operator)
    again = complete_reminder(reminder_id=reminder.pk, actor=colleague)
    assert (done.done_by, again.done_by, again.done_at) == (operator, operator, done.done_at)
    assert codes(appeal) == ["reminder_set", "reminder_done"]
    with pytest.raises(NotFound):
        complete_reminder(reminder_id=0, actor=None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"due_at": timezone.now() - timedelta(minutes=1)}, "due_at"),
        ({"text": " "}, "text"),
        ({"to": "integration"}, "to"),
        ({"to": "gone"}, "to"),
    ],
)
def test_a_reminder_that_makes_no_sense(changes: dict[str, Any], field: str) -> None:
    people = {"integration": UserFactory(integration=True), "gone": UserFactory(is_active=False)}
    appeal = AppealFactory()
    known = {"to": UserFactory(), "due_at": timezone.now() + timedelta(hours=1), "text": "Позвонить"}
    asked = {**known, **changes}
    asked["to"] = people.get(asked["to"], asked["to"])
    with pytest.raises(InvalidFields) as caught:
        set_reminder(appeal_id=appeal.pk, actor=None, **asked)
    assert list(caught.value.fields) == [field]
    assert not appeal.reminders.exists()


# --- Numbers in other systems ---------------------------------------------------------------------
def test_a_number_is_noted_once() -> None:
    appeal = AppealFactory()
    first = note_reference(appeal_id=appeal.pk, system="gsis", number=" G-1 ", actor=None)
    assert note_reference(appeal_id=appeal.pk, system="gsis", number="G-1", actor=None) == first
    assert (str(first), codes(appeal)) == ("GSIS G-1", ["reference_noted"])
    with pytest.raises(InvalidFields):
        note_reference(appeal_id=appeal.pk, system="sap", number="1", actor=None)


@pytest.mark.parametrize(
    "verb",
    [
        lambda: add_comment(appeal_id=0, text="?", actor=None),
        lambda: note_reference(appeal_id=0, system="gsis", number="1", actor=None),
        lambda: set_reminder(appeal_id=0, to=ReminderFactory().to, due_at=timezone.now(), text="?", actor=None),
        lambda: add_document(appeal_id=0, kind=DocumentKindFactory(), date=timezone.localdate(), actor=None),
    ],
)
def test_there_is_no_such_appeal(verb: Any) -> None:
    with pytest.raises(NotFound):
        verb()
