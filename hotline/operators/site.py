"""The admin's site: stock pages behind our own sign-in (with its lockout), every change with its actor in the
history."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import pghistory
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.views import shortcut
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from hotline.base.errors import HotlineError
from hotline.operators.access import SUPERVISORS, refusal


class HotlineAdminSite(AdminSite):
    site_header = _("Administration")
    site_title = _("Hotline")
    index_title = _("Directories and registers")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Supervisors, told by the role alone."""
        return bool(request.user.is_active and getattr(request.user, "role", None) in SUPERVISORS)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Every page of the admin: who may not enter is told so as on our own pages; verbs' typed errors are messages.

        What a supervisor changes here without a verb (a directory) has its actor in the row history all the same.
        """
        page = super().admin_view(view, cacheable)

        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if refused := refusal(request, SUPERVISORS):
                return refused
            try:
                with pghistory.context(actor=request.user.pk, verb="admin"):
                    return page(request, *args, **kwargs)
            except HotlineError as error:
                messages.error(request, str(error))
                return HttpResponseRedirect(self._back(request))

        return update_wrapper(door, view)

    def get_urls(self) -> list[Any]:
        """Django's, but for the way to an object's own page: of models that are in the admin only."""
        theirs = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        ours = path("r/<int:content_type_id>/<int:object_id>/", self.admin_view(self.view_on_site), name="view_on_site")
        return [ours, *theirs]

    def view_on_site(self, request: HttpRequest, content_type_id: int, object_id: int) -> HttpResponse:
        kind = get_object_or_404(ContentType, pk=content_type_id)
        if kind.model_class() not in self._registry:
            raise Http404
        return shortcut(request, content_type_id, object_id)

    def _back(self, request: HttpRequest) -> str:
        came_from = request.headers.get("Referer", "")
        ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
        return came_from if ours else reverse("admin:index", current_app=self.name)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Our own sign-in: one door, one lockout."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index", current_app=self.name))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Our own sign-out: it frees the telephone as well."""
        from hotline.operators.views import SignOut

        return SignOut.as_view()(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("operators:password")

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("operators:password")
