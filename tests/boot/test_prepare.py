"""`make run` on a database that somebody named: filled when empty, left alone when it is somebody's installation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from hotline.boot import prepare
from hotline.operators.models import Role, User
from tests.servers import ROOT, database_url

pytestmark = pytest.mark.django_db(transaction=True)


def run(logins: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "-m", "hotline.boot.prepare", str(logins)],
        env={**inherited, "DATABASE_URL": database_url(connection.settings_dict), "HOTLINE_DEMO": "1", **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_an_installation_of_somebody_is_left_alone(tmp_path: Path) -> None:
    User.objects.create(username="anna", role=Role.OPERATOR)
    done = run(tmp_path / "logins")
    assert done.returncode == 1
    assert "this database has staff of its own, and make run is the demo" in done.stderr
    assert "Traceback" not in done.stderr
    assert User.objects.count() == 1
    assert not (tmp_path / "logins").exists()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"HOTLINE_ALLOWED_HOSTS": "hotline.example.org"}, "hotline.E010"),
        ({"HOTLINE_HTTPS": "1"}, "hotline.E011"),
        (
            {"DATABASE_URL": "postgres://hotline@127.0.0.1:1/none"},
            "the database can't be asked, see that DATABASE_URL is right",
        ),
    ],
)
def test_what_is_unsafe_or_away_is_said_in_words(tmp_path: Path, environment: dict[str, str], words: str) -> None:
    done = run(tmp_path / "logins", **environment)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_database_is_not_somebody_s() -> None:
    assert prepare.is_empty()
    assert not prepare.has_staff_of_its_own()


def test_the_logins_name_everybody_and_the_token() -> None:
    assert [line.split()[0] for line in prepare.login_lines()] == [
        "operator",
        "operator2",
        "supervisor",
        "admin",
        "API",
    ]
