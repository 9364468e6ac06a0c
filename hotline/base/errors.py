"""Typed errors that verbs raise. Pages show them beside the field, the API answers with their code (docs/api.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class HotlineError(Exception):
    """Something that a person did can't be done: `code` for machines, `message` (translated) for the person.

    `field` names the input that was wrong, where one was; `details` carries facts for the page, never personal data.
    """

    status = 400

    def __init__(
        self, code: str, message: Any, *, field: str | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field
        self.details = dict(details or {})

    def __str__(self) -> str:
        return str(self.message)


class Invalid(HotlineError):
    """The input is wrong: 400."""


class Forbidden(HotlineError):
    """This role may not do that: 403. Pages and endpoints refuse earlier; this is the verb's own word."""

    status = 403


class NotFound(HotlineError):
    """There is no such thing, or it is not this person's to see: 404."""

    status = 404


class Refused(HotlineError):
    """A rule of the regulation, or the state of the thing, forbids it: 409."""

    status = 409


class Conflict(HotlineError):
    """Somebody else was faster: 409. `details` says what changed."""

    status = 409


class InvalidFields(Invalid):
    """Several fields are wrong at once: `fields` maps a field to (code, message) pairs."""

    def __init__(self, fields: Mapping[str, list[tuple[str, Any]]], message: Any) -> None:
        super().__init__("invalid", message, details={})
        self.fields = {name: list(problems) for name, problems in fields.items()}
