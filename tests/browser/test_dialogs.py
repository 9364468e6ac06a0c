"""Dialogs by keyboard: the button that was pressed counts, what was asked is done, and then the dialog is gone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from calls.models import Call
from tests.browser.conftest import Hotline
from tests.factories import ClientFactory

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("key", "moves"), [("Control+Enter", True), ("Alt+l", False)])
def test_the_wrong_client_is_put_right_with_what_was_registered(hotline: Hotline, key: str, moves: bool) -> None:
    keys, page = hotline.keys, hotline.page
    sister = ClientFactory(
        last_name="Ёлкина", first_name="Полина", middle_name="Петровна", city=hotline.city, phones=["8 916 123-45-67"]
    )
    hotline.take_a_call()
    hotline.greet()
    page.locator(f"#card-{hotline.client.pk}").press("Enter")
    hotline.at("history")
    appeal = hotline.register_a_repair("После стирки лужа под машиной")
    keys.press("Alt+2")
    hotline.at("identification")
    page.locator(f"#card-{sister.pk}").press("Enter")
    dialog = page.locator("#dialog dialog")
    expect(dialog).to_contain_text(f"№{appeal.number}")
    keys.press(key)
    hotline.at("history")
    expect(dialog).to_have_count(0)
    call = hotline.call()
    appeal.refresh_from_db()
    assert call.client == sister
    assert appeal.client == (sister if moves else hotline.client)


def test_a_call_begun_by_hand_is_one_call_and_the_dialog_leaves(hotline: Hotline) -> None:
    keys, page = hotline.keys, hotline.page
    page.goto(f"{hotline.server.url}/calls/")
    hotline.settle()
    keys.press("Alt+n")
    hotline.focused("#dialog [name=number]")
    keys.type("8 916 123-45-67")
    keys.press("Control+Enter")
    hotline.at("greeting")
    expect(page.locator("#dialog dialog")).to_have_count(0)
    keys.press("Control+Enter")
    hotline.at("identification")
    assert Call.objects.count() == 1


def test_a_reopened_call_takes_what_is_typed_next(hotline: Hotline) -> None:
    keys, page = hotline.keys, hotline.page
    line = hotline.take_a_call()
    hotline.exchange.hang_up(line)
    hotline.is_closed()
    keys.press("Alt+u")
    hotline.focused("#dialog [name=reason]")
    keys.type("Клиент успел рассказать о поломке")
    keys.press("Control+Enter")
    hotline.at("wrap_up")
    expect(page.locator("#dialog dialog")).to_have_count(0)
    assert hotline.call().is_open
