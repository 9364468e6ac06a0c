"""Stage 7 on an appeal: what the client reads comes from the registered appeal and its centre; R3 keeps it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from hotline.base.errors import Conflict, Invalid, NotFound, Refused
from sms.models import SmsMessage
from tests.factories import (
    AppealFactory,
    AppealMessageFactory,
    ClientFactory,
    SmsMessageFactory,
    SmsTemplateFactory,
    UserFactory,
    ago,
    center,
)
from tests.helpers import race
from tickets.actions import default_purpose, dictate, message_text, send_sms
from tickets.models import Appeal, AppealMessage

pytestmark = pytest.mark.django_db
NUMBER = "8 (916) 000-01-01"


def assigned() -> Appeal:
    SmsTemplateFactory()
    appeal: Appeal = AppealFactory(assigned=True, client=ClientFactory(first_name="Анна", middle_name="Петровна"))
    return appeal


def test_the_text_is_made_of_the_appeal_and_its_centre() -> None:
    appeal = assigned()
    preview = message_text(appeal=appeal, purpose="request")
    assert preview.text == (
        f"Заявка №{appeal.number}. АСЦ: Казань-Сервис, Казань, ул. Тестовая, 1, тел. 8 843 200-00-10, Пн–Пт 9:00–18:00."
    )
    assert (preview.missing, preview.segments.count, preview.is_ready) == ([], 2, True)


def test_the_text_follows_the_assignment_and_never_an_old_one() -> None:
    appeal = assigned()
    appeal.assignments.update(state="superseded")
    appeal.assignments.create(service_center=center("Другой АСЦ", phones=["8 843 200-00-99"]))
    text = message_text(appeal=appeal, purpose="request").text
    assert "Другой АСЦ" in text
    assert "8 843 200-00-99" in text
    assert "Казань-Сервис" not in text


def test_out_of_warranty_has_its_own_words() -> None:
    SmsTemplateFactory(out_of_warranty=True)
    SmsTemplateFactory(contacts=True)
    referred = AppealFactory(referred=True, verdict="out")
    assert "Ремонт платный" in message_text(appeal=referred, purpose="contacts").text
    told = AppealFactory(referred_to=center(), verdict="in")
    assert message_text(appeal=told, purpose="contacts").text.startswith("АСЦ: Казань-Сервис")


def test_what_is_missing_is_named_and_nothing_is_sent() -> None:
    SmsTemplateFactory()
    appeal = AppealFactory(repair=True)
    preview = message_text(appeal=appeal, purpose="request")
    assert (preview.text, len(preview.missing), preview.is_ready) == ("", 4, False)
    for verb in (send_sms, dictate):
        with pytest.raises(Refused) as caught:
            verb(appeal_id=appeal.pk, to=NUMBER, purpose="request", action_id=uuid4(), actor=UserFactory())
        assert caught.value.code == "nothing_to_send"
    assert not SmsMessage.objects.exists()
    assert not appeal.journal.exists()


def test_without_a_template_there_is_nothing_to_send() -> None:
    preview = message_text(appeal=AppealFactory(assigned=True), purpose="request")
    assert (preview.is_ready, len(preview.missing), preview.template) == (False, 1, None)
    with pytest.raises(Invalid):
        message_text(appeal=AppealFactory(), purpose="greeting")


def test_a_request_tells_its_data_a_consultation_the_contacts() -> None:
    assert default_purpose(AppealFactory(repair=True)) == "request"
    assert default_purpose(AppealFactory()) == "contacts"


# --- Sending and dictating ------------------------------------------------------------------------
def test_an_sms_is_queued_linked_and_journalled() -> None:
    appeal, operator = assigned(), UserFactory()
    link = send_sms(appeal_id=appeal.pk, to=NUMBER, purpose="request", action_id=uuid4(), actor=operator)
    assert (link.appeal, link.message.to, link.message.state) == (appeal, "+79160000101", "queued")
    assert link.message.requested_by == operator
    entry = appeal.journal.get()
    assert (entry.code, entry.data) == ("sms_queued", {"message": link.message.pk, "purpose": "request"})


def test_the_very_words_are_not_sent_to_a_number_twice_in_a_row() -> None:
    appeal, one, other = assigned(), UserFactory(), UserFactory()
    ask = {"appeal_id": appeal.pk, "to": NUMBER, "purpose": "request"}
    first = send_sms(**ask, action_id=uuid4(), actor=one)
    with pytest.raises(Refused) as refused:
        send_sms(**ask, action_id=uuid4(), actor=other)
    assert (refused.value.code, refused.value.field) == ("already_sent", "to")
    send_sms(**{**ask, "to": "+79160000102"}, action_id=uuid4(), actor=other)
    # Long after, or once it has failed, a person may have a reason.
    SmsMessage.objects.filter(pk=first.message_id).update(created_at=ago(minutes=11))
    send_sms(**ask, action_id=uuid4(), actor=one)
    assert AppealMessage.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_windows_at_once_send_one_message() -> None:
    appeal, operator = assigned(), UserFactory()

    def send() -> AppealMessage:
        return send_sms(appeal_id=appeal.pk, to=NUMBER, purpose="request", action_id=uuid4(), actor=operator)

    results = race(*[send] * 4)
    assert len([made for made in results if isinstance(made, AppealMessage)]) == 1
    assert {error.code for error in results if isinstance(error, Refused)} == {"already_sent"}
    assert SmsMessage.objects.count() == 1


def test_a_dictation_is_on_the_record() -> None:
    appeal = assigned()
    link = dictate(
        appeal_id=appeal.pk, to="+7 701 000-00-05", purpose="request", action_id=uuid4(), actor=UserFactory()
    )
    assert (link.message.state, link.message.to) == ("dictated", "+77010000005")
    assert appeal.journal.get().code == "sms_dictated"
    hidden = dictate(appeal_id=appeal.pk, to="", purpose="request", action_id=uuid4(), actor=UserFactory())
    assert hidden.message.to == ""


@pytest.mark.parametrize(
    ("to", "code"), [("+7 701 000-00-05", "not_russian"), ("8 343 200-00-10", "fixed_line"), ("", "empty")]
)
def test_a_number_that_gets_no_sms_is_refused_with_its_reason(to: str, code: str) -> None:
    appeal = assigned()
    with pytest.raises(Refused) as caught:
        send_sms(appeal_id=appeal.pk, to=to, purpose="request", action_id=uuid4(), actor=UserFactory())
    assert (caught.value.code, caught.value.field) == (code, "to")
    assert not appeal.messages.exists()


def test_a_double_click_is_one_message() -> None:
    appeal, operator, action = assigned(), UserFactory(), uuid4()
    links = {
        send_sms(appeal_id=appeal.pk, to=NUMBER, purpose="request", action_id=action, actor=operator).pk
        for _ in range(2)
    }
    assert len(links) == SmsMessage.objects.count() == appeal.journal.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_double_click_in_two_connections_is_one_message() -> None:
    appeal, operator, action = assigned(), UserFactory(), uuid4()
    results = race(
        *[lambda: send_sms(appeal_id=appeal.pk, to=NUMBER, purpose="request", action_id=action, actor=operator)] * 2
    )
    assert {result.pk for result in results} == {AppealMessage.objects.get().pk}
    assert appeal.journal.count() == 1


def test_an_action_is_of_one_appeal() -> None:
    operator, action = UserFactory(), uuid4()
    first = assigned()
    send_sms(appeal_id=first.pk, to=NUMBER, purpose="request", action_id=action, actor=operator)
    other = AppealFactory(assigned=True)
    with pytest.raises(Conflict):
        send_sms(appeal_id=other.pk, to=NUMBER, purpose="request", action_id=action, actor=operator)
    assert not other.messages.exists()


def test_there_is_no_such_appeal() -> None:
    with pytest.raises(NotFound):
        send_sms(appeal_id=0, to=NUMBER, purpose="request", action_id=uuid4(), actor=None)


# --- What did not arrive --------------------------------------------------------------------------
def test_what_did_not_arrive_is_followed_up_once() -> None:
    appeal = AppealFactory(assigned=True)
    failed = AppealMessageFactory(appeal=appeal, message=SmsMessageFactory(undelivered=True))
    AppealMessageFactory(message=SmsMessageFactory(delivered=True))
    assert list(AppealMessage.objects.all().not_followed_up()) == [failed]
    AppealMessageFactory(appeal=appeal, message=SmsMessageFactory(dictated=True))
    assert not AppealMessage.objects.all().not_followed_up().exists()


@pytest.mark.parametrize(
    ("state", "supervisor", "on_the_line", "goes"),
    [
        ("undelivered", False, False, True),
        ("rejected", False, False, True),
        ("unknown", False, False, False),
        ("unknown", False, True, True),  # in a call the client can be asked
        ("unknown", True, False, True),
    ],
)
def test_the_same_words_again_name_what_they_stand_for(
    state: str, supervisor: bool, on_the_line: bool, goes: bool
) -> None:
    """Whichever way in: what is uncertain never goes out again as if nothing had been."""
    appeal, actor = assigned(), UserFactory(supervisor=supervisor)
    text = message_text(appeal=appeal, purpose="request").text
    old = SmsMessageFactory(
        state=state,
        to="+79160000101",
        text=text,
        gateway="development",
        gateway_id="g",
        sender="HOTLINE",
        requested_by=actor,
    )
    AppealMessageFactory(appeal=appeal, message=old)
    ask = {"appeal_id": appeal.pk, "to": NUMBER, "purpose": "request", "action_id": uuid4(), "actor": actor}
    if not goes:
        with pytest.raises(Refused) as refused:
            send_sms(**ask, on_the_line=on_the_line)
        assert refused.value.code == "uncertain"
        assert SmsMessage.objects.count() == 1
        return
    link = send_sms(**ask, on_the_line=on_the_line)
    assert link.message.resend_of == old
    assert send_sms(**ask, on_the_line=on_the_line) == link
