"""What the verbs of this room share: locks, checks of input, actions that were already done."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from hotline.base.errors import Conflict, Invalid, InvalidFields, NotFound
from hotline.operators.models import User
from tickets.models import Account, Appeal, Client

# Within this the same contents from the same person are the same thing.
TWICE = timedelta(minutes=1)
# PostgreSQL stores neither; both can come in by JSON.
_UNSTORABLE = {"\x00"} | {chr(code) for code in range(0xD800, 0xE000)}


def serialise(action_id: UUID | None) -> None:
    """One transaction at a time does an action: a form posted twice waits here, then finds what the first made."""
    if action_id is not None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"tickets {action_id}"])


def action_reused() -> Conflict:
    return Conflict("action_reused", _("This form was already sent with other contents. Open it anew."))


def lock_appeal(appeal_id: int, version: int | None = None) -> Appeal:
    """The appeal, locked; Conflict where `version` says that the person looked at an older state of it."""
    appeal = Appeal.objects.select_for_update(of=("self",)).filter(pk=appeal_id).first()
    if appeal is None:
        raise NotFound("no_appeal", _("There is no such appeal."))
    if version is not None and version != appeal.version:
        raise changed_meanwhile(appeal, version)
    return appeal


def lock_client(client_id: int, version: int | None = None) -> Client:
    client = Client.objects.select_for_update(of=("self",)).filter(pk=client_id).first()
    if client is None:
        raise NotFound("no_client", _("There is no such card."))
    if version is not None and version != client.version:
        raise changed_meanwhile(client, version)
    return client


def lock_account(account_id: int) -> Account:
    account = Account.objects.select_for_update(of=("self",)).filter(pk=account_id).first()
    if account is None:
        raise NotFound("no_account", _("There is no such account."))
    return account


def changed_meanwhile(row: Appeal | Client, version: int) -> Conflict:
    """What changed in a row since a version, and by whom: field names and a name of staff, read from the row history.

    The values are not in the error: the page shows them as they are now, beside what the person typed.
    """
    history: Any = row.history  # type: ignore[union-attr]  # made by `tracked`
    entries = list(history.filter(version__gte=version).select_related("pgh_context").order_by("pgh_id"))
    hidden = {"id", "version", "state_changed_at"}
    fields: list[str] = []
    if entries and entries[0].version == version:
        fields = [
            field.attname
            for field in row._meta.concrete_fields
            if field.attname not in hidden
            and hasattr(entries[0], field.attname)
            and getattr(entries[0], field.attname) != getattr(row, field.attname)
        ]
    last = entries[-1] if entries else None
    actor = (last.pgh_context.metadata or {}).get("actor") if last is not None and last.pgh_context else None
    person = User.objects.filter(pk=actor).first() if actor else None
    labels = [str(_field(row, attname).verbose_name) for attname in fields]
    who = str(person) if person else _("Somebody")
    if labels:
        message = _("%(who)s changed meanwhile: %(fields)s.") % {"who": who, "fields": ", ".join(labels)}
    else:
        message = _("%(who)s changed it meanwhile.") % {"who": who}
    return Conflict(
        "changed_meanwhile",
        message,
        details={
            "fields": [_field(row, attname).name for attname in fields],
            "by": person.pk if person else None,
            "at": timezone.localtime(last.pgh_created_at).isoformat() if last is not None else None,
            "version": row.version,
        },
    )


def _field(row: models.Model, attname: str) -> Any:
    return next(field for field in row._meta.concrete_fields if field.attname == attname)


def clean(row: models.Model, *, fields: Iterable[str] | None = None) -> None:
    """Judge the plain fields of a row (length, choices, form of an e-mail) and raise InvalidFields; no query.

    Trims text; refuses characters that the database can't store.
    """
    wanted = set(fields) if fields is not None else None
    problems: dict[str, list[tuple[str, Any]]] = {}
    checked = []
    for field in row._meta.concrete_fields:
        if (
            field.is_relation
            or field.generated
            or field.primary_key
            or (wanted is not None and field.name not in wanted)
        ):
            continue
        checked.append(field.name)
        value = getattr(row, field.attname)
        if isinstance(value, str):
            value = value.strip()
            setattr(row, field.attname, value)
            if not _UNSTORABLE.isdisjoint(value):
                problems[field.name] = [("bad_characters", _("There are characters that can't be stored."))]
            elif isinstance(field, models.TextField) and field.max_length and len(value) > field.max_length:
                message = _("At most %(limit)d characters, now %(length)d.")
                problems[field.name] = [("max_length", message % {"limit": field.max_length, "length": len(value)})]
    try:
        row.clean_fields(exclude={field.name for field in row._meta.fields if field.name not in checked})
    except ValidationError as error:
        for name, errors in error.error_dict.items():
            problems.setdefault(name, [(each.code or "invalid", " ".join(each.messages)) for each in errors])
    if problems:
        raise InvalidFields(problems, _("Check what was entered."))


def refuse_unknown(changes: Iterable[str], allowed: Iterable[str]) -> None:
    """A verb's `**changes` are a closed list: a wrong name is a mistake of the caller, not of a person."""
    if unknown := sorted(set(changes) - set(allowed)):
        raise TypeError(f"unknown fields: {', '.join(unknown)}")


def just_made(rows: QuerySet[Any], *, at: str = "created_at", **same: Any) -> Any:
    """What was made a moment ago with the very same contents, its author among them: a form posted twice. Else None.

    The caller holds the lock of what the rows hang on.
    """
    return rows.filter(**{f"{at}__gte": timezone.now() - TWICE, **same}).first()


def invalid(code: str, message: Any, field: str | None = None) -> Invalid:
    return Invalid(code, message, field=field)
