"""What the outbox knows of SMPP: it is handed over by a process, and its settings are judged at start."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from hotline.base.heartbeats import beat
from hotline.base.models import Heartbeat
from sms import checks, gateways
from sms.gateways.base import Submission
from sms.gateways.smpp import SmppGateway

GOOD = {
    "SMS_GATEWAYS": ["smpp"],
    "SMPP_HOST": "127.0.0.1",
    "SMPP_PORT": 2775,
    "SMPP_TLS": False,
    "SMPP_SYSTEM_ID": "hotline",
    "SMPP_PASSWORD": "geheim",
    "SMPP_SYSTEM_TYPE": "",
    "SMPP_WINDOW": 10,
    "SMPP_PER_SECOND": 10,
    "SMPP_RECEIPT_IDS": "same",
}


@pytest.fixture(autouse=True)
def _good(settings: Any) -> None:
    for name, value in GOOD.items():
        setattr(settings, name, value)


def found() -> list[str]:
    return [str(message.id) for message in SmppGateway().check_config()]


def test_it_is_known_by_its_name_and_has_a_process_of_its_own() -> None:
    gateway = gateways.by_name("smpp")
    assert isinstance(gateway, SmppGateway)
    able = gateway.capabilities
    assert (able.own_process, able.status_by_id, able.status_by_reference, able.callback) == (True, False, False, False)


def test_a_task_can_t_hand_over_by_it() -> None:
    with pytest.raises(NotImplementedError, match="manage.py smpp"):
        SmppGateway().submit(Submission(uuid4(), "+79160000101", "Hi", "HOTLINE"))


def test_good_settings() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SMPP_HOST", "", "sms.E040"),
        ("SMPP_PORT", 0, "sms.E040"),
        ("SMPP_PORT", 70000, "sms.E040"),
        ("SMPP_SYSTEM_ID", "", "sms.E041"),
        ("SMPP_SYSTEM_ID", "x" * 16, "sms.E041"),
        ("SMPP_SYSTEM_ID", "линия", "sms.E041"),
        ("SMPP_PASSWORD", "", "sms.E042"),
        ("SMPP_PASSWORD", "a\0b", "sms.E042"),
        ("SMPP_SYSTEM_TYPE", "x" * 13, "sms.E043"),
        ("SMPP_WINDOW", 0, "sms.E044"),
        ("SMPP_WINDOW", 1001, "sms.E044"),
        ("SMPP_PER_SECOND", 0, "sms.E045"),
        ("SMPP_RECEIPT_IDS", "hex", "sms.E046"),
        ("SMS_SENDER", "ГОРЯЧАЯ", "sms.E047"),
        ("SMS_SENDERS", {"TWELVECHARSX": ["smpp"]}, "sms.E047"),
        ("SMPP_HOST", "smpp.example.org", "sms.W049"),
    ],
)
def test_bad_settings(settings: Any, name: str, value: Any, message: str) -> None:
    setattr(settings, name, value)
    assert found() == [message]


def test_what_is_as_good(settings: Any) -> None:
    settings.SMS_SENDERS = {"Отдельный": ["smsc"]}  # does not go through here
    settings.SMPP_HOST, settings.SMPP_TLS = "smpp.example.org", True
    settings.SMPP_PASSWORD = "x" * 64
    assert found() == []
    settings.SMPP_HOST, settings.SMPP_TLS = "10.1.2.3", False
    assert found() == []


def test_the_command_says_why_it_does_not_run(settings: Any) -> None:
    settings.SMS_GATEWAYS = []
    with pytest.raises(CommandError, match="does not name smpp"):
        call_command("smpp", stdout=StringIO())
    settings.SMS_GATEWAYS = ["smpp"]
    with pytest.raises(CommandError, match="--silence"):
        call_command("smpp", "--silence", "0")


@pytest.mark.django_db
def test_the_command_refuses_bad_settings(settings: Any) -> None:
    settings.SMPP_PASSWORD = ""
    with pytest.raises(CommandError, match=r"sms\.E042"):
        call_command("smpp")


@pytest.mark.django_db
def test_readyz_misses_a_link_that_is_down(client: Any) -> None:
    def link() -> Any:
        part = client.get("/readyz").json()["parts"]["smpp_link"]
        return part["ready"], part.get("heartbeat", part.get("heartbeat_age_s"))

    assert link() == (False, "never")
    beat("smpp")
    assert link() == (True, 0)
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=46))
    assert link() == (False, 46)


@pytest.mark.django_db
@pytest.mark.parametrize("why", ["no sender uses it", "the outbox of a restored copy is held"])
def test_readyz_does_not_ask_for_a_link_that_may_not_be(
    client: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "no sender uses it":
        settings.SMS_GATEWAYS = ["development"]
    else:
        monkeypatch.setattr(checks, "is_held", lambda: True)
    assert "smpp_link" not in client.get("/readyz").json()["parts"]
