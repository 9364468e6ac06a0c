"""What rooms above may hold against being ready: asked at sign-in and at the switch, never of the telephone."""

from __future__ import annotations

import pytest

from hotline.base.errors import Refused
from hotline.operators import actions, readiness
from hotline.operators.models import User
from tests.operators.factories import UserFactory

pytestmark = pytest.mark.django_db
State = User.State


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_conditions", [lambda user: ("script_unread", "Read the script first.")])


@pytest.mark.usefixtures("unread")
def test_who_may_not_be_ready_begins_on_a_break() -> None:
    person = UserFactory()
    assert actions.pick_extension(user=person, extension="101", actor=person).state == State.BREAK
    with pytest.raises(Refused) as caught:
        actions.switch_state(user=person, state=State.READY, actor=person)
    assert (caught.value.code, str(caught.value)) == ("script_unread", "Read the script first.")


@pytest.mark.usefixtures("unread")
def test_the_telephone_is_not_asked() -> None:
    person = UserFactory(extension="101", state=State.WRAP_UP)
    assert actions.set_state(user=person, state=State.READY, actor=None).state == State.READY


def test_a_condition_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_conditions", [])

    def condition(user: User) -> None:
        return None

    readiness.register(condition)
    readiness.register(condition)
    assert readiness._conditions == [condition]
    assert readiness.why_not(UserFactory()) is None
