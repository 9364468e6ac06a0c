"""Requests that need more than is known: a client whom nobody knows, and an installation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from calls.models import Call
from tests.browser.conftest import Hotline
from tickets.models import Appeal, Client, DateSource, FactSource

pytestmark = pytest.mark.browser

UNKNOWN = "+79170000017"


def test_a_new_client_is_registered_and_so_is_the_request(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    line = hotline.take_a_call(UNKNOWN)
    hotline.greet()
    hotline.sees("Карточки с этим номером нет")

    # Her name finds nobody, and goes with us to the new card; so does the number she calls from.
    hotline.focused("#client-q")
    keys.type("ёлкина-берёзовская олёна")
    expect(page.locator("#found .list-item")).to_have_count(1)
    keys.press("Alt+n")
    hotline.at("card")
    expect(page.locator("#id_last_name")).to_have_value("Ёлкина-Берёзовская")
    expect(page.locator("#id_phones")).to_have_value("+7 917 000-00-17")

    # A card of nearly the same name is there already: a warning, never a ban.
    expect(page.locator("#duplicates")).to_contain_text("Ёлкина-Берёзовская Алёна Петровна")
    hotline.focused("#id_middle_name")
    keys.type("Ильинична")
    keys.press("Tab", "Tab")
    hotline.focused("#id_city")
    keys.type("орёл")
    expect(page.locator("[role=option]").first).to_be_visible()
    keys.press("ArrowDown", "Enter", "Tab")
    keys.type("ул. Мира, 7")
    keys.press("Control+Enter")
    hotline.at("history")
    client = Client.objects.latest("pk")
    assert (str(client), client.city, client.address) == (
        "Ёлкина-Берёзовская Олёна Ильинична", hotline.city, "ул. Мира, 7",
    )  # fmt: skip
    assert [phone.e164 for phone in client.phones.all()] == [UNKNOWN]
    account = client.accounts.get()

    # Nothing is known of her machine: the model is found, the date has a source, the shop she does not know.
    keys.press("Control+Enter")
    hotline.at("diagnosis")
    hotline.focused("#id_model_text")
    keys.type("712")
    expect(page.locator("[role=option]").first).to_contain_text("WM-712 Inox")
    keys.press("ArrowDown", "Enter")
    keys.press("Control+Enter")
    hotline.at("registration")
    expect(page.locator("#missing-items")).to_contain_text("дата покупки")
    hotline.focused("#id_purchase_date")
    keys.type(f"{timezone.localdate() - timedelta(days=200):%d.%m.%Y}")
    keys.press("Tab", "Tab")
    hotline.focused("#id_store")
    keys.press("Alt+u")
    expect(page.locator("#id_store_source")).to_have_value(FactSource.UNKNOWN)
    hotline.focused("#id_description")  # the address stands already: on to what is still missing
    keys.type("Не греет воду")
    expect(page.locator("#id_description")).to_have_value("Не греет воду")
    expect(page.locator("#missing-items .text-ok")).to_be_visible()
    keys.press("Control+Enter")
    hotline.at("sms")

    appeal = hotline.appeal()
    assert (appeal.kind, appeal.state, appeal.client, appeal.account) == (
        Appeal.Kind.REPAIR, Appeal.State.ASSIGNED, client, account,
    )  # fmt: skip
    assert (appeal.purchase_date_source, appeal.store_source) == (DateSource.CLIENT, FactSource.UNKNOWN)
    assert appeal.product_model is not None
    assert account.appliances.get().product_model == appeal.product_model
    assert appeal.assignments.get().service_center == hotline.center
    hotline.exchange.hang_up(line)
    expect(page.locator("#key-goodbye")).to_be_visible()
    keys.press("Alt+e", "Alt+0")
    hotline.at("wrap_up")
    hotline.close()
    assert hotline.call().work_state == Call.WorkState.CLOSED
    assert hotline.call().registered_appeal == appeal


def test_an_installation_request(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    hotline.diagnose("Поставить новую машину на кухне")
    keys.press("Alt+i")
    hotline.at("registration")
    expect(page.locator("#kind-installation")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#centers .candidate.is-selected")).to_contain_text("Орёл-Сервис")
    expect(page.locator("#missing-items .text-ok")).to_be_visible()
    keys.press("Control+Enter")
    hotline.at("sms")
    appeal = hotline.appeal()
    assert (appeal.kind, appeal.state, appeal.description, appeal.store) == (
        Appeal.Kind.INSTALLATION, Appeal.State.ASSIGNED, "Поставить новую машину на кухне", "Техномир",
    )  # fmt: skip
    assert appeal.assignments.get().service_center == hotline.center
    hotline.sees(f"№{appeal.number}")


def test_enter_chooses_from_an_open_list_and_registers_nothing(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    keys.press("Alt+6")
    hotline.at("registration")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/registration/" in request.url else None)
    field = page.locator("#id_model_text")
    field.fill("")
    field.press_sequentially("712")
    expect(page.locator("[role=option][data-meant]")).to_contain_text("WM-712 Inox")
    keys.press("Enter")
    expect(field).to_have_value("WM-712 Inox")
    expect(page.locator("#id_model_text_list")).to_be_hidden()
    expect(page.locator("#missing-items")).to_contain_text("описание")  # the page has answered by now
    # Before the list has come, too.
    page.route("**/suggest/**", lambda route: None)
    field.press_sequentially(" x")
    keys.press("Enter")
    expect(page.locator("[data-draft-state=registration-form]")).to_have_attribute("data-state", "saved")
    assert sent == []
    hotline.at("registration")


def test_the_words_under_a_field_leave_once_it_is_filled(hotline: Hotline) -> None:
    page, keys = hotline.page, hotline.keys
    hotline.take_a_call()
    hotline.greet()
    hotline.open_the_card()
    keys.press("Alt+6")
    hotline.at("registration")
    page.locator("#id_store").fill("")
    keys.press("Control+Enter")
    expect(page.locator("#id_store_error")).to_contain_text("Нужно заполнить: магазин")
    expect(page.locator("#id_description_error")).to_be_visible()
    page.locator("#id_description").fill("Не греет воду")
    expect(page.locator("#id_description_error")).to_have_count(0)
    expect(page.locator("#id_store_error")).to_be_visible()
    page.locator("#id_store").focus()
    keys.press("Alt+u")  # the client does not know
    expect(page.locator("#id_store_error")).to_have_count(0)
    expect(page.locator("#missing-items .text-ok")).to_be_visible()
    keys.press("Control+Enter")
    hotline.at("sms")
