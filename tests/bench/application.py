"""The web process of the benchmarks: Hotline as it is, and the bare views beside it, without any middleware."""

from __future__ import annotations

from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.test import override_settings

from hotline.asgi import application as hotline
from hotline.base.live_asgi import Receive, Scope, Send


class BareHandler(ASGIHandler):
    """Django with nothing around the view."""

    def load_middleware(self, is_async: bool = False) -> None:
        with override_settings(MIDDLEWARE=[]):
            super().load_middleware(is_async=is_async)

    def resolve_request(self, request: HttpRequest) -> Any:
        request.urlconf = "tests.bench.bare"
        return super().resolve_request(request)


bare = BareHandler()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http" and scope["path"].startswith("/bare/"):
        await bare(scope, receive, send)
    else:
        await hotline(scope, receive, send)
