"""The operator's alias page, the supervisor's inbox and register."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hotline.operators import actions
from hotline.operators.models import Alias, User
from tests.helpers import assert_same_query_count
from tests.operators.factories import AliasFactory, UserFactory

pytestmark = pytest.mark.django_db
MINE, REGISTER, INBOX = reverse("operators:alias"), reverse("operators:aliases"), reverse("operators:alias_inbox")
NOTICE = reverse("operators:alias_notice")
HTMX = {"hx-request": "true"}


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person, backend="hotline.operators.backends.RoleBackend")
    return client


def text(response: Any) -> str:
    return response.content.decode()


# --- The operator's own -----------------------------------------------------------------------------
def test_declaring_on_the_page() -> None:
    person = UserFactory()
    client = client_of(person)
    assert "Псевдонимов у вас не было" in text(client.get(MINE))
    response = client.post(MINE, {"spoken_name": " анна ", "full_form": "Белова Анна Сергеевна"}, follow=True)
    assert response.redirect_chain == [(MINE, 302)]
    alias = Alias.objects.get()
    assert (alias.operator, alias.spoken_name) == (person, "Анна")
    assert "Называться псевдонимом можно уже сейчас" in text(response)
    assert reverse("operators:alias_retire", args=[alias.pk]) in text(response)


def test_where_it_must_wait_the_page_says_so(settings: Any) -> None:
    settings.ALIAS_NEEDS_ACKNOWLEDGEMENT = True
    client = client_of(UserFactory())
    response = client.post(MINE, {"spoken_name": "Анна", "full_form": "Белова Анна"}, follow=True)
    assert "Пока им не называйтесь" in text(response)


def test_what_was_wrong_stands_beside_the_field_with_what_was_typed() -> None:
    response = client_of(UserFactory()).post(MINE, {"spoken_name": "Анна1", "full_form": ""})
    assert response.status_code == 400
    assert set(response.context["form"].errors) == {"spoken_name", "full_form"}
    assert 'value="Анна1"' in text(response)
    assert not Alias.objects.exists()


def test_markup_in_a_name_is_text() -> None:
    person = UserFactory(first_name="<b>Мария")
    response = client_of(person).post(MINE, {"spoken_name": "<script>", "full_form": "<i>x</i> y"})
    assert "<script>" not in text(response).replace("<script ", "")
    assert "<b>Мария" not in text(response)


def test_laying_an_alias_down() -> None:
    alias = AliasFactory()
    client = client_of(alias.operator)
    url = reverse("operators:alias_retire", args=[alias.pk])
    assert client.get(url).status_code == 405
    assert client.post(url)["Location"] == MINE
    alias.refresh_from_db()
    assert alias.state == Alias.State.RETIRED
    # Twice is a message, not an error.
    assert client.post(url, follow=True).status_code == 200
    assert client_of(UserFactory()).post(url).status_code == 404


def test_both_are_warned_of_a_name_twice() -> None:
    one, two = UserFactory(last_name="Первая"), UserFactory(last_name="Вторая")
    AliasFactory(operator=one)
    client_of(two).post(MINE, {"spoken_name": "Анна", "full_form": "Анна Чернова"})
    assert "Вторая" in text(client_of(one).get(MINE))
    assert "Первая" in text(client_of(two).get(MINE))
    assert "Вторая" in text(client_of(one).get(NOTICE))


def test_a_stopped_alias_is_said_on_the_start_page_with_the_reason() -> None:
    alias = AliasFactory()
    actions.stop_alias(alias=alias, reason="путают с коллегой", actor=UserFactory(supervisor=True))
    assert "путают с коллегой" in text(client_of(alias.operator).get(NOTICE))
    assert "путают" not in text(client_of(UserFactory()).get(NOTICE))


def test_the_page_costs_the_same_with_a_long_history() -> None:
    person = UserFactory()
    client, day = client_of(person), timedelta(days=1)

    def declare(count: int) -> None:
        for _ in range(count):
            number = Alias.objects.count()
            AliasFactory(
                operator=person, since=timezone.now() - (40 - number) * day, until=timezone.now() - (39 - number) * day
            )

    assert_same_query_count(declare, lambda: client.get(MINE))


def test_the_page_costs_the_same_with_many_namesakes() -> None:
    mine = AliasFactory()
    client = client_of(mine.operator)
    assert_same_query_count(lambda count: AliasFactory.create_batch(count), lambda: client.get(MINE))


# --- The supervisor's -------------------------------------------------------------------------------
def test_the_inbox_says_who_wants_to_be_called_what() -> None:
    alias = AliasFactory(operator=UserFactory(last_name="Петрова"))
    AliasFactory(operator=UserFactory(last_name="Сидорова"))
    page = text(client_of(UserFactory(supervisor=True)).get(REGISTER))
    assert "Петрова" in page
    assert reverse("operators:alias_acknowledge", args=[alias.pk]) in page
    assert "Так же зовут коллегу" in page


def test_acknowledging_answers_with_the_inbox_that_is_left() -> None:
    alias, other = AliasFactory(), AliasFactory(spoken_name="Вера")
    client = client_of(UserFactory(supervisor=True))
    url = reverse("operators:alias_acknowledge", args=[alias.pk])
    assert client.get(url).status_code == 405
    response = client.post(url, headers=HTMX)
    assert (response.status_code, response["HX-Trigger"]) == (200, "alias-changed")
    assert reverse("operators:alias_acknowledge", args=[other.pk]) in text(response)
    assert url not in text(response)
    # A colleague was faster: said in words, and the inbox is as it is now.
    response = client.post(url, headers=HTMX)
    assert response.status_code == 409
    assert "подтверждён" in text(response)
    assert client.post(url)["Location"] == REGISTER


def test_stopping_asks_for_the_reason_in_a_dialog() -> None:
    alias = AliasFactory()
    client = client_of(UserFactory(supervisor=True))
    url = reverse("operators:alias_stop", args=[alias.pk])
    assert "<dialog" in text(client.get(url, headers=HTMX))
    assert "<!doctype html>" in text(client.get(url))
    response = client.post(url, {"reason": " "}, headers=HTMX)
    assert response.status_code == 400
    assert "reason_missing" in response.context["form"].errors.as_json()
    response = client.post(url, {"reason": "путают"}, headers=HTMX)
    assert (response.status_code, response.content, response["HX-Trigger"]) == (200, b"", "alias-changed")
    alias.refresh_from_db()
    assert (alias.state, alias.reason) == (Alias.State.STOPPED, "путают")
    assert client.post(url, {"reason": "ещё раз"}, headers=HTMX).status_code == 409


def test_an_alias_that_is_not_there_is_not_found() -> None:
    client = client_of(UserFactory(supervisor=True))
    assert client.post(reverse("operators:alias_acknowledge", args=[10**15])).status_code == 404
    assert client.get(reverse("operators:alias_stop", args=[10**15])).status_code == 404


def test_who_was_anna_at_that_moment() -> None:
    now = timezone.localtime()
    old = AliasFactory(
        operator=UserFactory(last_name="Прежняя"), since=now - timedelta(days=9), until=now - timedelta(days=5)
    )
    AliasFactory(operator=UserFactory(last_name="Нынешняя"), since=now - timedelta(days=2))
    christened = UserFactory(first_name="Анна", last_name="Сама", date_joined=now - timedelta(days=30))
    client = client_of(UserFactory(supervisor=True))
    asked = {"name": "анна", "at": (now - timedelta(days=7)).strftime("%d.%m.%Y %H:%M")}
    response = client.get(REGISTER, asked, headers=HTMX)
    assert list(response.context["page"]) == [old]
    assert [found.user for found in response.context["own"]] == [christened]
    assert "Прежняя" in text(response)
    assert "Сама" in text(response)
    assert "Нынешняя" not in text(response)


@pytest.mark.parametrize(
    ("name", "found"), [("анн", 1), ("ЁЛ", 1), ("ел", 1), ("Вера", 0), ("%", 0), ("_", 0), ("'", 0)]
)
def test_the_register_finds_a_part_of_a_name(name: str, found: int) -> None:
    AliasFactory(spoken_name="Анна")
    AliasFactory(spoken_name="Ёлка")
    response = client_of(UserFactory(supervisor=True)).get(REGISTER, {"name": name})
    assert len(response.context["page"].object_list) == found


@pytest.mark.parametrize("at", ["вчера", "2026-13-45T00:00", "3000-01-01T00:00", "9" * 40, "0001-01-01T00:00"])
def test_a_moment_that_is_none_is_said_so(at: str) -> None:
    response = client_of(UserFactory(supervisor=True)).get(REGISTER, {"name": "Анна", "at": at})
    assert response.status_code == (200 if at.startswith("0001") else 400)


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999"])
def test_odd_page_numbers_are_pages(page: str) -> None:
    AliasFactory()
    assert client_of(UserFactory(supervisor=True)).get(REGISTER, {"page": page}).status_code == 200


def test_the_register_and_the_inbox_cost_the_same_with_many_rows() -> None:
    client = client_of(UserFactory(supervisor=True))
    assert_same_query_count(lambda count: AliasFactory.create_batch(count), lambda: client.get(REGISTER))


def test_the_inbox_alone_costs_the_same_with_many_rows() -> None:
    client = client_of(UserFactory(supervisor=True))
    assert_same_query_count(lambda count: AliasFactory.create_batch(count), lambda: client.get(INBOX))


def test_operators_have_no_way_to_decide() -> None:
    alias = AliasFactory()
    client = client_of(alias.operator)
    for url in (REGISTER, INBOX, reverse("operators:alias_stop", args=[alias.pk])):
        assert client.get(url).status_code == 403
    assert client.post(reverse("operators:alias_acknowledge", args=[alias.pk])).status_code == 403
    alias.refresh_from_db()
    assert alias.state == Alias.State.DECLARED
