"""The whole call with a client whom we know, in at most thirty key presses and without a page load."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from calls.models import Call
from sms.models import SmsMessage
from tests.browser.conftest import Hotline
from tests.servers import Server
from tickets.models import Appeal, AppealMessage

pytestmark = [pytest.mark.browser, pytest.mark.broker]

MOST_PRESSES = 30


def test_a_known_client_from_the_ring_to_the_wrap_up(hotline: Hotline, sms_delivery: Server, capsys) -> None:
    keys = hotline.keys
    line = hotline.take_a_call()

    hotline.greet()
    hotline.open_the_card()
    hotline.sees("Обращений ещё не было")
    appeal = hotline.register_a_repair("После стирки лужа под машиной")
    assert (appeal.kind, appeal.state, appeal.client, appeal.description) == (
        Appeal.Kind.REPAIR, Appeal.State.ASSIGNED, hotline.client, "После стирки лужа под машиной",
    )  # fmt: skip
    assert appeal.assignments.get().service_center == hotline.center
    hotline.sees(f"№{appeal.number}")
    keys.press("Control+Enter")
    expect(hotline.work.locator(".messages")).to_contain_text("доставлено", timeout=90_000)
    message = AppealMessage.objects.get(appeal=appeal).message
    assert (message.to, message.state) == ("+79161234567", SmsMessage.State.DELIVERED)
    assert "Орёл-Сервис" in message.text
    assert "+7 (4862) 00-12-34" in message.text or "+74862001234" in message.text

    hotline.focused("#stage-done")
    keys.press("Control+Enter")
    hotline.at("summary")
    hotline.sees("Остались ли у вас дополнительные вопросы?")
    keys.press("Control+Enter")
    hotline.at("farewell")
    hotline.sees("пожалуйста, оцените мою консультацию")
    hotline.say_goodbye()
    hotline.exchange.hang_up(line)
    expect(hotline.strip.locator(".chip", has_text="постобработка")).to_be_visible()
    hotline.close()

    call = hotline.call()
    assert (call.work_state, call.ending, call.registered_appeal) == (
        Call.WorkState.CLOSED, Call.Ending.GOODBYE, appeal,
    )  # fmt: skip
    assert call.topic is not None
    assert call.result is not None
    with capsys.disabled():
        print(f"\nknown client: {len(keys.presses)} key presses, {len(keys.loads)} page loads")  # noqa: T201
    assert len(keys.presses) <= MOST_PRESSES
    assert keys.loads == []
