"""Rights on the description of the API."""

from __future__ import annotations

from tests.matrix import SIGNED_IN, Line

LINES = {
    "api:schema": Line(SIGNED_IN),
    "api:docs": Line(SIGNED_IN),
}
