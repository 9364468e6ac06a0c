"""Reading what a request carries, and where the focus goes in the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from django import forms


def uuid_of(value: Any) -> UUID:
    """The action's id as the page made it; one that came without is an action of its own."""
    try:
        return UUID(str(value))
    except ValueError:
        return uuid4()


def number_of(value: Any) -> int:
    """A primary key or a public number from a form; 0, which nothing has, where it is none."""
    text = str(value or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def focus_on(
    form: forms.Form, *wanted: str, missing: Iterable[Any] = (), instead: Mapping[str, str] | None = None
) -> str:
    """Let the focus go to what is wrong, else to what is missing, else to the field wanted; its name, "" for none.

    `instead`: which field stands for one that can't take the focus now.
    """
    wrong = [name for name in form.fields if name in form.errors] if form.is_bound else []
    for name in (*wrong, *(item.field for item in missing), *wanted):
        name = (instead or {}).get(name, name)
        field = form.fields.get(name)
        if field is not None and not field.widget.is_hidden:
            field.widget.attrs["autofocus"] = True
            return name
    return ""
