"""The closed list of what a template may name. The caller fills the values in; `sms` knows nothing of appeals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`{name}` in a template: what it stands for, where the value comes from, and an example for the preview."""

    name: str
    label: Any
    help: Any
    example: Any


_ALL = [
    Placeholder(
        "appeal_number",
        _("appeal's number"),
        _("The public number of the appeal, without №."),
        "100245",
    ),
    Placeholder(
        "appeal_state",
        _("appeal's state"),
        _("What the state of the request is now, in one or two words."),
        _("in work"),
    ),
    Placeholder(
        "client_name",
        _("client's name"),
        _("First name and middle name, as the client is addressed."),
        _("Ivan Petrovich"),
    ),
    Placeholder(
        "brand",
        _("brand"),
        _("The brand of the appliance in the appeal."),
        _("Sever"),
    ),
    Placeholder(
        "model",
        _("model"),
        _("The model of the appliance, as registered in the appeal."),
        "WM-1260",
    ),
    Placeholder(
        "center_name",
        _("service centre"),
        _("The name of the service centre that the appeal is assigned to, or whose contacts are given."),
        _("Tekhno-Service"),
    ),
    Placeholder(
        "center_address",
        _("service centre's address"),
        _("City, street and house."),
        _("Tver, Sovetskaya st., 10"),
    ),
    Placeholder(
        "center_phones",
        _("service centre's telephones"),
        _("All telephones for clients, separated by commas."),
        "+7 482 200-00-10",
    ),
    Placeholder(
        "center_hours",
        _("service centre's hours"),
        _("When the service centre is open, in short."),
        _("Mon–Fri 9:00–18:00"),
    ),
    Placeholder(
        "hotline_phone",
        _("hotline's telephone"),
        _("The number that the client called."),
        "8 800 000-00-00",
    ),
]

PLACEHOLDERS: dict[str, Placeholder] = {placeholder.name: placeholder for placeholder in _ALL}


def examples() -> dict[str, str]:
    """A value for every placeholder, for a preview where there is no appeal at hand."""
    return {name: str(placeholder.example) for name, placeholder in PLACEHOLDERS.items()}
