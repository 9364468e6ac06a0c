"""Form fields that are filled in while somebody speaks: dates as they are said, models as they are read out."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from service_centers.fields import ComboboxWidget, as_pair
from tickets.models import Account, Client, ProductModel

# 14.03.2024, 14.03.24; machines say 2024-03-14.
DATE_FORMATS = ["%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d"]
# 14032024, 140324. No format of its own: strptime would take «140324» for the first of April of the year 324.
_DIGITS_ONLY = re.compile(r"\s*(\d{2})(\d{2})(\d{2}|\d{4})\s*", re.ASCII)
_MOMENT = re.compile(r"(?:(\d{1,2})\.(\d{1,2})(?:\.(\d{2}|\d{4}))?,?\s+)?(\d{1,2})[:.](\d{2})")
OFF = {"autocomplete": "off"}


class SpokenDateField(forms.DateField):
    """A date as it is said; what was typed stays in the field as it is."""

    widget = forms.TextInput(attrs={**OFF, "placeholder": _("dd.mm.yyyy"), "inputmode": "numeric"})

    def __init__(self, **options: Any) -> None:
        options.setdefault("error_messages", {}).setdefault("invalid", _("Not a date: write it as 14.03.2024."))
        super().__init__(input_formats=DATE_FORMATS, **options)

    def prepare_value(self, value: Any) -> Any:
        return f"{value:%d.%m.%Y}" if isinstance(value, date) else value

    def to_python(self, value: Any) -> date | None:
        if isinstance(value, str) and (digits := _DIGITS_ONLY.fullmatch(value)):
            value = ".".join(digits.groups())
        return super().to_python(value)


class SpokenMomentField(forms.CharField):
    """«25.11 10:30», «15:00»: the next time that it is then, by the hotline's clock. Gives an aware datetime."""

    widget = forms.TextInput(attrs={**OFF, "placeholder": _("25.11 10:30, or 15:00")})

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        moment = read_moment(text.strip(), timezone.localtime())
        if moment is None:
            raise ValidationError(_("Not a time: write it as 25.11 10:30."), code="invalid")
        return moment

    def validate(self, value: Any) -> None:
        if value is None and self.required:
            raise ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """The text was judged when it was read."""


def read_moment(text: str, now: datetime) -> datetime | None:
    """A day without its year is the nearest one, of the next year only where it was long ago; a clock time alone is
    today's, or tomorrow's where it is past."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute = (int(part) if part else None for part in match.groups())
    now = now.replace(second=0, microsecond=0)
    try:
        moment = now.replace(hour=hour or 0, minute=minute or 0)
        if day is None or month is None:
            return moment if moment > now else moment + timedelta(days=1)
        moment = moment.replace(day=day, month=month, year=now.year if year is None else year % 2000 + 2000)
        long_ago = year is None and now - moment > timedelta(days=180)
        return moment.replace(year=now.year + 1) if long_ago else moment
    except ValueError:
        return None


class ModelField(forms.Field):
    """A model of the directory, or the text as told. Gives the pair (ProductModel or None, text)."""

    widget = ComboboxWidget(url=reverse_lazy("tickets:model-suggest"))

    def prepare_value(self, value: Any) -> tuple[Any, str]:
        """What the widget shows: (pk or "", text). `initial` is a pair (ProductModel or None, text)."""
        model, text = as_pair(value)
        return (model.pk, text) if isinstance(model, ProductModel) else (model or "", text)

    def clean(self, value: Any) -> tuple[ProductModel | None, str]:
        pk, text = value or ("", "")
        text = " ".join(str(text).replace("\x00", "").split())
        if self.required and not text:
            raise ValidationError(self.error_messages["required"], code="required")
        if len(text) > 100:
            raise ValidationError(_("At most %(limit)d characters."), code="max_length", params={"limit": 100})
        return _picked(ProductModel.objects.for_list(), pk) if text else None, text


class AccountField(forms.Field):
    """Somebody's account, found as clients are found; only what was picked counts. Gives an Account."""

    widget = ComboboxWidget(url=reverse_lazy("tickets:account-suggest"))

    def prepare_value(self, value: Any) -> tuple[Any, str]:
        return as_pair(value)

    def clean(self, value: Any) -> Account | None:
        pk, text = value or ("", "")
        account = _picked(Account.objects.select_related("client"), pk)
        if account is None and (self.required or str(text).strip()):
            raise ValidationError(_("Choose a card from the list."), code="required")
        return account


def _picked(rows: Any, pk: Any) -> Any:
    """The row that was picked from the suggestions, None where none was."""
    return rows.filter(pk=int(pk)).first() if str(pk).isdecimal() and len(str(pk)) < 19 else None


def client_choice(client: Client) -> str:
    """How a client is named in a list of suggestions."""
    return f"{client.full_name}, {client.city_name}" if client.city_name else client.full_name
