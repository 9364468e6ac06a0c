"""What the pages of this room share: the whole page or its fragment, words about what was done."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from hotline.base.htmx import is_partial
from hotline.operators.models import User


def answer(
    request: HttpRequest, *, page: str, fragment: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """The fragment where htmx asks, else the page that includes it."""
    response = render(request, fragment if is_partial(request) else page, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def tell(response: HttpResponse, message: Any, *, level: str = "ok", **events: Any) -> HttpResponse:
    """Say in passing what was done; `events` are heard by the page."""
    response["HX-Trigger"] = json.dumps({"toast": {"message": str(message), "level": level}, **events})
    return response


def uuid_of(value: Any) -> UUID:
    """An act's id as the page made it; one that came without is an act of its own."""
    try:
        return UUID(str(value))
    except ValueError:
        return uuid4()


def staff(request: HttpRequest) -> User:
    """Who is signed in: every page of this room is closed to the anonymous by its roles."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("a page without roles")
    return user
