"""Where no SMS may go, the service centre's contacts are dictated, and that is on the record (stage 7, R3)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db.models.functions import Now
from playwright.sync_api import APIResponse, Route, expect

from calls.models import CallStage, StageCode
from sms.models import SmsMessage
from tests.browser.conftest import Hotline
from tests.factories import AppealMessageFactory, SmsMessageFactory
from tickets.models import Appeal, AppealMessage

pytestmark = pytest.mark.browser

# +7, and yet not Russia.
KAZAKH = "+77010000001"


def a_repair_from_kazakhstan(hotline: Hotline) -> Appeal:
    """Not her own telephone: her card is found by her name, with a slip in it. Stage 7 is open then."""
    hotline.take_a_call(KAZAKH)
    hotline.greet()
    hotline.focused("#client-q")
    hotline.keys.type("елкена березовская")
    expect(hotline.page.locator("#found .list-item")).to_contain_text("Ёлкина-Берёзовская Алёна Петровна")
    hotline.keys.press("ArrowDown")
    hotline.open_the_card()
    return hotline.register_a_repair("Не сливает воду")


def test_a_kazakh_number_gets_no_sms_but_dictation(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    appeal = a_repair_from_kazakhstan(hotline)

    expect(page.locator("#gate")).to_contain_text("Номер Казахстана: СМС только на номера России.")
    card = page.locator(".dictation")
    expect(card).to_contain_text("АСЦ «Орёл-Сервис»")
    expect(card).to_contain_text("ул. Ленина, 1")
    expect(card.locator(".digits").first).to_have_text(str(appeal.number))
    keys.press("Control+Enter")
    hotline.at("summary")

    message = AppealMessage.objects.get(appeal=appeal).message
    assert (message.state, message.to) == (SmsMessage.State.DICTATED, KAZAKH)
    assert str(appeal.number) in message.text
    assert hotline.call().stage_acts.filter(stage=StageCode.SMS, act=CallStage.Act.DONE).exists()
    keys.press("Alt+7")
    hotline.at("sms")
    expect(page.locator(".messages")).to_contain_text("Продиктовано")


def test_the_client_names_a_russian_number_and_the_main_key_sends(hotline: Hotline) -> None:
    """The key does what stands on the page for the number in the field, not what stood there for the one that calls."""
    page, keys = hotline.page, hotline.keys
    appeal = a_repair_from_kazakhstan(hotline)
    expect(page.locator(".dictation")).to_be_visible()

    keys.press("Alt+n")
    hotline.focused("#sms-to")
    keys.type("+7 999 555-45-69")
    expect(page.locator("#gate")).to_contain_text("СМС можно отправить")
    expect(page.locator(".dictation")).to_have_count(0)
    hotline.focused("#sms-to")
    keys.press("Control+Enter")
    expect(page.locator(".messages")).to_contain_text("+7 999 555-45-69")
    message = AppealMessage.objects.get(appeal=appeal).message
    assert (message.to, message.state) == ("+79995554569", SmsMessage.State.QUEUED)


def test_from_a_field_whose_number_is_refused_the_main_key_shows_what_it_would_do(hotline: Hotline) -> None:
    """Who means «send» records no dictation by it; the second press means what the focus is on."""
    page, keys = hotline.page, hotline.keys
    appeal = a_repair_from_kazakhstan(hotline)
    keys.press("Alt+n")
    keys.type("8 701 234 56 78")
    expect(page.locator("#gate")).to_contain_text("Номер Казахстана")
    hotline.focused("#sms-to")
    keys.press("Control+Enter")
    hotline.focused("#sms-main")
    hotline.at("sms")
    assert not AppealMessage.objects.filter(appeal=appeal).exists()
    keys.press("Control+Enter")
    hotline.at("summary")
    assert AppealMessage.objects.get(appeal=appeal).message.state == SmsMessage.State.DICTATED


def test_an_answer_that_nobody_waits_for_any_more_changes_nothing(hotline: Hotline) -> None:
    """The verdict on the number comes when the next stage is there already: the stages go on saying which."""
    page, keys = hotline.page, hotline.keys
    a_repair_from_kazakhstan(hotline)
    held: list[Route] = []
    page.route("**/sms/gate/", lambda route: held.append(route))
    keys.press("Alt+n")
    keys.type("8 701 234 56 78")
    page.wait_for_timeout(500)
    keys.press("Alt+8")
    hotline.at("summary")
    assert held
    for route in held:
        route.continue_()
    page.wait_for_timeout(1000)
    hotline.at("summary")
    expect(page.locator("#sms-telling")).to_have_count(0)


def test_an_answer_that_is_overtaken_does_not_say_where_the_operator_is(hotline: Hotline) -> None:
    """Two keys at once: «the talk was over», and on to the wrap-up, whose answer is the quicker one."""
    page, keys = hotline.page, hotline.keys
    line = hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    hotline.exchange.hang_up(line)
    expect(page.locator("#key-goodbye")).to_be_visible()
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/ending/", lambda route: held.append((route, route.fetch())))
    keys.press("Alt+e", "Alt+0")
    hotline.at("wrap_up")
    [(route, answer)] = held
    route.fulfill(response=answer)
    page.wait_for_timeout(1000)
    hotline.at("wrap_up")
    expect(page.locator("#key-goodbye")).to_have_count(0)


def test_the_phrase_goes_with_the_line(hotline: Hotline) -> None:
    """It stays in the middle of a sentence about a promise; the rating is asked for no more."""
    page, keys = hotline.page, hotline.keys
    line = hotline.take_a_call()
    hotline.greet()
    keys.press("Alt+9")
    hotline.at("farewell")
    expect(page.locator("#call-stages")).to_contain_text("оцените")
    page.locator("#promise-form [name=reason]").fill("Про запчасть")
    hotline.exchange.hang_up(line, cause="networkOutOfOrder")
    expect(page.locator("#call-stages")).not_to_contain_text("оцените")
    expect(page.locator("#promise-form [name=reason]")).to_have_value("Про запчасть")
    hotline.at("farewell")


def test_what_is_rejected_at_once_comes_back_as_a_new_form(hotline: Hotline) -> None:
    """The gateway is quicker than the page: the answer to «send» has the form again, and nothing of the one that was
    sent is put back into it, its action least of all."""
    page, keys = hotline.page, hotline.keys
    hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    appeal = hotline.register_a_repair("Не сливает воду")
    said: list[tuple[str, int]] = []
    page.on("response", lambda response: said.append((response.request.method + response.url, response.status)))

    def rejected(route: Route) -> None:
        route.fetch()
        SmsMessage.objects.update(state="submitting", attempt_token=uuid4(), lease_until=Now())
        SmsMessage.objects.update(state="rejected", reason="invalid_destination")
        within = {"HX-Request": "true", "HX-Target": "call-work"}
        stage = page.request.get(f"{page.url.partition('?')[0]}stages/sms/", headers=within)
        route.fulfill(response=stage)

    page.route("**/sms/send/", rejected)
    keys.press("Alt+n")
    keys.type("+7 999 555-45-69")
    expect(page.locator("#gate")).to_contain_text("СМС можно отправить")
    before = page.locator("#sms-form [name=action_id]").input_value()
    keys.press("Control+Enter")
    expect(page.locator(".messages")).to_contain_text("отклонено")
    page.wait_for_timeout(1000)  # a draft would be saved by then
    assert [status for _, status in said if status >= 400] == []
    assert page.locator("#sms-form [name=action_id]").input_value() != before
    expect(page.locator("[data-draft-state]")).to_have_text("")
    assert AppealMessage.objects.filter(appeal=appeal).count() == 1


def test_a_promise_is_kept_by_the_key_of_its_own_form(hotline: Hotline) -> None:
    """Ctrl Enter in its fields promises; it does not say goodbye, and loses nothing that was typed."""
    page, keys = hotline.page, hotline.keys
    hotline.take_a_call()
    hotline.greet()
    keys.press("Alt+9")
    hotline.at("farewell")
    page.locator("#promise-form [name=reason]").focus()
    keys.type("Перезвонить про запчасть")
    keys.press("Control+Enter")
    hotline.at("farewell")
    expect(page.locator("#promise-form .field-error").first).to_be_visible()
    expect(page.locator("#promise-form [name=reason]")).to_have_value("Перезвонить про запчасть")


def test_what_is_wrong_with_a_field_stays_under_it_and_the_focus_in_it(hotline: Hotline) -> None:
    """The field that is swapped away has the focus and a new value: its last «change» is about itself."""
    page, keys = hotline.page, hotline.keys
    hotline.take_a_call()
    hotline.greet()
    keys.press("Alt+9")
    hotline.at("farewell")
    page.locator("#promise-form [name=due_at]").focus()
    for typed in ("вчера", "позавчера"):
        page.keyboard.press("Control+a")
        keys.type(typed)
        keys.press("Control+Enter")
        expect(page.locator("#promise-form [name=due_at]")).to_have_value(typed)
        expect(page.locator("#id_due_at_error")).to_have_text("Это не время: напишите, например, 25.11 10:30.")
        hotline.focused("#promise-form [name=due_at]")


def test_however_many_have_failed_the_card_and_its_key_are_in_sight(hotline: Hotline) -> None:
    page = hotline.page
    page.set_viewport_size({"width": 1366, "height": 768})
    hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    appeal = hotline.register_a_repair("Не сливает воду")
    for number in range(6):
        message = SmsMessageFactory(
            state="undelivered", to=f"+7916000010{number}", gateway="development", gateway_id=f"g-{number}",
            sender="HOTLINE", reason="absent_subscriber", requested_by=hotline.operator, text="Заявка. " * 20,
        )  # fmt: skip
        AppealMessageFactory(appeal=appeal, message=message)
    page.reload()
    hotline.at("sms")
    expect(page.locator("#messages > li")).to_have_count(6)
    card, foot = page.locator(".dictation").bounding_box(), page.locator(".call-foot").bounding_box()
    assert card is not None
    assert foot is not None
    assert card["y"] + card["height"] <= foot["y"]
    expect(page.locator("#sms-main")).to_be_in_viewport(ratio=1)
    # The strip says the operator's name whole, V2, whatever the client is called.
    cut = "(element) => element.scrollWidth > element.clientWidth"
    assert not page.locator(".call-me > :last-child").evaluate(cut)
