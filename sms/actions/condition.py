"""How the gateways are found to be: what is left at them, where they tell, and what was wrong with them at last.

For people only: nothing is decided by it. A problem is over once the gateway answers as it should.
"""

from __future__ import annotations

import structlog
from django.db.models import Q
from django.db.models.functions import Now

from hotline.base.actions import verb
from sms import gateways
from sms.gateways import routing
from sms.gateways.base import Accepted, NotSubmitted, Outcome, Rejected
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
        if balance is None:
            log.warning("sms_balance_unknown", gateway=name)
            _note_problem(name, "no_balance", over=Q(problem=""))
        else:
            GatewayState.objects.update_or_create(name=name, defaults={"balance": balance, "balance_at": Now()})
            # That it is reached and knows us is shown by its answer; that there is money, by the next message only.
            _note_well(name, ~Q(problem="no_money"))
    return told


def note_outcome(gateway: str, outcome: Outcome) -> None:
    """What came of handing a message over, as far as that is news of the gateway; in the caller's transaction."""
    if isinstance(outcome, Accepted | Rejected):
        _note_well(gateway)
    elif outcome.is_down if isinstance(outcome, NotSubmitted) else outcome.reason.startswith(("no_answer", "http_")):
        _note_problem(gateway, outcome.reason)


@verb
def note_link(*, gateway: str, problem: str) -> None:
    """A process of its own could not bind to this gateway (`problem` is a reason code), or could: ""."""
    if problem:
        _note_problem(gateway, problem)
    else:
        _note_well(gateway)


def _note_problem(gateway: str, problem: str, over: Q | None = None) -> None:
    """Of the same problem it is kept since when; `over`: only over such a one."""
    state, _created = GatewayState.objects.get_or_create(name=gateway)
    noted = GatewayState.objects.filter(over or Q(), pk=state.pk).exclude(problem=problem[:60])
    noted.update(problem=problem[:60], problem_at=Now())


def _note_well(gateway: str, which: Q | None = None) -> None:
    GatewayState.objects.filter(which or Q(), pk=gateway).exclude(problem="").update(problem="", problem_at=None)
