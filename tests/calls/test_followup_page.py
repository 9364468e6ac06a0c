"""An SMS to make good: its page, the day with it; what stage 7 says of refusals, limits and consent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from calls import reference
from calls.models import Call, FollowUp
from hotline.operators.models import User
from sms import reference as sms_reference
from sms.actions import opt_out
from sms.models import Consent, OptOut, SmsMessage, SmsTemplate
from tests.calls.factories import CallFactory
from tests.factories import (
    AppealFactory,
    AppealMessageFactory,
    ClientFactory,
    SmsMessageFactory,
    SmsTemplateFactory,
    UserFactory,
    center,
)
from tests.helpers import assert_same_query_count
from tickets.actions import assign_center, change_state, message_text
from tickets.models import AppealMessage

pytestmark = pytest.mark.django_db
NUMBER = "+79160000101"
HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "call-work"}


@pytest.fixture
def operator() -> User:
    made: User = UserFactory(first_name="Светлана")
    return made


@pytest.fixture
def web(client: Browser, operator: User) -> Browser:
    client.force_login(operator)
    return client


def item(owner: User | None, **fields: Any) -> FollowUp:
    if not SmsTemplate.objects.exists():
        SmsTemplateFactory()
    message = SmsMessageFactory(
        **{
            "state": "undelivered", "gateway": "development", "gateway_id": uuid4().hex, "sender": "HOTLINE",
            "reason": "absent_subscriber", "requested_by": owner, **fields,
        }
    )  # fmt: skip
    client = ClientFactory(last_name="Недождалась")
    link = AppealMessageFactory(message=message, appeal=AppealFactory(assigned=True, client=client, phone=NUMBER))
    return FollowUp.objects.create(link=link, owner=owner)


def page_of(row: FollowUp) -> str:
    return reverse("calls:follow-up", args=[row.pk])


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


# --- The page ---------------------------------------------------------------------------------------
def test_what_to_say_to_whom_and_why(web: Browser, operator: User) -> None:
    row = item(operator)
    page = words(web.get(page_of(row)))
    assert "<span>916</span>" in page
    assert "Казань-Сервис" in page
    assert "абонент недоступен" in page
    assert "Недождалась" in page
    assert row.link.message.text in page


def test_dictated_and_read_back(web: Browser, operator: User) -> None:
    row = item(operator)
    action = str(uuid4())
    answer = web.post(page_of(row), {"do": "dictate", "action_id": action}, follow=True)
    assert "Записано: продиктовано и повторено." in words(answer)
    row.refresh_from_db()
    assert row.outcome == "dictated"
    assert AppealMessage.objects.latest("pk").message.state == "dictated"
    page = web.get(page_of(row))
    assert "Улажено: продиктовано" in words(page)
    again = web.post(page_of(row), {"do": "dictate", "action_id": action})
    assert again.status_code == 409
    assert AppealMessage.objects.count() == 2


def test_sent_anew(web: Browser, operator: User) -> None:
    row = item(operator)
    web.post(page_of(row), {"do": "resend", "action_id": str(uuid4())})
    row.refresh_from_db()
    assert (row.outcome, SmsMessage.objects.get(resend_of=row.link.message).to) == ("resent", NUMBER)


def failed_in_truth(operator: User) -> FollowUp:
    """Made as a message is made, of the appeal as it stands."""
    row = item(operator)
    link = row.link
    made = message_text(appeal=link.appeal, purpose=link.purpose)
    message = SmsMessageFactory(
        state="rejected", gateway="development", sender="HOTLINE", requested_by=operator, to=NUMBER,
        template=made.template, text=made.text,
    )  # fmt: skip
    link = AppealMessageFactory(message=message, appeal=link.appeal, purpose=link.purpose)
    return FollowUp.objects.create(link=link, owner=operator)


@pytest.mark.parametrize(
    ("change", "said", "focus"),
    [
        ("nothing", "", 'form="dictation-form" autofocus'),
        ("cancelled", "Заявка уже не открыта", 'id="follow-up-note"'),
        ("another centre", "Обращение с тех пор изменилось", 'form="dictation-form" autofocus'),
        ("no centre", "Обращение с тех пор изменилось", 'id="follow-up-note"'),
    ],
)
def test_words_that_are_not_true_any_more_are_not_sent_anew(
    web: Browser, operator: User, change: str, said: str, focus: str
) -> None:
    row = failed_in_truth(operator)
    appeal = row.link.appeal
    if change == "cancelled":
        change_state(appeal_id=appeal.pk, state="cancelled", note="Передумала", actor=operator)
    elif change == "another centre":
        assign_center(appeal_id=appeal.pk, service_center=center("Другой"), actor=operator)
    elif change == "no centre":
        appeal.assignments.update(state="superseded")
    page = words(web.get(page_of(row)))
    assert (said in page) if said else ("с тех пор" not in page)
    [focused] = [tag for tag in page.split("<") if " autofocus" in tag]
    assert focus.removesuffix(" autofocus") in focused
    assert ('value="resend" data-key="Alt+KeyS" disabled' in page) == (change != "nothing")
    answer = web.post(page_of(row), {"do": "resend", "action_id": str(uuid4())})
    assert answer.status_code == (302 if change == "nothing" else 409)
    assert SmsMessage.objects.filter(resend_of=row.link.message).exists() == (change == "nothing")


def test_not_needed_needs_a_reason(web: Browser, operator: User) -> None:
    row = item(operator)
    answer = web.post(page_of(row), {"do": "settle", "note": " "})
    assert answer.status_code == 400
    assert "Укажите, почему" in words(answer)
    web.post(page_of(row), {"do": "settle", "note": "Уже в АСЦ"})
    row.refresh_from_db()
    assert (row.outcome, row.note) == ("not_needed", "Уже в АСЦ")


def test_what_the_gate_says_stands_there(web: Browser, operator: User) -> None:
    row = item(operator)
    opt_out(number=NUMBER, actor=operator)
    page = words(web.get(page_of(row)))
    assert "просил не присылать СМС" in page
    assert 'value="resend" data-key="Alt+KeyS" disabled' in page
    refused = web.post(page_of(row), {"do": "resend", "action_id": str(uuid4())})
    assert refused.status_code == 409
    row.refresh_from_db()
    assert row.done_at is None


def test_a_message_that_can_not_be_made_is_not_dictated(web: Browser, operator: User) -> None:
    row = item(operator)
    row.link.appeal.assignments.update(state="superseded")
    page = words(web.get(page_of(row)))
    assert "Сообщение не составить, не хватает:" in page
    assert 'class="dictation"' not in page


def test_anothers_is_not_there(web: Browser) -> None:
    row = item(UserFactory())
    assert web.get(page_of(row)).status_code == 404
    assert web.post(page_of(row), {"do": "settle", "note": "-"}).status_code == 404


# --- The day and the start page ---------------------------------------------------------------------
def test_the_day_and_the_desk_show_the_own_ones(web: Browser, operator: User) -> None:
    mine = item(operator)
    theirs = item(UserFactory())
    for name in ("calls:list", "calls:owed", "desk:start", "desk:waiting"):
        page = words(web.get(reverse(name)))
        assert page_of(mine) in page
        assert page_of(theirs) not in page


def test_a_supervisor_sees_everybodys_and_the_uncertain_ones(client: Browser, operator: User) -> None:
    client.force_login(UserFactory(supervisor=True))
    mine, nobodys = item(operator), item(None)
    SmsMessageFactory(state="unknown", gateway="development", reason="no_answer")
    page = words(client.get(reverse("desk:start")))
    assert page_of(mine) in page
    assert page_of(nobodys) in page
    assert "Неясные СМС" in page
    assert "ничьё" in words(client.get(reverse("calls:list")))


def test_growth_of_what_is_to_make_good(web: Browser, operator: User) -> None:
    assert_same_query_count(lambda n: [item(operator) for _ in range(n)], lambda: web.get(reverse("calls:list")))


def test_growth_of_the_desk(web: Browser, operator: User) -> None:
    assert_same_query_count(
        lambda n: [item(operator) for _ in range(n)], lambda: web.get(reverse("desk:start")), few=9, many=20
    )


# --- Stage 7 ----------------------------------------------------------------------------------------
@pytest.fixture
def call(web: Browser, operator: User) -> Call:
    """A call in which a repair request was registered."""
    reference.load()
    sms_reference.load()
    client = ClientFactory(phones=[NUMBER])
    made = CallFactory(dialog=True, operator=operator, number=NUMBER, client=client)
    appeal = AppealFactory(assigned=True, client=client, phone=NUMBER)
    made.appeals.create(appeal=appeal, relation="registered")
    return made


def ask(web: Browser, call: Call, name: str, **data: Any) -> Any:
    return web.post(reverse(f"calls:{name}", args=[call.pk]), data, **HTMX)


def stage(web: Browser, call: Call) -> str:
    return words(web.get(reverse("calls:stage", args=[call.pk, "sms"]), **HTMX))


def test_the_client_wants_no_sms_and_then_wants_them_again(web: Browser, call: Call, operator: User) -> None:
    assert "Клиент не хочет СМС" in stage(web, call)
    page = words(ask(web, call, "sms-wishes", do="opt_out", to=NUMBER))
    assert "просил не присылать СМС" in page
    assert 'class="dictation"' in page
    assert OptOut.objects.in_force().get().started_by == operator
    assert ask(web, call, "sms-send", to=NUMBER, action_id=str(uuid4())).status_code == 409
    page = words(ask(web, call, "sms-wishes", do="end_opt_out", to=NUMBER))
    assert "Клиент не хочет СМС" in page
    assert not OptOut.objects.in_force().exists()


def test_a_template_that_needs_consent_is_judged_as_such(web: Browser, call: Call) -> None:
    current = SmsTemplate.objects.current().get(moment="request_registered")
    SmsTemplate.objects.filter(pk=current.pk).update(is_current=False)
    SmsTemplateFactory(category="other")
    assert "нужно согласие" in stage(web, call)
    page = words(ask(web, call, "sms-wishes", do="consent", to=NUMBER))
    assert "согласен на прочие сообщения" in page
    assert Consent.objects.in_force().exists()
    assert "notice-ok" in words(ask(web, call, "sms-gate", to=NUMBER))
    ask(web, call, "sms-wishes", do="withdraw_consent", to=NUMBER)
    assert "нужно согласие" in words(ask(web, call, "sms-gate", to=NUMBER))


def test_a_limit_of_the_template_is_said_before_sending(web: Browser, call: Call) -> None:
    current = SmsTemplate.objects.current().get(moment="request_registered")
    SmsTemplate.objects.filter(pk=current.pk).update(is_current=False)
    limited = SmsTemplateFactory(daily_limit=1)
    assert "notice-ok" in stage(web, call)
    SmsMessageFactory(to="+79160000999", template=limited)
    page = stage(web, call)
    assert "notice-warn" in page
    assert "По этому шаблону сегодня уже отправлено" in page


def test_a_number_that_seems_to_block_us_warns_and_can_be_sent_to(web: Browser, call: Call) -> None:
    for _ in range(3):
        SmsMessageFactory(undelivered=True, to=NUMBER, gateway_id=uuid4().hex)
    page = stage(web, call)
    assert "вероятно" in page
    assert 'class="dictation"' in page
    assert 'data-key="Alt+KeyS"' in page
    assert ask(web, call, "sms-send", to=NUMBER, action_id=str(uuid4())).status_code == 200


def test_no_keys_for_a_number_that_takes_no_sms(web: Browser, call: Call) -> None:
    assert "Клиент не хочет СМС" not in words(ask(web, call, "sms-gate", to="+77010000771"))
    assert ask(web, call, "sms-wishes", do="opt_out", to="abc").status_code == 400
    assert ask(web, call, "sms-wishes", do="explode", to=NUMBER).status_code == 400
    assert not OptOut.objects.exists()


def test_a_closed_call_changes_nothing(web: Browser, call: Call) -> None:
    appeal = call.appeals.get().appeal
    now = timezone.now()
    Call.objects.filter(pk=call.pk).update(
        line_state="ended", work_state="closed", ended_at=now, closed_at=now, ending="goodbye", registered_appeal=appeal
    )
    assert ask(web, call, "sms-wishes", do="opt_out", to=NUMBER).status_code == 409
    assert not OptOut.objects.exists()


@pytest.mark.parametrize("state", ["rejected", "unknown"])
def test_sent_anew_in_the_call_names_the_old_one(web: Browser, call: Call, state: str) -> None:
    ask(web, call, "sms-send", to=NUMBER, action_id=str(uuid4()))
    old = SmsMessage.objects.get()
    _move(old, state)
    page = stage(web, call)
    assert "Отправить заново" in page
    assert ("может прийти дважды" in page) is (state == "unknown")
    # Whether it arrived nobody knows: nobody says that it was sent.
    summary = words(web.get(reverse("calls:stage", args=[call.pk, "summary"]), **HTMX))
    assert "отправлены в СМС на номер" not in summary
    assert "отправлены вам в СМС" not in page
    action = str(uuid4())
    for _ in range(2):
        assert ask(web, call, "sms-send", to="8 916 000-01-01", action_id=action).status_code == 200
    new = SmsMessage.objects.get(resend_of=old)
    assert AppealMessage.objects.filter(message=new, appeal=call.appeals.get().appeal).count() == 1
    assert SmsMessage.objects.count() == 2


def test_another_number_is_another_message(web: Browser, call: Call) -> None:
    ask(web, call, "sms-send", to=NUMBER, action_id=str(uuid4()))
    _move(SmsMessage.objects.get(), "rejected")
    ask(web, call, "sms-send", to="+79030000102", action_id=str(uuid4()))
    assert SmsMessage.objects.latest("pk").resend_of is None


def test_until_when_a_message_waits_is_said(web: Browser, call: Call) -> None:
    ask(web, call, "sms-send", to=NUMBER, action_id=str(uuid4()))
    until = timezone.now() + timedelta(minutes=5)
    SmsMessage.objects.update(reason="quiet_hours", not_before=until)
    said = f'тихие часы, уйдёт <time datetime="{timezone.localtime(until).isoformat(timespec="seconds")}"'
    assert said in stage(web, call)
    appeal = call.appeals.get().appeal
    assert said in words(web.get(appeal.get_absolute_url()))
    assert said in words(web.get(appeal.client.get_absolute_url()))


def _move(message: SmsMessage, state: str) -> None:
    for step in ("submitting", state):
        fields = {"attempt_token": uuid4(), "lease_until": timezone.now()} if step == "submitting" else {}
        SmsMessage.objects.filter(pk=message.pk).update(state=step, **fields)


def test_what_was_dictated_elsewhere_meanwhile_is_not_asked_for_again(web: Browser, operator: User) -> None:
    """Before the sweep has settled the item."""
    row = item(operator)
    colleague = UserFactory(last_name="Опередившая")
    told = SmsMessageFactory(dictated=True, requested_by=colleague)
    AppealMessageFactory(appeal=row.link.appeal, message=told)
    page = words(web.get(page_of(row)))
    assert "Клиенту уже сообщили: продиктовано" in page
    assert "Опередившая" in page
    assert "Отправить заново" not in page
    assert "dictation-form" not in page
