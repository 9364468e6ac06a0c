"""The Celery application. The broker may lose everything: the database alone is the truth (docs/sms.md)."""

import os
from typing import Any

from celery import Celery, Task
from celery.signals import beat_init, setup_logging, worker_init
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hotline.settings")


class OneLineTask(Task):
    """A database that is away is a line in the log, not a traceback for every task of a backlog: /readyz says the rest,
    and what was not done the sweep finds again.
    """

    throws = (OperationalError, InterfaceError)


app = Celery("hotline", task_cls=OneLineTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logs(**_: Any) -> None:
    """Celery's own lines would carry personal data in tracebacks; Django's LOGGING is set up already."""


@worker_init.connect
@beat_init.connect
def refuse_unsafe_settings(**_: Any) -> None:
    """Celery runs the system checks and throws their answer away: here an error ends the process, with its words."""
    from hotline.base.checks import refuse_unsafe

    try:
        refuse_unsafe()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None  # an Exception would be logged by the signal, and forgotten


@worker_init.connect
def without_pool(sender: Any = None, **_: Any) -> None:
    """Processes of a worker need no connection pool: each does one task at a time.

    None must be inherited across fork, and Celery throws a process's own away after every task. Threads share one pool.
    """
    from django.conf import settings
    from django.db import connections

    kind = getattr(sender, "pool_cls", "prefork")
    if "prefork" not in (kind if isinstance(kind, str) else kind.__module__):
        return
    for connection in connections.all(initialized_only=True):
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
    for database in settings.DATABASES.values():
        database.get("OPTIONS", {}).pop("pool", None)
