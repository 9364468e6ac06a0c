"""The start page, the search from anywhere, the client's card: what they show, and that it costs the same for many."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from calls.models import Call, LostCallBack, PromisedCallBack
from hotline.operators.models import Alias, User
from sms.models import OptOut
from tests import factories as f
from tests.helpers import assert_same_query_count

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return f.UserFactory()


@pytest.fixture
def visitor(operator: User) -> Browser:
    visitor = Browser()
    visitor.force_login(operator)
    return visitor


def call(operator: User | None, **fields: object) -> Call:
    values = {
        "source": "test",
        "external_id": str(uuid4()),
        "direction": Call.Direction.IN,
        "origin": Call.Origin.INCOMING,
        "operator": operator,
        "number": "+79160000001",
        "answered_at": timezone.now(),
        "line_state": Call.LineState.ENDED,
        "work_state": Call.WorkState.WRAP_UP,
        "phase": Call.Phase.DIALOG,
    }
    return Call.objects.create(**{**values, **fields})


def supervisor_browser() -> Browser:
    visitor = Browser()
    visitor.force_login(f.UserFactory(supervisor=True))
    return visitor


# --- The start page --------------------------------------------------------------------------------
def test_nothing_waits_says_what_to_do(visitor: Browser, settings) -> None:
    settings.SCRIPT_NEEDS_ACKNOWLEDGEMENT = False
    page = visitor.get(reverse("desk:start")).content.decode()
    assert "Вас ничего не ждёт" in page


def test_an_operator_sees_the_own_things_only(visitor: Browser, operator: User) -> None:
    mine = call(operator, ending=Call.Ending.LOST, client=f.ClientFactory(last_name="Мояпотеря"))
    LostCallBack.objects.create(call=mine, owner=operator)
    colleague = f.UserFactory()
    other = call(colleague, ending=Call.Ending.LOST, client=f.ClientFactory(last_name="Чужаяпотеря"))
    LostCallBack.objects.create(call=other, owner=colleague)
    f.ReminderFactory(to=operator, text="Моё напоминание", due_at=timezone.now() - timedelta(hours=1))
    f.ReminderFactory(to=colleague, text="Чужое напоминание", due_at=timezone.now())
    page = visitor.get(reverse("desk:start")).content.decode()
    assert "Мояпотеря" in page
    assert "Моё напоминание" in page
    assert "Чужаяпотеря" not in page
    assert "Чужое напоминание" not in page


def test_a_late_promise_says_so_and_comes_first(visitor: Browser, operator: User) -> None:
    PromisedCallBack.objects.create(
        call=call(operator, work_state=Call.WorkState.TALKING, client=f.ClientFactory(last_name="Обещанный")),
        owner=operator,
        number="+79160000001",
        due_at=timezone.now() - timedelta(minutes=5),
    )
    groups = visitor.get(reverse("desk:start")).context["groups"]
    promised = next(group for group in groups if group.code == "promised")
    assert promised.urgent
    assert promised.items[0].late
    assert [group.urgent for group in groups] == sorted((group.urgent for group in groups), reverse=True)


def test_a_supervisor_sees_aliases_and_models_that_wait() -> None:
    alias = Alias.objects.create(operator=f.UserFactory(last_name="Названная"), spoken_name="Анна", full_form="Анна")
    f.ModelSuggestionFactory(text="Vestra WM-1200 Retro")
    call(None, client=f.ClientFactory(last_name="Ничейный"))
    groups = {group.code: group for group in supervisor_browser().get(reverse("desk:start")).context["groups"]}
    assert [item.text for item in groups["aliases"].items] == [f"«Анна» — {alias.operator.full_name}"]
    assert [item.text for item in groups["models"].items] == ["Vestra WM-1200 Retro"]
    assert "Ничейный" in groups["unowned"].items[0].text


def test_the_start_page_costs_the_same_for_many(visitor: Browser, operator: User) -> None:
    def fill(count: int) -> None:
        for _ in range(count):
            lost = call(operator, ending=Call.Ending.LOST, client=f.ClientFactory())
            LostCallBack.objects.create(call=lost, owner=operator)
            f.ReminderFactory(to=operator, due_at=timezone.now())

    # With more than a group shows, one statement counts the rest: so many on both sides.
    assert_same_query_count(fill, lambda: visitor.get(reverse("desk:start")), few=9, many=20)


# --- The search ------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["", "  ", "а"])
def test_too_little_text_finds_nothing_and_says_so(visitor: Browser, text: str) -> None:
    response = visitor.get(reverse("desk:search"), {"q": text})
    assert response.context["results"].too_short
    assert response.status_code == 200


@pytest.mark.parametrize("text", ["\x00\x00\x00", "%%%", "'; DROP TABLE", "к" * 500, "№ 26", "+7 (", "🙂🙂🙂"])
def test_no_text_is_an_error(visitor: Browser, text: str) -> None:
    assert visitor.get(reverse("desk:search"), {"q": text}).status_code == 200


def test_finds_of_every_kind(visitor: Browser, operator: User) -> None:
    client = f.ClientFactory(last_name="Ёлкина-Заречная", phones=["8 (916) 000-00-01"])
    appeal = f.AppealFactory(client=client, account=client.accounts.get())
    mine = call(operator, client=client)
    theirs = call(f.UserFactory(), client=client)
    center = f.ServiceCenterFactory(name="Мастер-Сервис")

    def results(text: str):
        return visitor.get(reverse("desk:search"), {"q": text}).context["results"]

    assert [found.pk for found in results("елкина заречная").clients] == [client.pk]
    assert client in results("8 916 000 00 01").clients
    assert results("8 916 000 00 01").calls == [mine] != [theirs]
    assert appeal in results(str(appeal.number)).appeals
    assert results("мастер").service_centers == [center]
    page = visitor.get(reverse("desk:search"), {"q": "нетакого"}).content.decode()
    assert "ничего не найдено" in page.lower()


def test_the_search_answers_htmx_with_the_results_alone(visitor: Browser) -> None:
    page = visitor.get(reverse("desk:search"), {"q": "иванов"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page


def test_the_search_costs_the_same_for_many(visitor: Browser, operator: User) -> None:
    def fill(count: int) -> None:
        for _ in range(count):
            client = f.ClientFactory(last_name="Поисков", phones=["8 (916) 000-00-01"])
            f.AppealFactory(client=client, account=client.accounts.get())
            call(operator, client=client)

    assert_same_query_count(fill, lambda: visitor.get(reverse("desk:search"), {"q": "+79160000001"}))


# --- The card --------------------------------------------------------------------------------------
def test_the_card_shows_phones_as_they_can_be_used(visitor: Browser) -> None:
    client = f.ClientFactory(phones=["8 (916) 000-00-01", "+7 701 000-00-01", "не помню"])
    page = visitor.get(reverse("desk:client", args=[client.pk])).content.decode()
    assert "+7 916 000-00-01" in page
    assert "не номер России" in page
    assert "не помню" in page


def test_the_card_of_nobody_is_not_found(visitor: Browser) -> None:
    assert visitor.get(reverse("desk:client", args=[10**9])).status_code == 404
    assert visitor.get(reverse("desk:timeline", args=[10**9])).status_code == 404


@pytest.mark.parametrize("before", ["", "yesterday", "2026-13-45", "2026-01-01T00:00:00"])
def test_a_broken_address_shows_the_first_page(visitor: Browser, before: str) -> None:
    client = f.ClientFactory()
    assert visitor.get(reverse("desk:timeline", args=[client.pk]), {"before": before}).status_code == 200


def test_the_card_costs_the_same_for_many(visitor: Browser) -> None:
    client = f.ClientFactory(phones=["8 (916) 000-00-01"])
    account = client.accounts.get()

    def fill(count: int) -> None:
        for _ in range(count):
            appliance = f.ApplianceFactory(account=account)
            appeal = f.AppealFactory(client=client, account=account, appliance=appliance)
            f.DocumentFactory(appeal=appeal)
            f.CommentFactory(appeal=appeal)
            f.AppealMessageFactory(appeal=appeal)
            call(f.UserFactory(), client=client)

    assert_same_query_count(fill, lambda: visitor.get(reverse("desk:client", args=[client.pk])), few=2, many=8)


# --- What the client said of SMS -------------------------------------------------------------------
def test_the_card_notes_that_the_client_wants_no_sms(visitor: Browser, operator: User) -> None:
    client = f.ClientFactory(phones=["8 916 000-01-01", "8 843 200-00-10", "+7 701 000-00-05"])
    page = visitor.get(client.get_absolute_url()).content.decode()
    assert page.count("Клиент не хочет СМС") == 1  # the mobile number of Russia alone
    wishes = reverse("desk:wishes", args=[client.pk])
    htmx = {"HX-Request": "true"}
    answer = visitor.post(wishes, {"do": "opt_out", "to": "+79160000101"}, headers=htmx).content.decode()
    assert "не хочет СМС" in answer
    assert "Снова хочет СМС" in answer
    assert OptOut.objects.in_force().get().started_by == operator
    visitor.post(wishes, {"do": "end_opt_out", "to": "+79160000101"}, headers=htmx)
    answer = visitor.post(wishes, {"do": "consent", "to": "+79160000101"}, headers=htmx).content.decode()
    assert "согласен на прочие сообщения" in answer
    assert visitor.post(wishes, {"do": "explode", "to": "+79160000101"}, headers=htmx).status_code == 400
    assert visitor.post(wishes, {"do": "opt_out", "to": "+79160000999"}, headers=htmx).status_code == 404
    assert visitor.post(wishes, {"do": "opt_out", "to": "+79160000101"}).status_code == 302
    assert OptOut.objects.in_force().count() == 1


def test_the_card_costs_the_same_for_many_phones(visitor: Browser) -> None:
    client = f.ClientFactory()
    assert_same_query_count(
        lambda n: [f.ClientPhoneFactory(client=client) for _ in range(n)],
        lambda: visitor.get(client.get_absolute_url()),
    )
