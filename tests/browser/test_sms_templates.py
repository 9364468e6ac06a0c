"""A template changed in the admin with a real appeal beside it: what is wrong is said while it is typed."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from hotline.operators.models import User
from sms.models import SmsTemplate
from tests.browser.conftest import PATIENCE, sign_in
from tests.factories import AppealFactory, ClientFactory, SmsTemplateFactory, UserFactory
from tests.servers import WebServer

pytestmark = pytest.mark.browser


@pytest.fixture
def head(page: Page, asgi_server: WebServer) -> User:
    page.set_default_timeout(PATIENCE)
    supervisor: User = UserFactory(supervisor=True, username="head", last_name="Правкина")
    sign_in(page, asgi_server, supervisor)
    return supervisor


def test_a_template_is_changed_with_a_real_appeal_beside_it(head: User, page: Page, asgi_server: WebServer) -> None:
    template = SmsTemplateFactory(text="Заявка №{appeal_number}.")
    appeal = AppealFactory(assigned=True, client=ClientFactory(first_name="Анна", middle_name="Петровна"))
    bare = AppealFactory(repair=True)
    page.goto(asgi_server.url + reverse("admin:sms_smstemplate_edit", args=[template.pk]))
    preview = page.locator("#template-preview")
    expect(preview).to_contain_text("Заявка №100245.")
    expect(preview).to_contain_text("С примерами значений")

    page.keyboard.press("Alt+n")
    page.keyboard.type(str(appeal.number))
    expect(preview).to_contain_text(f"Заявка №{appeal.number}.")
    expect(preview).to_contain_text("1 СМС")
    expect(preview).to_contain_text("UCS-2")

    text = page.locator("#id_text")
    text.press("Control+End")
    text.press_sequentially(" {client_nam}")
    expect(preview).to_contain_text("Подстановки {client_nam} нет; может быть, {client_name}?")
    text.press("Backspace")
    expect(preview).to_contain_text("Скобка без пары")
    text.press_sequentially("e}, АСЦ: {center_name}.")
    expect(preview).to_contain_text("Анна Петровна, АСЦ: Казань-Сервис.")

    # An appeal that has no centre: which value is missing, by its name.
    page.keyboard.press("Alt+n")
    page.keyboard.type(str(bare.number))
    expect(preview).to_contain_text(f"Из обращения №{bare.number} это сообщение составить нельзя. Нет: АСЦ.")
    page.keyboard.press("Alt+n")
    page.keyboard.type("777")
    expect(preview).to_contain_text("Обращения с таким номером нет.")

    page.keyboard.press("Control+Enter")
    expect(page.locator("#versions")).to_be_visible()
    saved = SmsTemplate.objects.current().get()
    assert (saved.version, saved.created_by) == (2, head)
    assert saved.text == "Заявка №{appeal_number}. {client_name}, АСЦ: {center_name}."
    expect(page.locator("main, #content").last).to_contain_text("Правкина")


def test_what_can_not_be_sent_is_not_saved(head: User, page: Page, asgi_server: WebServer) -> None:
    template = SmsTemplateFactory()
    page.goto(asgi_server.url + reverse("admin:sms_smstemplate_edit", args=[template.pk]))
    page.locator("#id_text").fill("Заявка {number}")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".field-error").first).to_contain_text("Подстановки {number} нет")
    expect(page.locator("#id_text")).to_have_value("Заявка {number}")
    assert SmsTemplate.objects.count() == 1
