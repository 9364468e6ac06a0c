"""The fragments (state, segments), the demo's page, the checks and what /readyz says of the outbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from hotline.operators.models import User
from sms import checks, segments
from sms.actions import deliver
from sms.gateways.development_server import DevelopmentServer
from sms.models import SmsMessage
from tests.helpers import count_queries, free_port
from tests.sms.factories import message, person, template

HTMX = {"HX-Request": "true"}


@pytest.fixture
def anna(db: None) -> User:
    return person()


@pytest.fixture
def desk(anna: User) -> Client:
    client = Client()
    client.force_login(anna, backend="hotline.operators.backends.RoleBackend")
    return client


# --- State ------------------------------------------------------------------------------------------
STATES = [
    ("queued", "в очереди", True),
    ("submitting", "передаётся шлюзу", True),
    ("accepted", "принято шлюзом", True),
    ("unknown", "неизвестно, дошло ли", True),
    ("delivered", "доставлено", False),
    ("undelivered", "не доставлено", False),
    ("expired", "срок доставки истёк", False),
    ("rejected", "отклонено шлюзом", False),
    ("dictated", "продиктовано", False),
]


@pytest.mark.parametrize(("state", "word", "live"), STATES)
def test_the_state_in_words(desk: Client, state: str, word: str, live: bool) -> None:
    row = message(state)
    page = desk.get(reverse("sms:state", args=[row.pk])).content.decode()
    assert f"</svg>{word}</span>" in page
    assert (f"live:sms:{row.pk} from:body" in page) is live
    assert ("chip-ok" in page) is (state in {"delivered", "dictated"})


def test_accepted_is_never_shown_as_delivered(desk: Client) -> None:
    page = desk.get(reverse("sms:state", args=[message("accepted").pk])).content.decode()
    assert "доставлено" not in page
    assert "chip-ok" not in page


def test_the_reason_in_words(desk: Client) -> None:
    row = message("queued", reason="no_connection:ConnectError")
    assert "шлюз недоступен, попробуем ещё раз" in desk.get(reverse("sms:state", args=[row.pk])).content.decode()
    foreign = message("rejected", reason="error_17")
    assert "error_17" in desk.get(reverse("sms:state", args=[foreign.pk])).content.decode()


def test_no_such_message(desk: Client) -> None:
    assert desk.get(reverse("sms:state", args=[1])).status_code == 404
    assert desk.get(reverse("sms:state", args=[10**18])).status_code == 404
    assert desk.post(reverse("sms:state", args=[message().pk])).status_code == 405


# --- Segments ---------------------------------------------------------------------------------------
def segments_of(text: str) -> str:
    return " ".join(render_to_string("sms/_segments.html", {"segments": segments.count(text)}).split())


def test_segments_in_words() -> None:
    assert "0 СМС" in segments_of("")
    page = segments_of("я" * 71)
    assert "2 СМС" in page
    assert "осталось 63 знака" in page
    assert "кириллица" in page
    page = segments_of("Order №5\u00a0— ok")
    assert "<kbd>№</kbd> <kbd>U+00A0</kbd> <kbd>—</kbd>" in page
    assert "кириллица" not in page
    assert "латиница (GSM), 160 на СМС" in segments_of("Order 5")


# --- What was sent ----------------------------------------------------------------------------------
def test_what_was_sent(desk: Client, gateway: DevelopmentServer) -> None:
    assert "Пока ничего не отправлено" in desk.get(reverse("sms:sent")).content.decode()
    row = message(text="Заявка №100001.\nАСЦ: <Мастер>")
    deliver(pk=row.pk)
    page = desk.get(reverse("sms:sent")).content.decode()
    assert "Заявка №100001.<br>АСЦ: &lt;Мастер&gt;" in page
    assert "+7 916 000-01-01" in page
    assert "принято шлюзом" in page
    assert "<html" in page
    part = desk.get(reverse("sms:sent"), headers=HTMX).content.decode()
    assert "Заявка №100001." in part
    assert "<html" not in part


def test_the_page_costs_no_queries_of_messages(desk: Client, gateway: DevelopmentServer) -> None:
    desk.get(reverse("sms:sent"))
    before = count_queries(lambda: desk.get(reverse("sms:sent")))
    for _ in range(12):
        deliver(pk=message().pk)
    after = count_queries(lambda: desk.get(reverse("sms:sent")))
    assert len(before) == len(after)
    assert not [sql for sql in after if "sms_" in sql]


def test_how_the_gateway_behaves(desk: Client, gateway: DevelopmentServer) -> None:
    answer = desk.post(reverse("sms:sent"), {"answer": "reject", "delay_ms": "1000"}, follow=True)
    assert gateway.behaviour == {"answer": "reject", "delay_ms": 1000}
    assert "включены сбои" in answer.content.decode()
    desk.post(reverse("sms:sent"), {"answer": "explode", "delay_ms": "1"})
    assert gateway.behaviour == {"answer": "reject", "delay_ms": 1000}


def test_a_gateway_that_is_down_is_said_so(desk: Client, settings: Any) -> None:
    settings.SMS_DEVELOPMENT_URL = f"http://127.0.0.1:{free_port()}"
    page = desk.get(reverse("sms:sent"))
    assert page.status_code == 200
    assert "Учебный шлюз не отвечает" in page.content.decode()
    assert settings.SMS_DEVELOPMENT_URL in page.content.decode()
    answer = desk.post(reverse("sms:sent"), {"answer": "deliver", "delay_ms": "0"}, follow=True)
    assert "Учебный шлюз не отвечает" in answer.content.decode()


@pytest.mark.parametrize(("demo", "gateway_name"), [(False, "development"), (True, "none")])
def test_the_page_is_the_demos(desk: Client, settings: Any, demo: bool, gateway_name: str) -> None:
    settings.DEMO, settings.SMS_GATEWAYS = demo, [gateway_name] if gateway_name != "none" else []
    assert desk.get(reverse("sms:sent")).status_code == 404
    assert desk.post(reverse("sms:sent"), {"answer": "deliver", "delay_ms": "0"}).status_code == 404


# --- Checks -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"SMS_GATEWAYS": []}, []),
        ({"SMS_GATEWAYS": ["pigeon"]}, ["sms.E001"]),
        ({"DEMO": False, "DEBUG": False}, ["sms.E002"]),
        ({"DEMO": False, "DEBUG": True}, []),
        ({"DEMO": False, "DEBUG": False, "SMS_GATEWAYS": []}, []),
        ({"SMS_DEVELOPMENT_URL": "http://example.org:8025"}, ["sms.E003"]),
        ({"SMS_DEVELOPMENT_URL": "https://127.0.0.1:8025"}, ["sms.E003"]),
        ({"SMS_DEVELOPMENT_URL": "127.0.0.1"}, ["sms.E003"]),
        ({"SMS_DEVELOPMENT_URL": "http://localhost:8025"}, []),
        ({"SMS_DEVELOPMENT_URL": "http://[::1]:8025"}, []),
        ({"SMS_TIMEOUT": 0}, ["sms.E004"]),
        ({"SMS_TIMEOUT": 1000}, ["sms.E004"]),
    ],
)
def test_checks(settings: Any, change: dict[str, Any], found: list[str]) -> None:
    for name, value in change.items():
        setattr(settings, name, value)
    assert [problem.id for problem in checks.gateway_is_configured(None)] == found


@pytest.mark.django_db
def test_readiness_of_the_outbox(settings: Any) -> None:
    assert checks.outbox().ready
    assert checks.outbox().facts == {"oldest_waiting_s": 0, "undecided": 0, "unknown": 0, "held": False}
    message("unknown")
    message("delivered")
    waiting = message(template=template())
    message("submitting")
    SmsMessage.objects.filter(pk=waiting.pk).update(due_at=Now() - timedelta(minutes=5))
    assert checks.outbox().ready
    assert checks.outbox().facts == {"oldest_waiting_s": 300, "undecided": 2, "unknown": 1, "held": False}
    SmsMessage.objects.filter(pk=waiting.pk).update(due_at=Now() - timedelta(minutes=11))
    assert not checks.outbox().ready
    # Where SMS are switched off on purpose, what was left in the queue makes nobody unready.
    settings.SMS_GATEWAYS = []
    assert checks.outbox().ready


@pytest.mark.django_db
def test_what_is_not_due_does_not_wait() -> None:
    later = message()
    SmsMessage.objects.filter(pk=later.pk).update(
        created_at=Now() - timedelta(days=1),
        not_before=Now() + timedelta(hours=1),
        due_at=Now() + timedelta(hours=1),
    )
    assert checks.outbox().facts == {"oldest_waiting_s": 0, "undecided": 0, "unknown": 0, "held": False}


def test_the_outbox_is_part_of_being_ready(client: Client, db: None) -> None:
    assert "sms_outbox" in client.get("/readyz").json()["parts"]
