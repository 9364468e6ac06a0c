"""Who may do what with the exchange, the screen-pop and calls over the API."""

from __future__ import annotations

from typing import Any

from tests.calls.factories import CallFactory
from tests.matrix import ANYONE, MACHINE, OWNER, STAFF, SUPERVISOR, Line, World


def own_call(world: World) -> dict[str, Any]:
    return {"pk": CallFactory(wrap_up=True, operator=world.operator).pk}


LINES = {
    "calls:incoming": Line(STAFF),
    "calls:switch": Line(OWNER | SUPERVISOR, "POST", kwargs=own_call),
    "calls:exchange": Line(STAFF),
    "calls:exchange-lines": Line(STAFF),
    "calls:exchange-dock": Line(STAFF),
    "calls:exchange-keys": Line(STAFF),
    "calls:exchange-act": Line(STAFF, "POST", data=lambda world: {"act": "ring", "number": "+79161234567"}),
    # The token in the address is the key, whoever brings it.
    "api:telephony-generic": Line(
        ANYONE,
        "POST",
        kwargs=lambda world: {"token": world.token},
        data=lambda world: {"event": "newCall", "callId": "m-1", "from": "+79161234567", "direction": "in"},
        public=True,
    ),
    "api:calls-list": Line(STAFF | MACHINE),
    "api:calls-detail": Line(OWNER | SUPERVISOR | MACHINE, kwargs=own_call),
    "api:calls-events": Line(OWNER | SUPERVISOR | MACHINE, kwargs=own_call),
}
