from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from hotline.operators.models import User


class CallsConfig(AppConfig):
    name = "calls"
    verbose_name = _("Calls and script")

    def ready(self) -> None:
        """S3: who has not read the script in force is not ready for calls."""
        from calls.facts import may_take_calls
        from hotline.operators import readiness

        def script_was_read(user: User) -> tuple[str, Any] | None:
            verdict = may_take_calls(user)
            return None if verdict.allowed else (verdict.code, verdict.text)

        readiness.register(script_was_read)
