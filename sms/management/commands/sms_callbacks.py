"""Where gateways call back: `manage.py sms_callbacks`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sms import gateways
from sms.gateways import callback_address, routing


class Command(BaseCommand):
    help = (
        "Print the address that each gateway in use calls back, as it is entered in its account. "
        "It holds the gateway's secret: whoever knows it may say what became of its messages."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SMS_CALLBACK_SECRET:
            raise CommandError("HOTLINE_SMS_CALLBACK_SECRET is empty: no gateway may call back.")
        if not settings.SMS_CALLBACK_ORIGIN:
            raise CommandError("HOTLINE_SMS_CALLBACK_ORIGIN is empty: nobody knows what our own address begins with.")
        for name in routing.in_use():
            gateway = gateways.by_name(name)
            if gateway.capabilities.callback:
                self.stdout.write(f"{name}\t{gateway.registered_address(callback_address.address_of(name))}")
