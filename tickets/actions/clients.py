"""Verbs on cards, their phones and accounts (stage 3 of the regulation)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django.db.models import Max
from django.utils.translation import gettext as _

from hotline.base.actions import next_number, verb
from hotline.base.errors import InvalidFields, NotFound
from hotline.base.live import publish
from hotline.base.phones import read_phone
from hotline.operators.models import User
from service_centers.models import City
from tickets.actions._common import action_reused, clean, invalid, just_made, lock_client, refuse_unknown, serialise
from tickets.models import Account, Client, ClientPhone

CLIENT_FIELDS = frozenset({"last_name", "first_name", "middle_name", "city", "city_text", "address", "email", "note"})


@verb
def register_client(
    *,
    last_name: str,
    first_name: str = "",
    middle_name: str = "",
    city: City | None = None,
    city_text: str = "",
    address: str = "",
    email: str = "",
    note: str = "",
    phones: Sequence[str] = (),
    actor: User | None,
    action_id: UUID | None = None,
) -> Client:
    """Register a card and open its account, in one transaction. Phones are kept as typed, each judged.

    The same `action_id` returns the card that the first call made. Raises InvalidFields; Conflict `action_reused`
    where the same action comes with another name.
    """
    serialise(action_id)
    client = Client(
        last_name=last_name,
        first_name=first_name,
        middle_name=middle_name,
        city=city,
        city_text="" if city else city_text,
        address=address,
        email=email,
        note=note,
        created_by=actor,
        action_id=action_id,
    )
    _check(client)
    if action_id is not None and (existing := Client.objects.filter(action_id=action_id).first()):
        if existing.full_name != client.full_name:
            raise action_reused()
        return existing
    client.save(force_insert=True)
    for raw in phones:
        _note_phone(client, raw, field="phones")
    _open_account(client, actor, is_main=True)
    publish(topic="client", pk=client.pk)
    return client


@verb
def update_client(*, client_id: int, version: int, actor: User | None, **changes: Any) -> Client:
    """Change a card's own fields. Nothing changed: nothing is written and the version stays.

    Raises NotFound; Conflict `changed_meanwhile` where somebody changed the card since `version`; InvalidFields.
    """
    refuse_unknown(changes, CLIENT_FIELDS)
    client = lock_client(client_id, version)
    before = {name: getattr(client, name) for name in CLIENT_FIELDS}
    for name, value in changes.items():
        setattr(client, name, value)
    if client.city_id:
        client.city_text = ""
    _check(client)
    changed = [name for name in CLIENT_FIELDS if getattr(client, name) != before[name]]
    if changed:
        client.version += 1
        client.save(update_fields=[*changed, "version"])
        publish(topic="client", pk=client.pk)
    return client


@verb
def add_phone(*, client_id: int, raw: str, actor: User | None) -> ClientPhone:
    """Note a number on a card, as typed. A number that is already there is returned as it is.

    Raises NotFound; Invalid `empty`.
    """
    client = lock_client(client_id)
    phone = _note_phone(client, raw)
    if phone is None:
        raise invalid("empty", _("Type a number."), "raw")
    publish(topic="client", pk=client.pk)
    return phone


@verb
def remove_phone(*, phone_id: int, actor: User | None) -> None:
    """Take a number off a card; the row history keeps it. Raises NotFound."""
    phone = ClientPhone.objects.filter(pk=phone_id).first()
    if phone is None:
        raise NotFound("no_phone", _("There is no such phone on the card."))
    lock_client(phone.client_id)
    phone.delete()
    publish(topic="client", pk=phone.client_id)


@verb
def open_account(*, client_id: int, reason: str, actor: User | None) -> Account:
    """Open another account on a card, deliberately: a company, a second household. Raises NotFound; InvalidFields."""
    client = lock_client(client_id)
    if not reason.strip():
        raise InvalidFields(
            {"reason": [("reason_missing", _("Say why another account is needed."))]}, _("Check what was entered.")
        )
    rows = client.accounts.filter(is_main=False)
    if again := just_made(rows, opened_by=actor, at="opened_at", reason=reason.strip()):
        return cast(Account, again)
    account = _open_account(client, actor, is_main=False, reason=reason)
    publish(topic="client", pk=client.pk)
    return account


def _check(client: Client) -> None:
    """A card has a name; the rest is as long as its columns."""
    clean(client)
    if not client.last_name and not client.first_name:
        raise InvalidFields(
            {"last_name": [("name_missing", _("Enter the last or the first name."))]}, _("Check what was entered.")
        )


def _open_account(client: Client, actor: User | None, *, is_main: bool, reason: str = "") -> Account:
    account = Account(
        number=next_number("tickets_account_number_seq"), client=client, is_main=is_main, reason=reason, opened_by=actor
    )
    clean(account)
    account.save(force_insert=True)
    return account


def _note_phone(client: Client, raw: str, *, field: str = "raw") -> ClientPhone | None:
    """A number as typed and as read, once a card; None where nothing was typed. What can't be read is kept too."""
    if not raw.strip():
        return None
    read = read_phone(raw)
    known = {"e164": read.e164, "extension": read.extension} if read.e164 else {"raw": raw.strip()}
    if existing := client.phones.filter(**known).first():
        return existing
    last = client.phones.aggregate(last=Max("position"))["last"]
    phone = ClientPhone(
        client=client,
        raw=raw,
        e164=read.e164,
        region=read.region,
        line_type=read.line_type,
        extension=read.extension,
        position=0 if last is None else last + 1,
    )
    try:
        clean(phone)
    except InvalidFields as error:
        raise InvalidFields(
            {field: [each for found in error.fields.values() for each in found]}, error.message
        ) from None
    phone.save(force_insert=True)
    return phone
