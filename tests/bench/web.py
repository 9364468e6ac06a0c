"""The web process that is measured: uvicorn, as in production, with the bare views beside Hotline."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from tests.servers import WebServer


class BenchServer(WebServer):
    """One process, one pool of connections, settings as they come."""

    def __init__(self, folder: Path) -> None:
        super().__init__(settings.DATABASES["default"], folder, HOTLINE_DB_POOL_MAX="12", HOTLINE_LOG_LEVEL="INFO")
        self.arguments = ["tests.bench.application:application" if ":" in word else word for word in self.arguments]
