"""Accounts: what a closed one, or one whose role changed, leaves behind is put in order."""

from __future__ import annotations

from hotline.base.actions import verb
from hotline.operators.actions.aliases import retire_alias
from hotline.operators.actions.shift import sign_out
from hotline.operators.actions.tokens import revoke_token
from hotline.operators.models import Role, User
from hotline.operators.roles import require


@verb
def settle_account(*, user: User, actor: User | None) -> None:
    """After an account was closed or changed its role: free the telephone, retire the aliases, revoke the tokens.

    An open account that needs none of this keeps all of it; to say it twice changes nothing. Raises Forbidden.
    """
    require(actor, "operators.manage_staff")
    person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not person.is_active or person.role == Role.INTEGRATION:
        sign_out(user=person, actor=actor)
    if not person.is_active or person.role != Role.OPERATOR:
        for alias in person.aliases.borne().order_by("pk"):
            # The machine does it, on the supervisor's word: to lay a name down is otherwise the operator's own.
            retire_alias(alias=alias, actor=None)
    if not person.is_active or person.role != Role.INTEGRATION:
        for token in person.api_tokens.filter(revoked_at__isnull=True).order_by("pk"):
            revoke_token(token=token, actor=actor)
