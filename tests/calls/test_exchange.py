"""The simulated exchange: the panel, the dock's keys and `manage.py ring` drive the same verb as a real one."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from calls.actions import begin_by_hand, begin_dialog, declare_ending, start_lost_call_back
from calls.models import Call, CallEvent
from hotline.operators.models import User
from tests.calls.factories import NUMBER, CallFactory, ready
from tests.factories import ClientFactory, ClientPhoneFactory, UserFactory
from tests.helpers import assert_same_query_count

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return ready("101")


@pytest.fixture
def browser(operator: User) -> Client:
    client = Client(headers={"hx-request": "true"})
    client.force_login(operator, backend="hotline.operators.backends.RoleBackend")
    return client


def press(browser: Client, act: str, **fields: Any) -> Any:
    response = browser.post(reverse("calls:exchange-act"), {"act": act, **fields})
    assert response.status_code == 204, response.content
    return response


def keys(browser: Client) -> list[str]:
    text = browser.get(reverse("calls:exchange-keys")).content.decode()
    return [act for act in ACTS if f'value="{act}"' in text]


ACTS = ["ring", "dial", "answer", "operator_hangs_up", "client_hangs_up", "lose_line"]


# --- The telephone --------------------------------------------------------------------------------
def test_a_call_from_the_ring_to_the_hang_up(browser: Client, operator: User) -> None:
    assert keys(browser) == ["ring"]
    press(browser, "ring", number=NUMBER)
    call = Call.objects.get()
    assert (call.source, call.number, call.work_state) == ("demo", NUMBER, "ringing")
    assert keys(browser) == ["answer", "client_hangs_up"]
    press(browser, "answer")
    call.refresh_from_db()
    assert (call.operator, call.line_state) == (operator, "talking")
    assert keys(browser) == ["ring", "operator_hangs_up", "client_hangs_up", "lose_line"]
    begin_dialog(call_id=call.pk, actor=operator)
    press(browser, "client_hangs_up")
    call.refresh_from_db()
    assert (call.work_state, call.hung_up_by, call.cause) == ("wrap_up", "client", "normalClearing")
    assert list(call.events.values_list("type", flat=True)) == ["ringing", "answered", "ended"]
    assert keys(browser) == ["ring"]


def test_a_line_that_breaks_plans_the_call_back(browser: Client, operator: User) -> None:
    press(browser, "ring", number=NUMBER)
    press(browser, "answer")
    begin_dialog(call_id=Call.objects.get().pk, actor=operator)
    press(browser, "lose_line")
    call = Call.objects.get()
    assert (call.ending, call.lost_call_back.is_planned) == ("lost", True)


def test_the_telephone_dials_what_was_begun_on_the_page(browser: Client, operator: User) -> None:
    call = CallFactory(wrap_up=True, number=NUMBER, operator=operator)
    declare_ending(call_id=call.pk, ending="lost", actor=operator)
    call.refresh_from_db()
    attempt = start_lost_call_back(call_back_id=call.lost_call_back.pk, actor=operator)
    assert keys(browser) == ["dial", "answer", "client_hangs_up"]
    press(browser, "dial")
    assert keys(browser) == ["answer", "client_hangs_up"]
    press(browser, "answer")
    attempt.refresh_from_db()
    assert (attempt.source, attempt.line_state, Call.objects.count()) == ("demo", "talking", 2)


@pytest.mark.parametrize(("act", "state"), [("answer", "talking"), ("client_hangs_up", "closed")])
def test_it_dials_by_itself_when_the_end_is_pressed_first(
    browser: Client, operator: User, act: str, state: str
) -> None:
    call = CallFactory(wrap_up=True, number=NUMBER, operator=operator)
    declare_ending(call_id=call.pk, ending="lost", actor=operator)
    call.refresh_from_db()
    attempt = start_lost_call_back(call_back_id=call.lost_call_back.pk, actor=operator)
    press(browser, act)
    attempt.refresh_from_db()
    assert (attempt.work_state, Call.objects.count()) == (state, 2)


def test_a_call_of_a_real_exchange_is_not_the_simulated_ones(browser: Client, operator: User) -> None:
    call = CallFactory(dialog=True, operator=operator, source="pbx")
    by_hand = begin_by_hand(operator=operator, direction="in", number="", actor=operator)
    for pk in (call.pk, by_hand.pk):
        response = press(browser, "client_hangs_up", call=pk)
        assert "HX-Trigger" in response
    assert CallEvent.objects.count() == 0


def test_ringing_at_a_named_telephone_and_when_nobody_is_ready(browser: Client, operator: User) -> None:
    press(browser, "ring", number=NUMBER, extension="101")
    assert Call.objects.get().ring_extensions == ["101"]
    User.objects.filter(pk=operator.pk).update(state=User.State.BREAK)
    assert "HX-Trigger" in press(browser, "ring", other="anonymous")


@pytest.mark.parametrize("fields", [{"call": "x"}, {"call": "9" * 40}, {"call": "0"}, {"number": "чушь"}])
@pytest.mark.parametrize("act", ["ring", "answer", "dial", "explode", ""])
def test_nothing_that_is_posted_breaks_it(browser: Client, act: str, fields: dict[str, str]) -> None:
    press(browser, act, **fields)


def test_outside_the_demo_there_is_none(browser: Client, settings: Any) -> None:
    settings.DEMO = False
    for name in ("exchange", "exchange-lines", "exchange-dock", "exchange-keys"):
        assert browser.get(reverse(f"calls:{name}")).status_code == 404
    assert browser.post(reverse("calls:exchange-act"), {"act": "ring"}).status_code == 404


def test_the_page_and_the_dock_offer_callers_that_make_a_difference(browser: Client) -> None:
    client = ClientFactory(last_name="Ёлкина")
    ClientPhoneFactory(client=client, raw=NUMBER, e164=NUMBER, region="RU", line_type="mobile", position=0)
    for name in ("exchange", "exchange-dock"):
        text = browser.get(reverse(f"calls:{name}")).content.decode()
        assert "Ёлкина" in text
        assert 'value="anonymous"' in text
        assert 'value="+7701' in text
    press(browser, "ring", number=NUMBER)
    assert "+7 916 123-45-67" in browser.get(reverse("calls:exchange-lines")).content.decode()


def test_the_queries_of_the_page_do_not_grow(browser: Client, operator: User) -> None:
    def add(count: int) -> None:
        for call in CallFactory.create_batch(count, dialog=True, source="demo", operator=operator):
            CallEvent.objects.create(
                source="demo", event_id=call.external_id, call=call, type="ringing", outcome="applied"
            )

    assert_same_query_count(add, lambda: browser.get(reverse("calls:exchange")))


# --- manage.py ring -------------------------------------------------------------------------------
def ring(*arguments: str) -> str:
    out = StringIO()
    call_command("ring", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("ringing", ("ringing", "ringing", "before_greeting", "")),
        ("answered", ("talking", "talking", "before_greeting", "")),
        ("dropped-in-greeting", ("ended", "closed", "greeting", "")),
        ("dropped-in-dialog", ("ended", "wrap_up", "dialog", "")),
        ("lost-in-dialog", ("ended", "wrap_up", "dialog", "lost")),
        ("missed", ("ended", "closed", "before_greeting", "")),
    ],
)
@pytest.mark.parametrize("extension", [[], ["--extension", "101"]])
def test_scenarios(operator: User, scenario: str, expected: tuple[str, ...], extension: list[str]) -> None:
    said = ring("8 916 123-45-67", "--scenario", scenario, *extension)
    call = Call.objects.get()
    assert (call.line_state, call.work_state, call.phase, call.ending) == expected
    assert (call.number, said.startswith(f"call {call.pk}:")) == (NUMBER, True)
    assert call.operator == (operator if scenario not in ("ringing", "missed") else None)


def test_nobody_to_answer() -> None:
    UserFactory(state=User.State.BREAK, extension="101")
    with pytest.raises(CommandError, match="Nobody is ready"):
        ring(NUMBER, "--scenario", "answered")
    with pytest.raises(CommandError, match="Nobody is signed in at 105"):
        ring(NUMBER, "--extension", "105")
    assert Call.objects.count() == 0


def test_the_command_works_in_the_demo_only(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="demo mode only"):
        ring(NUMBER)
