"""A template seen with a real appeal while it is typed: text, missing values, braces, how many SMS."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from sms.models import SmsMessage
from tests.factories import AppealFactory, ClientFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Browser) -> Browser:
    client.force_login(UserFactory(supervisor=True), backend="hotline.operators.backends.RoleBackend")
    return client


def preview(desk: Browser, text: str, appeal: str = "") -> str:
    answer = desk.post(reverse("tickets:template-preview"), {"text": text, "appeal": appeal})
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_without_an_appeal_the_examples(desk: Browser) -> None:
    page = preview(desk, "АСЦ: {center_name}")
    assert "АСЦ: Техно-Сервис" in page
    assert "С примерами значений" in page
    assert "1 СМС" in page
    assert "кириллица" in page


def test_with_a_real_appeal(desk: Browser) -> None:
    appeal = AppealFactory(assigned=True, client=ClientFactory(first_name="Анна", middle_name="Петровна"))
    for typed in (str(appeal.number), f" №{appeal.number} "):
        page = preview(desk, "{client_name}, заявка №{appeal_number}. АСЦ: {center_name}.", typed)
        assert f"Анна Петровна, заявка №{appeal.number}. АСЦ: Казань-Сервис." in page
        assert "заявка на ремонт" in page
    assert not SmsMessage.objects.exists()


def test_missing_values_are_named(desk: Browser) -> None:
    appeal = AppealFactory(repair=True)
    page = preview(desk, "АСЦ: {center_name}, тел. {center_phones}. №{appeal_number}", str(appeal.number))
    assert f"Из обращения №{appeal.number} это сообщение составить нельзя." in page
    assert "АСЦ, телефоны АСЦ" in page
    assert "SMS" not in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{centre_name}", "может быть, {center_name}"),
        ("АСЦ {center_name", "Скобка без пары"),
        ("я" * 700, "можно не больше 10"),
        ("a\x00b", "нельзя отправить"),
    ],
)
def test_what_is_wrong_with_the_text(desk: Browser, text: str, said: str) -> None:
    page = preview(desk, text)
    assert "field-error" in page
    assert said in page


@pytest.mark.parametrize("number", ["777", "семь", "9" * 30, "-1"])
def test_no_such_appeal(desk: Browser, number: str) -> None:
    page = preview(desk, "АСЦ: {center_name}", number)
    assert "Обращения с таким номером нет" in page
    assert "Техно-Сервис" in page


def test_nothing_is_typed_yet(desk: Browser) -> None:
    assert "Введите текст" in preview(desk, "  ")


def test_latin_letters_and_what_forces_ucs2(desk: Browser) -> None:
    page = preview(desk, "Order {appeal_number} — ok")
    assert "<kbd>—</kbd>" in page
    assert "всего 17 единиц" in page
    assert "латиница (GSM)" in preview(desk, "Order {appeal_number}")


def test_markup_stays_text(desk: Browser) -> None:
    assert "<script>" not in preview(desk, "<script>alert(1)</script>")
