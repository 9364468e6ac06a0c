"""The SMPP transceiver: `manage.py smpp`."""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from hotline.base.checks import refuse_unsafe
from sms.gateways import routing
from sms.smpp.handover import Limits
from sms.smpp.process import GATEWAY, Process
from sms.smpp.session import Centre, tls_context


class Command(BaseCommand):
    help = (
        "Hold a connection to the SMPP centre, hand over the messages that wait for it and keep its receipts. "
        "Runs until SIGTERM; many may run at once."
    )
    requires_system_checks: list[str] = []  # `refuse_unsafe` runs them, those of the database too

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--silence", type=float, default=30.0, metavar="S", help="seconds of silence before an enquire_link"
        )
        parser.add_argument(
            "--grace", type=float, default=15.0, metavar="S", help="seconds for answers in flight after SIGTERM"
        )

    def handle(self, *args: Any, silence: float, grace: float, **options: Any) -> None:
        if GATEWAY not in routing.in_use():
            raise CommandError("HOTLINE_SMS_GATEWAYS does not name smpp: there would be nothing to hand over.")
        if silence <= 0 or grace < 0:
            raise CommandError("--silence is more than 0, --grace not less.")
        try:
            refuse_unsafe()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        centre = Centre(
            host=settings.SMPP_HOST,
            port=settings.SMPP_PORT,
            system_id=settings.SMPP_SYSTEM_ID,
            password=settings.SMPP_PASSWORD,
            system_type=settings.SMPP_SYSTEM_TYPE,
            tls=tls_context() if settings.SMPP_TLS else None,
            timeout=settings.SMS_TIMEOUT,
            silence=silence,
        )
        limits = Limits(
            window=settings.SMPP_WINDOW,
            per_second=settings.SMPP_PER_SECOND,
            timeout=settings.SMS_TIMEOUT,
            ids=settings.SMPP_RECEIPT_IDS,
        )
        asyncio.run(_run(centre, limits, grace))


async def _run(centre: Centre, limits: Limits, grace: float) -> None:
    await Process(centre, limits, grace=grace).run()
