"""The verbs of the alias (V3): who may, what follows, what the database refuses."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from hotline.base.actions import constraint_of
from hotline.base.errors import Forbidden, HotlineError, Invalid, InvalidFields, NotFound, Refused
from hotline.operators import actions
from hotline.operators.models import Alias, User
from hotline.operators.reads import alias_in_force, full_name_to_voice, namesakes_of, spoken_name
from tests.helpers import race
from tests.operators.factories import AliasFactory, UserFactory

pytestmark = pytest.mark.django_db


def declare(operator: User, spoken: str = "Анна", full: str = "Белова Анна Сергеевна") -> Alias:
    return actions.declare_alias(operator=operator, spoken_name=spoken, full_form=full, actor=operator)


def published(function: Any) -> list[dict[str, Any]]:
    """What a call announces: the payloads of its pg_notify statements."""
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        function()
    found = []
    for query in captured.captured_queries:
        if "pg_notify" in query["sql"]:
            found.append(json.loads(query["sql"].split(", '", 1)[1].rsplit("'", 1)[0]))
    return found


# --- Declaring --------------------------------------------------------------------------------------
def test_a_declared_alias_is_voiced_at_once_and_waits_in_the_inbox() -> None:
    operator = UserFactory()
    alias = declare(operator)
    assert alias.state == Alias.State.DECLARED
    assert alias_in_force(operator) == alias
    assert spoken_name(operator) == "Анна"
    assert full_name_to_voice(operator) == "Белова Анна Сергеевна"
    assert list(Alias.objects.waiting()) == [alias]


def test_where_acknowledgement_is_a_condition_it_waits_and_the_name_before_it_stays(settings: Any) -> None:
    operator, supervisor = UserFactory(), UserFactory(supervisor=True)
    first = declare(operator, "Анна")
    settings.ALIAS_NEEDS_ACKNOWLEDGEMENT = True
    second = declare(operator, "Вера", "Вера Белова")
    assert (second.period, spoken_name(operator)) == (None, "Анна")

    actions.acknowledge_alias(alias=second, actor=supervisor)
    first.refresh_from_db()
    assert (first.state, first.period.upper_inf, spoken_name(operator)) == (Alias.State.RETIRED, False, "Вера")


def test_a_second_one_that_waits_takes_the_place_of_the_first(settings: Any) -> None:
    settings.ALIAS_NEEDS_ACKNOWLEDGEMENT = True
    operator = UserFactory()
    first, second = declare(operator, "Анна"), declare(operator, "Вера", "Вера Белова")
    first.refresh_from_db()
    assert (first.state, first.period) == (Alias.State.RETIRED, None)
    assert list(Alias.objects.waiting()) == [second]
    assert spoken_name(operator) == operator.first_name


def test_a_new_alias_begins_where_the_old_one_ends() -> None:
    operator = UserFactory()
    first, second = declare(operator, "Анна"), declare(operator, "Вера", "Вера Белова")
    first.refresh_from_db()
    assert first.state == Alias.State.RETIRED
    assert first.period.upper == second.period.lower
    assert alias_in_force(operator, first.period.lower) == first
    assert alias_in_force(operator, second.period.lower) == second


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Анна", "Анна"),
        ("  анна ", "Анна"),
        ("Анна  Мария", "Анна Мария"),
        ("анна-мария", "Анна-Мария"),
        ("Ann", "Ann"),
        ("Ёлка", "Ёлка"),
        ("А" * 60, "А" * 60),
    ],
)
def test_the_spoken_name_is_tidied(typed: str, kept: str) -> None:
    assert declare(UserFactory(), typed).spoken_name == kept


@pytest.mark.parametrize(
    ("spoken", "full", "problems"),
    [
        ("", "Анна Белова", {"spoken_name": "name_missing"}),
        ("   ", "Анна Белова", {"spoken_name": "name_missing"}),
        ("Анна1", "Анна Белова", {"spoken_name": "name_letters"}),
        ("Анна!", "Анна Белова", {"spoken_name": "name_letters"}),
        ("Анна.", "Анна Белова", {"spoken_name": "name_letters"}),
        ("<b>Анна", "Анна Белова", {"spoken_name": "name_letters"}),
        ("Анна\x00", "Анна Белова", {"spoken_name": "name_letters"}),
        ("-Анна", "Анна Белова", {"spoken_name": "name_letters"}),
        ("Анна--Мария", "Анна Белова", {"spoken_name": "name_letters"}),
        ("Aнна", "Анна Белова", {"spoken_name": "name_mixed"}),  # a Latin A
        ("А" * 61, "Анна Белова", {"spoken_name": "name_long"}),
        ("Анна", "Анна", {"full_form": "full_form_short"}),
        ("Анна", "А " * 76, {"full_form": "name_long"}),
        ("", "", {"spoken_name": "name_missing", "full_form": "name_missing"}),
        ("7", "7", {"spoken_name": "name_letters", "full_form": "name_letters"}),
    ],
)
def test_what_is_wrong_is_named_beside_each_field(spoken: str, full: str, problems: dict[str, str]) -> None:
    with pytest.raises(InvalidFields) as caught:
        declare(UserFactory(), spoken, full)
    assert {field: found[0][0] for field, found in caught.value.fields.items()} == problems
    assert not Alias.objects.exists()


def test_only_the_operator_declares_the_own_alias() -> None:
    operator, colleague = UserFactory(), UserFactory()
    supervisor, machine = UserFactory(supervisor=True), UserFactory(integration=True)
    for actor in (colleague, supervisor, machine):
        with pytest.raises(Forbidden):
            actions.declare_alias(operator=operator, spoken_name="Анна", full_form="Анна Белова", actor=actor)
    with pytest.raises(Forbidden):
        actions.declare_alias(operator=supervisor, spoken_name="Анна", full_form="Анна Белова", actor=None)
    assert not Alias.objects.exists()


def test_a_colleagues_name_is_a_warning_to_both_and_no_ban() -> None:
    operator, colleague, christened = UserFactory(), UserFactory(), UserFactory(first_name="Алёна")
    mine, theirs = declare(operator, "Алёна", "Алёна Белова"), declare(colleague, "АЛЕНА", "Алена Чернова")
    assert {found.user for found in namesakes_of(operator)} == {colleague, christened}
    assert {found.user for found in namesakes_of(colleague)} == {operator, christened}
    # Who was christened so is warned as well: clients will mix them up with the two.
    assert {found.user for found in namesakes_of(christened)} == {operator, colleague}
    actions.retire_alias(alias=mine, actor=operator)
    actions.retire_alias(alias=theirs, actor=colleague)
    assert [namesakes_of(person) for person in (operator, colleague, christened)] == [[], [], []]


def test_two_people_christened_alike_are_not_warned() -> None:
    one, _two = UserFactory(first_name="Анна"), UserFactory(first_name="Анна")
    assert namesakes_of(one) == []


def test_it_is_told_to_supervisors_to_the_operator_and_to_who_bears_the_name() -> None:
    operator, namesake, _other = UserFactory(), UserFactory(first_name="Анна"), UserFactory()
    supervisor = UserFactory(supervisor=True)
    UserFactory(supervisor=True, is_active=False)
    told = published(lambda: declare(operator))
    alias = Alias.objects.get()
    assert told == [
        {"topic": "alias", "pk": alias.pk, "users": sorted([operator.pk, namesake.pk, supervisor.pk])},
    ]


# --- Deciding ---------------------------------------------------------------------------------------
def test_acknowledging_signs_it_and_empties_the_inbox() -> None:
    operator, supervisor = UserFactory(), UserFactory(supervisor=True)
    alias = actions.acknowledge_alias(alias=declare(operator), actor=supervisor)
    assert (alias.state, alias.decided_by) == (Alias.State.ACKNOWLEDGED, supervisor)
    assert alias.decided_at is not None
    assert alias_in_force(operator) == alias
    assert not Alias.objects.waiting().exists()


@pytest.mark.parametrize("acknowledged", [False, True])
def test_stopping_ends_it_at_once_and_says_why(acknowledged: bool) -> None:
    operator, supervisor = UserFactory(), UserFactory(supervisor=True)
    alias = declare(operator)
    if acknowledged:
        alias = actions.acknowledge_alias(alias=alias, actor=supervisor)
    alias = actions.stop_alias(alias=alias, reason="  путают  с коллегой ", actor=supervisor)
    assert (alias.state, alias.reason, alias.period.upper_inf) == (Alias.State.STOPPED, "путают с коллегой", False)
    assert spoken_name(operator) == operator.first_name


def test_one_that_waits_can_be_stopped_and_was_never_voiced(settings: Any) -> None:
    settings.ALIAS_NEEDS_ACKNOWLEDGEMENT = True
    alias = actions.stop_alias(alias=declare(UserFactory()), reason="нет", actor=UserFactory(supervisor=True))
    assert (alias.state, alias.period) == (Alias.State.STOPPED, None)


@pytest.mark.parametrize(
    ("reason", "code"), [("", "reason_missing"), ("  ", "reason_missing"), ("п" * 301, "reason_long")]
)
def test_stopping_needs_a_reason(reason: str, code: str) -> None:
    alias = declare(UserFactory())
    with pytest.raises(Invalid) as caught:
        actions.stop_alias(alias=alias, reason=reason, actor=UserFactory(supervisor=True))
    assert (caught.value.code, caught.value.field) == (code, "reason")
    alias.refresh_from_db()
    assert alias.state == Alias.State.DECLARED


def test_operators_decide_nothing() -> None:
    operator, colleague = UserFactory(), UserFactory()
    alias = declare(operator)
    for actor in (operator, colleague):
        with pytest.raises(Forbidden):
            actions.acknowledge_alias(alias=alias, actor=actor)
        with pytest.raises(Forbidden):
            actions.stop_alias(alias=alias, reason="нет", actor=actor)


def test_a_colleagues_alias_is_not_there_for_others() -> None:
    alias = declare(UserFactory())
    with pytest.raises(NotFound):
        actions.retire_alias(alias=alias, actor=UserFactory())


# Every (state, verb) that TRANSITIONS does not name is refused, and changes nothing.
VERBS = {"acknowledged": "acknowledge", "stopped": "stop", "retired": "retire"}


@pytest.mark.parametrize("state", Alias.State.values)
@pytest.mark.parametrize("target", VERBS)
def test_the_table_of_transitions_holds(state: str, target: str) -> None:
    operator, supervisor = UserFactory(), UserFactory(supervisor=True)
    alias = declare(operator)

    def go(target: str) -> None:
        if target == "acknowledged":
            actions.acknowledge_alias(alias=alias, actor=supervisor)
        elif target == "stopped":
            actions.stop_alias(alias=alias, reason="нет", actor=supervisor)
        elif target == "retired":
            actions.retire_alias(alias=alias, actor=operator)

    go(state)
    if target in Alias.TRANSITIONS[state]:
        go(target)
        alias.refresh_from_db()
        assert alias.state == target
        return
    with pytest.raises(Refused) as caught:
        go(target)
    assert (caught.value.code, caught.value.details) == ("alias_decided", {"state": state})
    alias.refresh_from_db()
    assert alias.state == state


def test_the_history_has_every_state_and_who_brought_it_about() -> None:
    operator, supervisor = UserFactory(), UserFactory(supervisor=True)
    alias = declare(operator)
    actions.acknowledge_alias(alias=alias, actor=supervisor)
    actions.stop_alias(alias=alias, reason="нет", actor=supervisor)
    rows = alias.history.order_by("pgh_id").select_related("pgh_context")
    assert [(row.state, row.pgh_context.metadata["actor"]) for row in rows] == [
        ("declared", operator.pk),
        ("acknowledged", supervisor.pk),
        ("stopped", supervisor.pk),
    ]
    assert {row.pgh_context.metadata["verb"] for row in rows} >= {"hotline.operators.stop_alias"}


# --- What the database holds ------------------------------------------------------------------------
def test_two_in_force_are_refused_by_the_database() -> None:
    alias = AliasFactory()
    with pytest.raises(IntegrityError) as caught:
        AliasFactory(operator=alias.operator, spoken_name="Вера")
    assert constraint_of(caught.value) == "operators_alias_one_in_force"


def test_two_that_wait_are_refused_by_the_database() -> None:
    alias = AliasFactory(period=None)
    with pytest.raises(IntegrityError) as caught:
        AliasFactory(operator=alias.operator, period=None)
    assert constraint_of(caught.value) == "operators_alias_one_waiting"


@pytest.mark.parametrize(
    ("state", "ends", "signed", "constraint"),
    [
        ("acknowledged", True, True, "operators_alias_period_matches_state"),
        ("declared", True, False, "operators_alias_period_matches_state"),
        ("retired", False, False, "operators_alias_period_matches_state"),
        ("stopped", True, False, "operators_alias_decision_is_signed"),
        ("acknowledged", False, False, "operators_alias_decision_is_signed"),
    ],
)
def test_the_period_goes_with_the_state(state: str, ends: bool, signed: bool, constraint: str) -> None:
    now = timezone.now()
    decision = {"decided_by": UserFactory(supervisor=True), "decided_at": now} if signed else {}
    with pytest.raises(IntegrityError) as caught:
        AliasFactory(state=state, period=DateTimeTZRange(now - timedelta(days=1), now if ends else None), **decision)
    assert constraint_of(caught.value) == constraint


@pytest.mark.django_db(transaction=True)
def test_two_declarations_at_once_leave_one_in_force() -> None:
    operator = UserFactory()
    results = race(
        lambda: declare(User.objects.get(pk=operator.pk), "Анна"),
        lambda: declare(User.objects.get(pk=operator.pk), "Вера", "Вера Белова"),
        repeat=5,
    )
    assert [result for result in results if not isinstance(result, Alias)] == []
    assert Alias.objects.in_force().filter(operator=operator).count() == 1
    assert Alias.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_racing_past_the_verb_meets_the_database() -> None:
    """Two connections that write rows without the verb's lock: the exclusion constraint lets one of them through.

    Who comes to the check while the other does waits for it, and it for him: PostgreSQL then ends one by a deadlock.
    """
    operator = UserFactory()

    def insert(name: str) -> Alias:
        return Alias.objects.create(
            operator=operator, spoken_name=name, full_form="Белова Анна", period=DateTimeTZRange(timezone.now(), None)
        )

    results = race(lambda: insert("Анна"), lambda: insert("Вера"))
    (refused,) = [result for result in results if isinstance(result, DatabaseError)]
    deadlocked = isinstance(refused, OperationalError) and "deadlock" in str(refused)
    assert deadlocked or constraint_of(refused) == "operators_alias_one_in_force"
    assert Alias.objects.in_force().filter(operator=operator).count() == 1


@pytest.mark.django_db(transaction=True)
def test_stopping_and_acknowledging_at_once_is_one_decision() -> None:
    operator, supervisor = UserFactory(), UserFactory(supervisor=True)
    alias = declare(operator)
    results = race(
        lambda: actions.retire_alias(alias=alias, actor=operator),
        lambda: actions.stop_alias(alias=alias, reason="нет", actor=supervisor),
    )
    assert sorted(type(result).__name__ for result in results) == ["Alias", "Refused"]
    alias.refresh_from_db()
    assert alias.state in {Alias.State.RETIRED, Alias.State.STOPPED}


def test_verbs_take_keywords_only() -> None:
    with pytest.raises(TypeError):
        actions.retire_alias(AliasFactory(), None)  # type: ignore[misc]
    assert issubclass(Refused, HotlineError)
