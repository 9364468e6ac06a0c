"""API rights: the role of who asks, and the scopes of the token they ask with."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from hotline.operators.models import ApiToken


def _by_method(stated: Any, method: str, default: Any) -> Any:
    """What a view states for a method: one value for all, or a dict by method where HEAD and OPTIONS follow GET."""
    if not isinstance(stated, dict):
        return stated
    return stated.get("GET" if method in SAFE_METHODS else method, default)


class RolePermission(BasePermission):
    """An API view states `roles`: {"GET": {…}, "POST": {…}} or one set for all methods. Nothing stated: closed.

    A token needs a scope besides: `scopes` of the view, a scope or a dict by method; not stated, reading needs `read`
    and everything else `write`. A session (a page's own call) has no scopes: the role alone decides.
    """

    message: Any = None
    code: str | None = None

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        method = request.method or ""
        allowed = _by_method(getattr(view, "roles", None), method, frozenset()) or frozenset()
        if request.user.role not in allowed:
            self.message, self.code = _("Your role does not allow this."), "forbidden"
            return False
        if isinstance(request.auth, ApiToken):
            default = ApiToken.Scope.READ if method in SAFE_METHODS else ApiToken.Scope.WRITE
            needed = _by_method(getattr(view, "scopes", None), method, default) or default
            if needed not in request.auth.scopes:
                self.message = _("This token has not got the scope «%(scope)s».") % {"scope": needed}
                self.code = "insufficient_scope"
                return False
        return True
