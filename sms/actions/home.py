"""After a restore the outbox starts held: what the copy calls queued may have been sent after it was made.

A database knows itself by its cluster, its timeline (a promoted standby or a point-in-time recovery begins a new one),
its own oid (a dump that was read in is another database) and that of the table of messages (`pg_restore --clean` makes
it anew). The outbox hands over only where that is still what it was; else a person looks, and releases it.

The timeline is the one that the log is written on: the control file names the new one only with the checkpoint after a
promotion, minutes later.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import Exists, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from hotline.base import live
from hotline.base.actions import verb
from hotline.operators.models import User
from hotline.operators.roles import require
from sms.models import OutboxHome, SmsMessage

IDENTITY = (
    "(SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),"
    " (SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int),"
    " (SELECT oid FROM pg_database WHERE datname = current_database()),"
    " 'sms_smsmessage'::regclass::oid))"
)


def move_in() -> None:
    """A new database is where the outbox is at home: said with its first message, so that no copy is without."""
    if not OutboxHome.objects.exists():
        OutboxHome.objects.bulk_create([OutboxHome(identity=_identity())], ignore_conflicts=True)


def only_at_home(messages: QuerySet[SmsMessage]) -> QuerySet[SmsMessage]:
    """Nothing, where this database is a restored copy."""
    move_in()
    return messages.filter(Exists(OutboxHome.objects.filter(identity=RawSQL(IDENTITY, []))))  # noqa: S611 - a constant


def is_held() -> bool:
    """Does the outbox wait for somebody to say that this restored copy may send? Two queries."""
    home = OutboxHome.objects.first()
    return home is not None and home.identity != _identity()


@verb
def release_outbox(*, actor: User | None) -> None:
    """From now on this database may send: somebody has looked at what waits in it. Said twice it is said once.

    Raises Forbidden.
    """
    require(actor, "sms.decide_message")
    home = OutboxHome.objects.select_for_update().first()
    if home is None or home.identity == _identity():
        return
    OutboxHome.objects.filter(pk=home.pk).update(identity=_identity(), since=Now(), released_by=actor)
    live.publish(topic="sms", pk=0)


def _identity() -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {IDENTITY}")
        return str(cursor.fetchone()[0])
