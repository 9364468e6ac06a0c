"""drafts.js: saved at each pause; kept through a dead server, a reload, another tab; gone once the form is accepted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.base.site import Site

pytestmark = pytest.mark.browser

FORM = """
<form id="form" method="post" action="/send" hx-post="/send" hx-target="#place"
  data-draft-url="/draft" data-draft-version="%d">
  <input type="hidden" name="csrfmiddlewaretoken" value="secret">
  <input name="name" id="name" value="%s"><textarea name="words" id="words-field"></textarea>
  <input type="checkbox" name="tags" value="a" id="tag-a"><input type="checkbox" name="tags" value="b" id="tag-b">
  <select name="kind" id="kind"><option value="1">1</option><option value="2">2</option></select>
  <input type="password" name="pin" value="1234"><div data-draft-skip><input name="search" value="x"></div>
  <span data-draft-state id="state"></span><button id="send">Send</button>
</form><div id="place"></div>
"""


class Server:
    """What the real one does: takes a save on top of the version it has, and no other, unless it has that very text."""

    def __init__(self, site: Site) -> None:
        self.version = 3
        self.fields: dict[str, Any] = {}
        self.dead = False
        site.answers["/draft"] = self.save

    def save(self, body: bytes) -> tuple[int, str]:
        if self.dead:
            return 0, ""
        sent = json.loads(body)
        if sent["version"] != self.version and sent["fields"] != self.fields:
            return 409, json.dumps({"version": self.version, "detail": "saved elsewhere"})
        if sent["version"] == self.version:
            self.version += 1
        self.fields = sent["fields"]
        return 200, json.dumps({"version": self.version, "saved_at": "2026-11-23T09:03:00Z"})


@pytest.fixture
def server(site: Site) -> Server:
    return Server(site)


@pytest.fixture
def open_form(page: Page, site: Site, server: Server) -> Callable[..., None]:
    def open_form(name: str = "") -> None:
        page.goto(site.page("/", FORM % (server.version, name), "drafts"))
        page.wait_for_load_state("load")

    return open_form


def copies(page: Page) -> list[str]:
    return page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('hotline:draft:'))")


def test_a_pause_in_typing_saves_every_field_but_secrets(
    page: Page, site: Site, server: Server, open_form: Callable[..., None]
) -> None:
    open_form()
    page.locator("#name").press_sequentially("Анна", delay=20)
    expect(page.locator("#state")).to_have_text("saved at 12:03")
    assert site.posts("/draft") == [{"version": 3, "fields": {"name": "Анна", "words": "", "kind": "1"}}]
    assert copies(page) == []
    page.check("#tag-a")
    page.check("#tag-b")
    expect(page.locator("#state")).to_have_attribute("data-state", "saved")
    page.wait_for_timeout(600)
    assert server.fields == {"name": "Анна", "words": "", "tags": ["a", "b"], "kind": "1"}
    assert page.get_attribute("#form", "data-draft-version") == str(server.version)


def test_who_never_pauses_is_saved_too(page: Page, site: Site, server: Server, open_form: Callable[..., None]) -> None:
    open_form()
    page.locator("#name").press_sequentially("x" * 40, delay=100)
    assert len(site.posts("/draft")) >= 1


def test_leaving_a_field_saves_at_once(page: Page, site: Site, server: Server, open_form: Callable[..., None]) -> None:
    open_form()
    page.keyboard.press("Tab")
    page.fill("#name", "Анна")
    page.focus("#words-field")
    page.wait_for_timeout(150)
    assert server.fields["name"] == "Анна"


def test_a_dead_server_is_said_and_asked_again(page: Page, server: Server, open_form: Callable[..., None]) -> None:
    open_form()
    server.dead = True
    page.fill("#name", "Анна")
    expect(page.locator("#state")).to_have_text("not saved, trying again")
    expect(page.locator("#state")).to_have_attribute("role", "alert")
    assert copies(page) == ["hotline:draft:7:/draft"]
    server.dead = False
    expect(page.locator("#state")).to_have_text("saved at 12:03", timeout=10_000)
    assert server.fields["name"] == "Анна"
    assert copies(page) == []


def test_what_the_server_never_got_is_back_after_a_reload(
    page: Page, server: Server, open_form: Callable[..., None]
) -> None:
    open_form()
    server.dead = True
    page.fill("#name", "Анна")
    page.fill("#words-field", "не сливает воду")
    page.check("#tag-b")
    page.select_option("#kind", "2")
    expect(page.locator("#state")).to_have_text("not saved, trying again")
    server.dead = False
    open_form()
    expect(page.locator("#name")).to_have_value("Анна")
    expect(page.locator("#words-field")).to_have_value("не сливает воду")
    expect(page.locator("#tag-b")).to_be_checked()
    expect(page.locator("#tag-a")).not_to_be_checked()
    expect(page.locator("#state")).to_have_text("saved at 12:03")
    assert server.fields == {"name": "Анна", "words": "не сливает воду", "tags": "b", "kind": "2"}
    assert copies(page) == []


def test_what_judges_a_form_hears_that_its_text_was_put_back(
    page: Page, site: Site, server: Server, open_form: Callable[..., None]
) -> None:
    """Also where that was before htmx had looked at the page."""
    judge = '<div hx-post="/judge" hx-trigger="draft:restored from:#form" hx-include="#name" hx-target="#place"></div>'
    site.answers["/judge"] = lambda body: (200, "judged")
    open_form()
    server.dead = True
    page.fill("#name", "Anna")
    expect(page.locator("#state")).to_have_text("not saved, trying again")
    server.dead = False
    page.goto(site.page("/", FORM % (server.version, "") + judge, "drafts"))
    expect(page.locator("#place")).to_have_text("judged")
    assert [body for path, body in site.posted if path == "/judge"] == [b"name=Anna"]


def test_going_away_in_the_middle_of_typing_saves(
    page: Page, site: Site, server: Server, open_form: Callable[..., None]
) -> None:
    open_form()
    page.fill("#name", "Анна")
    page.goto(site.page("/other", "<p>other</p>"))
    page.wait_for_timeout(200)
    assert server.fields["name"] == "Анна"


def test_two_tabs_neither_loses_its_text(page: Page, server: Server, open_form: Callable[..., None]) -> None:
    open_form()
    server.version, server.fields = 9, {"name": "Other tab"}
    page.fill("#name", "Анна")
    expect(page.locator("#state")).to_contain_text("saved elsewhere")
    expect(page.locator("#name")).to_have_value("Анна")
    assert server.fields == {"name": "Other tab"}
    page.get_by_text("Keep mine").click()
    expect(page.locator("#state")).to_have_text("saved at 12:03")
    assert (server.version, server.fields["name"]) == (10, "Анна")


def test_the_saved_version_may_be_taken_instead(
    page: Page, site: Site, server: Server, open_form: Callable[..., None]
) -> None:
    open_form()
    server.version, server.fields = 9, {"name": "Other tab"}
    page.fill("#name", "Анна")
    expect(page.locator("#state")).to_contain_text("saved elsewhere")
    site.page("/", FORM % (9, "Other tab"), "drafts")
    page.get_by_text("Take the saved one").click()
    expect(page.locator("#name")).to_have_value("Other tab")
    page.wait_for_timeout(600)
    assert (server.version, server.fields, copies(page)) == (9, {"name": "Other tab"}, [])


def test_a_quarrel_left_open_overwrites_nothing_after_a_reload(
    page: Page, server: Server, open_form: Callable[..., None]
) -> None:
    open_form()
    server.version, server.fields = 9, {"name": "Other tab"}
    page.fill("#name", "Анна")
    expect(page.locator("#state")).to_contain_text("saved elsewhere")
    open_form("Other tab")
    expect(page.locator("#name")).to_have_value("Other tab")
    expect(page.locator("#state")).to_contain_text("text of")
    assert server.version == 9
    page.get_by_text("Keep mine").click()
    expect(page.locator("#name")).to_have_value("Анна")
    expect(page.locator("#state")).to_have_text("saved at 12:03")
    assert server.fields["name"] == "Анна"


def test_a_text_that_the_server_refuses_is_said_and_kept(
    page: Page, site: Site, server: Server, open_form: Callable[..., None]
) -> None:
    site.answers["/draft"] = lambda body: (400, '{"detail": "too long"}')
    open_form()
    page.fill("#name", "Анна")
    expect(page.locator("#state")).to_have_text("too long")
    page.wait_for_timeout(1500)
    assert len(site.posts("/draft")) == 1
    assert copies(page) == ["hotline:draft:7:/draft"]


def test_an_accepted_form_leaves_no_draft_behind(
    page: Page, site: Site, server: Server, open_form: Callable[..., None]
) -> None:
    site.answers["/send"] = lambda body: (200, "<p>registered</p>")
    open_form()
    page.fill("#name", "Анна")
    page.evaluate("document.getElementById('send').click()")
    expect(page.locator("#place")).to_have_text("registered")
    page.wait_for_timeout(700)
    assert site.posts("/draft") == []
    assert copies(page) == []


def test_a_refused_form_goes_on_being_saved(
    page: Page, site: Site, server: Server, open_form: Callable[..., None]
) -> None:
    site.answers["/send"] = lambda body: (422, "<p>wrong</p>")
    open_form()
    page.fill("#name", "Анна")
    page.evaluate("document.getElementById('send').click()")
    expect(page.locator("#place")).to_have_text("wrong")
    expect(page.locator("#state")).to_have_text("saved at 12:03")
    assert server.fields["name"] == "Анна"


def test_another_persons_text_is_not_put_into_my_form(
    page: Page, server: Server, open_form: Callable[..., None]
) -> None:
    open_form()
    page.evaluate(
        """const put = (key, at, name) => localStorage.setItem(key, JSON.stringify({ at, fields: { name } }));
        put("hotline:draft:8:/draft", Date.now(), "Чужое");
        put("hotline:draft:7:/old", Date.now() - 25 * 3600e3, "Вчера")"""
    )
    open_form()
    page.wait_for_timeout(600)
    expect(page.locator("#name")).to_have_value("")
    assert copies(page) == ["hotline:draft:8:/draft"]


def test_a_page_asked_for_before_the_text_was_saved_shows_the_text_all_the_same(
    page: Page, site: Site, server: Server, open_form: Callable[..., None]
) -> None:
    open_form()
    page.fill("#name", "Анна")
    expect(page.locator("#state")).to_have_text("saved at 12:03")
    page.goto(site.page("/", FORM % (3, ""), "drafts"))  # made while version 4 was on its way
    expect(page.locator("#name")).to_have_value("Анна")
    expect(page.locator("#state")).to_have_text("saved at 12:03")
    assert server.fields["name"] == "Анна"
    page.goto(site.page("/", FORM % (9, "Other tab"), "drafts"))  # and what is newer stays
    expect(page.locator("#name")).to_have_value("Other tab")


KEPT = """
<form id="form" method="post" action="/send" hx-post="/send" hx-target="#place" hx-swap="innerHTML" data-keep="comment">
  <input type="hidden" name="csrfmiddlewaretoken" value="secret"><input type="hidden" name="action_id" value="%s">
  <input name="name" id="name" value="%s"><textarea name="words" id="words-field"></textarea>
  <input type="password" name="pin" id="pin"><button id="send">Send</button>
</form><div id="place"></div>
"""


def test_what_was_typed_on_a_page_that_went_stands_there_again(page: Page, site: Site) -> None:
    """Of a form that the server keeps no draft of: what was typed, not what the server has put there since."""
    page.goto(site.page("/kept", KEPT % ("one", "Anna"), "drafts"))
    page.locator("#words-field").fill("The master came, and")
    page.locator("#pin").fill("1234")
    page.goto(site.page("/other", "<p>a call</p>", "drafts"))
    page.goto(site.page("/kept", KEPT % ("two", "Maria"), "drafts"))
    expect(page.locator("#words-field")).to_have_value("The master came, and")
    expect(page.locator("#name")).to_have_value("Maria")
    expect(page.locator("#pin")).to_have_value("")
    expect(page.locator("[name=action_id]")).to_have_value("two")


@pytest.mark.parametrize(("status", "left"), [(200, ""), (422, "Hello")])
def test_what_was_taken_does_not_come_again(page: Page, site: Site, status: int, left: str) -> None:
    site.answers["/send"] = lambda body: (status, "<p>answer</p>")
    page.goto(site.page("/kept", KEPT % ("one", "Anna"), "drafts"))
    page.locator("#words-field").fill("Hello")
    page.locator("#send").click()
    page.wait_for_timeout(500)
    page.goto(site.page("/kept", KEPT % ("two", "Anna"), "drafts"))
    expect(page.locator("#words-field")).to_have_value(left)
