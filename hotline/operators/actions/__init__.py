"""What can be done to staff: the shift and its telephone, the alias (V3), tokens of machines."""

from hotline.operators.actions.aliases import acknowledge_alias, declare_alias, retire_alias, stop_alias
from hotline.operators.actions.shift import pick_extension, set_preferences, set_state, sign_out, switch_state
from hotline.operators.actions.staff import settle_account
from hotline.operators.actions.tokens import issue_token, revoke_token

__all__ = [
    "acknowledge_alias",
    "declare_alias",
    "issue_token",
    "pick_extension",
    "retire_alias",
    "revoke_token",
    "set_preferences",
    "set_state",
    "settle_account",
    "sign_out",
    "stop_alias",
    "switch_state",
]
