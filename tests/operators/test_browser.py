"""Staff's pages in a real browser: by keyboard alone, heard live, nothing axe-core or the policy complains about."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from hotline.operators import actions
from hotline.operators.models import Alias, User
from tests.factories import PASSWORD
from tests.operators.factories import AliasFactory, UserFactory
from tests.servers import WebServer

pytestmark = pytest.mark.browser


@pytest.fixture
def come(page: Page, asgi_server: WebServer) -> Callable[[User, str], None]:
    """Open a page as somebody, and wait until it hears the live stream."""

    def come(person: User, path: str) -> None:
        client = Client()
        client.force_login(person, backend="hotline.operators.backends.RoleBackend")
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": asgi_server.url}])
        page.goto(asgi_server.url + path)
        expect(page.locator("[data-stream-state]").first).to_have_attribute("data-state", "on", timeout=10_000)

    return come


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['target']}" for each in found for node in each["nodes"]]


def test_signing_in_and_taking_a_telephone_over_by_keyboard(page: Page, asgi_server: WebServer) -> None:
    holder, person = UserFactory(last_name="Петрова"), UserFactory()
    actions.pick_extension(user=holder, extension="101", actor=holder)
    page.goto(f"{asgi_server.url}/sign-in/?next=/me/alias/")
    for typed in (person.username, PASSWORD, "101"):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Петрова")).to_be_visible()
    page.keyboard.press("Space")  # the tick has the focus
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/me/alias/")
    expect(page.locator("#operator-state")).to_contain_text("101")
    holder.refresh_from_db()
    assert (holder.extension, User.objects.get(pk=person.pk).state) == ("", User.State.READY)


def test_the_break_is_one_key_in_the_russian_layout_too(page: Page, come: Callable[[User, str], None]) -> None:
    person = UserFactory(extension="101", state=User.State.READY)
    come(person, "/me/alias/")
    page.locator("#id_spoken_name").focus()
    # A physical B with the Russian layout types «и»; inside a field nothing is typed.
    page.evaluate(
        """document.activeElement.dispatchEvent(new KeyboardEvent("keydown",
            { key: "и", code: "KeyB", altKey: true, bubbles: true, cancelable: true }))"""
    )
    expect(page.locator("#operator-state")).to_contain_text("перерыв")
    expect(page.locator("#id_spoken_name")).to_have_value("")
    page.keyboard.press("Alt+b")
    expect(page.locator("#operator-state")).to_contain_text("на линии")


def test_a_telephone_taken_over_shows_at_once(page: Page, come: Callable[[User, str], None]) -> None:
    person, colleague = UserFactory(extension="101", state=User.State.READY), UserFactory()
    come(person, "/me/alias/")
    actions.pick_extension(user=colleague, extension="101", take_over_from=person.pk, actor=colleague)
    expect(page.locator("#operator-state")).to_contain_text("нет добавочного")


def test_the_supervisor_decides_by_keyboard_and_hears_of_new_ones(
    page: Page, come: Callable[[User, str], None]
) -> None:
    first, second = AliasFactory(), AliasFactory(spoken_name="Вера", full_form="Вера Белова")
    come(UserFactory(supervisor=True), "/aliases/")
    rows = page.locator("#alias-inbox [data-keynav-item]")
    expect(rows).to_have_count(2)
    page.keyboard.press("Alt+a")
    expect(rows).to_have_count(1)
    assert Alias.objects.get(pk=first.pk).state == Alias.State.ACKNOWLEDGED
    expect(page.locator("#alias-register")).to_contain_text("подтверждён")

    page.keyboard.press("Alt+x")
    expect(page.locator("dialog#alias-stop")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".field-error")).to_contain_text("Укажите причину")
    expect(page.locator("#id_reason")).to_be_focused()
    page.keyboard.type("путают с коллегой")
    # What changes meanwhile does not take the dialog away, nor what was typed in it.
    third = UserFactory()
    actions.declare_alias(operator=third, spoken_name="Зоя", full_form="Зоя Белова", actor=third)
    expect(rows).to_have_count(2)
    page.keyboard.press("Control+Enter")
    expect(page.locator("dialog#alias-stop")).to_have_count(0)
    expect(rows).to_have_count(1)
    assert Alias.objects.get(pk=second.pk).reason == "путают с коллегой"


def test_the_operator_sees_the_decision_without_losing_what_is_typed(
    page: Page, come: Callable[[User, str], None]
) -> None:
    alias = AliasFactory()
    come(alias.operator, "/me/alias/")
    page.locator("#id_spoken_name").fill("Зоя")
    actions.stop_alias(alias=alias, reason="путают с коллегой", actor=UserFactory(supervisor=True))
    expect(page.locator("#alias-state")).to_contain_text("путают с коллегой")
    expect(page.locator("#id_spoken_name")).to_have_value("Зоя")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("operator", "/me/alias/"),
        ("operator", "/me/extension/?extension=102"),
        ("operator", "/me/password/"),
        ("supervisor", "/aliases/"),
        ("supervisor", "/aliases/?name=%D0%B0%D0%BD%D0%BD%D0%B0&at=2099-01-01T00:00"),
        ("supervisor", "/admin/operators/user/add/"),
        ("supervisor", "/admin/operators/alias/"),
        ("supervisor", "/admin/operators/apitoken/add/"),
    ],
)
def test_pages_are_accessible_and_fit_the_screen(
    page: Page, come: Callable[[User, str], None], role: str, path: str, theme: str
) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    UserFactory(extension="102")
    person = UserFactory(supervisor=role == "supervisor", theme=theme, extension="101", state=User.State.READY)
    if role == "operator":
        AliasFactory(operator=person)
    AliasFactory()
    come(person, path)
    assert [said for said in complaints if not re.search(r"status of 400", said)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1366
    assert violations(page) == []


@pytest.mark.parametrize("path", ["/sign-in/"])
def test_the_door_is_accessible(page: Page, asgi_server: WebServer, path: str) -> None:
    page.goto(asgi_server.url + path)
    assert violations(page) == []
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert violations(page) == []
