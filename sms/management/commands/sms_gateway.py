"""The development gateway: `manage.py sms_gateway`."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.gateways.development_server import ANSWERS, MAX_DELAY_MS, serve


class Command(BaseCommand):
    help = (
        "Run the development SMS gateway: a process of its own on 127.0.0.1 that takes messages, keeps them in a log "
        f"and sends nothing anywhere. How it answers ({', '.join(ANSWERS)}) is set on the page «what was sent»."
    )
    # It needs neither the database nor the rest of the house.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        port = urlsplit(settings.SMS_DEVELOPMENT_URL).port or 8025
        parser.add_argument("--port", type=int, default=port, help="port on 127.0.0.1; 0: any free one")
        parser.add_argument("--delay", type=int, default=0, metavar="MS", help="milliseconds before each answer")
        parser.add_argument(
            "--log", type=Path, default=settings.DATA_DIR / "sms_gateway.jsonl", help="where messages are kept"
        )

    def handle(self, *args: Any, port: int, delay: int, log: Path, **options: Any) -> None:
        if not (settings.DEMO or settings.DEBUG):
            raise CommandError(
                "The development SMS gateway runs in demo mode only (HOTLINE_DEMO=1): it delivers to nobody."
            )
        if not 0 <= delay <= MAX_DELAY_MS:
            raise CommandError(f"--delay is between 0 and {MAX_DELAY_MS} milliseconds.")
        try:
            serve(port=port, log=log, delay_ms=delay, say=self.stdout.write)
        except OverflowError as error:
            raise CommandError("--port is between 0 and 65535.") from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(
                    f"Port {port} is in use; choose another with --port and HOTLINE_SMS_DEVELOPMENT_URL."
                ) from error
            raise CommandError(f"The development SMS gateway can't start: {error}") from error
