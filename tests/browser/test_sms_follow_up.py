"""A delivery that failed after the call becomes the operator's to make good, and is dictated on the telephone (R3)."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from calls.actions import open_follow_ups
from calls.models import FollowUp
from sms.actions import receive_status
from sms.models import SmsMessage
from tests.browser.conftest import NUMBER, Hotline
from tests.factories import AppealFactory, AppealMessageFactory, SmsMessageFactory
from tickets.models import AppealMessage

pytestmark = pytest.mark.browser


def failed(hotline: Hotline) -> AppealMessage:
    message = SmsMessageFactory(
        state="accepted", to=NUMBER, gateway="development", gateway_id="g-1", sender="HOTLINE",
        requested_by=hotline.operator,
    )  # fmt: skip
    appeal = AppealFactory(
        assigned=True, client=hotline.client, account=hotline.client.accounts.get(), phone=NUMBER, city=hotline.city,
        center=hotline.center,
    )  # fmt: skip
    link: AppealMessage = AppealMessageFactory(message=message, appeal=appeal)
    receive_status(gateway="development", gateway_id="g-1", state="undelivered", reason="absent_subscriber")
    assert open_follow_ups() == 1
    return link


def test_a_failed_delivery_is_dictated(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    page.goto(f"{hotline.server.url}/calls/")
    expect(page.locator("[data-stream-state]").first).to_have_attribute("data-state", "on")
    link = failed(hotline)
    expect(page.locator("#owed")).to_contain_text("абонент недоступен")  # it came by itself
    keys.press("Alt+f")

    expect(page.locator(".dictation")).to_contain_text("АСЦ «Орёл-Сервис»")
    expect(page.locator(".follow-up-dial")).to_contain_text("916")
    keys.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("Записано: продиктовано и повторено.")
    expect(page.locator("#owed")).not_to_contain_text("абонент недоступен")
    item = FollowUp.objects.get(link=link)
    assert (item.outcome, item.done_by) == ("dictated", hotline.operator)
    assert AppealMessage.objects.latest("pk").message.state == SmsMessage.State.DICTATED


def test_it_is_not_needed_with_a_reason_by_keyboard(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    link = failed(hotline)
    page.goto(f"{hotline.server.url}/calls/follow-ups/{FollowUp.objects.get().pk}/")
    keys.press("Alt+n")
    hotline.focused("#follow-up-note")
    keys.press("Control+Enter")  # the form in focus, never «dictated and read back» of the one above
    expect(page.locator("#follow-up-note-error")).to_be_visible()
    hotline.focused("#follow-up-note")
    assert FollowUp.objects.get(link=link).done_at is None
    keys.type("Клиент уже в АСЦ")
    keys.press("Control+Enter")
    expect(page.locator(".toast")).to_be_visible()
    item = FollowUp.objects.get(link=link)
    assert (item.note, item.outcome) == ("Клиент уже в АСЦ", "not_needed")
