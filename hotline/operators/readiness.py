"""What must hold before an operator may be ready: rooms above register it, since this room knows nothing of them.

`calls` registers that the script in force was read (S3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hotline.operators.models import User

# Why the person may not be ready, as (code, words); None: nothing is against it. Costs queries: asked only for «ready».
Condition = Callable[[User], "tuple[str, Any] | None"]

_conditions: list[Condition] = []


def register(condition: Condition) -> None:
    """Ask this too, from now on. For `AppConfig.ready()`."""
    if condition not in _conditions:
        _conditions.append(condition)


def why_not(user: User) -> tuple[str, Any] | None:
    """The first condition that is against it."""
    return next((reason for condition in _conditions if (reason := condition(user)) is not None), None)
