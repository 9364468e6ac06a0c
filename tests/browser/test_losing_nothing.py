"""Nothing typed is lost and no ring is missed: a reload, a dead web process, a stream that returns."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from calls.models import Call, Draft
from tests.browser.conftest import PATIENCE, Hotline
from tests.factories import AppealFactory
from tickets.models import Appeal, AppealMessage

pytestmark = pytest.mark.browser


def test_a_reload_in_the_middle_of_typing_loses_nothing(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    hotline.diagnose("Шумит при отжиме")
    page.reload()  # before any pause let the text save itself
    hotline.at("diagnosis")
    expect(page.locator("#id_description")).to_have_value("Шумит при отжиме")
    keys.press("Control+Enter")
    hotline.at("registration")
    page.reload()
    hotline.at("registration")
    expect(page.locator("#id_description")).to_have_value("Шумит при отжиме")
    expect(page.locator("#id_store")).to_have_value("Техномир")
    keys.press("Control+Enter")
    hotline.at("sms")
    assert hotline.appeal().description == "Шумит при отжиме"


def test_a_killed_web_process_in_the_middle_of_typing_loses_nothing(hotline: Hotline) -> None:
    page, keys, server = hotline.page, hotline.keys, hotline.server
    hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    hotline.diagnose("Шумит при отжиме")
    hotline.kept("diagnosis-form", version=2)  # the first was the appliance

    server.kill()
    keys.type(", и пахнет горелым")
    expect(page.locator("#id_description")).to_have_value("Шумит при отжиме, и пахнет горелым")
    expect(page.locator("[data-draft-state=diagnosis-form]")).to_have_attribute("data-state", "failed")
    keys.press("Control+Enter")  # nobody answers: the page says so, and the words stay
    expect(page.locator("#net-notice")).to_be_visible()
    expect(page.locator("#id_description")).to_have_value("Шумит при отжиме, и пахнет горелым")

    server.start()
    hotline.kept("diagnosis-form", version=3)
    assert Draft.objects.get(form=Draft.Form.DIAGNOSIS).data["description"] == "Шумит при отжиме, и пахнет горелым"
    keys.press("Control+Enter")
    hotline.at("registration")
    keys.press("Control+Enter")
    hotline.at("sms")
    assert [appeal.description for appeal in Appeal.objects.all()] == ["Шумит при отжиме, и пахнет горелым"]


def test_the_stream_returns_by_itself_and_brings_the_next_ring(hotline: Hotline) -> None:
    page, server = hotline.page, hotline.server
    state = page.locator("[data-stream-state]").first
    server.kill()
    expect(state).to_have_attribute("data-state", "off")
    expect(state).to_have_text("нет связи")
    server.start()
    expect(state).to_have_attribute("data-state", "on", timeout=2 * PATIENCE)
    hotline.take_a_call()
    hotline.sees("Здравствуйте, меня зовут Анна")


def test_the_other_number_of_stage_7_survives_a_reload_and_a_look_elsewhere(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    appeal = hotline.register_a_repair("Не сливает воду")
    keys.press("Alt+n")
    hotline.focused("#sms-to")
    keys.type("+7 701 000-00-01")  # of Kazakhstan: dictated
    page.reload()  # before any pause let it save itself
    hotline.at("sms")
    expect(page.locator("#sms-to")).to_have_value("+7 701 000-00-01")
    expect(page.locator("#gate")).to_contain_text("Номер Казахстана")  # and it is judged, not the one that calls
    expect(page.locator(".dictation")).to_be_visible()
    hotline.kept("sms-form")

    keys.press("Alt+n")
    hotline.focused("#sms-to")
    keys.type("+7 999 555-45-69")
    expect(page.locator("#gate")).to_contain_text("СМС можно отправить")
    hotline.kept("sms-form")  # as one version or, typed slowly, as more
    keys.press("Alt+4")
    hotline.at("history")
    keys.press("Alt+7")
    hotline.at("sms")
    expect(page.locator("#sms-to")).to_have_value("+7 999 555-45-69")
    keys.press("Control+Enter")
    expect(page.locator(".messages")).to_contain_text("+7 999 555-45-69")
    draft = Draft.objects.get(form=Draft.Form.SMS)
    link = AppealMessage.objects.get(appeal=appeal)
    assert (draft.submitted_at is not None, draft.action_id) == (True, link.message.action_id)


def test_a_ring_in_the_middle_of_a_comment_loses_nothing(hotline: Hotline) -> None:
    """The call takes the page; the words stand there again when the appeal is opened after it."""
    page = hotline.page
    address = hotline.server.url + AppealFactory(assigned=True).get_absolute_url()
    page.goto(address)
    page.keyboard.press("Alt+c")
    expect(page.locator("#comments textarea")).to_be_focused()
    page.keyboard.type("Мастер звонил, приедет")
    hotline.take_a_call()
    # So long ago that the page does not follow the telephone any more.
    Call.objects.update(answered_at=timezone.now() - timedelta(minutes=1))
    page.goto(address)
    expect(page.locator("#comments textarea")).to_have_value("Мастер звонил, приедет")
    page.locator("#comments textarea").press("Control+Enter")
    expect(page.locator("#comments-list")).to_contain_text("Мастер звонил, приедет")
    page.goto(address)
    expect(page.locator("#comments textarea")).to_have_value("")
