"""The search of the header: suggestions while it is typed, the whole page by Enter."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from hotline.operators.models import User
from tests.factories import AppealFactory, ClientFactory, DocumentFactory, UserFactory
from tests.helpers import assert_same_query_count

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return UserFactory()


@pytest.fixture
def web(client: Browser, operator: User) -> Browser:
    client.force_login(operator)
    return client


def suggested(web: Browser, query: str) -> str:
    answer = web.post(reverse("desk:suggestions"), {"q": query}, HTTP_HX_REQUEST="true")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_few_of_each_kind_are_suggested(web: Browser) -> None:
    owner = ClientFactory(last_name="Ёлкина", first_name="Алёна", phones=["+79160000101"])
    appeal = AppealFactory(client=owner)
    page = suggested(web, "елкина")
    assert f'href="{owner.get_absolute_url()}" data-keynav-item' in page
    assert f'href="{appeal.get_absolute_url()}" data-keynav-item' in page
    assert "ничего не найдено" in suggested(web, "Неизвестный")
    assert "menu-item" not in suggested(web, "е")  # one letter could mean anybody
    assert "menu-item" not in suggested(web, "")


def test_the_header_asks_while_it_is_typed_and_leads_to_the_whole_page(web: Browser) -> None:
    page = web.get(reverse("desk:start")).content.decode()
    assert f'hx-post="{reverse("desk:suggestions")}"' in page
    assert f'action="{reverse("desk:search")}"' in page


def test_suggestions_cost_the_same_for_two_and_for_twelve(web: Browser) -> None:
    def make(number: int) -> None:
        for _ in range(number):
            AppealFactory(client=ClientFactory(last_name="Иванов", phones=["+79160000101"]))

    assert_same_query_count(make, lambda: web.post(reverse("desk:suggestions"), {"q": "Иванов"}))


# --- The list of appeals --------------------------------------------------------------------------
def numbers(web: Browser, **query: str) -> list[int]:
    return [appeal.number for appeal in web.get(reverse("tickets:appeals"), query).context["appeals"]]


def test_an_exact_number_gives_that_appeal_alone(web: Browser) -> None:
    owner = ClientFactory(phones=["+79162600901"])
    wanted, other = AppealFactory(number=2600901, client=owner), AppealFactory(client=owner)
    assert numbers(web, q="2600901") == [wanted.number]
    assert numbers(web, q="№ 2600901") == [wanted.number]
    assert set(numbers(web, q="9162600901")) == {wanted.number, other.number}
    wanted.delete()
    assert numbers(web, q="2600901") == [other.number]  # no such appeal: a part of a telephone number


def test_letters_that_wait_are_a_filter_and_the_desk_leads_to_it(client: Browser) -> None:
    client.force_login(UserFactory(supervisor=True))
    waiting = [DocumentFactory(letter=True).appeal.number for _ in range(9)]
    DocumentFactory()
    assert set(numbers(client, letters="on")) == set(waiting)
    desk = client.get(reverse("desk:start")).content.decode()
    assert f"{reverse('tickets:appeals')}?letters=on" in desk
