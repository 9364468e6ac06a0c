"""The city field: a city of the directory, or any text; what a person reads on the screen wins."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.http import QueryDict

from service_centers.fields import CITY_TEXT_LENGTH, CityChoice, CityField
from tests.helpers import count_queries
from tests.service_centers.factories import city

pytestmark = pytest.mark.django_db


class Form(forms.Form):
    city = CityField(required=False)


class Strict(forms.Form):
    city = CityField()


def cleaned(**data: Any) -> CityChoice:
    form = Form(data)
    assert form.is_valid(), form.errors
    return form.cleaned_data["city"]


def test_what_was_picked() -> None:
    kazan = city()
    assert cleaned(city="Казань (Республика Татарстан)", city_id=str(kazan.pk)) == (kazan.pk, "")
    assert cleaned(city="казань", city_id=str(kazan.pk)) == (kazan.pk, "")


def test_an_exact_name_needs_no_picking() -> None:
    kazan = city()
    assert cleaned(city="  казань ", city_id="") == (kazan.pk, "")
    assert cleaned(city=str(kazan.pk)) == (kazan.pk, "")  # as a machine asks


def test_text_that_no_directory_has_stays_text() -> None:
    city()
    assert cleaned(city=" Малые   Кабаны ", city_id="") == (None, "Малые Кабаны")


def test_a_name_that_two_cities_bear_stays_text_unless_one_was_picked() -> None:
    one = city("Кировск", region="Мурманская область")
    city("Кировск", region="Ленинградская область")
    assert cleaned(city="Кировск") == (None, "Кировск")
    assert cleaned(city="Кировск", city_id=str(one.pk)) == (one.pk, "")
    assert cleaned(city="Кировск (Мурманская область)") == (one.pk, "")


def test_a_pk_that_does_not_fit_the_text_any_more_is_ignored() -> None:
    kazan, samara = city(), city("Самара")
    assert cleaned(city="Самара", city_id=str(kazan.pk)) == (samara.pk, "")
    assert cleaned(city="Самарка", city_id=str(kazan.pk)) == (None, "Самарка")


@pytest.mark.parametrize("pk", ["0", "-1", "abc", "99999999999999999999", "1 OR 1=1", "²", "\x00"])
def test_a_pk_that_is_none_is_ignored(pk: str) -> None:
    assert cleaned(city="Нигде", city_id=pk) == (None, "Нигде")


def test_left_empty() -> None:
    assert cleaned() == cleaned(city=" ", city_id="") == cleaned(city="\x00") == (None, "")
    assert Strict({"city": ""}).errors["city"] == ["Укажите город."]


def test_too_long() -> None:
    assert Form({"city": "а" * CITY_TEXT_LENGTH}).is_valid()
    assert Form({"city": "а" * (CITY_TEXT_LENGTH + 1)}).errors["city"] == ["Не больше 150 знаков."]


def test_what_the_widget_shows() -> None:
    kazan = city()
    html = str(Form(initial={"city": kazan})["city"])
    assert 'value="Казань (Республика Татарстан)"' in html
    assert f'name="city_id" id="id_city_id" value="{kazan.pk}"' in html
    assert 'data-url="/service-centers/cities/suggest/"' in html
    assert 'aria-controls="id_city_list"' in html
    assert 'value="Кабаны"' in str(Form(initial={"city": (None, "Кабаны")})["city"])
    assert 'value="Самара"' in str(Form(initial={"city": (None, "Самара")})["city"])
    # what was typed comes back as it was
    assert 'value="казань"' in str(Form({"city": "казань"})["city"])
    assert str(Form({"city": str(kazan.pk)})["city"]).count("Казань") == 1


def test_showing_costs_no_query() -> None:
    kazan = city()
    assert count_queries(lambda: str(Form(initial={"city": kazan})["city"])) == []


def test_has_changed() -> None:
    kazan = city()
    initial = {"city": kazan}
    same = QueryDict(f"city=Казань (Республика Татарстан)&city_id={kazan.pk}")
    assert not Form(same, initial=initial).has_changed()
    assert Form(QueryDict("city=Самара"), initial=initial).has_changed()
    assert not Form(QueryDict("city="), initial={}).has_changed()
