"""The search from anywhere: one line of text, whatever the operator has of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from calls.models import Call
from hotline.base.phones import read_phone
from hotline.operators.models import User
from service_centers.models import ServiceCenter
from tickets.search import find_appeals, find_clients

LIMIT = 12


@dataclass(frozen=True, slots=True)
class Results:
    """What was found, by kind; `too_short` where the text could mean anything."""

    clients: list[Any] = field(default_factory=list)
    appeals: list[Any] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    service_centers: list[ServiceCenter] = field(default_factory=list)
    too_short: bool = False

    def __bool__(self) -> bool:
        return bool(self.clients or self.appeals or self.calls or self.service_centers)


def search(text: str, *, user: User, limit: int = LIMIT) -> Results:
    """Clients by phone, part of it, name with a typo, account or serial number; appeals by number; calls by number;
    service centres by name or code. Nothing for less than two characters."""
    if len(text) < 2:
        return Results(too_short=True)
    phone = read_phone(text)
    calls = (
        list(Call.objects.visible_to(user).filter(number=phone.e164).for_list().order_by("-started_at", "-pk")[:limit])
        if phone.e164
        else []
    )
    centers = ServiceCenter.objects.visible_to(user).for_list()
    return Results(
        clients=list(find_clients(text, user, limit=limit)),
        appeals=list(find_appeals(text, user, limit=limit)),
        calls=calls,
        service_centers=list((centers.filter(name__icontains=text) | centers.filter(code__iexact=text))[:limit]),
    )
