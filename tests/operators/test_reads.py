"""The name that is voiced, and who it was: the reads that the script and the register stand on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from hotline.operators.reads import alias_in_force, full_name_to_voice, namesakes, spoken_name, who_was
from tests.operators.factories import AliasFactory, UserFactory

pytestmark = pytest.mark.django_db
MARCH = datetime(2026, 3, 12, 11, 30, tzinfo=UTC)  # 12 March, 14:30 in Moscow


def test_without_an_alias_the_own_name_is_voiced() -> None:
    person = UserFactory(last_name="Белова", first_name="Мария", middle_name="Петровна")
    assert (alias_in_force(person), spoken_name(person)) == (None, "Мария")
    assert full_name_to_voice(person) == "Белова Мария Петровна"


def test_an_account_without_names_is_called_by_its_login() -> None:
    person = UserFactory(username="op7", last_name="", first_name="", middle_name="")
    assert (spoken_name(person), full_name_to_voice(person)) == ("op7", "op7")


def test_the_period_has_its_first_moment_and_not_its_last() -> None:
    alias = AliasFactory(since=MARCH, until=MARCH + timedelta(hours=1))
    moments = [MARCH - timedelta(microseconds=1), MARCH, MARCH + timedelta(minutes=59), MARCH + timedelta(hours=1)]
    assert [spoken_name(alias.operator, at) for at in moments] == ["Мария", "Анна", "Анна", "Мария"]
    assert full_name_to_voice(alias.operator, MARCH) == "Белова Анна Сергеевна"


def test_who_was_anna_on_12_march() -> None:
    then = {"since": MARCH - timedelta(days=1), "until": MARCH + timedelta(days=1)}
    long_here = {"date_joined": MARCH - timedelta(days=300)}
    voiced = AliasFactory(operator=UserFactory(**long_here), spoken_name="АННА", **then)
    AliasFactory(operator=UserFactory(**long_here), spoken_name="Анна", since=MARCH + timedelta(days=2))
    AliasFactory(operator=UserFactory(**long_here), spoken_name="Жанна", **then)
    own = UserFactory(first_name="Анна", **long_here)
    # Who was christened so and voiced another name was not heard by it; who had not come yet was nobody.
    AliasFactory(operator=UserFactory(first_name="Анна", **long_here), spoken_name="Вера", **then)
    UserFactory(first_name="Анна", date_joined=MARCH + timedelta(days=1))
    found = {(other.user, other.alias) for other in who_was(" анна", MARCH)}
    assert found == {(voiced.operator, voiced), (own, None)}


def test_who_left_is_found_in_the_past_and_is_no_namesake_now() -> None:
    person = UserFactory(first_name="Алёна", is_active=False, date_joined=MARCH - timedelta(days=9))
    assert [other.user for other in who_was("алена", MARCH)] == [person]
    assert namesakes("Алёна") == []


def test_supervisors_and_machines_are_not_heard_by_a_name() -> None:
    UserFactory(supervisor=True, first_name="Анна")
    UserFactory(integration=True, first_name="Анна")
    assert namesakes("Анна") == []


def test_a_namesake_with_an_alias_of_that_name_is_named_once() -> None:
    alias = AliasFactory(operator=UserFactory(first_name="Анна"), since=timezone.now() - timedelta(days=1))
    [found] = namesakes("анна")
    assert (found.user, found.alias) == (alias.operator, alias)
