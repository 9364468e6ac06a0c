"""Each gateway through the verbs: queue, a real socket, the receipt back; who takes over, and who does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from hotline.base.errors import Invalid
from sms.actions import check_balances, check_status, claim, deliver, queue_message, settle, sweep
from sms.gateways.base import Accepted, NotSubmitted, Outcome, Rejected, Unknown
from sms.models import GatewayState, SmsMessage, SmsPart
from tests.sms.factories import MOBILE, message, person
from tests.sms.faults import Play, answers, faulty, hang_up, says
from tests.sms.gateways.cases import ACCOUNTS, SECRET, at
from tests.sms.gateways.test_callbacks import ANSWER, DELIVERED, SAYS, call

S = SmsMessage.State
NUMBER = MOBILE.removeprefix("+")

pytestmark = pytest.mark.django_db
each = pytest.mark.parametrize("name", ACCOUNTS)


@pytest.fixture(autouse=True)
def one_sender(settings: Any) -> None:
    settings.SMS_SENDERS = {}
    settings.SMS_CALLBACK_SECRET = SECRET


ACCEPTED: dict[str, tuple[Play, Decimal | None]] = {
    "smsc": (answers({"id": 12345, "cnt": 1, "cost": "4.1"}), Decimal("4.10")),
    "smsaero": (answers({"success": True, "data": {"id": 12345, "status": 0, "cost": 5.49}}), Decimal("5.49")),
    "smsru": (answers({"status_code": 100, "sms": {NUMBER: {"status_code": 100, "sms_id": "12345"}}}), None),
}
NO_MONEY: dict[str, Play] = {
    "smsc": answers({"error": "no money", "error_code": 3}),
    "smsaero": says("402 Payment Required", '{"success": false}'),
    "smsru": answers({"status": "ERROR", "status_code": 201}),
}
TAKEN_ALREADY: dict[str, Play] = {
    "smsc": answers({"error": "duplicate request", "error_code": 9}),
    "smsaero": hang_up,
    "smsru": answers({"status": "ERROR", "status_code": 231}),
}


def queued() -> SmsMessage:
    row = queue_message(action_id=uuid4(), to=MOBILE, text="Заявка №1", actor=person())
    assert row.state == S.QUEUED
    return row


def delivered_to(row: SmsMessage) -> SmsMessage:
    deliver(pk=row.pk)
    row.refresh_from_db()
    return row


def settled(row: SmsMessage, outcome: Outcome) -> None:
    claimed = claim(pk=row.pk)
    assert claimed
    settle(pk=row.pk, token=claimed.token, outcome=outcome)


# --- There and back ---------------------------------------------------------------------------------
@each
def test_from_the_queue_to_the_telephone(name: str, settings: Any) -> None:
    settings.SMS_GATEWAYS = [name]
    play, cost = ACCEPTED[name]
    with faulty(play) as (url, requests):
        at(name, url, settings)
        row = delivered_to(queued())
        assert (row.state, row.gateway, row.gateway_id, row.cost) == (S.ACCEPTED, name, "12345", cost)
        assert deliver(pk=row.pk) is None
    assert len(requests) == 1
    response = call(name, SAYS[name]("12345", DELIVERED[name]))
    assert (response.status_code, response.content) == (200, ANSWER[name])
    row.refresh_from_db()
    assert row.state == S.DELIVERED
    assert list(row.changes.values_list("to_state", flat=True)) == [S.QUEUED, S.SUBMITTING, S.ACCEPTED, S.DELIVERED]


# --- Who takes over ---------------------------------------------------------------------------------
ORDERS = [("smsc", "smsaero"), ("smsaero", "smsru"), ("smsru", "smsc")]


@pytest.mark.parametrize(("first", "second"), ORDERS)
def test_the_next_in_the_order_takes_what_the_first_did_not(first: str, second: str, settings: Any) -> None:
    settings.SMS_GATEWAYS = [first, second]
    with faulty(NO_MONEY[first]) as (one, asked), faulty(ACCEPTED[second][0]) as (other, taken):
        at(first, one, settings)
        at(second, other, settings)
        row = delivered_to(queued())
        assert (row.state, row.gateway, row.reason) == (S.QUEUED, second, "no_money")
        SmsMessage.objects.filter(pk=row.pk).update(not_before=Now())
        row = delivered_to(row)
    assert (row.state, row.gateway, row.attempts) == (S.ACCEPTED, second, 2)
    assert (len(asked), len(taken)) == (1, 1)


@pytest.mark.parametrize(("first", "second"), ORDERS)
def test_what_may_have_been_taken_stays(first: str, second: str, settings: Any) -> None:
    settings.SMS_GATEWAYS = [first, second]
    with faulty(TAKEN_ALREADY[first]) as (one, asked), faulty(ACCEPTED[second][0]) as (other, taken):
        at(first, one, settings)
        at(second, other, settings)
        row = delivered_to(queued())
        assert (row.state, row.gateway) == (S.UNKNOWN, first)
        assert deliver(pk=row.pk) is None
    assert (len(asked), len(taken)) == (1, 0)


# --- What is unknown --------------------------------------------------------------------------------
def test_smsc_is_asked_by_our_reference(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smsc"]
    with faulty(TAKEN_ALREADY["smsc"], answers({"status": 1, "err": 0, "cost": "4.10"})) as (url, requests):
        at("smsc", url, settings)
        row = delivered_to(queued())
        assert row.reason == "probably_accepted"
        assert row.check_after is not None
        check_status(pk=row.pk)
    row.refresh_from_db()
    assert (row.state, row.gateway_id, row.cost) == (S.DELIVERED, str(row.action_id), Decimal("4.10"))
    assert [request.path for request in requests] == ["/rest/send/", "/sys/status.php"]


def aero_list(row: SmsMessage, **fields: Any) -> Play:
    entry = {"id": 12345, "number": NUMBER, "text": row.text, "status": 1, "cost": "5.49", **fields}
    entry.setdefault("dateCreate", int(datetime.now(UTC).timestamp()))
    return answers({"success": True, "data": {"0": entry, "totalCount": 1}})


def searched(row: SmsMessage, play: Play, settings: Any) -> SmsMessage:
    with faulty(play) as (url, requests):
        at("smsaero", url, settings)
        check_status(pk=row.pk)
    assert [request.path for request in requests] == ["/sms/list"]
    row.refresh_from_db()
    return row


def test_sms_aero_is_searched(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smsaero"]
    with faulty(hang_up) as (url, _):
        at("smsaero", url, settings)
        row = delivered_to(queued())
    assert row.state == S.UNKNOWN
    assert row.check_after is not None
    row = searched(row, aero_list(row), settings)
    assert (row.state, row.gateway_id, row.cost) == (S.DELIVERED, "12345", Decimal("5.49"))


def test_what_sms_aero_has_of_another_message_is_not_this_one(settings: Any) -> None:
    earlier = message(S.ACCEPTED, gateway="smsaero", gateway_id="12345")
    row = message(S.UNKNOWN, gateway="smsaero", text=earlier.text)
    assert searched(row, aero_list(row), settings).state == S.UNKNOWN
    earlier.refresh_from_db()
    assert earlier.state == S.ACCEPTED


def test_what_sms_aero_took_on_another_day_is_not_this_one(settings: Any) -> None:
    row = message(S.UNKNOWN, gateway="smsaero")
    yesterday = int((datetime.now(UTC) - timedelta(days=1)).timestamp())
    row = searched(row, aero_list(row, dateCreate=yesterday), settings)
    assert (row.state, row.gateway_id) == (S.UNKNOWN, "")


def test_sms_ru_can_not_be_asked_without_its_id(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smsru"]
    with faulty(TAKEN_ALREADY["smsru"]) as (url, _):
        at("smsru", url, settings)
        row = delivered_to(queued())
    assert (row.state, row.reason, row.check_after) == (S.UNKNOWN, "probably_accepted", None)


# --- What the same gateway says of another attempt --------------------------------------------------
def paused(row: SmsMessage) -> int:
    row.refresh_from_db()
    assert row.state == S.QUEUED
    return round((row.not_before - row.state_changed_at).total_seconds())


@pytest.mark.parametrize(
    ("order", "outcome", "goes_to", "seconds"),
    [
        # the same gateway again: not what it has seen a minute ago
        (["smsc"], NotSubmitted("no_money", is_down=True), "smsc", 65),
        (["smsc"], NotSubmitted("throttled", timedelta(seconds=7), is_down=True), "smsc", 65),
        (["smsc"], NotSubmitted("throttled", timedelta(minutes=7), is_down=True), "smsc", 420),
        # it has seen nothing
        (["smsc"], NotSubmitted("no_connection:ConnectError", is_down=True, saw_nothing=True), "smsc", 2),
        (["smsc"], NotSubmitted("too_late", saw_nothing=True), "smsc", 2),
        (["smsru"], NotSubmitted("no_money", is_down=True), "smsru", 2),
        # another one: at once
        (["smsc", "smsru"], NotSubmitted("throttled", timedelta(minutes=7), is_down=True), "smsru", 2),
        (["smsru", "smsc"], NotSubmitted("no_money", is_down=True), "smsc", 2),
    ],
)
def test_how_long_it_waits(order: list[str], outcome: NotSubmitted, goes_to: str, seconds: int, settings: Any) -> None:
    settings.SMS_GATEWAYS = order
    row = message(gateway=order[0])
    settled(row, outcome)
    assert (paused(row), row.gateway) == (seconds, goes_to)


def test_when_the_order_comes_round_to_smsc_again_it_waits_as_well(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smsc", "smsru"]
    row = message(gateway="smsc")
    for goes_to, seconds in (("smsru", 2), ("smsc", 65), ("smsru", 8)):
        settled(row, NotSubmitted("no_connection:ConnectError" if goes_to == "smsc" else "no_money", is_down=True))
        assert (paused(row), row.gateway) == (seconds, goes_to)
        SmsMessage.objects.filter(pk=row.pk).update(not_before=Now())


def late_word(row: SmsMessage, status: str = "24") -> SmsMessage:
    assert call("smsc", SAYS["smsc"](str(row.action_id), status)).status_code == 200
    row.refresh_from_db()
    return row


@pytest.fixture
def turned_away(settings: Any) -> SmsMessage:
    """SMSC knows each attempt by the same id, our reference."""
    settings.SMS_GATEWAYS = ["smsc"]
    row = message(gateway="smsc")
    settled(row, NotSubmitted("no_money", is_down=True))
    SmsMessage.objects.filter(pk=row.pk).update(not_before=Now())
    return row


def test_a_late_word_about_an_attempt_that_was_turned_away_ends_nothing(turned_away: SmsMessage) -> None:
    row = late_word(turned_away)
    assert (row.state, row.gateway_id) == (S.QUEUED, "")
    settled(row, Accepted(str(row.action_id)))
    row.refresh_from_db()
    assert row.state == S.ACCEPTED


def test_nor_while_the_next_attempt_is_under_way(turned_away: SmsMessage) -> None:
    row = turned_away
    claimed = claim(pk=row.pk)
    assert claimed
    assert late_word(row).state == S.SUBMITTING
    settle(pk=row.pk, token=claimed.token, outcome=Accepted(str(row.action_id)))
    row.refresh_from_db()
    assert row.state == S.ACCEPTED


@pytest.mark.parametrize(("told", "state"), [(1, S.DELIVERED), (24, S.REJECTED)])
def test_nor_afterwards_but_smsc_is_asked(turned_away: SmsMessage, told: int, state: str, settings: Any) -> None:
    row = turned_away
    settled(row, Accepted(str(row.action_id)))
    SmsMessage.objects.filter(pk=row.pk).update(check_after=Now() + timedelta(minutes=9))
    row = late_word(row)
    assert row.state == S.ACCEPTED
    assert row.check_after is not None
    assert row.check_after - row.state_changed_at < timedelta(minutes=1)
    with faulty(answers({"status": told, "err": 0})) as (url, _):
        at("smsc", url, settings)
        check_status(pk=row.pk)
    row.refresh_from_db()
    assert row.state == state


def test_a_failure_of_a_first_attempt_is_believed(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smsc"]
    row = message(gateway="smsc")
    settled(row, Accepted(str(row.action_id)))
    assert late_word(row).state == S.REJECTED


# --- What is too long for a gateway -----------------------------------------------------------------
LATIN, CYRILLIC = "a" * 641, "я" * (8 * 67 + 1)


@pytest.mark.parametrize(
    ("text", "order", "goes_to"),
    [
        ("a" * 640, ["smsaero", "smsc"], "smsaero"),
        (LATIN, ["smsaero", "smsc"], "smsc"),
        ("я" * (8 * 67), ["smsru", "smsaero"], "smsru"),
        (CYRILLIC, ["smsru", "smsaero"], "smsaero"),
        ("a" * 1001, ["smsc", "smsaero", "smsru"], "smsru"),
        ("a" * 1001, ["smsc", "development"], "development"),
        (CYRILLIC, ["smsru"], None),
        ("a" * 1300, ["smsc", "smsaero", "smsru"], None),
    ],
)
def test_a_gateway_that_takes_no_such_text_is_passed_over(
    text: str, order: list[str], goes_to: str | None, settings: Any
) -> None:
    settings.SMS_GATEWAYS = order
    if goes_to is None:
        with pytest.raises(Invalid) as refused:
            queue_message(action_id=uuid4(), to=MOBILE, text=text, actor=person())
        assert (refused.value.code, refused.value.field) == ("too_long", "text")
    else:
        assert queue_message(action_id=uuid4(), to=MOBILE, text=text, actor=person()).gateway == goes_to


def test_nor_does_it_take_over_or_get_what_is_stranded(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smsc", "smsaero"]
    row = message(gateway="smsc", text=LATIN)
    settled(row, NotSubmitted("no_money", is_down=True))
    stranded = message(gateway="pigeon", text=LATIN)
    sweep()
    for each_row in (row, stranded):
        each_row.refresh_from_db()
        assert each_row.gateway == "smsc"


def test_what_no_gateway_takes_any_more_comes_to_an_end_that_somebody_hears_of(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smsaero"]
    stranded, behind_it = message(gateway="pigeon", text=LATIN), message(gateway="pigeon")
    sweep()
    stranded.refresh_from_db()
    behind_it.refresh_from_db()
    assert (stranded.state, stranded.reason) == (S.REJECTED, "too_long")
    assert behind_it.gateway == "smsaero"


def test_the_rest_of_one_in_parts_waits_an_hour_for_its_gateway_to_come_back(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smsc"]
    row = message(gateway="smpp", text="я" * 100)
    SmsPart.objects.create(message=row, seq=1, text="я" * 67, state="accepted", gateway_id="7")
    rest = SmsPart.objects.create(message=row, seq=2, text="я" * 33)
    sweep()
    row.refresh_from_db()
    assert (row.state, row.gateway) == (S.QUEUED, "smpp")
    SmsMessage.objects.update(not_before=Now() - timedelta(minutes=61))
    sweep()
    row.refresh_from_db()
    rest.refresh_from_db()
    assert (row.state, row.reason, rest.state, rest.reason) == (
        S.UNDELIVERED,
        "never_sent",
        "undelivered",
        "never_sent",
    )


def test_where_sms_are_switched_off_nothing_is_ended(settings: Any) -> None:
    settings.SMS_GATEWAYS = []
    row = message(gateway="smsc", text=LATIN)
    SmsMessage.objects.update(state_changed_at=Now() - timedelta(minutes=61))
    sweep()
    row.refresh_from_db()
    assert row.state == S.QUEUED


# --- How a gateway is found ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (NotSubmitted("bad_credentials", is_down=True), "bad_credentials"),
        (NotSubmitted("no_money", is_down=True), "no_money"),
        (NotSubmitted("no_connection:ConnectError", is_down=True), "no_connection:ConnectError"),
        (Unknown("no_answer:ReadTimeout"), "no_answer:ReadTimeout"),
        (Unknown("http_500"), "http_500"),
        # what is no news of the gateway leaves what was known
        (NotSubmitted("too_late"), "no_balance"),
        (Unknown("probably_accepted"), "no_balance"),
        (Accepted("1"), ""),
        (Rejected("invalid_destination"), ""),
    ],
)
def test_what_is_wrong_with_it(outcome: Outcome, problem: str) -> None:
    GatewayState.objects.create(name="development", problem="no_balance", problem_at=Now())
    row = message()
    settled(row, outcome)
    found = GatewayState.objects.get()
    assert (found.problem, found.problem_at is not None) == (problem, bool(problem))


def test_since_when_the_same_is_wrong() -> None:
    since = []
    for _ in range(2):
        row = message()
        settled(row, NotSubmitted("no_money", is_down=True))
        since.append(GatewayState.objects.get().problem_at)
    assert since[0] == since[1] is not None


@pytest.mark.parametrize(("problem", "left"), [("bad_credentials", ""), ("no_balance", ""), ("no_money", "no_money")])
def test_a_balance_that_is_told_shows_that_it_knows_us_and_not_that_it_sends(
    problem: str, left: str, settings: Any
) -> None:
    settings.SMS_GATEWAYS = ["smsc"]
    GatewayState.objects.create(name="smsc", problem=problem, problem_at=Now())
    with faulty(answers({"balance": "1.45"})) as (url, _):
        at("smsc", url, settings)
        check_balances()
    assert GatewayState.objects.get().problem == left


# --- Money ------------------------------------------------------------------------------------------
def test_balances(settings: Any) -> None:
    settings.SMS_GATEWAYS = list(ACCOUNTS)
    with (
        faulty(answers({"balance": "123.45"})) as (smsc, _),
        faulty(answers({"success": True, "data": {"balance": 337.03}})) as (smsaero, _),
        faulty(says("500 Oops")) as (smsru, _),
    ):
        for name, url in {"smsc": smsc, "smsaero": smsaero, "smsru": smsru}.items():
            at(name, url, settings)
        assert check_balances() == {"smsc": "123.45", "smsaero": "337.03", "smsru": ""}
    assert list(GatewayState.objects.values_list("name", "balance", "problem")) == [
        ("smsaero", Decimal("337.03"), ""),
        ("smsc", Decimal("123.45"), ""),
        ("smsru", None, "no_balance"),
    ]
