"""Live updates: verbs publish inside their transaction, the page fetches the fragment.

Nobody here knows who listens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.db import connection

CHANNEL = "hotline"


def publish(*, topic: str, pk: int | str | None = None, users: Iterable[int] | None = None) -> None:
    """Announce that something changed, if and when this transaction commits.

    `users` are pks of those concerned, None means every signed-in member of staff. The payload carries no personal
    data; NOTIFY takes 8000 bytes at most, far more than the operators of one shift need.
    """
    payload = {"topic": topic, "pk": pk, "users": sorted(users) if users is not None else None}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps(payload, separators=(",", ":"))])
