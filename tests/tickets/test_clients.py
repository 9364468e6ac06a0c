"""Verbs on cards, phones, accounts and appliances."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from django.utils.translation import override

from hotline.base.errors import Conflict, InvalidFields, NotFound, Refused
from tests.factories import (
    ApplianceFactory,
    ClientFactory,
    ModelSuggestionFactory,
    ProductModelFactory,
    UserFactory,
    city,
    main_account,
)
from tests.helpers import race
from tickets.actions import (
    add_appliance,
    add_phone,
    dismiss_suggestion,
    open_account,
    register_client,
    remove_phone,
    resolve_suggestion,
    suggest_model,
    update_appliance,
    update_client,
)
from tickets.models import Account, Appliance, Client, ClientPhone, ModelSuggestion

pytestmark = pytest.mark.django_db


# --- Registering ----------------------------------------------------------------------------------
def test_a_card_is_registered_with_its_account_and_phones() -> None:
    operator = UserFactory()
    client = register_client(
        last_name=" Ёлкина ",
        first_name="Анна",
        city=city(),
        city_text="этого никто не увидит",
        phones=["8 (916) 000-01-01 доб. 12", "", "спросить у дочери", "+7 916 000 01 01 доб. 12"],
        actor=operator,
    )
    assert (client.full_name, client.city_text, client.created_by) == ("Ёлкина Анна", "", operator)
    account = client.accounts.get()
    assert (account.is_main, account.opened_by, account.number >= 100001) == (True, operator, True)
    phones = [(phone.raw, phone.e164, phone.extension, phone.position) for phone in client.phones.all()]
    assert phones == [
        ("8 (916) 000-01-01 доб. 12", "+79160000101", "12", 0),
        ("спросить у дочери", "", "", 1),
    ]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"last_name": "  "}, "last_name", "name_missing"),
        ({"last_name": "Я" * 101}, "last_name", "max_length"),
        ({"last_name": "Я\x00"}, "last_name", "bad_characters"),
        ({"email": "нет"}, "email", "invalid"),
        ({"phones": ["8" * 101]}, "phones", "max_length"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_happens(
    changes: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(InvalidFields) as caught:
        register_client(**{"last_name": "Ёлкина", "actor": UserFactory(), **changes})
    assert [each for each, _ in caught.value.fields[field]] == [code]
    assert not Client.objects.exists()
    assert not Account.objects.exists()


def test_a_first_name_alone_will_do() -> None:
    assert register_client(last_name="", first_name="Анна", actor=None).full_name == "Анна"


def test_a_form_posted_twice_makes_one_card() -> None:
    action = uuid4()
    first = register_client(last_name="Ёлкина", phones=["89160000101"], action_id=action, actor=None)
    assert register_client(last_name="Ёлкина", phones=["89160000101"], action_id=action, actor=None) == first
    assert (Client.objects.count(), Account.objects.count(), ClientPhone.objects.count()) == (1, 1, 1)
    with pytest.raises(Conflict) as caught:
        register_client(last_name="Иванова", action_id=action, actor=None)
    assert caught.value.code == "action_reused"


@pytest.mark.django_db(transaction=True)
def test_two_connections_that_post_one_form_make_one_card() -> None:
    action, operator = uuid4(), UserFactory()
    results = race(*[lambda: register_client(last_name="Ёлкина", action_id=action, actor=operator)] * 3)
    assert {result.pk for result in results} == {Client.objects.get().pk}
    assert Account.objects.count() == 1


# --- Changing -------------------------------------------------------------------------------------
def test_a_change_moves_the_version_and_no_change_does_not() -> None:
    client = ClientFactory(last_name="Ёлкина")
    same = update_client(client_id=client.pk, version=1, last_name="Ёлкина", actor=None)
    assert same.version == 1
    changed = update_client(client_id=client.pk, version=1, last_name="Иванова", actor=None)
    assert (changed.version, changed.last_name) == (2, "Иванова")


def test_the_second_operator_is_told_what_changed_and_by_whom() -> None:
    client, first = ClientFactory(), UserFactory(last_name="Первая", first_name="Анна")
    update_client(client_id=client.pk, version=1, address="ул. Мира, 1", note="Собака", actor=first)
    with pytest.raises(Conflict) as caught:
        update_client(client_id=client.pk, version=1, address="ул. Мира, 2", actor=UserFactory())
    error = caught.value
    assert error.code == "changed_meanwhile"
    assert set(error.details["fields"]) == {"address", "note"}
    assert (error.details["by"], error.details["version"]) == (first.pk, 2)
    assert "Первая Анна" in str(error)
    assert "ул. Мира" not in str(error)
    client.refresh_from_db()
    assert client.address == "ул. Мира, 1"


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_one_wins_and_the_other_is_told() -> None:
    client, operators = ClientFactory(), [UserFactory(), UserFactory()]
    results = race(
        lambda: update_client(client_id=client.pk, version=1, note="А", actor=operators[0]),
        lambda: update_client(client_id=client.pk, version=1, note="Б", actor=operators[1]),
    )
    assert sorted(type(result).__name__ for result in results) == ["Client", "Conflict"]


def test_a_field_that_is_no_field_of_a_card_is_a_mistake_of_the_caller() -> None:
    client = ClientFactory()
    with pytest.raises(TypeError):
        update_client(client_id=client.pk, version=1, created_by=None, actor=None)


def test_there_is_no_such_card() -> None:
    with pytest.raises(NotFound):
        update_client(client_id=0, version=1, actor=None)


# --- Phones and accounts --------------------------------------------------------------------------
def test_a_phone_is_shown_with_its_extension() -> None:
    client = ClientFactory(phones=["8 (495) 000-80-35 доб. 12", "8 (916) 123-45-67", "не помнит"])
    with override("ru"):
        shown = {str(phone) for phone in client.phones.all()}
    assert shown == {
        "+7 495 000-80-35 доб. 12", "+7 916 123-45-67", "не помнит",
    }  # fmt: skip


def test_a_phone_is_added_once_and_taken_off() -> None:
    client = ClientFactory(phones=["8 916 000-01-01"])
    again = add_phone(client_id=client.pk, raw="+79160000101", actor=None)
    assert again == client.phones.get()
    other = add_phone(client_id=client.pk, raw="12-34-56", actor=None)
    assert (other.e164, other.raw, other.position) == ("", "12-34-56", 1)
    remove_phone(phone_id=other.pk, actor=None)
    assert client.phones.count() == 1
    with pytest.raises(NotFound):
        remove_phone(phone_id=other.pk, actor=None)


def test_another_account_is_opened_only_with_its_reason() -> None:
    client = ClientFactory()
    with pytest.raises(InvalidFields) as caught:
        open_account(client_id=client.pk, reason=" ", actor=None)
    assert list(caught.value.fields) == ["reason"]
    account = open_account(client_id=client.pk, reason="Дача", actor=None)
    assert (account.is_main, account.reason, client.accounts.count()) == (False, "Дача", 2)
    assert open_account(client_id=client.pk, reason=" Дача", actor=None) == account  # posted twice
    assert open_account(client_id=client.pk, reason="Гараж", actor=None) != account


# --- Appliances -----------------------------------------------------------------------------------
def test_a_model_of_the_directory_brings_its_brand_and_category() -> None:
    model = ProductModelFactory(name="ВМ-12")
    client = ClientFactory()
    appliance = add_appliance(
        account_id=main_account(client).pk,
        model_text="",
        product_model=model,
        purchase_date_source="unknown",
        actor=None,
    )
    assert (appliance.model_text, appliance.brand, appliance.category) == ("ВМ-12", model.brand, model.category)
    again = add_appliance(account_id=appliance.account_id, model_text="ВМ-12", product_model=model, actor=None)
    assert again == appliance  # posted twice


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"model_text": ""}, "model_text"),
        (
            {"purchase_date": timezone.localdate() + timedelta(days=1), "purchase_date_source": "client"},
            "purchase_date",
        ),
        ({"purchase_date": timezone.localdate()}, "purchase_date_source"),
        ({"purchase_date_source": "гадание"}, "purchase_date_source"),
    ],
)
def test_an_appliance_that_makes_no_sense(changes: dict[str, Any], field: str) -> None:
    account = main_account(ClientFactory())
    with pytest.raises(InvalidFields) as caught:
        add_appliance(**{"account_id": account.pk, "model_text": "RF-1", "actor": None, **changes})
    assert list(caught.value.fields) == [field]
    assert not Appliance.objects.exists()


def test_an_appliance_is_corrected() -> None:
    appliance = ApplianceFactory(store="")
    model = ProductModelFactory()
    update_appliance(appliance_id=appliance.pk, store="ДНС", product_model=model, actor=None)
    appliance.refresh_from_db()
    assert (appliance.store, appliance.product_model, appliance.brand) == ("ДНС", model, model.brand)
    with pytest.raises(NotFound):
        update_appliance(appliance_id=0, actor=None)


# --- Models that the directory lacks --------------------------------------------------------------
def test_a_suggestion_is_counted_in_either_alphabet() -> None:
    first = suggest_model(text="ВМ-77", actor=UserFactory())
    again = suggest_model(text="bm 77", actor=UserFactory())
    assert first is not None
    assert again is not None
    assert (again.pk, again.times, again.text) == (first.pk, 2, "ВМ-77")
    assert suggest_model(text=" - ", actor=None) is None


@pytest.mark.django_db(transaction=True)
def test_a_suggestion_in_two_connections_is_one_that_was_met_twice() -> None:
    operator = UserFactory()
    race(*[lambda: suggest_model(text="ВМ-77", actor=operator)] * 2)
    assert ModelSuggestion.objects.get().times == 2


def test_a_suggestion_is_decided_once() -> None:
    supervisor, model = UserFactory(supervisor=True), ProductModelFactory()
    resolved = resolve_suggestion(suggestion_id=ModelSuggestionFactory().pk, product_model=model, actor=supervisor)
    assert (resolved.resolved_model, resolved.decided_by) == (model, supervisor)
    dismissed = dismiss_suggestion(suggestion_id=ModelSuggestionFactory().pk, actor=supervisor)
    assert (dismissed.resolved_model, dismissed.decided_by) == (None, supervisor)
    assert not ModelSuggestion.objects.waiting().exists()
    with pytest.raises(Refused) as caught:
        dismiss_suggestion(suggestion_id=resolved.pk, actor=supervisor)
    assert caught.value.code == "already_decided"
