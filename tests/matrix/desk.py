"""Rights on the desk's pages."""

from __future__ import annotations

from tests.factories import ClientFactory
from tests.matrix import STAFF, Line, World

MOBILE = "+79160000101"


def client(world: World) -> dict[str, int]:
    return {"pk": ClientFactory().pk}


def with_phone(world: World) -> dict[str, int]:
    return {"pk": ClientFactory(phones=[MOBILE]).pk}


LINES = {
    "desk:start": Line(STAFF),
    "desk:waiting": Line(STAFF),
    "desk:search": Line(STAFF),
    "desk:suggestions": Line(STAFF, "POST", data=lambda world: {"q": "Иванов"}),
    "desk:client": Line(STAFF, kwargs=client),
    "desk:wishes": Line(STAFF, "POST", kwargs=with_phone, data=lambda world: {"do": "opt_out", "to": MOBILE}),
    "desk:timeline": Line(STAFF, kwargs=client),
}
