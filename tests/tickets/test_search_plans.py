"""Each branch of the search runs on the index that was written for it, at a volume where a scan would be tempting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import ProgrammingError, connection

from tests.factories import ApplianceFactory
from tickets.search import client_statement, loosely_alike

pytestmark = pytest.mark.django_db

VOLUME = 20_000
_FILL = [
    # names of syllables, so that trigrams have something to tell apart
    """
    INSERT INTO tickets_client
        (last_name, first_name, middle_name, city_text, address, email, note, created_at, version)
    SELECT s.a || s.b || 'ов', (ARRAY['Пётр','Мария','Семён','Ольга'])[1 + n %% 4], 'Ильич', '', '', '', '', now(), 1
    FROM generate_series(1, %s) AS n, LATERAL (SELECT
        (ARRAY['бара','вели','горо','дуби','жема','зоря','киру','лома','мезе','нору','пала','ряби'])[1 + n %% 12] AS a,
        chr(1072 + n / 12 %% 30) || chr(1072 + n / 360 %% 30) || 'к' AS b) AS s
    """,
    """
    INSERT INTO tickets_clientphone (client_id, raw, e164, region, line_type, extension, position, created_at)
    SELECT id, '', '+79' || lpad((id * 7919 %% 1000000000)::text, 9, '0'), 'RU', 'mobile', '', 0, now()
    FROM tickets_client
    """,
    """
    INSERT INTO tickets_account (number, client_id, is_main, reason, opened_at)
    SELECT nextval('tickets_account_number_seq'), id, true, '', now() FROM tickets_client WHERE NOT EXISTS (
        SELECT 1 FROM tickets_account WHERE client_id = tickets_client.id AND is_main)
    """,
    """
    INSERT INTO tickets_appliance (account_id, model_text, serial_number, purchase_date_source, store, created_at)
    SELECT id, 'RF-1', 'SN' || lpad((id * 104729 %% 100000000)::text, 8, '0'), 'unknown', '', now()
    FROM tickets_account
    """,
    """
    INSERT INTO tickets_appeal (
        number, kind, state, client_id, account_id, description, outcome, full_name, phone, city_text, address,
        model_text, model_source, serial_number, purchase_date_source, store, store_source, verdict, verdict_reason,
        is_paid, no_center_reason, no_center_note, registered_at, registered_by_id, state_changed_at, version
    )
    SELECT nextval('tickets_appeal_number_seq'), 'consultation', 'closed', client_id, id, 'Шумит', 'Слить воду',
        'Пётр', '', '', '', '', '', '', '', '', '', '', '', false, '', '', now() - id * interval '1 minute', NULL,
        now(), 1
    FROM tickets_account
    """,
]


@pytest.fixture(scope="module")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Rows for the whole module, committed, and gone after it."""
    tables = ", ".join(
        f"tickets_{name}, tickets_{name}history" for name in ("appeal", "appliance", "account", "clientphone", "client")
    )
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        with suppress(ProgrammingError):  # the triggers of histories take twenty seconds, where they may not be off
            cursor.execute("SET session_replication_role = replica")
        cursor.execute(_FILL[0], [VOLUME])
        for statement in _FILL[1:]:
            cursor.execute(statement.replace("%%", "%"))
        cursor.execute("RESET session_replication_role")
        cursor.execute(f"ANALYZE {tables}")
        yield
        cursor.execute(f"TRUNCATE {tables} CASCADE")


def plan_of(text: str) -> tuple[set[str], set[str]]:
    """(indexes used, tables scanned whole) of the search for a text."""
    statement = client_statement(text)
    assert statement is not None
    with loosely_alike(), connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + statement.sql, statement.params)
        found = cursor.fetchone()[0]
    root = json.loads(found) if isinstance(found, str) else found
    indexes: set[str] = set()
    scans: set[str] = set()

    def walk(node: dict[str, Any]) -> None:
        if name := node.get("Index Name"):
            indexes.add(name)
        if node["Node Type"] == "Seq Scan":
            scans.add(node["Relation Name"])
        for child in node.get("Plans", []):
            walk(child)

    walk(root[0]["Plan"])
    return indexes, scans


@pytest.mark.slow
@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("барабвков", {"tickets_client_name_trgm"}),
        ("петр веливгков", {"tickets_client_name_trgm"}),
        ("барабвкво", {"tickets_client_name_trgm"}),
        ("ив", {"tickets_client_name_trgm"}),
        ("барабвков 4567", {"tickets_clientphone_trgm"}),  # of the two, the rarer
        ("89161234567", {"tickets_clientphone_e164", "tickets_clientphone_trgm", "tickets_appliance_serial_trgm"}),
        ("4567", {"tickets_clientphone_trgm", "tickets_appliance_serial_trgm"}),
        ("SN00104729", {"tickets_appliance_serial_trgm"}),
    ],
)
def test_the_search_runs_on_its_indexes(text: str, wanted: set[str]) -> None:
    indexes, scans = plan_of(text)
    assert wanted <= indexes
    # References are few in this test: there a scan is right.
    assert scans <= {"tickets_appealreference"}


@pytest.mark.slow
@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("sql", "index"),
    [
        ("SELECT * FROM tickets_appeal WHERE client_id = 1 ORDER BY registered_at DESC", "tickets_appeal_by_client"),
        (
            "SELECT * FROM tickets_appeal WHERE state = 'assigned' ORDER BY registered_at DESC, id DESC LIMIT 50",
            "tickets_appeal_by_state",
        ),
        ("SELECT * FROM tickets_appeal ORDER BY registered_at DESC, id DESC LIMIT 50", "tickets_appeal_list"),
        (
            "SELECT * FROM tickets_appeal WHERE registered_by_id = 1 ORDER BY registered_at DESC, id DESC LIMIT 50",
            "tickets_appeal_mine",
        ),
        ("SELECT * FROM tickets_appeal WHERE phone = '+79160000101'", "tickets_appeal_phone"),
        ("SELECT * FROM tickets_productmodel WHERE folded_name LIKE '%1260%'", "tickets_productmodel_trgm"),
        ("SELECT * FROM tickets_reminder WHERE to_id = 1 AND done_at IS NULL ORDER BY due_at", "tickets_reminder_due"),
        (
            "SELECT * FROM tickets_appealevent WHERE appeal_id = 1 ORDER BY at DESC",
            "tickets_appealevent_journal",
        ),
    ],
)
def test_an_index_serves_the_query_that_it_names(sql: str, index: str) -> None:
    ApplianceFactory()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert index in plan
