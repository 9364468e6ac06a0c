"""Pages of staff: signing in and out, the shift, the alias."""

from hotline.operators.views.aliases import (
    Acknowledge,
    Aliases,
    AliasInbox,
    AliasNotice,
    MyAlias,
    MyAliasState,
    Retire,
    Stop,
)
from hotline.operators.views.shift import ChangePassword, Extension, Language, Preferences, SignIn, SignOut, State

__all__ = [
    "Acknowledge",
    "AliasInbox",
    "AliasNotice",
    "Aliases",
    "ChangePassword",
    "Extension",
    "Language",
    "MyAlias",
    "MyAliasState",
    "Preferences",
    "Retire",
    "SignIn",
    "SignOut",
    "State",
    "Stop",
]
