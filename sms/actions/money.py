"""What is left at the gateways, where they tell."""

from __future__ import annotations

import structlog
from django.db.models.functions import Now

from sms import gateways
from sms.gateways import routing
from sms.models import GatewayState

log = structlog.get_logger(__name__)


def check_balances() -> dict[str, str]:
    """Ask each gateway in use that tells its balance; no transaction is open meanwhile. Returns what each said."""
    told = {}
    for name in routing.in_use():
        gateway = gateways.by_name(name)
        if not gateway.capabilities.balance:
            continue
        balance = gateway.fetch_balance()
        told[name] = "" if balance is None else str(balance)
        state, _created = GatewayState.objects.get_or_create(name=name)
        if balance is None:
            log.warning("sms_balance_unknown", gateway=name)
            GatewayState.objects.filter(pk=state.pk, problem="").update(problem="no_balance", problem_at=Now())
        else:
            GatewayState.objects.filter(pk=state.pk).update(
                balance=balance, balance_at=Now(), problem="", problem_at=None
            )
    return told
