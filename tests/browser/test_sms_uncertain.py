"""Messages whose fate only a person can decide: both buttons by keyboard, and a second supervisor at the same time."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from sms.actions import confirm_arrival, opt_out, send_anew, withdraw
from sms.models import OutboxHome, SmsMessage
from tests.browser.conftest import PATIENCE, sign_in
from tests.factories import AppealFactory, AppealMessageFactory, SmsMessageFactory, UserFactory
from tests.servers import WebServer
from tickets.models import AppealMessage

pytestmark = pytest.mark.browser


def uncertain(number: str) -> AppealMessage:
    message = SmsMessageFactory(
        state="unknown", to=number, gateway="development", sender="HOTLINE", reason="no_answer", action_id=uuid4()
    )
    link: AppealMessage = AppealMessageFactory(message=message, appeal=AppealFactory(assigned=True))
    return link


@pytest.fixture
def links(page: Page, asgi_server: WebServer) -> list[AppealMessage]:
    page.set_default_timeout(PATIENCE)
    made = [uncertain(f"+7916000010{n}") for n in range(3)]
    sign_in(page, asgi_server, UserFactory(supervisor=True, username="head", first_name="Ольга", last_name="Главная"))
    page.goto(f"{asgi_server.url}/sms/")
    expect(page.locator("[data-stream-state]").first).to_have_attribute("data-state", "on")
    return made


def row(page: Page, link: AppealMessage) -> Locator:
    return page.locator(f"#uncertain-{link.message_id}")


def test_both_buttons_by_keyboard(page: Page, links: list[AppealMessage]) -> None:
    first, second, third = links
    page.keyboard.press("Alt+a")  # the first in the list
    expect(row(page, first)).to_contain_text("доставлено")
    expect(row(page, first)).to_contain_text("Главная Ольга")
    expect(page.locator("#sms-overview")).to_contain_text("2 неясных")

    # The one in focus, whichever stands first.
    page.locator(f"#arrived-{third.message_id}").focus()
    page.keyboard.press("Alt+s")
    expect(row(page, third)).to_contain_text("отправлено заново")
    new = SmsMessage.objects.get(resend_of=third.message)
    assert AppealMessage.objects.get(message=new).appeal == third.appeal
    first.message.refresh_from_db()
    second.message.refresh_from_db()
    assert (first.message.state, second.message.state) == ("delivered", "unknown")
    page.reload()
    expect(page.locator(".uncertain-row")).to_have_count(1)


def test_what_a_colleague_decides_appears_by_itself(page: Page, links: list[AppealMessage]) -> None:
    colleague = UserFactory(supervisor=True, first_name="Игорь", last_name="Второй")
    confirm_arrival(pk=links[0].message_id, actor=colleague)
    expect(row(page, links[0])).to_contain_text("Второй Игорь")
    expect(page.locator(f"#arrived-{links[0].message_id}")).to_have_count(0)
    expect(page.locator(f"#arrived-{links[1].message_id}")).to_be_visible()


def test_what_a_colleague_sends_anew_appears_by_itself(page: Page, links: list[AppealMessage]) -> None:
    """And what becomes of the new one, too."""
    colleague = UserFactory(supervisor=True, first_name="Игорь", last_name="Второй")
    new = send_anew(pk=links[0].message_id, action_id=uuid4(), actor=colleague)
    expect(row(page, links[0])).to_contain_text("отправлено заново")
    expect(row(page, links[0])).to_contain_text("Второй Игорь")
    expect(page.locator(f"#resend-{links[0].message_id}")).to_have_count(0)
    withdraw(pk=new.pk, reason="test", actor=None)
    expect(row(page, links[0])).to_contain_text("отозвано до отправки")


def test_a_held_outbox_is_released_by_a_key(page: Page, links: list[AppealMessage]) -> None:
    OutboxHome.objects.update_or_create(id=1, defaults={"identity": "another/1/2"})
    SmsMessageFactory(text="Ждёт после восстановления", gateway="development")
    page.reload()
    expect(page.locator("#sms-overview")).to_contain_text("Ждёт после восстановления")
    page.keyboard.press("Alt+r")
    expect(page.locator("#release")).to_have_count(0)
    assert OutboxHome.objects.get().released_by is not None


def test_after_a_decision_the_focus_is_on_the_next_open_row(page: Page, links: list[AppealMessage]) -> None:
    first, second, third = links
    page.keyboard.press("Alt+a")  # from nowhere: the first
    expect(row(page, second)).to_be_focused()
    page.locator(f"#resend-{third.message_id}").focus()
    page.keyboard.press("Alt+s")
    expect(row(page, third)).to_contain_text("отправлено заново")
    expect(row(page, second)).to_be_focused()  # none is open below: the first that is
    page.keyboard.press("Alt+a")
    expect(page.locator("#uncertain-head")).to_be_focused()
    expect(row(page, second)).to_contain_text("доставлено")


def test_what_is_refused_stays_in_focus(page: Page, links: list[AppealMessage]) -> None:
    opt_out(number=links[1].message.to, actor=None)
    page.locator(f"#resend-{links[1].message_id}").focus()
    page.keyboard.press("Alt+s")
    expect(row(page, links[1])).to_contain_text("просил не присылать СМС")
    expect(page.locator(f"#resend-{links[1].message_id}")).to_be_focused()


def test_a_late_press_decides_about_no_other_message(page: Page, links: list[AppealMessage]) -> None:
    """A colleague decides the row in focus a moment before the key: the press is not for the first of the list."""
    page.locator(f"#resend-{links[1].message_id}").focus()
    confirm_arrival(pk=links[1].message_id, actor=UserFactory(supervisor=True, last_name="Второй"))
    expect(row(page, links[1])).to_contain_text("Второй")
    expect(row(page, links[1])).to_be_focused()
    page.keyboard.press("Alt+s")
    # The next key that is heard shows that nothing came of it.
    page.locator(f"#arrived-{links[0].message_id}").focus()
    page.keyboard.press("Alt+a")
    expect(row(page, links[0])).to_contain_text("доставлено")
    assert not SmsMessage.objects.exclude(resend_of=None).exists()


def test_nor_does_a_late_press_from_nowhere(page: Page, links: list[AppealMessage]) -> None:
    """No row has the focus: the keys meant the first one, which a colleague has just decided."""
    expect(row(page, links[0])).to_be_visible()
    assert page.evaluate("document.activeElement === document.body")
    confirm_arrival(pk=links[0].message_id, actor=UserFactory(supervisor=True, last_name="Второй"))
    expect(row(page, links[0])).to_contain_text("Второй")
    expect(row(page, links[0])).to_be_focused()
    page.keyboard.press("Alt+s")
    page.locator(f"#arrived-{links[1].message_id}").focus()
    page.keyboard.press("Alt+a")
    expect(row(page, links[1])).to_contain_text("доставлено")
    assert not SmsMessage.objects.exclude(resend_of=None).exists()
