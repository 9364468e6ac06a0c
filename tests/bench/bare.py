"""What the figures of `make bench` are a ratio to: Django views that do the same thing by one SQL statement.

No middleware, no session, no rights, no template, no rules: the least that Django and PostgreSQL can do it in.
"""

from __future__ import annotations

import json
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

CHANNEL = "bench"

# The call with its client, numbers, accounts, appliances, last appeals, and the phrases of its script.
CALL = """
    SELECT json_build_object(
        'call', to_json(call),
        'client', to_json(client),
        'city', (SELECT city.name FROM service_centers_city AS city WHERE city.id = client.city_id),
        'phones', (
            SELECT json_agg(phone ORDER BY phone.position)
            FROM tickets_clientphone AS phone WHERE phone.client_id = client.id
        ),
        'accounts', (
            SELECT json_agg(json_build_object('number', account.number, 'appliances', (
                SELECT json_agg(appliance) FROM tickets_appliance AS appliance WHERE appliance.account_id = account.id
            )))
            FROM tickets_account AS account WHERE account.client_id = client.id
        ),
        'appeals', (
            SELECT json_agg(latest) FROM (
                SELECT number, kind, state, topic_id, description, registered_at
                FROM tickets_appeal WHERE client_id = client.id ORDER BY registered_at DESC, id DESC LIMIT 5
            ) AS latest
        ),
        'script', (
            SELECT json_agg(phrase.text) FROM calls_phrase AS phrase WHERE phrase.version_id = call.script_version_id
        )
    )::text
    FROM calls_call AS call LEFT JOIN tickets_client AS client ON client.id = call.client_id
    WHERE call.id = %s
"""

_CARD = """
    json_build_object(
        'id', client.id, 'last_name', client.last_name, 'first_name', client.first_name,
        'middle_name', client.middle_name, 'city', city.name, 'address', client.address,
        'phones', (SELECT json_agg(e164 ORDER BY position) FROM tickets_clientphone WHERE client_id = client.id),
        'accounts', (SELECT json_agg(number) FROM tickets_account WHERE client_id = client.id)
    )
"""
# `%%>` has the threshold of the search (bench's database is set to it), so both ask the same of the same index.
BY_NAME = f"""
    SELECT coalesce(json_agg({_CARD} ORDER BY likeness DESC), '[]')::text
    FROM (
        SELECT *, strict_word_similarity(%s, folded_name) AS likeness
        FROM tickets_client WHERE folded_name %%> %s ORDER BY likeness DESC, id LIMIT 20
    ) AS client
    LEFT JOIN service_centers_city AS city ON city.id = client.city_id
"""
BY_NUMBER = f"""
    SELECT coalesce(json_agg({_CARD}), '[]')::text
    FROM tickets_client AS client LEFT JOIN service_centers_city AS city ON city.id = client.city_id
    WHERE client.id IN (SELECT client_id FROM tickets_clientphone WHERE digits LIKE %s ORDER BY id DESC LIMIT 20)
"""
# All that registering leaves behind: the appeal, its assignment, two entries of the journal; the histories by trigger.
REGISTER = """
    WITH appeal AS (
        INSERT INTO tickets_appeal (
            number, kind, state, client_id, account_id, appliance_id, city_id, description, outcome, full_name, phone,
            city_text, address, brand_id, category_id, model_text, model_source, serial_number, purchase_date,
            purchase_date_source, store, store_source, verdict, verdict_reason, is_paid, no_center_reason,
            no_center_note, registered_at, registered_by_id, state_changed_at, version
        )
        SELECT nextval('tickets_appeal_number_seq'), 'repair', 'assigned', client.id, account.id, appliance.id,
            client.city_id, %(description)s, '', concat_ws(' ', client.last_name, client.first_name,
            client.middle_name), (SELECT min(e164) FROM tickets_clientphone WHERE client_id = client.id), '',
            client.address, appliance.brand_id, appliance.category_id, appliance.model_text, 'nameplate',
            appliance.serial_number, appliance.purchase_date, appliance.purchase_date_source, appliance.store,
            'documents', 'unknown', 'no_rule', false, '', '', now(), %(actor)s, now(), 1
        FROM tickets_client AS client
        JOIN tickets_account AS account ON account.client_id = client.id AND account.is_main
        JOIN tickets_appliance AS appliance ON appliance.account_id = account.id
        WHERE client.id = %(client)s
        RETURNING id, number
    ), assignment AS (
        INSERT INTO tickets_assignment (appeal_id, service_center_id, state, reasons, assigned_at, assigned_by_id, note)
        SELECT id, %(center)s, 'offered', '[]', now(), %(actor)s, '' FROM appeal
    ), journal AS (
        INSERT INTO tickets_appealevent (appeal_id, code, at, actor_id, data)
        SELECT id, code, now(), %(actor)s, '{}' FROM appeal, unnest(ARRAY['registered', 'assigned']) AS code
    )
    SELECT json_build_object('number', number)::text FROM appeal
"""


def _answer(sql: str, params: Any) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return HttpResponse(cursor.fetchone()[0], content_type="application/json")


def call(request: HttpRequest, pk: int) -> HttpResponse:
    return _answer(CALL, [pk])


def by_name(request: HttpRequest) -> HttpResponse:
    text = request.GET["q"].lower().replace("ё", "е")
    return _answer(BY_NAME, [text, text])


def by_number(request: HttpRequest) -> HttpResponse:
    digits = "".join(filter(str.isdigit, request.GET["q"]))
    return _answer(BY_NUMBER, [f"%{digits}%"])


def register(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        return _answer(REGISTER, json.loads(request.body))


def notify(request: HttpRequest) -> HttpResponse:
    return _answer(f"SELECT pg_notify('{CHANNEL}', %s)::text", [request.body.decode()])


urlpatterns = [
    path("bare/calls/<int:pk>/", call),
    path("bare/clients/by-name/", by_name),
    path("bare/clients/by-number/", by_number),
    path("bare/appeals/", register),
    path("bare/notify/", notify),
]
