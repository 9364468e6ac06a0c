"""An SMS that did not arrive becomes somebody's to make good, once, and is done by whatever makes it good (R3)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from calls.actions import dictate_follow_up, open_follow_ups, resend_follow_up, settle_follow_up
from calls.models import Call, CallAppeal, FollowUp
from hotline.base.actions import constraint_of
from hotline.base.errors import Invalid, NotFound, Refused
from hotline.operators.models import User
from sms.models import SmsMessage
from tests.calls.factories import CallFactory
from tests.factories import AppealFactory, AppealMessageFactory, SmsMessageFactory, SmsTemplateFactory, UserFactory
from tests.helpers import race
from tickets.actions import dictate
from tickets.models import AppealMessage

pytestmark = pytest.mark.django_db
Outcome, S = FollowUp.Outcome, SmsMessage.State


def failed(owner: User | None, state: str = S.UNDELIVERED, **fields: Any) -> AppealMessage:
    if not SmsMessage.objects.exists():
        SmsTemplateFactory()
    message = SmsMessageFactory(
        state=state, gateway="development", gateway_id=uuid4().hex, requested_by=owner, sender="HOTLINE"
    )
    link: AppealMessage = AppealMessageFactory(
        message=message, appeal=fields.pop("appeal", None) or AppealFactory(assigned=True), **fields
    )
    return link


def item_of(link: AppealMessage) -> FollowUp:
    assert open_follow_ups() == 1
    return FollowUp.objects.get(link=link)


@pytest.mark.parametrize("state", [S.UNDELIVERED, S.EXPIRED, S.REJECTED])
def test_a_failed_message_is_its_senders_to_make_good(state: str) -> None:
    operator = UserFactory()
    link = failed(operator, state)
    item = item_of(link)
    assert (item.owner, item.done_at, item.outcome) == (operator, None, "")
    assert open_follow_ups() == 0
    assert list(FollowUp.objects.visible_to(operator)) == [item]
    assert list(FollowUp.objects.visible_to(UserFactory())) == []
    assert list(FollowUp.objects.visible_to(UserFactory(supervisor=True))) == [item]


@pytest.mark.parametrize("state", [S.QUEUED, S.ACCEPTED, S.DELIVERED, S.DICTATED, S.WITHDRAWN, S.UNKNOWN])
def test_what_has_not_failed_is_nobodys(state: str) -> None:
    failed(UserFactory(), state)
    assert open_follow_ups() == 0


def test_a_machines_message_is_the_registrars_else_the_supervisors() -> None:
    machine, registrar = UserFactory(integration=True), UserFactory()
    link = failed(machine, appeal=AppealFactory(assigned=True, registered_by=registrar))
    nobodys = failed(None, appeal=AppealFactory(assigned=True, registered_by=UserFactory(is_active=False)))
    assert open_follow_ups() == 2
    assert FollowUp.objects.get(link=link).owner == registrar
    assert FollowUp.objects.get(link=nobodys).owner is None


def test_an_automatic_message_is_its_appeals_owners_whoever_changed_the_state() -> None:
    supervisor, registrar = UserFactory(supervisor=True), UserFactory()
    link = failed(supervisor, appeal=AppealFactory(assigned=True, registered_by=registrar), is_automatic=True)
    gone = AppealFactory(assigned=True, registered_by=UserFactory(is_active=False))
    nobodys = failed(supervisor, appeal=gone, is_automatic=True)
    assert open_follow_ups() == 2
    assert FollowUp.objects.get(link=link).owner == registrar
    assert FollowUp.objects.get(link=nobodys).owner is None


def test_while_the_call_is_open_the_card_to_dictate_from_is_enough() -> None:
    link = failed(UserFactory())
    call = CallFactory(wrap_up=True, operator=link.message.requested_by)
    CallAppeal.objects.create(call=call, appeal=link.appeal, relation=CallAppeal.Relation.REGISTERED)
    assert open_follow_ups() == 0
    Call.objects.filter(pk=call.pk).update(
        work_state="closed", closed_at=call.ended_at, registered_appeal=link.appeal, ending="goodbye"
    )
    assert open_follow_ups() == 1


def test_what_was_dictated_elsewhere_is_done_by_that() -> None:
    operator, colleague = UserFactory(), UserFactory()
    link = failed(operator)
    item = item_of(link)
    dictate(appeal_id=link.appeal_id, to="", purpose="request", action_id=uuid4(), actor=colleague)
    assert open_follow_ups() == 0
    item.refresh_from_db()
    assert (item.outcome, item.done_by, item.done_at is not None) == (Outcome.DICTATED, colleague, True)


# --- Made good --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("purpose", "state", "made_good"),
    [
        ("request", S.QUEUED, True),
        ("request", S.DICTATED, True),
        ("request", S.WITHDRAWN, False),  # it never left
        ("status", S.WITHDRAWN, False),
        ("status", S.DELIVERED, False),  # the client has no contacts by that
    ],
)
def test_only_the_same_news_makes_it_good(purpose: str, state: str, made_good: bool) -> None:
    def then(link: AppealMessage) -> None:
        later = SmsMessageFactory(state=state, gateway="development", gateway_id=uuid4().hex, sender="HOTLINE")
        AppealMessageFactory(appeal=link.appeal, message=later, purpose=purpose)

    then(failed(UserFactory(), purpose="request"))
    assert open_follow_ups() == (0 if made_good else 1)
    FollowUp.objects.all().delete()
    AppealMessage.objects.all().delete()

    item = item_of(failed(UserFactory(), purpose="request"))
    then(item.link)
    open_follow_ups()
    item.refresh_from_db()
    assert (item.done_at is not None) is made_good


def test_what_is_dictated_is_of_the_template_that_failed() -> None:
    """Of several for one moment (automatic SMS) it is the message's own, in the version in use."""
    operator = UserFactory()
    SmsTemplateFactory(code="a-cancelled", moment="status_changed", text="Заявка {appeal_number} отменена.")
    sent = SmsTemplateFactory(code="b-sent", moment="status_changed", text="Мастер по заявке {appeal_number} выехал.")
    message = SmsMessageFactory(
        state=S.UNDELIVERED, gateway="development", gateway_id="g", requested_by=operator, sender="HOTLINE",
        template=sent,
    )  # fmt: skip
    link = AppealMessageFactory(message=message, appeal=AppealFactory(assigned=True), purpose="status")
    dictate_follow_up(pk=item_of(link).pk, action_id=uuid4(), actor=operator)
    told = AppealMessage.objects.latest("pk")
    assert told.message.text == f"Мастер по заявке {link.appeal.number} выехал."


def test_dictated_and_read_back() -> None:
    operator = UserFactory()
    link = failed(operator)
    item = item_of(link)
    dictate_follow_up(pk=item.pk, action_id=uuid4(), actor=operator)
    item.refresh_from_db()
    assert (item.outcome, item.done_by) == (Outcome.DICTATED, operator)
    last = AppealMessage.objects.filter(appeal=link.appeal).latest("pk").message
    assert (last.state, last.to) == (S.DICTATED, link.message.to)
    with pytest.raises(Refused) as refused:
        dictate_follow_up(pk=item.pk, action_id=uuid4(), actor=operator)
    assert refused.value.code == "settled"
    assert open_follow_ups() == 0


def test_sent_anew_names_the_old_and_may_fail_again() -> None:
    operator = UserFactory()
    link = failed(operator)
    item = item_of(link)
    resend_follow_up(pk=item.pk, action_id=uuid4(), actor=operator)
    new = SmsMessage.objects.get(resend_of=link.message)
    assert AppealMessage.objects.get(message=new).appeal == link.appeal
    SmsMessage.objects.filter(pk=new.pk).update(state=S.REJECTED)
    assert open_follow_ups() == 1
    assert FollowUp.objects.open().get().link.message == new


def test_not_needed_any_more_with_the_reason_why() -> None:
    operator = UserFactory()
    item = item_of(failed(operator))
    with pytest.raises(Invalid) as refused:
        settle_follow_up(pk=item.pk, note="  ", actor=operator)
    assert (refused.value.code, refused.value.field) == ("note_missing", "note")
    settle_follow_up(pk=item.pk, note="Клиент уже в АСЦ", actor=operator)
    item.refresh_from_db()
    assert (item.outcome, item.note) == (Outcome.NOT_NEEDED, "Клиент уже в АСЦ")
    assert open_follow_ups() == 0


def test_a_colleagues_is_not_there() -> None:
    item = item_of(failed(UserFactory()))
    with pytest.raises(NotFound):
        settle_follow_up(pk=item.pk, note="-", actor=UserFactory())
    settle_follow_up(pk=item.pk, note="Знает", actor=UserFactory(supervisor=True))


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_and_two_clicks_at_once_are_one() -> None:
    operator = UserFactory()
    link = failed(operator)
    race(open_follow_ups, open_follow_ups, open_follow_ups)
    item = FollowUp.objects.get(link=link)
    results = race(*[lambda: resend_follow_up(pk=item.pk, action_id=uuid4(), actor=operator)] * 3)
    assert len([result for result in results if isinstance(result, FollowUp)]) == 1
    assert SmsMessage.objects.filter(resend_of=link.message).count() == 1


def test_the_database_knows_that_done_has_an_outcome() -> None:
    item = item_of(failed(UserFactory()))
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        FollowUp.objects.filter(pk=item.pk).update(outcome="dictated")
    assert constraint_of(refused.value) == "calls_followup_done_has_outcome"
