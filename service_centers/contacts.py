"""What is read out to a client, sent by SMS or dictated about a service centre: never retyped by a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation

from service_centers import hours
from service_centers.models import ServiceCenter, ServiceCenterHours


@dataclass(frozen=True, slots=True)
class Contacts:
    """The words for the client; `phones` in the order in which they are read out, as the directory writes them."""

    name: str
    city: str
    address: str
    phones: tuple[str, ...]
    hours: str

    @property
    def full_address(self) -> str:
        """«Казань, ул. Декабристов, 85»."""
        return f"{self.city}, {self.address}"


def week_of(rows: Iterable[ServiceCenterHours]) -> list[hours.Hours]:
    """Rows of the directory as the pure functions of `hours.py` want them."""
    return [hours.Hours(row.weekday, row.opens_at, row.closes_at) for row in rows]


def contacts(center: ServiceCenter) -> Contacts:
    """The contacts in the client's language, whatever the operator's is. Causes 3 SQL queries unless `for_detail()`."""
    with translation.override(settings.LANGUAGE_CODE):
        return Contacts(
            name=center.name,
            city=center.city.name,
            address=center.address,
            phones=tuple(phone.number for phone in center.phones.all()),
            hours=hours.hours_text(week_of(center.hours.all())),
        )


def open_state(center: ServiceCenter, at: datetime) -> hours.OpenState:
    """«Открыт до 18:00», «откроется завтра в 9:00», in local time. Causes 2 SQL queries unless `for_detail()`."""
    return hours.open_state(week_of(center.hours.all()), ZoneInfo(center.city.timezone), at)


def hours_text(center: ServiceCenter) -> str:
    """«Пн–Пт 9:00–18:00, Сб 10:00–15:00». Causes a SQL query unless prefetched."""
    return hours.hours_text(week_of(center.hours.all()))
