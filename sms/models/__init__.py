"""Templates, messages and what is known of numbers. A leaf: no appeals here.

A message is a row before it is anything else: the outbox. States and the at-most-once promise: docs/sms.md.
"""

from sms.models.gateways import GatewayState, OutboxHome
from sms.models.messages import SmsMessage, SmsPart, SmsReceipt, SmsStateChange
from sms.models.numbers import Consent, DeniedCode, OptOut
from sms.models.templates import Category, SmsTemplate

__all__ = [
    "Category",
    "Consent",
    "DeniedCode",
    "GatewayState",
    "OptOut",
    "OutboxHome",
    "SmsMessage",
    "SmsPart",
    "SmsReceipt",
    "SmsStateChange",
    "SmsTemplate",
]
