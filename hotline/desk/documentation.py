"""The API described: the schema for machines, and a page to read it on. For whoever may ask the API anything."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.views import redirect_to_login
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotAuthenticated

from hotline.operators.access import MACHINES, STAFF
from hotline.operators.models import Role

READERS: frozenset[Role] = STAFF | MACHINES


class SchemaView(SpectacularAPIView):
    """OpenAPI 3, as YAML or (`?format=json`) as JSON."""

    roles: ClassVar[frozenset[Role]] = READERS


class DocumentationView(SpectacularSwaggerSplitView):
    """The schema as a page, in its own two requests: the page carries no inline script."""

    roles: ClassVar[frozenset[Role]] = READERS
    url_name = "api:schema"

    def handle_exception(self, exc: Exception) -> Any:
        """A person who is not signed in is asked to, as on every other page."""
        if isinstance(exc, NotAuthenticated):
            return redirect_to_login(self.request.get_full_path())
        return super().handle_exception(exc)
