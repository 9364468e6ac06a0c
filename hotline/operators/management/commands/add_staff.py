"""`manage.py add_staff anna --name "Белова Анна Сергеевна" [--role supervisor]`: an account of a real installation."""

from __future__ import annotations

import secrets
import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from hotline.operators.models import Role, User


class Command(BaseCommand):
    help = "Add a member of staff, or an integration. Asks for the password, or makes one with --generate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("login")
        parser.add_argument("--name", required=True, help="«Фамилия Имя Отчество»; for an integration, what it is.")
        parser.add_argument("--role", choices=Role.values, default=Role.OPERATOR)
        parser.add_argument("--superuser", action="store_true", help="All rights; implies --role supervisor.")
        parser.add_argument("--generate", action="store_true", help="Make a password and print it.")

    def handle(self, *args: Any, **options: Any) -> None:
        role = Role.SUPERVISOR if options["superuser"] else Role(options["role"])
        last, first, middle = _name(options["name"], role)
        user = User(
            username=options["login"],
            last_name=last,
            first_name=first,
            middle_name=middle,
            role=role,
            is_superuser=options["superuser"],
        )
        user.set_unusable_password()
        try:
            user.full_clean()
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from error
        password = "" if role == Role.INTEGRATION else self._password(user, generate=options["generate"])
        if password:
            user.set_password(password)
        user.save()
        self.stdout.write(f"{user.username}: {role}.")
        if options["generate"] and password:
            self.stdout.write(f"Password: {password}")
        if role == Role.INTEGRATION:
            self.stdout.write("It signs in with a token: issue one in the administration.")

    def _password(self, user: User, *, generate: bool) -> str:
        if generate:
            return secrets.token_urlsafe(12)
        if not sys.stdin.isatty():
            raise CommandError("Nobody is here to type a password: add --generate.")
        password = getpass("Password: ")
        if password != getpass("Once more: "):
            raise CommandError("The two passwords differ.")
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from error
        return password


def _name(text: str, role: Role) -> tuple[str, str, str]:
    """«Белова Анна Сергеевна» → its three parts; the name of a machine is one."""
    words = text.split()
    if role == Role.INTEGRATION:
        return " ".join(words), "", ""
    if len(words) < 2:
        raise CommandError("Name a surname and a first name: the greeting says the first name.")
    return words[0], words[1], " ".join(words[2:])
