"""Forms of cards and appeals. They carry text there and back; what is allowed, the verbs say.

Field names are those of the verbs' errors, so that each error finds its field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hotline.base.phones import format_phone
from hotline.operators.access import STAFF
from hotline.operators.models import User
from service_centers.fields import CityField
from service_centers.models import Brand, Category, City, ServiceCenter
from tickets.actions.papers import FILE_KINDS
from tickets.fields import OFF, AccountField, ModelField, SpokenDateField, SpokenMomentField
from tickets.models import (
    Appeal,
    AppealMessage,
    AppealReference,
    Appliance,
    Client,
    DateSource,
    DocumentKind,
    FactSource,
    Topic,
)


def text(label: Any, limit: int, **options: Any) -> forms.CharField:
    attrs = {**OFF, "maxlength": limit, **options.pop("attrs", {})}
    options.setdefault("required", False)
    return forms.CharField(label=label, widget=forms.TextInput(attrs=attrs), **options)


def area(label: Any, limit: int, rows: int = 3, **options: Any) -> forms.CharField:
    attrs = {**OFF, "maxlength": limit, "rows": rows, **options.pop("attrs", {})}
    options.setdefault("required", False)
    return forms.CharField(label=label, widget=forms.Textarea(attrs=attrs), **options)


def source(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=[("", "—"), *choices], required=False)


class ActionForm(forms.Form):
    """A form that is one deliberate action: sent twice, it is done once."""

    action_id = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *args: Any, initial: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        kwargs["initial"] = {"action_id": uuid4(), **(initial or {})}
        super().__init__(data, *args, **kwargs)

    def action(self) -> UUID:
        """The action's id; a form that came without one is an action of its own."""
        return self.cleaned_data.get("action_id") or uuid4()


class VersionedForm(forms.Form):
    """A form over a row that somebody else may change meanwhile: `version` is the one that the person looked at."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def show_conflict(self, row: Any, fields: list[str], message: Any) -> None:
        """Say beside each field what it is now; what was typed stays, and may be sent again on purpose."""
        self.add_error(None, forms.ValidationError(message, code="changed_meanwhile"))
        for name in fields:
            shown = _SHOWN_AT.get(name, name)
            if shown in self.fields:
                now = _("Now it is: %(value)s") % {"value": _as_text(row, name) or "—"}
                self.add_error(shown, forms.ValidationError(now, code="changed_meanwhile"))
        typed: Any = self.data
        again = typed.copy()
        again[self.add_prefix("version")] = str(row.version)
        self.data = again


# Where a column is shown that has no field of its own name.
_SHOWN_AT = {"city_text": "city", "product_model": "model_text"}


def _as_text(row: Any, name: str) -> str:
    if (display := getattr(row, f"get_{name}_display", None)) is not None:
        return str(display())
    value = getattr(row, name)
    if name == "phone":
        return format_phone(value)
    if hasattr(value, "strftime"):
        return f"{value:%d.%m.%Y}"
    return {True: str(_("yes")), False: str(_("no")), None: ""}.get(value, str(value)) if value != 0 else "0"


# --- Cards ----------------------------------------------------------------------------------------
class CardForm(ActionForm):
    """A client's card."""

    last_name = text(_("Last name"), 100, attrs={"data-key": "Alt+KeyL", "autofocus": True})
    first_name = text(_("First name"), 100)
    middle_name = text(_("Patronymic"), 100)
    phone = text(_("Phone"), 100, attrs={"inputmode": "tel", "data-key": "Alt+KeyP"})
    second_phone = text(_("Another phone"), 100, attrs={"inputmode": "tel"})
    city = CityField(label=_("City"), required=False)
    address = text(_("Address"), 250)
    email = text(_("E-mail"), 254, attrs={"inputmode": "email"})
    note = area(_("Note"), 2000, rows=2)

    def card(self) -> dict[str, Any]:
        """What the verbs take, but for the phones."""
        data = self.cleaned_data
        names = ("last_name", "first_name", "middle_name", "address", "email", "note")
        return {**{name: data[name] for name in names}, **place(data["city"])}

    def phones(self) -> list[str]:
        return [self.cleaned_data[name] for name in ("phone", "second_phone") if self.cleaned_data.get(name)]


class CardEditForm(VersionedForm, CardForm):
    """The same, for a card that exists; its phones are added and taken off one by one."""

    action_id = None  # type: ignore[assignment]
    phone = None  # type: ignore[assignment]
    second_phone = None  # type: ignore[assignment]

    @staticmethod
    def initial_of(client: Client) -> dict[str, Any]:
        names = ("last_name", "first_name", "middle_name", "address", "email", "note", "version")
        return {**{name: getattr(client, name) for name in names}, "city": (client.city, client.city_text)}


class DuplicatesForm(forms.Form):
    """What is typed of a card so far; nothing of it is wrong yet."""

    last_name = forms.CharField(required=False)
    first_name = forms.CharField(required=False)
    phone = forms.CharField(required=False)
    second_phone = forms.CharField(required=False)
    city = CityField(required=False)


class PhoneForm(forms.Form):
    raw = text(_("Another phone"), 100, attrs={"inputmode": "tel", "data-key": "Alt+KeyP"})


class AccountForm(forms.Form):
    reason = text(_("Why another account"), 200, help_text=_("A company, a second household."))


class ApplianceForm(forms.Form):
    """What is noted of an appliance."""

    model_text = ModelField(label=_("Model"), help_text=_("As on the nameplate, or as told."))
    brand = forms.ModelChoiceField(Brand.objects.all(), label=_("Brand"), required=False, empty_label="—")
    category = forms.ModelChoiceField(Category.objects.all(), label=_("Category"), required=False, empty_label="—")
    serial_number = text(_("Serial number"), 60)
    purchase_date = SpokenDateField(label=_("Purchase date"), required=False)
    purchase_date_source = forms.ChoiceField(
        label=_("Known from"), choices=DateSource.choices, initial=DateSource.RECEIPT, required=False
    )
    store = text(_("Store"), 150)

    def facts(self) -> dict[str, Any]:
        """What the verbs take; without a date it is not known from anywhere."""
        data = self.cleaned_data
        model, told = data["model_text"]
        origin = (data["purchase_date_source"] or DateSource.CLIENT) if data["purchase_date"] else DateSource.UNKNOWN
        return {
            **{name: data[name] for name in ("brand", "category", "serial_number", "purchase_date", "store")},
            "product_model": model,
            "model_text": told,
            "purchase_date_source": origin,
        }

    @staticmethod
    def initial_of(appliance: Appliance) -> dict[str, Any]:
        names = ("brand", "category", "serial_number", "purchase_date", "purchase_date_source", "store")
        model = (appliance.product_model, appliance.model_text)
        return {**{name: getattr(appliance, name) for name in names}, "model_text": model}


# --- An appeal ------------------------------------------------------------------------------------
class FactsForm(VersionedForm):
    """The facts of an appeal, to be corrected."""

    topic = forms.ModelChoiceField(Topic.objects.none(), label=_("Topic"), required=False, empty_label="—")
    description = area(_("In the client's own words"), 4000, attrs={"data-key": "Alt+KeyW"})
    outcome = area(_("What was advised"), 4000, rows=2)
    full_name = text(_("Full name"), 310)
    phone = text(_("Phone"), 32, attrs={"inputmode": "tel"})
    city = CityField(label=_("City"), required=False)
    address = text(_("Address"), 250)
    model_text = ModelField(label=_("Model"), required=False)
    model_source = source(_("Model known from"), FactSource.choices)
    serial_number = text(_("Serial number"), 60)
    purchase_date = SpokenDateField(label=_("Purchase date"), required=False)
    purchase_date_source = source(_("Date known from"), DateSource.choices)
    store = text(_("Store"), 150)
    store_source = source(_("Store known from"), FactSource.choices)
    is_paid = forms.BooleanField(label=_("Paid repair requested"), required=False)
    no_center_reason = source(_("Why no service centre"), Appeal.NoCenterReason.choices)
    no_center_note = text(_("In words"), 300)

    PLAIN = (
        "topic", "description", "outcome", "full_name", "phone", "address", "model_source", "serial_number",
        "purchase_date", "purchase_date_source", "store", "store_source", "is_paid", "no_center_reason",
        "no_center_note",
    )  # fmt: skip

    def __init__(self, *args: Any, appeal: Appeal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A topic that is not offered any more stays on the appeal that has it.
        topics = Topic.objects.filter(Q(is_active=True) | Q(pk=appeal.topic_id))
        self.fields["topic"].queryset = topics  # type: ignore[attr-defined]
        if not appeal.is_request or appeal.state != Appeal.State.REGISTERED:
            del self.fields["no_center_reason"], self.fields["no_center_note"]
        if appeal.kind != Appeal.Kind.REPAIR:
            del self.fields["is_paid"]

    def changes(self) -> dict[str, Any]:
        """What the verb takes. A model that was typed anew brings its own brand and category, or none."""
        data = self.cleaned_data
        model, told = data["model_text"]
        changes = {name: data[name] for name in self.PLAIN if name in data}
        changes |= {**place(data["city"]), "model_text": told}
        if "model_text" in self.changed_data:
            changes |= {"product_model": model}
        return changes

    @classmethod
    def initial_of(cls, appeal: Appeal) -> dict[str, Any]:
        return {
            **{name: getattr(appeal, name) for name in cls.PLAIN},
            "version": appeal.version,
            "city": (appeal.city, appeal.city_text),
            "model_text": (appeal.product_model, appeal.model_text),
        }


class StateForm(VersionedForm):
    """Where the appeal goes from here."""

    state = forms.ChoiceField(choices=Appeal.State.choices, widget=forms.HiddenInput)
    note = text(_("Why, in words"), 300)


class CenterForm(forms.Form):
    """The service centre that is chosen, and why where it is not the first."""

    service_center = forms.ModelChoiceField(ServiceCenter.objects.select_related("city"), widget=forms.HiddenInput)
    note = text(_("Note"), 300)


class EndForm(forms.Form):
    """What became of an assignment."""

    outcome = forms.ChoiceField(choices=[("accepted", ""), ("declined", ""), ("completed", "")])
    note = text(_("What the service centre said"), 300)


class CommentForm(forms.Form):
    text = area(_("Comment"), 4000, rows=2, required=True, attrs={"data-key": "Alt+KeyC"})
    from_center = forms.BooleanField(label=_("in the words of the service centre"), required=False)


class DocumentForm(forms.Form):
    """A paper: number, date, a file where there is one."""

    kind = forms.ModelChoiceField(DocumentKind.objects.all(), label=_("Kind"), empty_label=None)
    number = text(_("Number"), 60)
    date = SpokenDateField(label=_("Date"), initial=timezone.localdate)
    note = text(_("Note"), 300)
    file = forms.FileField(
        label=_("File"), required=False, widget=forms.FileInput(attrs={"accept": ",".join(FILE_KINDS)})
    )
    waits = forms.BooleanField(label=_("waits for an answer"), required=False)


class ReminderForm(forms.Form):
    to = forms.ModelChoiceField(User.objects.none(), label=_("To whom"), empty_label=None)
    due_at = SpokenMomentField(label=_("When"))
    text = text(_("Text"), 300, required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(role__in=STAFF, is_active=True).order_by("last_name", "first_name")
        self.fields["to"].queryset = people  # type: ignore[attr-defined]


class ReferenceForm(forms.Form):
    system = forms.ChoiceField(label=_("System"), choices=AppealReference.System.choices)
    number = text(_("Number"), 64, required=True)


class MessageForm(ActionForm):
    """The SMS about an appeal: what it tells, and to which number."""

    purpose = forms.ChoiceField(label=_("What it tells"), choices=AppealMessage.Purpose.choices)
    to = text(_("To the number"), 64, attrs={"inputmode": "tel"})


class MoveForm(forms.Form):
    account = AccountField(label=_("To the card of"), help_text=_("Name, phone, account or appeal number."))
    reason = text(_("Why"), 300)


class DuplicateForm(forms.Form):
    number = forms.IntegerField(
        label=_("Duplicate of №"), min_value=1, max_value=2**63 - 1, widget=forms.TextInput(attrs=OFF)
    )


def place(choice: Any) -> dict[str, Any]:
    """A city field's answer as the verbs take it."""
    city_id, city_text = choice
    return {"city": City.objects.filter(pk=city_id).first() if city_id else None, "city_text": city_text}
