"""Templates: strict at saving, strict at rendering."""

from __future__ import annotations

import pytest
from django.utils import translation

from hotline.base.errors import Invalid
from sms.placeholders import PLACEHOLDERS, examples
from sms.templating import MissingValue, checked_text, placeholders_of, render


def test_placeholders_of_a_text() -> None:
    assert placeholders_of("№{appeal_number}: {center_name}, {center_phones}; {center_name}") == [
        "appeal_number",
        "center_name",
        "center_phones",
    ]
    assert placeholders_of("без подстановок") == []


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("Заявка {appeal_number", 8),
        ("Заявка appeal_number}", 21),
        ("{{appeal_number}}", 1),
        ("{center_{name}}", 1),
        ("{center_name}}", 14),
        ("{", 1),
    ],
)
def test_unbalanced_braces_are_refused(text: str, position: int) -> None:
    with pytest.raises(Invalid) as error:
        placeholders_of(text)
    assert (error.value.code, error.value.field, error.value.details) == (
        "unbalanced_braces",
        "text",
        {"position": position},
    )


@pytest.mark.parametrize(
    "name", ["", " ", "center", "center_name!r", "center_name:>10", "0", "__class__", "центр", "center name"]
)
def test_unknown_placeholders_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as error:
        placeholders_of(f"АСЦ: {{{name}}}")
    assert (error.value.code, error.value.details) == ("unknown_placeholder", {"names": [name]})


def test_a_typo_gets_a_suggestion() -> None:
    with translation.override("ru"), pytest.raises(Invalid) as error:
        placeholders_of("{centre_name}")
    assert str(error.value) == "Подстановки {centre_name} нет; может быть, {center_name}?"


def test_rendering() -> None:
    text = render(
        "№{appeal_number}: {center_name}, №{appeal_number}", {"appeal_number": 100245, "center_name": "Мастер"}
    )
    assert text == "№100245: Мастер, №100245"


def test_values_are_put_in_once_and_cleaned() -> None:
    values = {"center_name": "{model}", "center_phones": "+7 482 200-00-10,\n  +7 482 200-00-11 "}
    assert render("{center_name} {center_phones}", values) == "{model} +7 482 200-00-10, +7 482 200-00-11"


def test_values_that_the_template_does_not_name_are_welcome() -> None:
    assert render("{model}", examples()) == "WM-1260"


@pytest.mark.parametrize("value", ["", "  ", "\n", None])
def test_a_missing_value_refuses_to_render(value: str | None) -> None:
    with translation.override("ru"), pytest.raises(MissingValue) as error:
        render("{center_name}, {center_phones}, {center_hours}", {"center_name": "Мастер", "center_hours": value})
    assert error.value.details == {"placeholders": ["center_phones", "center_hours"]}
    assert str(error.value) == "Сообщение не составить: нет значения для «телефоны АСЦ, часы работы АСЦ»."


def test_a_value_that_is_not_on_the_list_is_refused() -> None:
    with pytest.raises(Invalid) as error:
        render("{center_name}", {"center_name": "Мастер", "password": "x"})
    assert (error.value.code, error.value.field) == ("unknown_placeholder", "values")


def test_every_placeholder_has_label_help_and_example_in_russian() -> None:
    with translation.override("ru"):
        for placeholder in PLACEHOLDERS.values():
            assert any("а" <= char <= "я" for char in str(placeholder.label).lower()), placeholder.name
            assert str(placeholder.help), placeholder.name
            assert str(placeholder.example).strip(), placeholder.name


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty"), (" \n", "empty"), ("a\x00b", "bad_characters"), ("\ud800", "bad_characters")]
)
def test_texts_that_are_no_text(text: str, code: str) -> None:
    with pytest.raises(Invalid) as error:
        checked_text(text)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("text", "said", "places"),
    [
        ("a\x07b", "рядом с «a·b»: U+0007, 2-й символ.", [("U+0007", 2)]),
        ("Заявка\t№1", "рядом с «Заявка·№1»: U+0009 (табуляция), 7-й символ.", [("U+0009", 7)]),
        # Where it was typed, not where it stands after trimming; a line end is one character.
        ("  a\r\nb\u2028c", "рядом с «a b·c»: U+2028 (разделитель строк), 6-й символ.", [("U+2028", 6)]),
        ("\ud800!", "рядом с «·!»: U+D800, 1-й символ.", [("U+D800", 1)]),
        ("a\x00\x01b", "U+0000 (нулевой байт), 2-й символ; U+0001, 3-й символ.", [("U+0000", 2), ("U+0001", 3)]),
    ],
)
def test_what_can_not_be_sent_is_named_with_its_place(text: str, said: str, places: list[tuple[str, int]]) -> None:
    with translation.override("ru"), pytest.raises(Invalid) as error:
        checked_text(text)
    assert said in str(error.value)
    assert error.value.details["characters"] == places


def test_of_many_the_first_few_are_named() -> None:
    with translation.override("ru"), pytest.raises(Invalid) as error:
        checked_text("a" + "\x07" * 8)
    assert str(error.value).endswith("U+0007, 6-й символ; и ещё 3.")
    assert len(error.value.details["characters"]) == 8


def test_line_ends_are_one_kind() -> None:
    assert checked_text(" a\r\nb\rc \n") == "a\nb\nc"
