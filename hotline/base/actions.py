"""What every verb shares: one transaction, its actor in the history, and constraint names in reach."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import pghistory
from django.db import IntegrityError, connection, transaction

P = ParamSpec("P")
R = TypeVar("R")


def verb(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function a verb: keyword-only, one transaction, the actor and its name in pghistory's context.

    `actor` is the User who acts, or None where the machine does. The row history records the actor's pk, never a name.
    """

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if args:
            raise TypeError(f"{function.__name__}() takes keyword arguments only")
        actor = kwargs.get("actor")
        name = f"{function.__module__.split('.actions')[0]}.{function.__name__}"
        with transaction.atomic(), pghistory.context(verb=name, actor=getattr(actor, "pk", None)):
            return function(*args, **kwargs)

    return wrapper


def constraint_of(error: IntegrityError) -> str:
    """The name of the constraint that a write broke, or "" where the database did not say."""
    diag = getattr(error.__cause__, "diag", None)
    return getattr(diag, "constraint_name", None) or ""


def next_number(sequence: str) -> int:
    """The next value of a sequence: numbers people see have gaps, and are never `max() + 1`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [sequence])
        return int(cursor.fetchone()[0])
