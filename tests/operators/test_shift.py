"""The telephone, the state, language and theme: the verbs behind the header."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.test import Client as Browser
from django.utils import timezone

from hotline.base.actions import constraint_of
from hotline.base.errors import Conflict, Forbidden, Invalid, Refused
from hotline.operators import actions
from hotline.operators.audit import changes_of
from hotline.operators.models import ApiToken, Role, User
from hotline.operators.reads import extensions_lately, last_extension_of
from tests.helpers import race
from tests.operators.factories import AliasFactory, UserFactory, issue
from tests.operators.test_aliases import published

pytestmark = pytest.mark.django_db
State = User.State


# --- The telephone ----------------------------------------------------------------------------------
def test_sitting_down_at_a_telephone_makes_ready() -> None:
    person = UserFactory()
    person = actions.pick_extension(user=person, extension=" 101 ", actor=person)
    person.refresh_from_db()
    assert (person.extension, person.state) == ("101", State.READY)
    assert person.extension_since is not None
    assert timezone.now() - person.extension_since < timedelta(seconds=10)


@pytest.mark.parametrize("state", [State.BREAK, State.IN_CALL, State.WRAP_UP])
def test_changing_the_telephone_leaves_the_state(state: str) -> None:
    person = UserFactory(extension="101", state=state)
    actions.pick_extension(user=person, extension="102", actor=person)
    person.refresh_from_db()
    assert (person.extension, person.state) == ("102", state)


@pytest.mark.parametrize("extension", ["101", "7", "*12", "#7", "anna.p", "sip-7_a", "1" * 16])
def test_what_exchanges_call_a_telephone_is_taken(extension: str) -> None:
    person = UserFactory()
    assert actions.pick_extension(user=person, extension=extension, actor=person).extension == extension


@pytest.mark.parametrize(
    ("extension", "code"),
    [
        ("", "extension_missing"),
        ("  ", "extension_missing"),
        ("1" * 17, "extension_malformed"),
        ("10 1", "extension_malformed"),
        ("добавочный", "extension_malformed"),
        ("-1", "extension_malformed"),
        ("1\x002", "extension_malformed"),
        ("101'; --", "extension_malformed"),
    ],
)
def test_what_is_no_extension_is_refused(extension: str, code: str) -> None:
    person = UserFactory()
    with pytest.raises(Invalid) as caught:
        actions.pick_extension(user=person, extension=extension, actor=person)
    assert (caught.value.code, caught.value.field) == (code, "extension")


def test_a_colleagues_telephone_is_refused_with_who_and_since_when() -> None:
    holder, person = UserFactory(), UserFactory()
    holder = actions.pick_extension(user=holder, extension="101", actor=holder)
    with pytest.raises(Conflict) as caught:
        actions.pick_extension(user=person, extension="101", actor=person)
    assert caught.value.code == "extension_taken"
    assert caught.value.details == {"holder": holder.pk, "since": holder.extension_since}
    person.refresh_from_db()
    assert (person.extension, person.state) == ("", State.OFFLINE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.READY, State.OFFLINE),
        (State.BREAK, State.OFFLINE),
        (State.IN_CALL, State.IN_CALL),
        (State.WRAP_UP, State.WRAP_UP),
    ],
)
def test_taking_over_clears_it_from_the_colleague_and_tells_both(before: str, after: str) -> None:
    holder = UserFactory(extension="101", state=before, extension_since=timezone.now())
    person, supervisor = UserFactory(), UserFactory(supervisor=True)
    told = published(
        lambda: actions.pick_extension(user=person, extension="101", take_over_from=holder.pk, actor=person)
    )
    holder.refresh_from_db()
    person.refresh_from_db()
    assert (holder.extension, holder.extension_since, holder.state) == ("", None, after)
    assert person.extension == "101"
    assert told == [
        {"topic": "operator", "pk": holder.pk, "users": sorted([holder.pk, supervisor.pk])},
        {"topic": "operator", "pk": person.pk, "users": sorted([person.pk, supervisor.pk])},
    ]


def test_taking_over_is_audited_with_who_did_it() -> None:
    holder, person = UserFactory(extension="101"), UserFactory()
    actions.pick_extension(user=person, extension="101", take_over_from=holder.pk, actor=person)
    [change] = changes_of(holder)
    assert (change.field, change.before, change.after, change.actor) == ("extension", "101", "", person)
    assert change.verb == "hotline.operators.pick_extension"


def test_consent_is_to_the_colleague_who_was_named_only() -> None:
    named, holder, person = UserFactory(), UserFactory(extension="101"), UserFactory()
    with pytest.raises(Conflict) as caught:
        actions.pick_extension(user=person, extension="101", take_over_from=named.pk, actor=person)
    assert caught.value.details["holder"] == holder.pk


def test_the_database_refuses_a_telephone_twice() -> None:
    UserFactory(extension="101")
    with pytest.raises(IntegrityError) as caught:
        UserFactory(extension="101")
    assert constraint_of(caught.value) == "operators_user_extension_unique"


@pytest.mark.django_db(transaction=True)
def test_two_who_sit_down_at_once_are_one() -> None:
    one, two = UserFactory(), UserFactory()
    results = race(
        lambda: actions.pick_extension(user=one, extension="101", actor=one),
        lambda: actions.pick_extension(user=two, extension="101", actor=two),
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "User"]
    [conflict] = [result for result in results if isinstance(result, Conflict)]
    assert conflict.details["holder"] == User.objects.get(extension="101").pk


@pytest.mark.django_db(transaction=True)
def test_two_who_take_over_from_one_are_one() -> None:
    holder, one, two = UserFactory(extension="101"), UserFactory(), UserFactory()

    def take(person: User) -> User:
        return actions.pick_extension(user=person, extension="101", take_over_from=holder.pk, actor=person)

    results = race(lambda: take(one), lambda: take(two))
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "User"]
    assert User.objects.filter(extension="101").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_swap_telephones_do_not_wait_for_each_other_for_ever() -> None:
    one, two = UserFactory(extension="101"), UserFactory(extension="102")
    results = race(
        lambda: actions.pick_extension(user=one, extension="102", take_over_from=two.pk, actor=one),
        lambda: actions.pick_extension(user=two, extension="101", take_over_from=one.pk, actor=two),
        repeat=3,
    )
    assert [result for result in results if not isinstance(result, (User, Conflict))] == []


def test_telephones_of_the_last_month_are_suggested_shortest_first() -> None:
    for extension in ("102", "101", "1001", "21"):
        person = UserFactory()
        actions.pick_extension(user=person, extension=extension, actor=person)
        actions.sign_out(user=person, actor=person)
    assert extensions_lately() == ["21", "101", "102", "1001"]


def test_a_person_is_offered_the_telephone_of_the_last_shift(client: Browser) -> None:
    person, colleague = UserFactory(), UserFactory()
    assert last_extension_of(person) == ""
    for who, extension in ((person, "101"), (person, "102"), (colleague, "103")):
        actions.pick_extension(user=who, extension=extension, actor=who)
        actions.sign_out(user=who, actor=who)
    assert last_extension_of(person) == "102"
    client.force_login(person, backend="hotline.operators.backends.RoleBackend")
    assert 'value="102"' in client.get("/me/extension/").content.decode()


# --- The state --------------------------------------------------------------------------------------
@pytest.mark.parametrize("before", State.values)
@pytest.mark.parametrize("after", State.values)
def test_the_telephones_word_is_never_refused(before: str, after: str) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    person = UserFactory(extension="101", state=before, state_since=long_ago)
    told = published(lambda: actions.set_state(user=person, state=after, actor=None))
    person.refresh_from_db()
    assert person.state == after
    assert (person.state_since == long_ago, len(told)) == ((True, 0) if before == after else (False, 1))


@pytest.mark.parametrize("before", State.values)
@pytest.mark.parametrize("after", State.values)
def test_a_person_chooses_what_the_table_allows(before: str, after: str) -> None:
    person = UserFactory(extension="101", state=before)
    if after not in {State.READY, State.BREAK}:
        with pytest.raises(Invalid) as invalid:
            actions.switch_state(user=person, state=after, actor=person)
        assert invalid.value.code == "state_unknown"
    elif after == before or after in User.TRANSITIONS[before]:
        assert actions.switch_state(user=person, state=after, actor=person).state == after
        return
    else:
        with pytest.raises(Refused) as refused:
            actions.switch_state(user=person, state=after, actor=person)
        assert refused.value.code == "in_call"
    person.refresh_from_db()
    assert person.state == before


def test_an_operator_without_a_telephone_is_not_ready_a_supervisor_may_be() -> None:
    operator, supervisor = UserFactory(), UserFactory(supervisor=True)
    with pytest.raises(Refused) as caught:
        actions.switch_state(user=operator, state=State.READY, actor=operator)
    assert caught.value.code == "no_extension"
    assert actions.switch_state(user=supervisor, state=State.READY, actor=supervisor).state == State.READY


def test_signing_out_frees_the_telephone_even_in_a_call() -> None:
    person = UserFactory(extension="101", state=State.IN_CALL)
    actions.sign_out(user=person, actor=person)
    person.refresh_from_db()
    assert (person.extension, person.extension_since, person.state) == ("", None, State.OFFLINE)
    assert published(lambda: actions.sign_out(user=person, actor=person)) == []


# --- The screen -------------------------------------------------------------------------------------
def test_preferences_are_kept_one_by_one() -> None:
    person = UserFactory()
    actions.set_preferences(user=person, theme="dark", actor=person)
    actions.set_preferences(user=person, language="en", actor=person)
    person.refresh_from_db()
    assert (person.theme, person.language) == ("dark", "en")


@pytest.mark.parametrize(("field", "code"), [("theme", "theme_unknown"), ("language", "language_unknown")])
def test_unknown_preferences_are_refused(field: str, code: str) -> None:
    person = UserFactory()
    with pytest.raises(Invalid) as caught:
        actions.set_preferences(user=person, actor=person, **{field: "klingon"})
    assert caught.value.code == code


# --- Accounts ---------------------------------------------------------------------------------------
def test_a_closed_account_leaves_nothing_behind() -> None:
    supervisor, person = UserFactory(supervisor=True), UserFactory(extension="101", state=State.READY)
    alias = AliasFactory(operator=person)
    person.is_active = False
    person.save()
    actions.settle_account(user=person, actor=supervisor)
    person.refresh_from_db()
    alias.refresh_from_db()
    assert (person.extension, person.state, alias.state) == ("", State.OFFLINE, "retired")


def test_a_machine_that_becomes_a_person_loses_its_tokens() -> None:
    machine = UserFactory(integration=True)
    token, _ = issue(machine)
    machine.role = Role.OPERATOR
    machine.save()
    actions.settle_account(user=machine, actor=UserFactory(supervisor=True))
    assert ApiToken.objects.get(pk=token.pk).revoked_at is not None


def test_an_account_that_stays_keeps_everything() -> None:
    person = UserFactory(extension="101", state=State.READY)
    alias = AliasFactory(operator=person)
    actions.settle_account(user=person, actor=None)
    person.refresh_from_db()
    alias.refresh_from_db()
    assert (person.extension, person.state, alias.state) == ("101", State.READY, "declared")
    with pytest.raises(Forbidden):
        actions.settle_account(user=person, actor=person)
