"""What an experienced operator found wrong: a page says what is so, and no key does what nobody meant."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from calls import reference, rules
from calls.actions import choose_client, consult_on, register_in_call
from calls.models import Call, CallAppeal, LostCallBack, PromisedCallBack, ScriptVersion
from hotline.base.errors import Refused
from service_centers.models import City
from tests.calls.factories import CallFactory, LostCallBackFactory, PromisedCallBackFactory, topic
from tests.factories import AppealFactory, ClientFactory, UserFactory, center, main_account
from tickets.models import Appeal, Client

pytestmark = pytest.mark.django_db

NUMBER = "+79160000101"
HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "call-work"}
OWED = "Не забудь зафиксировать консультацию!"


@pytest.fixture
def script() -> ScriptVersion:
    reference.load()
    return ScriptVersion.objects.get()


@pytest.fixture
def owner() -> Client:
    return ClientFactory(last_name="Иванова", first_name="Мария", middle_name="Сергеевна", phones=[NUMBER])


@pytest.fixture
def call(script: ScriptVersion, owner: Client) -> Call:
    operator = UserFactory(first_name="Светлана", extension="101")
    return CallFactory(talking=True, operator=operator, number=NUMBER, script_version=script, spoken_name="Анна")


@pytest.fixture
def web(client: Browser, call: Call) -> Browser:
    client.force_login(call.operator)
    return client


def url(name: str, call: Call, *arguments: Any) -> str:
    return reverse(f"calls:{name}", args=[call.pk, *arguments])


def ask(web: Browser, name: str, call: Call, *arguments: Any, **query: Any) -> Any:
    return web.get(url(name, call, *arguments), query, **HTMX)


def tell(web: Browser, name: str, call: Call, *arguments: Any, **data: Any) -> Any:
    return web.post(url(name, call, *arguments), data, **HTMX)


def at(web: Browser, call: Call, stage: str) -> str:
    return words(web.get(f"{url('call', call)}?stage={stage}"))


def words(response: Any) -> str:
    return " ".join(response.content.decode().split())


def opened(call: Call, client: Client) -> None:
    choose_client(call_id=call.pk, client=client, actor=call.operator)
    call.refresh_from_db()


# --- 4: a consultation is on what was there before -----------------------------------------------
def test_no_consultation_on_what_was_registered_in_this_very_call(call: Call, owner: Client) -> None:
    earlier = AppealFactory(client=owner, assigned=True)
    action = uuid4()
    own = consult_on(call_id=call.pk, appeal=earlier, action_id=action, actor=call.operator)

    for appeal in (own, earlier):  # earlier: it has its consultation already
        with pytest.raises(Refused) as refused:
            consult_on(call_id=call.pk, appeal=appeal, action_id=uuid4(), actor=call.operator)
        assert refused.value.code == "registered_in_this_call"
    # The same key press once more is the same consultation.
    assert consult_on(call_id=call.pk, appeal=earlier, action_id=action, actor=call.operator) == own
    assert Appeal.objects.filter(kind="consultation").count() == 1


def test_the_history_offers_no_consultation_on_what_this_call_led_to(web: Browser, call: Call, owner: Client) -> None:
    other, earlier = AppealFactory(client=owner, closed=True), AppealFactory(client=owner, assigned=True)
    opened(call, owner)
    answer = words(tell(web, "consult", call, earlier.number, action_id=uuid4()))
    own = call.appeals.get(relation="registered").appeal

    for number, offered in ((own.number, False), (earlier.number, False), (other.number, True)):
        assert (f'id="consult-{number}"' in answer) is offered
    # Pressed once more the key must not take the next appeal: it answers in the row that has the focus only.
    assert answer.count('data-key="Alt+KeyK"') == answer.count("data-key-near")


def test_an_appeal_stands_once_in_the_list_of_the_call(web: Browser, call: Call, owner: Client) -> None:
    opened(call, owner)
    appeal = register_in_call(call_id=call.pk, kind="consultation", description="Чек", actor=call.operator)
    CallAppeal.objects.create(call=call, appeal=appeal, relation=CallAppeal.Relation.CONSULTED)
    page = at(web, call, "wrap_up")
    assert page.count(url("correct-appeal", call, appeal.number)) == 1


# --- 6: an appeal without a card, and a card that came later -------------------------------------
def test_what_was_registered_before_the_card_goes_to_it_in_one_key(web: Browser, call: Call, owner: Client) -> None:
    appeal = register_in_call(call_id=call.pk, kind="consultation", description="Чек", actor=call.operator)
    assert url("adopt", call) not in at(web, call, "identification")
    page = words(tell(web, "choose", call, client=owner.pk))
    assert url("adopt", call) in page
    assert f"№{appeal.number}" in page

    answer = words(tell(web, "adopt", call, stage="history"))

    appeal.refresh_from_db()
    assert (appeal.client, appeal.account) == (owner, main_account(owner))
    assert call.journal.filter(code="appeal_moved").count() == 1
    assert url("adopt", call) not in answer
    assert 'id="call-stage" value="history"' in answer


def test_another_client_takes_only_what_was_on_the_first_card(web: Browser, call: Call, owner: Client) -> None:
    without = register_in_call(call_id=call.pk, kind="consultation", description="Чек", actor=call.operator)
    wrong = ClientFactory()
    opened(call, wrong)
    # Nothing is on the wrong card, so there is nothing to ask.
    answer = tell(web, "choose", call, client=owner.pk)
    assert answer.get("HX-Retarget") != "#dialog"

    on_card = register_in_call(call_id=call.pk, kind="consultation", description="Ещё", actor=call.operator)
    asked = words(tell(web, "choose", call, client=wrong.pk))
    assert f"№{on_card.number}" in asked
    assert f"№{without.number}" not in asked
    tell(web, "choose", call, client=wrong.pk, move="yes")
    for appeal, client in ((on_card, wrong), (without, None)):
        appeal.refresh_from_db()
        assert appeal.client == client


# --- 6: contacts of a centre ---------------------------------------------------------------------
def test_contacts_without_a_centre_are_not_complete(web: Browser, call: Call, owner: Client) -> None:
    Client.objects.filter(pk=owner.pk).update(city=None, city_text="")
    opened(call, owner)
    data = {"topic": topic().pk, "description": "Не греет"}

    judged = words(tell(web, "check", call, "contacts", **data))
    assert "Всё заполнено" not in judged
    assert "сервисный центр" in judged

    refused = tell(web, "registration", call, "contacts", **data)
    assert refused.status_code == 422
    page = words(refused)
    assert "Всё заполнено" not in page
    city = page[page.index('name="city"') - 200 : page.index('name="city"') + 400]
    assert "autofocus" in city  # not the centre: there is none to be chosen yet


def test_the_refusal_leaves_once_a_centre_is_chosen(web: Browser, call: Call, owner: Client) -> None:
    chosen, _other = center(), center("Второй", code="B-2")
    opened(call, owner)
    data = {"topic": topic().pk, "description": "Не греет", "city": "Казань", "city_id": City.objects.get().pk}
    page = words(tell(web, "registration", call, "contacts", **data))
    assert 'id="id_service_center_error"' in page

    judged = words(tell(web, "check", call, "contacts", **data, service_center=chosen.pk))
    assert '<div id="center-words" hx-swap-oob="true">' in judged
    assert 'id="id_service_center_error"' not in judged
    assert "Всё заполнено" in judged


def test_what_is_to_be_filled_in_is_said_in_one_way(web: Browser, call: Call, owner: Client) -> None:
    """Whether the form could be read or not; and with one colon."""
    opened(call, owner)
    for date in ("", "вчера-то"):
        data = {"full_name": "Иванова", "purchase_date": date, "purchase_date_source": "client"}
        page = words(tell(web, "registration", call, "repair", **data))
        assert "Нужно заполнить: ФИО (хотя бы фамилия и имя)" in page
        assert "Нужно заполнить: описание словами клиента" in page


# --- D1: dropped before the dialog ---------------------------------------------------------------
def test_a_dropped_call_says_why_it_closed_and_asks_for_nothing(web: Browser, call: Call) -> None:
    open_pane = at(web, call, "identification")
    assert 'id="call-open"' in open_pane
    tell(web, "hang-up", call)
    call.refresh_from_db()
    assert not call.is_open

    page = at(web, call, "wrap_up")
    assert OWED not in page
    assert "Сорвался на приветствии" in page
    # The pane that was live comes anew by itself, or its keys would be refused.
    assert 'id="call-work" data-key-scope hx-swap-oob="true"' in words(ask(web, "strip", call, open="1"))
    assert 'id="call-work"' not in words(ask(web, "strip", call, closed="1"))


# --- D2: the connection is lost ------------------------------------------------------------------
@pytest.mark.parametrize("rule", [rules.ask_question, rules.say_farewell])
def test_nothing_is_said_into_a_lost_line(rule: Any) -> None:
    lost = rules.Facts(line="ended", ending="lost")
    assert (rule(lost).allowed, rule(lost).code) == (False, "connection_lost")
    assert rule(rules.Facts(line="ended", ending="goodbye")).allowed


def test_the_pages_of_a_lost_call_ask_to_say_nothing(web: Browser, script: ScriptVersion, call: Call) -> None:
    lost = CallFactory(lost=True, operator=call.operator, number="+79160000909", script_version=script)
    for stage in ("summary", "farewell"):
        page = at(web, lost, stage)
        assert "Связь прервалась: говорить некому" in page
        for instruction in ("Попросите оценить", "Скажите клиенту, что дальше", "оцените мою консультацию"):
            assert instruction not in page


def test_who_calls_in_after_a_lost_call_is_led_back_to_it(web: Browser, script: ScriptVersion, call: Call) -> None:
    at_once = timezone.now() - timedelta(minutes=2)
    lost = CallFactory(lost=True, operator=call.operator, number=NUMBER, started_at=at_once, answered_at=at_once,
                       ended_at=at_once + timedelta(minutes=1), script_version=script)  # fmt: skip
    page = at(web, call, "greeting")
    assert "Связь с этим клиентом прервалась" not in page

    LostCallBackFactory(call=lost, cancelled_at=timezone.now(), cancel_reason=LostCallBack.CancelReason.CLIENT_CALLED)
    page = at(web, call, "greeting")
    assert "Связь с этим клиентом прервалась" in page
    assert f'href="{url("call", lost)}"' in page


# --- What was promised ---------------------------------------------------------------------------
def test_a_promise_is_shown_by_both_clocks(web: Browser, call: Call, owner: Client) -> None:
    irkutsk = City.objects.create(name="Иркутск", latitude=52.3, longitude=104.3, timezone="Asia/Irkutsk")
    Client.objects.filter(pk=owner.pk).update(city=irkutsk)
    opened(call, owner)
    due = (timezone.now() + timedelta(days=3)).replace(hour=2, minute=0, second=0, microsecond=0)

    page = words(tell(web, "promise", call, due=due.isoformat(), number=NUMBER))

    assert PromisedCallBack.objects.get().due_at == due.astimezone(UTC)
    assert "10:00</time> по времени клиента" in page
    assert "05:00</time> по вашему" in page


def test_where_the_clocks_agree_one_is_enough(web: Browser, call: Call, owner: Client) -> None:
    opened(call, owner)
    due = timezone.now() + timedelta(days=3)
    page = words(tell(web, "promise", call, due=due.isoformat(), number=NUMBER))
    assert "по вашему" not in page


def test_a_promised_call_back_says_what_it_is_about(web: Browser, call: Call, owner: Client) -> None:
    first = CallFactory(wrap_up=True, client=owner, number="+79160000303")
    appeal = AppealFactory(client=owner)
    promise = PromisedCallBackFactory(call=first, owner=call.operator, reason="Уточнить у АСЦ состояние заявки")
    back = CallFactory(outgoing=True, talking=True, operator=call.operator, number=first.number, client=owner,
                       origin="promised_call_back", promised_call_back=promise, registered_appeal=appeal,
                       script_version=call.script_version)  # fmt: skip
    CallAppeal.objects.create(call=back, appeal=appeal, relation=CallAppeal.Relation.CONSULTED)

    greeting = at(web, back, "greeting")
    assert "Уточнить у АСЦ состояние заявки" in greeting
    assert "Карточки с этим номером нет" not in greeting
    _before, _mark, probably = greeting.partition('id="probably-head"')
    assert "Иванова Мария Сергеевна" in probably.partition("</section>")[0]
    registration = at(web, back, "registration")
    work = registration[registration.index('id="call-work"') :]
    assert f"№{appeal.number}" in work


# --- 10: a request that was broken off -----------------------------------------------------------
def test_the_words_typed_for_a_request_stand_in_the_consultation(web: Browser, call: Call, owner: Client) -> None:
    opened(call, owner)
    body = {"version": 0, "fields": {"description": "Стучит при отжиме"}}
    web.post(url("draft", call, "repair"), body, content_type="application/json")
    page = words(ask(web, "registration", call, "consultation"))
    form = page[page.index('id="registration-form"') :]
    assert "Стучит при отжиме" in form
    # The other way round nothing goes: what a consultation was about is no description of a fault.
    body = {"version": 0, "fields": {"description": "Про чек"}}
    web.post(url("draft", call, "consultation"), body, content_type="application/json")
    assert "Про чек" not in words(ask(web, "registration", call, "installation"))
