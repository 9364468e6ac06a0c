"""Folders for servers of their own: pytest's are closed to `nobody`, as whom PostgreSQL runs under root."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline.boot import postgres


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that every user may enter, its name with a space and a letter that is not ASCII."""
    made = Path(tempfile.mkdtemp(prefix="hotline-test-"))
    made.chmod(0o755)
    inner = made / "моя data"
    inner.mkdir()
    yield inner
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where root would keep what `nobody` must reach: not the machine's own folder."""
    made = Path(tempfile.mkdtemp(prefix="hotline-shared-"))
    made.chmod(0o755)
    monkeypatch.setattr(postgres, "SHARED", made / "hotline")
    yield made / "hotline"
    shutil.rmtree(made, ignore_errors=True)
