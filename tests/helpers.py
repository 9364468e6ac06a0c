"""What tests of every room share: growth of queries, races with real connections, servers of their own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

T = TypeVar("T")

# A race that hangs has failed: nothing here waits longer than this (seconds).
PATIENCE = 60


def count_queries(function: Callable[[], Any]) -> list[str]:
    """The SQL statements that a call makes."""
    with CaptureQueriesContext(connection) as captured:
        function()
    return [query["sql"] for query in captured.captured_queries]


def assert_same_query_count(
    make_rows: Callable[[int], Any], request: Callable[[], Any], *, few: int = 2, many: int = 12
) -> None:
    """A growth test: `request` makes as many queries with `many` rows as with `few`.

    `make_rows(n)` adds n rows of what the page lists; `request` fetches the page and may return the response, which
    must then be a success. The first fetch is not counted: it fills caches (content types, sessions).
    """
    make_rows(few)
    response = request()
    assert getattr(response, "status_code", 200) == 200, f"the page answered {response.status_code}"
    before = count_queries(request)
    make_rows(many - few)
    after = count_queries(request)
    assert len(before) == len(after), f"{len(before)} queries for {few} rows, {len(after)} for {many}:\n" + "\n".join(
        _extra(before, after)
    )


def _extra(before: list[str], after: list[str]) -> list[str]:
    known = {_shape(sql) for sql in before}
    new = [sql for sql in after if _shape(sql) not in known]
    return new or after


def _shape(sql: str) -> str:
    """A statement without its literals."""
    return "".join("#" if char.isdigit() else char for char in sql)


def race(*functions: Callable[[], Any], repeat: int = 1) -> list[Any]:
    """Call all functions at the same moment, each in a thread with a connection of its own; return results in order.

    An exception is returned in its function's place, not raised: `race(a, b)` → `[appeal, IntegrityError(...)]`.
    Needs `@pytest.mark.django_db(transaction=True)`. With `repeat` the functions are called that often as a group, and
    the results of all rounds are returned in one list.
    """
    results: list[Any] = []
    for _ in range(repeat):
        results += _race_once(functions)
    return results


def _race_once(functions: tuple[Callable[[], Any], ...]) -> list[Any]:
    barrier = threading.Barrier(len(functions))
    results: list[Any] = [TimeoutError("did not finish")] * len(functions)

    def run(index: int, function: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(PATIENCE)
            results[index] = function()
        except BaseException as error:  # noqa: BLE001 - the test judges it
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return results


def run_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` in a thread of its own: once a browser has been opened, its driver's loop runs in the main one."""

    def thread() -> T:
        try:
            return asyncio.run(coroutine)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(thread).result()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
