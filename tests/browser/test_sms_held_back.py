"""What holds an SMS back is said before anybody presses «send»: a refusal, a limit, the quiet hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from sms.actions import save_template
from sms.models import OptOut, SmsMessage, SmsTemplate
from tests.browser.conftest import NUMBER, Hotline
from tests.factories import AppealFactory, SmsMessageFactory
from tickets.actions import change_state
from tickets.models import AppealMessage, AutomaticSms

pytestmark = pytest.mark.browser
# For so long a key does not take back what it did (once.js), and a little longer (milliseconds).
A_SECOND = 1_200
# By the key and by a click, as soon as the answer stands there: no machine is too slow for that.
PRESS_AGAIN_AT_ONCE = """() => document.addEventListener("htmx:afterSettle", function again() {
    const opposite = document.querySelector("[data-once-a-second^=opt-out][hx-vals*=end_opt_out]");
    if (!opposite) return;
    document.removeEventListener("htmx:afterSettle", again);
    document.dispatchEvent(new KeyboardEvent("keydown", { code: "KeyQ", altKey: true, bubbles: true }));
    opposite.click();
    window.pressedAgain = true;
})"""


def test_the_client_wants_no_sms_and_it_is_dictated(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    appeal = hotline.register_a_repair("Не сливает воду")
    expect(page.locator("#gate")).to_contain_text("СМС можно отправить")

    keys.press("Alt+q")
    expect(page.locator("#gate")).to_contain_text("Клиент просил не присылать СМС на этот номер")
    expect(page.locator(".dictation")).to_contain_text("АСЦ «Орёл-Сервис»")
    assert OptOut.objects.in_force().get().number == NUMBER

    # Nothing is sent all the same: the key is there, and dead, and so is the form that somebody has open still.
    hotline.settle()
    expect(page.locator(".call-foot [form=sms-form]")).to_be_disabled()
    keys.press("Alt+s")
    page.locator("#sms-form").evaluate("form => form.requestSubmit()")
    expect(page.locator("#gate")).to_contain_text("Клиент просил не присылать СМС на этот номер")
    hotline.settle()
    assert not SmsMessage.objects.exists()

    # Another word of the client, and back to the dictation after a last refusal.
    page.wait_for_timeout(A_SECOND)
    keys.press("Alt+q")
    expect(page.locator("#gate .notice-ok")).to_be_visible()
    hotline.settle()
    page.wait_for_timeout(A_SECOND)
    keys.press("Alt+q")
    expect(page.locator(".dictation")).to_be_visible()
    hotline.settle()
    keys.press("Control+Enter")
    hotline.at("summary")
    assert AppealMessage.objects.get(appeal=appeal).message.state == SmsMessage.State.DICTATED


def test_the_key_pressed_twice_takes_nothing_back(hotline: Hotline) -> None:
    """A nervous pair of presses, or of clicks, is one: the answer puts the opposite under the same finger."""
    page = hotline.page
    phone = hotline.client.phones.get()
    page.goto(hotline.server.url + hotline.client.get_absolute_url())
    wishes: list[str] = []
    page.on("request", lambda request: wishes.append(request.post_data or "") if request.method == "POST" else None)
    page.evaluate(PRESS_AGAIN_AT_ONCE)
    hotline.keys.press("Alt+q")
    page.wait_for_function("() => window.pressedAgain")
    hotline.settle()
    expect(page.locator("text=Снова хочет СМС")).to_be_visible()
    assert [sent for sent in wishes if "opt_out" in sent] == [sent for sent in wishes if "do=opt_out" in sent]
    assert OptOut.objects.in_force().get().number == phone.e164

    # After a second it is another word of the client's.
    page.wait_for_timeout(A_SECOND)
    hotline.keys.press("Alt+q")
    expect(page.locator("text=Клиент не хочет СМС")).to_be_visible()
    assert not OptOut.objects.in_force().exists()


def test_a_limit_of_the_template_is_said_at_stage_seven(hotline: Hotline) -> None:
    page = hotline.page
    current = SmsTemplate.objects.current().get(code="request-registered")
    limited = save_template(
        code=current.code, moment=current.moment, name=current.name, text=current.text, daily_limit=1, actor=None
    )
    SmsMessageFactory(to="+79160000999", template=limited)
    hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    hotline.register_a_repair("Не сливает воду")
    expect(page.locator("#gate")).to_contain_text("По этому шаблону сегодня уже отправлено")
    expect(page.locator(".dictation")).to_be_visible()


def test_in_the_quiet_hours_a_message_says_until_when_it_waits(hotline: Hotline, settings: Any) -> None:
    now = timezone.now().astimezone(ZoneInfo("Europe/Moscow"))
    settings.SMS_QUIET_HOURS = f"{now - timedelta(hours=1):%H:00}-{now + timedelta(hours=2):%H:00}"
    AutomaticSms.objects.filter(state="in_work").update(is_on=True)
    appeal = AppealFactory(assigned=True, client=hotline.client, phone=NUMBER, city=hotline.city)
    change_state(appeal_id=appeal.pk, state="in_work", actor=hotline.operator)
    waiting = AppealMessage.objects.get(appeal=appeal).message
    assert waiting.reason == "quiet_hours"
    until = timezone.localtime(waiting.not_before)
    hotline.page.goto(hotline.server.url + appeal.get_absolute_url())
    said = hotline.page.locator("#messages-list .sms-state")
    expect(said).to_contain_text("в очереди")
    expect(said).to_contain_text("тихие часы, уйдёт")
    expect(said).to_contain_text(f"{until:%H:%M}")
    hotline.page.goto(hotline.server.url + hotline.client.get_absolute_url())
    expect(hotline.page.locator(".timeline")).to_contain_text("тихие часы, уйдёт")
