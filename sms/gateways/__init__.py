"""Gateways by name. HOTLINE_SMS_GATEWAYS chooses, in order; none: SMS are switched off and everything is dictated.

Nothing is imported until it is asked for: the development gateway's own process lives in this package, without Django.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sms.gateways.base import Gateway

GATEWAYS = {
    "development": "sms.gateways.development.DevelopmentGateway",
    "smpp": "sms.gateways.smpp.SmppGateway",
    "smsc": "sms.gateways.smsc.SmscGateway",
    "smsaero": "sms.gateways.smsaero.SmsAeroGateway",
    "smsru": "sms.gateways.smsru.SmsRuGateway",
}


def by_name(name: str) -> Gateway:
    """Raises KeyError on a name that is not in GATEWAYS; the system checks say so at start."""
    from django.utils.module_loading import import_string

    gateway: Gateway = import_string(GATEWAYS[name])()
    return gateway
