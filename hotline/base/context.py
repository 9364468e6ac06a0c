"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from hotline.base.htmx import is_partial


def house(request: HttpRequest) -> dict[str, Any]:
    """The kind of installation, the person's theme, and the frame that an error stands in.

    An error answered to htmx is swapped into the page, so it must be a fragment and no second page.
    """
    return {
        "demo": settings.DEMO,
        "theme": getattr(getattr(request, "user", None), "theme", "") or "auto",
        "time_zone": settings.TIME_ZONE,
        "error_frame": "base/_error_frame.html" if is_partial(request) else "base.html",
    }
