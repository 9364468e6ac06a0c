"""System checks: each unsafe value is named by its id, and a safe production has nothing to say."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection
from pytest_django.fixtures import Settings

from hotline.base import checks
from tests.servers import ROOT, database_url

GOOD_KEY = "kT3-9f_Zq8LwX2vB7nM4cR6yH1jD5sP0aG-uE_iOoQzVbNmWxYt"
SAFE = {
    "DEMO": False,
    "DEBUG": False,
    "SECRET_KEY": GOOD_KEY,
    "ALLOWED_HOSTS": ["hotline.example.org"],
    "HTTPS": True,
}
POOLED = {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": 0, "OPTIONS": {"pool": {"min_size": 1}}}


def ids(messages: list[CheckMessage]) -> list[str]:
    return [str(message.id) for message in messages]


def put(settings: Settings, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)


@pytest.mark.parametrize(
    ("unsafe", "expected"),
    [
        ({}, []),
        ({"SECRET_KEY": ""}, ["hotline.E001"]),
        ({"SECRET_KEY": GOOD_KEY[:49]}, ["hotline.E001"]),
        ({"SECRET_KEY": "a" * 64}, ["hotline.E001"]),
        ({"SECRET_KEY": f"insecure-{GOOD_KEY}"}, ["hotline.E001"]),
        ({"DEBUG": True}, ["hotline.E002"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["hotline.E003"]),
        ({"ALLOWED_HOSTS": ["hotline.example.org", "."]}, ["hotline.E003"]),
        ({"ALLOWED_HOSTS": []}, ["hotline.E003"]),
        ({"HTTPS": False}, ["hotline.W004"]),
        ({"SECRET_KEY": "", "DEBUG": True, "HTTPS": False}, ["hotline.E001", "hotline.E002", "hotline.W004"]),
    ],
)
def test_production_values(settings: Settings, unsafe: dict[str, Any], expected: list[str]) -> None:
    put(settings, {**SAFE, **unsafe})
    assert ids(checks.production_is_safe(None)) == expected


def test_production_values_do_not_matter_in_the_demo(settings: Settings) -> None:
    put(settings, {**SAFE, "SECRET_KEY": "", "DEMO": True})
    assert checks.production_is_safe(None) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"ALLOWED_HOSTS": ["127.0.0.1", "localhost", "[::1]"], "HTTPS": False}, []),
        ({"ALLOWED_HOSTS": ["127.0.0.1", "hotline.example.org"], "HTTPS": False}, ["hotline.E010"]),
        ({"ALLOWED_HOSTS": ["*"], "HTTPS": False}, ["hotline.E010"]),
        ({"ALLOWED_HOSTS": ["127.0.0.1"], "HTTPS": True}, ["hotline.E011"]),
    ],
)
def test_demo_is_for_this_machine_only(settings: Settings, values: dict[str, Any], expected: list[str]) -> None:
    put(settings, {"DEMO": True, **values})
    assert ids(checks.demo_stays_at_home(None)) == expected
    put(settings, {"DEMO": False})
    assert checks.demo_stays_at_home(None) == []


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        (POOLED, []),
        ({**POOLED, "CONN_MAX_AGE": 60}, ["hotline.E020"]),
        ({**POOLED, "CONN_MAX_AGE": None}, ["hotline.E020"]),
        ({**POOLED, "OPTIONS": {}}, ["hotline.E021"]),
        ({**POOLED, "OPTIONS": {"pool": False}}, ["hotline.E021"]),
        ({**POOLED, "ENGINE": "django.db.backends.sqlite3"}, ["hotline.E022"]),
    ],
)
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_connections(settings: Settings, database: dict[str, Any], expected: list[str]) -> None:
    put(settings, {"DEMO": False, "DATABASES": {"default": database}})
    assert ids(checks.connections_are_pooled(None)) == expected


# --- The database itself ----------------------------------------------------------------------------
class Answers:
    """A cursor that answers as a careless server would, and asks the real one for the rest."""

    def __init__(self, cursor: Any, answers: dict[str, Any]) -> None:
        self.cursor = cursor
        self.answers = answers
        self.sql = ""

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *_: object) -> None:
        self.cursor.close()

    def execute(self, sql: str) -> None:
        self.sql = sql
        if sql not in self.answers:
            self.cursor.execute(sql)

    def fetchone(self) -> Any:
        return (self.answers[self.sql],) if self.sql in self.answers else self.cursor.fetchone()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, []),
        ({"SHOW server_encoding": "SQL_ASCII"}, ["hotline.E044"]),
        ({"SELECT lower('Ё')": "Ё"}, ["hotline.E040"]),
        ({"SELECT cardinality(show_trgm('Иван'))": 0}, ["hotline.E041"]),
        ({"SHOW fsync": "off"}, ["hotline.E042"]),
        ({"SHOW synchronous_commit": "local"}, []),
        ({"SHOW synchronous_commit": "off"}, ["hotline.E043"]),
        ({"SHOW server_version_num": "140012"}, ["hotline.E045"]),
        ({"SHOW server_version_num": "190000"}, ["hotline.W046"]),
    ],
)
def test_database(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any], expected: list[str]) -> None:
    real = connection.cursor
    monkeypatch.setattr(connection, "cursor", lambda: Answers(real(), answers))
    assert ids(checks.database_keeps_its_word(None, databases=["default"])) == expected


@pytest.mark.django_db
def test_database_sees_a_setting_of_the_session() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    assert ids(checks.database_keeps_its_word(None, databases=["default"])) == ["hotline.E043"]


def test_no_database_is_asked_unless_named() -> None:
    assert checks.database_keeps_its_word(None, databases=None) == []


@pytest.mark.django_db
def test_refusal_says_every_error_in_words(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.connections, "close_all", lambda: None)  # the test's own
    put(settings, {**SAFE, "SECRET_KEY": "", "DEBUG": True})
    with pytest.raises(ImproperlyConfigured) as caught:
        checks.refuse_unsafe()
    assert "hotline.E001: The secret key is missing" in str(caught.value)
    assert "hotline.E002: DEBUG shows" in str(caught.value)


# --- The processes refuse to start ------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    "command",
    [
        ["-m", "uvicorn", "hotline.asgi:application", "--port", "0"],
        ["-m", "celery", "-A", "hotline", "worker", "--pool", "solo"],
        ["-m", "celery", "-A", "hotline", "beat", "--pidfile="],
    ],
    ids=["web", "worker", "beat"],
)
def test_an_unsafe_process_does_not_start(command: list[str], tmp_path: Any) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("HOTLINE_DEMO", "DJANGO_SETTINGS_MODULE")},
        "DATABASE_URL": database_url(connection.settings_dict),
        "HOTLINE_DB_POOL_MAX": "4",
        "HOTLINE_SECRET_KEY": "short",
        "HOTLINE_DATA": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert "hotline.E001: The secret key is missing, short or guessable." in done.stdout + done.stderr


def test_a_database_that_is_away_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: Any) -> list[CheckMessage]:
        raise OperationalError("connection refused")

    monkeypatch.setattr(checks, "run_checks", away)
    monkeypatch.setattr(checks.connections, "close_all", lambda: None)
    with pytest.raises(ImproperlyConfigured, match="hotline.E049: The database can't be asked"):
        checks.refuse_unsafe()
