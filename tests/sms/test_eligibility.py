"""Every row of the number rule (stage 7): what is typed, the verdict, its code, and what of the number was read."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from sms.eligibility import judge, judge_number
from tests.sms.factories import deny

DENIED = {"940": "Абхазия", "998": "Южная Осетия"}

ROWS = [
    # typed, code, E.164
    ("+7 916 000-01-01", "ok", "+79160000101"),
    ("8 (916) 000-01-01", "ok", "+79160000101"),
    ("89160000101", "ok", "+79160000101"),
    ("79160000101", "ok", "+79160000101"),
    ("9160000101", "ok", "+79160000101"),
    ("  +7(916)000.01.01  ", "ok", "+79160000101"),
    ("+7 978 000-01-01", "ok", "+79780000101"),
    # look-alike letters among the digits: О, З, l
    ("8 916 ООО О1 О1", "ok", "+79160000101"),
    ("8 9l6 000 01 01", "ok", "+79160000101"),
    ("8 916 00З 01 01", "ok", "+79160030101"),
    # not Russia, though it begins with +7
    ("+7 701 000 01 01", "not_russian", "+77010000101"),
    ("8 701 000 01 01", "not_russian", "+77010000101"),
    ("+7 717 200 01 01", "not_russian", "+77172000101"),
    ("+7 601 000 01 01", "not_russian", ""),
    ("+7 700 000 01 01", "not_russian", "+77000000101"),
    # not Russia for libphonenumber's maker, Russia for libphonenumber
    ("+7 940 000-01-01", "denied_code", "+79400000101"),
    ("8 940 000-01-01", "denied_code", "+79400000101"),
    ("+7 998 000-01-01", "denied_code", "+79980000101"),
    # other countries, also with the way out of Russia before them, also where the number is not whole
    ("+375 29 123-45-67", "not_russian", "+375291234567"),
    ("8 10 375 29 123-45-67", "not_russian", "+375291234567"),
    ("+374 91 123456", "not_russian", "+37491123456"),
    ("+374 9112", "not_russian", ""),
    ("+998 90 123-45-67", "not_russian", "+998901234567"),
    ("+1 212 555 0100", "not_russian", "+12125550100"),
    # Russia, but no mobile
    ("8 495 123-45-67", "fixed_line", "+74951234567"),
    ("+7 (812) 123-45-67", "fixed_line", "+78121234567"),
    ("8 800 000-00-10", "toll_free", "+78000000010"),
    ("8 809 000-00-10", "not_mobile", "+78090000010"),
    ("8 (495) 123-45-67 доб. 12", "fixed_line", "+74951234567"),
    # an extension
    ("8 (916) 000-01-01 доб. 12", "extension", "+79160000101"),
    ("+79160000101 #12", "extension", "+79160000101"),
    # two numbers
    ("+7 916 000-01-01, +7 903 000-01-02", "several", ""),
    ("89160000101 89030000102", "several", ""),
    ("89160000101 или 89030000102", "several", ""),
    ("89160000101/89030000102", "several", ""),
    # withheld
    ("Anonymous", "hidden", ""),
    ("anonymous", "hidden", ""),
    ("Unknown", "hidden", ""),
    ("скрыт", "hidden", ""),
    ("Номер скрыт", "hidden", ""),
    ("не определён", "hidden", ""),
    # nothing, and nonsense
    ("", "empty", ""),
    (" \t", "empty", ""),
    ("Иванов", "letters", ""),
    ("Иванов 8 916 000-01-01", "letters", ""),
    ("112", "invalid", ""),
    ("+", "invalid", ""),
    ("8916000010", "invalid", ""),
    ("891600001011", "invalid", ""),
    ("+7 300 000-01-01", "invalid", ""),
    ("\x00", "invalid", ""),
    ("9" * 500, "several", ""),
]


@pytest.mark.parametrize(("typed", "code", "e164"), ROWS, ids=[repr(row[0][:40]) for row in ROWS])
def test_the_number_rule(typed: str, code: str, e164: str) -> None:
    verdict = judge_number(typed, DENIED)
    assert (verdict.code, verdict.phone.e164, verdict.allowed) == (code, e164, code == "ok")
    assert verdict.phone.raw == typed
    assert verdict.text


SENTENCES = [
    ("+7 701 000 01 01", "Номер Казахстана: СМС только на номера России."),
    ("+7 601 000 01 01", "Номер Казахстана: СМС только на номера России."),
    ("+375 29 123-45-67", "Номер Беларуси: СМС только на номера России."),
    ("+374 91 123456", "Номер Армении: СМС только на номера России."),
    ("+1 212 555 0100", "Зарубежный номер: СМС только на номера России."),
    ("+7 940 000-01-01", "Код 940 (Абхазия) — не Россия: СМС только на номера России."),
    ("8 495 123-45-67", "Городской номер: СМС не дойдёт. Продиктуйте или спросите мобильный."),
]


@pytest.mark.parametrize(("typed", "sentence"), SENTENCES)
def test_the_reason_in_the_operators_words(typed: str, sentence: str) -> None:
    with translation.override("ru"):
        assert judge_number(typed, DENIED).text == sentence


def test_the_deny_list_is_data() -> None:
    assert judge_number("+7 940 000-01-01", {}).allowed
    assert judge_number("+7 916 000-01-01", {"916": "проба"}).code == "denied_code"


@pytest.mark.django_db
def test_judge_reads_the_deny_list_of_the_database(django_assert_num_queries: Any) -> None:
    deny("940", "Абхазия")
    with django_assert_num_queries(1):
        assert judge("+7 940 000-01-01").code == "denied_code"
    assert judge("+7 916 000-01-01").code == "ok"
    with django_assert_num_queries(0):
        assert judge("8 495 123-45-67").code == "fixed_line"


@pytest.mark.django_db
def test_without_a_gateway_everything_is_dictated(settings: Any) -> None:
    settings.SMS_GATEWAYS = []
    assert judge("+7 916 000-01-01").code == "no_gateway"
    assert judge("8 495 123-45-67").code == "fixed_line"
