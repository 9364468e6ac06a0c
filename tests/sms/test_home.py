"""A restored copy of the database sends nothing until somebody says so: what it calls queued may have gone since."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg
import pytest
from django.db import connection

from hotline.base.errors import Forbidden
from hotline.boot.postgres import Postgres
from hotline.operators.models import Role
from sms.actions import claim, claim_parts, is_held, queue_message, release_outbox, sweep
from sms.actions.home import IDENTITY
from sms.checks import outbox
from sms.models import OutboxHome, SmsMessage
from tests.helpers import race
from tests.sms.factories import MOBILE, message, person

S = SmsMessage.State


@pytest.fixture
def restored(db: None) -> None:
    """As if this database had been read in from a dump of another."""
    first = message(S.DELIVERED)
    assert first.pk
    OutboxHome.objects.create(identity="7000000000000000001/1/16384")


@pytest.mark.django_db
def test_a_new_database_is_at_home() -> None:
    assert not is_held()
    assert claim(pk=message().pk) is not None
    home = OutboxHome.objects.get()
    cluster, timeline, database, table = home.identity.split("/")
    assert (cluster.isdecimal(), int(timeline) >= 1, database.isdecimal(), table.isdecimal()) == (True,) * 4
    assert not is_held()


@pytest.mark.django_db
def test_a_copy_made_before_anything_was_sent_knows_where_it_comes_from() -> None:
    queue_message(action_id=uuid4(), to=MOBILE, text="Заявка №1", actor=person())
    assert OutboxHome.objects.update(identity="7000000000000000001/1/16384/1") == 1
    assert is_held()
    assert claim(pk=SmsMessage.objects.get().pk) is None


@pytest.mark.django_db
def test_a_dump_that_was_read_in_over_the_same_database_is_a_copy() -> None:
    """`pg_restore --clean`: cluster, timeline and database are the same, the tables are made anew."""
    assert claim(pk=message().pk) is not None
    row = message()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE sms_smsmessage RENAME TO sms_smsmessage_before")
        cursor.execute("CREATE TABLE sms_smsmessage AS TABLE sms_smsmessage_before")
    assert is_held()
    assert claim(pk=row.pk) is None


@pytest.mark.usefixtures("restored")
def test_nothing_leaves_a_restored_copy(enqueued: list[tuple[str, int]], settings: Any) -> None:
    row = message()
    assert is_held()
    assert claim(pk=row.pk) is None
    assert claim_parts(gateway="development", lease=timedelta(seconds=60), most=10) == []
    sweep()
    assert enqueued == []
    row.refresh_from_db()
    assert (row.state, row.attempts) == (S.QUEUED, 0)
    assert (outbox().ready, outbox().facts["held"]) == (True, True)


@pytest.mark.usefixtures("restored")
def test_somebody_looks_and_releases_it(
    enqueued: list[tuple[str, int]], django_capture_on_commit_callbacks: Any
) -> None:
    row, supervisor = message(), person("chief", role=Role.SUPERVISOR)
    release_outbox(actor=supervisor)
    release_outbox(actor=None)
    with pytest.raises(Forbidden):
        release_outbox(actor=person())
    assert not is_held()
    assert OutboxHome.objects.get().released_by == supervisor
    with django_capture_on_commit_callbacks(execute=True):
        sweep()
    assert enqueued == [("submit", row.pk)]
    assert claim(pk=row.pk) is not None


@pytest.mark.django_db(transaction=True)
def test_many_first_claims_at_once_move_in_once() -> None:
    rows = [message() for _ in range(4)]
    won = race(*[lambda pk=row.pk: claim(pk=pk) for row in rows])
    assert all(won)
    assert OutboxHome.objects.count() == 1


@pytest.mark.django_db
def test_a_plain_role_may_ask_where_it_is() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE plain_for_a_test")
        cursor.execute("SET LOCAL ROLE plain_for_a_test")
        cursor.execute("SELECT system_identifier FROM pg_control_system()")
        assert cursor.fetchone()[0]
        cursor.execute("SELECT pg_walfile_name(pg_current_wal_lsn())")
        assert cursor.fetchone()[0]
        cursor.execute("RESET ROLE")
        cursor.execute("DROP ROLE plain_for_a_test")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Open to `nobody`, as whom PostgreSQL runs under root."""
    made = Path(tempfile.mkdtemp(prefix="hotline-home-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_a_standby_that_is_promoted_is_another_home_from_its_first_moment(folder: Path) -> None:
    """Its control file names the new timeline only with the next checkpoint, minutes later where much is to be kept."""
    server = Postgres(folder / "postgres", folder / "postgres.log")
    ask = f"SELECT {IDENTITY}, (SELECT timeline_id FROM pg_control_checkpoint())"
    with server as url, psycopg.connect(url, autocommit=True) as database:
        database.execute("CREATE TABLE sms_smsmessage AS SELECT repeat('Ж', 900) FROM generate_series(1, 20000)")
        before = database.execute(ask).fetchone()
        psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0])).send_signal(signal.SIGQUIT)
    (server.data / "standby.signal").touch()
    with server as url, psycopg.connect(url, autocommit=True) as database:
        assert database.execute("SELECT pg_promote()").fetchone() == (True,)
        after = database.execute(ask).fetchone()
    assert before is not None
    assert after is not None
    cluster, _timeline, oids = before[0].split("/", 2)
    assert before == (f"{cluster}/1/{oids}", 1)
    assert after == (f"{cluster}/2/{oids}", 1)
