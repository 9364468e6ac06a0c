"""R1 and R2: what an appeal still lacks. A pure function, so that the workspace can ask it at every key press.

What it demands the check constraints of `Appeal` demand too, whatever way a row comes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from service_centers.models import Brand, Category
from tickets.models import Appeal, DateSource, FactSource, ProductModel


@dataclass(frozen=True, slots=True)
class ApplianceFacts:
    """What the client said about the appliance, and where each fact comes from.

    `product_model` where the model is in the directory; brand and category then follow from it.
    """

    model_text: str = ""
    product_model: ProductModel | None = None
    brand: Brand | None = None
    category: Category | None = None
    model_source: str = ""  # FactSource
    serial_number: str = ""
    purchase_date: date | None = None
    purchase_date_source: str = ""  # DateSource
    store: str = ""
    store_source: str = ""  # FactSource


@dataclass(frozen=True, slots=True)
class MissingItem:
    """An item still to be filled in: a code for machines, the field it belongs to, the words for the operator."""

    code: str
    field: str
    text: str

    @property
    def wanted(self) -> str:
        """Beside its field: «Нужно заполнить: город»."""
        return _("To be filled in: %(item)s") % {"item": self.text}


_TEXTS = {
    "client_missing": gettext_lazy("the client's card"),
    "account_missing": gettext_lazy("the account"),
    "full_name_missing": gettext_lazy("the full name"),
    "full_name_incomplete": gettext_lazy("the full name (the last and the first name at the least)"),
    "city_missing": gettext_lazy("the city"),
    "model_missing": gettext_lazy("the model, or «the client does not know»"),
    "model_source_missing": gettext_lazy("where the model is known from"),
    "purchase_date_missing": gettext_lazy("the purchase date, or «the client does not know»"),
    "purchase_date_source_missing": gettext_lazy("where the purchase date is known from"),
    "store_missing": gettext_lazy("the store, or «the client does not know»"),
    "store_source_missing": gettext_lazy("where the store is known from"),
    "description_missing": gettext_lazy("the client's own description"),
    "matter_missing": gettext_lazy("the topic, or what it was about in words"),
    "center_missing": gettext_lazy("the service centre, or the reason why none could be assigned"),
    "contacts_center_missing": gettext_lazy("the service centre whose contacts are given"),
    "no_center_note_missing": gettext_lazy("why no service centre could be assigned, in words"),
}


def missing_items(
    kind: str,
    *,
    client: Any = None,
    account: Any = None,
    full_name: str = "",
    city: Any = None,
    city_text: str = "",
    description: str = "",
    topic: Any = None,
    parent: Any = None,
    facts: ApplianceFacts | None = None,
    service_center: Any = None,
    no_center_reason: str = "",
    no_center_note: str = "",
    gives_contacts: bool = False,
) -> list[MissingItem]:
    """What has to be added before an appeal of this kind can be registered, in the order in which it is asked.

    A consultation or an atypical appeal needs only a matter: a topic, the client's words, or the earlier appeal that
    it is on; where the contacts of a centre are given (`gives_contacts`), the centre too. A request
    needs every item of stage 6 (R2); «the client does not know» as the source satisfies an item.
    """
    if kind not in Appeal.REQUESTS:
        matter = description.strip() or topic is not None or parent is not None
        lacking = [] if matter else [_item("matter_missing", "description")]
        if gives_contacts and service_center is None:
            lacking.append(_item("contacts_center_missing", "service_center"))
        return lacking
    facts = facts or ApplianceFacts()
    found: list[MissingItem] = []
    if client is None:
        found.append(_item("client_missing", "client"))
    elif account is None:
        found.append(_item("account_missing", "account"))
    found += _of_name(full_name)
    if city is None and not city_text.strip():
        found.append(_item("city_missing", "city"))
    found += _of_fact("model", facts.model_text.strip(), facts.model_source, FactSource.UNKNOWN)
    found += _of_fact("purchase_date", facts.purchase_date, facts.purchase_date_source, DateSource.UNKNOWN)
    found += _of_fact("store", facts.store.strip(), facts.store_source, FactSource.UNKNOWN)
    if not description.strip():
        found.append(_item("description_missing", "description"))
    if service_center is None:
        if not no_center_reason:
            found.append(_item("center_missing", "service_center"))
        elif no_center_reason == Appeal.NoCenterReason.OTHER and not no_center_note.strip():
            found.append(_item("no_center_note_missing", "no_center_note"))
    return found


def _item(code: str, field: str) -> MissingItem:
    return MissingItem(code, field, str(_TEXTS[code]))


def _of_name(full_name: str) -> list[MissingItem]:
    words = full_name.split()
    if not words:
        return [_item("full_name_missing", "full_name")]
    return [] if len(words) > 1 else [_item("full_name_incomplete", "full_name")]


# Form fields of a fact: the fact itself and where it is known from.
_FIELDS = {"model": "model_text", "purchase_date": "purchase_date", "store": "store"}


def _of_fact(fact: str, value: Any, source: str, unknown: str) -> list[MissingItem]:
    if source == unknown:
        return []
    if not value:
        return [_item(f"{fact}_missing", _FIELDS[fact])]
    return [] if source else [_item(f"{fact}_source_missing", f"{fact}_source")]


def sentence(items: list[MissingItem]) -> str:
    """«Не хватает: модель, дата покупки»."""
    return _("Missing: %(items)s.") % {"items": ", ".join(item.text for item in items)}
