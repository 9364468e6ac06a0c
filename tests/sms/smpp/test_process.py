"""What the process does with the database, without a centre."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction

from hotline.base import live
from sms.models import GatewayState, SmsMessage, SmsPart, SmsReceipt
from sms.smpp import pdus
from sms.smpp.answers import Receipt
from sms.smpp.handover import Limits
from sms.smpp.process import Process, keep_receipt
from sms.smpp.session import Centre
from tests.helpers import PATIENCE, free_port, run_loop
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


@pytest.mark.parametrize(
    ("words", "event"),
    [
        (b"id:7a stat:ENROUTE err:000", "smpp_receipt_without_news"),
        (b"id:7a stat:GONE_FISHING", "smpp_receipt_unreadable"),
        (b"Dear client, your message has come", "smpp_receipt_unreadable"),
    ],
)
def test_a_receipt_that_nobody_can_read_is_no_receipt_without_news(
    words: bytes, event: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Else a centre that is not understood at all looks as one whose messages are on their way."""
    caplog.set_level("INFO", "sms.smpp.process")
    process: Any = Process(Centre("127.0.0.1", 1, "hotline", "geheim"), Limits(1, 1, 1.0), grace=0)
    addresses = b"\0" + bytes((1, 1)) + b"79160000101\0" + bytes((5, 0)) + b"HOTLINE\0"
    body = addresses + bytes((4, 0, 0)) + b"\0\0" + bytes((0, 0, 0, 0, len(words))) + words
    assert run_loop(process._keep(pdus.Pdu(pdus.DELIVER_SM, 0, 1, body))) == pdus.ROK
    [record] = caplog.records
    assert isinstance(record.msg, dict)
    assert (record.msg["event"], words.decode() in str(record.msg)) == (event, False)


@pytest.mark.django_db(transaction=True)
def test_that_the_centre_can_not_be_bound_to_is_noted(settings: Any) -> None:
    settings.SMS_GATEWAYS = ["smpp"]

    async def bind() -> None:
        centre = Centre("127.0.0.1", free_port(), "hotline", "geheim", timeout=1)
        process: Any = Process(centre, Limits(1, 1, 1.0), grace=0)
        binding = asyncio.create_task(process._bind_for_ever())
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(noted):
                await asyncio.sleep(0.02)
        process._stop.set()
        await binding

    run_loop(bind())
    assert noted() == ["no_connection:ConnectionRefusedError"]


def noted() -> list[str]:
    found = list(GatewayState.objects.values_list("problem", flat=True))
    connection.close()
    return found


@pytest.mark.django_db(transaction=True)
def test_an_announced_message_wakes_it_and_nothing_else_does() -> None:
    """By LISTEN: the look every second and a half is for what nobody announced."""

    async def listen() -> list[str]:
        process: Any = Process(Centre("127.0.0.1", 1, "hotline", "geheim"), Limits(1, 1, 1.0), grace=0)
        woken: asyncio.Queue[None] = asyncio.Queue()
        process._handover = SimpleNamespace(wake=SimpleNamespace(set=lambda: woken.put_nowait(None)))
        listening = asyncio.create_task(process._listen())
        try:
            heard = []
            async with asyncio.timeout(PATIENCE):
                await woken.get()  # once it listens
                for topic in ("calls", "sms", "tickets", "sms"):
                    await asyncio.to_thread(announce, topic)
                    if topic == "sms":
                        await woken.get()
                        heard.append(topic)
            assert woken.empty()
            return heard
        finally:
            listening.cancel()

    assert run_loop(listen()) == ["sms", "sms"]


def announce(topic: str) -> None:
    with transaction.atomic():
        live.publish(topic=topic, pk=1)
    connection.close()
