"""System checks that refuse an unsafe production, and a database on which what we promise does not hold.

`manage.py check --database default` shows them; the web process and the worker run them at start and refuse to start.
Ids: E001–E009 production, E010–E019 demo mode, E020–E029 connections, E040–E049 the database itself. Other rooms add
their own (`<room>/checks.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

LOOPBACK = {"127.0.0.1", "localhost", "[::1]", "::1"}
SHORTEST_KEY = 50
OLDEST, NEWEST = 15, 18


def refuse_unsafe() -> None:
    """Raise ImproperlyConfigured with all errors in words, where a system check finds one; called once at start."""
    try:
        errors = [
            message
            for message in run_checks(databases=["default"])
            if message.level >= 40 and not message.is_silenced()
        ]
    except DatabaseError as error:  # checks of models ask for the server's version
        raise ImproperlyConfigured(f"hotline.E049: The database can't be asked ({type(error).__name__}).") from error
    finally:
        connections.close_all()
    if errors:
        raise ImproperlyConfigured("\n".join(f"{error.id}: {error.msg} {error.hint or ''}".strip() for error in errors))


@register(Tags.security)
def production_is_safe(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E001–E004: values that only the demo may have."""
    if settings.DEMO:
        return []
    found: list[CheckMessage] = []
    key = _secret_key()
    if len(key) < SHORTEST_KEY or len(set(key)) < 10 or key.startswith("insecure"):
        found.append(
            Error(
                "The secret key is missing, short or guessable.",
                hint=f"Set HOTLINE_SECRET_KEY to at least {SHORTEST_KEY} random characters.",
                id="hotline.E001",
            )
        )
    if settings.DEBUG:
        found.append(
            Error(
                "DEBUG shows settings and personal data to whoever meets an error.",
                hint="Unset HOTLINE_DEBUG.",
                id="hotline.E002",
            )
        )
    if not settings.ALLOWED_HOSTS or any(host in ("*", ".") for host in settings.ALLOWED_HOSTS):
        found.append(
            Error(
                "Any host name is accepted.",
                hint="Set HOTLINE_ALLOWED_HOSTS to the names that people open.",
                id="hotline.E003",
            )
        )
    if not settings.HTTPS:
        found.append(
            Warning(
                "Pages, passwords and sessions travel unencrypted.",
                hint="Serve behind a proxy with HTTPS and set HOTLINE_HTTPS=1.",
                id="hotline.W004",
            )
        )
    return found


def _secret_key() -> str:
    try:
        return str(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django's own words for an empty one
        return ""


@register(Tags.security)
def demo_stays_at_home(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E010, E011: the demo's logins are public, so nobody else may reach it."""
    if not settings.DEMO:
        return []
    found: list[CheckMessage] = []
    if strangers := sorted(set(settings.ALLOWED_HOSTS) - LOOPBACK - {"testserver"}):
        found.append(
            Error(
                f"Demo mode would answer under {', '.join(strangers)}, and its logins are public.",
                hint="Unset HOTLINE_DEMO, or unset HOTLINE_ALLOWED_HOSTS.",
                id="hotline.E010",
            )
        )
    if settings.HTTPS:
        found.append(
            Error(
                "Demo mode behind HTTPS is meant for others than this machine, and its logins are public.",
                hint="Unset HOTLINE_DEMO, or unset HOTLINE_HTTPS.",
                id="hotline.E011",
            )
        )
    return found


@register(Tags.database)
def connections_are_pooled(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E020–E022, of the settings alone: PostgreSQL, a pool, and no connection kept beside it."""
    found: list[CheckMessage] = []
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith(".postgresql"):
        return [
            Error(
                "The database is not PostgreSQL.",
                hint="Set DATABASE_URL to postgres://…; no other database folds Cyrillic and holds our constraints.",
                id="hotline.E022",
            )
        ]
    if database.get("CONN_MAX_AGE") != 0:
        found.append(
            Error(
                "Persistent connections under ASGI end in «too many clients».",
                hint="CONN_MAX_AGE must be 0: the pool keeps connections.",
                id="hotline.E020",
            )
        )
    if not database.get("OPTIONS", {}).get("pool") and not settings.DEMO:
        found.append(
            Error(
                "There is no connection pool.",
                hint="Unset HOTLINE_DB_POOL_MAX, or set it above 0.",
                id="hotline.E021",
            )
        )
    return found


@register(Tags.database)
def database_keeps_its_word(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """E040–E049: it folds Cyrillic, finds trigrams in it, and what it has committed is on the disk.

    In a database of the plain C locale `lower` and pg_trgm do nothing to Cyrillic, silently. With synchronous_commit
    off, acknowledged `submitting` rows are lost at a kill, and a message could be sent twice.
    """
    found: list[CheckMessage] = []
    for alias in databases or []:
        try:
            found += _judge(alias)
        except DatabaseError as error:
            found.append(
                Error(
                    f"The database can't be asked ({type(error).__name__}).",
                    hint="See that DATABASE_URL is right and the server runs.",
                    id="hotline.E049",
                )
            )
    return found


def _judge(alias: str) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    with connections[alias].cursor() as cursor:

        def ask(sql: str) -> Any:
            cursor.execute(sql)
            return cursor.fetchone()[0]

        recreate = "Recreate the database with ENCODING 'UTF8' and a UTF-8 locale, for example LOCALE 'C.UTF-8'."
        if ask("SHOW server_encoding") != "UTF8":
            return [Error("The database's encoding is not UTF-8.", hint=recreate, id="hotline.E044")]
        if ask("SELECT lower('Ё')") != "ё":
            found.append(Error("The database does not fold Cyrillic case.", hint=recreate, id="hotline.E040"))
        # The extension comes with the first migration: before it there is nothing to judge.
        if ask("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'") and not ask(
            "SELECT cardinality(show_trgm('Иван'))"
        ):
            found.append(Error("The database finds no trigrams in Cyrillic.", hint=recreate, id="hotline.E041"))
        if ask("SHOW fsync") != "on":
            found.append(
                Error("fsync is off: a crash loses what was acknowledged.", hint="Set fsync = on.", id="hotline.E042")
            )
        if ask("SHOW synchronous_commit") == "off":
            found.append(
                Error(
                    "synchronous_commit is off: a crash loses claims of messages, which could then be sent twice.",
                    hint="Set synchronous_commit = on, also for this role and database.",
                    id="hotline.E043",
                )
            )
        major = int(ask("SHOW server_version_num")) // 10000
    if major < OLDEST:
        found.append(Error(f"PostgreSQL {major} is too old.", hint=f"Use {OLDEST} to {NEWEST}.", id="hotline.E045"))
    elif major > NEWEST:
        found.append(
            Warning(
                f"PostgreSQL {major} is newer than what was tried.",
                hint=f"Use {OLDEST} to {NEWEST}.",
                id="hotline.W046",
            )
        )
    return found
