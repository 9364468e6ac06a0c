"""What a person decides of an uncertain or failed message, and what happens where two decide at once."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from hotline.base.actions import constraint_of
from hotline.base.errors import Conflict, Forbidden, NotFound, Refused
from hotline.operators.models import Role
from sms.actions import (
    claim,
    claim_parts,
    confirm_arrival,
    receive_status,
    send_anew,
    settle,
    settle_parts,
    sweep,
    withdraw,
)
from sms.gateways.base import Accepted, NotSubmitted, Outcome, Unknown
from sms.models import SmsMessage, SmsPart
from tests.helpers import race
from tests.sms.factories import message, person

S, PartState = SmsMessage.State, SmsPart.State


def journal(row: SmsMessage) -> list[tuple[str, str]]:
    return list(row.changes.values_list("to_state", "reason"))


@pytest.mark.django_db
def test_it_did_arrive() -> None:
    row, supervisor = message(S.UNKNOWN), person("chief", role=Role.SUPERVISOR)
    assert confirm_arrival(pk=row.pk, actor=supervisor).state == S.DELIVERED
    confirm_arrival(pk=row.pk, actor=supervisor)
    assert journal(row) == [(S.DELIVERED, f"confirmed:{supervisor.pk}")]
    with pytest.raises(NotFound):
        confirm_arrival(pk=0, actor=supervisor)
    with pytest.raises(Forbidden):
        confirm_arrival(pk=message(S.UNKNOWN).pk, actor=person())


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(set(S.values) - {S.UNKNOWN, S.DELIVERED}))
def test_only_what_is_uncertain_is_confirmed(state: str) -> None:
    with pytest.raises(Refused) as refused:
        confirm_arrival(pk=message(state).pk, actor=None)
    assert refused.value.code == "decided"


@pytest.mark.django_db
@pytest.mark.parametrize("state", [S.UNKNOWN, S.UNDELIVERED, S.EXPIRED, S.REJECTED])
def test_sent_anew_is_a_new_message_that_names_the_old(state: str, enqueued: list[tuple[str, int]]) -> None:
    old, operator, action = message(state), person(), uuid4()
    new = send_anew(pk=old.pk, action_id=action, actor=operator)
    assert (new.resend_of, new.to, new.text, new.sender, new.state) == (old, old.to, old.text, old.sender, S.QUEUED)
    assert new.action_id != old.action_id
    old.refresh_from_db()
    assert old.state == state
    assert list(SmsMessage.objects.uncertain()) == []
    assert send_anew(pk=old.pk, action_id=action, actor=operator) == new
    with pytest.raises(Conflict) as refused:
        send_anew(pk=old.pk, action_id=uuid4(), actor=operator)
    assert (refused.value.code, refused.value.details) == ("resent", {"message": new.pk})
    # A late receipt still says what became of the old one.
    if state == S.UNKNOWN:
        receive_status(gateway="development", gateway_id="late", state=S.DELIVERED, reference=old.action_id)
        old.refresh_from_db()
        assert (old.state, old.resent_as) == (S.DELIVERED, new)


@pytest.mark.django_db
def test_what_was_sent_anew_meanwhile_is_not_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two supervisors the second pressed late: what the first has decided stands, and both see it."""
    told: list[int | None] = []
    monkeypatch.setattr("sms.actions.decisions.live.publish", lambda *, topic, pk: told.append(pk))
    old, supervisor = message(S.UNKNOWN), person("chief", role=Role.SUPERVISOR)
    new = send_anew(pk=old.pk, action_id=uuid4(), actor=supervisor)
    assert old.pk in told
    with pytest.raises(Conflict) as refused:
        confirm_arrival(pk=old.pk, actor=supervisor)
    assert (refused.value.code, refused.value.details) == ("resent", {"message": new.pk})
    old.refresh_from_db()
    assert old.state == S.UNKNOWN


@pytest.mark.django_db
@pytest.mark.parametrize("state", [S.QUEUED, S.SUBMITTING, S.ACCEPTED, S.DELIVERED, S.DICTATED, S.WITHDRAWN])
def test_what_may_still_arrive_or_has_is_not_sent_anew(state: str) -> None:
    with pytest.raises(Refused) as refused:
        send_anew(pk=message(state).pk, action_id=uuid4(), actor=person())
    assert refused.value.code == "decided"
    assert SmsMessage.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_send_anew_at_once_one_does() -> None:
    old, operator = message(S.UNKNOWN), person()
    results = race(*[lambda: send_anew(pk=old.pk, action_id=uuid4(), actor=operator)] * 4)
    assert len([made for made in results if isinstance(made, SmsMessage)]) == 1
    assert {error.code for error in results if isinstance(error, Conflict)} == {"resent"}
    assert SmsMessage.objects.filter(resend_of=old).count() == 1


@pytest.mark.django_db
def test_the_database_knows_one_successor() -> None:
    old = message(S.UNKNOWN)
    message(resend_of=old)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        message(resend_of=old)
    assert constraint_of(refused.value) == "sms_smsmessage_resend_of_id_key"


# --- Not to be sent after all -----------------------------------------------------------------------
@pytest.mark.django_db
def test_only_what_waits_whole_is_withdrawn() -> None:
    row, operator = message(), person()
    assert withdraw(pk=row.pk, reason="outdated", actor=operator).state == S.WITHDRAWN
    withdraw(pk=row.pk, reason="outdated", actor=operator)
    assert journal(row) == [(S.WITHDRAWN, "outdated")]
    begun = message()
    SmsPart.objects.create(message=begun, seq=1, text="Зая", state=SmsPart.State.ACCEPTED, gateway_id="7")
    SmsPart.objects.create(message=begun, seq=2, text="вка")
    for late in (begun, message(S.ACCEPTED), message(S.UNKNOWN)):
        with pytest.raises(Refused) as refused:
            withdraw(pk=late.pk, reason="outdated", actor=operator)
        assert refused.value.code == "under_way"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (NotSubmitted("throttled"), S.WITHDRAWN, "outdated"),
        (NotSubmitted("no_connection", is_down=True), S.WITHDRAWN, "outdated"),
        (Accepted("7"), S.ACCEPTED, ""),
        (Unknown("no_answer"), S.UNKNOWN, "no_answer"),
    ],
)
def test_what_is_called_off_while_it_is_handed_over_goes_no_further(outcome: Outcome, state: str, reason: str) -> None:
    row, operator = message(), person()
    claimed = claim(pk=row.pk)
    assert claimed
    for _ in range(2):
        assert withdraw(pk=row.pk, reason="outdated", actor=operator).state == S.SUBMITTING
    settle(pk=row.pk, token=claimed.token, outcome=outcome)
    SmsMessage.objects.filter(pk=row.pk).update(not_before=Now())
    assert claim(pk=row.pk) is None
    sweep()
    row.refresh_from_db()
    assert (row.state, row.reason) == (state, reason)


@pytest.mark.django_db
@pytest.mark.parametrize("second", [PartState.QUEUED, PartState.ACCEPTED])
def test_called_off_in_parts_it_goes_on_only_where_its_beginning_is_there(second: str) -> None:
    """Half a message is worse than one that is out of date."""
    row = message(gateway="smpp", sender="PARTS", text="я" * 100)
    (one, two) = claim_parts(gateway="smpp", lease=timedelta(minutes=1), most=9)
    withdraw(pk=row.pk, reason="outdated", actor=person())
    back = NotSubmitted("throttled")
    outcomes: dict[int, Outcome] = {one.seq: back, two.seq: back if second == PartState.QUEUED else Accepted("7")}
    settle_parts(message_id=row.pk, token=one.token, outcomes=outcomes)
    SmsMessage.objects.filter(pk=row.pk).update(not_before=Now())
    sweep()
    row.refresh_from_db()
    again = [part.seq for part in claim_parts(gateway="smpp", lease=timedelta(minutes=1), most=9)]
    expected = (S.WITHDRAWN, []) if second == PartState.QUEUED else (S.QUEUED, [1])
    assert (row.state, again) == expected
