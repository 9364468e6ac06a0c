"""The look as it is seen: axe-core on the style guide and the admin in both themes, strict CSP, one screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from tests.factories import UserFactory
from tests.servers import WebServer
from tests.service_centers.factories import ServiceCenterFactory

pytestmark = pytest.mark.browser

PAGES = [
    "/styleguide/",
    "/styleguide/call/",
    "/admin/",
    "/admin/operators/user/",
    "/admin/operators/apitoken/add/",
    "/nowhere/",
]
THEMES = ["light", "dark"]


@pytest.fixture
def visit(page: Page, asgi_server: WebServer) -> Callable[..., list[str]]:
    """Open a page as a supervisor with a theme; returns what the browser complained about."""

    def visit(path: str, theme: str = "light") -> list[str]:
        person = UserFactory(supervisor=True, theme=theme, username=f"look-{theme}")
        client = Client()
        client.force_login(person, backend="hotline.operators.backends.RoleBackend")
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": asgi_server.url}])
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(asgi_server.url + path)
        expect(page.locator("[data-stream-state]").first).to_have_attribute("data-state", "on", timeout=10_000)
        return complaints

    return visit


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['target']}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible_and_clean_under_the_policy(
    page: Page, visit: Callable[..., list[str]], path: str, theme: str
) -> None:
    complaints = visit(path, theme)
    assert [said for said in complaints if "404" not in said] == []
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == theme
    assert violations(page) == []


def test_tabular_inlines_of_the_admin_name_their_fields(page: Page, visit: Callable[..., list[str]]) -> None:
    """The stock ones don't: admin.js does, also for the rows and boxes that appear later."""
    center = ServiceCenterFactory()
    visit(f"/admin/service_centers/servicecenter/{center.pk}/change/")
    page.locator("#phones-group .add-row a").click()
    expect(page.locator("#phones-group tr.dynamic-phones").first).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1366, 620), (1920, 1080)])
def test_the_workspace_is_one_screen(page: Page, visit: Callable[..., list[str]], width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    visit("/styleguide/call/")
    sizes = page.evaluate("(({ scrollWidth, scrollHeight }) => [scrollWidth, scrollHeight])(document.documentElement)")
    assert sizes == [width, height]
    assert page.locator(".call").count() == 1
    for part in (".call-strip .btn-primary", ".call-foot .btn-primary", ".phrase", ".say-now"):
        assert page.locator(part).first.is_visible()
        box = page.locator(part).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height


@pytest.mark.parametrize("path", ["/styleguide/", "/styleguide/call/"])
def test_nothing_is_lost_on_a_narrow_screen(page: Page, visit: Callable[..., list[str]], path: str) -> None:
    """WCAG 1.4.10: at 320 px (or 400 % zoom) there is no scrolling in two directions."""
    page.set_viewport_size({"width": 320, "height": 800})
    visit(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []


def test_the_theme_follows_the_system_where_the_person_says_so(page: Page, visit: Callable[..., list[str]]) -> None:
    page.emulate_media(color_scheme="dark")
    visit("/styleguide/", "auto")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def test_dialogs_menus_and_the_ring_are_accessible_too(page: Page, visit: Callable[..., list[str]]) -> None:
    visit("/styleguide/")
    page.click("[popovertarget=house-menu]")
    expect(page.locator("#house-menu")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+Slash")
    expect(page.locator("#keys-dialog dd").first).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.click("[data-dialog-open]")
    assert violations(page) == []


def test_the_style_guide_is_for_supervisors(client: Client, db: None) -> None:
    assert client.get("/styleguide/").status_code == 302
    client.force_login(UserFactory(), backend="hotline.operators.backends.RoleBackend")
    assert client.get("/styleguide/").status_code == 403
