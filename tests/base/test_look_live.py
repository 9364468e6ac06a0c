"""live.js: one stream a browser, whatever the tabs; it returns by itself, and says in words when it is away."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.base.site import Site, until

pytestmark = pytest.mark.browser

PAGE = """
<span data-stream-state id="state"></span>
<div id="part" hx-get="/part" hx-trigger="live:call:12 from:body, live:reconnected from:body"></div>
"""
HEAR = """() => {
  window.heard = [];
  for (const name of ["live:call", "live:call:12", "live:call:13", "live:connected", "live:reconnected"])
    document.body.addEventListener(name, () => window.heard.push(name));
}"""


def tab(context: BrowserContext, site: Site) -> Page:
    page = context.new_page()
    page.add_init_script(f"document.addEventListener('DOMContentLoaded', {HEAR})")
    page.goto(site.page("/", PAGE, "live"))
    return page


def heard(page: Page) -> list[Any]:
    return page.evaluate("window.heard.splice(0)")


def say(site: Site, topic: str, pk: int | None) -> None:
    site.say(f"data: {json.dumps({'topic': topic, 'pk': pk})}\n\n")


@pytest.fixture
def part(site: Site) -> list[int]:
    fetched: list[int] = []
    site.answers["/part"] = lambda body: (fetched.append(1), (200, f"<b>{len(fetched)}</b>"))[1]
    return fetched


def test_what_happens_reaches_the_page_as_events(context: BrowserContext, site: Site, part: list[int]) -> None:
    page = tab(context, site)
    expect(page.locator("#state")).to_have_text("on the line")
    assert heard(page) == ["live:connected"]
    say(site, "call", 12)
    expect(page.locator("#part b")).to_have_text("1")
    assert heard(page) == ["live:call", "live:call:12"]
    say(site, "call", None)
    until(page, "window.heard.length > 0")
    assert heard(page) == ["live:call"]


def test_several_tabs_have_one_stream_and_all_hear(context: BrowserContext, site: Site, part: list[int]) -> None:
    pages = [tab(context, site) for _ in range(3)]
    for page in pages:
        expect(page.locator("#state")).to_have_text("on the line")
    assert site.open_streams() == 1
    for page in pages:
        heard(page)
    say(site, "call", 13)
    for page in pages:
        until(page, "window.heard.length > 1")
        assert heard(page) == ["live:call", "live:call:13"]


def test_when_the_tab_with_the_stream_closes_another_takes_over(
    context: BrowserContext, site: Site, part: list[int]
) -> None:
    first, second, third = (tab(context, site) for _ in range(3))
    for page in (first, second, third):
        expect(page.locator("#state")).to_have_text("on the line")
        heard(page)
    first.close()
    for page in (second, third):
        until(page, "window.heard.includes('live:reconnected')")
    assert site.open_streams() == 1
    heard(third)
    say(site, "call", 12)
    until(third, "window.heard.includes('live:call:12')")


def test_a_lost_stream_is_said_and_returns_and_the_page_fetches_anew(
    context: BrowserContext, site: Site, part: list[int]
) -> None:
    page, other = tab(context, site), tab(context, site)
    expect(other.locator("#state")).to_have_text("on the line")
    heard(page)
    site.refuse_streams = True
    site.hang_up()
    for each in (page, other):
        expect(each.locator("#state")).to_have_text("no line")
    site.refuse_streams = False
    for each in (page, other):
        expect(each.locator("#state")).to_have_text("on the line", timeout=15_000)
    assert heard(page) == ["live:reconnected"]
    expect(page.locator("#part b")).to_be_visible()


def test_a_server_that_was_deaf_for_a_moment_is_a_reconnection(
    context: BrowserContext, site: Site, part: list[int]
) -> None:
    page = tab(context, site)
    expect(page.locator("#state")).to_have_text("on the line")
    heard(page)
    site.say("event: reconnected\ndata: {}\n\n")
    until(page, "window.heard.length > 0")
    assert heard(page) == ["live:reconnected"]


def test_nonsense_on_the_stream_breaks_nothing(context: BrowserContext, site: Site, part: list[int]) -> None:
    page = tab(context, site)
    expect(page.locator("#state")).to_have_text("on the line")
    heard(page)
    for nonsense in ("data: {\n\n", "data: null\n\n", "data: 7\n\n", 'data: {"pk": 1}\n\n'):
        site.say(nonsense)
    say(site, "call", 13)
    until(page, "window.heard.length > 1")
    assert heard(page) == ["live:call", "live:call:13"]


# --- What comes along with the event --------------------------------------------------------------------------------
SHOWN = """
<span data-stream-state id="state"></span>
<div id="part" data-live-shown hx-get="/part" hx-trigger="live:call from:body">old</div>
<div id="own" hx-get="/own" hx-trigger="live:call from:body"></div>
"""


def bring(site: Site, html: str) -> None:
    site.say(f"data: {json.dumps({'topic': 'call', 'pk': 12, 'html': html})}\n\n")


def shown(context: BrowserContext, site: Site, body: str = SHOWN) -> Page:
    page = context.new_page()
    page.goto(site.page("/", body, "live", "ui"))
    expect(page.locator("#state")).to_have_text("on the line")
    return page


def test_what_the_event_brings_is_shown_in_all_tabs_without_a_request(
    context: BrowserContext, site: Site, part: list[int]
) -> None:
    site.answers["/own"] = lambda body: (200, "own")
    pages = [shown(context, site) for _ in range(2)]
    bring(site, '<b class="incoming-number">one</b>')
    for page in pages:
        expect(page.locator("#part b")).to_have_text("one")
        expect(page.locator("#own")).to_have_text("own")  # who fetches something else at this event still does
    bring(site, "")
    for page in pages:
        expect(page.locator("#part")).to_be_empty()
    assert part == []


def test_what_the_event_brings_is_live_itself(context: BrowserContext, site: Site, part: list[int]) -> None:
    site.answers["/own"] = lambda body: (200, "")
    page = shown(context, site)
    bring(site, '<button hx-get="/part" hx-target="#part">take</button>')
    page.get_by_text("take").click()
    expect(page.locator("#part b")).to_have_text("1")


def test_an_event_that_brings_nothing_is_asked_about(context: BrowserContext, site: Site, part: list[int]) -> None:
    site.answers["/own"] = lambda body: (200, "")
    page = shown(context, site)
    say(site, "call", 12)
    expect(page.locator("#part b")).to_have_text("1")


def test_an_answer_that_was_on_its_way_does_not_cover_what_is_newer(context: BrowserContext, site: Site) -> None:
    site.answers["/own"] = lambda body: (200, "")
    asked, go_on = [], threading.Event()

    def answer(body: bytes) -> tuple[int, str]:
        asked.append(1)
        go_on.wait(10)
        return 200, "<b>older</b>"

    site.answers["/part"] = answer
    page = shown(context, site)
    say(site, "call", 12)
    until(page, "document.querySelector('#part.htmx-request') !== null")
    bring(site, "<b>newer</b>")
    page.wait_for_timeout(200)
    expect(page.locator("#part")).to_have_text("old")
    go_on.set()
    expect(page.locator("#part b")).to_have_text("newer")
    assert len(asked) == 1


def test_what_is_brought_to_another_person_is_not_shown(context: BrowserContext, site: Site, part: list[int]) -> None:
    """A second person signed in in this browser while a tab of the first still has the stream."""
    site.answers["/own"] = lambda body: (200, "")
    shown(context, site)
    address = site.page("/second", SHOWN, "live")
    site.pages["/second"] = site.pages["/second"].replace('data-user="7"', 'data-user="8"')
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#state")).to_have_text("on the line")
    bring(site, "<b>of the first</b>")
    expect(page.locator("#part b")).to_have_text("1")
