"""Which fragment does the work of which stage, and what it needs to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from calls.models import StageCode
from calls.views import card, diagnosis, ending, history, identification, messages, registration, wrapup
from calls.workspace import Workspace

Panel = Callable[..., dict[str, Any]]

PANELS: dict[str, tuple[str, Panel]] = {
    StageCode.GREETING: ("greeting", identification.greeting_panel),
    StageCode.IDENTIFICATION: ("identification", identification.panel),
    StageCode.CARD: ("card", card.panel),
    StageCode.HISTORY: ("history", history.panel),
    StageCode.DIAGNOSIS: ("diagnosis", diagnosis.panel),
    StageCode.REGISTRATION: ("registration", registration.panel),
    StageCode.SMS: ("sms", messages.panel),
    StageCode.SUMMARY: ("summary", ending.summary_panel),
    StageCode.FAREWELL: ("farewell", ending.farewell_panel),
    StageCode.WRAP_UP: ("wrap_up", wrapup.panel),
}


def context_of(ws: Workspace, request: HttpRequest, **state: Any) -> dict[str, Any]:
    """What the templates of the workspace get; `state` is the panel's own: a form with its errors, say."""
    name, panel = PANELS[ws.stage]
    return {
        "ws": ws,
        "call": ws.call,
        "panel": f"calls/stages/_{name}.html",
        **panel(ws, request, **state),
    }
