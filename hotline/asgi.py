"""ASGI entry point: Django behind its gate, and beside it the raw application that serves /live/."""

from __future__ import annotations

import asyncio
import os
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hotline.settings")

django_application = get_asgi_application()

from asgiref.sync import sync_to_async  # noqa: E402
from django.conf import settings  # noqa: E402

from calls.views.incoming import shown_to  # noqa: E402
from hotline.base.checks import refuse_unsafe  # noqa: E402
from hotline.base.live_asgi import AT_ONCE, LiveApplication, Receive, Scope, Send  # noqa: E402
from hotline.operators.access import STAFF  # noqa: E402


def may_listen(user: Any) -> bool:
    return user.role in STAFF


live = LiveApplication(may_listen=may_listen, fragments={"incoming": shown_to})


def gate_for(pool: int) -> AbstractAsyncContextManager[Any]:
    """How many requests Django works on at the same time; the others wait in turn, none of them in vain.

    A request holds a connection from its first query to its last byte, and a pool that is empty for ten seconds answers
    with an error. So fewer are let in than the pool has connections; the rest of these are for the streams.
    """
    return asyncio.Semaphore(max(1, pool - AT_ONCE)) if pool else nullcontext()


gate = gate_for(settings.DB_POOL_MAX)
# They need no connection, and must not wait for those that do: a page's files, and whether this process is alive.
UNGATED = (settings.STATIC_URL, "/healthz", "/metrics")


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"] == "/live/":
        await live(scope, receive, send)
    elif scope["type"] == "http":
        async with nullcontext() if scope["path"].startswith(UNGATED) else gate:
            await django_application(scope, receive, send)  # type: ignore[arg-type]
    else:  # a WebSocket: there is none here
        await send({"type": "websocket.close"})


async def lifespan(receive: Receive, send: Send) -> None:
    """Refuse to start with unsafe settings or on a database that would lose data; end the streams when we stop."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await sync_to_async(refuse_unsafe, thread_sensitive=False)()
            except Exception as error:  # noqa: BLE001 - whatever it is, the server must say it and stop
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            live.close_on_signals()
            await send({"type": "lifespan.startup.complete"})
        else:
            await live.aclose()
            await send({"type": "lifespan.shutdown.complete"})
            return
