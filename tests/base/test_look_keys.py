"""keys.js: physical keys, in fields and in the Russian layout; what is hidden, disabled or covered is silent."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.base.site import Site, until

pytestmark = pytest.mark.browser

PAGE = """
<p id="log"></p>
<label for="name">Name <kbd aria-hidden="true">Alt N</kbd></label><input id="name" data-key="Alt+KeyN" value="typed">
<input type="checkbox" id="tick" data-key="Alt+KeyT" aria-label="Tick">
<button id="save" data-key="Alt+KeyS">Save <kbd aria-hidden="true">Alt S</kbd></button>
<button id="both" data-key="F4 Alt+Digit1">Both</button>
<button id="plain" data-key="KeyP">Plain</button>
<button id="off" data-key="Alt+KeyD" disabled>Off</button>
<button id="hidden" data-key="Alt+KeyS" hidden>Hidden</button>
<form id="one" data-key-scope>
  <input id="in-one"><button type="button" id="send-one" data-key="Ctrl+Enter">One</button></form>
<form id="two" data-key-scope>
  <textarea id="in-two"></textarea><button type="button" id="send-two" data-key="Ctrl+Enter">Two</button></form>
<dialog id="box"><button id="in-box" data-key="Alt+KeyS">In the box</button></dialog>
"""


@pytest.fixture
def clicked(page: Page, site: Site) -> list[str]:
    page.goto(site.page("/", PAGE, "keys", "ui"))
    page.wait_for_selector("[aria-keyshortcuts]")
    clicks: list[str] = []
    page.expose_function("clicked", lambda name: clicks.append(name))
    page.evaluate("document.addEventListener('click', (event) => window.clicked(event.target.id), true)")
    return clicks


def russian(page: Page, code: str, key: str, *, alt: bool = True) -> None:
    """A key as the browser reports it in the Russian layout: the letter is Cyrillic, the code is the key's."""
    page.evaluate(
        """([code, key, altKey]) => (document.activeElement ?? document.body).dispatchEvent(
            new KeyboardEvent("keydown", { code, key, altKey, bubbles: true, cancelable: true }))""",
        [code, key, alt],
    )


def settled(page: Page) -> None:
    page.wait_for_timeout(50)


def test_a_key_clicks_its_button(page: Page, clicked: list[str]) -> None:
    page.keyboard.press("Alt+KeyS")
    settled(page)
    assert clicked == ["save"]


def test_a_key_works_inside_a_field_and_types_nothing(page: Page, clicked: list[str]) -> None:
    page.focus("#name")
    page.keyboard.press("Alt+KeyS")
    settled(page)
    assert clicked == ["save"]
    expect(page.locator("#name")).to_have_value("typed")
    expect(page.locator("#name")).to_be_focused()


def test_a_key_is_physical_in_the_russian_layout(page: Page, clicked: list[str]) -> None:
    page.focus("#name")
    russian(page, "KeyS", "ы")
    settled(page)
    assert clicked == ["save"]


def test_a_key_focuses_its_field_and_selects_what_is_in_it(page: Page, clicked: list[str]) -> None:
    page.keyboard.press("Alt+KeyN")
    expect(page.locator("#name")).to_be_focused()
    assert page.evaluate("getSelection().toString()") == "typed"


def test_a_key_ticks_its_checkbox(page: Page, clicked: list[str]) -> None:
    page.keyboard.press("Alt+KeyT")
    expect(page.locator("#tick")).to_be_checked()


@pytest.mark.parametrize("key", ["F4", "Alt+Digit1"])
def test_several_keys_of_one_button(page: Page, clicked: list[str], key: str) -> None:
    page.focus("#name")
    page.keyboard.press(key)
    settled(page)
    assert clicked == ["both"]


def test_a_plain_letter_is_text_in_a_field_and_a_command_elsewhere(page: Page, clicked: list[str]) -> None:
    page.focus("#in-one")
    page.keyboard.press("KeyP")
    settled(page)
    assert clicked == []
    expect(page.locator("#in-one")).to_have_value("p")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("KeyP")
    settled(page)
    assert clicked == ["plain"]


def test_a_disabled_button_is_not_clicked_and_the_browser_does_not_take_its_key(page: Page, clicked: list[str]) -> None:
    prevented = page.evaluate(
        """() => !document.body.dispatchEvent(
            new KeyboardEvent("keydown", { code: "KeyD", key: "d", altKey: true, bubbles: true, cancelable: true }))"""
    )
    settled(page)
    assert (clicked, prevented) == ([], True)


def test_a_key_held_down_is_one_click(page: Page, clicked: list[str]) -> None:
    page.keyboard.down("Alt")
    for _ in range(4):
        page.keyboard.down("KeyS")
    page.keyboard.up("KeyS")
    page.keyboard.up("Alt")
    settled(page)
    assert clicked == ["save"]


@pytest.mark.parametrize(("field", "button"), [("#in-one", "send-one"), ("#in-two", "send-two")])
def test_ctrl_enter_sends_the_form_that_has_the_focus(page: Page, clicked: list[str], field: str, button: str) -> None:
    page.focus(field)
    page.keyboard.press("Control+Enter")
    settled(page)
    assert clicked == [button]


def test_ctrl_enter_outside_of_two_forms_sends_neither(page: Page, clicked: list[str]) -> None:
    page.focus("#save")
    page.keyboard.press("Control+Enter")
    settled(page)
    assert clicked == []


def test_under_an_open_dialog_nothing_answers(page: Page, clicked: list[str]) -> None:
    page.evaluate("document.getElementById('box').showModal()")
    page.keyboard.press("Alt+KeyS")
    page.keyboard.press("F4")
    settled(page)
    assert clicked == ["in-box"]


@pytest.mark.parametrize("key", ["F1", "Alt+Slash"])
def test_the_keys_of_the_page_are_shown_once_each_and_by_their_labels(page: Page, clicked: list[str], key: str) -> None:
    page.keyboard.press(key)
    expect(page.locator("#keys-dialog")).to_be_visible()
    lines = page.locator("[data-keys-list] > dd").all_inner_texts()
    assert lines == ["Name", "Tick", "Save", "Both", "Plain", "One", "Two"]
    assert page.locator("[data-keys-list] kbd").all_inner_texts() == [
        "Alt N", "Alt T", "Alt S", "F4", "Alt 1", "P", "Ctrl Enter", "Ctrl Enter",
    ]  # fmt: skip
    page.keyboard.press("Escape")
    expect(page.locator("#keys-dialog")).to_be_hidden()


def test_screen_readers_are_told_the_keys(page: Page, clicked: list[str]) -> None:
    assert page.get_attribute("#save", "aria-keyshortcuts") == "Alt+S"
    assert page.get_attribute("#send-one", "aria-keyshortcuts") == "Control+Enter"
    assert page.get_attribute("#both", "aria-keyshortcuts") == "F4 Alt+1"


def test_a_fragment_that_htmx_brings_has_keys_too(page: Page, site: Site, clicked: list[str]) -> None:
    site.pages["/more"] = '<button id="more" data-key="Alt+KeyM">More</button>'
    page.evaluate("htmx.ajax('GET', '/more', { target: '#log' })")
    page.wait_for_selector("#more[aria-keyshortcuts='Alt+M']")
    page.keyboard.press("Alt+KeyM")
    settled(page)
    assert clicked == ["more"]


LIST = """
<div data-keynav>
  <input id="query" type="search">
  <button data-keynav-item id="a">a</button><button data-keynav-item id="b">b</button>
  <button data-keynav-item id="gone" hidden>gone</button><button data-keynav-item id="c">c</button>
</div>
<table data-keynav><tbody>
  <tr data-keynav-item id="row-1"><td><a href="#one" id="link-1">1</a></td></tr>
  <tr data-keynav-item id="row-2"><td><a href="#two" id="link-2">2</a></td></tr>
</tbody></table>
<div data-keynav><textarea id="text">one\ntwo</textarea><button data-keynav-item id="d">d</button></div>
"""


@pytest.mark.parametrize(
    ("start", "keys", "end"),
    [
        ("#query", ["ArrowDown"], "a"),
        ("#query", ["ArrowUp"], "query"),
        ("#a", ["ArrowUp"], "query"),
        ("#a", ["ArrowDown", "ArrowDown"], "c"),
        ("#c", ["ArrowDown"], "c"),
        ("#a", ["End"], "c"),
        ("#c", ["Home"], "a"),
        ("#c", ["Escape"], "query"),
        ("#row-1", ["ArrowDown"], "row-2"),
        ("#row-1", ["ArrowUp"], "row-1"),
        ("#text", ["ArrowDown"], "text"),
    ],
)
def test_arrows_walk_a_list(page: Page, site: Site, start: str, keys: list[str], end: str) -> None:
    page.goto(site.page("/", LIST, "keys"))
    until(page, "document.querySelector('#row-1').tabIndex === 0")
    page.focus(start)
    for key in keys:
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.id") == end


def test_enter_on_a_row_follows_its_link(page: Page, site: Site) -> None:
    page.goto(site.page("/", LIST, "keys"))
    until(page, "document.querySelector('#row-1').tabIndex === 0")
    page.focus("#row-1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.url.endswith("#two")
