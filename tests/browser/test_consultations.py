"""Calls that end without a request: out of warranty, and a question that is not ours."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.sync_api import expect

from calls.models import Call
from tests.browser.conftest import Hotline
from tickets.models import Appeal, Appliance

pytestmark = pytest.mark.browser

STRANGER = "+79170000018"


def test_out_of_warranty_the_contacts_of_a_centre_are_given(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    Appliance.objects.update(purchase_date=date(2021, 2, 3))
    line = hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    hotline.diagnose("Не включается")
    hotline.sees("Гарантия истекла")
    keys.press("Control+Enter")  # the verdict informs: contacts stand first now
    hotline.at("registration")
    expect(page.locator("#kind-contacts")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#centers .candidate.is-selected")).to_contain_text("+7 (4862) 00-12-34")
    keys.press("Control+Enter")
    hotline.at("sms")

    appeal = hotline.appeal()
    assert (appeal.kind, appeal.state, appeal.referred_to, appeal.description) == (
        Appeal.Kind.CONSULTATION, Appeal.State.REFERRED, hotline.center, "Не включается",
    )  # fmt: skip
    assert not appeal.assignments.exists()
    keys.press("Alt+y")
    expect(page.locator(".dictation")).to_contain_text("АСЦ «Орёл-Сервис»")
    keys.press("Control+Enter")
    hotline.at("summary")
    keys.press("Control+Enter")
    hotline.at("farewell")
    hotline.say_goodbye()
    hotline.exchange.hang_up(line)
    expect(hotline.strip.locator(".chip", has_text="постобработка")).to_be_visible()
    hotline.close()
    assert hotline.call().registered_appeal == appeal


def test_a_job_seeker_is_one_key_and_no_farewell(hotline: Hotline) -> None:
    keys = hotline.keys
    line = hotline.take_a_call(STRANGER)
    hotline.greet()
    keys.press("Alt+q")
    expect(hotline.page.locator("#call-stage")).not_to_have_value("identification")
    appeal = hotline.appeal()
    assert (appeal.kind, appeal.client, appeal.account) == (Appeal.Kind.OTHER, None, None)

    keys.press("Alt+9")
    hotline.at("farewell")
    hotline.sees("Нетипичный вопрос: об оценке не просим.")
    expect(hotline.page.locator(".stage-phrases .phrase", has_text="оцените мою консультацию")).to_have_count(0)
    hotline.say_goodbye()
    hotline.exchange.hang_up(line)
    expect(hotline.strip.locator(".chip", has_text="постобработка")).to_be_visible()
    hotline.close()
    call = hotline.call()
    assert (call.work_state, call.is_atypical, call.client, call.registered_appeal) == (
        Call.WorkState.CLOSED, True, None, appeal,
    )  # fmt: skip
