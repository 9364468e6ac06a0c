"""A hotline of some years by one INSERT … SELECT a table: cards, numbers, accounts, appliances, appeals, calls."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from django.db import ProgrammingError, connection, transaction

# One card in four has a name that very many have (as Ivanov in Russia); the others are made of syllables.
COMMON = [
    "Смирнов", "Иванов", "Кузнецов", "Соловьёв", "Васильев", "Королёв", "Гаврилов", "Ковалёв", "Мельников",
    "Пономарёв", "Чернышёв", "Римский-Корсаков", "Воробьёв", "Журавлёв", "Филиппов", "Тихомиров", "Лебедев",
]  # fmt: skip
SYLLABLES = [
    "ба", "ве", "го", "ду", "жи", "зо", "ки", "лу", "ме", "но", "пы", "ря", "са", "ту", "фе", "хо", "це", "ша", "щу",
    "дро", "кла", "тре", "сне", "бря",
]  # fmt: skip
ENDINGS = ["ков", "нский", "лин", "ренко", "вых", "лёв", "щук", "мян", "дзе", "таев"]
FIRST = ["Пётр", "Алёна", "Мария", "Семён", "Дмитрий", "Наталья", "Артём", "Фёкла", "Ольга", "Тимур", "Вера", "Игорь"]
MIDDLE = ["Петрович", "Сергеевна", "Андреевна", "Ильич", "Артёмович", "Юрьевна", "Фёдорович", "Павловна"]

_STATEMENTS = [
    """
    INSERT INTO tickets_client
        (last_name, first_name, middle_name, city_id, city_text, address, email, note, created_at, version)
    SELECT
        CASE
            WHEN n %% 4 = 0 THEN (%(common)s::text[])[1 + n / 4 %% cardinality(%(common)s::text[])]
            ELSE initcap(s.some[1 + n %% s.many] || s.some[1 + n / s.many %% s.many] || s.some[1 + n * 7 / 5 %% s.many])
                || (%(endings)s::text[])[1 + n / 11 %% cardinality(%(endings)s::text[])]
        END,
        (%(first)s::text[])[1 + n / 3 %% cardinality(%(first)s::text[])],
        (%(middle)s::text[])[1 + n / 7 %% cardinality(%(middle)s::text[])],
        c.cities[1 + n %% cardinality(c.cities)], '', 'ул. Ленина, ' || n, '', '', now() - n * interval '1 minute', 1
    FROM generate_series(1, %(clients)s) AS n,
        (SELECT %(syllables)s::text[] AS some, cardinality(%(syllables)s::text[]) AS many) AS s,
        (SELECT array_agg(id) AS cities FROM service_centers_city) AS c
    """,
    # Multiplying by a number prime to 10⁹ scatters the digits and makes none twice.
    """
    INSERT INTO tickets_clientphone (client_id, raw, e164, region, line_type, extension, position, created_at)
    SELECT id, number, number, 'RU', 'mobile', '', 0, now()
    FROM tickets_client, LATERAL (SELECT '+79' || lpad((id * 104729999 %% 1000000000)::text, 9, '0')) AS n (number)
    """,
    """
    INSERT INTO tickets_account (number, client_id, is_main, reason, opened_at)
    SELECT nextval('tickets_account_number_seq'), id, true, '', created_at FROM tickets_client
    """,
    """
    INSERT INTO tickets_appliance (
        account_id, brand_id, category_id, model_text, serial_number, purchase_date, purchase_date_source, store,
        created_at
    )
    SELECT a.id, %(brand)s, %(category)s, 'RF-' || 1000 + a.id %% 900,
        'SN' || lpad((a.id * 7919 %% 100000000)::text, 8, '0'), current_date - 365, 'receipt', 'М.Видео', a.opened_at
    FROM tickets_account AS a
    """,
    """
    INSERT INTO tickets_appeal (
        number, kind, state, client_id, account_id, description, outcome, full_name, phone, city_text, address,
        model_text, model_source, serial_number, purchase_date_source, store, store_source, verdict, verdict_reason,
        is_paid, no_center_reason, no_center_note, registered_at, state_changed_at, version
    )
    SELECT nextval('tickets_appeal_number_seq'), 'consultation', 'closed', c.id, a.id, 'Не включается после переезда',
        'Дать отстояться два часа', c.last_name || ' ' || c.first_name, p.e164, '', '', '', '', '', '', '', '', '', '',
        false, '', '', c.created_at - k * interval '40 days', c.created_at, 1
    FROM tickets_client AS c
    JOIN tickets_account AS a ON a.client_id = c.id
    JOIN tickets_clientphone AS p ON p.client_id = c.id, generate_series(1, 2) AS k
    """,
    """
    INSERT INTO calls_call (
        source, external_id, direction, origin, number_raw, number, line, queue, ring_extensions, operator_id,
        spoken_name, line_state, work_state, phase, ending, talk_ended_by, hung_up_by, cause, started_at, answered_at,
        ended_at, closed_at, client_id, account_id, caller_name, registered_appeal_id, is_atypical, wants_rating, note
    )
    SELECT 'bench', 'past-' || a.id, 'in', 'incoming', a.phone, a.phone, '', '', '{}',
        (%(operators)s::bigint[])[1 + a.id %% cardinality(%(operators)s::bigint[])], 'Анна', 'ended', 'closed',
        'dialog', 'goodbye', 'operator', 'client', '', a.registered_at, a.registered_at,
        a.registered_at + interval '3 minutes', a.registered_at + interval '4 minutes', a.client_id, a.account_id, '',
        a.id, false, false, ''
    FROM tickets_appeal AS a
    """,
    """
    INSERT INTO calls_callappeal (call_id, appeal_id, relation, created_at)
    SELECT id, registered_appeal_id, 'registered', started_at FROM calls_call
    """,
]


def fill(clients: int, *, operators: Sequence[int], brand: int, category: int) -> None:
    """Add that many cards, each with a number, an account, an appliance, two appeals and the calls of these.

    `operators`, `brand`, `category`: pks. Row by row the triggers of histories and foreign keys would take minutes, and
    nothing that is measured reads a history: they are off meanwhile, unless the role may not switch them off.
    """
    values = {
        "clients": clients,
        "common": COMMON,
        "syllables": SYLLABLES,
        "endings": ENDINGS,
        "first": FIRST,
        "middle": MIDDLE,
        "operators": list(operators),
        "brand": brand,
        "category": category,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        with suppress(ProgrammingError), transaction.atomic():
            cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in _STATEMENTS:
            cursor.execute(statement, values)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
