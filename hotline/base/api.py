"""What every endpoint shares: errors with codes, keyset pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.fields import UUIDField
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import exception_handler as drf_exception_handler

from hotline.base.errors import HotlineError, InvalidFields


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
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """A page's rows. A cursor that was made up names a position of another kind than the column: no such page."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, DataError, DjangoValidationError) as error:
            if not request.query_params.get(self.cursor_query_param):
                raise
            raise NotFound(self.invalid_cursor_message) from error


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
        return Response({"code": exc.code, "detail": str(exc.message), "fields": fields}, status=exc.status)
    if isinstance(exc, DjangoValidationError):  # a model's own checks (full_clean)
        exc = ValidationError(as_serializer_error(exc))
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
        response.data = {"code": "invalid", "detail": str(exc.default_detail), "fields": fields}
    elif isinstance(exc, APIException):
        response.data = {"code": exc.get_codes(), "detail": str(exc.detail), "fields": {}}
    else:  # Http404 and PermissionDenied of Django
        detail = response.data.get("detail", "") if isinstance(response.data, dict) else ""
        response.data = {"code": getattr(detail, "code", "error"), "detail": str(detail), "fields": {}}
    return response


def _flat(problems: Any) -> list[dict[str, str]]:
    if isinstance(problems, dict) and "message" in problems:
        return [{"code": str(problems["code"]), "detail": str(problems["message"])}]
    items = problems.values() if isinstance(problems, dict) else problems
    return [leaf for item in items for leaf in _flat(item)]
