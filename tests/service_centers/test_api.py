"""The directory over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import UserFactory, api_token
from tests.helpers import assert_same_query_count
from tests.service_centers.factories import ALL_WORK, WEEKDAYS, ServiceCenterFactory, brand, category, city

LIST, MATCH = reverse("api:service-centers-list"), reverse("api:service-centers-match")
CITIES = reverse("api:cities-list")


@pytest.fixture
def machine(db: None) -> Client:
    return Client(headers={"authorization": f"Bearer {api_token(UserFactory(integration=True), 'read')}"})


def names(body: dict[str, Any]) -> list[str]:
    return [row["name"] for row in body["results"]]


def test_a_row_of_the_list(machine: Client) -> None:
    kazan = city()
    center = ServiceCenterFactory(name="АСЦ «Мастер»", code="T-77", phones=["8 (495) 123-45-67", "01"])
    assert machine.get(LIST).json() == {
        "next": None,
        "previous": None,
        "results": [
            {
                "id": center.pk,
                "code": "T-77",
                "name": "АСЦ «Мастер»",
                "city": {
                    "id": kazan.pk,
                    "name": "Казань",
                    "region": "Республика Татарстан",
                    "label": "Казань (Республика Татарстан)",
                    "timezone": "Europe/Moscow",
                    "latitude": 55.7887,
                    "longitude": 49.1221,
                    "population": 0,
                },
                "address": "ул. Тестовая, 1",
                "phones": [
                    {"number": "8 (495) 123-45-67", "e164": "", "label": ""},
                    {"number": "01", "e164": "", "label": ""},
                ],
                "is_active": True,
            }
        ],
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Мастер", "Другой"]),
        ("?city=Казань", ["Мастер"]),
        ("?city=Зеленодольск", ["Мастер"]),
        ("?city=Нигде", []),
        ("?q=маст", ["Мастер"]),
        ("?work=installation", ["Мастер"]),
        ("?is_active=false", ["Другой"]),
        ("?page_size=1", ["Мастер"]),
    ],
)
def test_filters_are_those_of_the_page(machine: Client, query: str, found: list[str]) -> None:
    ServiceCenterFactory(name="Мастер", skills=[("Vestra", None, "installation")], covers=[city("Зеленодольск")])
    ServiceCenterFactory(name="Другой", city=city("Самара"), is_active=False)
    assert names(machine.get(f"{LIST}{query}").json()) == found


def test_by_ids(machine: Client) -> None:
    ServiceCenterFactory(name="Мастер", skills=[("Vestra", "Вытяжки", "installation")])
    assert names(machine.get(f"{LIST}?city={city().pk}").json()) == ["Мастер"]
    assert names(machine.get(f"{LIST}?brand={brand().pk}&category={category('Вытяжки').pk}").json()) == ["Мастер"]
    assert names(machine.get(f"{LIST}?brand={brand().pk}&category={category('Духовки').pk}").json()) == []


def test_one_centre_in_full(machine: Client) -> None:
    center = ServiceCenterFactory(
        skills=[("Vestra", None, "installation"), ("Vestra", "Вытяжки", "paid_repair")],
        hours=[(1, "9:00", "18:00")],
        covers=[city("Зеленодольск")],
    )
    body = machine.get(reverse("api:service-centers-detail", args=[center.pk])).json()
    assert body["hours"] == [{"weekday": 1, "opens_at": "09:00:00", "closes_at": "18:00:00"}]
    assert body["hours_text"] == "Пн 9:00–18:00"
    assert body["state"].keys() == {"is_open", "text", "until", "opens_next"}
    assert [place["name"] for place in body["covers"]] == ["Зеленодольск"]
    assert body["skills"] == [
        {"brand": {"id": brand().pk, "name": "Vestra"}, "category": None, "work": "installation"},
        {
            "brand": {"id": brand().pk, "name": "Vestra"},
            "category": {"id": category("Вытяжки").pk, "name": "Вытяжки"},
            "work": "paid_repair",
        },
    ]


# --- The matching -----------------------------------------------------------------------------------
def test_match(machine: Client) -> None:
    own = ServiceCenterFactory(name="Свой", skills=ALL_WORK, phones=["+7 (843) 000-11-22"])
    ServiceCenterFactory(name="Неумелый", city=city("Самара"))
    body = machine.get(MATCH, {"city": city().pk, "brand": brand().pk, "category": category().pk}).json()
    assert body["city"]["name"] == "Казань"
    [candidate] = body["candidates"]
    assert candidate["rank"] == 1
    assert candidate["distance_km"] is None
    assert candidate["service_center"]["id"] == own.pk
    assert candidate["service_center"]["hours_text"] == ""
    assert candidate["state"] == {
        "is_open": None,
        "text": "часы работы не указаны",
        "until": None,
        "opens_next": None,
    }
    assert candidate["reasons"] == [
        {"code": "in_city", "text": "в городе клиента"},
        {"code": "whole_brand", "text": "авторизован на всю технику Vestra: гарантийный ремонт"},
        {"code": "hours_unknown", "text": "часы работы не указаны"},
    ]
    [loser] = body["losers"]
    assert loser["distance_km"] == 295
    assert loser["reasons"] == [{"code": "not_brand", "text": "не авторизован на Vestra"}]


def test_match_of_another_work(machine: Client) -> None:
    ServiceCenterFactory(skills=[("Vestra", None, "paid_repair")])
    query = {"city": "Казань", "brand": brand().pk}
    assert machine.get(MATCH, query).json()["candidates"] == []
    assert len(machine.get(MATCH, query | {"work": "paid_repair"}).json()["candidates"]) == 1


def test_match_without_a_city_of_the_directory(machine: Client) -> None:
    ServiceCenterFactory(skills=ALL_WORK)
    body = machine.get(MATCH, {"city": "Малые Кабаны"}).json()
    assert (body["city"], body["losers"]) == (None, [])
    assert body["candidates"][0]["reasons"][0]["code"] == "city_unknown"


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ({"brand": "x"}, "brand", "invalid_choice"),
        ({"brand": "999999"}, "brand", "invalid_choice"),
        ({"category": "\x00"}, "category", "null_characters_not_allowed"),
        ({"work": "magic"}, "work", "invalid_choice"),
        ({"city": "а" * 200}, "city", "max_length"),
    ],
)
def test_a_question_that_can_not_be_read(machine: Client, query: dict[str, str], field: str, code: str) -> None:
    response = machine.get(MATCH, query)
    assert response.status_code == 400
    body = response.json()
    assert body["code"] == "invalid"
    assert [problem["code"] for problem in body["fields"][field]] == [code]


# --- Cities, brands, categories ---------------------------------------------------------------------
def test_cities_by_text(machine: Client) -> None:
    city("Орёл")
    city("Казань")
    body = machine.get(CITIES, {"q": "орел"}).json()
    assert names(body) == ["Орёл"]
    assert (body["next"], body["previous"]) == (None, None)


def test_all_cities_page_by_page(machine: Client) -> None:
    for name in ("Самара", "Казань", "Москва"):
        city(name)
    first = machine.get(CITIES, {"page_size": 2}).json()
    assert names(first) == ["Казань", "Москва"]
    assert names(machine.get(first["next"]).json()) == ["Самара"]


def test_brands_and_categories(machine: Client) -> None:
    brand("Vestra")
    category("Вытяжки")
    assert names(machine.get(reverse("api:brands-list")).json()) == ["Vestra"]
    assert names(machine.get(reverse("api:categories-list")).json()) == ["Вытяжки"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_is_changed_over_the_api(machine: Client, method: str) -> None:
    center = ServiceCenterFactory()
    for url in (LIST, reverse("api:service-centers-detail", args=[center.pk]), MATCH, CITIES):
        assert getattr(machine, method)(url).status_code in {403, 405}


# --- Cost -------------------------------------------------------------------------------------------
def more(count: int) -> None:
    for _ in range(count):
        ServiceCenterFactory(skills=ALL_WORK, hours=WEEKDAYS, phones=["+7 (843) 000-00-01"], covers=[city("Самара")])


@pytest.mark.parametrize(
    "url", [LIST, f"{LIST}?city=Казань&work=installation&q=АСЦ", f"{MATCH}?city=Казань", f"{MATCH}?city=Самара", MATCH]
)
def test_the_cost_does_not_grow(machine: Client, url: str) -> None:
    city()
    assert_same_query_count(more, lambda: machine.get(url))


@pytest.mark.parametrize("url", [CITIES, f"{CITIES}?q=красно"])
def test_the_cost_of_cities_does_not_grow(machine: Client, url: str) -> None:
    letters = iter("абвгдежзиклмн")

    def grow(count: int) -> None:
        for _ in range(count):
            city(f"Красно{next(letters)}рск")

    assert_same_query_count(grow, lambda: machine.get(url))
