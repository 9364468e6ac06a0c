"""What the process does with the database, without a centre."""

from __future__ import annotations

import pytest

from sms.models import SmsMessage, SmsPart, SmsReceipt
from sms.smpp.answers import Receipt
from sms.smpp.process import keep_receipt
from tests.sms.factories import message


@pytest.mark.django_db
def test_a_receipt_of_nothing_that_we_know_is_kept_and_has_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The gateway and the state, but no id, number or text."""
    caplog.set_level("INFO", "sms.smpp.process")
    known = message(SmsMessage.State.ACCEPTED, gateway="smpp")
    SmsPart.objects.create(message=known, seq=1, text=known.text, state="accepted", gateway_id="7a")
    keep_receipt(Receipt("7a", "delivered", ""))
    assert caplog.records == []
    keep_receipt(Receipt("7b", "undelivered", "network:5"))
    [record] = caplog.records
    assert isinstance(record.msg, dict)
    said = {name: value for name, value in record.msg.items() if name not in ("timestamp", "logger", "level")}
    assert said == {"event": "smpp_receipt_of_nothing", "gateway": "smpp", "state": "undelivered"}
    assert list(SmsReceipt.objects.values_list("gateway_id", flat=True)) == ["7a", "7b"]
