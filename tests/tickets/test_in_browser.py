"""The page of an appeal and the new card, by keyboard, in a real browser."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client as Browser
from playwright.sync_api import Page, expect

from tests.factories import (
    AppealFactory,
    ClientFactory,
    DocumentFactory,
    ReminderFactory,
    SmsTemplateFactory,
    UserFactory,
    center,
)
from tests.servers import WebServer
from tickets.actions import change_state, edit_appeal
from tickets.models import Appeal

pytestmark = pytest.mark.browser


@pytest.fixture
def request_(asgi_server: WebServer, page: Page) -> Appeal:
    """A request that a centre has, open on the page of an operator."""
    SmsTemplateFactory()
    appeal: Appeal = AppealFactory(assigned=True, phone="+79160000101")
    DocumentFactory(appeal=appeal, letter=True)
    ReminderFactory(appeal=appeal, overdue=True)
    visitor = Browser()
    visitor.force_login(UserFactory(), backend="hotline.operators.backends.RoleBackend")
    session = visitor.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": asgi_server.url}])
    page.goto(asgi_server.url + appeal.get_absolute_url())
    expect(page.locator("[data-stream-state]").first).to_have_attribute("data-state", "on", timeout=15_000)
    return appeal


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


def test_a_comment_by_keyboard_and_nothing_else_that_was_typed_is_lost(request_: Appeal, page: Page) -> None:
    page.locator("#reminders input[name=text]").fill("Позвонить")
    page.locator("#state-note").fill("потому что")
    page.keyboard.press("Alt+c")
    page.keyboard.type("Ждём запчасть")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#comments-list")).to_contain_text("Ждём запчасть")
    expect(page.locator("#journal-list")).to_contain_text("Комментарий")
    expect(page.locator("#comments textarea")).to_have_value("")
    expect(page.locator("#reminders input[name=text]")).to_have_value("Позвонить")
    expect(page.locator("#state-note")).to_have_value("потому что")


def test_what_a_colleague_does_appears_and_what_is_typed_stays(request_: Appeal, page: Page) -> None:
    page.keyboard.press("Alt+c")
    page.keyboard.type("Клиент зво")
    page.locator("#state-note").fill("готово")
    change_state(appeal_id=request_.pk, state="in_work", actor=UserFactory())
    expect(page.locator("#appeal-head")).to_contain_text("в работе")
    expect(page.locator("#journal-list")).to_contain_text("в работе")
    expect(page.locator("#comments textarea")).to_have_value("Клиент зво")
    expect(page.locator("#state-note")).to_have_value("готово")
    # The version is fresh too: the next key is no conflict.
    page.keyboard.press("Alt+3")
    expect(page.locator("#appeal-head")).to_contain_text("выполнено")
    request_.refresh_from_db()
    assert (request_.state, request_.assignments.get().note) == ("done", "готово")


def test_the_second_editor_is_told_and_keeps_what_was_typed(request_: Appeal, page: Page) -> None:
    page.keyboard.press("Alt+e")
    page.locator("#facts input[name=store]").fill("ДНС")
    edit_appeal(appeal_id=request_.pk, version=1, store="Ozon", actor=UserFactory(last_name="Первая"))
    page.wait_for_timeout(600)  # the news of it must not take the form away
    page.keyboard.press("Control+Enter")
    expect(page.locator("#facts")).to_contain_text("Сейчас: Ozon")
    expect(page.locator("#facts input[name=store]")).to_have_value("ДНС")
    page.locator("#facts input[name=store]").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#facts-view")).to_contain_text("ДНС")
    request_.refresh_from_db()
    assert (request_.store, request_.version) == ("ДНС", 3)


def test_facts_are_left_as_they_are(request_: Appeal, page: Page) -> None:
    page.keyboard.press("Alt+e")
    expect(page.locator("#facts textarea[name=description]")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#facts-view")).to_be_visible()


def test_another_centre_by_keyboard(request_: Appeal, page: Page) -> None:
    second = center("Альфа-Сервис")  # before the first by its name
    page.keyboard.press("Alt+a")
    expect(page.locator("#candidates button").first).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(page.locator("#assignment-view")).to_contain_text("Альфа-Сервис")
    expect(page.locator("#journal-list")).to_contain_text("вместо")
    active = request_.active_assignment()
    assert active is not None
    assert active.service_center == second


def test_the_page_is_accessible_in_both_themes(request_: Appeal, page: Page) -> None:
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        page.wait_for_timeout(500)  # colours fade over, and half a colour has half a contrast
        assert violations(page) == [], theme


def test_likely_duplicates_appear_while_a_card_is_typed(request_: Appeal, page: Page) -> None:
    known = ClientFactory(last_name="Ёлкина", first_name="Анна", phones=["8 916 000-01-02"])
    page.goto(page.url.split("/appeals/")[0] + "/clients/new/")
    expect(page.locator("#id_last_name")).to_be_focused()
    page.keyboard.type("Елкина")
    page.keyboard.press("Tab")
    page.keyboard.type("Анна")
    expect(page.locator("#duplicates")).to_contain_text("Ёлкина Анна")
    page.keyboard.press("Alt+p")
    page.keyboard.type("8 916 000 01 02")
    expect(page.locator("#duplicates")).to_contain_text("тот же телефон")
    expect(page.locator("#id_last_name")).to_have_value("Елкина")
    assert violations(page) == []
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/clients/*/")
    assert known.phones.count() == 1
