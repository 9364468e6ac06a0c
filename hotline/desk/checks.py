"""The demo's public password and token must never open a production."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from hotline.desk.demo.staff import DEMO_TOKEN
from hotline.operators.models import ApiToken


@register(Tags.database)
def no_demo_data_in_production(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """hotline.E030: a database with the demo's token was filled by `load_demo`, its logins are in the README."""
    if settings.DEMO or not kwargs.get("databases"):
        return []
    try:
        found = ApiToken.objects.filter(digest=ApiToken.digest_of(DEMO_TOKEN)).exists()
    except DatabaseError:  # not migrated yet
        return []
    if not found:
        return []
    return [
        Error(
            "This database holds demo data, whose logins and token are public.",
            hint="Use an empty database for production, or run in demo mode (HOTLINE_DEMO=1).",
            id="hotline.E030",
        )
    ]
