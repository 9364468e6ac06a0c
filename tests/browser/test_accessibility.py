"""axe-core finds nothing on any page of an operator and of a supervisor, nor at any stage of a call."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from calls.models import Draft, FollowUp, StageCode
from sms.actions import opt_out
from tests.browser.conftest import Hotline, sign_in
from tests.factories import AppealFactory, AppealMessageFactory, ReminderFactory, SmsMessageFactory, UserFactory
from tickets.models import Appeal

pytestmark = pytest.mark.browser


def violations(page: Page) -> list[str]:
    """What axe-core says of the page as it stands; the demo's own telephone included."""
    found = Axe().run(page).response["violations"]
    return [
        f"{page.url} {each['id']}: {node['target']} {node['html'][:200]}" for each in found for node in each["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_workspace_at_each_stage(hotline: Hotline, theme: str) -> None:
    page, keys = hotline.page, hotline.keys
    hotline.operator.theme = theme
    hotline.operator.save(update_fields=["theme"])
    page.reload()
    AppealFactory(assigned=True, client=hotline.client, account=hotline.client.accounts.get())
    hotline.take_a_call()
    found = violations(page)
    hotline.greet()
    found += violations(page)
    hotline.open_the_card()
    keys.press("Enter")  # an appeal, whole
    expect(page.locator(".appeal-whole")).to_be_visible()
    found += violations(page)
    hotline.register_a_repair("После стирки лужа под машиной")
    for stage, key in zip(StageCode.values, "1234567890", strict=True):
        if stage in ("greeting", "history"):
            continue
        keys.press(f"Alt+{key}")
        hotline.at(stage)
        found += violations(page)
    keys.press("Alt+7")
    hotline.at("sms")
    keys.press("Alt+y")
    expect(page.locator(".dictation")).to_be_visible()
    found += violations(page)
    keys.press("Alt+3")
    hotline.at("card")
    keys.press("Alt+m")
    expect(page.locator("#card-form")).to_be_visible()
    found += violations(page)
    keys.press("Alt+o")
    expect(page.locator("dialog.objections")).to_be_visible()
    found += violations(page)
    assert not found, "\n".join(found)


OPERATOR = [
    "/", "/calls/", "/calls/?shown=closed", "/calls/drafts/", "/calls/script/", "/calls/exchange/", "/clients/",
    "/clients/?q=ёлкина", "/clients/new/", "/clients/{client}/", "/clients/{client}/edit/", "/appeals/",
    "/appeals/{appeal}/", "/service-centers/", "/service-centers/{center}/", "/search/?q=ёлкина",
    "/search/?q=нетникого", "/sms/sent/", "/me/alias/", "/me/password/", "/calls/follow-ups/{follow_up}/",
]  # fmt: skip
SUPERVISOR = [
    "/", "/calls/", "/calls/drafts/", "/calls/script/", "/aliases/", "/clients/{client}/",
    "/appeals/{appeal}/", "/admin/", "/admin/tickets/topic/", "/admin/service_centers/servicecenter/{center}/change/",
    "/admin/sms/smstemplate/add/", "/admin/calls/scriptversion/", "/sms/", "/admin/sms/optout/",
    "/admin/sms/smsmessage/{message}/change/",
]  # fmt: skip


@pytest.mark.parametrize("role", ["operator", "supervisor"])
def test_every_other_page(hotline: Hotline, role: str) -> None:
    page = hotline.page
    account = hotline.client.accounts.get()
    appeal = AppealFactory(assigned=True, client=hotline.client, account=account)
    ReminderFactory(appeal=appeal, to=hotline.operator, due_at=timezone.now() + timedelta(hours=1))
    line = hotline.exchange.ring()
    hotline.exchange.answer(line)
    call = hotline.call()
    Draft.objects.create(
        owner=hotline.operator, call=call, form=Draft.Form.REPAIR, action_id=uuid4(), data={"description": "Шумит"}
    )
    if role == "supervisor":
        sign_in(page, hotline.server, UserFactory(supervisor=True, username="head"))
    old = SmsMessageFactory(state="unknown", gateway="development", reason="no_answer")
    AppealMessageFactory(message=old, appeal=appeal)
    undelivered = SmsMessageFactory(undelivered=True, requested_by=hotline.operator, reason="absent_subscriber")
    follow_up = FollowUp.objects.create(
        link=AppealMessageFactory(message=undelivered, appeal=appeal), owner=hotline.operator
    )
    opt_out(number="+79030000102", actor=hotline.operator)
    ids = {
        "client": hotline.client.pk,
        "appeal": Appeal.objects.get().number,
        "center": hotline.center.pk,
        "follow_up": follow_up.pk,
        "message": old.pk,
    }
    found: list[str] = []
    for path in OPERATOR if role == "operator" else SUPERVISOR:
        answer = page.goto(hotline.server.url + path.format(**ids))
        assert answer is not None
        assert answer.status == 200, path
        hotline.settle()
        found += violations(page)
    assert not found, "\n".join(found)
