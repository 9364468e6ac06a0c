"""Which gateway a message goes to: by its sender, in the order of the settings; the next takes over only what the one
before surely did not get."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from hotline.base.errors import Invalid
from sms.actions import claim, queue_message, settle, sweep
from sms.gateways import routing
from sms.gateways.base import NotSubmitted, Unknown
from sms.models import SmsMessage
from tests.sms.factories import MOBILE, message, person, template

S = SmsMessage.State


@pytest.fixture(autouse=True)
def order(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smsc", "smsru"]
    settings.SMS_SENDER = "HOTLINE"
    settings.SMS_SENDERS = {"VESTRA": ["smsru"], "GHOST": ["pigeon"]}


@pytest.mark.parametrize(
    ("sender", "gateway", "following"),
    [
        ("HOTLINE", "smsc", "smsru"),
        ("HOTLINE", "smsru", "smsc"),
        ("HOTLINE", "development", "smsc"),  # of another configuration
        ("VESTRA", "smsru", "smsru"),
        ("unknown", "smsc", "smsru"),
        ("GHOST", "smsc", ""),
    ],
)
def test_who_comes_next(sender: str, gateway: str, following: str) -> None:
    assert routing.after(sender, gateway) == following


def test_the_names_that_a_client_may_see(settings: Any) -> None:
    assert routing.senders() == ["HOTLINE", "VESTRA", "GHOST"]
    assert routing.in_use() == ["smsc", "smsru"]
    assert routing.is_on()
    settings.SMS_GATEWAYS = []
    assert not routing.is_on()


@pytest.mark.django_db
def test_a_message_is_born_with_its_gateway() -> None:
    operator = person()
    usual = queue_message(action_id=uuid4(), to=MOBILE, text="Заявка", actor=operator)
    of_brand = queue_message(action_id=uuid4(), to=MOBILE, text="Заявка", sender="VESTRA", actor=operator)
    by_template = queue_message(
        action_id=uuid4(), to=MOBILE, text="Заявка", template=template(sender="VESTRA"), actor=operator
    )
    assert [(row.sender, row.gateway) for row in (usual, of_brand, by_template)] == [
        ("HOTLINE", "smsc"), ("VESTRA", "smsru"), ("VESTRA", "smsru"),
    ]  # fmt: skip
    with pytest.raises(Invalid) as refused:
        queue_message(action_id=uuid4(), to=MOBILE, text="Заявка", sender="NOBODY", actor=operator)
    assert (refused.value.code, refused.value.field) == ("unknown_sender", "sender")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("outcome", "gateway", "state"),
    [
        (NotSubmitted("no_connection", is_down=True), "smsru", S.QUEUED),
        (NotSubmitted("throttled"), "smsc", S.QUEUED),
        (Unknown("no_answer"), "smsc", S.UNKNOWN),
    ],
)
def test_only_what_surely_was_not_taken_moves_on(outcome: Any, gateway: str, state: str) -> None:
    row = message(gateway="smsc")
    claimed = claim(pk=row.pk)
    assert claimed is not None
    settle(pk=row.pk, token=claimed.token, outcome=outcome)
    row.refresh_from_db()
    assert (row.gateway, row.state) == (gateway, state)


@pytest.mark.django_db
def test_what_waits_for_a_gateway_that_is_gone_goes_to_the_first(enqueued: list[tuple[str, int]]) -> None:
    stranded, unknown = message(gateway="development"), message(S.UNKNOWN, gateway="development")
    sweep()
    for row, gateway in ((stranded, "smsc"), (unknown, "development")):
        row.refresh_from_db()
        assert row.gateway == gateway
