"""The matching on the database: what the rules are fed with, and at what cost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation

from service_centers.contacts import Contacts, contacts, open_state
from service_centers.matching import MatchResult, ReasonCode, match
from service_centers.models import ServiceCenter, WorkKind
from tests.helpers import assert_same_query_count, count_queries
from tests.service_centers.factories import ALL_WORK, WEEKDAYS, ServiceCenterFactory, brand, category, city

pytestmark = pytest.mark.django_db
MONDAY_NOON = datetime(2026, 7, 20, 9, 0, tzinfo=UTC)  # 12:00 in Kazan, 19:00 in Vladivostok
WARRANTY, PAID, INSTALLATION = WorkKind.WARRANTY_REPAIR, WorkKind.PAID_REPAIR, WorkKind.INSTALLATION


def ask(**changes: Any) -> MatchResult:
    question = {
        "city": city(),
        "brand": brand(),
        "category": category(),
        "work": WARRANTY,
        "at": MONDAY_NOON,
    }
    return match(**question | changes)


def names(result: MatchResult) -> list[str]:
    return [candidate.center.name for candidate in result.candidates]


def why(result: MatchResult) -> dict[str, list[str]]:
    return {loser.center.name: [reason.code.value for reason in loser.reasons] for loser in result.losers}


def test_a_candidate_in_full() -> None:
    center = ServiceCenterFactory(name="Мастер", skills=[("Vestra", "Холодильники", WARRANTY)], hours=WEEKDAYS)
    with translation.override("ru"):
        [candidate] = ask().candidates
    assert candidate.center == center
    assert (candidate.rank, candidate.distance_km, candidate.open_now, candidate.opens_next) == (1, None, True, None)
    assert candidate.codes == ["in_city", "exact", "open_now"]
    assert [reason.text for reason in candidate.reasons] == [
        "в городе клиента",
        "авторизован: Vestra, Холодильники, гарантийный ремонт",
        "открыт до 18:00",
    ]


SKILLS = [
    # skills of a centre in the city → the code of its authorisation, or of its failure
    ([("Vestra", "Холодильники", WARRANTY)], ReasonCode.EXACT),
    ([("Vestra", None, WARRANTY)], ReasonCode.WHOLE_BRAND),
    ([("Vestra", None, WARRANTY), ("Vestra", "Холодильники", WARRANTY)], ReasonCode.EXACT),
    ([], ReasonCode.NOT_BRAND),
    ([("Aquilon", None, WARRANTY)], ReasonCode.NOT_BRAND),
    ([("Aquilon", "Холодильники", WARRANTY)], ReasonCode.NOT_BRAND),
    ([("Vestra", "Вытяжки", WARRANTY)], ReasonCode.NOT_CATEGORY),
    ([("Vestra", "Вытяжки", WARRANTY), ("Aquilon", None, WARRANTY)], ReasonCode.NOT_CATEGORY),
    ([("Vestra", "Холодильники", PAID)], ReasonCode.NOT_WORK),
    ([("Vestra", None, INSTALLATION)], ReasonCode.NOT_WORK),
    ([("Vestra", "Холодильники", PAID), ("Vestra", "Вытяжки", WARRANTY)], ReasonCode.NOT_WORK),
]


@pytest.mark.parametrize(("skills", "code"), SKILLS)
def test_what_the_authorisations_say(skills: list[Any], code: ReasonCode) -> None:
    ServiceCenterFactory(name="Мастер", skills=skills)
    result = ask()
    if code in (ReasonCode.EXACT, ReasonCode.WHOLE_BRAND):
        assert [candidate.codes for candidate in result.candidates] == [["in_city", code, "hours_unknown"]]
        assert result.losers == ()
    else:
        assert result.candidates == ()
        assert why(result) == {"Мастер": [code]}


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"category": None}, "part_of_brand"),
        ({"brand": None}, "any_brand"),
        ({"brand": None, "category": None}, "any_brand"),
        ({"city": None}, "exact"),
    ],
)
def test_what_is_not_named_is_not_judged(question: dict[str, Any], code: str) -> None:
    ServiceCenterFactory(skills=[("Vestra", "Холодильники", WARRANTY)])
    [candidate] = ask(**question).candidates
    assert candidate.codes[1] == code


def test_the_category_counts_without_a_brand() -> None:
    ServiceCenterFactory(name="Мастер", skills=[("Vestra", "Вытяжки", WARRANTY)])
    result = ask(brand=None)
    assert result.candidates == ()
    assert why(result) == {"Мастер": ["not_category"]}


def test_in_the_city_then_travelling_there_and_the_others_lose() -> None:
    ServiceCenterFactory(name="Дальний", city=city("Самара"), skills=ALL_WORK)
    ServiceCenterFactory(name="Выездной", city=city("Чебоксары"), skills=ALL_WORK, covers=[city()])
    ServiceCenterFactory(name="Свой", skills=ALL_WORK)
    ServiceCenterFactory(name="Закрытый", skills=ALL_WORK, is_active=False)
    result = ask()
    assert names(result) == ["Свой", "Выездной"]
    assert [candidate.rank for candidate in result.candidates] == [1, 2]
    assert [candidate.distance_km for candidate in result.candidates] == [None, 123]
    assert why(result) == {"Закрытый": ["inactive"], "Дальний": ["other_city"]}


def test_open_by_the_clock_of_the_centre() -> None:
    vladivostok = city("Владивосток")
    ServiceCenterFactory(name="А", city=vladivostok, skills=ALL_WORK, hours=WEEKDAYS)
    ServiceCenterFactory(name="Б", city=vladivostok, skills=ALL_WORK, hours=[(1, "9:00", "20:00")])
    result = ask(city=vladivostok)
    assert names(result) == ["Б", "А"]
    assert [candidate.open_now for candidate in result.candidates] == [True, False]
    assert result.candidates[1].opens_next == datetime(2026, 7, 20, 23, 0, tzinfo=UTC)  # Tuesday 9:00 there


def test_the_nearest_within_what_the_settings_say(settings: Any) -> None:
    for place in ("Самара", "Ульяновск", "Чебоксары", "Зеленодольск", "Москва"):
        ServiceCenterFactory(name=place, city=city(place), skills=ALL_WORK)
    assert names(ask()) == ["Зеленодольск", "Чебоксары", "Ульяновск"]
    assert why(ask()) == {"Самара": ["farther"], "Москва": ["too_far"]}
    settings.MATCH_NEAREST_LIMIT = 5
    settings.MATCH_NEAREST_KM = 1000
    assert names(ask()) == ["Зеленодольск", "Чебоксары", "Ульяновск", "Самара", "Москва"]


def test_cities_that_share_a_name_are_not_one() -> None:
    kirovsk = city("Кировск", region="Мурманская область", latitude=67.6, longitude=33.7)
    other = city("Кировск", region="Ленинградская область", latitude=59.9, longitude=31.0)
    ServiceCenterFactory(name="Северный", city=kirovsk, skills=ALL_WORK)
    result = ask(city=other)
    assert result.candidates == ()
    assert why(result) == {"Северный": ["too_far"]}


def test_one_that_matches_in_several_ways_stands_once() -> None:
    ServiceCenterFactory(
        name="Мастер",
        skills=[*ALL_WORK, ("Vestra", "Холодильники", WARRANTY), ("Vestra", "Вытяжки", WARRANTY)],
        covers=[city(), city("Зеленодольск")],
    )
    assert names(ask()) == ["Мастер"]


def test_the_cost_does_not_grow() -> None:
    def more(count: int) -> None:
        for _ in range(count):
            ServiceCenterFactory(skills=ALL_WORK, hours=WEEKDAYS, phones=["+7 (843) 000-00-01"])
            ServiceCenterFactory(city=city("Самара"), phones=["+7 (846) 000-00-01"])

    def read() -> None:
        result = ask()
        for found in (*result.candidates, *result.losers):
            contacts(found.center)

    question = {"city": city(), "brand": brand(), "category": category(), "work": WARRANTY, "at": MONDAY_NOON}
    assert_same_query_count(more, read)
    assert len(count_queries(lambda: match(**question))) == 4


# --- Contacts ---------------------------------------------------------------------------------------
def test_contacts_are_in_the_clients_language_whatever_the_operators_is() -> None:
    center = ServiceCenterFactory(
        name="АСЦ «Мастер»",
        address="ул. Декабристов, 85",
        phones=["+7 (843) 000-11-22", "+7 (843) 000-11-23"],
        hours=[*WEEKDAYS, (6, "10:00", "15:00")],
    )
    with translation.override("en"):
        read = contacts(center)
    assert read == Contacts(
        name="АСЦ «Мастер»",
        city="Казань",
        address="ул. Декабристов, 85",
        phones=("+7 (843) 000-11-22", "+7 (843) 000-11-23"),
        hours="Пн–Пт 9:00–18:00, Сб 10:00–15:00",
    )
    assert read.full_address == "Казань, ул. Декабристов, 85"


def test_contacts_cost_nothing_when_prefetched() -> None:
    ServiceCenterFactory(phones=["+7 (843) 000-11-22"], hours=WEEKDAYS)
    center = ServiceCenter.objects.for_detail().get()
    assert count_queries(lambda: (contacts(center), open_state(center, MONDAY_NOON))) == []
