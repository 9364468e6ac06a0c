"""The workspace, stage by stage, as the browser asks it: what is shown, written, refused beside its field."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from calls import reference
from calls.actions import answer_by_hand, stage_states
from calls.forms import PromiseForm
from calls.models import Call, CallStage, Draft, LostCallBack, PromisedCallBack, ScriptVersion, StageCode
from calls.topics import suggest
from calls.views.ending import dues
from hotline.operators.models import User
from service_centers.models import City
from sms import reference as sms_reference
from sms.models import SmsMessage
from tests.calls.factories import CallFactory, result, topic
from tests.factories import (
    AppealFactory,
    ApplianceFactory,
    ClientFactory,
    ProductModelFactory,
    UserFactory,
    WarrantyRuleFactory,
    center,
    city,
    main_account,
)
from tests.helpers import assert_same_query_count
from tickets.actions import assign_center
from tickets.models import Appeal, AppealMessage, Client, Topic

pytestmark = pytest.mark.django_db

NUMBER = "+79160000101"
HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "call-work"}


@pytest.fixture
def script() -> ScriptVersion:
    reference.load()
    return ScriptVersion.objects.get()


@pytest.fixture
def owner() -> Client:
    return ClientFactory(last_name="Иванова", first_name="Мария", middle_name="Сергеевна", phones=[NUMBER])


@pytest.fixture
def call(script: ScriptVersion, owner: Client) -> Call:
    """A known client on the line; nobody has said yet who it is."""
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


def choose(web: Browser, call: Call, owner: Client) -> None:
    assert tell(web, "choose", call, client=owner.pk).status_code == 200
    call.refresh_from_db()


def words(response: Any) -> str:
    return " ".join(response.content.decode().split())


def states(call: Call) -> dict[str, str]:
    acts = CallStage.objects.filter(call=call).exclude(act="opened").order_by("pk")
    return dict(acts.values_list("stage", "act"))


# --- The page -------------------------------------------------------------------------------------
@pytest.mark.parametrize("stage", StageCode.values)
def test_every_stage_has_its_page(web: Browser, call: Call, owner: Client, stage: str) -> None:
    choose(web, call, owner)
    page = web.get(f"{url('call', call)}?stage={stage}")
    assert page.status_code == 200
    assert f'name="stage" id="call-stage" value="{stage}"' in words(page)


@pytest.mark.parametrize("stage", StageCode.values)
def test_every_stage_has_its_page_without_a_client_too(web: Browser, call: Call, stage: str) -> None:
    assert web.get(f"{url('call', call)}?stage={stage}").status_code == 200


def test_the_page_comes_back_to_where_the_call_stands(web: Browser, call: Call) -> None:
    tell(web, "stage", call, "greeting", act="done")
    assert 'value="identification"' in words(web.get(url("call", call)))
    assert 'value="greeting"' in words(web.get(f"{url('call', call)}?stage=greeting"))
    assert web.get(f"{url('call', call)}?stage=nonsense").status_code == 200


def test_another_operators_call_is_not_there(call: Call, client: Browser) -> None:
    client.force_login(UserFactory())
    assert client.get(url("call", call)).status_code == 404
    assert tell(client, "stage", call, "greeting", act="done").status_code == 404


def test_a_supervisor_sees_everybodys(call: Call, client: Browser) -> None:
    client.force_login(UserFactory(supervisor=True))
    assert client.get(url("call", call)).status_code == 200


def test_within_the_page_the_workspace_comes_without_the_house(web: Browser, call: Call) -> None:
    inside = web.get(url("call", call), HTTP_HX_REQUEST="true", HTTP_HX_TARGET="main")
    assert "<html" not in words(inside)
    assert 'class="call"' in words(inside)


def test_the_greeting_speaks_the_name_that_is_voiced(web: Browser, call: Call) -> None:
    page = words(web.get(url("call", call)))
    assert 'Здравствуйте, меня зовут <span class="slot">Анна</span>, чем могу помочь?' in page
    assert "Иванова Мария Сергеевна" in page  # who it probably is


# --- Acts of the stages ---------------------------------------------------------------------------
def test_a_stage_is_done_by_its_own_act_and_leads_on(web: Browser, call: Call) -> None:
    answer = tell(web, "stage", call, "greeting", act="done")

    call.refresh_from_db()
    assert states(call) == {"greeting": "done"}
    assert call.phase == Call.Phase.GREETING
    assert answer["HX-Replace-Url"] == f"{url('call', call)}?stage=identification"
    act = CallStage.objects.get(call=call, act="done")
    assert len(act.data["phrases"]) == 1


def test_turning_to_a_later_stage_is_a_dialog(web: Browser, call: Call) -> None:
    tell(web, "stage", call, "history", act="open")
    call.refresh_from_db()
    assert call.phase == Call.Phase.DIALOG
    assert states(call) == {}


def test_a_skipped_stage_is_recorded_as_skipped(web: Browser, call: Call) -> None:
    tell(web, "stage", call, "history", act="skip")
    assert states(call) == {"history": "skipped"}


def test_an_unknown_stage_is_refused_in_words(web: Browser, call: Call) -> None:
    answer = tell(web, "stage", call, "lunch", act="done")
    assert answer.status_code == 400
    assert "toast" in answer["HX-Trigger"]


# --- 2 and 3: who calls, the card -----------------------------------------------------------------
@pytest.mark.parametrize("query", ["Ивонова Мария", "0000101", "иванова", "SN0000777"])
def test_the_client_is_found_by_what_there_is(web: Browser, call: Call, owner: Client, query: str) -> None:
    ApplianceFactory(account=main_account(owner), serial_number="SN0000777")
    assert "Иванова Мария Сергеевна" in words(tell(web, "client-search", call, q=query))


def test_nobody_found_says_what_to_do(web: Browser, call: Call) -> None:
    assert "empty" in words(tell(web, "client-search", call, q="Неизвестный"))


def test_choosing_the_card_opens_its_account(web: Browser, call: Call, owner: Client) -> None:
    answer = tell(web, "choose", call, client=owner.pk, caller_name="дочь Ольга")

    call.refresh_from_db()
    assert (call.client, call.account) == (owner, main_account(owner))
    assert call.caller_name == "дочь Ольга"
    assert "stage=history" in answer["HX-Replace-Url"]


def test_a_card_with_two_accounts_asks_which(web: Browser, call: Call, owner: Client) -> None:
    from tests.factories import AccountFactory

    AccountFactory(client=owner, second=True)
    assert "stage=card" in tell(web, "choose", call, client=owner.pk)["HX-Replace-Url"]


@pytest.mark.parametrize("chosen", ["0", "x", "999999999", "9" * 40])
def test_a_card_that_is_not_there(web: Browser, call: Call, chosen: str) -> None:
    assert tell(web, "choose", call, client=chosen).status_code == 404


def test_without_a_card_the_call_goes_on(web: Browser, call: Call) -> None:
    answer = tell(web, "choose", call, client="")
    assert "stage=diagnosis" in answer["HX-Replace-Url"]
    assert states(call) == {"identification": "done"}


def test_a_new_card_takes_the_number_with_it(web: Browser, call: Call) -> None:
    call.number = "+79160000777"
    call.save()
    form = words(ask(web, "card", call, mode="new"))
    assert "+7 916 000-07-77" in form

    action = str(uuid4())
    data = {"last_name": "Новая", "first_name": "Анна", "phones": "+7 916 000-07-77", "city": "Казань"}
    for _ in range(2):  # posted twice
        answer = tell(web, "card", call, action_id=action, **data)

    call.refresh_from_db()
    assert Client.objects.filter(last_name="Новая").count() == 1
    assert call.client is not None
    assert call.client.phones.get().e164 == "+79160000777"
    assert "stage=history" in answer["HX-Replace-Url"]


def test_a_card_without_a_name_is_refused_beside_the_field(web: Browser, call: Call) -> None:
    answer = tell(web, "card", call, last_name="", first_name="", phones="что-то")
    assert answer.status_code == 422
    assert 'id="id_last_name_error"' in words(answer)
    assert not Client.objects.filter(last_name="").exists()


def test_a_likely_duplicate_warns_while_typing(web: Browser, call: Call, owner: Client) -> None:
    warned = words(tell(web, "duplicates", call, last_name="Ивнова", first_name="Мария", phones=NUMBER))
    assert "Иванова Мария Сергеевна" in warned
    assert "Иванова" not in words(tell(web, "duplicates", call, last_name="Сидорова", first_name="Ольга"))


def test_another_account_is_opened_deliberately(web: Browser, call: Call, owner: Client) -> None:
    choose(web, call, owner)
    refused = tell(web, "account", call, reason="")
    assert refused.status_code == 422
    assert "account-error" in words(refused)

    tell(web, "account", call, reason="Фирма")

    call.refresh_from_db()
    assert owner.accounts.count() == 2
    assert call.account == owner.accounts.get(is_main=False)


def test_a_colleagues_change_of_the_card_is_not_overwritten(web: Browser, call: Call, owner: Client) -> None:
    choose(web, call, owner)
    Client.objects.filter(pk=owner.pk).update(address="Новый адрес", version=2)
    answer = tell(web, "card", call, mode="edit", version=1, last_name="Иванова", first_name="Мария", address="Мой")
    assert answer.status_code == 422
    owner.refresh_from_db()
    assert owner.address == "Новый адрес"
    assert 'value="Мой"' in words(answer)  # what was typed stays


def test_a_wrong_client_is_moved_with_the_appeals_if_said_so(web: Browser, call: Call, owner: Client) -> None:
    wrong = ClientFactory()
    choose(web, call, wrong)
    tell(web, "registration", call, "consultation", description="Спросила про чек")
    appeal = Appeal.objects.get()

    asked = tell(web, "choose", call, client=owner.pk)
    call.refresh_from_db()
    assert asked["HX-Retarget"] == "#dialog"
    assert call.client == wrong

    tell(web, "choose", call, client=owner.pk, move="yes")

    call.refresh_from_db()
    appeal.refresh_from_db()
    assert (call.client, appeal.client) == (owner, owner)


# --- 4: history -----------------------------------------------------------------------------------
def test_a_consultation_on_an_appeal_is_one_key(web: Browser, call: Call, owner: Client) -> None:
    earlier = AppealFactory(client=owner, assigned=True)
    choose(web, call, owner)
    action = str(uuid4())

    for _ in range(2):
        answer = tell(web, "consult", call, earlier.number, action_id=action)

    call.refresh_from_db()
    consultation = Appeal.objects.get(parent=earlier)
    assert call.registered_appeal == consultation
    assert states(call)["registration"] == "done"
    assert f'id="whole-{earlier.number}"' in words(answer)


def test_an_appeal_is_shown_whole(web: Browser, call: Call, owner: Client) -> None:
    earlier = AppealFactory(client=owner, assigned=True)
    choose(web, call, owner)
    assert "Казань-Сервис" in words(ask(web, "appeal", call, earlier.number))
    assert ask(web, "appeal", call, 123).status_code == 404


def test_the_history_costs_the_same_for_two_and_for_twelve(web: Browser, call: Call, owner: Client) -> None:
    choose(web, call, owner)
    assert_same_query_count(
        lambda n: [AppealFactory(client=owner, assigned=True) for _ in range(n)],
        lambda: ask(web, "stage", call, "history"),
    )


# --- 5: diagnosis ---------------------------------------------------------------------------------
def test_an_appliance_of_the_account_fills_the_form(web: Browser, call: Call, owner: Client) -> None:
    WarrantyRuleFactory()
    appliance = ApplianceFactory(account=main_account(owner), serial_number="SN0000777")
    choose(web, call, owner)

    answer = words(tell(web, "appliance", call, choose=appliance.pk, description="Гудит"))

    assert "SN0000777" in answer
    assert "Гудит" in answer
    assert "verdict-in" in answer
    assert Draft.objects.get(form="diagnosis").data["appliance"] == str(appliance.pk)


def test_anothers_appliance_is_not_there(web: Browser, call: Call, owner: Client) -> None:
    choose(web, call, owner)
    stranger = ApplianceFactory(account=main_account(ClientFactory()))
    assert tell(web, "appliance", call, choose=stranger.pk).status_code == 404


def test_the_warranty_is_judged_while_typing(web: Browser, call: Call) -> None:
    WarrantyRuleFactory()
    model = ProductModelFactory()
    long_ago = timezone.localdate() - timedelta(days=3000)
    data = {"model_text": model.name, "model_text_id": model.pk, "purchase_date_source": "receipt"}

    judged = words(tell(web, "check", call, "diagnosis", purchase_date=f"{long_ago:%d.%m.%Y}", **data))

    assert "verdict-out" in judged
    assert 'hx-swap-oob="true"' in judged
    assert not Draft.objects.exists()


def test_what_was_diagnosed_stands_in_the_request(web: Browser, call: Call, owner: Client) -> None:
    choose(web, call, owner)
    answer = tell(
        web, "diagnosis", call, kind="repair", model_text="RF-77", description="Не морозит", model_source="client"
    )
    page = words(answer)
    assert 'value="RF-77"' in page
    assert "Не морозит" in page
    assert states(call)["diagnosis"] == "done"


def test_objections_are_one_key_away(web: Browser, call: Call) -> None:
    overlay = words(ask(web, "objections", call))
    assert "Почему так долго?" in overlay
    assert states(call) == {}


# --- 6: registration ------------------------------------------------------------------------------
def request_data(**more: Any) -> dict[str, Any]:
    return {
        "action_id": str(uuid4()),
        "full_name": "Иванова Мария Сергеевна",
        "phone": NUMBER,
        "city": "Казань",
        "city_id": City.objects.get(name="Казань").pk if City.objects.filter(name="Казань").exists() else "",
        "model_text": "RF-77",
        "model_source": "nameplate",
        "purchase_date": "14032024",
        "purchase_date_source": "receipt",
        "store": "М.Видео",
        "store_source": "documents",
        "description": "Не морозит",
        **more,
    }


def test_a_request_is_registered_with_its_centre(web: Browser, call: Call, owner: Client) -> None:
    chosen = center()
    choose(web, call, owner)
    data = request_data(service_center=chosen.pk)

    for _ in range(2):  # posted twice
        answer = tell(web, "registration", call, "repair", **data)

    appeal = Appeal.objects.get(kind="repair")
    call.refresh_from_db()
    assert answer.status_code == 200
    assert appeal.active_assignment().service_center == chosen
    assert f"{appeal.purchase_date:%d.%m.%Y}" == "14.03.2024"
    assert call.registered_appeal == appeal
    assert "stage=sms" in answer["HX-Replace-Url"]
    assert not Draft.objects.open().exists()


def test_each_missing_item_is_said_beside_its_field(web: Browser, call: Call, owner: Client) -> None:
    choose(web, call, owner)
    data = request_data(store="", purchase_date="вчера", description="", city="", city_id="")
    answer = tell(web, "registration", call, "repair", **data)

    page = words(answer)
    assert answer.status_code == 422
    assert 'value="вчера"' in page
    for field in ("purchase_date", "store", "description", "city"):
        assert f'id="id_{field}_error"' in page
    assert not Appeal.objects.exists()

    data["purchase_date"] = "14.03.2024"
    page = words(tell(web, "registration", call, "repair", **data))
    for field in ("store", "description", "service_center"):
        assert f'id="id_{field}_error"' in page


def test_the_client_does_not_know_is_an_answer(web: Browser, call: Call, owner: Client) -> None:
    choose(web, call, owner)
    data = request_data(
        store="",
        store_source="unknown",
        purchase_date="",
        purchase_date_source="unknown",
        no_center_reason="client_decides",
    )
    assert tell(web, "registration", call, "repair", **data).status_code == 200
    assert Appeal.objects.get().no_center_reason == "client_decides"


def test_a_request_without_a_card_is_kept_and_refused(web: Browser, call: Call) -> None:
    tell(web, "choose", call, client="")
    answer = tell(web, "registration", call, "repair", **request_data(no_center_reason="client_decides"))
    assert answer.status_code == 422
    assert not Appeal.objects.exists()


def test_what_is_missing_is_listed_while_typing(web: Browser, call: Call, owner: Client) -> None:
    chosen = center()
    choose(web, call, owner)
    checked = words(tell(web, "check", call, "repair", **request_data(description="")))
    assert 'id="missing-items"' in checked
    assert chosen.name in checked
    assert "checked" in checked  # the first of the ranking stands chosen


def test_no_centre_stands_chosen_where_nobody_knows_how_far_it_is(web: Browser, call: Call, owner: Client) -> None:
    city("Нижний Новгород")
    far = center("Алтай-Сервис")
    choose(web, call, owner)
    data = request_data(city="нижний навгород", city_id="")
    checked = words(tell(web, "check", call, "repair", **data))
    assert far.name in checked
    assert f'id="center-{far.pk}" value="{far.pk}">' in checked  # offered, not chosen
    assert "<strong>Нижний Новгород" in checked
    assert tell(web, "registration", call, "repair", **data).status_code == 422
    assert not Appeal.objects.exists()
    picked = tell(web, "registration", call, "repair", **data, service_center=far.pk)
    assert picked.status_code == 200
    assert Appeal.objects.get().assignments.get().service_center == far


def test_whoever_looks_for_a_card_is_talking(web: Browser, call: Call) -> None:
    Call.objects.filter(pk=call.pk).update(phase="greeting")
    tell(web, "client-search", call, q="  ")
    call.refresh_from_db()
    assert call.phase == "greeting"
    tell(web, "client-search", call, q="Гогобер")
    call.refresh_from_db()
    assert call.phase == "dialog"


def test_the_greeting_comes_anew_once_the_line_is_open(web: Browser, call: Call, script: ScriptVersion) -> None:
    operator = call.operator
    call = CallFactory(outgoing=True, operator=operator, script_version=script)
    shown = {"stage": "greeting", "line": "ringing"}
    waiting = words(ask(web, "strip", call, **shown))
    assert 'id="call-work"' not in waiting
    answer_by_hand(call_id=call.pk, actor=operator)
    open_line = words(ask(web, "strip", call, **shown))
    assert 'id="call-work" data-key-scope hx-swap-oob="true"' in open_line
    assert 'id="stage-done"' in open_line
    # Whatever else is shown is the page's own affair: something may be typed there.
    for other in ({"stage": "card", "line": "ringing"}, {"stage": "greeting", "line": "talking"}, {}):
        assert 'id="call-work"' not in words(ask(web, "strip", call, **other))


@pytest.mark.parametrize(
    ("shown", "said"), [("farewell", "оцените мою консультацию"), ("summary", "Остались ли у вас")]
)
def test_what_is_said_follows_the_line(web: Browser, call: Call, shown: str, said: str) -> None:
    """It broke while the farewell stood there: the strip comes by itself, and with it that nothing is said any more."""
    page = words(ask(web, "stage", call, shown))
    assert said in page
    Call.objects.filter(pk=call.pk).update(line_state="ended", ended_at=timezone.now(), ending="lost")
    news = words(ask(web, "strip", call, stage=shown, line="talking", open="1"))
    assert 'id="call-stages"' in news
    assert 'id="verdict"' in news
    assert said not in news
    assert 'id="call-work"' not in news  # a promise may be typed there
    again = words(ask(web, "strip", call, stage=shown, line="ended", open="1"))
    assert 'id="call-stages"' not in again


def test_out_of_warranty_the_contacts_are_given_and_recorded(web: Browser, call: Call, owner: Client) -> None:
    WarrantyRuleFactory()
    chosen = center()
    choose(web, call, owner)
    model = ProductModelFactory()
    typed = {"model_text": model.name, "model_text_id": model.pk, "model_source": "client"}
    tell(web, "diagnosis", call, kind="contacts", purchase_date="01.02.2015", purchase_date_source="client", **typed)

    tell(web, "registration", call, "contacts", description="Сломался", service_center=chosen.pk)

    appeal = Appeal.objects.get()
    assert (appeal.kind, appeal.state, appeal.verdict) == ("consultation", "referred", "out")
    assert appeal.referred_to == chosen


def test_contacts_need_a_centre(web: Browser, call: Call) -> None:
    tell(web, "choose", call, client="")
    answer = tell(web, "registration", call, "contacts", description="Сломался")
    assert answer.status_code == 422
    assert 'id="id_service_center_error"' in words(answer)


@pytest.mark.parametrize("preset", ["wrong_number", "silence", "job_seeker", "atypical"])
def test_a_call_without_a_client_is_registered_in_one_key(web: Browser, call: Call, preset: str) -> None:
    action = str(uuid4())
    for _ in range(2):
        assert tell(web, "preset", call, preset, action_id=action).status_code == 200
    call.refresh_from_db()
    assert call.registered_appeal == Appeal.objects.get()


def test_an_unknown_preset_or_kind_is_refused(web: Browser, call: Call) -> None:
    assert tell(web, "preset", call, "lunch").status_code == 400
    assert tell(web, "registration", call, "lunch").status_code == 400
    assert tell(web, "check", call, "lunch").status_code == 400


# --- 7: SMS ---------------------------------------------------------------------------------------
def with_request(web: Browser, call: Call, owner: Client) -> Appeal:
    sms_reference.load()
    chosen = center()
    choose(web, call, owner)
    tell(web, "registration", call, "repair", **request_data(service_center=chosen.pk))
    return Appeal.objects.get(kind="repair")


def test_the_message_is_sent_once_and_then_told(web: Browser, call: Call, owner: Client) -> None:
    appeal = with_request(web, call, owner)
    page = words(ask(web, "stage", call, "sms"))
    assert str(appeal.number) in page
    assert "отправлены вам в СМС" not in page

    action = str(uuid4())
    for _ in range(2):
        answer = tell(web, "sms-send", call, to="8 916 000 01 01", action_id=action)

    link = AppealMessage.objects.get()
    assert link.message.to == NUMBER
    assert "отправлены вам в СМС" in words(answer)
    assert states(call)["sms"] == "done"
    status = words(ask(web, "sms-status", call, link.message_id))
    assert f'id="message-{link.message_id}"' in status
    # What it became while the answer was on its way was said to nobody: it asks by itself, once.
    assert "load delay:2s, live:sms:" in words(answer)
    assert "load delay" not in status


def test_from_another_window_it_is_not_sent_twice(web: Browser, call: Call, owner: Client) -> None:
    with_request(web, call, owner)
    tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4()))
    second = tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4()))
    assert second.status_code == 409
    assert json.loads(second["HX-Trigger"])["toast"]["message"] == "Это сообщение только что отправлено на этот номер."
    assert 'id="stage-done"' in words(second)
    assert AppealMessage.objects.count() == 1
    other = tell(web, "sms-send", call, to="8 916 000 01 02", action_id=str(uuid4()))
    assert (other.status_code, AppealMessage.objects.count()) == (200, 2)


def test_what_was_sent_is_dictated_as_well_where_the_client_does_not_see_it(
    web: Browser, call: Call, owner: Client
) -> None:
    with_request(web, call, owner)
    tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4()))
    assert 'class="dictation"' not in words(ask(web, "stage", call, "sms"))
    card = words(ask(web, "sms-dictate", call))
    assert 'class="dictation"' in card
    assert 'form="dictation-form"' in card
    assert 'id="sms-form"' not in card  # it is not sent again by mistake
    assert tell(web, "sms-dictate", call, action_id=str(uuid4())).status_code == 200
    assert sorted(AppealMessage.objects.values_list("message__state", flat=True)) == ["dictated", "queued"]


def test_a_second_matter_is_told_by_its_own_message(web: Browser, call: Call, owner: Client) -> None:
    first = with_request(web, call, owner)
    tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4()))
    assert states(call)["sms"] == "done"
    tell(web, "registration", call, "repair", **request_data(service_center=center().pk, description="И сушилка"))
    second = Appeal.objects.filter(kind="repair").latest("pk")
    assert second != first
    assert stage_states(call)["sms"] == "current"
    page = words(ask(web, "stage", call, "sms"))
    assert f"№{second.number}" in page
    assert 'id="sms-form"' in page
    assert "отправлены вам в СМС" not in words(ask(web, "stage", call, "summary"))
    sent = tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4()))
    assert sent.status_code == 200
    assert AppealMessage.objects.latest("pk").appeal == second
    assert "отправлены вам в СМС" in words(sent)


def test_who_asks_for_the_master_is_told_of_the_request(web: Browser, call: Call, owner: Client) -> None:
    """Its data and its centre's contacts (stage 7), not those of the consultation that notes the question."""
    sms_reference.load()
    earlier = AppealFactory(assigned=True, client=owner)
    choose(web, call, owner)
    tell(web, "consult", call, earlier.number, action_id=str(uuid4()))
    consultation = Appeal.objects.get(parent=earlier)
    page = words(ask(web, "stage", call, "sms"))
    assert f"№{earlier.number}" in page
    assert "Казань-Сервис" in page
    assert "Сообщение не составить" not in page
    assert tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4())).status_code == 200
    link = AppealMessage.objects.get()
    assert (link.appeal, str(earlier.number) in link.message.text) == (earlier, True)
    steps = words(ask(web, "stage", call, "summary"))
    assert str(earlier.number) in steps
    # What is over, or was only talked about, is no request to be told of.
    Appeal.objects.filter(pk=earlier.pk).update(state="cancelled")
    assert f"№{consultation.number}" in words(ask(web, "stage", call, "sms"))


def test_a_hidden_number_is_no_text_in_the_field(web: Browser, call: Call, owner: Client) -> None:
    """The exchange says «anonymous»: the verdict speaks of it, the field waits for the number that the client names."""
    with_request(web, call, owner)
    Call.objects.filter(pk=call.pk).update(number="", number_raw="anonymous")
    page = words(ask(web, "stage", call, "sms"))
    assert "Номер скрыт" in page
    assert 'id="sms-to" name="to" value=""' in page
    assert "anonymous" not in page


def test_one_more_to_another_number(web: Browser, call: Call, owner: Client) -> None:
    """«И мужу, пожалуйста»: asked for, the form comes once more, and what was sent stays said."""
    with_request(web, call, owner)
    sent = words(tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4())))
    assert 'id="sms-form"' not in sent
    assert "Клиент не хочет СМС" in sent  # can be said afterwards, too
    form = words(ask(web, "sms-send", call))
    assert 'name="again"' in form
    assert 'id="sms-to" name="to" value=""' in form
    assert 'class="dictation"' not in form
    assert "отправлены вам в СМС" in form
    foreign = words(tell(web, "sms-gate", call, to="+77010000771", again="yes"))
    assert "Номер Казахстана" in foreign
    assert 'data-key="Ctrl+Enter" disabled' in foreign
    second = tell(web, "sms-send", call, to="8 916 000 01 02", again="yes", action_id=str(uuid4()))
    assert second.status_code == 200
    assert list(AppealMessage.objects.order_by("pk").values_list("message__to", flat=True)) == [NUMBER, "+79160000102"]
    refused = tell(web, "sms-send", call, to="123", again="yes", action_id=str(uuid4()))
    assert refused.status_code == 409
    assert 'value="123"' in words(refused)


def test_another_centre_after_the_message_is_told_by_another_message(web: Browser, call: Call, owner: Client) -> None:
    """Nobody says that the contacts were sent which were not."""
    appeal = with_request(web, call, owner)
    tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4()))
    assert "отправлены вам в СМС" in words(ask(web, "stage", call, "summary"))
    assign_center(appeal_id=appeal.pk, service_center=center("Зея-Мастер"), actor=call.operator)
    page = words(ask(web, "stage", call, "sms"))
    assert "Обращение изменилось после сообщения" in page
    assert 'id="sms-form"' in page
    assert "отправлены вам в СМС" not in page
    summary = words(ask(web, "stage", call, "summary"))
    assert "Зея-Мастер" in summary
    assert "отправлены" not in summary
    again = words(tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4())))
    assert "отправлены вам в СМС" in again
    assert "Зея-Мастер" in AppealMessage.objects.latest("pk").message.text


def test_where_no_centre_is_named_there_is_nothing_to_send_or_to_say(web: Browser, call: Call, owner: Client) -> None:
    """A question that was answered: no dead end, and no «Запишите, пожалуйста»."""
    sms_reference.load()
    choose(web, call, owner)
    answer = tell(web, "registration", call, "consultation", description="Спросила про чек", topic=topic().pk)
    assert answer.status_code == 200
    for number in (NUMBER, "+77010000771"):
        Call.objects.filter(pk=call.pk).update(number=number)
        page = words(ask(web, "stage", call, "sms"))
        assert "отправлять нечего" in page
        assert "Запишите, пожалуйста" not in page
        assert 'id="sms-main"' not in page
        assert 'id="stage-done" autofocus data-key="Ctrl+Enter"' in page
    further = tell(web, "stage", call, "sms", act="skip")
    assert "stage=summary" in further["HX-Replace-Url"]
    assert states(call)["sms"] == "skipped"


def test_who_is_gone_is_told_nothing(web: Browser, call: Call, owner: Client) -> None:
    """The key of «dictated and read back» is no habit then, and no phrase is said."""
    with_request(web, call, owner)
    tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4()))
    SmsMessage.objects.update(state="submitting", attempt_token=uuid4(), lease_until=timezone.now())
    SmsMessage.objects.update(state="rejected", reason="invalid_destination")
    talking = words(ask(web, "stage", call, "sms"))
    assert "Запишите, пожалуйста" in talking
    assert 'form="dictation-form" autofocus data-key="Ctrl+Enter"' in talking
    assert "Сказать сейчас" in words(ask(web, "client-column", call))
    Call.objects.filter(pk=call.pk).update(line_state="ended", ended_at=timezone.now(), ending="goodbye")
    gone = words(ask(web, "stage", call, "sms"))
    assert "Запишите, пожалуйста" not in gone
    assert "Клиент уже не на линии" in gone
    assert 'form="dictation-form" data-key="Alt+KeyM"' in gone
    assert "Сказать сейчас" not in words(ask(web, "client-column", call))


def test_contacts_alone_are_not_called_a_requests_data(web: Browser, call: Call, owner: Client) -> None:
    sms_reference.load()
    choose(web, call, owner)
    data = request_data(service_center=center().pk, topic=topic().pk)
    assert tell(web, "registration", call, "contacts", **data).status_code == 200
    assert Appeal.objects.get().kind == "consultation"
    sent = words(tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4())))
    assert "Контакты сервисного центра отправлены вам в СМС." in sent
    assert "Данные заявки" not in sent


def test_the_card_is_made_anew_and_its_dictation_is_one(web: Browser, call: Call, owner: Client) -> None:
    """A verdict comes between two presses of the key, and with it another card under the finger."""
    call.number = "+77010000771"
    call.save()
    with_request(web, call, owner)

    def action(answer: Any) -> str:
        [found] = re.findall(r'id="dictation-form"[^>]*>.*?name="action_id" value="([^"]+)"', words(answer))
        return str(found)

    cards = [ask(web, "stage", call, "sms"), tell(web, "sms-gate", call, to="8 701")]
    for card in cards:
        assert tell(web, "sms-dictate", call, action_id=action(card)).status_code == 200
    assert AppealMessage.objects.count() == 1
    # «И ещё раз, помедленнее» is one more.
    again = action(ask(web, "sms-dictate", call))
    assert again != action(cards[0])
    tell(web, "sms-dictate", call, action_id=again)
    assert AppealMessage.objects.count() == 2


def test_a_number_of_kazakhstan_is_dictated_to(web: Browser, call: Call, owner: Client) -> None:
    call.number = "+77010000771"
    call.save()
    with_request(web, call, owner)

    page = words(ask(web, "stage", call, "sms"))
    assert 'class="dictation"' in page
    assert "Запишите, пожалуйста" in page
    refused = tell(web, "sms-send", call, to="+77010000771", action_id=str(uuid4()))
    assert refused.status_code == 409
    assert not AppealMessage.objects.exists()

    tell(web, "sms-dictate", call, action_id=str(uuid4()))

    assert AppealMessage.objects.get().message.state == "dictated"
    assert states(call)["sms"] == "done"


def test_another_number_that_the_client_names_is_judged(web: Browser, call: Call, owner: Client) -> None:
    assert tell(web, "sms-gate", call, to=NUMBER).status_code == 404  # nothing to tell yet
    with_request(web, call, owner)
    assert "notice-ok" in words(tell(web, "sms-gate", call, to=NUMBER))
    assert "notice-warn" in words(tell(web, "sms-gate", call, to="8 843 200 00 10"))
    assert "notice-warn" in words(tell(web, "sms-gate", call, to=""))


def test_what_the_main_key_does_follows_the_number_that_was_typed(web: Browser, call: Call, owner: Client) -> None:
    call.number = "+77010000771"
    call.save()
    with_request(web, call, owner)
    assert 'form="dictation-form"' in words(ask(web, "stage", call, "sms"))
    refused = words(tell(web, "sms-send", call, to="+77010000771", action_id=str(uuid4())))
    assert refused.count("СМС только на номера России") == 1  # said once, where the verdict stands

    russian = words(tell(web, "sms-gate", call, to=NUMBER))
    assert 'id="sms-telling" class="call-form" hx-swap-oob="true"' in russian
    assert 'form="sms-form" data-key="Ctrl+Enter"' in russian
    assert "dictation" not in russian
    assert "Запишите, пожалуйста" not in russian  # nor is it said
    assert "autofocus" not in russian  # the number is still being typed

    foreign = words(tell(web, "sms-gate", call, to="+77010000772"))
    assert 'form="dictation-form" data-key="Ctrl+Enter"' in foreign
    assert "Запишите, пожалуйста" in foreign
    web.post(url("draft", call, "sms"), {"version": 0, "fields": {"to": NUMBER}}, content_type="application/json")
    assert "Запишите, пожалуйста" not in words(ask(web, "stage", call, "sms"))
    assert 'form="sms-form" data-key="Alt+KeyS" disabled' in foreign


@pytest.mark.parametrize(
    ("was", "now", "redraws"),
    [
        ("queued", "accepted", False),
        ("accepted", "undelivered", True),
        ("accepted", "unknown", True),
        ("unknown", "delivered", True),
        ("unknown", "unknown", False),
        ("", "rejected", True),
        ("", "accepted", False),
    ],
)
def test_the_stage_is_drawn_anew_where_its_keys_would_be_others(
    web: Browser, call: Call, owner: Client, was: str, now: str, redraws: bool
) -> None:
    from sms.models import SmsMessage

    with_request(web, call, owner)
    tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4()))
    message = SmsMessage.objects.get()
    path = {"accepted": ["submitting", "accepted"], "delivered": ["submitting", "unknown", "delivered"]}
    for state in path.get(now, ["submitting", now]):
        fields = {"attempt_token": uuid4(), "lease_until": timezone.now()} if state == "submitting" else {}
        SmsMessage.objects.filter(pk=message.pk).update(state=state, **fields)
    page = words(ask(web, "sms-status", call, message.pk, was=was))
    assert ('id="call-work"' in page) is redraws
    assert ("data-key-late" in page) is redraws


def test_a_message_that_failed_brings_the_card_to_dictate_from(web: Browser, call: Call, owner: Client) -> None:
    from sms.models import SmsMessage

    with_request(web, call, owner)
    tell(web, "sms-send", call, to=NUMBER, action_id=str(uuid4()))
    message = SmsMessage.objects.get()
    for state in ("submitting", "rejected"):
        fields = {"attempt_token": uuid4(), "lease_until": timezone.now()} if state == "submitting" else {}
        SmsMessage.objects.filter(pk=message.pk).update(state=state, **fields)

    answer = words(ask(web, "sms-status", call, message.pk))

    assert 'class="dictation"' in answer


def test_without_an_appeal_there_is_nothing_to_send(web: Browser, call: Call) -> None:
    assert tell(web, "sms-send", call, to=NUMBER).status_code == 404


# --- 8 and 9: summary, farewell -------------------------------------------------------------------
def test_the_question_is_asked_only_if_the_operator_ends_the_talk(web: Browser, call: Call) -> None:
    question = "Остались ли у вас дополнительные вопросы?"
    assert question in words(ask(web, "stage", call, "summary"))
    turned = words(tell(web, "ended-by", call, stage="summary"))
    assert question not in turned
    assert "phrase-muted" in turned
    assert question in words(tell(web, "ended-by", call, stage="summary"))


@pytest.mark.parametrize("flag", ["is_atypical", "wants_rating"])
def test_the_farewell_is_muted_with_its_reason(web: Browser, call: Call, flag: str) -> None:
    farewell = "оцените мою консультацию"
    assert farewell in words(ask(web, "stage", call, "farewell"))
    assert farewell not in words(tell(web, "flags", call, flag=flag, stage="farewell"))


def test_a_call_back_is_promised_in_one_key(web: Browser, call: Call) -> None:
    due = (timezone.now() + timedelta(hours=1)).isoformat()
    page = words(tell(web, "promise", call, due=due, number=NUMBER))
    promise = PromisedCallBack.objects.get(call=call)
    assert promise.number == NUMBER
    assert "оцените мою консультацию" not in page

    tell(web, "promise", call, act="cancel")
    promise.refresh_from_db()
    assert promise.state == "cancelled"


@pytest.mark.parametrize("data", [{}, {"due_at": "когда-нибудь"}, {"due": "вчера"}, {"due_at": "31.02 10:00"}])
def test_a_promise_without_a_time_is_refused_beside_the_field(web: Browser, call: Call, data: dict[str, str]) -> None:
    answer = tell(web, "promise", call, number=NUMBER, **data)
    assert answer.status_code == 422
    assert 'id="id_due_at_error"' in words(answer)


def test_a_promise_is_by_the_clients_clock() -> None:
    form = PromiseForm({"due_at": "25.11.2030 10:30"}, zone="Asia/Vladivostok")
    assert form.is_valid()
    assert form.cleaned_data["moment"].astimezone(UTC) == datetime(2030, 11, 25, 0, 30, tzinfo=UTC)
    noon = datetime(2030, 11, 25, 2, 0, tzinfo=UTC)  # noon in Vladivostok
    assert [f"{each.moment.astimezone(UTC):%d %H:%M}" for each in dues(noon, "Asia/Vladivostok")] == [
        "25 03:00",
        "25 08:00",
        "26 00:00",
        "26 08:00",
    ]


# --- The line, 10: wrap-up ------------------------------------------------------------------------
def test_a_lost_connection_is_called_back_once(web: Browser, call: Call) -> None:
    tell(web, "dialog", call)
    tell(web, "hang-up", call)
    strip = words(ask(web, "strip", call))
    assert 'data-key="Alt+KeyL"' in strip
    assert 'data-key="Alt+KeyE"' in strip

    strip = words(tell(web, "ending", call, ending="lost"))
    assert 'data-key="Alt+KeyC"' in strip

    answer = tell(web, "call-back", call)
    attempt = Call.objects.get(attempt_of=LostCallBack.objects.get())
    assert str(attempt.pk) in answer["HX-Location"]
    strip = words(ask(web, "strip", call))
    assert 'data-key="Alt+KeyC"' not in strip
    assert tell(web, "call-back", call).status_code == 409


def test_a_drop_in_the_greeting_owes_nothing(web: Browser, call: Call) -> None:
    tell(web, "hang-up", call)
    call.refresh_from_db()
    assert call.work_state == Call.WorkState.CLOSED
    page = words(web.get(url("call", call)))
    assert 'data-key="Alt+KeyC"' not in page


def test_closing_says_everything_that_is_missing(web: Browser, call: Call) -> None:
    tell(web, "dialog", call)
    tell(web, "hang-up", call)

    answer = tell(web, "wrap-up", call, topic="", result="", note="—")

    page = words(answer)
    assert answer.status_code == 409
    for key in ("Alt+KeyE Alt+KeyL", "Alt+KeyK", "Alt+KeyT", "Alt+KeyR"):
        assert key in page or all(part in page for part in key.split())
    call.refresh_from_db()
    assert call.is_open
    assert call.note == "—"


def test_a_whole_call_is_closed_and_reopened(web: Browser, call: Call, owner: Client) -> None:
    with_request(web, call, owner)
    tell(web, "stage", call, "farewell", act="done")
    tell(web, "hang-up", call)
    answer = tell(web, "wrap-up", call, topic=topic().pk, result=result().pk, note="")

    call.refresh_from_db()
    assert answer.status_code == 200
    assert not call.is_open
    assert call.ending == Call.Ending.GOODBYE
    assert states(call)["summary"] == "skipped"

    assert tell(web, "reopen", call, reason="").status_code == 400
    tell(web, "reopen", call, reason="Не тот итог")
    call.refresh_from_db()
    assert call.is_open


def test_the_number_in_another_system_is_noted(web: Browser, call: Call, owner: Client) -> None:
    appeal = with_request(web, call, owner)
    tell(web, "reference", call, system="naumen", number="N-1")
    tell(web, "reference", call, system="gsis", number="G-1", appeal=appeal.number, stage="registration")
    assert call.references.get().number == "N-1"
    assert appeal.references.get().number == "G-1"
    assert tell(web, "reference", call, system="naumen", number="").status_code == 422


def test_a_wrong_appeal_is_taken_off_the_call(web: Browser, call: Call, owner: Client) -> None:
    choose(web, call, owner)
    tell(web, "registration", call, "consultation", description="Первая")
    first = Appeal.objects.get()

    tell(web, "correct-appeal", call, first.number, act="unlink")

    call.refresh_from_db()
    assert call.registered_appeal is None
    assert tell(web, "correct-appeal", call, first.number, act="unlink").status_code == 404


def test_a_call_that_nobody_has_is_taken(call: Call, client: Browser) -> None:
    Call.objects.filter(pk=call.pk).update(operator=None)
    colleague = UserFactory()
    client.force_login(colleague)
    assert 'data-key="Alt+KeyT"' in words(client.get(url("call", call)))
    tell(client, "take", call)
    call.refresh_from_db()
    assert call.operator == colleague


def test_a_broken_off_request_is_finished_from_its_draft(web: Browser, call: Call, owner: Client) -> None:
    choose(web, call, owner)
    url_of_draft = url("draft", call, "repair")
    web.post(url_of_draft, {"version": 0, "fields": {"store": "М.Видео"}}, content_type="application/json")
    tell(web, "registration", call, "consultation", description="Связь прервалась", topic=topic().pk)
    tell(web, "hang-up", call)
    tell(web, "ending", call, ending="goodbye")
    tell(web, "wrap-up", call, topic=topic().pk, result=result().pk)
    call.refresh_from_db()
    assert not call.is_open

    page = words(web.get(f"{url('call', call)}?stage=registration"))
    assert 'value="М.Видео"' in page
    draft = Draft.objects.open().get(form="repair")
    data = request_data(no_center_reason="client_decides", action_id=str(draft.action_id))
    assert tell(web, "registration", call, "repair", **data).status_code == 200

    call.refresh_from_db()
    assert Appeal.objects.get(kind="repair").client == owner
    assert not call.is_open
    assert not Draft.objects.open().filter(form="repair").exists()


# --- Topics ---------------------------------------------------------------------------------------
TOPICS = [
    Topic(pk=1, code="noise", name="Шумит, вибрирует"),
    Topic(pk=2, code="no-cooling", name="Не морозит"),
    Topic(pk=3, code="other-fault", name="Другая неисправность"),
    Topic(pk=4, code="installation", name="Установка и подключение"),
    Topic(pk=5, code="center-address", name="Адрес и телефон АСЦ"),
    Topic(pk=6, code="job", name="Вакансия, трудоустройство", is_atypical=True),
]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("repair", "Сильно шумит при отжиме", "noise"),
        ("repair", "Морозилка не морозит, шумела", "no-cooling"),
        ("repair", "Непонятно что", "other-fault"),
        ("repair", "", "other-fault"),
        ("installation", "Шумит", "installation"),
        ("contacts", "", "center-address"),
        ("consultation", "", None),
        ("consultation", "Вакансии есть?", None),
        ("other", "Вакансии есть?", "job"),
    ],
)
def test_the_topic_is_suggested_by_the_clients_words(kind: str, text: str, expected: str | None) -> None:
    found = suggest(kind, text, TOPICS)
    assert (found.code if found else None) == expected


# --- The day --------------------------------------------------------------------------------------
def test_the_day_shows_ones_own_calls_only(web: Browser, call: Call) -> None:
    CallFactory(talking=True, number="+79160000909")
    page = words(web.get(reverse("calls:list")))
    assert "+7 916 000-01-01" in page
    assert "+7 916 000-09-09" not in page


def test_the_day_costs_the_same_for_two_calls_and_for_twelve(web: Browser, call: Call) -> None:
    def make(number: int) -> None:
        for _ in range(number):
            made = CallFactory(
                lost=True, operator=call.operator, client=ClientFactory(), topic=topic(), result=result()
            )
            LostCallBack.objects.create(call=made, owner=call.operator)
            Draft.objects.create(owner=call.operator, call=made, form="repair", action_id=uuid4())
            PromisedCallBack.objects.create(call=made, owner=call.operator, number=NUMBER, due_at=timezone.now())

    assert_same_query_count(make, lambda: web.get(reverse("calls:list")))


def test_the_drafts_cost_the_same_for_two_and_for_twelve(web: Browser, call: Call) -> None:
    def make(number: int) -> None:
        for _ in range(number):
            made = CallFactory(dialog=True, operator=call.operator, client=ClientFactory())
            Draft.objects.create(owner=call.operator, call=made, form="repair", action_id=uuid4())

    assert_same_query_count(make, lambda: web.get(reverse("calls:drafts")))


def test_the_day_turns_its_pages_by_keyset(web: Browser, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calls.views.day.PAGE", 2)
    now = timezone.now()
    for minute in range(1, 4):
        CallFactory(wrap_up=True, operator=call.operator, started_at=now - timedelta(seconds=minute))
    seen: list[int] = []
    address = reverse("calls:list")
    while address:
        page = web.get(address)
        seen += [each.pk for each in page.context["calls"]]
        address = reverse("calls:list") + page.context["next"] if page.context["next"] else ""
    assert len(seen) == len(set(seen)) == 4


@pytest.mark.parametrize("query", [{"day": "вчера"}, {"before": "x"}, {"before": "2026 7"}, {"shown": "lunch"}])
def test_a_broken_address_of_the_day_is_no_error(web: Browser, call: Call, query: dict[str, str]) -> None:
    assert web.get(reverse("calls:list"), query).status_code == 200


def test_a_call_is_begun_by_hand(web: Browser, call: Call) -> None:
    answer = web.post(reverse("calls:begin"), {"direction": "in", "number": "8 916 000-02-02"}, **HTMX)
    begun = Call.objects.get(number="+79160000202")
    assert begun.operator == call.operator
    assert str(begun.pk) in answer["HX-Location"]
    wrong = web.post(reverse("calls:begin"), {"direction": "in", "number": "абв"}, **HTMX)
    assert wrong.status_code == 422


def test_an_unread_version_is_announced_and_acknowledged(web: Browser, call: Call, script: ScriptVersion) -> None:
    assert reverse("calls:script-version", args=[script.pk]) in words(web.get(reverse("calls:list")))
    web.post(reverse("calls:script-acknowledge", args=[script.pk]))
    assert script.acknowledgements.get().operator == call.operator
    assert reverse("calls:script-version", args=[script.pk]) not in words(web.get(reverse("calls:list")))


def test_a_supervisor_sees_who_has_not_read(client: Browser, call: Call, script: ScriptVersion) -> None:
    supervisor: User = UserFactory(supervisor=True)
    client.force_login(supervisor)
    page = words(client.get(reverse("calls:script-readers", args=[script.pk])))
    assert str(call.operator) in page
