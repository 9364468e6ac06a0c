"""Bodies in and JSON out of the API, whatever is sent. Named by the settings, so rest_framework's views stay out of
here.
"""

from __future__ import annotations

from io import BytesIO
from json import JSONDecodeError
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import FormParser as BaseFormParser
from rest_framework.parsers import JSONParser as BaseJSONParser
from rest_framework.parsers import MultiPartParser as BaseMultiPartParser
from rest_framework.renderers import JSONRenderer as BaseJSONRenderer


class JSONParser(BaseJSONParser):
    """JSON of bearable depth and size: what is nested thousands of times is no request, and no fault of ours (400)."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises ParseError, which says where the body is no JSON; RequestDataTooBig.

        The library reads the stream itself, past Django's own look at its size.
        """
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(most + 1)
        if len(body) > most:
            raise RequestDataTooBig
        try:
            return super().parse(BytesIO(body), media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error
        except ParseError as error:
            if isinstance(wrong := error.__context__, JSONDecodeError):
                place = {"line": wrong.lineno, "column": wrong.colno}
                raise ParseError(_("This is no JSON: line %(line)d, character %(column)d.") % place) from error
            raise ParseError(_("This is no JSON in UTF-8.")) from error


class FormParser(BaseFormParser):
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises ParseError."""
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError as error:
            raise ParseError(_("The form can't be read.")) from error


class MultiPartParser(BaseMultiPartParser):
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises ParseError."""
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError as error:
            raise ParseError(_("The form can't be read.")) from error


class JSONRenderer(BaseJSONRenderer):
    """An error repeats what was sent: a lone surrogate in that is no UTF-8, and is escaped."""

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        try:
            return super().render(data, *args, **kwargs)
        except UnicodeEncodeError:
            return _AsciiRenderer().render(data, *args, **kwargs)


class _AsciiRenderer(BaseJSONRenderer):
    ensure_ascii = True
