"""Who may do what of SMS."""

from __future__ import annotations

from uuid import uuid4

from sms.models import SmsMessage
from tests.matrix import ANYONE, MACHINE, STAFF, Line, World
from tests.sms import factories


def someones(world: World) -> dict[str, int]:
    """A message that an operator sent: a machine does not see it."""
    return {"pk": factories.message(requested_by=world.operator).pk}


def machines_own(world: World) -> dict[str, int]:
    return {"pk": factories.message(SmsMessage.State.ACCEPTED, requested_by=world.integration).pk}


def template(world: World) -> dict[str, str]:
    return {"code": factories.template().code}


# A gateway that is in use, and may call back.
CALLED_BACK = {"SMS_GATEWAYS": ["smsru"], "SMS_CALLBACK_SECRET": "a0" * 12}
# HMAC-SHA-256 of the gateway's name under it, the first 32 digits.
SECRET_OF_SMSRU = "1f8cb29b5b89a04539639221655c5818"

LINES = {
    "sms:state": Line(STAFF, kwargs=someones),
    # The gateway does not run here: the page says so.
    "sms:sent": (Line(STAFF), Line(STAFF, "POST", data=lambda world: {"answer": "deliver", "delay_ms": "0"})),
    "api:sms-messages-list": (
        Line(STAFF | MACHINE),
        Line(
            STAFF | MACHINE,
            "POST",
            data=lambda world: {"action_id": str(uuid4()), "to": factories.MOBILE, "text": "Заявка №1"},
        ),
    ),
    "api:sms-messages-detail": (Line(STAFF, kwargs=someones), Line(STAFF | MACHINE, kwargs=machines_own)),
    "api:sms-templates-list": Line(STAFF | MACHINE),
    "api:sms-templates-detail": Line(STAFF | MACHINE, kwargs=template),
    "api:sms-eligibility-list": Line(STAFF | MACHINE, query=lambda world: {"number": "89160000101"}),
    "api:sms-preview-list": Line(STAFF | MACHINE, "POST", data=lambda world: {"text": "Заявка №1"}),
    # The secret in the address is the key, whoever brings it; that the body is no receipt is judged then.
    "api:sms-callback": Line(
        ANYONE,
        "POST",
        kwargs=lambda world: {"gateway": "smsru", "secret": SECRET_OF_SMSRU},
        public=True,
        settings=CALLED_BACK,
    ),
}
