"""What each role may do: one table in code (docs/roles.md). Groups in the database would be a second truth beside it.

Two kinds of rights stand here: Django's model permissions, which the admin asks for, and the rights of verbs
("operators.decide_alias"), which verbs ask for with `require`. Which page and endpoint is open to whom is stated by
the view itself (`roles`), and held by tests/test_permission_matrix.py.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from hotline.base.errors import Forbidden
from hotline.operators.models import Role, User

VIEW = frozenset({"view"})
# A directory: supervisors keep it. Rows that something refers to are protected by their foreign keys.
DIRECTORY = frozenset({"view", "add", "change", "delete"})
# Kept, but never deleted: people and versions stay.
KEPT = frozenset({"view", "add", "change"})
# Issued and withdrawn, never edited.
ISSUED = frozenset({"view", "add"})

# The admin, by app and model. What is not here is closed, also to a new model that nobody thought of.
# Stateful models (appeals, calls, messages, aliases) can only be looked at: their verbs change them.
SUPERVISOR_MODELS: dict[str, dict[str, frozenset[str]]] = {
    "operators": {
        "user": KEPT,
        "alias": VIEW,
        "apitoken": ISSUED,
    },
    "service_centers": {
        "brand": DIRECTORY,
        "category": DIRECTORY,
        "city": DIRECTORY,
        "servicecenter": DIRECTORY,
        "servicecenterphone": DIRECTORY,
        "servicecenterhours": DIRECTORY,
        "servicecentercoverage": DIRECTORY,
        "servicecenterskill": DIRECTORY,
    },
    "sms": {
        "deniedcode": DIRECTORY,
        "smstemplate": KEPT,
        "smsmessage": VIEW,
        "smspart": VIEW,
        "optout": VIEW,
        "consent": VIEW,
        "smsstatechange": VIEW,
        "smsreceipt": VIEW,
    },
    "tickets": {
        "topic": DIRECTORY,
        "documentkind": DIRECTORY,
        "automaticsms": DIRECTORY,
        "productmodel": DIRECTORY,
        "modelsuggestion": KEPT,
        "warrantyrule": DIRECTORY,
        "client": VIEW,
        "clientphone": VIEW,
        "account": VIEW,
        "appliance": VIEW,
        "appeal": VIEW,
        "appealreference": VIEW,
        "appealevent": VIEW,
        "appealmessage": VIEW,
        "assignment": VIEW,
        "document": VIEW,
        "reminder": VIEW,
        "comment": VIEW,
    },
    "calls": {
        "callresult": DIRECTORY,
        # Drafts of the script are edited; the database refuses to touch what was published (S1).
        "script": KEPT,
        "scriptversion": KEPT,
        "stage": DIRECTORY,
        "phrase": DIRECTORY,
        "scriptchange": KEPT,
        "scriptacknowledgement": VIEW,
        "call": VIEW,
        "callappeal": VIEW,
        "callevent": VIEW,
        "callreference": VIEW,
        "callstage": VIEW,
        "calljournalentry": VIEW,
        "lostcallback": VIEW,
        "promisedcallback": VIEW,
        "followup": VIEW,
    },
}

VERBS: dict[Role, frozenset[str]] = {
    Role.OPERATOR: frozenset({"operators.declare_alias", "operators.retire_alias"}),
    Role.SUPERVISOR: frozenset(
        {
            "operators.decide_alias",
            "operators.manage_tokens",
            "operators.manage_staff",
            # an uncertain message arrived; a restored copy may send again
            "sms.decide_message",
        }
    ),
    Role.INTEGRATION: frozenset(),
}


def _table() -> dict[str, frozenset[str]]:
    """Role → every right it has, as "app.codename"."""
    models = frozenset(
        f"{app}.{kind}_{model}"
        for app, rights in SUPERVISOR_MODELS.items()
        for model, kinds in rights.items()
        for kind in kinds
    )
    return {role: VERBS[role] | (models if role == Role.SUPERVISOR else frozenset()) for role in Role}


RIGHTS = _table()


def rights_of(user: User) -> frozenset[str]:
    """All rights of a person; none where the account is closed."""
    return RIGHTS.get(user.role, frozenset()) if user.is_active else frozenset()


def require(actor: User | None, right: str) -> None:
    """Refuse an actor whose role has not got the right. None is the machine itself, which may.

    It asks the table and not `has_perm`: a superuser is a supervisor here, not an operator.

    Raises Forbidden (`forbidden`).
    """
    if actor is not None and right not in rights_of(actor):
        raise Forbidden("forbidden", _("Your role does not allow this."))
