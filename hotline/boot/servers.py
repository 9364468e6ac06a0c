"""The database and the broker that a command needs: those named in the environment, else embedded ones in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hotline.boot.broker import Broker
from hotline.boot.places import BootError
from hotline.boot.postgres import Postgres


@dataclass
class Servers:
    """`environment` is what processes that use the servers must be given."""

    environment: dict[str, str]
    embedded: list[tuple[str, Postgres | Broker, Path]] = field(default_factory=list)

    def check(self) -> None:
        """Raises BootError where an embedded server has died."""
        for name, server, log in self.embedded:
            if not server.running:
                raise BootError(f"{name} has stopped by itself, its log is {log}: run make again")


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Embedded servers in `folder` for what DATABASE_URL and CELERY_BROKER_URL do not name; all stopped at the end."""
    started = Servers({})
    with ExitStack() as stack:
        if not os.environ.get("DATABASE_URL"):
            log = folder / "log" / "postgres.log"
            postgres = Postgres(folder / "postgres", log)
            started.environment["DATABASE_URL"] = stack.enter_context(postgres)
            started.embedded.append(("the database server", postgres, log))
        if not os.environ.get("CELERY_BROKER_URL"):
            log = folder / "log" / "broker.log"
            broker = Broker(folder / "broker", log)
            started.environment["CELERY_BROKER_URL"] = stack.enter_context(broker)
            started.embedded.append(("the broker", broker, log))
        yield started
