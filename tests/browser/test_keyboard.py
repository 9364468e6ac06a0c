"""Shortcuts are bound to physical keys: they work in the Russian layout, and inside a field."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from calls.models import Call
from tests.browser.conftest import Hotline

pytestmark = pytest.mark.browser

ALT = 1  # of the modifiers in Chromium's own protocol


def press_in_russian(page: Page, code: str, letter: str) -> None:
    """Alt and a physical key, as a keyboard switched to Russian sends it: `code` KeyN, `letter` «т»."""
    browser = page.context.new_cdp_session(page)
    key = {"code": code, "key": letter, "windowsVirtualKeyCode": ord(code[-1]), "modifiers": ALT}
    browser.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
    browser.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})
    browser.detach()


def test_shortcuts_in_the_russian_layout_inside_a_field(hotline: Hotline) -> None:
    page = hotline.page
    hotline.take_a_call()
    hotline.greet()
    press_in_russian(page, "KeyF", "а")
    hotline.focused("#client-q")
    hotline.keys.type("новый")
    press_in_russian(page, "KeyO", "щ")  # objections, while typing
    expect(page.locator("dialog.objections")).to_be_visible()
    press_in_russian(page, "KeyO", "щ")
    expect(page.locator("dialog.objections")).to_be_hidden()
    hotline.focused("#client-q")
    expect(page.locator("#client-q")).to_have_value("новый")  # no letter of a shortcut has come into the field
    press_in_russian(page, "KeyN", "т")
    hotline.at("card")
    hotline.focused("#id_first_name")
    press_in_russian(page, "Digit5", "5")
    hotline.at("diagnosis")
    assert Call.objects.count() == 1
