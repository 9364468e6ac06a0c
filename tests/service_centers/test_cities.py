"""The cities: the directory that comes with the product, and finding one as an operator types it."""

from __future__ import annotations

import csv
from zoneinfo import available_timezones

import pytest
from django.core.exceptions import ValidationError

from service_centers import reference
from service_centers.cities import city_named, exactly_one, find_cities, fold_city
from service_centers.models import City
from tests.helpers import count_queries
from tests.service_centers.factories import city

# Beside the big ones, those that a test names.
SMALL = {"Кировск", "Киров", "Кирово-Чепецк", "Железногорск", "Ростов", "Яя"}


@pytest.fixture
def directory(db: None) -> None:
    """A sixth of the directory: loading all of it for every test would take its time."""
    City.objects.bulk_create(city for city in reference.cities() if city.population > 100_000 or city.name in SMALL)


# --- The file ---------------------------------------------------------------------------------------
def rows() -> list[dict[str, str]]:
    with reference.CITIES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_of_the_file_is_sound() -> None:
    zones = available_timezones()
    for row in rows():
        assert row["name"] == row["name"].strip() != ""
        assert not set(row["name"].lower()) - set("абвгдеёжзийклмнопрстуфхцчшщъыьэюя -"), row["name"]
        assert row["region"].strip() == row["region"] != ""
        assert 41 < float(row["latitude"]) < 78
        assert 19 < float(row["longitude"]) < 180
        assert row["timezone"] in zones
        assert int(row["population"]) > 0
    assert len({(row["name"], row["region"]) for row in rows()}) == len(rows()) > 1000


@pytest.mark.parametrize("name", ["Орёл", "Королёв", "Берёзовский", "Щёлково", "Артём", "Киселёвск", "Вышний Волочёк"])
def test_yo_is_written(name: str) -> None:
    assert name in {row["name"] for row in rows()}


@pytest.mark.parametrize("name", ["Кировск", "Железногорск", "Благовещенск", "Троицк", "Мирный", "Киров", "Заречный"])
def test_cities_that_share_a_name_are_all_there(name: str) -> None:
    assert len({row["region"] for row in rows() if row["name"] == name}) >= 2


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Калининград", "Europe/Kaliningrad"),
        ("Самара", "Europe/Samara"),
        ("Екатеринбург", "Asia/Yekaterinburg"),
        ("Омск", "Asia/Omsk"),
        ("Новосибирск", "Asia/Novosibirsk"),
        ("Иркутск", "Asia/Irkutsk"),
        ("Якутск", "Asia/Yakutsk"),
        ("Владивосток", "Asia/Vladivostok"),
        ("Магадан", "Asia/Magadan"),
        ("Петропавловск-Камчатский", "Asia/Kamchatka"),
    ],
)
def test_zones(name: str, zone: str) -> None:
    assert [row["timezone"] for row in rows() if row["name"] == name] == [zone]


@pytest.mark.django_db
def test_loading_again_adds_nothing_and_changes_nothing() -> None:
    reference.load()
    count = City.objects.count()
    assert count == len(rows())
    City.objects.filter(name="Орёл").update(population=1)
    reference.load()
    assert City.objects.count() == count
    assert City.objects.get(name="Орёл").population == 1


# --- Finding ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("орел", ["Орёл (Орловская область)"]),
        ("ОРЁЛ", ["Орёл (Орловская область)"]),
        ("Екатеренбург", ["Екатеринбург (Свердловская область)", "Оренбург (Оренбургская область)"]),
        ("мсква", ["Москва"]),
        ("спб", ["Санкт-Петербург"]),
        ("питер", ["Санкт-Петербург"]),
        ("г. Тверь", ["Тверь (Тверская область)"]),
        ("город тверь", ["Тверь (Тверская область)"]),
        ("vjcrdf", ["Москва"]),  # «москва» in the Latin layout
        ("ростов на дону", ["Ростов-на-Дону (Ростовская область)"]),
        ("новгород", ["Нижний Новгород (Нижегородская область)", "Великий Новгород (Новгородская область)"]),
        ("кировск", ["Кировск (Мурманская область)", "Кировск (Ленинградская область)"]),
        ("Кировск (Мурманская область)", ["Кировск (Мурманская область)"]),
        ("железногорск, курская", ["Железногорск (Курская область)"]),
        ("ростов", ["Ростов-на-Дону (Ростовская область)", "Ростов (Ярославская область)"]),
        ("Йыщчц", []),
        ("%", []),
        ("_", []),
        ("\x00", None),
    ],
)
def test_what_is_found(directory: None, typed: str, expected: list[str] | None) -> None:
    found = [str(city) for city in find_cities(typed)]
    if expected is None:
        assert len(found) == 10  # as for nothing typed
    else:
        assert found == expected


def test_the_beginning_comes_first_and_the_bigger_before_the_smaller(directory: None) -> None:
    assert [found.name for found in find_cities("киров")][:3] == ["Киров", "Киров", "Кирово-Чепецк"]
    assert [found.name for found in find_cities("крас", limit=2)] == ["Красноярск", "Краснодар"]


def test_nothing_typed_gives_the_biggest(directory: None) -> None:
    assert [found.name for found in find_cities("  ", limit=2)] == ["Москва", "Санкт-Петербург"]


def test_finding_is_one_query(directory: None) -> None:
    assert len(count_queries(lambda: find_cities("кировск"))) == 1
    assert len(count_queries(lambda: find_cities(""))) == 1


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("казань", "Казань"),
        (" Казань (Республика Татарстан) ", "Казань"),
        ("спб", "Санкт-Петербург"),
        ("ленинград", "Санкт-Петербург"),
        ("Кировск (Мурманская область)", "Кировск"),
        ("кировск", None),  # two of them
        ("ростов", None),  # a town, and what people call Rostov-on-Don
        ("каз", None),
        ("Казнь", None),
        ("", None),
        ("Малые Вязёмы", None),
    ],
)
def test_a_city_is_recognised_only_where_it_is_certain(directory: None, typed: str, expected: str | None) -> None:
    found = city_named(typed)
    assert (found and found.name) == expected


def test_exactly_one_of_what_was_found(directory: None) -> None:
    found = exactly_one(find_cities("киров"))
    assert found is None
    found = exactly_one(find_cities("орел"))
    assert found is not None
    assert found.name == "Орёл"


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("  Ростов-на-Дону ", "ростов на дону"),
        ("г.Орёл", "орел"),
        ("пос. Никель", "никель"),
        ("Село", "село"),
        ("Городец", "городец"),
        ("", ""),
    ],
)
def test_folding(typed: str, folded: str) -> None:
    assert fold_city(typed) == folded


@pytest.mark.django_db
def test_a_city_says_its_region_where_that_says_more() -> None:
    assert str(city("Москва")) == "Москва"
    assert str(city("Орёл")) == "Орёл (Орловская область)"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"timezone": "Europe/Kazan"}, "timezone"), ({"latitude": 91}, "latitude"), ({"longitude": -181}, "longitude")],
)
@pytest.mark.django_db
def test_a_city_that_nobody_could_reckon_with_is_refused(changes: dict[str, object], field: str) -> None:
    values = {"name": "Т", "region": "Р", "latitude": 55, "longitude": 50, "timezone": "Europe/Moscow"} | changes
    with pytest.raises(ValidationError) as refused:
        City(**values).full_clean(exclude=["folded_name"])
    assert list(refused.value.message_dict) == [field]
