"""Emptying the database after a test that committed: seconds less than Django's TRUNCATE of every table.

TRUNCATE gives each of a hundred tables and their indexes a new file, fsync included, and then writes content types and
permissions anew. Here only tables that have rows are emptied, with triggers and foreign keys off (append-only tables
refuse DELETE otherwise); content types and permissions stay. A role that may not switch triggers off gets Django's way.
"""

from __future__ import annotations

from typing import Any

from django.db import ProgrammingError, connections, transaction
from django.test import TransactionTestCase

KEPT = {"django_migrations", "django_content_type", "auth_permission"}
_djangos_way = TransactionTestCase._fixture_teardown


def _quick_way(self: Any) -> None:
    try:
        for name in self._databases_names(include_mirrors=False):
            empty(name)
    except ProgrammingError:
        _djangos_way(self)


def empty(alias: str) -> None:
    """Delete all rows of all tables but KEPT, in one transaction."""
    connection = connections[alias]
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        tables = [table for table in connection.introspection.table_names(cursor) if table not in KEPT]
        quote = connection.ops.quote_name
        asked = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM {quote(table)})" for table in tables)
        cursor.execute(asked)
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {quote(table)}")


def install() -> None:
    TransactionTestCase._fixture_teardown = _quick_way  # type: ignore[method-assign]
