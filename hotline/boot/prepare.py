"""Bring the demo's database up to date: schema, reference data, and the demo data when there is nobody yet.

A process of its own (`python -m hotline.boot.prepare FILE`): the bootstrap itself never loads Django. The demo's logins
are written into FILE, one a line.
"""

from __future__ import annotations

import os
import sys
import time
from io import StringIO
from pathlib import Path


def main(logins: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hotline.settings")
    import django

    django.setup()
    from django.core.management import CommandError, call_command
    from django.db import OperationalError, connection
    from django.db.migrations.executor import MigrationExecutor

    from hotline.desk.demo.load import load

    try:
        connection.ensure_connection()
        call_command("check", databases=["default"], stdout=StringIO())
        if has_staff_of_its_own():
            raise CommandError(
                "hotline: this database has staff of its own, and make run is the demo: "
                "name an empty one with DATABASE_URL, or unset it"
            )
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            say("bringing the database up to date")
            call_command("migrate", interactive=False, verbosity=0)
        call_command("load_reference", verbosity=0)
        if is_empty():
            started = time.monotonic()
            say("loading the demo data (only the first time)")
            load()  # in one transaction: a start that is killed here begins again
            say(f"demo data loaded in {time.monotonic() - started:.0f} s")
    except OperationalError as error:
        sys.exit(f"hotline: the database can't be asked, see that DATABASE_URL is right and the server runs: {error}")
    except CommandError as error:
        sys.exit(str(error))
    logins.write_text("".join(f"{line}\n" for line in login_lines()), encoding="utf-8")


def is_empty() -> bool:
    from hotline.operators.models import User

    return not User.objects.exists()


def has_staff_of_its_own() -> bool:
    """Somebody's installation: neither empty nor filled by `load_demo`."""
    from django.db import connection

    from hotline.desk.demo.load import is_loaded
    from hotline.operators.models import User

    return User._meta.db_table in connection.introspection.table_names() and not is_empty() and not is_loaded()


def login_lines() -> list[str]:
    from django.utils import translation

    from hotline.desk.demo.staff import DEMO_LOGINS, DEMO_PASSWORD, DEMO_TOKEN

    with translation.override("en"):
        lines = [f"{login:<12}{DEMO_PASSWORD:<20}{what}" for login, what in DEMO_LOGINS]
    return [*lines, f"{'API token':<12}{DEMO_TOKEN}"]


def say(text: str) -> None:
    print(f"hotline: {text}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
