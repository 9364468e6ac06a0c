"""A message comes to be: judged, once for an action, announced, put on the broker after the commit."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from hotline.base import live
from hotline.base.errors import Conflict, Invalid, Refused
from hotline.operators.models import User
from sms import broker
from sms.actions import queue_message, record_dictation
from sms.models import SmsMessage, SmsStateChange
from tests.helpers import race
from tests.sms.factories import MOBILE, OTHER_MOBILE, deny, message, person, template

TEXT = "Заявка №100001 зарегистрирована."


@pytest.fixture
def anna(db: None) -> User:
    return person()


def test_a_message_is_queued(anna: User, enqueued: list[Any], django_capture_on_commit_callbacks: Any) -> None:
    used = template()
    action = uuid4()
    with django_capture_on_commit_callbacks(execute=True):
        made = queue_message(action_id=action, to="8 (916) 000-01-01", text=f" {TEXT}\r\n", template=used, actor=anna)
    assert (made.to, made.text, made.state, made.segments) == (MOBILE, TEXT, "queued", 1)
    assert (made.action_id, made.template, made.requested_by) == (action, used, anna)
    assert list(made.changes.values_list("from_state", "to_state")) == [("", "queued")]
    assert enqueued == [("submit", made.pk)]


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("+7 701 000 01 01", "not_russian"),
        ("8 495 123-45-67", "fixed_line"),
        ("", "empty"),
        ("8 940 000 01 01", "denied_code"),
    ],
)
def test_a_number_that_gets_no_sms_is_refused(anna: User, enqueued: list[Any], to: str, code: str) -> None:
    deny()
    with pytest.raises(Refused) as error:
        queue_message(action_id=uuid4(), to=to, text=TEXT, actor=anna)
    assert (error.value.code, error.value.field) == (code, "to")
    assert (SmsMessage.objects.count(), SmsStateChange.objects.count(), enqueued) == (0, 0, [])


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), ("a\x00", "bad_characters"), ("\udc00", "bad_characters"), ("я" * 671, "too_long")],
)
def test_a_text_that_can_not_be_sent_is_refused(anna: User, text: str, code: str) -> None:
    with pytest.raises(Invalid) as error:
        queue_message(action_id=uuid4(), to=MOBILE, text=text, actor=anna)
    assert (error.value.code, error.value.field) == (code, "text")
    assert SmsMessage.objects.count() == 0


def test_the_longest_text(anna: User) -> None:
    assert queue_message(action_id=uuid4(), to=MOBILE, text="я" * 670, actor=anna).segments == 10


def test_the_same_action_is_the_same_message(
    anna: User, enqueued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    action = uuid4()
    with django_capture_on_commit_callbacks(execute=True):
        first = queue_message(action_id=action, to=MOBILE, text=TEXT, actor=anna)
        second = queue_message(action_id=action, to="8 916 000-01-01", text=TEXT, actor=anna)
    assert first.pk == second.pk
    assert (SmsMessage.objects.count(), SmsStateChange.objects.count(), len(enqueued)) == (1, 1, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"to": OTHER_MOBILE},
        {"text": "Другой текст."},
        {"actor": "другой"},
        {"template": "другой"},
        {"sender": "SERVICE"},
        {"category": "other"},
    ],
)
def test_the_same_action_with_other_content_is_a_conflict(anna: User, other: dict[str, Any], settings: Any) -> None:
    settings.SMS_SENDERS = {"SERVICE": ["development"]}
    action = uuid4()
    queue_message(action_id=action, to=MOBILE, text=TEXT, actor=anna)
    if "actor" in other:
        other = {"actor": person("other")}
    if "template" in other:
        other = {"template": template()}
    with pytest.raises(Conflict) as error:
        queue_message(**{"action_id": action, "to": MOBILE, "text": TEXT, "actor": anna, **other})
    assert error.value.code == "action_id_reused"
    assert SmsMessage.objects.count() == 1


def test_sent_and_dictated_are_not_the_same(anna: User) -> None:
    action = uuid4()
    queue_message(action_id=action, to=MOBILE, text=TEXT, actor=anna)
    with pytest.raises(Conflict):
        record_dictation(action_id=action, to=MOBILE, text=TEXT, actor=anna)


@pytest.mark.django_db(transaction=True)
def test_two_threads_with_one_action_make_one_message() -> None:
    anna = person()
    for _ in range(5):
        action = uuid4()
        first, second = race(
            *[lambda: queue_message(action_id=action, to=MOBILE, text=TEXT, actor=anna)] * 2  # noqa: B023
        )
        assert first.pk == second.pk
    assert (SmsMessage.objects.count(), SmsStateChange.objects.count()) == (5, 5)


@pytest.mark.django_db(transaction=True)
def test_two_threads_with_one_action_and_two_texts_make_one_message_and_a_conflict() -> None:
    anna = person()
    action = uuid4()
    results = race(
        lambda: queue_message(action_id=action, to=MOBILE, text="Один.", actor=anna),
        lambda: queue_message(action_id=action, to=MOBILE, text="Другой.", actor=anna),
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "SmsMessage"]
    assert SmsMessage.objects.count() == 1


@pytest.mark.parametrize(
    ("to", "kept"),
    [
        ("+7 701 000 01 01", "+77010000101"),
        ("8 495 123-45-67", "+74951234567"),
        ("8 (495) 123-45-67 доб. 12", "8 (495) 123-45-67 доб. 12"),
        ("+374 91 123456", "+37491123456"),
        (" скрыт ", "скрыт"),
        ("", ""),
    ],
)
def test_a_dictation_may_go_to_any_telephone(
    anna: User, enqueued: list[Any], to: str, kept: str, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        made = record_dictation(action_id=uuid4(), to=to, text=TEXT, actor=anna)
    assert (made.to, made.state, made.is_decided, made.has_failed) == (kept, "dictated", True, False)
    assert list(made.changes.values_list("from_state", "to_state")) == [("", "dictated")]
    assert enqueued == []


@pytest.mark.parametrize(("to", "code"), [("9" * 65, "too_long"), ("8 916\x00", "bad_characters")])
def test_a_dictation_to_what_can_not_be_kept(anna: User, to: str, code: str) -> None:
    with pytest.raises(Invalid) as error:
        record_dictation(action_id=uuid4(), to=to, text=TEXT, actor=anna)
    assert (error.value.code, error.value.field) == (code, "to")


def test_a_broker_that_takes_nothing_leaves_the_message_to_the_sweep(
    anna: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(broker, "publish", lambda task, pks, wait=0: False)
    with django_capture_on_commit_callbacks(execute=True):
        made = queue_message(action_id=uuid4(), to=MOBILE, text=TEXT, actor=anna)
    made.refresh_from_db()
    assert (made.state, made.enqueued_at) == ("queued", None)


@pytest.mark.django_db(transaction=True)
def test_whatever_goes_wrong_behind_the_commit_costs_the_page_nothing(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(task: Any, pks: list[int], *, wait: float = 0) -> bool:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(broker, "publish", publish)
    made = queue_message(action_id=uuid4(), to=MOBILE, text=TEXT, actor=anna)
    assert SmsMessage.objects.get(pk=made.pk).state == "queued"


def test_the_birth_is_announced(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[dict[str, Any]] = []
    monkeypatch.setattr(live, "publish", lambda **what: published.append(what))
    made = queue_message(action_id=uuid4(), to=MOBILE, text=TEXT, actor=anna)
    assert published == [{"topic": "sms", "pk": made.pk}]


# --- What the database itself refuses ---------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"to": "89160000101"}, "sms_message_to_is_e164"),
        ({"to": ""}, "sms_message_to_is_e164"),
        ({"text": ""}, "sms_message_has_text"),
        ({"state": "submitting", "lease_until": None}, "sms_message_submitting_has_lease"),
        ({"state": "accepted", "gateway": ""}, "sms_message_accepted_has_gateway"),
    ],
)
def test_rows_that_can_not_be(fields: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        message(**fields)


FORWARD = {(old, new) for old, news in SmsMessage.TRANSITIONS.items() for new in news}


@pytest.mark.django_db
@pytest.mark.parametrize("old", SmsMessage.State.values)
def test_the_database_lets_states_move_forward_only(old: str) -> None:
    for new in SmsMessage.State.values:
        row = message(old)
        extra = {"gateway": "development", "attempt_token": uuid4(), "lease_until": row.created_at}
        update = SmsMessage.objects.filter(pk=row.pk).update
        if new == old or (old, new) in FORWARD:
            update(state=new, **extra)
        else:
            with pytest.raises(IntegrityError, match="never goes from"), transaction.atomic():
                update(state=new, **extra)


@pytest.mark.django_db
def test_what_was_said_to_whom_is_never_changed_nor_deleted() -> None:
    row = message("accepted")
    for change in ({"text": "Иначе."}, {"to": OTHER_MOBILE}, {"action_id": uuid4()}):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            SmsMessage.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(IntegrityError, match="on the record"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM sms_smsmessage")
    born = SmsStateChange.objects.create(message=row, from_state="", to_state="queued")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        SmsStateChange.objects.filter(pk=born.pk).update(to_state="delivered")
