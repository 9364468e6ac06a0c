"""What a task that fails leaves in the log."""

from __future__ import annotations

import logging

import pytest
from django.db import InterfaceError, OperationalError

from hotline.base import tasks


@pytest.mark.parametrize(
    ("error", "level", "traceback"),
    [
        (OperationalError("connection refused"), "INFO", False),
        (InterfaceError("connection already closed"), "INFO", False),
        (ValueError("a fault of ours"), "ERROR", True),
    ],
)
def test_a_database_that_is_away_is_one_line_and_a_fault_of_ours_is_traced(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, level: str, traceback: bool
) -> None:
    def fail(name: str) -> None:
        raise error

    monkeypatch.setattr(tasks, "beat", fail)
    with caplog.at_level(logging.INFO, "celery.app.trace"):
        assert tasks.heartbeat.apply().failed()
    [record] = [record for record in caplog.records if record.name == "celery.app.trace"]
    assert (record.levelname, bool(record.exc_info)) == (level, traceback)
