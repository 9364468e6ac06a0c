"""Verbs on an appeal that is registered: its facts, its state, its centre, its owner."""

from __future__ import annotations

from typing import Any

import pytest

from hotline.base.errors import Conflict, Invalid, InvalidFields, NotFound, Refused
from tests.factories import (
    AccountFactory,
    AppealFactory,
    ApplianceFactory,
    ClientFactory,
    ProductModelFactory,
    UserFactory,
    WarrantyRuleFactory,
    brand,
    center,
    main_account,
)
from tests.helpers import race
from tickets.actions import (
    accept_assignment,
    assign_center,
    change_state,
    edit_appeal,
    end_assignment,
    give_contacts,
    mark_duplicate,
    move_appeal,
)
from tickets.models import Appeal, Assignment

pytestmark = pytest.mark.django_db
State = Appeal.State


def journal(appeal: Appeal) -> list[str]:
    return [entry.code for entry in appeal.journal.order_by("pk")]


# --- Facts ----------------------------------------------------------------------------------------
def test_a_correction_is_journalled_by_its_fields_without_their_values() -> None:
    appeal = AppealFactory(repair=True)
    changed = edit_appeal(appeal_id=appeal.pk, version=1, description="Течёт", store="ДНС", actor=UserFactory())
    assert (changed.version, changed.description) == (2, "Течёт")
    entry = appeal.journal.get()
    assert (entry.code, entry.data) == ("edited", {"fields": ["description", "store"]})


def test_no_change_is_no_version() -> None:
    appeal = AppealFactory(repair=True)
    assert edit_appeal(appeal_id=appeal.pk, version=1, store="М.Видео", actor=None).version == 1
    assert journal(appeal) == []


def test_the_warranty_is_judged_anew_where_its_grounds_changed() -> None:
    WarrantyRuleFactory(months=6)
    appeal = AppealFactory(repair=True)
    changed = edit_appeal(appeal_id=appeal.pk, version=1, purchase_date_source="client", actor=None)
    assert (changed.verdict, changed.verdict_reason) == ("out", "expired")


def test_a_model_that_is_corrected_brings_its_brand() -> None:
    appeal = AppealFactory(repair=True)
    model = ProductModelFactory(name="NX-1", brand=brand("Nordia"))
    changed = edit_appeal(appeal_id=appeal.pk, version=1, model_text="nx 1", product_model=None, brand=None, actor=None)
    assert (changed.product_model, changed.brand) == (model, model.brand)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"description": ""}, "description"),
        ({"full_name": "Иван"}, "full_name"),
        ({"city": None}, "city"),
        ({"store": "", "store_source": "client"}, "store"),
        ({"no_center_reason": ""}, "service_center"),
    ],
)
def test_a_request_stays_complete(changes: dict[str, Any], field: str) -> None:
    appeal = AppealFactory(repair=True)
    with pytest.raises(InvalidFields) as caught:
        edit_appeal(appeal_id=appeal.pk, version=1, actor=None, **changes)
    assert list(caught.value.fields) == [field]
    appeal.refresh_from_db()
    assert (appeal.version, journal(appeal)) == (1, [])


def test_the_second_operator_is_told_what_changed() -> None:
    appeal, first = AppealFactory(repair=True), UserFactory()
    edit_appeal(appeal_id=appeal.pk, version=1, store="ДНС", actor=first)
    with pytest.raises(Conflict) as caught:
        edit_appeal(appeal_id=appeal.pk, version=1, store="Ozon", actor=UserFactory())
    assert (caught.value.code, caught.value.details["fields"]) == ("changed_meanwhile", ["store"])
    assert caught.value.details["by"] == first.pk
    appeal.refresh_from_db()
    assert appeal.store == "ДНС"


@pytest.mark.parametrize("state", ["cancelled", "duplicate"])
def test_what_is_over_is_not_corrected(state: str) -> None:
    appeal = AppealFactory(state=state, duplicate_of=AppealFactory() if state == "duplicate" else None)
    with pytest.raises(Refused) as caught:
        edit_appeal(appeal_id=appeal.pk, version=1, description="?", actor=None)
    assert caught.value.code == "final"


# --- State ----------------------------------------------------------------------------------------
# For each kind and state: where `change_state` leads, and what of it needs another verb.
REQUEST_WAYS = {
    "registered": {"cancelled"},
    "assigned": {"accepted", "in_work", "done", "registered", "cancelled"},
    "accepted": {"in_work", "done", "registered", "cancelled"},
    "in_work": {"done", "registered", "cancelled"},
    "done": {"closed", "in_work"},
    "closed": {"registered"},
    "cancelled": {"registered"},
}
CONSULTATION_WAYS = {
    "registered": {"closed", "cancelled"},
    "referred": {"closed"},
    "closed": {"registered"},
    "cancelled": {"registered"},
}


def in_state(kind: str, state: str) -> Appeal:
    if kind == "consultation":
        return AppealFactory(state=state, referred_to=center() if state == "referred" else None)
    if state in ("assigned", "accepted", "in_work"):
        return AppealFactory(assigned=True, state=state)
    appeal = AppealFactory(repair=True, state=state)
    if state in ("done", "closed"):
        appeal.assignments.create(service_center=center(), state="completed")
    return appeal


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (kind, before, after)
        for kind, ways in (("repair", REQUEST_WAYS), ("consultation", CONSULTATION_WAYS))
        for before in ways
        for after in State.values
        if after != before
    ],
)
def test_every_way_from_every_state(kind: str, before: str, after: str) -> None:
    appeal = in_state(kind, before)
    ways = REQUEST_WAYS if kind == "repair" else CONSULTATION_WAYS
    if after in ways[before]:
        changed = change_state(appeal_id=appeal.pk, state=after, actor=None)
        assert (changed.state, changed.version) == (after, 2)
        assert journal(appeal)[-1] == "state_changed"
        assert appeal.journal.first().data == {"before": before, "after": after}  # type: ignore[union-attr]
    else:
        with pytest.raises(Refused) as caught:
            change_state(appeal_id=appeal.pk, state=after, actor=None)
        assert caught.value.code in {"transition", "assign_first", "name_original", "contacts_first"}
        appeal.refresh_from_db()
        assert (appeal.state, appeal.version, journal(appeal)) == (before, 1, [])


def test_already_there_is_nothing_done() -> None:
    appeal = AppealFactory(closed=True)
    assert change_state(appeal_id=appeal.pk, state="closed", actor=None).version == 1
    assert journal(appeal) == []


@pytest.mark.parametrize(
    ("state", "outcome"),
    [("done", "completed"), ("cancelled", "withdrawn"), ("registered", "withdrawn")],
)
def test_the_assignment_ends_with_the_work(state: str, outcome: str) -> None:
    appeal = AppealFactory(assigned=True, state="in_work")
    change_state(appeal_id=appeal.pk, state=state, note="почему", actor=None)
    assignment = appeal.assignments.get()
    assert (assignment.state, assignment.note) == (outcome, "почему")
    assert assignment.ended_at is not None
    assert journal(appeal) == ["assignment_ended", "state_changed"]


def test_reopened_it_waits_for_a_centre_with_the_reason() -> None:
    appeal = in_state("repair", "closed")
    changed = change_state(appeal_id=appeal.pk, state="registered", note="опять шумит", actor=None)
    assert (changed.no_center_reason, changed.no_center_note) == ("reopened", "опять шумит")


def test_work_that_was_not_done_goes_back_to_who_did_it_as_a_new_assignment() -> None:
    appeal = in_state("repair", "done")
    change_state(appeal_id=appeal.pk, state="in_work", actor=None)
    assert sorted(appeal.assignments.values_list("state", flat=True)) == ["accepted", "completed"]


def test_two_operators_move_it_at_once_and_the_second_is_told() -> None:
    appeal = AppealFactory(assigned=True)
    change_state(appeal_id=appeal.pk, state="accepted", version=1, actor=UserFactory())
    with pytest.raises(Conflict):
        change_state(appeal_id=appeal.pk, state="cancelled", version=1, actor=UserFactory())


@pytest.mark.django_db(transaction=True)
def test_of_two_connections_with_one_version_one_wins() -> None:
    appeal, operators = AppealFactory(assigned=True), [UserFactory(), UserFactory()]
    results = race(
        lambda: change_state(appeal_id=appeal.pk, state="accepted", version=1, actor=operators[0]),
        lambda: change_state(appeal_id=appeal.pk, state="cancelled", version=1, actor=operators[1]),
    )
    assert sorted(type(result).__name__ for result in results) == ["Appeal", "Conflict"]
    assert appeal.journal.filter(code="state_changed").count() == 1


# --- The centre -----------------------------------------------------------------------------------
def test_another_centre_supersedes_the_first() -> None:
    appeal, second = AppealFactory(assigned=True), center("Второй")
    first = appeal.assignments.get().service_center
    assignment = assign_center(appeal_id=appeal.pk, service_center=second, note="ближе", actor=UserFactory())
    assert (assignment.service_center, assignment.state, assignment.note) == (second, "offered", "ближе")
    assert list(appeal.assignments.order_by("pk").values_list("state", flat=True)) == ["superseded", "offered"]
    entry = appeal.journal.get(code="assigned")
    assert (entry.data["center"], entry.data["instead_of"]) == (second.pk, first.pk)


def test_given_to_it_already_nothing_happens() -> None:
    appeal = AppealFactory(assigned=True)
    again = assign_center(appeal_id=appeal.pk, service_center=appeal.assignments.get().service_center, actor=None)
    assert (appeal.assignments.get(), journal(appeal)) == (again, [])


def test_a_request_that_waited_gets_its_centre() -> None:
    appeal = AppealFactory(repair=True)
    assign_center(appeal_id=appeal.pk, service_center=center(), actor=None)
    appeal.refresh_from_db()
    assert (appeal.state, appeal.no_center_reason, appeal.version) == ("assigned", "", 2)
    assert journal(appeal) == ["assigned", "state_changed"]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: (AppealFactory(), center()), "only_requests_are_assigned"),
        (lambda: (AppealFactory(repair=True), center(is_active=False)), "center_inactive"),
        (lambda: (in_state("repair", "closed"), center()), "transition"),
    ],
)
def test_what_is_not_assigned(make: Any, code: str) -> None:
    appeal, asked = make()
    before = appeal.assignments.count()
    with pytest.raises(Refused) as caught:
        assign_center(appeal_id=appeal.pk, service_center=asked, actor=None)
    assert caught.value.code == code
    assert (appeal.assignments.count(), journal(appeal)) == (before, [])


def test_accepted_once() -> None:
    appeal = AppealFactory(assigned=True)
    accept_assignment(appeal_id=appeal.pk, actor=None)
    accept_assignment(appeal_id=appeal.pk, actor=None)
    appeal.refresh_from_db()
    assert (appeal.state, appeal.version, journal(appeal)) == ("accepted", 2, ["state_changed"])


@pytest.mark.parametrize("state", ["assigned", "accepted", "in_work"])
@pytest.mark.parametrize(
    ("outcome", "after", "reason"), [("declined", "registered", "declined"), ("completed", "done", "")]
)
def test_an_assignment_ends(state: str, outcome: str, after: str, reason: str) -> None:
    appeal = AppealFactory(assigned=True, state=state)
    assignment = end_assignment(appeal_id=appeal.pk, outcome=outcome, note="нет мастера", actor=None)
    appeal.refresh_from_db()
    assert (assignment.state, appeal.state, appeal.no_center_reason) == (outcome, after, reason)
    assert journal(appeal) == ["assignment_ended", "state_changed"]


def test_an_assignment_that_does_not_end_so() -> None:
    with pytest.raises(Refused) as refused:
        end_assignment(appeal_id=AppealFactory(repair=True).pk, outcome="declined", actor=None)
    assert refused.value.code == "no_assignment"
    with pytest.raises(Invalid) as invalid:
        end_assignment(appeal_id=AppealFactory(assigned=True).pk, outcome="superseded", actor=None)
    assert invalid.value.code == "outcome"


@pytest.mark.parametrize(("verdict", "state"), [("out", "referred"), ("in", "registered"), ("", "registered")])
def test_contacts_given_refer_what_is_out_of_warranty(verdict: str, state: str) -> None:
    appeal, asked = AppealFactory(verdict=verdict), center()
    changed = give_contacts(appeal_id=appeal.pk, service_center=asked, actor=None)
    assert (changed.state, changed.referred_to) == (state, asked)
    assert journal(appeal) == (["contacts_given", "state_changed"] if state == "referred" else ["contacts_given"])


def test_contacts_given_twice_are_given_once() -> None:
    appeal, asked = AppealFactory(verdict="out"), center()
    for _ in range(2):
        give_contacts(appeal_id=appeal.pk, service_center=asked, actor=None)
    assert journal(appeal) == ["contacts_given", "state_changed"]


def test_a_model_that_is_renamed_is_not_the_one_of_the_directory_any_more() -> None:
    model = ProductModelFactory(name="RF-1000")
    appeal = AppealFactory(repair=True, product_model=model)
    changed = edit_appeal(appeal_id=appeal.pk, version=1, model_text="ZZ-9", actor=None)
    assert (changed.product_model, changed.brand, changed.model_text) == (None, model.brand, "ZZ-9")


def test_a_request_is_assigned_not_referred() -> None:
    appeal = AppealFactory(repair=True)
    with pytest.raises(Refused) as caught:
        give_contacts(appeal_id=appeal.pk, service_center=center(), actor=None)
    assert caught.value.code == "request_is_assigned"


# --- The owner ------------------------------------------------------------------------------------
def test_an_appeal_is_moved_with_its_appliance() -> None:
    wrong, right = ClientFactory(), ClientFactory()
    owned = ApplianceFactory(account=main_account(wrong))
    appeal = AppealFactory(repair=True, client=wrong, appliance=owned)
    moved = move_appeal(appeal_id=appeal.pk, client=right, account=None, reason="Однофамилец", actor=UserFactory())
    assert (moved.client, moved.account) == (right, main_account(right))
    assert moved.appliance is not None
    assert (moved.appliance.account, moved.appliance.model_text) == (main_account(right), appeal.model_text)
    assert moved.full_name == wrong.full_name  # what was said stays
    assert journal(appeal) == ["moved", "commented"]
    assert appeal.journal.get(code="moved").data == {"before": wrong.pk, "after": right.pk}


def test_to_where_it_is_nothing_is_moved() -> None:
    appeal = AppealFactory()
    move_appeal(appeal_id=appeal.pk, client=appeal.client, account=None, actor=None)
    assert journal(appeal) == []


def test_a_consultation_may_lose_its_card_a_request_may_not() -> None:
    consultation, request = AppealFactory(), AppealFactory(repair=True)
    assert move_appeal(appeal_id=consultation.pk, client=None, account=None, actor=None).client is None
    with pytest.raises(InvalidFields):
        move_appeal(appeal_id=request.pk, client=None, account=None, actor=None)
    with pytest.raises(Invalid) as caught:
        move_appeal(appeal_id=request.pk, client=request.client, account=AccountFactory(), actor=None)
    assert caught.value.code == "account_of_another"


# --- Duplicates -----------------------------------------------------------------------------------
def test_a_duplicate_names_its_original_and_frees_the_centre() -> None:
    original, appeal = AppealFactory(assigned=True), AppealFactory(assigned=True)
    marked = mark_duplicate(appeal_id=appeal.pk, of=original, actor=UserFactory())
    assert (marked.state, marked.duplicate_of) == ("duplicate", original)
    assert appeal.assignments.get().state == Assignment.State.WITHDRAWN
    assert journal(appeal) == ["assignment_ended", "duplicate_marked", "state_changed"]
    mark_duplicate(appeal_id=appeal.pk, of=original, actor=UserFactory())
    assert len(journal(appeal)) == 3


def test_what_can_be_no_duplicate() -> None:
    appeal, other = AppealFactory(), AppealFactory()
    with pytest.raises(Refused) as itself:
        mark_duplicate(appeal_id=appeal.pk, of=appeal, actor=None)
    mark_duplicate(appeal_id=other.pk, of=appeal, actor=None)
    with pytest.raises(Refused) as chain:
        mark_duplicate(appeal_id=AppealFactory().pk, of=Appeal.objects.get(pk=other.pk), actor=None)
    with pytest.raises(Refused) as closed:
        mark_duplicate(appeal_id=AppealFactory(closed=True).pk, of=appeal, actor=None)
    codes = [error.value.code for error in (itself, chain, closed)]
    assert codes == ["duplicate_of_itself", "original_is_duplicate", "transition"]


@pytest.mark.parametrize(
    "verb",
    [
        lambda: edit_appeal(appeal_id=0, version=1, actor=None),
        lambda: change_state(appeal_id=0, state="closed", actor=None),
        lambda: assign_center(appeal_id=0, service_center=center(), actor=None),
        lambda: end_assignment(appeal_id=0, outcome="declined", actor=None),
        lambda: accept_assignment(appeal_id=0, actor=None),
        lambda: give_contacts(appeal_id=0, service_center=center(), actor=None),
        lambda: move_appeal(appeal_id=0, client=None, account=None, actor=None),
        lambda: mark_duplicate(appeal_id=0, of=AppealFactory(), actor=None),
    ],
)
def test_there_is_no_such_appeal(verb: Any) -> None:
    with pytest.raises(NotFound):
        verb()
