"""Input that nobody can keep."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger(__name__)


class UnkeepableInputMiddleware:
    """What the database can't hold is a bad request (400), and no fault of ours: a zero byte, half of a surrogate pair,
    a number out of range. Fields of forms say so beside the field; this is for whatever is read without one.

    The API says it in its own envelope (`hotline.base.api.exception_handler`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        # Django's admin looks a row up by whatever stands in a hidden field.
        no_id = isinstance(exception, ValueError) and "expected a number but got" in str(exception)
        if no_id or isinstance(exception, (DataError, UnicodeEncodeError)):
            # With its traceback, and without the value: should it be a fault of ours after all, it is found there.
            log.warning("unkeepable_input", error=type(exception).__name__, exc_info=True)
            raise BadRequest("a value that can't be kept") from None
