"""Tokens of machines: issued once in plain, kept as a hash, revoked at any time."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hotline.base.actions import verb
from hotline.base.errors import InvalidFields, Refused
from hotline.operators.models import ApiToken, Role, User
from hotline.operators.roles import require


@verb
def issue_token(
    *, user: User, name: str, scopes: Sequence[str], expires_at: datetime, actor: User | None
) -> tuple[ApiToken, str]:
    """Issue a token to a machine; return its row and the token in plain, which nobody can read again.

    Raises InvalidFields (`not_a_machine`, `name_missing`, `name_long`, `scopes_missing`, `scope_unknown`, `expired`),
    Forbidden.
    """
    require(actor, "operators.manage_tokens")
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    name = name.strip()
    problems: dict[str, list[tuple[str, Any]]] = {}
    if user.role != Role.INTEGRATION or not user.is_active:
        problems["user"] = [("not_a_machine", _("Tokens are for integrations: people sign in with a password."))]
    if not name:
        problems["name"] = [("name_missing", _("Say what it is for."))]
    elif len(name) > 100:
        problems["name"] = [("name_long", _("At most %(limit)d characters.") % {"limit": 100})]
    if not scopes:
        problems["scopes"] = [("scopes_missing", _("Choose what it may be used for."))]
    elif unknown := set(scopes) - set(ApiToken.Scope.values):
        problems["scopes"] = [("scope_unknown", _("There is no scope «%(scope)s».") % {"scope": sorted(unknown)[0]})]
    if expires_at <= timezone.now():
        problems["expires_at"] = [("expired", _("This moment has passed."))]
    if problems:
        raise InvalidFields(problems, _("The token can't be issued like this."))
    plain = f"hl_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=plain[:8],
        digest=ApiToken.digest_of(plain),
        scopes=[scope for scope in ApiToken.Scope.values if scope in scopes],
        expires_at=expires_at,
    )
    return token, plain


@verb
def revoke_token(*, token: ApiToken, actor: User | None) -> ApiToken:
    """End a token now. Its row stays: what it was for, and when it was used last.

    Raises Refused (`token_revoked`), Forbidden.
    """
    require(actor, "operators.manage_tokens")
    token = ApiToken.objects.select_for_update().get(pk=token.pk)
    if token.revoked_at is not None:
        raise Refused("token_revoked", _("This token is revoked already."))
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    return token
