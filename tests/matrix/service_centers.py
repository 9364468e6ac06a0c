"""Who may look at the directory: the staff on pages, staff and machines over the API. Nobody changes it there."""

from __future__ import annotations

from tests.matrix import SIGNED_IN, STAFF, Line, World
from tests.service_centers.factories import ServiceCenterFactory, brand, category, city


def _center(world: World) -> dict[str, int]:
    return {"pk": ServiceCenterFactory().pk}


LINES = {
    "service_centers:list": Line(STAFF),
    "service_centers:detail": Line(STAFF, kwargs=_center),
    "service_centers:city-suggest": Line(STAFF, query=lambda world: {"q": "орел"}),
    "api:service-centers-list": Line(SIGNED_IN),
    "api:service-centers-detail": Line(SIGNED_IN, kwargs=_center),
    "api:service-centers-match": Line(SIGNED_IN),
    "api:cities-list": Line(SIGNED_IN),
    "api:cities-detail": Line(SIGNED_IN, kwargs=lambda world: {"pk": city().pk}),
    "api:brands-list": Line(SIGNED_IN),
    "api:brands-detail": Line(SIGNED_IN, kwargs=lambda world: {"pk": brand().pk}),
    "api:categories-list": Line(SIGNED_IN),
    "api:categories-detail": Line(SIGNED_IN, kwargs=lambda world: {"pk": category().pk}),
}
