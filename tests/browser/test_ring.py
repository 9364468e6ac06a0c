"""The screen-pop as the operator sees it: there at once, gone at once, and the page asks nobody."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Hotline

pytestmark = pytest.mark.browser


def test_a_ring_comes_and_goes_without_a_request(hotline: Hotline) -> None:
    page, asked = hotline.page, []
    hotline.settle()
    page.on("request", lambda request: asked.append(request.url) if "/calls/incoming/" in request.url else None)
    line = hotline.exchange.ring()
    expect(page.locator("#incoming .incoming")).to_contain_text(hotline.client.last_name)
    expect(page).to_have_title(re.compile("^☎"))
    hotline.exchange.hang_up(line, cause="cancel")
    expect(page.locator("#incoming .incoming")).to_have_count(0)
    expect(page).not_to_have_title(re.compile("^☎"))
    assert asked == []
