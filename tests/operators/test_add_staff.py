"""`manage.py add_staff`: the first accounts of a real installation."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hotline.operators.management.commands import add_staff
from hotline.operators.models import Role, User
from tests.operators.factories import UserFactory

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("add_staff", *arguments, stdout=out)
    return out.getvalue()


def test_a_generated_password_is_printed_and_works() -> None:
    out = run("anna", "--name", "Белова Анна Сергеевна", "--role", "supervisor", "--generate")
    user = User.objects.get(username="anna")
    assert (str(user), user.role, user.is_superuser) == ("Белова Анна Сергеевна", Role.SUPERVISOR, False)
    assert user.check_password(out.split("Password: ")[1].strip())


def test_a_superuser_is_a_supervisor() -> None:
    run("root", "--name", "Белова Анна", "--superuser", "--generate")
    user = User.objects.get(username="root")
    assert (user.role, user.is_superuser, user.middle_name) == (Role.SUPERVISOR, True, "")


def test_an_integration_gets_no_password() -> None:
    out = run("pbx", "--name", "АТС  Головной офис", "--role", "integration", "--generate")
    user = User.objects.get(username="pbx")
    assert (str(user), user.has_usable_password()) == ("АТС Головной офис", False)
    assert "Password" not in out


def typed(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    said = iter(answers)
    monkeypatch.setattr(add_staff, "getpass", lambda prompt: next(said))
    monkeypatch.setattr(add_staff.sys.stdin, "isatty", lambda: True, raising=False)


def test_a_typed_password_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "тихая-гавань-42", "тихая-гавань-42")
    assert "Password" not in run("anna", "--name", "Белова Анна")
    assert User.objects.get(username="anna").check_password("тихая-гавань-42")


@pytest.mark.parametrize("answers", [("тихая-гавань-42", "другая"), ("short", "short"), ("1234567890", "1234567890")])
def test_a_bad_password_makes_no_account(monkeypatch: pytest.MonkeyPatch, answers: tuple[str, str]) -> None:
    typed(monkeypatch, *answers)
    with pytest.raises(CommandError):
        run("anna", "--name", "Белова Анна")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("anna", "--name", "Анна"),
        ("taken", "--name", "Белова Анна"),
        ("a b", "--name", "Белова Анна"),
        ("", "--name", "Б А"),
    ],
)
def test_what_can_not_be_is_said(arguments: Any) -> None:
    UserFactory(username="taken")
    with pytest.raises(CommandError):
        run(*arguments, "--generate")
    assert User.objects.count() == 1


def test_without_a_terminal_it_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="--generate"):
        run("anna", "--name", "Белова Анна")
