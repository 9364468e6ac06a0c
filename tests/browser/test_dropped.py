"""Dropped calls: in the greeting nothing is owed (D1), in dialog one call back and a consultation (D2, D3)."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from playwright.sync_api import expect

from calls.actions import start_lost_call_back
from calls.models import Call, LostCallBack
from hotline.base.errors import Refused
from tests.browser.conftest import NUMBER, Hotline
from tickets.models import Appeal

pytestmark = pytest.mark.browser


def test_dropped_in_the_greeting_closes_by_itself(hotline: Hotline) -> None:
    line = hotline.take_a_call()
    hotline.exchange.hang_up(line)
    hotline.is_closed()
    call = hotline.call()
    assert (call.work_state, call.phase) == (Call.WorkState.CLOSED, Call.Phase.BEFORE_GREETING)
    assert not LostCallBack.objects.exists()
    assert not Appeal.objects.exists()
    expect(hotline.page.locator("#key-call-back")).to_have_count(0)


def test_dropped_in_dialog_is_called_back_once(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    line = hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()

    # The exchange can't tell a lost line from a goodbye: the operator does.
    hotline.exchange.hang_up(line)
    hotline.sees("Разговор был окончен?")
    keys.press("Alt+l")
    expect(page.locator("#key-call-back")).to_be_visible()
    lost = hotline.call()
    assert lost.ending == Call.Ending.LOST

    # D3: the consultation is registered whether or not the call back succeeds.
    keys.press("Alt+6")
    hotline.at("registration")
    keys.press("Alt+k")
    expect(page.locator("#kind-consultation")).to_have_attribute("aria-pressed", "true")
    hotline.focused("#id_description")
    keys.type("Спрашивала про слив воды")
    keys.press("Control+Enter")
    hotline.at("summary")
    consultation = hotline.appeal()
    assert consultation.kind == Appeal.Kind.CONSULTATION

    # D2: once. The page begins the outgoing call, the telephone dials, the exchange's event finds it.
    keys.press("Alt+c")
    page.wait_for_url(lambda url: f"/calls/{lost.pk}/" not in url)
    hotline.at("greeting")
    attempt = hotline.call()
    assert (attempt.direction, attempt.attempt_of) == (Call.Direction.OUT, LostCallBack.objects.get(call=lost))
    dialled = hotline.exchange.dial()
    hotline.exchange.hang_up(dialled, cause="noAnswer", direction="out")
    hotline.is_closed()
    attempt.refresh_from_db()
    assert (attempt.answered_at, attempt.work_state) == (None, Call.WorkState.CLOSED)
    assert Call.objects.count() == 2
    assert attempt.appeals.get().appeal == consultation

    # Not reached: there is no second attempt, by anyone, ever. The page says so, and one key leads to the first call.
    hotline.sees("Клиент не ответил. Это была единственная попытка: больше никто не звонит.")
    expect(page.locator("#line-notice")).not_to_contain_text("Наберите")
    keys.press("Alt+d")
    page.wait_for_url("**/calls/")
    hotline.settle()
    expect(page.get_by_role("button", name="Перезвонить")).to_have_count(0)
    page.go_back()
    hotline.sees("Клиент не ответил.")
    keys.press("Alt+r")
    page.wait_for_url(f"**/calls/{lost.pk}/**")
    hotline.sees("перезванивали; второй попытки нет")
    expect(page.locator("#key-call-back")).to_have_count(0)
    with pytest.raises(Refused) as refused:
        start_lost_call_back(call_back_id=LostCallBack.objects.get().pk, actor=hotline.operator)
    assert refused.value.code == "attempted"
    browser = Browser()
    browser.force_login(hotline.operator, backend="hotline.operators.backends.RoleBackend")
    answer = browser.post(f"/calls/{lost.pk}/call-back/", headers={"HX-Request": "true"})
    assert answer.status_code == refused.value.status
    assert Call.objects.count() == 2
    keys.press("Alt+0")
    hotline.at("wrap_up")
    hotline.focused("#id_topic")  # the words said nothing about it
    keys.press("ArrowDown")
    hotline.close()
    lost.refresh_from_db()
    assert (lost.work_state, lost.registered_appeal) == (Call.WorkState.CLOSED, consultation)

    # Dialled by hand all the same: recorded and flagged, not lost.
    hotline.exchange.dial(NUMBER)
    again = hotline.call()
    assert again.pk not in (lost.pk, attempt.pk)
    assert again.hand_dialled_after == LostCallBack.objects.get(call=lost)


def test_a_call_back_that_the_client_answers_goes_on_by_keyboard(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    line = hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    hotline.exchange.hang_up(line)
    hotline.sees("Разговор был окончен?")
    keys.press("Alt+l")
    expect(page.locator("#key-call-back")).to_be_visible()
    lost = hotline.call()
    keys.press("Alt+c")
    page.wait_for_url(lambda url: f"/calls/{lost.pk}/" not in url)
    hotline.at("greeting")
    hotline.sees("Наберите")
    expect(page.locator("#stage-done")).to_have_count(0)
    dialled = hotline.exchange.dial()
    hotline.exchange.answer(dialled, direction="out")
    expect(page.locator("#stage-done")).to_be_visible()
    expect(page.locator("#line-notice")).not_to_contain_text("Наберите")
    keys.press("Control+Enter")
    hotline.at("identification")
    assert hotline.call().stage_acts.filter(stage="greeting", act="done").exists()
