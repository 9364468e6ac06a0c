"""The pages: find a centre, read it out."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from service_centers.models import WorkKind
from tests.helpers import assert_same_query_count
from tests.service_centers.factories import ALL_WORK, WEEKDAYS, ServiceCenterFactory, brand, category, city

LIST = reverse("service_centers:list")
SUGGEST = reverse("service_centers:city-suggest")


def text(client: Client, **query: object) -> str:
    response = client.get(LIST, query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_directory_stands_by_city(desk: Client) -> None:
    for name in ("Самара", "Казань", "Орёл", "Москва"):
        ServiceCenterFactory(name=f"АСЦ {name}", city=city(name), phones=["+7 (843) 000-11-22"])
    shown = text(desk)
    places = [shown.index(f"АСЦ {name}") for name in ("Казань", "Москва", "Орёл", "Самара")]
    assert places == sorted(places)
    assert "+7 (843) 000-11-22" in shown


def test_pages_follow_one_another(desk: Client) -> None:
    for number in range(60):
        ServiceCenterFactory(name=f"АСЦ {number:02d}")
    first = desk.get(LIST)
    assert [center.name for center in first.context["centers"]] == [f"АСЦ {n:02d}" for n in range(50)]
    assert first.context["previous"] is None
    second = desk.get(first.context["next"])
    assert [center.name for center in second.context["centers"]] == [f"АСЦ {n:02d}" for n in range(50, 60)]
    assert second.context["next"] is None
    assert [c.name for c in desk.get(second.context["previous"]).context["centers"]][0] == "АСЦ 00"


@pytest.mark.parametrize("cursor", ["x", "%00", "cD0x", "cj0xJnA9"])
def test_a_made_up_cursor_is_not_found(desk: Client, cursor: str) -> None:
    assert desk.get(f"{LIST}?cursor={cursor}").status_code in {200, 404}


def test_with_a_city_they_are_ranked_with_reasons(desk: Client) -> None:
    ServiceCenterFactory(name="Свой", skills=ALL_WORK, hours=WEEKDAYS)
    ServiceCenterFactory(name="Чужой", city=city("Самара"), skills=ALL_WORK)
    ServiceCenterFactory(name="Неумелый")
    shown = text(desk, city="казань", brand=brand().pk, category=category().pk)
    assert "Для клиента из г. Казань" in shown
    assert "авторизован на всю технику Vestra: гарантийный ремонт" in shown
    assert shown.index("Свой") < shown.index("Почему не другие") < shown.index("Неумелый") < shown.index("Чужой")
    assert "не авторизован на Vestra" in shown
    assert "город клиента обслуживают другие" in shown


def test_the_kind_of_work_counts(desk: Client) -> None:
    ServiceCenterFactory(name="Платный", skills=[("Vestra", None, WorkKind.PAID_REPAIR)])
    assert "Предложить некого" in text(desk, city="казань", brand=brand().pk)
    assert "Предложить некого" not in text(desk, city="казань", brand=brand().pk, work="paid_repair")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "мастер"}, ["АСЦ «Мастер»"]),
        ({"q": "зелёная"}, ["АСЦ «Орёл»"]),
        ({"q": "орел"}, ["АСЦ «Орёл»"]),
        ({"q": "t-77"}, ["АСЦ «Мастер»"]),
        ({"q": "000-11-22"}, ["АСЦ «Мастер»"]),
        ({"q": "8 (843) 000-11-22"}, ["АСЦ «Мастер»"]),
        ({"q": "нет такого"}, []),
        ({"q": "100%"}, []),
        ({"is_active": "true"}, ["АСЦ «Мастер»"]),
        ({"is_active": "false"}, ["АСЦ «Орёл»"]),
        ({"work": "installation"}, ["АСЦ «Мастер»"]),
        ({"work": "paid_repair"}, []),
        ({"city": "Самара", "q": "мастер"}, []),
        ({"city": "Казань", "q": "мастер"}, ["АСЦ «Мастер»"]),
        ({"city": "Зеленодольск", "q": "мастер"}, ["АСЦ «Мастер»"]),
        ({"city": "Малые Кабаны"}, []),
    ],
)
def test_filters(desk: Client, query: dict[str, str], found: list[str]) -> None:
    for name in ("Самара", "Зеленодольск"):
        city(name)
    ServiceCenterFactory(
        name="АСЦ «Мастер»",
        code="T-77",
        phones=["+7 (843) 000-11-22"],
        skills=[("Vestra", None, "installation")],
        covers=[city("Зеленодольск")],
    )
    ServiceCenterFactory(name="АСЦ «Орёл»", address="ул. Зеленая, 5", is_active=False)
    response = desk.get(LIST, query)
    assert [center.name for center in response.context["centers"]] == found


def test_brand_category_and_work_are_met_by_one_authorisation(desk: Client) -> None:
    ServiceCenterFactory(
        name="Порознь", skills=[("Vestra", "Вытяжки", "warranty_repair"), ("Aquilon", "Холодильники", "paid_repair")]
    )
    ServiceCenterFactory(name="Вместе", skills=[("Vestra", None, "paid_repair")])
    query = {"brand": brand("Vestra").pk, "category": category("Холодильники").pk, "work": "paid_repair"}
    assert [center.name for center in desk.get(LIST, query).context["centers"]] == ["Вместе"]


@pytest.mark.parametrize(
    "query",
    [
        {"brand": "x"},
        {"brand": "99999999999999999999"},
        {"work": "magic"},
        {"category": "-1"},
        {"q": "\x00"},
        {"city": "а" * 200},
        {"city_id": "\x00", "city": "Казань"},
    ],
)
def test_nonsense_is_no_error_page(desk: Client, query: dict[str, str]) -> None:
    assert desk.get(LIST, query).status_code == 200


def test_empty_states_say_what_to_do(desk: Client) -> None:
    assert "Справочник пуст" in text(desk)
    assert "Этого города нет в справочнике" in text(desk, city="Малые Кабаны")
    assert "Ничего не найдено" in text(desk, q="нет такого")


def test_htmx_gets_the_results_alone_and_a_boosted_page_the_whole(desk: Client) -> None:
    fragment = desk.get(LIST, headers={"HX-Request": "true"})
    assert b"<html" not in fragment.content
    assert b'id="centers"' in fragment.content
    assert "HX-Request" in fragment["Vary"]
    boosted = desk.get(LIST, headers={"HX-Request": "true", "HX-Boosted": "true"})
    assert b"<html" in boosted.content
    assert "HX-Request" in boosted["Vary"]


# --- One centre -------------------------------------------------------------------------------------
def test_what_is_read_out(desk: Client) -> None:
    center = ServiceCenterFactory(
        name="АСЦ «Мастер»",
        address="ул. Декабристов, 85",
        directions="вход со двора",
        note="по пятницам выезд",
        phones=["+7 (843) 000-11-22"],
        hours=[*WEEKDAYS, (6, "10:00", "15:00")],
        skills=[
            ("Vestra", None, "warranty_repair"),
            ("Vestra", "Вытяжки", "warranty_repair"),
            ("Aquilon", "Вытяжки", "installation"),
        ],
        covers=[city("Зеленодольск")],
    )
    response = desk.get(reverse("service_centers:detail", args=[center.pk]))
    shown = response.content.decode()
    for words in (
        "<span>+7</span><span>843</span><span>000</span><span>11</span><span>22</span>",
        "Казань, ул. Декабристов, 85",
        "Пн–Пт 9:00–18:00, Сб 10:00–15:00",
        "вход со двора",
        "по пятницам выезд",
        "Зеленодольск",
        'data-local-time="Europe/Moscow"',
    ):
        assert words in shown
    assert response.context["authorisations"] == [
        {"brands": ["Aquilon"], "lines": [{"works": ("установка",), "categories": ("Вытяжки",)}]},
        {"brands": ["Vestra"], "lines": [{"works": ("гарантийный ремонт",), "categories": ()}]},
    ]
    assert "/admin/" not in shown


def test_what_is_alike_is_said_once(desk: Client) -> None:
    works = ("warranty_repair", "paid_repair")
    skills = [(of, kind, work) for of in ("Vestra", "Aquilon") for kind in ("Вытяжки", "Духовки") for work in works]
    center = ServiceCenterFactory(skills=[*skills, ("Зарника", None, "installation")])
    assert desk.get(reverse("service_centers:detail", args=[center.pk])).context["authorisations"] == [
        {
            "brands": ["Aquilon", "Vestra"],
            "lines": [{"works": ("гарантийный ремонт", "платный ремонт"), "categories": ("Вытяжки", "Духовки")}],
        },
        {"brands": ["Зарника"], "lines": [{"works": ("установка",), "categories": ()}]},
    ]


def test_one_of_which_nothing_is_known(desk: Client) -> None:
    shown = desk.get(
        reverse("service_centers:detail", args=[ServiceCenterFactory(is_active=False).pk])
    ).content.decode()
    assert "часы работы не указаны" in shown
    assert "не принимает заявки" in shown
    assert "Ни на что" in shown


def test_a_supervisor_is_led_to_the_back_office(back_office: Client) -> None:
    center = ServiceCenterFactory()
    shown = back_office.get(reverse("service_centers:detail", args=[center.pk])).content.decode()
    assert reverse("admin:service_centers_servicecenter_change", args=[center.pk]) in shown


@pytest.mark.parametrize("pk", [0, 2**63 - 1, 2**70])
def test_no_such_centre(desk: Client, pk: int) -> None:
    assert desk.get(f"{LIST}{pk}/").status_code == 404


# --- Cost -------------------------------------------------------------------------------------------
def more(count: int) -> None:
    for _ in range(count):
        ServiceCenterFactory(skills=ALL_WORK, hours=WEEKDAYS, phones=["+7 (843) 000-00-01"], covers=[city("Самара")])


@pytest.mark.parametrize("query", ["", "?q=АСЦ", "?city=Казань", "?city=Самара&work=installation"])
def test_the_list_costs_the_same(desk: Client, query: str) -> None:
    city()
    assert_same_query_count(more, lambda: desk.get(f"{LIST}{query}"))


def test_a_centre_costs_the_same(desk: Client) -> None:
    center = ServiceCenterFactory()
    places = iter(range(100))

    def grow(count: int) -> None:
        for number in (next(places) for _ in range(count)):
            center.coverage.create(city=city(f"Город {number}"))
            center.skills.create(brand=brand(f"Марка {number}"), work="installation")
            center.phones.create(number="+7 (843) 000-00-01")

    assert_same_query_count(grow, lambda: desk.get(reverse("service_centers:detail", args=[center.pk])))


# --- Suggestions ------------------------------------------------------------------------------------
def test_suggestions(desk: Client) -> None:
    orel = city("Орёл")
    shown = desk.get(SUGGEST, {"q": "орел"}).content.decode()
    assert f'<li role="option" data-value="{orel.pk}" data-text="Орёл (Орловская область)" data-exact>' in shown
    assert "1 город, выберите стрелками" in " ".join(shown.split())


def test_two_of_one_name_are_told_apart_and_none_is_exact(desk: Client) -> None:
    city("Кировск", region="Мурманская область")
    city("Кировск", region="Ленинградская область")
    shown = desk.get(SUGGEST, {"q": "кировск"}).content.decode()
    assert "Мурманская область" in shown
    assert "Ленинградская область" in shown
    assert "data-exact" not in shown
    assert "2 города, выберите стрелками" in " ".join(shown.split())


def test_no_suggestion_says_that_the_text_stays(desk: Client) -> None:
    shown = desk.get(SUGGEST, {"q": "ыыыыы"}).content.decode()
    assert "<li" not in shown
    assert "Нет в справочнике: останется так, как введено." in shown


@pytest.mark.parametrize("query", ["q=%00", "q=" + "%D0%B0" * 300, "q=%", "", "q=%FF"])
def test_suggestions_never_fail(desk: Client, query: str) -> None:
    assert desk.get(f"{SUGGEST}?{query}").status_code == 200


def test_suggestions_cost_the_same(desk: Client) -> None:
    numbers = iter("абвгдежзиклмн")

    def grow(count: int) -> None:
        for _ in range(count):
            city(f"Красно{next(numbers)}рск")

    assert_same_query_count(grow, lambda: desk.get(SUGGEST, {"q": "красно"}), few=2, many=9)
