"""The combobox and the pages in a real browser, by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import BrowserContext, Error, Page, Route, expect

from hotline.operators.models import User
from service_centers.models import City
from tests.factories import UserFactory
from tests.servers import WebServer
from tests.service_centers.conftest import BACKEND
from tests.service_centers.factories import ALL_WORK, WEEKDAYS, ServiceCenterFactory, city

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sign_in(context: BrowserContext, server: WebServer, user: User) -> None:
    client = Client()
    client.force_login(user, backend=BACKEND)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server.url}])


@pytest.fixture
def kazan() -> City:
    kazan = city()
    for name in ("Казанская", "Самара", "Орёл"):
        city(name)
    ServiceCenterFactory(name="АСЦ «Свой»", skills=ALL_WORK, hours=WEEKDAYS, phones=["+7 (843) 000-11-22"])
    ServiceCenterFactory(name="АСЦ «Чужой»", city=city("Самара"), skills=ALL_WORK)
    ServiceCenterFactory(name="АСЦ «Неумелый»")
    return kazan


@pytest.fixture
def directory(asgi_server: WebServer, kazan: City, page: Page) -> Iterator[Page]:
    """The page of the directory; whatever the console complains of fails the test."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page.context, asgi_server, UserFactory(extension="8801"))
    page.goto(f"{asgi_server.url}/service-centers/")
    page.keyboard.press("Alt+KeyC")
    expect(page.locator("#id_city")).to_be_focused()
    yield page
    assert complaints == []


def options(page: Page) -> list[str]:
    return [
        re.sub(r"\s+", " ", text).strip() for text in page.locator("#id_city_list [role=option]").all_text_contents()
    ]


def chosen(page: Page) -> tuple[str, str]:
    return page.locator("#id_city").input_value(), page.locator("#id_city_id").input_value()


def test_the_mouse_picks_and_whatever_else_is_clicked_is_no_list(directory: Page, kazan: City) -> None:
    """The fixture hears what the console complains of."""
    directory.get_by_role("heading").first.click()
    directory.locator("#id_city").click()
    directory.keyboard.type("каз")
    directory.locator("#id_city_list [role=option]").last.click()
    assert chosen(directory) == ("Казань (Республика Татарстан)", str(kazan.pk))


def test_arrow_and_enter_pick_and_the_ranking_appears(directory: Page, kazan: City) -> None:
    directory.keyboard.type("каз")
    field = directory.locator("#id_city")
    expect(field).to_have_attribute("aria-expanded", "true")
    assert options(directory) == ["Казанская Тестовая область", "Казань Республика Татарстан"]
    directory.keyboard.press("ArrowDown")
    directory.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "id_city_list-1")
    directory.keyboard.press("Enter")
    assert chosen(directory) == ("Казань (Республика Татарстан)", str(kazan.pk))
    expect(directory.get_by_role("heading", name="Для клиента из г. Казань")).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-expanded", "false")
    assert f"city_id={kazan.pk}" in directory.url
    # down into the list, and in
    directory.locator("#centers [data-keynav-item]").first.focus()
    directory.keyboard.press("Enter")
    expect(directory.get_by_role("heading", level=1, name="АСЦ «Свой»")).to_be_visible()


def test_the_arrows_go_round_and_up_opens_from_the_end(directory: Page) -> None:
    directory.keyboard.type("каз")
    expect(directory.locator("#id_city_list")).to_be_visible()
    for key, active in (("ArrowUp", "-1"), ("ArrowUp", "-0"), ("ArrowUp", None), ("ArrowDown", "-0")):
        directory.keyboard.press(key)
        field = directory.locator("#id_city")
        if active is None:
            assert field.get_attribute("aria-activedescendant") is None
        else:
            expect(field).to_have_attribute("aria-activedescendant", f"id_city_list{active}")


def test_tab_picks_only_what_was_arrowed_to(directory: Page) -> None:
    directory.keyboard.type("каз")
    expect(directory.locator("#id_city_list")).to_be_visible()
    directory.keyboard.press("Tab")
    assert chosen(directory) == ("каз", "")
    expect(directory.locator("#id_city_list")).to_be_hidden()
    expect(directory.locator("#id_brand")).to_be_focused()


def test_tab_after_an_arrow_picks(directory: Page) -> None:
    directory.keyboard.type("каз")
    expect(directory.locator("#id_city_list")).to_be_visible()
    directory.keyboard.press("ArrowDown")
    directory.keyboard.press("Tab")
    assert chosen(directory)[0] == "Казанская (Тестовая область)"
    expect(directory.locator("#id_brand")).to_be_focused()


def test_an_exact_name_is_picked_when_the_field_is_left(directory: Page, kazan: City) -> None:
    directory.keyboard.type("казань")
    expect(directory.locator("#id_city_list")).to_be_visible()
    directory.keyboard.press("Tab")
    assert chosen(directory) == ("Казань (Республика Татарстан)", str(kazan.pk))


def test_typing_on_after_a_pick_undoes_it(directory: Page) -> None:
    directory.keyboard.type("орел")
    expect(directory.locator("#id_city_list")).to_be_visible()
    directory.keyboard.press("ArrowDown")
    directory.keyboard.press("Enter")
    assert chosen(directory)[1] != ""
    directory.keyboard.type("!")
    assert chosen(directory) == ("Орёл (Орловская область)!", "")


def test_escape_closes_the_list_and_keeps_the_text(directory: Page) -> None:
    directory.keyboard.type("каз")
    expect(directory.locator("#id_city_list")).to_be_visible()
    directory.keyboard.press("Escape")
    expect(directory.locator("#id_city_list")).to_be_hidden()
    assert chosen(directory) == ("каз", "")
    directory.keyboard.press("ArrowDown")
    expect(directory.locator("#id_city")).to_have_attribute("aria-activedescendant", "id_city_list-0")


def test_a_place_of_no_directory_stays_as_typed(directory: Page) -> None:
    directory.keyboard.type("Йыъщж")
    expect(directory.get_by_text("Нет в справочнике: останется так, как введено.")).to_be_visible()
    directory.keyboard.press("Enter")
    expect(directory.get_by_text("Этого города нет в справочнике")).to_be_visible()
    assert chosen(directory) == ("Йыъщж", "")


def test_the_mouse_works_too(directory: Page, kazan: City) -> None:
    directory.keyboard.type("каз")
    directory.locator("#id_city_list [role=option]", has_text="Казань").click()
    assert chosen(directory) == ("Казань (Республика Татарстан)", str(kazan.pk))


def test_an_answer_to_an_older_text_is_dropped(directory: Page) -> None:
    held: list[Route] = []

    def body(text: str) -> dict[str, str]:
        option = f'<li role="option" data-value="1" data-text="{text}">{text}</li>'
        return {"body": option, "content_type": "text/html; charset=utf-8"}

    def answer(route: Route) -> None:
        if held:
            route.fulfill(**body("newer"))
        else:
            held.append(route)  # the first question waits for its answer

    directory.route("**/cities/suggest/**", answer)
    directory.keyboard.type("ка")
    directory.wait_for_timeout(400)
    assert len(held) == 1
    directory.keyboard.type("зань")
    expect(directory.locator("#id_city_list [role=option]")).to_have_text(["newer"])
    with suppress(Error):  # the page may have hung up on it already
        held[0].fulfill(**body("older"))
    directory.wait_for_timeout(300)
    assert options(directory) == ["newer"]


def test_a_pause_is_waited_for(directory: Page) -> None:
    asked: list[str] = []
    directory.on("request", lambda request: asked.append(request.url) if "/suggest/" in request.url else None)
    directory.keyboard.type("казань", delay=20)
    expect(directory.locator("#id_city_list")).to_be_visible()
    assert 1 <= len(asked) <= 3, "each key asks"  # one; where the machine stood still between two keys, another


def test_a_server_that_is_silent_costs_the_suggestions_only(asgi_server: WebServer, kazan: City, page: Page) -> None:
    sign_in(page.context, asgi_server, UserFactory(extension="8801"))
    page.goto(f"{asgi_server.url}/service-centers/")
    page.route("**/cities/suggest/**", lambda route: route.abort())
    page.locator("#id_city").press_sequentially("казань")
    page.wait_for_timeout(400)
    assert chosen(page) == ("казань", "")
    page.keyboard.press("Enter")
    # the server recognises the name by itself
    expect(page.get_by_role("heading", name="Для клиента из г. Казань")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_for_axe_to_find(asgi_server: WebServer, kazan: City, page: Page, scheme: str) -> None:
    sign_in(page.context, asgi_server, UserFactory(supervisor=True))
    page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    center = kazan.service_centers.get(name="АСЦ «Свой»")
    for path in ("", f"?city={kazan.pk}", "?q=нет такого", f"{center.pk}/"):
        page.goto(f"{asgi_server.url}/service-centers/{path}")
        report = Axe().run(page)
        assert report.violations_count == 0, report.generate_report()
    page.goto(f"{asgi_server.url}/service-centers/")
    page.locator("#id_city").press_sequentially("каз")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#id_city_list")).to_be_visible()
    report = Axe().run(page)
    assert report.violations_count == 0, report.generate_report()
