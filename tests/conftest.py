"""Fixtures that every room's tests share. The settings are tests/settings.py."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import flush
from tests.servers import WebServer

flush.install()

# Chromium by what Debian, Ubuntu, Fedora and Google call it.
CHROMIUM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_CHROMIUM = "no Chromium here (apt-get install chromium), browser tests are skipped"


def find_chromium() -> str | None:
    """The machine's Chromium, or the one that `playwright install` fetched; None where there is neither."""
    for name in CHROMIUM_NAMES:
        if found := shutil.which(name):
            return found
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache" / "ms-playwright"))
    return next((str(path) for path in sorted(cache.glob("chromium-*/chrome-linux*/chrome"), reverse=True)), None)


NO_NODE = "no Node.js and npm here (apt-get install nodejs npm), tests with an SMPP centre are skipped"


def has_node() -> bool:
    return bool(shutil.which("node") and shutil.which("npm"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests of one module stay on one worker; without a Chromium they are skipped, in CI that fails the run.

    The same for tests with an SMPP centre, without Node.js.
    """
    missing = find_chromium() is None
    for item in items:
        if item.get_closest_marker("smpp") and not has_node() and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason=NO_NODE))
        if not item.get_closest_marker("browser"):
            continue
        item.add_marker(pytest.mark.xdist_group(f"browser {item.path.stem}"))
        if missing and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


_skipped_in_ci: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    needed = "browser" in report.keywords or "smpp" in report.keywords
    if os.environ.get("CI") and report.skipped and needed and not hasattr(report, "wasxfail"):
        _skipped_in_ci.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skipped_in_ci:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for node in _skipped_in_ci:
        terminalreporter.write_line(f"skipped, which fails a run in CI: {node}", red=True)


def pytest_report_header() -> list[str]:
    return [f"chromium: {find_chromium() or NO_CHROMIUM}", f"node: {shutil.which('node') if has_node() else NO_NODE}"]


# --- The browser ----------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the machine's own Chromium: nothing is downloaded."""
    executable = find_chromium()
    if executable is None:
        pytest.fail(NO_CHROMIUM.replace("are skipped", "can't run"))
    return {**browser_type_launch_args, "executable_path": executable, "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """The operator's screen: 1366×768, Russian, Moscow."""
    return {
        **browser_context_args,
        "viewport": {"width": 1366, "height": 768},
        "locale": "ru-RU",
        "timezone_id": "Europe/Moscow",
    }


# --- Servers --------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def _web_server(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebServer]:
    """One web process for the whole run: it needs the test database's name, which exists from here on."""
    from django.conf import settings

    server = WebServer(settings.DATABASES["default"], tmp_path_factory.mktemp("web"))
    yield server
    server.stop()


@pytest.fixture
def asgi_server(_web_server: WebServer, transactional_db: None) -> WebServer:
    """A real web process (uvicorn, /live/ included) on the test database; `.url` is its address.

    Rows that a test makes are committed, and gone after it. A test may `.kill()` the process and `.start()` it again:
    the address stays the same. What it logged is in `.log`.
    """
    _web_server.ensure()
    return _web_server


@pytest.fixture(scope="session", autouse=True)
def _own_queues(request: pytest.FixtureRequest) -> Iterator[None]:
    """This worker's queues on the broker begin empty and are gone in the end, where a test uses them at all."""
    used = any(item.get_closest_marker("broker") for item in request.session.items)
    if used:
        _delete_queues()
    yield
    if used:
        _delete_queues()


def _delete_queues() -> None:
    from hotline.celery import app

    with app.connection_for_write() as connection, connection.channel() as channel:
        for queue in app.amqp.queues.values():
            bound = queue(channel)
            bound.declare()
            bound.delete()
