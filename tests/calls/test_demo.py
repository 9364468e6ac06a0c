"""The demo's calls: a thousand, in every state, each as the verbs would have left it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from calls.facts import missing_to_close
from calls.models import Call, CallEvent, CallStage, Draft, LostCallBack, PromisedCallBack
from hotline.operators.models import User


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> None:
    """Loaded once for this module, in a transaction that is undone after it."""
    from django.db import transaction

    from hotline.desk.demo.load import load

    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        atomic = transaction.atomic()
        atomic.__enter__()
        call_command("load_reference", verbosity=0)
        load()
        yield
        transaction.set_rollback(True)
        atomic.__exit__(None, None, None)


@pytest.mark.slow
def test_a_thousand_calls_in_every_state(demo: None) -> None:
    calls = Call.objects.all()
    assert 950 <= calls.count() <= 1200
    assert set(calls.values_list("work_state", flat=True)) == {"talking", "wrap_up", "closed"}
    assert set(calls.values_list("phase", flat=True)) == {"before_greeting", "greeting", "dialog", "done"}
    assert set(calls.values_list("origin", flat=True)) == set(Call.Origin.values)
    assert calls.filter(hand_dialled_after__isnull=False).exists()
    assert calls.filter(number="", number_raw="anonymous").exists()
    assert calls.filter(rating__isnull=False).count() > 100
    assert CallEvent.objects.filter(type="rating").count() == calls.filter(rating__isnull=False).count()


@pytest.mark.slow
def test_what_is_closed_lacks_nothing_and_nothing_is_of_tomorrow(demo: None) -> None:
    for call in Call.objects.for_workspace().filter(work_state="closed"):
        assert missing_to_close(call) == [], call.pk
        assert call.started_at <= (call.ended_at or call.started_at) <= call.closed_at
    soon = timezone.now() + timedelta(minutes=1)
    assert not Call.objects.filter(closed_at__gt=soon).exists()
    assert not Call.objects.exclude(started_at__lt=soon).exists()


@pytest.mark.slow
def test_call_backs_of_every_fate(demo: None) -> None:
    assert LostCallBack.objects.planned().filter(owner__username="operator").count() == 1
    attempted = LostCallBack.objects.filter(attempted_at__isnull=False)
    assert {back.attempt_call.answered_at is None for back in attempted} == {True, False}
    assert LostCallBack.objects.filter(cancel_reason="client_called").exists()
    owed = PromisedCallBack.objects.filter(state="open", owner__username="operator")
    assert {promise.due_at < timezone.now() for promise in owed} == {True, False}
    assert set(PromisedCallBack.objects.values_list("state", flat=True)) == set(PromisedCallBack.State.values)


@pytest.mark.slow
def test_the_operator_who_signs_in_finds_work_and_is_free(demo: None) -> None:
    operator = User.objects.get(username="operator")
    waiting = Call.objects.open().filter(operator=operator)
    assert all(call.parked_at is not None for call in waiting)
    assert waiting.exists()
    assert Draft.objects.open().filter(owner=operator).exists()


@pytest.mark.slow
def test_the_evidence_of_stages(demo: None) -> None:
    call = Call.objects.filter(phase="done", origin="incoming", closed_at__isnull=False).latest("pk")
    acts = dict(call.stage_acts.values_list("stage", "act"))
    assert (len(acts), acts["wrap_up"], acts["greeting"]) == (10, "done", "done")
    assert set(CallStage.objects.values_list("act", flat=True)) == {"done", "skipped"}
