"""Who may open a page. Closed by default: a view without roles refuses everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from hotline.operators.models import Role

STAFF: frozenset[Role] = frozenset({Role.OPERATOR, Role.SUPERVISOR})
SUPERVISORS: frozenset[Role] = frozenset({Role.SUPERVISOR})
MACHINES: frozenset[Role] = frozenset({Role.INTEGRATION})


def refusal(request: HttpRequest, roles: Iterable[Role]) -> HttpResponseBase | None:
    """None where the person may pass; a redirect to sign-in for the anonymous; PermissionDenied for another role.

    A fragment is redirected like a page: its script sees that a whole page came and says so (net.js), so that nothing
    typed on the page is lost.
    """
    if not request.user.is_authenticated:
        return redirect_to_login(_way_back(request))
    if request.user.role not in set(roles):
        raise PermissionDenied
    return None


def _way_back(request: HttpRequest) -> str:
    """The page to return to after signing in: never a fragment, nor an address that takes POST only."""
    if request.headers.get("HX-Request"):
        current = urlsplit(request.headers.get("HX-Current-URL", ""))
        return urlunsplit(("", "", current.path or "/", current.query, ""))
    return request.get_full_path() if request.method in {"GET", "HEAD"} else "/"


class RoleRequired:
    """Mixin of page views: `roles` says who may open it."""

    roles: ClassVar[frozenset[Role]] = frozenset()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return refusal(request, self.roles) or super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


def role_required(
    roles: frozenset[Role],
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Decorator of function views; the roles stay readable on the view as `.roles` for the permission matrix."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return refusal(request, roles) or view(request, *args, **kwargs)

        wrapper.roles = roles  # type: ignore[attr-defined]
        return wrapper

    return decorate
