"""What every endpoint shares: errors with codes, keyset pages; and what stands below /api/ where nothing else does."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    JsonResponse,
    UnreadablePostError,
)
from django.urls import resolve
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException, NotFound, ParseError, PermissionDenied, ValidationError
from rest_framework.fields import UUIDField
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import exception_handler as drf_exception_handler

from hotline.base.errors import HotlineError, Invalid, InvalidFields

log = structlog.get_logger(__name__)
PREFIX = "/api/"


class ActionIdField(UUIDField):
    """The id that a caller makes for one action. As a string only: 0 and true are UUIDs to the library, and the same
    to everybody who sends them.
    """

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, (str, UUID)):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class KeysetPagination(CursorPagination):
    """Pages by position in the order, not by offset: page 40,000 costs what page 1 costs."""

    ordering: str | tuple[str, ...] = "-pk"
    page_size_query_param: str | None = "page_size"
    max_page_size = 200

    def get_page_size(self, request: Request) -> int | None:
        """What was asked for, else the usual. Raises Invalid `bad_page_size`: nobody waits for rows that never come."""
        asked = request.query_params.get(self.page_size_query_param) if self.page_size_query_param else None
        if asked is None:
            return self.page_size
        if not re.fullmatch(r"[0-9]{1,9}", asked) or not 1 <= int(asked) <= self.max_page_size:
            raise Invalid(
                "bad_page_size",
                _("A whole number from 1 to %(most)d is needed.") % {"most": self.max_page_size},
                field=self.page_size_query_param,
            )
        return int(asked)

    def decode_cursor(self, request: Request) -> Any:
        """Where to go on. What is no cursor is no beginning: whoever asks so would read the first page for ever."""
        given = request.query_params.get(self.cursor_query_param)
        if given:
            try:
                parts = parse_qs(b64decode(given, validate=True).decode("ascii"), strict_parsing=True)
            except ValueError as error:
                raise NotFound(self.invalid_cursor_message) from error
            if not parts.keys() <= {"o", "r", "p"}:
                raise NotFound(self.invalid_cursor_message)
        return super().decode_cursor(request)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return parameters

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """A page's rows. A cursor that was made up names a position of another kind than the column: no such page."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, DataError, DjangoValidationError) as error:
            if not request.query_params.get(self.cursor_query_param):
                raise
            raise NotFound(self.invalid_cursor_message) from error


class TooLarge(APIException):
    """More than DATA_UPLOAD_MAX_MEMORY_SIZE."""

    status_code = 413
    default_detail = gettext_lazy("The request is too large.")
    default_code = "too_large"


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Every error is `{"code", "detail", "fields"}`: a code for machines, words for people, problems by field.

    `fields` maps a field to a list of `{"code", "detail"}`.
    """
    if isinstance(exc, HotlineError):
        fields: dict[str, Any] = {}
        if isinstance(exc, InvalidFields):
            fields = {
                name: [{"code": code, "detail": str(message)} for code, message in problems]
                for name, problems in exc.fields.items()
            }
        elif exc.field:
            fields = {exc.field: [{"code": exc.code, "detail": str(exc.message)}]}
        return Response(_body(exc.code, exc.message, fields), status=exc.status)
    exc = _of_the_library(exc)
    response = drf_exception_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, ValidationError):
        full = exc.get_full_details()
        fields = {}
        if isinstance(full, dict):
            fields = {name: _flat(problems) for name, problems in full.items()}
        elif isinstance(full, list):
            fields = {"": _flat(full)}
        response.data = _body("invalid", exc.default_detail, fields)
    elif isinstance(exc, APIException):
        response.data = _body(str(exc.get_codes()), exc.detail)
    return response


def _of_the_library(exc: Exception) -> Exception:
    """Django's refusals as those of rest_framework. What Django says beside them is English, and of our models."""
    if isinstance(exc, DjangoValidationError):  # a model's own checks (full_clean)
        return ValidationError(as_serializer_error(exc))
    if isinstance(exc, Http404):
        return NotFound()
    if isinstance(exc, DjangoPermissionDenied):
        return PermissionDenied()
    if isinstance(exc, RequestDataTooBig):
        return TooLarge()
    if isinstance(exc, (SuspiciousOperation, UnreadablePostError)):
        return ParseError()
    if isinstance(exc, (DataError, OverflowError)):
        # A zero byte in a code that is looked up, a moment of the year 1: no field of the library looks for that.
        log.warning("api_data_error", error=type(exc.__cause__ or exc).__name__)
        return ValidationError([_("There is a value that can't be held: a zero byte, or a moment out of range.")])
    return exc


def _body(code: str, detail: Any, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"code": code, "detail": str(detail), "fields": fields or {}}


# The one sentence of the library that it never translates: the body is `null`.
_NO_DATA = "No data provided"


def _flat(problems: Any) -> list[dict[str, str]]:
    if isinstance(problems, dict) and "message" in problems:
        said = _("An object of JSON is needed.") if problems["message"] == _NO_DATA else str(problems["message"])
        return [{"code": str(problems["code"]), "detail": said}]
    items = problems.values() if isinstance(problems, dict) else problems
    return [leaf for item in items for leaf in _flat(item)]


# --- Outside of the endpoints -----------------------------------------------------------------------
def _answer(code: str, detail: Any, status: int) -> JsonResponse:
    return JsonResponse(_body(code, detail), status=status, json_dumps_params={"ensure_ascii": False})


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    """Any address below /api/ that is no endpoint: the same for everybody, whether signed in or not.

    Without its last slash an address leads to the one that has it, for reading; what would write is never redirected,
    for it would come back as a question and look like a success.
    """
    detail = _("There is nothing at this address.")
    if not request.path_info.endswith("/") and resolve(f"{request.path_info}/").func is not nowhere:
        if request.method in {"GET", "HEAD"}:
            return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
        detail = _("There is nothing at this address: the slash at its end is missing.")
    return _answer("not_found", detail, 404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What was refused before any view (handler400)."""
    if not request.path_info.startswith(PREFIX):
        return defaults.bad_request(request, exception)
    return _answer(ParseError.default_code, ParseError.default_detail, 400)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours (handler500); what it was stands in the log."""
    if not request.path_info.startswith(PREFIX):
        return defaults.server_error(request)
    return _answer("error", _("A fault of ours. It is in the log."), 500)
