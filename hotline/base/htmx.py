"""Telling a fragment's request from a page's."""

from __future__ import annotations

from django.http import HttpRequest


def is_partial(request: HttpRequest) -> bool:
    """htmx asks for a part of the page; a boosted link asks for the whole of it. Answers vary on HX-Request."""
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.boosted
