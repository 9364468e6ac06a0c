"""The screen-pop: what rings, with whose cards, and how the page gets to the call."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from calls.models import Call
from calls.views import incoming
from hotline.operators.models import User
from tests.calls.factories import NUMBER, CallFactory, LostCallBackFactory, PromisedCallBackFactory, ready
from tests.calls.test_telephony import ANSWERED, ENDED, RINGING, say, the_call
from tests.factories import ClientFactory, ClientPhoneFactory, UserFactory
from tests.helpers import assert_same_query_count

pytestmark = pytest.mark.django_db


def page(user: User, where: str = "/") -> Any:
    client = Client(headers={"hx-request": "true", "hx-current-url": f"http://testserver{where}"})
    client.force_login(user, backend="hotline.operators.backends.RoleBackend")
    return client.get(reverse("calls:incoming"))


def card(name: str, number: str = NUMBER) -> Any:
    client = ClientFactory(last_name=name)
    ClientPhoneFactory(client=client, raw=number, e164=number)
    return client


def test_nothing_rings() -> None:
    response = page(ready())
    assert (response.status_code, response.content.strip()) == (200, b"")


def test_a_ring_shows_whose_number_it_is() -> None:
    operator = ready()
    card("Ёлкина")
    say(RINGING, queue="Сервис")
    text = page(operator).content.decode()
    assert "+7 916 123-45-67" in text
    assert "Ёлкина" in text
    assert "Сервис" in text


def test_several_cards_nobody_and_a_hidden_number() -> None:
    operator = ready()
    for name in ("Первая", "Вторая"):
        card(name)
    say(RINGING)
    say(RINGING, call_id="c-2", number="+79990000771")
    say(RINGING, call_id="c-3", number="anonymous")
    response = page(operator)
    rings = response.context["rings"]
    assert [len(ring.clients) for ring in rings] == [2, 0, 0]
    body = response.content.decode()
    assert body.count("<section") == 3
    assert "Номер скрыт" in body
    assert "anonymous" not in body


def test_what_is_owed_to_the_number_is_said() -> None:
    operator = ready()
    back = LostCallBackFactory(call__number=NUMBER)
    promise = PromisedCallBackFactory(number=NUMBER)
    say(RINGING)
    ring = page(operator).context["rings"][0]
    assert (ring.lost, ring.promise) == (back, promise)


def test_a_ring_for_a_colleagues_telephone_is_not_shown() -> None:
    ready("101")
    other = ready("102")
    say(RINGING, people=("101",))
    assert page(other).context["rings"] == []


# --- The way to the call --------------------------------------------------------------------------
def answered(operator: User) -> Call:
    say(RINGING)
    say(ANSWERED, people=(operator.extension,))
    return the_call()


def test_just_answered_the_page_goes_to_the_workspace() -> None:
    operator = ready()
    call = answered(operator)
    response = page(operator)
    assert (response.context["follow"], response.context["rings"]) == (True, [])
    assert f'hx-get="{reverse("calls:call", args=[call.pk])}"' in response.content.decode()


def test_in_its_own_workspace_there_is_nothing_to_say() -> None:
    operator = ready()
    call = answered(operator)
    response = page(operator, reverse("calls:call", args=[call.pk]))
    assert (response.context["follow"], response.context["going_on"]) == (False, None)


def test_later_a_key_leads_back_and_nothing_moves_by_itself() -> None:
    operator = ready()
    call = answered(operator)
    Call.objects.update(answered_at=timezone.now() - timedelta(minutes=1))
    response = page(operator)
    assert (response.context["follow"], response.context["going_on"]) == (False, call)
    assert reverse("calls:switch", args=[call.pk]) in response.content.decode()


def test_while_another_call_is_being_worked_on_a_key_parks_it() -> None:
    operator = ready()
    open_call = CallFactory(wrap_up=True, operator=operator)
    call = answered(operator)
    response = page(operator, reverse("calls:call", args=[open_call.pk]))
    assert (response.context["follow"], response.context["here"]) == (False, open_call)
    client = Client()
    client.force_login(operator, backend="hotline.operators.backends.RoleBackend")
    gone = client.post(reverse("calls:switch", args=[call.pk]), {"from": open_call.pk})
    open_call.refresh_from_db()
    assert json.loads(gone["HX-Location"])["path"] == reverse("calls:call", args=[call.pk])
    assert open_call.parked_at is not None


@pytest.mark.parametrize("before", ["", "x", "9" * 30, "999999"])
def test_what_can_not_be_parked_is_left(before: str) -> None:
    operator = ready()
    call = answered(operator)
    client = Client()
    client.force_login(operator, backend="hotline.operators.backends.RoleBackend")
    assert client.post(reverse("calls:switch", args=[call.pk]), {"from": before}).status_code == 200


def test_a_colleagues_call_can_not_be_gone_to() -> None:
    call = CallFactory(dialog=True)
    client = Client()
    client.force_login(UserFactory(), backend="hotline.operators.backends.RoleBackend")
    assert client.post(reverse("calls:switch", args=[call.pk])).status_code == 404


def test_after_the_hang_up_the_banner_goes() -> None:
    operator = ready()
    answered(operator)
    say(ENDED)
    assert page(operator).context["going_on"] is None


def test_a_call_dialled_on_the_desk_phone_leads_to_its_workspace() -> None:
    operator = ready("101")
    say(RINGING, direction="out", people=("101",))
    assert page(operator).context["follow"]


def test_the_queries_do_not_grow_with_the_rings() -> None:
    operator = ready()

    def ring(count: int) -> None:
        for _ in range(count):
            number = f"+7916{Call.objects.count():07d}"
            card("Семья", number)
            CallFactory(number=number)

    assert_same_query_count(ring, lambda: page(operator))


# --- Who hears of it ------------------------------------------------------------------------------
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, set[int]]]:
    said: list[tuple[str, Any, set[int]]] = []

    def publish(*, topic: str, pk: Any = None, users: Any = None) -> None:
        said.append((topic, pk, set(users)))

    monkeypatch.setattr("calls.actions._common.publish", publish)
    return said


def test_a_ring_is_announced_to_those_it_concerns_only(monkeypatch: pytest.MonkeyPatch) -> None:
    named, free = ready("101"), ready("102")
    UserFactory(state=User.State.BREAK)
    said = heard(monkeypatch)
    say(RINGING, people=("101",))
    assert ("incoming", the_call().pk, {named.pk}) in said
    said.clear()
    say(RINGING, call_id="c-2")
    assert ("incoming", the_call("c-2").pk, {named.pk, free.pk}) in said


def test_answering_clears_the_others_and_leads_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = ready("101"), ready("102")
    say(RINGING)
    said = heard(monkeypatch)
    say(ANSWERED, people=("101",))
    cleared = next(users for topic, _pk, users in said if topic == "incoming")
    assert {one.pk, other.pk} <= cleared


# --- Calls that nobody has --------------------------------------------------------------------------
def test_a_call_answered_where_nobody_is_signed_in_is_offered_to_those_who_are_ready() -> None:
    operator, busy = ready("101"), UserFactory(state=User.State.IN_CALL)
    say(RINGING)
    say(ANSWERED, people=("777",))
    call = the_call()
    assert (page(operator).context["unclaimed"], page(busy).context["unclaimed"]) == ([call], [])
    client = Client()
    client.force_login(operator, backend="hotline.operators.backends.RoleBackend")
    assert client.post(reverse("calls:switch", args=[call.pk])).status_code == 200
    call.refresh_from_db()
    assert call.operator == operator
    assert page(ready("102")).context["unclaimed"] == []


def test_in_the_admin_the_page_is_left_as_a_whole() -> None:
    supervisor = UserFactory(supervisor=True, extension="100", state=User.State.READY)
    call = answered(supervisor)
    assert page(supervisor, "/admin/calls/call/")["HX-Redirect"] == call.get_absolute_url()


# --- What comes along with the event ----------------------------------------------------------------
def pushed(*users: User) -> list[str | None]:
    shown = incoming.shown_to([user.pk for user in users])
    return [shown.get(user.pk) for user in users]


def fetched(user: User, where: str = "/") -> str:
    return page(user, where).content.decode()


def test_what_is_pushed_is_what_the_page_would_have_fetched() -> None:
    named, free, english = ready("101"), ready("102"), ready("103", language="en")
    boss = UserFactory(supervisor=True, extension="100", state=User.State.READY)
    wrapping = ready("104")
    CallFactory(wrap_up=True, operator=wrapping)
    User.objects.filter(pk=wrapping.pk).update(state=User.State.WRAP_UP)
    at_break = UserFactory(extension="105", state=User.State.BREAK)
    card("Ёлкина")
    PromisedCallBackFactory(number=NUMBER)
    people = [named, free, english, boss, wrapping, at_break]
    for happens in (
        lambda: None,
        lambda: say(RINGING, queue="Сервис"),
        lambda: say(RINGING, call_id="c-2", people=("101",)),
        lambda: say(RINGING, call_id="c-3", number="anonymous"),
        lambda: say(ENDED),
        lambda: say(ENDED, call_id="c-2"),
        lambda: say(ENDED, call_id="c-3"),
    ):
        happens()
        assert pushed(*people) == [fetched(user) for user in people]
    assert pushed(free) == [pushed(at_break)[0]]


def test_the_number_of_a_ring_is_pushed_to_nobody_it_does_not_ring_at() -> None:
    named, free, at_break = ready("101"), ready("102"), UserFactory(extension="105", state=User.State.BREAK)
    gone, machine = ready("106", is_active=False), UserFactory(integration=True)
    say(RINGING, people=("101",))
    shown = pushed(named, free, at_break, gone, machine)
    assert "+7 916 123-45-67" in shown[0]
    assert [html if html is None else html.strip() for html in shown[1:]] == ["", "", None, None]


def test_nothing_is_pushed_over_a_call_of_ones_own() -> None:
    """Named by the ring while a call talks, is dialled, or was just put through: the page asks, and shows that call."""
    talking, dialling, answering, free = ready("101"), ready("102"), ready("103"), ready("104")
    CallFactory(dialog=True, operator=talking)
    CallFactory(outgoing=True, operator=dialling)
    say(RINGING, call_id="c-0")
    say(ANSWERED, call_id="c-0", people=("103",))
    say(RINGING, people=("101", "102", "103", "104"))
    assert [html is None for html in pushed(talking, dialling, answering, free)] == [True, True, True, False]


def test_an_answered_call_clears_from_the_pages_of_the_others() -> None:
    one, other = ready("101"), ready("102")
    say(RINGING)
    assert "<section" in pushed(other)[0]
    say(ANSWERED, people=("101",))
    mine, theirs = pushed(one, other)
    assert (mine, theirs.strip()) == (None, "")


def test_a_call_that_nobody_has_is_pushed_to_who_has_none_of_their_own() -> None:
    """The key «it is mine» parks the call that the page is about: which one that is only the page knows."""
    free, at_break = ready("101"), UserFactory(extension="105", state=User.State.BREAK)
    wrapping = ready("102")
    CallFactory(wrap_up=True, operator=wrapping)
    say(RINGING)
    say(ANSWERED, people=("777",))
    offered, asks, nothing = pushed(free, wrapping, at_break)
    assert offered == fetched(free)
    assert reverse("calls:switch", args=[the_call().pk]) in offered
    assert (asks, nothing.strip()) == (None, "")


def test_it_is_made_once_for_all_who_see_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(
        incoming, "render_to_string", lambda name, context: made.append(translation.get_language()) or "<b></b>"
    )
    people = [ready(str(200 + n), language="en" if n % 5 == 0 else "ru") for n in range(30)]
    say(RINGING)
    assert pushed(*people) == ["<b></b>"] * 30
    assert sorted(made) == ["en", "ru"]


def test_its_queries_do_not_grow_with_the_people_and_rings() -> None:
    people = []

    def more(count: int) -> None:
        for _ in range(count):
            number = f"+7916{Call.objects.count():07d}"
            card("Семья", number)
            CallFactory(number=number)
            people.append(ready(str(300 + len(people))))

    assert_same_query_count(more, lambda: pushed(*people) and None)
