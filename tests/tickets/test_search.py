"""Finding clients, appeals and models as operators type."""

from __future__ import annotations

import pytest

from tests.factories import (
    AppealFactory,
    AppealReferenceFactory,
    ApplianceFactory,
    ClientFactory,
    ProductModelFactory,
    UserFactory,
    brand,
    category,
    city,
    main_account,
)
from tests.helpers import assert_same_query_count, count_queries
from tickets.models import Client
from tickets.search import find_appeals, find_by_phone, find_clients, find_models, likely_duplicates

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> dict[str, Client]:
    def card(last: str, first: str, middle: str = "", *phones: str) -> Client:
        return ClientFactory(last_name=last, first_name=first, middle_name=middle, phones=phones)

    return {
        "иванов": card("Иванов", "Пётр", "Сергеевич", "8 (916) 000-01-01"),
        "иванова": card("Иванова", "Мария", "Петровна", "+7 916 000 01 02"),
        "соловьёв": card("Соловьёв", "Семён", "Ильич", "8 343 200-00-10 доб. 12"),
        "корсаков": card("Римский-Корсаков", "Артём", "", "+7 701 000 00 05"),
        "кузнецов": card("Кузнецов", "Кузьма", "Петрович", "12-34-56"),
    }


def names(found: list[Client]) -> list[str]:
    return [client.last_name for client in found]


# --- Names ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Иванов", ["Иванов", "Иванова"]),
        ("иванова", ["Иванова", "Иванов"]),
        ("соловьев", ["Соловьёв"]),
        ("СОЛОВЬЁВ", ["Соловьёв"]),
        ("семен соловьев", ["Соловьёв"]),
        ("ильич соловьёв семён", ["Соловьёв"]),
        ("иван п с", ["Иванов"]),
        ("корсаков", ["Римский-Корсаков"]),
        ("римский корсаков", ["Римский-Корсаков"]),
        # typos
        ("кузнетсов", ["Кузнецов"]),
        ("кузнцов", ["Кузнецов"]),
        ("кузнецоов", ["Кузнецов"]),
        ("кузнеоцв", ["Кузнецов"]),
        ("саловьев", ["Соловьёв"]),
        ("салавьев семен", ["Соловьёв"]),
        # the keys of the Latin layout
        ("rjhcfrjd", ["Римский-Корсаков"]),
        # a name and a part of the number
        ("иванов 0101", ["Иванов"]),
        ("иванов 0102", ["Иванова"]),
        # nobody
        ("сидоров", []),
        ("и", []),
        ("", []),
        ("%", []),
        ("_в", []),
        ("\x00", []),
    ],
)
def test_by_name(people: dict[str, Client], text: str, expected: list[str]) -> None:
    assert names(find_clients(text, UserFactory())) == expected


# --- Numbers --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8 (916) 000-01-01", ["Иванов"]),
        ("+79160000101", ["Иванов"]),
        ("89160000101", ["Иванов"]),
        ("9160000101", ["Иванов"]),
        ("8916000", ["Иванова", "Иванов"]),
        ("0102", ["Иванова"]),
        ("01-02", ["Иванова"]),
        ("83432000010 доб. 12", ["Соловьёв"]),
        ("200-00-10", ["Соловьёв"]),
        ("77010000005", ["Римский-Корсаков"]),
        ("123456", ["Кузнецов"]),  # kept as typed, can't be read, found all the same
        ("01", []),
        ("9999999999999999999999999", []),
    ],
)
def test_by_phone(people: dict[str, Client], text: str, expected: list[str]) -> None:
    assert names(find_clients(text, UserFactory())) == expected


def test_a_whole_number_comes_before_an_end_and_an_end_before_a_part() -> None:
    part = ClientFactory(last_name="Часть", phones=["+7 916 001 01 99"])
    end = ClientFactory(last_name="Конец", phones=["+7 916 000 00 10"])
    assert names(find_clients("0010", UserFactory())) == [end.last_name, part.last_name]


def test_by_the_number_of_an_appeal_an_account_and_another_system() -> None:
    appeal = AppealFactory()
    AppealReferenceFactory(appeal=appeal, number="778899")
    user = UserFactory()
    for text in (str(appeal.number), f"№ {appeal.number}", str(main_account(appeal.client).number), "778899"):
        assert find_clients(text, user) == [appeal.client], text


@pytest.mark.parametrize("text", ["АВ12-3456", "ab123456", "12345", "AB12"])
def test_by_serial_number_in_either_alphabet_and_in_part(text: str) -> None:
    appliance = ApplianceFactory(serial_number="AB12-3456")
    assert find_clients(text, UserFactory()) == [appliance.account.client]


def test_a_machine_is_shown_what_it_may_see_and_nobody_else() -> None:
    client = ClientFactory(last_name="Ковалёв")
    stranger = UserFactory.build(role="somebody")
    assert find_clients("ковалев", UserFactory(integration=True)) == [client]
    assert find_clients("ковалев", stranger) == []


@pytest.mark.parametrize("text", ["клиентов", "916000", "клеинтов"])
def test_the_number_of_queries_does_not_grow(text: str) -> None:
    user = UserFactory()

    def people(count: int) -> None:
        for _ in range(count):
            ApplianceFactory(account=main_account(ClientFactory(phones=["8 916 000-01-01", "8 916 000-01-02"])))

    assert_same_query_count(people, lambda: find_clients(text, user))
    assert len(count_queries(lambda: find_clients(text, user))) == 5


def test_the_screen_pop_finds_the_family() -> None:
    mother = ClientFactory(phones=["8 916 000-01-01"])
    daughter = ClientFactory(phones=["+79160000101"])
    user = UserFactory()
    assert find_by_phone("+79160000101", user) == [daughter, mother]
    assert find_by_phone("", user) == []
    assert len(count_queries(lambda: find_by_phone("+79160000101", user))) == 3


# --- Duplicates -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("last", "first", "phones", "place", "expected"),
    [
        ("Иванов", "Пётр", [], "Казань", ("same_name", "same_city")),
        ("иванов", "петр", [], "Казань", ("same_name", "same_city")),
        ("Ивнаов", "Пётр", [], "Казань", ("similar_name", "same_city")),
        ("Иванов", "Пётр", [], None, ("same_name",)),
        ("Иванов", "Пётр", [], "Москва", None),
        ("Иванов", "", [], "Казань", None),
        ("Иванов", "Игорь", [], "Казань", None),
        ("Сидорова", "Анна", ["8 916 000 01 01"], "Москва", ("same_phone",)),
        ("Иванов", "Пётр", ["8 916 000 01 01"], "Москва", ("same_phone", "same_name")),
        ("", "", ["8 (916) 000-01-01"], None, ("same_phone",)),
        ("", "", ["123"], None, None),
    ],
)
def test_likely_duplicates(
    last: str, first: str, phones: list[str], place: str | None, expected: tuple[str, ...] | None
) -> None:
    known = ClientFactory(last_name="Иванов", first_name="Пётр", phones=["+7 916 000-01-01"])
    found = likely_duplicates(
        last_name=last, first_name=first, phones=phones, city=city(place) if place else None, user=UserFactory()
    )
    assert [(each.client, each.reasons) for each in found] == ([(known, expected)] if expected else [])


def test_duplicates_take_as_many_queries_for_many() -> None:
    user, place = UserFactory(), city()

    def people(count: int) -> None:
        for _ in range(count):
            ClientFactory(last_name="Иванов", first_name="Пётр", phones=["+7 916 000-01-01"])

    assert_same_query_count(
        people,
        lambda: likely_duplicates(last_name="Иванов", first_name="Пётр", phones=["89160000101"], city=place, user=user),
    )


# --- Appeals --------------------------------------------------------------------------------------
def test_appeals_by_their_number_first() -> None:
    user = UserFactory()
    client = ClientFactory(last_name="Номеров")
    older, newer = AppealFactory(client=client), AppealFactory(client=client)
    assert find_appeals(str(older.number), user)[0] == older
    assert find_appeals("номеров", user) == [newer, older]


def test_an_appeal_without_a_card_is_found_by_its_phone() -> None:
    appeal = AppealFactory(anonymous=True, phone="+79160000101")
    assert find_appeals("8 916 000-01-01", UserFactory()) == [appeal]


# --- Models ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bm1260", ["ВМ-1260 К", "ВМ-1260 КХ"]),
        ("ВМ 1260", ["ВМ-1260 К", "ВМ-1260 КХ"]),
        ("вм-1260 к", ["ВМ-1260 К", "ВМ-1260 КХ"]),
        ("1260", ["ВМ-1260 К", "ВМ-1260 КХ"]),
        ("Vestra RF", ["RF-500"]),
        ("vest", ["RF-500", "ВМ-1260 К", "ВМ-1260 КХ"]),
        ("BM1250KX", ["ВМ-1260 КХ", "ВМ-1260 К"]),  # a typo
        ("", []),
        ("--", []),
    ],
)
def test_models(text: str, expected: list[str]) -> None:
    for name in ("RF-500", "ВМ-1260 К", "ВМ-1260 КХ"):
        ProductModelFactory(name=name)
    ProductModelFactory(name="RF-900", brand=brand("Nordia"))
    ProductModelFactory(name="ВМ-1260 С", is_active=False)
    assert [model.name for model in find_models(text)] == expected


def test_models_of_a_brand_and_a_category() -> None:
    mine = ProductModelFactory(name="RF-500", category=category("Плиты"))
    ProductModelFactory(name="RF-501")
    assert find_models("rf", brand=brand(), category=category("Плиты")) == [mine]
    assert find_models("", category=category("Плиты")) == [mine]
