"""register_appeal: R1 and R2 as the verb holds them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from hotline.base.errors import Conflict, Invalid, InvalidFields, Refused
from service_centers.models import WorkKind
from tests.factories import (
    AccountFactory,
    AppealFactory,
    ApplianceFactory,
    ClientFactory,
    ProductModelFactory,
    TopicFactory,
    UserFactory,
    WarrantyRuleFactory,
    brand,
    category,
    center,
    city,
    main_account,
)
from tests.helpers import race
from tickets.actions import ApplianceFacts, register_appeal
from tickets.models import (
    Appeal,
    AppealEvent,
    Appliance,
    Assignment,
    Client,
    DateSource,
    FactSource,
    ModelSuggestion,
)

pytestmark = pytest.mark.django_db


def facts(**changes: Any) -> ApplianceFacts:
    known: dict[str, Any] = {
        "model_text": "RF-1000",
        "brand": brand(),
        "category": category(),
        "model_source": FactSource.NAMEPLATE,
        "serial_number": "SN 001",
        "purchase_date": timezone.localdate() - timedelta(days=365),
        "purchase_date_source": DateSource.RECEIPT,
        "store": "М.Видео",
        "store_source": FactSource.DOCUMENTS,
    }
    return ApplianceFacts(**{**known, **changes})


def request(**changes: Any) -> dict[str, Any]:
    """Everything a repair request needs."""
    known: dict[str, Any] = {"kind": "repair", "description": "Не морозит", "facts": facts(), "actor": UserFactory()}
    if "client" not in changes:
        known["client"] = ClientFactory(phones=["8 (916) 000-01-01"])
    if "service_center" not in changes and "no_center_reason" not in changes:
        known["service_center"] = center()
    return {**known, **changes}


def nothing_was_written() -> bool:
    return not (Appeal.objects.exists() or AppealEvent.objects.exists() or Assignment.objects.exists())


# --- A request ------------------------------------------------------------------------------------
def test_a_request_is_registered_whole() -> None:
    WarrantyRuleFactory()
    asked = center()
    client = ClientFactory(phones=["8 (916) 000-01-01"])
    operator = UserFactory()

    appeal = register_appeal(**request(client=client, service_center=asked, actor=operator))

    appeal.refresh_from_db()
    assert (appeal.kind, appeal.state, appeal.registered_by) == ("repair", "assigned", operator)
    assert (appeal.client, appeal.account) == (client, main_account(client))
    assert (appeal.full_name, appeal.phone, appeal.city, appeal.address) == (
        client.full_name,
        "+79160000101",
        client.city,
        client.address,
    )
    assert (appeal.verdict, appeal.verdict_reason) == ("in", "within")
    assert appeal.number > 0
    assignment = appeal.assignments.get()
    assert (assignment.service_center, assignment.rank, assignment.state) == (asked, 1, "offered")
    assert assignment.reasons[:2] == ["in_city", "whole_brand"]
    assert [entry.code for entry in appeal.journal.order_by("pk")] == ["registered", "assigned"]
    appliance = Appliance.objects.get()
    assert (appliance.account, appliance.folded_serial) == (appeal.account, "SN001")
    assert appeal.appliance == appliance


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"client": None, "full_name": "Иванов Иван", "city_text": "Казань"}, "client", "client_missing"),
        ({"description": "  "}, "description", "description_missing"),
        ({"full_name": "Иван"}, "full_name", "full_name_incomplete"),
        ({"facts": {"model_text": ""}}, "model_text", "model_missing"),
        ({"facts": {"model_source": ""}}, "model_source", "model_source_missing"),
        ({"facts": {"purchase_date": None}}, "purchase_date", "purchase_date_missing"),
        ({"facts": {"purchase_date_source": ""}}, "purchase_date_source", "purchase_date_source_missing"),
        ({"facts": {"store": " "}}, "store", "store_missing"),
        ({"facts": {"store_source": ""}}, "store_source", "store_source_missing"),
        ({"service_center": None}, "service_center", "center_missing"),
        ({"no_center_reason": "other"}, "no_center_note", "no_center_note_missing"),
    ],
)
def test_a_request_with_one_item_missing_is_refused_and_nothing_happens(
    changes: dict[str, Any], field: str, code: str
) -> None:
    if "facts" in changes:
        changes = {**changes, "facts": facts(**changes["facts"])}
    with pytest.raises(InvalidFields) as caught:
        register_appeal(**request(**changes))
    assert {name: [code for code, _ in problems] for name, problems in caught.value.fields.items()} == {field: [code]}
    assert nothing_was_written()
    assert not Appliance.objects.exists()


def test_everything_missing_is_said_at_once() -> None:
    with pytest.raises(InvalidFields) as caught:
        register_appeal(kind="installation", description="", actor=UserFactory())
    assert [code for problems in caught.value.fields.values() for code, _ in problems] == [
        "client_missing",
        "full_name_missing",
        "city_missing",
        "model_missing",
        "purchase_date_missing",
        "store_missing",
        "description_missing",
        "center_missing",
    ]


def test_the_client_does_not_know_satisfies_an_item() -> None:
    unknown = ApplianceFacts(
        model_source=FactSource.UNKNOWN, purchase_date_source=DateSource.UNKNOWN, store_source=FactSource.UNKNOWN
    )
    appeal = register_appeal(**request(facts=unknown))
    assert (appeal.verdict, appeal.verdict_reason, appeal.appliance) == ("unknown", "no_date", None)


def test_a_request_without_a_centre_waits_with_its_reason() -> None:
    appeal = register_appeal(**request(no_center_reason="none_near"))
    assert (appeal.state, appeal.no_center_reason) == ("registered", "none_near")
    assert not appeal.assignments.exists()


def test_out_of_warranty_a_paid_repair_may_still_be_requested() -> None:
    WarrantyRuleFactory(months=6)
    paid = center(skills=[("Vestra", None, WorkKind.PAID_REPAIR)])
    appeal = register_appeal(**request(service_center=paid, is_paid=True))
    assert (appeal.verdict, appeal.verdict_reason, appeal.is_paid, appeal.state) == ("out", "expired", True, "assigned")
    assert appeal.assignments.get().rank == 1


def test_a_centre_that_is_no_candidate_may_be_chosen_and_keeps_why_it_lost() -> None:
    stranger = center(skills=[("Nordia", None, WorkKind.WARRANTY_REPAIR)])
    appeal = register_appeal(**request(service_center=stranger))
    assignment = appeal.assignments.get()
    assert (assignment.rank, assignment.reasons) == (None, ["not_brand"])


def test_an_inactive_centre_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        register_appeal(**request(service_center=center(is_active=False)))
    assert caught.value.code == "center_inactive"
    assert nothing_was_written()


def test_a_purchase_in_the_future_is_refused() -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    with pytest.raises(InvalidFields) as caught:
        register_appeal(**request(facts=facts(purchase_date=tomorrow)))
    assert [code for code, _ in caught.value.fields["purchase_date"]] == ["purchase_date_future"]
    assert nothing_was_written()


@pytest.mark.parametrize("changes", [{"close": True}, {"referred_to": True}])
def test_what_is_for_consultations_only(changes: dict[str, Any]) -> None:
    if "referred_to" in changes:
        changes = {"referred_to": center()}
    with pytest.raises(Invalid):
        register_appeal(**request(**changes))
    assert nothing_was_written()


def test_an_account_of_another_card_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        register_appeal(**request(account=AccountFactory()))
    assert caught.value.code == "account_of_another"
    assert nothing_was_written()


def test_text_that_the_database_cannot_store_is_refused() -> None:
    for bad in ("\x00", "\ud800"):
        with pytest.raises(InvalidFields) as caught:
            register_appeal(**request(description=f"Не морозит{bad}"))
        assert [code for code, _ in caught.value.fields["description"]] == ["bad_characters"]
    assert nothing_was_written()


def test_text_that_is_too_long_is_refused_beside_its_field() -> None:
    with pytest.raises(InvalidFields) as caught:
        register_appeal(**request(description="я" * 4001, address="я" * 251))
    assert set(caught.value.fields) == {"description", "address"}
    assert nothing_was_written()


# --- A consultation -------------------------------------------------------------------------------
def test_a_consultation_needs_no_client() -> None:
    appeal = register_appeal(kind="consultation", description="Ошиблись номером", actor=UserFactory(), close=True)
    assert (appeal.client, appeal.account, appeal.state, appeal.verdict) == (None, None, "closed", "")


@pytest.mark.parametrize("kind", ["consultation", "other"])
def test_a_consultation_needs_a_matter(kind: str) -> None:
    with pytest.raises(InvalidFields) as caught:
        register_appeal(kind=kind, description=" ", actor=UserFactory())
    assert [code for code, _ in caught.value.fields["description"]] == ["matter_missing"]
    assert nothing_was_written()
    assert register_appeal(kind=kind, description="", topic=TopicFactory(), actor=UserFactory()).pk


def test_a_consultation_on_an_earlier_appeal_takes_its_owner_and_tells_its_journal() -> None:
    request_ = AppealFactory(assigned=True)
    appeal = register_appeal(kind="consultation", description="", parent=request_, actor=UserFactory(), close=True)
    assert (appeal.client, appeal.account, appeal.parent) == (request_.client, request_.account, request_)
    assert (appeal.model_text, appeal.brand, appeal.description) == (request_.model_text, request_.brand, "")
    assert not ModelSuggestion.objects.exists()  # nobody met the model anew
    entry = request_.journal.get()
    assert (entry.code, entry.data) == ("consulted", {"consultation": appeal.number})


def test_contacts_given_make_it_referred() -> None:
    asked = center()
    appeal = register_appeal(
        kind="consultation", description="Дорого?", referred_to=asked, actor=UserFactory(), close=True
    )
    assert (appeal.state, appeal.referred_to) == ("referred", asked)
    assert [entry.code for entry in appeal.journal.order_by("pk")] == ["registered", "contacts_given"]


def test_a_centre_is_for_requests_only() -> None:
    with pytest.raises(Invalid) as caught:
        register_appeal(kind="consultation", description="?", service_center=center(), actor=UserFactory())
    assert caught.value.code == "only_requests_are_assigned"
    assert nothing_was_written()


def test_there_is_no_such_kind() -> None:
    with pytest.raises(Invalid) as caught:
        register_appeal(kind="complaint", description="?", actor=UserFactory())
    assert caught.value.code == "kind"


# --- The appliance --------------------------------------------------------------------------------
def test_the_appliance_of_the_account_is_found_by_its_serial_number_in_either_alphabet() -> None:
    client = ClientFactory()
    known = ApplianceFactory(account=main_account(client), model_text="RF-1000", serial_number="SN-001", store="")
    ApplianceFactory(account=main_account(client), model_text="RF-1000", serial_number="SN-002")
    appeal = register_appeal(
        **request(client=client, facts=facts(serial_number="ЅN001".replace("Ѕ", "S"), store="ДНС"))
    )
    assert appeal.appliance == known
    known.refresh_from_db()
    assert known.store == "ДНС"
    assert Appliance.objects.count() == 2


def test_the_same_model_with_another_serial_number_is_another_appliance() -> None:
    client = ClientFactory()
    ApplianceFactory(account=main_account(client), model_text="RF-1000", serial_number="SN-777")
    appeal = register_appeal(**request(client=client))
    assert Appliance.objects.count() == 2
    assert appeal.appliance is not None
    assert appeal.appliance.folded_serial == "SN001"


def test_what_is_known_of_an_appliance_is_not_overwritten() -> None:
    client = ClientFactory()
    known = ApplianceFactory(account=main_account(client), serial_number="", store="М.Видео")
    before = known.purchase_date
    register_appeal(
        **request(
            client=client, facts=facts(purchase_date=before - timedelta(days=10), store="ДНС", serial_number="SN1")
        )
    )
    known.refresh_from_db()
    assert (known.purchase_date, known.store, known.serial_number) == (before, "М.Видео", "SN1")


def test_an_appliance_alone_brings_its_facts() -> None:
    appliance = ApplianceFactory()
    appeal = register_appeal(
        kind="repair",
        description="Течёт",
        appliance=appliance,
        service_center=center(),
        city=city(),
        actor=UserFactory(),
    )
    assert (appeal.account, appeal.client) == (appliance.account, appliance.account.client)
    assert (appeal.model_text, appeal.serial_number, appeal.store) == ("RF-1000", appliance.serial_number, "М.Видео")


def test_a_model_is_recognised_by_its_text() -> None:
    model = ProductModelFactory(name="ВМ-1260 К")  # Cyrillic, as the directory was typed
    appeal = register_appeal(**request(facts=facts(model_text="bm1260k", brand=None, category=None)))
    assert (appeal.product_model, appeal.brand, appeal.category) == (model, model.brand, model.category)
    assert not ModelSuggestion.objects.exists()


def test_a_model_that_the_directory_lacks_is_queued_and_counted() -> None:
    for number in range(2):
        register_appeal(**request(facts=facts(model_text="WX 77", serial_number=f"S{number}")))
    suggestion = ModelSuggestion.objects.get()
    assert (suggestion.folded_text, suggestion.times) == ("WX77", 2)


# --- Twice ----------------------------------------------------------------------------------------
def test_the_same_action_returns_the_same_appeal() -> None:
    action, arguments = uuid4(), request()
    first = register_appeal(**arguments, action_id=action)
    again = register_appeal(**arguments, action_id=action)
    assert again == first
    assert (Appeal.objects.count(), AppealEvent.objects.count(), Assignment.objects.count()) == (1, 2, 1)


def test_the_same_action_with_another_kind_or_client_is_a_conflict() -> None:
    action, arguments = uuid4(), request()
    register_appeal(**arguments, action_id=action)
    for changes in ({"kind": "installation"}, {"client": ClientFactory()}):
        with pytest.raises(Conflict) as caught:
            register_appeal(**{**arguments, **changes}, action_id=action)
        assert caught.value.code == "action_reused"
    assert Appeal.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_action_in_two_connections_makes_one_appeal() -> None:
    action, arguments = uuid4(), request()
    results = race(*[lambda: register_appeal(**arguments, action_id=action)] * 3)
    assert [result.pk for result in results] == [Appeal.objects.get().pk] * 3
    assert AppealEvent.objects.filter(code="registered").count() == 1
    assert Client.objects.count() == 1
