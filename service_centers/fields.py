"""The city field of every form, and the combobox that any room can make its own (docs/combobox.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.forms.widgets import Script
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from service_centers.cities import city_named, fold_city
from service_centers.models import City

CITY_TEXT_LENGTH = 150


class ComboboxWidget(forms.Widget):
    """A text input with suggestions from the server; works as a plain text input where no script runs.

    It posts two values: `name` (the text, always as typed) and `name_id` (the pk that was picked, else ""). Its value
    is the pair (pk or "", text). `include` is a CSS selector of fields whose values are sent along (a brand).
    """

    template_name = "service_centers/widgets/combobox.html"

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["service_centers/combobox.css"]}
        js: ClassVar[list[Script]] = [Script("service_centers/combobox.js", defer=True)]

    def __init__(self, *, url: str | Promise, include: str = "", attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.url = url
        self.include = include

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        pk, text = value or ("", "")
        context["widget"] |= {"pk": pk or "", "text": text, "url": str(self.url), "include": self.include}
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> tuple[str, str]:
        return (data.get(f"{name}_id") or "", data.get(name) or "")

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data and f"{name}_id" not in data


class CityWidget(ComboboxWidget):
    """The combobox of cities."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(url=reverse_lazy("service_centers:city-suggest"), attrs=attrs)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        pk, text = value or ("", "")
        if not pk and (city := CityField.by_pk(text)):  # a link that names the city by its pk
            pk, text = city.pk, str(city)
        return super().get_context(name, (pk, text), attrs)


def as_pair(value: Any) -> tuple[Any, str]:
    """What a combobox is to show: what was picked, and the text. Where no more than a text is there (a draft that kept
    nothing else), nothing was picked."""
    return value if isinstance(value, tuple) and len(value) == 2 else ("", str(value or ""))


class CityChoice(NamedTuple):
    """What a city field gives: a city of the directory, or the text as the client said it; (None, "") if left empty."""

    city_id: int | None = None
    text: str = ""


class CityField(forms.Field):
    """A city of the directory, or any text: a village that no directory has must not stop a registration.

    Gives a `CityChoice`. A pk in place of the name is understood too: pages and API share this field. Without a script,
    or when it was slower than the operator, an exact name is still recognised.
    `initial` may be a City, or the pair (City or None, text).
    """

    widget = CityWidget
    default_error_messages: ClassVar[dict[str, Any]] = {
        "required": _("Name the city."),
        "max_length": _("At most %(limit)d characters."),
    }

    def prepare_value(self, value: Any) -> tuple[Any, str]:
        """What the widget shows: (pk or "", text)."""
        if isinstance(value, City):
            return (value.pk, str(value))
        city, text = as_pair(value)
        return (city.pk, str(city)) if isinstance(city, City) else (city or "", text)

    def clean(self, value: Any) -> CityChoice:
        pk, text = value or ("", "")
        text = " ".join(str(text).replace("\x00", "").split())
        if not text:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return CityChoice()
        if len(text) > CITY_TEXT_LENGTH:
            raise ValidationError(
                self.error_messages["max_length"], code="max_length", params={"limit": CITY_TEXT_LENGTH}
            )
        city = self._picked(str(pk), text) or self.by_pk(text) or city_named(text)
        return CityChoice(city_id=city.pk) if city else CityChoice(text=text)

    @staticmethod
    def _picked(pk: str, text: str) -> City | None:
        """The city that was picked, as long as the text still says so: what a person reads on the screen wins."""
        city = CityField.by_pk(pk)
        return city if city and fold_city(text) in (fold_city(str(city)), city.folded_name) else None

    @staticmethod
    def by_pk(pk: str) -> City | None:
        """`?city=12`, as a machine asks; no city's name is a number."""
        return City.objects.filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() and len(pk) < 19 else None

    def has_changed(self, initial: Any, data: Any) -> bool:
        _pk, text = self.prepare_value(initial)
        return fold_city(text) != fold_city((data or ("", ""))[1])
