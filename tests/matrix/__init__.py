"""The permission matrix: who may do what, one file a room, one line a URL.

How a room adds its URLs: make `tests/matrix/<room>.py` with a dict `LINES` from URL name to a `Line` (or to several,
one a method that has rights of its own):

    from tests.matrix import OWNER, STAFF, SUPERVISOR, Line, World

    def appeal(world: World) -> dict[str, int]:
        return {"pk": AppealFactory(registered_by=world.operator).pk}

    LINES = {
        "tickets:appeals": Line(STAFF),                                             # GET, no arguments
        "tickets:appeal": (Line(STAFF, kwargs=appeal),
                           Line(SUPERVISOR, "POST", kwargs=appeal, data=lambda world: {"topic": 1})),
        "calls:draft": Line(OWNER, kwargs=lambda world: {"pk": DraftFactory(owner=world.operator).pk}),
        "api:appeals-list": Line(STAFF | MACHINE),
    }

`Line.allowed` names personas, not roles: "operator" owns what the builders make for `world.operator`; "another" is a
second operator who does not. Machines come with a session on pages, and with a bearer token of every scope under
`/api/`.

What the test (tests/test_permission_matrix.py) demands of every line, for each persona on its own, in a savepoint:
- allowed: the view is reached: 2xx, 3xx that is no way back to sign-in, or a typed refusal of the input (400, 409,
  422);
- not allowed: 403 or 404; for the anonymous a redirect to sign-in, 401 or 403;
- 405 and 5xx are failures for everybody. A view that is not open to all states its `roles`.
A URL without a line, and a line without a URL, fail. The admin needs no lines: everything in it is for supervisors
only.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hotline.operators.models import User

ANONYMOUS = frozenset({"anonymous"})
OWNER = frozenset({"operator"})
OPERATORS = frozenset({"operator", "another"})
SUPERVISOR = frozenset({"supervisor"})
MACHINE = frozenset({"integration"})
STAFF = OPERATORS | SUPERVISOR
SIGNED_IN = STAFF | MACHINE
ANYONE = SIGNED_IN | ANONYMOUS
PERSONAS = ("anonymous", "operator", "another", "supervisor", "integration")


@dataclass(frozen=True, slots=True)
class World:
    """Who takes part. Builders of a line get it and make what they need around these people."""

    operator: User
    another: User
    supervisor: User
    integration: User
    token: str  # of `integration`, in plain, with every scope


@dataclass(frozen=True, slots=True)
class Line:
    """Who may call a URL by one method.

    `kwargs`, `data` and `query` are made for the world of the test; `as_json` sends `data` as JSON (always so under
    `/api/` unless it is False). `public` says on purpose that the view states no roles (sign-in, health). `settings`
    are those in which the view is there at all.
    """

    allowed: frozenset[str]
    method: str = "GET"
    kwargs: Callable[[World], dict[str, Any]] | None = None
    data: Callable[[World], dict[str, Any]] | None = None
    query: Callable[[World], dict[str, Any]] | None = None
    as_json: bool | None = None
    public: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


def lines() -> Iterator[tuple[str, Line]]:
    """Every (URL name, line) of every room's file."""
    seen: dict[str, str] = {}
    for module in pkgutil.iter_modules(__path__):
        for name, stated in importlib.import_module(f"{__name__}.{module.name}").LINES.items():
            if name in seen:
                raise AssertionError(f"{name} is in matrix/{seen[name]}.py and matrix/{module.name}.py")
            seen[name] = module.name
            for line in stated if isinstance(stated, tuple) else (stated,):
                yield name, line
