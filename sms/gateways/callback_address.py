"""Where a gateway calls us back. Each has a secret of its own, made from the one of the settings.

So what one gateway (or whoever reads its logs) knows opens nobody else's door.
"""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings
from django.urls import reverse

# Of the gateway's secret: letters and digits, half of a SHA-256.
_LENGTH = 32


def secret_of(gateway: str) -> str:
    """The secret part of a gateway's address; "" where the settings name no secret, and nobody may call back."""
    if not settings.SMS_CALLBACK_SECRET:
        return ""
    made = hmac.new(settings.SMS_CALLBACK_SECRET.encode(), gateway.encode(), hashlib.sha256)
    return made.hexdigest()[:_LENGTH]


def address_of(gateway: str) -> str:
    """The whole address; "" where the settings name no secret or not what stands before it."""
    if not (settings.SMS_CALLBACK_ORIGIN and settings.SMS_CALLBACK_SECRET):
        return ""
    return settings.SMS_CALLBACK_ORIGIN.rstrip("/") + reverse("api:sms-callback", args=[gateway, secret_of(gateway)])
