"""What a call leads to: the client, the appeal (R1), what was sent (R3)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

import calls.reference
import tickets.reference
from calls.actions import (
    choose_client,
    consult_on,
    dictate_in_call,
    give_contacts_in_call,
    move_appeal_in_call,
    register_client_in_call,
    register_in_call,
    register_preset,
    replace_registered_appeal,
    send_sms_in_call,
    stage_states,
    unlink_appeal,
)
from calls.actions.registration import PRESETS, WHERE_IS_MASTER
from calls.facts import missing_to_close
from calls.models import Call, CallResult
from hotline.base.errors import HotlineError, InvalidFields
from sms.models import SmsMessage
from tests.calls.factories import NUMBER, CallFactory, result, topic
from tests.factories import AccountFactory, AppealFactory, ClientFactory, SmsTemplateFactory, center
from tickets.models import Appeal, Client, Topic

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    return CallFactory(talking=True, number=NUMBER)


@pytest.fixture
def directories() -> None:
    for code in [*(code for code, _result, _ends in PRESETS.values()), WHERE_IS_MASTER]:
        topic(code)
    for code in ("consulted", "request_registered", "not_ours", "status_told", "contacts_given"):
        result(code)


def codes(call: Call) -> list[str]:
    return list(call.journal.order_by("pk").values_list("code", flat=True))


def refusal(verb: Any, **arguments: Any) -> str:
    with pytest.raises(HotlineError) as refused:
        verb(**arguments)
    return refused.value.code


def consultation(call: Call, **fields: Any) -> Appeal:
    arguments = {"kind": "consultation", "description": "Как разморозить", "action_id": uuid4(), **fields}
    return register_in_call(call_id=call.pk, actor=call.operator, **arguments)


# --- The client -----------------------------------------------------------------------------------
def test_choosing_a_card_opens_its_account_and_does_two_stages(call: Call) -> None:
    client = ClientFactory()
    choose_client(call_id=call.pk, client=client, caller_name=" дочь ", actor=call.operator)
    call.refresh_from_db()
    assert (call.client, call.account, call.caller_name) == (client, client.accounts.get(), "дочь")
    assert (call.phase, stage_states(call)["identification"], stage_states(call)["card"]) == ("dialog", "done", "done")
    assert codes(call) == ["dialog_begun", "client_chosen"]
    choose_client(call_id=call.pk, client=client, actor=call.operator)
    call.refresh_from_db()
    assert (call.caller_name, codes(call)) == ("дочь", ["dialog_begun", "client_chosen"])


def test_another_account_is_chosen_and_a_strangers_refused(call: Call) -> None:
    client = ClientFactory()
    dacha = AccountFactory(client=client, second=True)
    choose_client(call_id=call.pk, client=client, account=dacha, actor=call.operator)
    call.refresh_from_db()
    assert call.account == dacha
    strange = ClientFactory().accounts.get()
    assert refusal(choose_client, call_id=call.pk, client=client, account=strange, actor=call.operator) == "account"


def test_the_wrong_card_is_moved_with_its_appeals_and_journalled(call: Call) -> None:
    wrong, right = ClientFactory(), ClientFactory()
    choose_client(call_id=call.pk, client=wrong, actor=call.operator)
    appeal = consultation(call)
    choose_client(call_id=call.pk, client=right, move_appeals=True, actor=call.operator)
    call.refresh_from_db()
    appeal.refresh_from_db()
    assert (call.client, appeal.client, appeal.account) == (right, right, right.accounts.get())
    moved = call.journal.get(code="client_moved").data
    assert (moved["before"], moved["client"]) == (wrong.pk, right.pk)
    assert call.journal.get(code="appeal_moved").data == {"appeal": appeal.pk, "before": wrong.pk, "after": right.pk}


def test_the_card_is_taken_off_the_call(call: Call) -> None:
    choose_client(call_id=call.pk, client=ClientFactory(), actor=call.operator)
    choose_client(call_id=call.pk, client=None, actor=call.operator)
    call.refresh_from_db()
    assert (call.client, call.account, codes(call)[-1]) == (None, None, "client_moved")


def test_registering_a_card_in_the_call_twice_is_once(call: Call) -> None:
    action = uuid4()
    fields = {"last_name": "Ёлкина", "first_name": "Анна", "phones": [NUMBER]}
    first = register_client_in_call(call_id=call.pk, action_id=action, actor=call.operator, **fields)
    again = register_client_in_call(call_id=call.pk, action_id=action, actor=call.operator, **fields)
    call.refresh_from_db()
    assert (first, Client.objects.count(), call.client) == (again, 1, first)


# --- The appeal -----------------------------------------------------------------------------------
def test_an_appeal_takes_what_the_call_knows(call: Call, directories: None) -> None:
    client = ClientFactory()
    choose_client(call_id=call.pk, client=client, actor=call.operator)
    appeal = consultation(call, topic=topic("usage"))
    call.refresh_from_db()
    assert (appeal.client, appeal.account, appeal.phone) == (client, client.accounts.get(), NUMBER)
    assert (call.registered_appeal, call.topic, call.result) == (appeal, topic("usage"), result("consulted"))
    assert stage_states(call)["registration"] == "done"
    assert call.appeals.get().relation == "registered"


def test_the_same_action_twice_is_one_appeal(call: Call) -> None:
    action = uuid4()
    first, again = consultation(call, action_id=action), consultation(call, action_id=action)
    assert (first, Appeal.objects.count(), codes(call).count("appeal_registered")) == (again, 1, 1)


def test_a_second_appeal_hangs_beside_the_first(call: Call) -> None:
    first, second = consultation(call), consultation(call)
    call.refresh_from_db()
    assert (call.registered_appeal, call.appeals.count()) == (first, 2)
    replace_registered_appeal(call_id=call.pk, appeal=second, actor=call.operator)
    call.refresh_from_db()
    assert (call.registered_appeal, codes(call)[-1]) == (second, "appeal_replaced")


def test_a_request_that_lacks_something_says_everything_and_changes_nothing(call: Call) -> None:
    with pytest.raises(InvalidFields) as refused:
        consultation(call, kind="repair")
    assert {"client", "model_text", "purchase_date", "store", "service_center"} <= set(refused.value.fields)
    call.refresh_from_db()
    assert (call.registered_appeal, call.phase, codes(call)) == (None, "before_greeting", [])


def test_nothing_is_registered_before_anybody_answered() -> None:
    from tests.factories import UserFactory

    call = CallFactory(outgoing=True, operator=UserFactory())
    assert refusal(register_in_call, call_id=call.pk, kind="consultation", description="x", actor=call.operator) == (
        "not_answered"
    )


def test_a_consultation_on_an_appeal_in_one_key(call: Call, directories: None) -> None:
    request = AppealFactory(assigned=True)
    appeal = consult_on(call_id=call.pk, appeal=request, action_id=uuid4(), actor=call.operator)
    call.refresh_from_db()
    assert (appeal.parent, appeal.kind, appeal.state) == (request, "consultation", "closed")
    assert (appeal.client, call.client, call.registered_appeal) == (request.client, request.client, appeal)
    assert (call.topic.code, call.result.code) == (WHERE_IS_MASTER, "status_told")
    assert set(call.appeals.values_list("appeal", "relation")) == {
        (request.pk, "consulted"),
        (appeal.pk, "registered"),
    }
    states = stage_states(call)
    assert (states["history"], states["registration"], states["card"]) == ("done", "done", "done")


@pytest.mark.parametrize(
    ("preset", "topic_code", "result_code", "ends"), [(preset, *meant) for preset, meant in PRESETS.items()]
)
def test_presets_need_no_client_and_one_key(
    call: Call, directories: None, preset: str, topic_code: str, result_code: str, ends: bool
) -> None:
    action = uuid4()
    for _twice in range(2):
        appeal = register_preset(call_id=call.pk, preset=preset, action_id=action, actor=call.operator)
    call.refresh_from_db()
    assert (appeal.client, appeal.kind, appeal.topic.code) == (None, "other", topic_code)
    assert (call.registered_appeal, call.topic.code, call.result.code) == (appeal, topic_code, result_code)
    assert (call.is_atypical, call.phase) == (True, "done" if ends else "dialog")


def test_a_preset_after_the_hang_up_leaves_nothing_to_say(directories: None) -> None:
    call = CallFactory(wrap_up=True)
    register_preset(call_id=call.pk, preset="silence", action_id=uuid4(), actor=call.operator)
    call.refresh_from_db()
    assert (call.ending, missing_to_close(call)) == ("goodbye", [])


def test_the_reference_data_knows_every_code_that_presets_name() -> None:
    tickets.reference.load()
    calls.reference.load()
    assert set(Topic.objects.filter(is_atypical=True).values_list("code", flat=True)) >= {
        topic_code for topic_code, _outcome, _ends in PRESETS.values()
    }
    assert Topic.objects.filter(code=WHERE_IS_MASTER, is_atypical=False).exists()
    named = {outcome for _topic, outcome, _ends in PRESETS.values()}
    named |= {"request_registered", "status_told", "contacts_given", "not_reached"}
    assert set(CallResult.objects.values_list("code", flat=True)) >= named


def test_an_unknown_preset(call: Call) -> None:
    assert refusal(register_preset, call_id=call.pk, preset="pizza", action_id=uuid4(), actor=call.operator) == "preset"


def test_out_of_warranty_the_contacts_are_given_and_on_the_record(call: Call, directories: None) -> None:
    choose_client(call_id=call.pk, client=ClientFactory(), actor=call.operator)
    asc = center()
    appeal = give_contacts_in_call(
        call_id=call.pk, service_center=asc, action_id=uuid4(), description="Течёт", actor=call.operator
    )
    call.refresh_from_db()
    assert (appeal.state, appeal.referred_to, call.result.code) == ("referred", asc, "contacts_given")
    states = stage_states(call)
    assert (states["diagnosis"], states["registration"]) == ("done", "done")


# --- Corrections ----------------------------------------------------------------------------------
def test_an_appeal_is_moved_to_the_right_card(call: Call) -> None:
    appeal, right = consultation(call), ClientFactory()
    move_appeal_in_call(
        call_id=call.pk, appeal=appeal, client=right, account=None, reason="Ошиблась карточкой", actor=call.operator
    )
    appeal.refresh_from_db()
    assert (appeal.client, codes(call)[-1]) == (right, "appeal_moved")


def test_an_unlinked_appeal_leaves_the_next_one_in_its_place(call: Call) -> None:
    first, second = consultation(call), consultation(call)
    unlink_appeal(call_id=call.pk, appeal=first, actor=call.operator)
    call.refresh_from_db()
    assert call.registered_appeal == second
    unlink_appeal(call_id=call.pk, appeal=second, actor=call.operator)
    call.refresh_from_db()
    assert (call.registered_appeal, call.appeals.count(), codes(call)[-1]) == (None, 0, "appeal_unlinked")


def test_what_does_not_belong_to_the_call_is_not_touched(call: Call) -> None:
    stranger = AppealFactory()
    arguments = {"call_id": call.pk, "appeal": stranger, "actor": call.operator}
    assert refusal(unlink_appeal, **arguments) == "not_linked"
    assert refusal(replace_registered_appeal, **arguments) == "not_linked"
    assert refusal(move_appeal_in_call, client=None, account=None, **arguments) == "not_linked"
    sending = {"appeal_id": stranger.pk, "to": NUMBER, "purpose": "contacts", "action_id": uuid4()}
    assert refusal(send_sms_in_call, call_id=call.pk, actor=call.operator, **sending) == "not_linked"


# --- What was sent --------------------------------------------------------------------------------
@pytest.mark.parametrize("verb", [send_sms_in_call, dictate_in_call])
def test_sending_or_dictating_is_on_the_record_and_does_stage_seven(call: Call, verb: Any) -> None:
    SmsTemplateFactory(contacts=True)
    asc = center()
    appeal = consultation(call, referred_to=asc)
    action = uuid4()
    for _twice in range(2):
        message = verb(
            call_id=call.pk, appeal_id=appeal.pk, to=NUMBER, purpose="contacts", action_id=action, actor=call.operator
        )
    assert (SmsMessage.objects.count(), stage_states(call)["sms"]) == (1, "done")
    assert message.message.state == ("queued" if verb is send_sms_in_call else "dictated")


def test_what_can_not_go_by_sms_leaves_the_stage_undone(call: Call) -> None:
    SmsTemplateFactory(contacts=True)
    appeal = consultation(call, referred_to=center())
    kazakh = {"to": "+77010000771", "purpose": "contacts", "action_id": uuid4()}
    with pytest.raises(HotlineError):
        send_sms_in_call(call_id=call.pk, appeal_id=appeal.pk, actor=call.operator, **kazakh)
    assert stage_states(call)["sms"] == "todo"
