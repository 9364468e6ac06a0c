"""Events folded into calls: by rank and not by arrival, once, tolerant; and the same said by hand."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from calls.actions import (
    answer_by_hand,
    begin_by_hand,
    begin_dialog,
    complete_stage,
    end_by_hand,
    record_event,
    take_call,
)
from calls.models import Call, CallEvent, CallJournalEntry, ScriptAcknowledgement, StageCode
from calls.telephony.event import TelephonyEvent, shorten
from hotline.base.errors import HotlineError
from hotline.operators.actions import declare_alias
from hotline.operators.models import User
from tests.calls.factories import NUMBER, CallFactory, ready, script_version
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

Type = CallEvent.Type
RINGING, ANSWERED, ENDED = Type.RINGING, Type.ANSWERED, Type.ENDED


def say(event_type: str, call_id: str = "c-1", **said: Any) -> CallEvent:
    said = {"source": "pbx", "number": NUMBER, "direction": "in", "name": event_type, **said}
    return record_event(event=TelephonyEvent(call_id=call_id, type=event_type, **said))


def the_call(call_id: str = "c-1") -> Call:
    return Call.objects.get(source="pbx", external_id=call_id)


def journal(call: Call) -> list[str]:
    return list(call.journal.order_by("pk").values_list("code", flat=True))


# --- An incoming call -------------------------------------------------------------------------------
def test_a_ring_makes_a_call_with_the_script_in_force() -> None:
    version = script_version()
    event = say(RINGING, queue="Горячая линия", line="88000000000", people=())
    call = the_call()
    assert (event.outcome, event.call, event.is_repeat) == ("applied", call, False)
    assert (call.direction, call.origin, call.number, call.number_raw) == ("in", "incoming", NUMBER, NUMBER)
    assert (call.line_state, call.work_state, call.phase) == ("ringing", "ringing", "before_greeting")
    assert (call.queue, call.line, call.script_version) == ("Горячая линия", "88000000000", version)
    assert call.operator is None


def test_an_answer_gives_the_call_to_whoever_sits_at_the_telephone() -> None:
    operator = ready("101", first_name="Ольга")
    say(RINGING)
    say(ANSWERED, people=("101",))
    call = the_call()
    assert (call.operator, call.line_state, call.work_state) == (operator, "talking", "talking")
    assert (call.spoken_name, call.alias, journal(call)) == ("Ольга", None, ["answered"])
    operator.refresh_from_db()
    assert operator.state == User.State.IN_CALL


def test_the_name_voiced_is_the_alias_in_force() -> None:
    operator = ready("101", first_name="Ольга")
    alias = declare_alias(operator=operator, spoken_name="Анна", full_form="Анна Петрова", actor=operator)
    say(ANSWERED, people=("101",))
    call = the_call()
    assert (call.spoken_name, call.alias) == ("Анна", alias)


@pytest.mark.parametrize("name", ["101", "ivanova", "IVANOVA", "i@example.org", "Ольга Иванова", "Иванова Ольга"])
def test_an_operator_is_named_by_telephone_login_mail_or_name(name: str) -> None:
    operator = ready("101", username="ivanova", email="i@example.org", first_name="Ольга", last_name="Иванова")
    ready("102", last_name="Петрова")
    say(ANSWERED, people=(name,))
    assert the_call().operator == operator


def test_a_name_that_two_bear_is_nobodys_and_a_closed_account_nobody() -> None:
    ready("101", first_name="Ольга", last_name="Иванова")
    ready("102", first_name="Ольга", last_name="Иванова")
    ready("103", is_active=False)
    say(ANSWERED, people=("Ольга Иванова", "103"))
    assert the_call().operator is None


def test_answered_where_nobody_is_signed_in_waits_for_somebody_to_take_it() -> None:
    operator = ready("101")
    say(RINGING)
    say(ANSWERED, people=("777",))
    call = the_call()
    assert (call.operator, call.work_state) == (None, "talking")
    assert list(Call.objects.without_operator()) == [call]
    assert call in Call.objects.visible_to(operator)
    take_call(call_id=call.pk, actor=operator)
    call.refresh_from_db()
    assert (call.operator, call.spoken_name, journal(call)) == (operator, "Анна", ["answered", "taken"])


def test_a_taken_call_is_not_taken_again_but_a_supervisor_gives_it_away() -> None:
    first, second, supervisor = ready("101"), ready("102"), UserFactory(supervisor=True)
    say(ANSWERED, people=("101",))
    call = the_call()
    with pytest.raises(HotlineError) as refused:
        take_call(call_id=call.pk, actor=second)
    assert refused.value.code == "taken"
    with pytest.raises(HotlineError) as refused:
        take_call(call_id=call.pk, operator=second, actor=first)
    assert refused.value.code == "forbidden"
    take_call(call_id=call.pk, operator=second, actor=supervisor)
    call.refresh_from_db()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (call.operator, first.state, second.state) == (second, User.State.READY, User.State.IN_CALL)


def test_a_script_that_was_not_read_flags_the_call_and_never_refuses_it() -> None:
    version, operator = script_version(), ready("101")
    say(ANSWERED, people=("101",))
    assert journal(the_call()) == ["script_unread", "answered"]
    ScriptAcknowledgement.objects.create(version=version, operator=operator)
    say(ANSWERED, call_id="c-2", people=("101",))
    assert journal(the_call("c-2")) == ["answered"]


def test_a_call_keeps_the_version_in_force_when_it_began() -> None:
    first = script_version(number=1, effective_from=timezone.now() - timedelta(days=9))
    say(RINGING)
    script_version(number=2, effective_from=timezone.now() - timedelta(seconds=1))
    say(ANSWERED)
    assert the_call().script_version == first


# --- The end ----------------------------------------------------------------------------------------
def test_nobody_answers() -> None:
    say(RINGING)
    say(ENDED, cause="cancel", hung_up_by="client")
    call = the_call()
    assert (call.work_state, call.is_missed, call.cause, call.hung_up_by) == ("closed", True, "cancel", "client")
    assert call.journal.get().data == {"why": "missed"}


@pytest.mark.parametrize("greeted", [False, True])
def test_d1_dropped_in_the_greeting_closes_by_itself(greeted: bool) -> None:
    operator = ready("101")
    say(ANSWERED, people=("101",))
    if greeted:
        complete_stage(call_id=the_call().pk, stage=StageCode.GREETING, actor=operator)
    say(ENDED, is_lost=True)
    call = the_call()
    assert (call.work_state, call.phase) == ("closed", "greeting" if greeted else "before_greeting")
    assert not hasattr(call, "lost_call_back")
    operator.refresh_from_db()
    assert operator.state == User.State.READY


@pytest.mark.parametrize(("seconds", "expected"), [(3, ("closed", "greeting")), (9, ("wrap_up", "dialog"))])
def test_d1_a_client_who_stays_after_the_whole_greeting_is_talking(seconds: int, expected: tuple[str, str]) -> None:
    operator = ready("101")
    say(ANSWERED, people=("101",))
    complete_stage(call_id=the_call().pk, stage=StageCode.GREETING, actor=operator)
    said = the_call().stage_acts.get().at
    say(ENDED, at=said + timedelta(seconds=seconds, milliseconds=1))
    call = the_call()
    assert (call.work_state, call.phase) == expected
    if expected[1] == "dialog":
        assert call.journal.get(code="dialog_begun").data == {"why": "greeting_was_over"}


def test_a_talk_too_long_for_a_greeting_is_a_dialog_whatever_was_pressed() -> None:
    ready("101")
    say(ANSWERED, people=("101",))
    Call.objects.update(answered_at=timezone.now() - timedelta(seconds=46))
    say(ENDED)
    call = the_call()
    assert (call.work_state, call.phase, call.ending) == ("wrap_up", "dialog", "")


def test_a_hang_up_in_dialog_waits_for_the_operators_word() -> None:
    operator = ready("101")
    say(ANSWERED, people=("101",))
    begin_dialog(call_id=the_call().pk, actor=operator)
    say(ENDED, cause="normalClearing")
    call = the_call()
    assert (call.work_state, call.phase, call.ending, call.hung_up_by) == ("wrap_up", "dialog", "", "unknown")
    operator.refresh_from_db()
    assert operator.state == User.State.WRAP_UP


def test_an_explicit_cause_plans_the_call_back_without_asking() -> None:
    operator = ready("101")
    say(ANSWERED, people=("101",))
    begin_dialog(call_id=the_call().pk, actor=operator)
    say(ENDED, cause="networkOutOfOrder", is_lost=True, hung_up_by="system")
    call = the_call()
    assert (call.ending, call.lost_call_back.owner, call.lost_call_back.is_planned) == ("lost", operator, True)


def test_after_the_farewell_a_hang_up_is_a_goodbye() -> None:
    operator = ready("101")
    say(ANSWERED, people=("101",))
    begin_dialog(call_id=the_call().pk, actor=operator)
    complete_stage(call_id=the_call().pk, stage=StageCode.FAREWELL, actor=operator)
    say(ENDED, is_lost=True)
    call = the_call()
    assert (call.phase, call.ending) == ("done", "goodbye")
    assert not hasattr(call, "lost_call_back")


# --- Order, repetition, orphans ---------------------------------------------------------------------
@pytest.mark.parametrize("order", list(permutations([RINGING, ANSWERED, ENDED])))
def test_whatever_the_order_the_call_ends_the_same(order: tuple[str, ...]) -> None:
    operator = ready("101")
    for event_type in order:
        say(event_type, people=("101",) if event_type == ANSWERED else ())
    call = the_call()
    assert (call.line_state, call.work_state, call.operator) == ("ended", "closed", operator)
    assert call.answered_at is not None
    assert call.started_at <= call.answered_at <= call.ended_at
    assert call.events.count() == 3


def test_a_late_ring_fills_in_what_was_not_known_and_changes_nothing_else() -> None:
    ready("101")
    say(ANSWERED, people=("101",), number="")
    event = say(RINGING, queue="Сервис", line="8800")
    call = the_call()
    assert (event.outcome, call.line_state) == ("late", "talking")
    assert (call.number, call.queue, call.line) == (NUMBER, "Сервис", "8800")


def test_the_same_event_again_does_nothing() -> None:
    ready("101"), ready("102")
    first = say(ANSWERED, people=("101",))
    again = say(ANSWERED, people=("102",))
    assert (again.pk, again.is_repeat, first.is_repeat) == (first.pk, True, False)
    assert the_call().operator.extension == "101"
    assert CallEvent.objects.count() == 1


def test_calls_of_two_exchanges_with_one_id_are_two_calls() -> None:
    say(RINGING), say(RINGING, source="other")
    assert Call.objects.count() == 2


def test_a_hang_up_of_a_call_that_was_never_announced_is_a_missed_call() -> None:
    event = say(ENDED)
    call = the_call()
    assert (event.outcome, call.is_missed, call.work_state, call.number) == ("applied", True, "closed", NUMBER)


def test_events_of_unknown_kinds_are_kept() -> None:
    orphan = say(Type.UNKNOWN, name="transfer")
    say(RINGING)
    known = say(Type.UNKNOWN, name="hold")
    assert (orphan.call, orphan.outcome) == (None, "ignored")
    assert (known.call, known.outcome, the_call().line_state) == (the_call(), "ignored", "ringing")


def test_the_first_rating_counts() -> None:
    CallFactory(source="pbx", external_id="c-1", wrap_up=True)
    assert say(Type.RATING, rating=5).outcome == "applied"
    assert say(Type.RATING, name="rating-2", rating=1).outcome == "ignored"
    assert say(Type.RATING, call_id="c-9", rating=4).outcome == "unknown_call"
    assert say(Type.RATING, name="rating-3", rating=9).outcome == "ignored"
    assert the_call().rating == 5


def test_an_exchange_whose_clock_is_wrong_is_dated_by_ours() -> None:
    say(RINGING, at=timezone.now() - timedelta(days=400))
    assert timezone.now() - the_call().started_at < timedelta(minutes=1)
    just_now = timezone.now() - timedelta(seconds=20)
    say(RINGING, call_id="c-2", at=just_now)
    assert the_call("c-2").started_at == just_now


def test_an_id_of_any_length_is_one_call() -> None:
    long_id = "x" * 250
    say(RINGING, call_id=long_id)
    say(ANSWERED, call_id=long_id)
    say(RINGING, call_id=long_id[:-1] + "y")
    assert Call.objects.count() == 2
    assert Call.objects.get(external_id=shorten(long_id)).line_state == "talking"
    assert len(shorten(long_id)) == 100


# --- Whom it pops for -------------------------------------------------------------------------------
def test_a_ring_pops_for_the_telephones_it_names_else_for_all_who_are_ready() -> None:
    named, free, wrapping = ready("101"), ready("102"), ready("103")
    wrapping.state = User.State.WRAP_UP
    wrapping.save()
    at_break = UserFactory(extension="104", state=User.State.BREAK)
    say(RINGING, people=("101",))
    say(RINGING, call_id="c-2")
    for person, expected in ((named, {"c-1", "c-2"}), (free, {"c-2"}), (wrapping, {"c-2"}), (at_break, set())):
        found = Call.objects.ringing_for(person).values_list("external_id", flat=True)
        assert set(found) == expected, person
        assert {call.external_id for call in Call.objects.ringing() if call.rings_at(person)} == expected, person


def test_a_ring_that_names_nobody_we_know_rings_at_everybody() -> None:
    free = ready("102")
    say(RINGING, people=("999", "Алиса Неизвестная"))
    assert list(Call.objects.ringing_for(free)) == [the_call()]


# --- By hand ----------------------------------------------------------------------------------------
def test_a_call_is_begun_by_hand_when_the_exchange_is_silent() -> None:
    operator = ready("101")
    call = begin_by_hand(operator=operator, direction="in", number="8 916 123-45-67", actor=operator)
    assert (call.source, call.number, call.number_raw) == (Call.MANUAL, NUMBER, "8 916 123-45-67")
    assert (call.work_state, call.operator) == ("talking", operator)
    assert journal(call) == ["begun_by_hand", "answered_by_hand"]
    begin_dialog(call_id=call.pk, actor=operator)
    end_by_hand(call_id=call.pk, hung_up_by="client", actor=operator)
    end_by_hand(call_id=call.pk, hung_up_by="operator", actor=operator)
    call.refresh_from_db()
    assert (call.work_state, call.hung_up_by) == ("wrap_up", "client")


@pytest.mark.parametrize(
    ("direction", "number", "code"),
    [("in", "нет такого", "number_invalid"), ("out", "", "number_missing"), ("sideways", NUMBER, "direction")],
)
def test_what_can_not_be_begun_by_hand(direction: str, number: str, code: str) -> None:
    operator = ready("101")
    with pytest.raises(HotlineError) as refused:
        begin_by_hand(operator=operator, direction=direction, number=number, actor=operator)
    assert (refused.value.code, Call.objects.count()) == (code, 0)


def test_a_hidden_number_by_hand() -> None:
    operator = ready("101")
    assert begin_by_hand(operator=operator, direction="in", number="", actor=operator).number == ""


def test_begun_by_hand_for_a_call_that_rings_is_its_answer() -> None:
    operator = ready("101")
    say(RINGING)
    call = begin_by_hand(operator=operator, direction="in", number=NUMBER, actor=operator)
    assert (call, Call.objects.count(), call.operator) == (the_call(), 1, operator)
    # The exchange speaks up after all.
    assert say(ANSWERED, people=("101",)).outcome == "late"


def test_an_exchange_that_speaks_late_means_the_call_begun_by_hand() -> None:
    operator = ready("101")
    call = begin_by_hand(operator=operator, direction="in", number=NUMBER, actor=operator)
    assert say(RINGING).outcome == "late"
    call.refresh_from_db()
    assert (call.source, call.external_id, Call.objects.count()) == ("pbx", "c-1", 1)


def test_answered_by_hand_a_call_that_rings_is_the_operators() -> None:
    operator, other = ready("101"), ready("102")
    say(RINGING)
    call = answer_by_hand(call_id=the_call().pk, actor=operator)
    assert (call.operator, call.line_state) == (operator, "talking")
    with pytest.raises(HotlineError) as refused:
        answer_by_hand(call_id=call.pk, actor=other)
    assert refused.value.code == "not_found"


def test_ended_by_hand_then_told_by_the_exchange_who_hung_up() -> None:
    operator = ready("101")
    say(ANSWERED, people=("101",))
    begin_dialog(call_id=the_call().pk, actor=operator)
    end_by_hand(call_id=the_call().pk, hung_up_by="unknown", actor=operator)
    assert say(ENDED, hung_up_by="client", cause="cancel").outcome == "late"
    assert (the_call().hung_up_by, the_call().cause) == ("client", "cancel")


def test_another_operators_call_is_not_there() -> None:
    call, other = CallFactory(dialog=True), ready("102")
    for pk in (call.pk, 10**12):
        with pytest.raises(HotlineError) as refused:
            end_by_hand(call_id=pk, hung_up_by="client", actor=other)
        assert refused.value.code == "not_found"


def test_the_operators_state_follows_the_calls() -> None:
    operator = ready("101")
    states = []
    for step in (
        lambda: say(ANSWERED, people=("101",)),
        lambda: begin_dialog(call_id=the_call().pk, actor=operator),
        lambda: say(ENDED),
        lambda: say(ANSWERED, call_id="c-2", people=("101",)),
        lambda: say(ENDED, call_id="c-2"),
    ):
        step()
        operator.refresh_from_db()
        states.append(operator.state)
    assert states == ["in_call", "in_call", "wrap_up", "in_call", "wrap_up"]


def test_who_has_not_read_the_script_takes_a_break_after_the_call(settings: Any) -> None:
    script_version()
    operator = ready("101")
    say(ANSWERED, people=("101",))
    say(ENDED)
    operator.refresh_from_db()
    assert operator.state == User.State.BREAK
    settings.SCRIPT_NEEDS_ACKNOWLEDGEMENT = False
    say(ANSWERED, call_id="c-2", people=("101",))
    say(ENDED, call_id="c-2")
    operator.refresh_from_db()
    assert operator.state == User.State.READY


def test_a_call_whose_operator_left_stays_open() -> None:
    operator = ready("101")
    call = CallFactory(dialog=True, source="pbx", external_id="c-1", operator=operator)
    User.objects.filter(pk=operator.pk).update(state=User.State.OFFLINE, extension="")
    say(ENDED)
    call.refresh_from_db()
    operator.refresh_from_db()
    assert (call.work_state, operator.state) == ("wrap_up", User.State.OFFLINE)


def test_the_database_holds_one_call_an_id_and_one_event_a_key() -> None:
    from django.db import IntegrityError, transaction

    say(RINGING)
    with pytest.raises(IntegrityError, match="calls_call_external_id_unique"), transaction.atomic():
        CallFactory(source="pbx", external_id="c-1")
    with pytest.raises(IntegrityError, match="calls_callevent_once"), transaction.atomic():
        CallEvent.objects.create(source="pbx", event_id="c-1:ringing", type=RINGING, outcome="applied")
    with pytest.raises(IntegrityError, match="calls_callevent_append_only"), transaction.atomic():
        CallEvent.objects.update(outcome="late")
    CallJournalEntry.objects.create(call=the_call(), code="closed")
    with pytest.raises(IntegrityError, match="calls_calljournalentry_append_only"), transaction.atomic():
        CallJournalEntry.objects.all().delete()


def test_an_event_of_an_id_too_odd_for_a_key() -> None:
    assert say(RINGING, call_id="", name=uuid4().hex).outcome == "applied"
