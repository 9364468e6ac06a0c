"""The rules of the matching without a database: every reason code, the order, and who is named among the losers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.utils import translation

from service_centers.hours import OpenState
from service_centers.matching import (
    LOSERS_SHOWN,
    UNPLACED_SHOWN,
    Facts,
    Place,
    Question,
    Reason,
    ReasonCode,
    Verdict,
    authorisation,
    distance_km,
    rank,
    select,
)
from service_centers.models import Brand, Category, City, WorkKind
from tests.service_centers.factories import PLACES

CITIES = {
    name: City(pk=number, name=name, region=region, latitude=latitude, longitude=longitude, timezone=zone)
    for number, (name, (region, latitude, longitude, zone)) in enumerate(PLACES.items(), start=1)
}
BRAND = Brand(pk=1, name="Vestra")
CATEGORY = Category(pk=1, name="Холодильники")
ASKED = Question(CITIES["Казань"], BRAND, CATEGORY, WorkKind.WARRANTY_REPAIR)


def facts(pk: int = 1, place: str = "Казань", **changes: object) -> Facts:
    """A centre authorised for all of the brand, in a place."""
    city = CITIES[place]
    assert city.pk is not None
    able = Facts(pk, f"АСЦ {pk:02d}", city.pk, city.name, city.latitude, city.longitude, whole=True)
    return replace(able, **changes)  # type: ignore[arg-type]


def codes(verdict: Verdict) -> list[ReasonCode]:
    return [reason.code for reason in verdict.reasons]


@pytest.fixture(autouse=True)
def _russian():
    with translation.override("ru"):
        yield


# --- Every reason, with its words -------------------------------------------------------------------
CHOSEN = [
    (
        "in the city, the very category",
        facts(exact=True),
        ASKED,
        None,
        [
            Reason(ReasonCode.IN_CITY, "в городе клиента"),
            Reason(ReasonCode.EXACT, "авторизован: Vestra, Холодильники, гарантийный ремонт"),
        ],
    ),
    (
        "in the city, the whole brand",
        facts(),
        ASKED,
        None,
        [
            Reason(ReasonCode.IN_CITY, "в городе клиента"),
            Reason(ReasonCode.WHOLE_BRAND, "авторизован на всю технику Vestra: гарантийный ремонт"),
        ],
    ),
    (
        "travels there",
        facts(place="Чебоксары", covers=True),
        ASKED,
        123,
        [
            Reason(ReasonCode.COVERS_CITY, "выезжает в г. Казань из г. Чебоксары, 123 км"),
            Reason(ReasonCode.WHOLE_BRAND, "авторизован на всю технику Vestra: гарантийный ремонт"),
        ],
    ),
    (
        "nearest",
        facts(place="Зеленодольск"),
        ASKED,
        38,
        [
            Reason(ReasonCode.NEAREST, "ближайший к г. Казань: Зеленодольск, 38 км"),
            Reason(ReasonCode.WHOLE_BRAND, "авторизован на всю технику Vestra: гарантийный ремонт"),
        ],
    ),
    (
        "no such city",
        facts(),
        replace(ASKED, city=None),
        None,
        [
            Reason(ReasonCode.CITY_UNKNOWN, "города нет в справочнике: расстояние неизвестно"),
            Reason(ReasonCode.WHOLE_BRAND, "авторизован на всю технику Vestra: гарантийный ремонт"),
        ],
    ),
    (
        "the category is not known yet",
        facts(whole=False, part=True),
        replace(ASKED, category=None),
        None,
        [
            Reason(ReasonCode.IN_CITY, "в городе клиента"),
            Reason(ReasonCode.PART_OF_BRAND, "авторизован только на часть техники Vestra: уточните категорию"),
        ],
    ),
    (
        "the brand is not known yet",
        facts(exact=True),
        replace(ASKED, brand=None, work=WorkKind.INSTALLATION),
        None,
        [
            Reason(ReasonCode.IN_CITY, "в городе клиента"),
            Reason(ReasonCode.ANY_BRAND, "авторизован: установка; марка не названа"),
        ],
    ),
    (
        "out of warranty",
        facts(exact=True),
        replace(ASKED, work=WorkKind.PAID_REPAIR),
        None,
        [
            Reason(ReasonCode.IN_CITY, "в городе клиента"),
            Reason(ReasonCode.EXACT, "авторизован: Vestra, Холодильники, платный ремонт"),
        ],
    ),
]


@pytest.mark.parametrize(("what", "center", "question", "km", "reasons"), CHOSEN, ids=[case[0] for case in CHOSEN])
def test_why_a_centre_is_offered(
    what: str, center: Facts, question: Question, km: int | None, reasons: list[Reason]
) -> None:
    selection = select([center], question)
    assert [(verdict.km, list(verdict.reasons)) for verdict in selection.chosen] == [(km, reasons)]
    assert selection.lost == ()


LOST = [
    (
        "not for the brand",
        facts(whole=False, brand_known=False, category_known=False),
        ASKED,
        [Reason(ReasonCode.NOT_BRAND, "не авторизован на Vestra")],
    ),
    (
        "not for the category",
        facts(whole=False, category_known=False),
        ASKED,
        [Reason(ReasonCode.NOT_CATEGORY, "авторизован на Vestra, но не на категорию «Холодильники»")],
    ),
    (
        "not for the category, whatever the brand",
        facts(whole=False, category_known=False),
        replace(ASKED, brand=None),
        [Reason(ReasonCode.NOT_CATEGORY, "не авторизован на категорию «Холодильники»")],
    ),
    (
        "not for this work",
        facts(whole=False),
        ASKED,
        [Reason(ReasonCode.NOT_WORK, "не выполняет эти работы: гарантийный ремонт")],
    ),
    (
        "takes no requests",
        facts(is_active=False),
        ASKED,
        [Reason(ReasonCode.INACTIVE, "сейчас не принимает заявки")],
    ),
    (
        "two faults, both said",
        facts(is_active=False, whole=False),
        ASKED,
        [
            Reason(ReasonCode.INACTIVE, "сейчас не принимает заявки"),
            Reason(ReasonCode.NOT_WORK, "не выполняет эти работы: гарантийный ремонт"),
        ],
    ),
    (
        "travels there, but not for the brand",
        facts(place="Чебоксары", covers=True, whole=False, brand_known=False),
        ASKED,
        [Reason(ReasonCode.NOT_BRAND, "не авторизован на Vestra")],
    ),
    (
        "too far",
        facts(place="Москва"),
        ASKED,
        [Reason(ReasonCode.TOO_FAR, "719 км — дальше 500 км")],
    ),
]


@pytest.mark.parametrize(("what", "center", "question", "reasons"), LOST, ids=[case[0] for case in LOST])
def test_why_a_centre_lost(what: str, center: Facts, question: Question, reasons: list[Reason]) -> None:
    selection = select([center], question)
    assert selection.chosen == ()
    assert [list(verdict.reasons) for verdict in selection.lost] == [reasons]


def test_every_reason_code_is_in_a_table() -> None:
    stated = {reason.code for case in CHOSEN for reason in case[4]} | {r.code for case in LOST for r in case[3]}
    # these need company, or the clock: the tests below
    elsewhere = {
        *(ReasonCode.FARTHER, ReasonCode.OTHER_CITY),
        *(ReasonCode.OPEN_NOW, ReasonCode.CLOSED_NOW, ReasonCode.HOURS_UNKNOWN),
    }
    assert stated | elsewhere == set(ReasonCode)


# --- Place ------------------------------------------------------------------------------------------
def test_the_nearest_are_asked_only_where_nobody_serves_the_city() -> None:
    own, near = facts(1), facts(2, "Зеленодольск")
    selection = select([near, own], ASKED)
    assert [verdict.pk for verdict in selection.chosen] == [1]
    assert selection.lost[0].reasons == (Reason(ReasonCode.OTHER_CITY, "город клиента обслуживают другие"),)


def test_a_centre_that_only_travels_there_is_enough() -> None:
    selection = select([facts(1, "Зеленодольск"), facts(2, "Чебоксары", covers=True)], ASKED)
    assert [verdict.pk for verdict in selection.chosen] == [2]


def test_a_centre_of_the_city_that_can_not_do_it_does_not_hide_the_nearest() -> None:
    selection = select([facts(1, is_active=False), facts(2, "Зеленодольск")], ASKED)
    assert [verdict.pk for verdict in selection.chosen] == [2]
    assert [(verdict.pk, codes(verdict)) for verdict in selection.lost] == [(1, [ReasonCode.INACTIVE])]


def test_three_nearest_by_distance_and_the_others_are_farther() -> None:
    everybody = [facts(1, "Самара"), facts(2, "Ульяновск"), facts(3, "Чебоксары"), facts(4, "Зеленодольск")]
    selection = select(everybody, ASKED)
    assert [(verdict.pk, verdict.km) for verdict in selection.chosen] == [(4, 38), (3, 123), (2, 169)]
    assert [(verdict.pk, *verdict.reasons) for verdict in selection.lost] == [
        (1, Reason(ReasonCode.FARTHER, "295 км — есть ближе"))
    ]


def test_the_limits_are_parameters() -> None:
    everybody = [facts(1, "Зеленодольск"), facts(2, "Чебоксары"), facts(3, "Ульяновск")]
    assert [verdict.pk for verdict in select(everybody, ASKED, nearest_limit=1).chosen] == [1]
    assert [verdict.pk for verdict in select(everybody, ASKED, nearest_km=130).chosen] == [1, 2]


def test_a_centre_with_coordinates_of_its_own_is_measured_from_them() -> None:
    moved = facts(1, "Москва", latitude=55.8, longitude=49.3)  # a branch on the edge of Kazan
    assert [verdict.km for verdict in select([moved], ASKED).chosen] == [11]


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        ("Казань", "Казань", 0),
        ("Казань", "Зеленодольск", 38),
        ("Москва", "Казань", 719),
        ("Москва", "Владивосток", 6416),
    ],
)
def test_distance(one: str, other: str, km: int) -> None:
    a, b = CITIES[one], CITIES[other]
    assert round(distance_km(a.latitude, a.longitude, b.latitude, b.longitude)) == km
    assert round(distance_km(b.latitude, b.longitude, a.latitude, a.longitude)) == km


# --- Losers -----------------------------------------------------------------------------------------
def test_losers_of_the_city_come_first_then_the_nearest_few() -> None:
    strangers = [facts(pk, "Самара", whole=False) for pk in range(10, 20)]
    here = [facts(1, whole=False), facts(2, "Чебоксары", covers=True, is_active=False)]
    lost = select([*strangers, *here, facts(3)], ASKED).lost
    assert [verdict.pk for verdict in lost] == [1, 2, *range(10, 10 + LOSERS_SHOWN)]


def test_where_nobody_is_offered_the_nearest_able_is_named() -> None:
    strangers = [facts(pk, "Зеленодольск", whole=False) for pk in range(10, 20)]
    selection = select([*strangers, facts(1, "Владивосток"), facts(2, "Москва")], ASKED)
    assert selection.chosen == ()
    assert [verdict.pk for verdict in selection.lost] == [10, 11, 12, 13, 14, 2]
    assert codes(selection.lost[-1]) == [ReasonCode.TOO_FAR]


def test_without_a_city_they_stand_by_city_and_are_limited() -> None:
    everybody = [facts(pk, "Самара") for pk in range(10, 40)] + [facts(1, "Казань"), facts(2, is_active=False)]
    selection = select(everybody, replace(ASKED, city=None))
    assert len(selection.chosen) == UNPLACED_SHOWN
    assert [verdict.pk for verdict in selection.chosen[:3]] == [1, 10, 11]
    assert selection.lost == ()


def test_nobody_at_all() -> None:
    selection = select([], ASKED)
    assert (selection.chosen, selection.lost) == ((), ())


# --- Authorisation ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("center", "question", "expected"),
    [
        (facts(exact=True, whole=True), ASKED, (True, ReasonCode.EXACT)),
        (facts(exact=True, whole=False), ASKED, (True, ReasonCode.EXACT)),
        (facts(exact=False, whole=True), ASKED, (True, ReasonCode.WHOLE_BRAND)),
        (facts(whole=True, part=True), replace(ASKED, category=None), (True, ReasonCode.WHOLE_BRAND)),
        (facts(whole=False, part=True), replace(ASKED, category=None), (True, ReasonCode.PART_OF_BRAND)),
        (facts(whole=True), replace(ASKED, brand=None), (True, ReasonCode.ANY_BRAND)),
        (facts(whole=False), replace(ASKED, brand=None), (False, ReasonCode.NOT_WORK)),
        (facts(whole=False, category_known=False), ASKED, (False, ReasonCode.NOT_CATEGORY)),
        (facts(whole=False, brand_known=False), ASKED, (False, ReasonCode.NOT_BRAND)),
    ],
)
def test_authorisation(center: Facts, question: Question, expected: tuple[bool, ReasonCode]) -> None:
    assert (center.is_authorised, authorisation(center, question).code) == expected


# --- Order ------------------------------------------------------------------------------------------
NOON = datetime(2026, 7, 20, 9, 0, tzinfo=UTC)
OPEN = OpenState(is_open=True, text="", until=NOON)
CLOSED = OpenState(is_open=False, text="", opens_next=NOON)
UNKNOWN = OpenState(is_open=None, text="")


def verdict(pk: int, place: Place, *, name: str = "АСЦ", is_exact: bool = False) -> Verdict:
    return Verdict(pk, name, place, None, (), is_exact)


def test_the_order_of_the_candidates() -> None:
    chosen = {
        1: (verdict(1, Place.COVERS_CITY, is_exact=True), OPEN),
        2: (verdict(2, Place.IN_CITY, is_exact=True), CLOSED),
        3: (verdict(3, Place.IN_CITY), UNKNOWN),
        4: (verdict(4, Place.IN_CITY, name="Б"), OPEN),
        5: (verdict(5, Place.IN_CITY, name="А"), OPEN),
        6: (verdict(6, Place.IN_CITY, name="Я", is_exact=True), OPEN),
        7: (verdict(7, Place.COVERS_CITY), CLOSED),
    }
    states = {pk: state for pk, (_verdict, state) in chosen.items()}
    expected = [6, 5, 4, 3, 2, 1, 7]
    for order in (list(chosen), list(reversed(chosen))):
        ranked = rank([chosen[pk][0] for pk in order], states)
        assert [verdict.pk for verdict in ranked] == expected


def test_the_nearest_stay_in_the_order_of_distance_open_or_not() -> None:
    near = [verdict(1, Place.ELSEWHERE), verdict(2, Place.ELSEWHERE, is_exact=True)]
    assert [v.pk for v in rank(near, {1: CLOSED, 2: OPEN})] == [1, 2]


def test_of_two_alike_the_older_row_is_first() -> None:
    twins = [verdict(2, Place.IN_CITY), verdict(1, Place.IN_CITY)]
    assert [v.pk for v in rank(twins, {1: OPEN, 2: OPEN})] == [1, 2]
