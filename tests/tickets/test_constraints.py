"""What the database itself holds, whatever way a row comes in (R1, R2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from hotline.base.actions import constraint_of
from tests.factories import (
    AccountFactory,
    AppealFactory,
    AppealReferenceFactory,
    AssignmentFactory,
    ClientFactory,
    CommentFactory,
    ModelSuggestionFactory,
    ProductModelFactory,
    UserFactory,
    WarrantyRuleFactory,
    center,
    main_account,
)
from tests.helpers import race
from tickets import events
from tickets.actions import assign_center
from tickets.models import Appeal, AppealEvent, Assignment

pytestmark = pytest.mark.django_db


def refused_by(write: Any) -> str:
    """The constraint that refused a write."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        write()
    return constraint_of(caught.value)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"client": None}, "tickets_appeal_request_has_account"),
        ({"account": None}, "tickets_appeal_request_has_account"),
        ({"full_name": ""}, "tickets_appeal_request_is_complete"),
        ({"description": ""}, "tickets_appeal_request_is_complete"),
        ({"city": None}, "tickets_appeal_request_is_complete"),
        ({"model_text": ""}, "tickets_appeal_request_is_complete"),
        ({"model_source": ""}, "tickets_appeal_request_is_complete"),
        ({"purchase_date": None}, "tickets_appeal_request_is_complete"),
        ({"purchase_date_source": ""}, "tickets_appeal_request_is_complete"),
        ({"store": ""}, "tickets_appeal_request_is_complete"),
        ({"store_source": ""}, "tickets_appeal_request_is_complete"),
        ({"no_center_reason": ""}, "tickets_appeal_request_has_center_or_reason"),
        ({"kind": "consultation", "state": "assigned"}, "tickets_appeal_only_requests_are_assigned"),
        ({"kind": "consultation", "state": "referred"}, "tickets_appeal_referred_has_center"),
        ({"state": "duplicate"}, "tickets_appeal_duplicate_names_original"),
    ],
)
def test_an_appeal(changes: dict[str, Any], constraint: str) -> None:
    appeal = AppealFactory(repair=True)
    assert refused_by(lambda: Appeal.objects.filter(pk=appeal.pk).update(**changes)) == constraint


@pytest.mark.parametrize(
    "changes",
    [
        {"city": None, "city_text": "дер. Ключи"},
        {"model_text": "", "model_source": "unknown"},
        {"purchase_date": None, "purchase_date_source": "unknown"},
        {"store": "", "store_source": "unknown"},
    ],
)
def test_the_client_does_not_know_is_an_answer(changes: dict[str, Any]) -> None:
    appeal = AppealFactory(repair=True)
    assert Appeal.objects.filter(pk=appeal.pk).update(**changes) == 1


@pytest.mark.parametrize(
    ("make", "constraint"),
    [
        (lambda: ClientFactory(last_name="", first_name=""), "tickets_client_has_a_name"),
        (lambda: AccountFactory(is_main=False, reason=""), "tickets_account_second_has_reason"),
        (lambda: CommentFactory(author=None), "tickets_comment_is_signed"),
        (lambda: WarrantyRuleFactory(months=0), "tickets_warrantyrule_months"),
        (lambda: ModelSuggestionFactory(resolved_model=ProductModelFactory()), "tickets_modelsuggestion_decided"),
    ],
)
def test_a_row_that_makes_no_sense(make: Any, constraint: str) -> None:
    assert refused_by(make) == constraint


@pytest.mark.parametrize(
    ("make", "constraint"),
    [
        (lambda: AccountFactory(client=ClientFactory()), "tickets_account_one_main"),
        (lambda: [WarrantyRuleFactory(), WarrantyRuleFactory()], "tickets_warrantyrule_unique"),
        # one alphabet or the other, a hyphen or none: one model
        (lambda: [ProductModelFactory(name="ВМ-12"), ProductModelFactory(name="BM12")], "tickets_productmodel_unique"),
        (
            lambda: [ModelSuggestionFactory(text="ВМ-12"), ModelSuggestionFactory(text="bm 12")],
            "tickets_modelsuggestion_unique",
        ),
        (
            lambda: ClientFactory(phones=["8 916 000-01-01", "+79160000101"]),
            "tickets_clientphone_once_a_card",
        ),
    ],
)
def test_what_there_is_once(make: Any, constraint: str) -> None:
    assert refused_by(make) == constraint


def test_a_reference_is_noted_once_an_appeal() -> None:
    first = AppealReferenceFactory()
    again = lambda: AppealReferenceFactory(appeal=first.appeal, number=first.number)  # noqa: E731
    assert refused_by(again) == "tickets_appealreference_unique"


def test_a_second_active_assignment_is_refused_by_the_database() -> None:
    first = AssignmentFactory()
    again = lambda: AssignmentFactory(appeal=first.appeal, state=Assignment.State.ACCEPTED)  # noqa: E731
    assert refused_by(again) == "tickets_assignment_one_active"
    Assignment.objects.filter(pk=first.pk).update(state=Assignment.State.SUPERSEDED)
    assert again().pk


@pytest.mark.django_db(transaction=True)
def test_of_two_connections_that_assign_past_the_verb_the_database_lets_one() -> None:
    appeal, first, second = AppealFactory(repair=True), center("Один"), center("Два")
    write = Assignment.objects.create
    results = race(
        lambda: write(appeal=appeal, service_center=first), lambda: write(appeal=appeal, service_center=second)
    )
    refused = [result for result in results if isinstance(result, IntegrityError)]
    assert [constraint_of(error) for error in refused] == ["tickets_assignment_one_active"]
    assert appeal.assignments.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_operators_assign_at_once_and_the_last_word_stands() -> None:
    appeal, first, second = AppealFactory(repair=True), center("Один"), center("Два")
    operators = UserFactory(), UserFactory()
    results = race(
        lambda: assign_center(appeal_id=appeal.pk, service_center=first, actor=operators[0]),
        lambda: assign_center(appeal_id=appeal.pk, service_center=second, actor=operators[1]),
    )
    assert [type(result) for result in results] == [Assignment, Assignment]
    states = sorted(appeal.assignments.values_list("state", flat=True))
    assert states == ["offered", "superseded"]
    assert appeal.journal.filter(code="assigned").count() == 2


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE tickets_appealevent SET data = '{}'",
        "DELETE FROM tickets_appealevent",
    ],
)
def test_the_journal_is_append_only(sql: str) -> None:
    appeal = AppealFactory()
    events.registered(appeal, None)

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)

    assert refused_by(write) == "tickets_appealevent_append_only"
    assert AppealEvent.objects.count() == 1


def test_an_appeal_with_its_journal_cannot_be_deleted() -> None:
    appeal = AppealFactory()
    events.registered(appeal, None)

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("DELETE FROM tickets_appeal WHERE id = %s", [appeal.pk])

    assert "tickets_appealevent" in refused_by(write)


def test_the_row_history_keeps_what_was() -> None:
    client = ClientFactory(last_name="Берёзкина", phones=["8 916 000-01-01"])
    type(client).objects.filter(pk=client.pk).update(last_name="Иванова", version=2)
    client.phones.all().delete()
    versions = client.history.order_by("pgh_id").values_list("last_name", "version")
    assert list(versions) == [("Берёзкина", 1), ("Иванова", 2)]
    phones = client.phones.model.history.rel.related_model.objects.order_by("pgh_id")
    assert list(phones.values_list("pgh_label", "e164")) == [("insert", "+79160000101"), ("delete", "+79160000101")]


def test_accounts_of_the_demo_year_keep_their_numbers_apart() -> None:
    first, second = ClientFactory(), ClientFactory()
    assert main_account(first).number != main_account(second).number
    assert timezone.now() - main_account(first).opened_at < timedelta(minutes=1)
