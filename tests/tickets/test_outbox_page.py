"""The supervisors' page of SMS: gateways, a held outbox, uncertain messages and the decision about each, once."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from hotline.operators.models import User
from sms.actions import confirm_arrival, is_held, opt_out
from sms.models import OutboxHome, SmsMessage, SmsPart
from tests.factories import (
    AppealFactory,
    AppealMessageFactory,
    ClientFactory,
    SmsMessageFactory,
    SmsTemplateFactory,
    UserFactory,
)
from tests.helpers import assert_same_query_count, race
from tickets.models import AppealMessage

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
PAGE = "/sms/"


@pytest.fixture
def supervisor() -> User:
    made: User = UserFactory(supervisor=True, last_name="Главная", first_name="Ольга")
    return made


@pytest.fixture
def desk(supervisor: User, client: Browser) -> Browser:
    client.force_login(supervisor, backend="hotline.operators.backends.RoleBackend")
    return client


def uncertain(**fields: Any) -> AppealMessage:
    message = SmsMessageFactory(
        **{"state": "unknown", "gateway": "development", "sender": "HOTLINE", "reason": "no_answer", **fields}
    )
    message.changes.create(from_state="submitting", to_state="unknown", reason="no_answer")
    link: AppealMessage = AppealMessageFactory(
        message=message, appeal=AppealFactory(assigned=True, client=ClientFactory(last_name="Водкина-Петрова"))
    )
    return link


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def row(link: AppealMessage) -> str:
    return reverse("tickets:sms-uncertain", args=[link.message_id])


def decide(desk: Browser, link: AppealMessage, do: str, **data: Any) -> Any:
    return desk.post(row(link), {"do": do, "action_id": str(uuid4()), **data}, headers=HTMX)


# --- What is shown ----------------------------------------------------------------------------------
def test_nothing_is_uncertain(desk: Browser) -> None:
    page = text_of(desk.get(PAGE))
    assert "Неясных сообщений нет" in page
    assert "development" in page


def test_what_is_known_of_an_uncertain_message(desk: Browser) -> None:
    link = uncertain(requested_by=UserFactory(last_name="Отправилова"))
    SmsPart.objects.create(message=link.message, seq=1, text="Заявка", state="accepted")
    SmsPart.objects.create(message=link.message, seq=2, text="дальше", state="unknown", reason="no_answer")
    page = text_of(desk.get(PAGE))
    for known in (
        "+7 916 000-01-01", f"№{link.appeal.number}", "Водкина-Петрова", "Отправилова", "шлюз не ответил",
        "часть 1: принято шлюзом", "часть 2: неизвестно, дошло ли", link.message.text,
        "отправленное заново может прийти дважды",
    ):  # fmt: skip
        assert known in page


def test_a_message_about_no_appeal_is_shown_too(desk: Browser) -> None:
    SmsMessageFactory(state="unknown", gateway="development")
    assert "не по обращению" in text_of(desk.get(PAGE))


def test_whether_waiting_helps_is_said(desk: Browser) -> None:
    """The machine asks the gateway ever more seldom, and gives up in the end."""
    soon = timezone.now() + timedelta(minutes=7)
    asked, due, given_up = uncertain(check_after=soon), uncertain(check_after=timezone.now()), uncertain()

    def said(link: AppealMessage) -> str:
        return text_of(desk.get(row(link), headers=HTMX))

    assert "Шлюз ещё опрашивается, следующий раз:" in said(asked)
    assert f"{timezone.localtime(soon):%H:%M}</time>" in said(asked)
    assert "Шлюз ещё опрашивается: прямо сейчас." in said(due)
    assert "Шлюз не опрашивается." in said(given_up)
    # The row looks again once the gateway was asked.
    delay = re.search(r"load delay:(\d+)s", said(asked))
    assert delay
    assert 415 <= int(delay.group(1)) <= 425
    assert "load delay:20s" in said(due)
    assert "load delay" not in said(given_up)
    decide(desk, asked, "arrived")
    assert "опрашивается" not in said(asked)


def test_limits_refusals_and_consents_are_at_hand(desk: Browser, settings: Any) -> None:
    settings.SMS_DAILY_PER_NUMBER, settings.SMS_QUIET_HOURS = 3, "21:00-09:00"
    limited = SmsTemplateFactory(name="Новости", daily_limit=1)
    SmsMessageFactory(template=limited)
    page = text_of(desk.get(PAGE))
    for address in ("optout", "consent", "deniedcode", "smstemplate", "smsmessage"):
        assert f'href="{reverse(f"admin:sms_{address}_changelist")}"' in page
    assert 'href="#limits"' in page
    for said in ("не больше 3 сообщений", "21:00–09:00", "сегодня 1 из 1", "исчерпан", "Номера с отказом от СМС"):
        assert said in page
    settings.SMS_DAILY_PER_NUMBER, settings.SMS_QUIET_HOURS = 0, ""
    page = text_of(desk.get(PAGE))
    assert "без ограничения" in page
    assert "никогда" in page


def test_the_oldest_come_first_in_pages(desk: Browser) -> None:
    links = [uncertain() for _ in range(21)]
    first = text_of(desk.get(PAGE))
    assert f'id="uncertain-{links[0].message_id}"' in first
    assert f'id="uncertain-{links[20].message_id}"' not in first
    following = desk.get(PAGE).context["next"]
    assert f'id="uncertain-{links[20].message_id}"' in text_of(desk.get(following))
    assert desk.get(f"{PAGE}?cursor=nonsense").status_code == 404


def test_growth(desk: Browser) -> None:
    def more(count: int) -> None:
        for _ in range(count):
            link = uncertain(requested_by=UserFactory())
            SmsPart.objects.create(message=link.message, seq=1, text="Заявка", state="unknown")

    assert_same_query_count(more, lambda: desk.get(PAGE))


def test_sms_that_are_switched_off_are_said_so(desk: Browser, settings: Any) -> None:
    settings.SMS_GATEWAYS = []
    assert "HOTLINE_SMS_GATEWAYS" in text_of(desk.get(PAGE))


# --- What is decided --------------------------------------------------------------------------------
def test_the_client_has_got_it(desk: Browser, supervisor: User) -> None:
    link = uncertain()
    answer = decide(desk, link, "arrived")
    assert answer.status_code == 200
    assert "Ольга" in text_of(answer)
    assert "arrived-" not in text_of(answer)
    assert "клиент получил" in json.loads(answer["HX-Trigger"])["toast"]["message"]
    link.message.refresh_from_db()
    assert (link.message.state, link.message.confirmed_by_id) == ("delivered", supervisor.pk)
    assert "Неясных сообщений нет" in text_of(desk.get(PAGE))


def test_sent_anew_names_the_old_one_on_the_same_appeal(desk: Browser, supervisor: User) -> None:
    link = uncertain()
    action = str(uuid4())
    for _ in range(2):
        answer = decide(desk, link, "resend", action_id=action)
        assert answer.status_code == 200
        assert "отправлено заново" in text_of(answer)
    new = SmsMessage.objects.get(resend_of=link.message)
    assert (new.to, new.text, new.requested_by) == (link.message.to, link.message.text, supervisor)
    assert AppealMessage.objects.get(message=new).appeal == link.appeal


def test_the_second_supervisor_sees_what_the_first_decided(desk: Browser) -> None:
    first = UserFactory(supervisor=True, first_name="Игорь", last_name="Первый")
    link = uncertain()
    confirm_arrival(pk=link.message_id, actor=first)
    late = decide(desk, link, "resend")
    assert late.status_code == 409
    assert "Первый Игорь" in text_of(late)
    assert 'role="alert"' in text_of(late)
    assert not SmsMessage.objects.filter(resend_of=link.message).exists()
    anew = uncertain()
    decide(desk, anew, "resend")
    again = decide(desk, anew, "resend")
    assert again.status_code == 409
    assert "уже отправлено" in text_of(again)
    assert SmsMessage.objects.filter(resend_of=anew.message).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_send_one(supervisor: User) -> None:
    from django.test import Client

    link = uncertain()
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.force_login(supervisor, backend="hotline.operators.backends.RoleBackend")
    answers = race(*[lambda browser=browser: decide(browser, link, "resend") for browser in browsers])
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert SmsMessage.objects.filter(resend_of=link.message).count() == 1


def test_a_refusal_of_the_gate_stands_in_the_row(desk: Browser) -> None:
    link = uncertain()
    opt_out(number=link.message.to, actor=None)
    answer = decide(desk, link, "resend")
    assert answer.status_code == 409
    assert "просил не присылать СМС" in text_of(answer)
    assert f'id="arrived-{link.message_id}"' in text_of(answer)


def test_without_scripts_it_works_too(desk: Browser) -> None:
    link = uncertain()
    answer = desk.post(row(link), {"do": "arrived"}, follow=True)
    assert "Неясных сообщений нет" in text_of(answer)
    again = desk.post(row(link), {"do": "resend"}, follow=True)
    assert "Неясных сообщений нет" in text_of(again)
    assert desk.post(reverse("tickets:sms-uncertain", args=[10**9]), {"do": "arrived"}).status_code in (302, 404)


# --- A restored copy --------------------------------------------------------------------------------
def test_a_held_outbox_is_looked_at_and_released(desk: Browser, supervisor: User) -> None:
    OutboxHome.objects.update_or_create(id=1, defaults={"identity": "another/1/2"})
    waiting = SmsMessageFactory(text="Ждёт после восстановления")
    assert is_held()
    page = text_of(desk.get(PAGE))
    assert "это восстановленная копия" in page
    assert "Ждёт после восстановления" in page
    assert "ждёт 1 сообщение" in page
    assert "восстановленная копия" in text_of(desk.get(reverse("tickets:sms-overview"), headers=HTMX))
    for _ in range(2):
        answer = desk.post(reverse("tickets:sms-release"), headers=HTMX)
        assert answer.status_code == 200
        assert "восстановленная копия" not in text_of(answer)
    assert not is_held()
    assert OutboxHome.objects.get().released_by == supervisor
    waiting.refresh_from_db()
    assert waiting.state == "queued"
