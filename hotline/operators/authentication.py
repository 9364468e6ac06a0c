"""API tokens: `Authorization: Bearer <token>`, and the token that an exchange carries in its URL."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.authentication import SessionAuthentication as BaseSessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from hotline.operators.models import ApiToken, User

# An exchange sends several events a second: a row written for each of them would be a queue of its own.
LAST_USED_EVERY = timedelta(minutes=1)


def find_token(plain: str) -> ApiToken | None:
    """The token that may be used now, with its user; None for one that is unknown, expired, revoked or of a closed
    account.

    One query by the unique hash; a second, a conditional UPDATE, at most once a minute.
    """
    now = timezone.now()
    token = ApiToken.objects.select_related("user").filter(digest=ApiToken.digest_of(plain)).first()
    if token is None or not token.is_valid_at(now):
        return None
    if token.last_used_at is None or token.last_used_at < now - LAST_USED_EVERY:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token


def authenticate_token(token: str, scope: ApiToken.Scope) -> User | None:
    """The machine that a plain token belongs to, if the token has the scope; for tokens that come in a URL."""
    found = find_token(token)
    return found.user if found is not None and scope in found.scopes else None


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`. `request.auth` is the ApiToken: RolePermission asks it for its scopes."""

    keyword = b"bearer"

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword:
            return None
        if len(words) != 2:
            raise AuthenticationFailed(_("Write «Authorization: Bearer <token>»."), code="malformed_token")
        try:
            token = find_token(words[1].decode("ascii"))
        except UnicodeDecodeError:
            token = None
        if token is None:
            raise AuthenticationFailed(_("This token is unknown, expired or revoked."), code="invalid_token")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Says how to sign in, and makes the answer to the anonymous a 401."""
        return 'Bearer realm="api"'


class SessionAuthentication(BaseSessionAuthentication):
    """A page's own call."""

    def enforce_csrf(self, request: Request) -> None:
        """Raises PermissionDenied `csrf_failed`."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(
                _("The CSRF token is missing or wrong: load the page anew."), "csrf_failed"
            ) from error


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI description names it."""

    target_class = "hotline.operators.authentication.SessionAuthentication"
    name = "cookieAuth"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI description names it."""

    target_class = "hotline.operators.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
