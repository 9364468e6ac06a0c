"""Forms of the workspace. A form carries text there and back; what is allowed, and what is missing, the verbs say.

Field names are those of the verbs' errors, so that each error finds its field.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from calls.models import Call, CallReference, CallResult
from hotline.base.folding import fold_model
from hotline.operators.models import User
from service_centers.fields import CityField
from service_centers.models import Brand, Category, City, ServiceCenter
from tickets.actions import ApplianceFacts
from tickets.fields import OFF, AccountField, ModelField, SpokenDateField, read_moment
from tickets.forms import ActionForm
from tickets.models import Appeal, Appliance, DateSource, FactSource, ProductModel, Topic


def text_field(label: Any, limit: int, **options: Any) -> forms.CharField:
    attrs = {**OFF, "maxlength": limit, **options.pop("attrs", {})}
    widget = options.pop("widget", forms.TextInput)
    return forms.CharField(label=label, required=False, widget=widget(attrs=attrs), **options)


def area(label: Any, rows: int, **options: Any) -> forms.CharField:
    attrs = {**OFF, "rows": rows, "maxlength": 4000, **options.pop("attrs", {})}
    return forms.CharField(label=label, required=False, widget=forms.Textarea(attrs=attrs), **options)


def choice(label: Any, choices: Any, empty: Any = "—", **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[("", empty), *choices], **options)


# --- The card -------------------------------------------------------------------------------------
class CardForm(ActionForm):
    """A client's card: registered new, or corrected (`version` is the one that was looked at)."""

    last_name = text_field(_("Last name"), 100)
    first_name = text_field(_("First name"), 100)
    middle_name = text_field(_("Patronymic"), 100)
    phones = text_field(_("Phone"), 100, attrs={"inputmode": "tel"})
    city = CityField(label=_("City"), required=False)
    address = text_field(_("Address"), 250)
    email = text_field(_("E-mail"), 254, attrs={"inputmode": "email"})
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def fields_of_card(self) -> dict[str, Any]:
        """What the verbs of `tickets` take, but for the phone."""
        data = self.cleaned_data
        city_id, city_text = data["city"]
        names = ("last_name", "first_name", "middle_name", "address", "email")
        return {
            **{name: data[name].strip() for name in names},
            "city": City.objects.filter(pk=city_id).first() if city_id else None,
            "city_text": city_text,
        }


# --- The appliance --------------------------------------------------------------------------------
class ApplianceForm(ActionForm):
    """What the client says of the appliance, each fact with where it is known from (R2)."""

    appliance = forms.ModelChoiceField(Appliance.objects.all(), required=False, widget=forms.HiddenInput)
    model_text = ModelField(label=_("Model"), required=False)
    model_source = choice(_("Known from"), FactSource.choices)
    brand = forms.ModelChoiceField(Brand.objects.all(), label=_("Brand"), required=False, empty_label="—")
    category = forms.ModelChoiceField(Category.objects.all(), label=_("Category"), required=False, empty_label="—")
    serial_number = text_field(_("Serial number"), 60, attrs={"spellcheck": "false"})
    purchase_date = SpokenDateField(label=_("Bought on"), required=False)
    purchase_date_source = choice(_("Known from"), DateSource.choices)
    description = area(_("In the client's own words"), 3)

    @property
    def known_model(self) -> ProductModel | None:
        """The model of the directory that stands in the field now, also before the form is sent."""
        pk, _text = self["model_text"].field.prepare_value(self["model_text"].value())
        if not str(pk).isdecimal():
            return None
        return ProductModel.objects.for_list().filter(pk=int(pk)).first()

    def facts(self) -> ApplianceFacts:
        """What was understood; a field that was not is left out. Call after `is_valid()`, whatever it said."""
        data = self.cleaned_data
        model, text = data.get("model_text") or (None, "")
        return ApplianceFacts(
            model_text=text,
            product_model=model,
            brand=data.get("brand"),
            category=data.get("category"),
            model_source=data.get("model_source") or "",
            serial_number=data.get("serial_number") or "",
            purchase_date=data.get("purchase_date"),
            purchase_date_source=data.get("purchase_date_source") or "",
            store=data.get("store") or "",
            store_source=data.get("store_source") or "",
        )


class DiagnosisForm(ApplianceForm):
    """Stage 5: what it is, what is wrong, what was advised. Never registered by itself: stage 6 takes it over."""

    outcome = area(_("What was advised"), 2)
    store = text_field(_("Store"), 150, widget=forms.HiddenInput)
    store_source = forms.CharField(required=False, widget=forms.HiddenInput)


class RequestForm(ApplianceForm):
    """A repair or an installation request with every item of stage 6."""

    full_name = text_field(_("Full name"), 310)
    phone = text_field(_("Phone"), 100, attrs={"inputmode": "tel"})
    city = CityField(label=_("City"), required=False)
    address = text_field(_("Address"), 250)
    store = text_field(_("Store"), 150)
    store_source = choice(_("Known from"), FactSource.choices)
    is_paid = forms.BooleanField(label=_("The client agrees to a paid repair"), required=False)
    topic = forms.ModelChoiceField(Topic.objects.none(), label=_("Topic"), required=False, empty_label="—")
    service_center = forms.ModelChoiceField(ServiceCenter.objects.filter(is_active=True), required=False)
    no_center_reason = choice(
        _("Without a service centre, because"),
        [pair for pair in Appeal.NoCenterReason.choices if pair[0] not in ("declined", "reopened")],
    )
    no_center_note = text_field(_("In words"), 300, attrs={"placeholder": _("in words")})

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.fields["topic"].queryset = Topic.objects.filter(is_active=True)  # type: ignore[attr-defined]
        if kind == Appeal.Kind.INSTALLATION:
            self.fields["description"].label = _("What is to be installed, in the client's own words")

    def city_and_text(self) -> tuple[City | None, str]:
        city_id, text = self.cleaned_data.get("city") or (None, "")
        return (City.objects.filter(pk=city_id).first() if city_id else None, text)

    def same_appliance(self) -> Appliance | None:
        """The appliance that was chosen, unless another model was typed over it."""
        appliance, (_model, text) = self.cleaned_data["appliance"], self.cleaned_data["model_text"]
        same = appliance is not None and fold_model(appliance.model_text) == fold_model(text)
        return appliance if same else None

    def arguments(self) -> dict[str, Any]:
        """What `register_in_call` takes."""
        data = self.cleaned_data
        city, city_text = self.city_and_text()
        without = bool(data["no_center_reason"])
        return {
            "kind": self.kind,
            "action_id": self.action(),
            "facts": self.facts(),
            "appliance": self.same_appliance(),
            "description": data["description"],
            "full_name": data["full_name"],
            "phone": data["phone"],
            "city": city,
            "city_text": city_text,
            "address": data["address"],
            "service_center": None if without else data["service_center"],
            "no_center_reason": data["no_center_reason"],
            "no_center_note": data["no_center_note"],
            "is_paid": data["is_paid"],
            **({"topic": data["topic"]} if data["topic"] else {}),
        }


class ConsultationForm(ActionForm):
    """A consultation or an atypical appeal: the matter is enough (R1)."""

    topic = forms.ModelChoiceField(Topic.objects.none(), label=_("Topic"), required=False, empty_label="—")
    description = area(_("In the client's own words"), 3)
    outcome = area(_("What was advised"), 3)

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        topics = Topic.objects.filter(is_active=True)
        if kind == Appeal.Kind.OTHER:
            topics = topics.filter(is_atypical=True)
        self.fields["topic"].queryset = topics  # type: ignore[attr-defined]


class ContactsForm(ConsultationForm):
    """Out of warranty: the contacts of a service centre are given, and the consultation is «referred»."""

    city = CityField(label=_("City"), required=False)
    service_center = forms.ModelChoiceField(ServiceCenter.objects.filter(is_active=True), required=False)

    city_and_text = RequestForm.city_and_text


# --- The end of the call --------------------------------------------------------------------------
class PromiseForm(forms.Form):
    """«Перезвоним вам»: when, to which number, about what. A preset's key sends its moment as `due`."""

    due_at = text_field(_("Another time"), 20, attrs={"placeholder": _("25.11 10:30, or 15:00")})
    due = forms.CharField(required=False, widget=forms.HiddenInput)
    number = text_field(_("To the number"), 32, attrs={"inputmode": "tel"})
    reason = text_field(_("About what"), 300)

    def __init__(self, *args: Any, zone: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(zone) if zone else timezone.get_current_timezone()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        preset, typed = data.get("due") or "", (data.get("due_at") or "").strip()
        moment = _preset_moment(preset) if preset else read_moment(typed, timezone.now().astimezone(self.zone))
        if moment is None:
            wrong = _("Not a time: write it as 25.11 10:30.") if typed or preset else _("Say when.")
            self.add_error("due_at", ValidationError(wrong, code="invalid" if typed or preset else "required"))
        else:
            data["moment"] = moment
        return data


def _preset_moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None


class WrapUpForm(forms.Form):
    """Stage 10: the contact itself is registered."""

    topic = forms.ModelChoiceField(Topic.objects.none(), label=_("Topic"), required=False, empty_label="—")
    result = forms.ModelChoiceField(CallResult.objects.none(), label=_("Result"), required=False, empty_label="—")
    note = forms.CharField(
        label=_("Note"), required=False, widget=forms.Textarea(attrs={**OFF, "rows": 2, "maxlength": 2000})
    )

    def __init__(self, *args: Any, call: Call, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What is not offered any more stays on the call that has it.
        topics = Topic.objects.filter(is_active=True) | Topic.objects.filter(pk__in=[call.topic_id or 0])
        results = CallResult.objects.filter(is_active=True) | CallResult.objects.filter(pk__in=[call.result_id or 0])
        self.fields["topic"].queryset = topics  # type: ignore[attr-defined]
        self.fields["result"].queryset = results  # type: ignore[attr-defined]


class ReferenceForm(forms.Form):
    """The number that the call, or its appeal, got in another system."""

    system = forms.ChoiceField(label=_("System"), choices=CallReference.System.choices)
    number = text_field(_("Number"), 64)


class CorrectionForm(forms.Form):
    """An appeal of the call goes over to another account: found as clients are found."""

    account = AccountField(label=_("Move to the account"), required=False)
    reason = text_field(_("Why"), 300)


# --- The day --------------------------------------------------------------------------------------
class BeginForm(forms.Form):
    """The exchange is silent: a call is begun by hand."""

    direction = forms.ChoiceField(
        label=_("Direction"), choices=Call.Direction.choices, initial=Call.Direction.IN, widget=forms.RadioSelect
    )
    number = text_field(
        _("Number"),
        64,
        attrs={"inputmode": "tel", "autofocus": True},
        help_text=_("As you see it on the telephone; empty if it is hidden."),
    )


class DayFilter(forms.Form):
    """Which calls the list shows."""

    SHOWN: ClassVar[list[tuple[str, Any]]] = [
        ("", _("all")),
        ("open", _("open")),
        ("closed", _("closed")),
        ("missed", _("not answered")),
        ("lost", _("connection lost")),
    ]

    day = SpokenDateField(label=_("Day"), required=False)
    shown = forms.ChoiceField(label=_("Calls"), choices=SHOWN, required=False)
    operator = forms.ModelChoiceField(
        User.objects.none(), label=_("Operator"), required=False, empty_label=_("everybody")
    )

    def __init__(self, *args: Any, operators: QuerySet[User] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if operators is None:
            del self.fields["operator"]
        else:
            self.fields["operator"].queryset = operators  # type: ignore[attr-defined]

    def bounds(self) -> tuple[datetime, datetime] | None:
        """The chosen day in the hotline's own time; None: not a day."""
        day = self.cleaned_data.get("day") if self.is_bound and self.is_valid() else None
        if day is None:
            return None
        start = datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())
        return start, start + timedelta(days=1)
