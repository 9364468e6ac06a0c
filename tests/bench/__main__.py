"""`make bench`: how long the main things take at 100,000 clients, as a ratio to bare Django in the same run; and SMS.

    make bench                           100,000 clients and 10,000 SMS, some minutes
    make bench ARGS="--clients 5000"     a quick look
    make bench ARGS="--only sms"         the SMS alone (or: pages)

A database of its own, `bench_<the one named by DATABASE_URL>`, is made for it and dropped at the end; what was left by
a run that was killed is dropped first. Exit code 1: a screen-pop above half a second, a page that is answered
with an error in a crowd, a search that reads a table whole, or an SMS that was lost or sent twice. What the figures
mean: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=100_000, help="how many cards (default: 100000)")
    parser.add_argument("--rounds", type=int, default=40, help="requests of each side in each case (default: 40)")
    parser.add_argument("--rings", type=int, default=15, help="calls that ring (default: 15)")
    parser.add_argument("--messages", type=int, default=10_000, help="SMS of each case (default: 10000)")
    parser.add_argument("--seed", type=int, default=20261125, help="of the moments at which SMS are disturbed")
    parser.add_argument("--only", choices=["pages", "sms"], help="one half of it")
    asked = parser.parse_args(arguments)
    if asked.clients < 1000 or asked.rounds < 1 or asked.rings < 1 or asked.messages < 500:
        parser.error("at least 1000 clients, one round, one ring and 500 messages")
    if "DATABASE_URL" not in os.environ:
        parser.error("DATABASE_URL names no server: start it with `make bench`, which brings its own")
    with database_of_its_own(), tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
        prepare(Path(folder))
        code = 0
        if asked.only != "sms":
            code |= run(asked.clients, asked.rounds, asked.rings, Path(folder))
        if asked.only != "pages":
            code |= run_messages(asked.messages, asked.seed, Path(folder))
        return code


@contextmanager
def database_of_its_own() -> Iterator[None]:
    """DATABASE_URL names a new, empty database until the end."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    name = f"bench_{parts.path.strip('/')}"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    create = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name))
    server = urlunsplit(parts._replace(path="/postgres"))
    for statement in (drop, create):
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(statement)
    os.environ["DATABASE_URL"] = urlunsplit(parts._replace(path=f"/{name}"))
    try:
        yield
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(drop)


def prepare(folder: Path) -> None:
    """Django, with the new database."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "hotline.settings",
        "HOTLINE_DEMO": "1",
        "HOTLINE_DATA": str(folder),
        "HOTLINE_DB_POOL_MAX": "0",  # of this process; the web process has its pool
        "HOTLINE_LOG_LEVEL": "WARNING",
    }
    import django

    django.setup()


def run(clients: int, rounds: int, rings: int, folder: Path) -> int:
    from django.db import connection

    from tests.bench import cases, report
    from tests.bench import rings as screen_pop
    from tests.bench.scene import build
    from tests.bench.web import BenchServer

    say(f"filling a database with {clients:,} clients")
    begun = time.monotonic()
    scene = build(clients)
    connection.close()  # the settings of the database count from the next connection on
    say(f"filled in {time.monotonic() - begun:.0f} s; measuring")
    server = BenchServer(folder)
    server.start()
    try:
        cases.check_answers(scene, server.port)
        figures = [cases.measure(case, server.port, rounds) for case in cases.cases(scene)]
        rung = asyncio.run(screen_pop.measure(scene, server.port, rings))
    except BaseException:
        sys.stderr.write(server.log[-4000:])
        raise
    finally:
        server.stop()
    plans = {text: cases.plan_of(text) for text in cases.searched(scene)}
    connection.close()
    version = f"{connection.pg_version // 10000}"
    sys.stdout.write(report.text(clients, figures, rung, plans, machine=f"{machine()}, PostgreSQL {version}") + "\n")
    return report.exit_code(rung, plans)


def run_messages(messages: int, seed: int, folder: Path) -> int:
    from django.core.management import call_command
    from django.db import connection

    from tests.bench import messages as sms

    call_command("migrate", interactive=False, verbosity=0)
    figures = sms.measure(folder, messages, seed, say)
    connection.close()
    version = f"{connection.pg_version // 10000}"
    sys.stdout.write(sms.text(figures, machine=f"{machine()}, PostgreSQL {version}") + "\n")
    return int(bool(figures.faults))


def machine() -> str:
    """What the figures were measured on, and how busy it was with other things."""
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} CPUs, load {load}, Python {platform.python_version()}"


def say(text: str) -> None:
    sys.stdout.write(f"bench: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
