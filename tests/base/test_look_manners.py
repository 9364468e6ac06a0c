"""once.js, net.js, timer.js, ui.js: one click, one request; trouble said in words; time runs; toasts and dialogs."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.base.site import Site

pytestmark = pytest.mark.browser


def slowly(status: int, text: str, seconds: float = 0.4):
    def answer(body: bytes) -> tuple[int, str]:
        time.sleep(seconds)
        return status, text

    return answer


# --- once.js -------------------------------------------------------------------------------------
def test_a_double_click_on_an_htmx_form_sends_once(page: Page, site: Site) -> None:
    site.answers["/send"] = slowly(200, "<p>done</p>")
    form = '<form hx-post="/send" hx-target="#place"><button id="b">Send</button></form><div id="place"></div>'
    page.goto(site.page("/", form, "once"))
    page.evaluate("for (let i = 0; i < 3; i += 1) document.getElementById('b').click()")
    expect(page.locator("form")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#place")).to_have_text("done")
    page.wait_for_timeout(600)
    assert len(site.posted) == 1
    assert page.get_attribute("form", "aria-busy") is None
    page.click("#b")
    page.wait_for_timeout(600)
    assert len(site.posted) == 2


def test_a_double_click_on_a_plain_form_sends_once(page: Page, site: Site) -> None:
    site.answers["/send"] = slowly(200, "<p id='done'>done</p>")
    form = '<form method="post" action="/send"><button id="b" name="what" value="this">Send</button></form>'
    page.goto(site.page("/", form, "once"))
    page.evaluate("() => { const b = document.getElementById('b'); b.click(); b.click(); }")
    page.wait_for_selector("#done")
    assert site.posted == [("/send", b"what=this")]


def test_two_buttons_of_one_form_don_t_wait_for_each_other(page: Page, site: Site) -> None:
    site.answers["/a"] = site.answers["/b"] = slowly(204, "")
    buttons = "".join(f'<button type="button" id="{name}" hx-post="/{name}">{name}</button>' for name in "ab")
    page.goto(site.page("/", f"<form>{buttons}</form>", "once"))
    page.evaluate("() => { document.getElementById('a').click(); document.getElementById('b').click(); }")
    page.wait_for_timeout(700)
    assert sorted(path for path, _ in site.posted) == ["/a", "/b"]


# --- net.js --------------------------------------------------------------------------------------
FETCH = '<input id="typed"><button id="go" hx-post="/x" hx-target="#place">Go</button><div id="place">before</div>'


@pytest.mark.parametrize(
    ("status", "answer", "notice", "place"),
    [
        (200, "<b>new</b>", "", "new"),
        (204, "", "", "before"),
        (422, "<b>wrong</b>", "", "wrong"),
        (409, "<b>someone else</b>", "", "someone else"),
        (404, "<b>gone</b>", "", "gone"),
        (403, "", "forbidden", "before"),
        (500, "", "error 500", "before"),
        (500, "<!doctype html><p>broken", "error 500", "before"),
        (200, "<!doctype html><title>a whole page</title>", "error 200", "before"),
        (0, "", "no server", "before"),
    ],
)
def test_an_answer_is_swapped_or_said(
    page: Page, site: Site, status: int, answer: str, notice: str, place: str
) -> None:
    site.answers["/x"] = lambda body: (status, answer)
    page.goto(site.page("/", FETCH, "net"))
    page.fill("#typed", "still here")
    page.click("#go")
    if notice:
        expect(page.locator("#net-notice")).to_be_visible()
        expect(page.locator("[data-net-text]")).to_have_text(notice)
    expect(page.locator("#place")).to_have_text(place)
    expect(page.locator("#net-notice")).to_be_visible(visible=bool(notice))
    expect(page.locator("#typed")).to_have_value("still here")


def test_an_answer_takes_the_notice_away(page: Page, site: Site) -> None:
    answers = iter([(500, ""), (200, "ok")])
    site.answers["/x"] = lambda body: next(answers)
    page.goto(site.page("/", FETCH, "net"))
    page.click("#go")
    expect(page.locator("#net-notice")).to_be_visible()
    page.click("#go")
    expect(page.locator("#place")).to_have_text("ok")
    expect(page.locator("#net-notice")).to_be_hidden()


def test_a_signed_out_page_offers_to_sign_in_and_keeps_what_is_typed(page: Page, site: Site) -> None:
    site.page("/sign-in/", "<form>password</form>")
    page.goto(site.page("/", FETCH.replace("hx-post", "hx-get").replace("/x", "/sign-in/"), "net"))
    page.fill("#typed", "still here")
    page.click("#go")
    expect(page.locator("[data-net-text]")).to_have_text("signed out")
    expect(page.locator("[data-net-link]")).to_have_attribute("href", "/sign-in/")
    expect(page.locator("#typed")).to_have_value("still here")


# --- timer.js ------------------------------------------------------------------------------------
def iso(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_time_runs(page: Page, site: Site) -> None:
    body = (
        f'<time id="a" data-timer-since="{iso(-67)}" data-timer-limit="60"></time>'
        f'<time id="b" data-timer-since="{iso(-3727)}" data-timer-limit="9999"></time>'
        f'<time id="c" data-timer-until="{iso(90.5)}"></time><time id="d" data-timer-until="{iso(-61)}"></time>'
        '<time id="e" data-timer-since="nonsense">as it was</time><span id="f" data-local-time="Mars/Phobos">—</span>'
        '<span id="g" data-local-time="Asia/Vladivostok"></span>'
    )
    page.goto(site.page("/", body, "timer"))
    first = page.inner_text("#a")
    assert first in {"01:07", "01:08"}
    assert page.inner_text("#b") in {"1:02:07", "1:02:08"}
    assert page.inner_text("#c") in {"01:31", "01:30"}
    assert page.inner_text("#d") in {"−01:01", "−01:02"}
    assert page.inner_text("#e") == "as it was"
    assert page.inner_text("#f") == "—"
    there = {(datetime.now(UTC) + timedelta(hours=10, minutes=late)).strftime("%H:%M") for late in (0, -1)}
    assert page.inner_text("#g") in there
    assert [page.eval_on_selector(f"#{name}", "(e) => e.classList.contains('is-over')") for name in "abcd"] == [
        True, False, False, True,
    ]  # fmt: skip
    expect(page.locator("#a")).not_to_have_text(first)


def test_a_clock_that_is_wrong_shows_the_servers_time(page: Page, site: Site) -> None:
    address = site.page("/", f'<time id="a" data-timer-since="{iso(-67)}"></time>', "timer")
    site.pages["/"] = site.pages["/"].replace('data-user="7"', f'data-user="7" data-server-now="{iso(0)}"')
    page.add_init_script("const real = Date.now; Date.now = () => real() + 3600_000;")
    page.goto(address)
    assert page.inner_text("#a") in {"01:07", "01:08", "01:09"}


# --- ui.js ---------------------------------------------------------------------------------------
def test_toasts_come_from_headers_and_warnings_stay(page: Page, site: Site) -> None:
    page.clock.install()
    page.goto(site.page("/", "<p>page</p>", "ui"))
    page.evaluate(
        """for (const [message, level] of [["saved", "ok"], ["careful", "warn"]])
        document.body.dispatchEvent(new CustomEvent("toast", { detail: { message, level } }))"""
    )
    expect(page.locator(".toast")).to_have_count(2)
    page.wait_for_timeout(50)
    page.clock.run_for(8_000)
    expect(page.locator(".toast")).to_have_count(1)
    expect(page.locator(".toast-warn")).to_contain_text("careful")
    page.click("[data-toast-close]")
    expect(page.locator(".toast")).to_have_count(0)


def test_a_dialog_that_a_fragment_brings_opens_and_leaves(page: Page, site: Site) -> None:
    site.pages["/box"] = '<dialog data-dialog-auto id="box"><p>Sure?</p><button data-dialog-close>No</button></dialog>'
    opener = '<button id="open" hx-get="/box" hx-target="#dialog">Open</button><div id="dialog"></div>'
    page.goto(site.page("/", opener, "ui", "keys"))
    page.click("#open")
    expect(page.locator("#box")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#box")).to_have_count(0)
    expect(page.locator("#open")).to_be_focused()


def test_a_ring_shows_in_the_title(page: Page, site: Site) -> None:
    page.goto(site.page("/", '<div id="incoming"></div>', "ui"))
    ring = '<section class="incoming"><b class="incoming-number"> +7 916 000-00-17 </b></section>'
    page.evaluate("(ring) => htmx.swap('#incoming', ring, { swapStyle: 'innerHTML' })", ring)
    expect(page).to_have_title("☎ +7 916 000-00-17")
    page.evaluate("htmx.swap('#incoming', '', { swapStyle: 'innerHTML' })")
    expect(page).to_have_title("t")


FIELD = """<div><label for="%(id)s">%(id)s</label>
  <input id="%(id)s" name="%(id)s" aria-invalid="true" aria-describedby="%(id)s_help %(id)s_error">
  <div id="%(id)s_error"><p>To be filled in</p></div></div>"""


def test_what_was_wrong_leaves_with_what_is_filled_in(page: Page, site: Site) -> None:
    either = "".join(FIELD % {"id": name} for name in ("topic", "words"))
    fact = (
        FIELD % {"id": "model"}
        + '<select id="source"><option>-</option><option>client</option><option>unknown</option></select>'
    )
    body = (
        f'<form>{FIELD % {"id": "name"}}{FIELD % {"id": "city"}}<div data-either="topic words">{either}'
        f'{FIELD % {"id": "other"}}</div><div class="fact">{fact}</div></form>'
    )
    page.goto(site.page("/", body, "ui"))
    page.wait_for_load_state("load")
    page.locator("#name").press_sequentially("  ")
    expect(page.locator("#name_error")).to_be_attached()
    page.locator("#name").press_sequentially("И")
    expect(page.locator("#name_error")).to_have_count(0)
    assert page.get_attribute("#name", "aria-invalid") is None
    assert page.get_attribute("#name", "aria-describedby") == "name_help"

    page.locator("#topic").fill("Чек")  # one of the two is enough
    expect(page.locator("#topic_error, #words_error")).to_have_count(0)
    page.select_option("#source", "client")
    expect(page.locator("#model_error")).to_be_attached()
    page.select_option("#source", "unknown")  # the client does not know
    expect(page.locator("#model_error")).to_have_count(0)
    expect(page.locator("#city_error, #other_error")).to_have_count(2)
