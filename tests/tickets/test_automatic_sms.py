"""«The state of your request changed»: only where a supervisor switched it on, not in the night, and never outdated."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.test import Client as Browser
from django.utils import timezone

from sms import reference
from sms.actions import claim, opt_out, settle, sweep
from sms.gateways.base import NotSubmitted
from sms.models import SmsMessage, SmsTemplate
from sms.segments import count
from sms.templating import render
from tests.factories import AppealFactory, SmsTemplateFactory, UserFactory, center, city
from tests.helpers import assert_same_query_count
from tickets.actions import accept_assignment, assign_center, change_state, end_assignment, resend
from tickets.journal import worded
from tickets.models import Appeal, AppealEvent, AppealMessage, AutomaticSms

pytestmark = pytest.mark.django_db
NUMBER = "+79160000101"
State, S = Appeal.State, SmsMessage.State


@pytest.fixture(autouse=True)
def _no_quiet_hours(settings: Any) -> None:
    settings.SMS_QUIET_HOURS = ""


def rule(state: str = State.IN_WORK, text: str = "Заявка №{appeal_number}: {appeal_state}.", **fields: Any) -> None:
    template = SmsTemplateFactory(moment=SmsTemplate.Moment.STATUS_CHANGED, text=text)
    AutomaticSms.objects.create(**{"state": state, "template_code": template.code, "is_on": True, **fields})


def request_(**fields: Any) -> Appeal:
    appeal: Appeal = AppealFactory(**{"assigned": True, "phone": NUMBER, **fields})
    return appeal


def sent(appeal: Appeal) -> list[tuple[str, str]]:
    links = AppealMessage.objects.filter(appeal=appeal).order_by("pk").select_related("message")
    return [(link.message.text, link.message.state) for link in links]


def skipped(appeal: Appeal) -> list[str]:
    entries = AppealEvent.objects.filter(appeal=appeal, code=AppealEvent.Code.SMS_SKIPPED).order_by("pk")
    return [entry.data["reason"] for entry in entries]


def test_nothing_is_sent_until_somebody_switches_it_on() -> None:
    rule(is_on=False)
    appeal = request_()
    change_state(appeal_id=appeal.pk, state=State.IN_WORK, actor=UserFactory())
    assert (sent(appeal), skipped(appeal)) == ([], [])


def test_the_client_is_told_once_of_each_change() -> None:
    rule(State.ACCEPTED)
    rule(State.DONE)
    appeal, actor = request_(), UserFactory()
    accept_assignment(appeal_id=appeal.pk, actor=actor)
    accept_assignment(appeal_id=appeal.pk, actor=actor)
    SmsMessage.objects.update(state=S.SUBMITTING, attempt_token="0" * 32, lease_until=timezone.now())
    end_assignment(appeal_id=appeal.pk, outcome="completed", actor=actor)
    assert sent(appeal) == [
        (f"Заявка №{appeal.number}: принято АСЦ.", S.SUBMITTING),
        (f"Заявка №{appeal.number}: выполнено.", S.QUEUED),
    ]
    link = AppealMessage.objects.filter(appeal=appeal).latest("pk")
    assert (link.purpose, link.message.requested_by, link.message.to) == ("status", actor, NUMBER)


def test_the_journal_says_that_nobody_sent_it() -> None:
    rule()
    appeal, actor = request_(), UserFactory()
    change_state(appeal_id=appeal.pk, state=State.IN_WORK, actor=actor)
    first = AppealMessage.objects.get(appeal=appeal)
    message = SmsMessage.objects.filter(pk=first.message_id)
    message.update(state=S.SUBMITTING, attempt_token="0" * 32, lease_until=timezone.now())
    message.update(state=S.REJECTED)
    resend(message_id=first.message_id, action_id=uuid4(), actor=actor)
    again = AppealMessage.objects.latest("pk")
    assert (first.is_automatic, again.is_automatic) == (True, False)
    entries = AppealEvent.objects.filter(appeal=appeal, code=AppealEvent.Code.SMS_QUEUED).order_by("pk")
    assert [entry.words for entry in worded(list(entries))] == [  # type: ignore[attr-defined]
        "автоматическое, состояние заявки", "состояние заявки",
    ]  # fmt: skip


def test_given_to_another_centre_is_a_change_too() -> None:
    rule(State.ASSIGNED, "Заявка №{appeal_number}: мастер из {center_name}.")
    appeal = AppealFactory(repair=True, phone=NUMBER)
    assign_center(appeal_id=appeal.pk, service_center=center("Казань-Сервис"), actor=UserFactory())
    assert sent(appeal) == [(f"Заявка №{appeal.number}: мастер из Казань-Сервис.", S.QUEUED)]


def test_a_consultation_is_no_request() -> None:
    rule(State.CANCELLED)
    appeal = AppealFactory(phone=NUMBER)
    change_state(appeal_id=appeal.pk, state=State.CANCELLED, actor=UserFactory())
    assert (sent(appeal), skipped(appeal)) == ([], [])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"phone": "+77010000101"}, "not_russian"),
        ({"phone": ""}, "empty"),
        ({"phone": "+74950000101"}, "fixed_line"),
    ],
)
def test_why_the_machine_kept_silent_is_in_the_journal(fields: dict[str, Any], reason: str) -> None:
    rule()
    appeal = request_(**fields)
    change_state(appeal_id=appeal.pk, state=State.IN_WORK, actor=UserFactory())
    assert (sent(appeal), skipped(appeal)) == ([], [reason])


def test_neither_against_the_clients_will_nor_half_a_sentence() -> None:
    rule(State.IN_WORK)
    rule(State.DONE, "Заявка №{appeal_number}, {brand}")
    appeal, actor = request_(brand=None), UserFactory()
    opt_out(number=NUMBER, actor=actor)
    change_state(appeal_id=appeal.pk, state=State.IN_WORK, actor=actor)
    change_state(appeal_id=appeal.pk, state=State.DONE, actor=actor)
    assert skipped(appeal) == ["opted_out", "opted_out"]
    other = request_(brand=None, phone="+79160000102")
    change_state(appeal_id=other.pk, state=State.IN_WORK, actor=actor)
    change_state(appeal_id=other.pk, state=State.DONE, actor=actor)
    assert skipped(other) == ["nothing_to_send"]
    assert len(sent(other)) == 1


def test_a_number_that_seems_to_block_us_is_left_in_peace() -> None:
    rule()
    for _ in range(3):
        SmsMessage.objects.create(
            action_id=f"{_}" * 32, to=NUMBER, text="-", state=S.UNDELIVERED, gateway="development", gateway_id="1"
        )
    appeal = request_()
    change_state(appeal_id=appeal.pk, state=State.IN_WORK, actor=UserFactory())
    assert skipped(appeal) == ["probably_blocked"]


def test_the_state_that_comes_along_as_a_template_is_news_in_one_sms() -> None:
    reference.load()
    template = SmsTemplate.objects.get(code="request-state")
    values = {"appeal_number": "2600901", "appeal_state": str(State.ACCEPTED.label)}
    assert render(template, values) == "По заявке № 2600901 новый статус: «принято АСЦ»."
    for state in State.labels:
        assert count(render(template, {**values, "appeal_state": str(state)})).count == 1


# --- Quiet hours ------------------------------------------------------------------------------------
def always_quiet_until(settings: Any, zone_hour: int) -> None:
    """Quiet hours that are on at any moment: they end when this hour begins in the client's city."""
    settings.SMS_QUIET_HOURS = f"{zone_hour:02}:01-{zone_hour:02}:00"


def test_it_waits_for_the_morning_of_the_clients_city(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SMS_QUIET_HOURS = "21:00-09:00"
    night = datetime.fromisoformat("2026-11-25T16:30:00+03:00")  # half past eleven in the night at Vladivostok
    monkeypatch.setattr("sms.quiet.timezone.now", lambda: night)
    rule()
    far = city("Владивосток")
    type(far).objects.filter(pk=far.pk).update(timezone="Asia/Vladivostok")
    far.refresh_from_db()
    there, here = request_(city=far), request_(phone="+79160000102")
    for appeal in (there, here):
        change_state(appeal_id=appeal.pk, state=State.IN_WORK, actor=UserFactory())
    waiting = AppealMessage.objects.get(appeal=there).message
    assert waiting.not_before == datetime.fromisoformat("2026-11-26T09:00:00+10:00")
    assert (waiting.state, waiting.reason, waiting.enqueued_at) == (S.QUEUED, "quiet_hours", None)
    at_once = AppealMessage.objects.get(appeal=here).message
    assert (at_once.reason, at_once.enqueued_at is not None) == ("", True)


def test_what_waits_for_the_morning_and_is_outdated_by_then_is_withdrawn(settings: Any) -> None:
    always_quiet_until(settings, (timezone.localtime() + timedelta(hours=2)).hour)
    rule(State.IN_WORK)
    rule(State.DONE)
    appeal, actor = request_(), UserFactory()
    change_state(appeal_id=appeal.pk, state=State.IN_WORK, actor=actor)
    change_state(appeal_id=appeal.pk, state=State.DONE, actor=actor)
    assert [state for _text, state in sent(appeal)] == [S.WITHDRAWN, S.QUEUED]
    first = AppealMessage.objects.filter(appeal=appeal).earliest("pk").message
    assert first.reason == "outdated"


def test_what_is_outdated_while_it_is_handed_over_goes_no_further_if_it_comes_back() -> None:
    rule(State.IN_WORK)
    rule(State.DONE)
    appeal, actor = request_(), UserFactory()
    change_state(appeal_id=appeal.pk, state=State.IN_WORK, actor=actor)
    first = AppealMessage.objects.get(appeal=appeal).message
    claimed = claim(pk=first.pk)
    assert claimed
    change_state(appeal_id=appeal.pk, state=State.DONE, actor=actor)
    settle(pk=first.pk, token=claimed.token, outcome=NotSubmitted("throttled"))
    sweep()
    assert [state for _text, state in sent(appeal)] == [S.WITHDRAWN, S.QUEUED]


def test_a_template_of_another_kind_of_appeal_is_not_sent() -> None:
    moment = SmsTemplate.Moment.STATUS_CHANGED
    SmsTemplateFactory(moment=moment, text="Монтажник по заявке {appeal_number} выехал.", kind="installation")
    rule()
    AutomaticSms.objects.update(template_code=SmsTemplate.objects.get(kind="installation").code)
    repair, installation = request_(kind="repair"), request_(kind="installation", phone="+79160000109")
    for appeal in (repair, installation):
        change_state(appeal_id=appeal.pk, state=State.IN_WORK, actor=UserFactory())
    assert [text.split()[0] for text, _ in sent(repair)] == ["Заявка"]
    assert [text.split()[0] for text, _ in sent(installation)] == ["Монтажник"]


# --- The rule in the back office --------------------------------------------------------------------
def test_a_rule_names_a_template_that_is_made_for_it() -> None:
    contacts = SmsTemplateFactory(contacts=True)
    for code in (contacts.code, "none"):
        with pytest.raises(ValidationError) as refused:
            AutomaticSms(state=State.DONE, template_code=code).full_clean()
        assert "template_code" in refused.value.error_dict


def test_a_supervisor_switches_it_on(client: Browser) -> None:
    template = SmsTemplateFactory(moment=SmsTemplate.Moment.STATUS_CHANGED, text="№{appeal_number}: {appeal_state}")
    supervisor = UserFactory(supervisor=True)
    client.force_login(supervisor, backend="hotline.operators.backends.RoleBackend")
    answer = client.post(
        "/admin/tickets/automaticsms/add/", {"state": "done", "template_code": template.code, "is_on": "on"}
    )
    assert answer.status_code == 302
    made = AutomaticSms.objects.get()
    assert (made.state, made.template_code, made.is_on) == ("done", template.code, True)
    assert made.history.latest("pgh_id").pgh_context.metadata["actor"] == supervisor.pk


@pytest.fixture
def office(client: Browser) -> Browser:
    client.force_login(UserFactory(supervisor=True), backend="hotline.operators.backends.RoleBackend")
    return client


RULES = "/admin/tickets/automaticsms/"


def test_the_list_names_templates_and_is_a_plural(office: Browser) -> None:
    rule()
    SmsTemplate.objects.filter(is_current=True).update(is_current=False)
    rule(State.DONE)
    named = SmsTemplate.objects.current().get()
    page = office.get(RULES).content.decode()
    assert page.index("такого шаблона больше нет") < page.index(named.name)
    assert named.code not in page
    assert "Автоматические СМС" in page
    assert "Заявка перешла в состояние" in page


def test_growth_of_the_list(office: Browser) -> None:
    states = iter(AutomaticSms.STATES)
    assert_same_query_count(lambda n: [rule(next(states)) for _ in range(n)], lambda: office.get(RULES), many=5)


def test_there_is_one_rule_a_state_and_none_is_deleted(office: Browser) -> None:
    template = SmsTemplateFactory(moment=SmsTemplate.Moment.STATUS_CHANGED)
    for state in AutomaticSms.STATES[1:]:
        AutomaticSms.objects.create(state=state, template_code=template.code)
    form = office.get(f"{RULES}add/").content.decode()
    assert 'value="assigned"' in form
    assert 'value="done"' not in form  # it has its rule
    filled = {"state": "assigned", "template_code": template.code}
    assert office.post(f"{RULES}add/", {**filled, "state": "done"}).status_code == 200
    assert office.post(f"{RULES}add/", filled).status_code == 302
    # The set is whole: nothing to add, and nothing is taken away.
    assert office.get(f"{RULES}add/").status_code == 403
    assert f'href="{RULES}add/"' not in office.get(RULES).content.decode()
    made = AutomaticSms.objects.get(state="assigned")
    assert office.post(f"{RULES}{made.pk}/delete/", {"post": "yes"}).status_code == 403
    office.post(RULES, {"action": "delete_selected", "_selected_action": [made.pk], "post": "yes"})
    # A rule keeps its state.
    office.post(f"{RULES}{made.pk}/change/", {**filled, "state": "done", "is_on": "on"})
    made.refresh_from_db()
    assert (made.state, made.is_on) == ("assigned", True)
    assert AutomaticSms.objects.count() == len(AutomaticSms.STATES)


@pytest.mark.parametrize("code", ["", "odd"])
def test_what_is_wrong_is_said_once(office: Browser, code: str) -> None:
    rule()
    made = AutomaticSms.objects.get()
    SmsTemplate.objects.filter(is_current=True).update(is_current=False)
    answer = office.post(f"{RULES}{made.pk}/change/", {"template_code": code})
    assert answer.status_code == 200
    assert len(answer.context["adminform"].form.errors["template_code"]) == 1
    assert answer.context["adminform"].form.non_field_errors() == []
