"""What clients and appeals are filtered by: one set for the pages and the API."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hotline.base.phones import read_phone
from service_centers.fields import CityChoice, CityField, CityWidget
from service_centers.models import Brand, Category, ServiceCenter
from tickets.fields import SpokenDateField
from tickets.models import Account, Appeal, Appliance, Assignment, Client, Document, Topic
from tickets.search import appeals_named, client_ids, number_in

ANY = pgettext_lazy("filter", "any")


class CityFilter(filters.Filter):
    """`?city=Казань`, or the two values of the city field; a place that no directory has is compared as it was said."""

    field_class = CityField

    def filter(self, qs: QuerySet[Any], value: CityChoice | None) -> QuerySet[Any]:
        if not value or not (value.city_id or value.text):
            return qs
        return qs.filter(city=value.city_id) if value.city_id else qs.filter(city_text__iexact=value.text)


class DayFilter(filters.Filter):
    """A day as it is said (14.03.2024) or as machines write it (2024-03-14), in the hotline's time.

    `gte`: from its beginning, `lte`: until its end; as moments, so that the index on the time serves.
    """

    field_class = SpokenDateField

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        if value is None:
            return qs
        zone = timezone.get_current_timezone()
        try:
            if self.lookup_expr == "gte":
                return qs.filter(**{f"{self.field_name}__gte": datetime.combine(value, time.min, tzinfo=zone)})
            following = datetime.combine(value + timedelta(days=1), time.min, tzinfo=zone)
            return qs.filter(**{f"{self.field_name}__lt": following})
        except OverflowError:  # the last day that the calendar has
            return qs


class ClientFilter(filters.FilterSet):
    """By text (as in the search), number in any spelling, city, day of registration."""

    q = filters.CharFilter(method="search", label=_("Name, phone, appeal, serial number"))
    phone = filters.CharFilter(method="with_phone", label=_("phone"))
    city = CityFilter(label=_("City"), widget=CityWidget())
    created_after = DayFilter(field_name="created_at", lookup_expr="gte", label=_("registered from"))
    created_before = DayFilter(field_name="created_at", lookup_expr="lte", label=_("registered until"))

    class Meta:
        model = Client
        fields: ClassVar = ["q", "phone", "city", "created_after", "created_before"]

    def search(self, queryset: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        return queryset.filter(pk__in=client_ids(value, 100))

    def with_phone(self, queryset: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        read = read_phone(value)
        return queryset.filter(phones__e164=read.e164).distinct() if read.e164 else queryset.none()


class AppealFilter(filters.FilterSet):
    """By text, state, kind, topic, place, centre, brand, category, verdict, period; mine and open ones."""

    q = filters.CharFilter(
        method="search",
        label=_("Number or client"),
        widget=forms.TextInput(attrs={"data-key": "Alt+KeyN", "autocomplete": "off", "maxlength": 200}),
    )
    kind = filters.ChoiceFilter(choices=Appeal.Kind.choices, label=_("Kind"), empty_label=ANY)
    state = filters.MultipleChoiceFilter(choices=Appeal.State.choices, label=_("State"))
    topic = filters.ModelChoiceFilter(queryset=Topic.objects.all(), label=_("Topic"), empty_label=ANY)
    city = CityFilter(label=_("City"), widget=CityWidget())
    service_center = filters.ModelChoiceFilter(
        queryset=ServiceCenter.objects.select_related("city"),
        method="with_center",
        label=_("Service centre"),
        empty_label=ANY,
    )
    brand = filters.ModelChoiceFilter(queryset=Brand.objects.all(), label=_("Brand"), empty_label=ANY)
    category = filters.ModelChoiceFilter(queryset=Category.objects.all(), label=_("Category"), empty_label=ANY)
    verdict = filters.ChoiceFilter(choices=Appeal.Verdict.choices, label=_("Warranty"), empty_label=ANY)
    registered_after = DayFilter(field_name="registered_at", lookup_expr="gte", label=_("Registered from"))
    registered_before = DayFilter(field_name="registered_at", lookup_expr="lte", label=_("until"))
    client = filters.ModelChoiceFilter(queryset=Client.objects.all(), label=_("client"), widget=forms.HiddenInput)
    account = filters.ModelChoiceFilter(queryset=Account.objects.all(), label=_("account"), widget=forms.HiddenInput)
    parent = filters.NumberFilter(field_name="parent__number", label=_("on the appeal"), widget=forms.HiddenInput)
    mine = filters.BooleanFilter(method="registered_by_me", label=_("mine"), widget=forms.CheckboxInput)
    letters = filters.BooleanFilter(method="with_letters", label=_("a letter waits"), widget=forms.CheckboxInput)
    open = filters.BooleanFilter(method="still_open", label=_("open"), widget=forms.CheckboxInput)

    class Meta:
        model = Appeal
        fields: ClassVar = [
            "q", "kind", "state", "topic", "city", "service_center", "brand", "category", "verdict",
            "registered_after", "registered_before", "client", "account", "parent", "mine", "letters", "open",
        ]  # fmt: skip

    def search(self, queryset: QuerySet[Appeal], name: str, value: str) -> QuerySet[Appeal]:
        """The appeal that has this very number; where none has, all that the text may mean."""
        exact = queryset.filter(number=number) if (number := number_in(value)) is not None else queryset.none()
        if exact.exists():
            return exact
        return queryset.filter(appeals_named(value, 100))

    def with_center(self, queryset: QuerySet[Appeal], name: str, value: ServiceCenter) -> QuerySet[Appeal]:
        """Those that the centre has now, and those after which its contacts were given."""
        has = Assignment.objects.filter(service_center=value, state__in=Assignment.ACTIVE).values("appeal")
        return queryset.filter(Q(pk__in=has) | Q(referred_to=value))

    def registered_by_me(self, queryset: QuerySet[Appeal], name: str, value: bool) -> QuerySet[Appeal]:
        return queryset.filter(registered_by=self.request.user) if value and self.request else queryset

    def with_letters(self, queryset: QuerySet[Appeal], name: str, value: bool) -> QuerySet[Appeal]:
        """Those on which a letter waits for an answer."""
        waiting = Document.objects.filter(is_answered=False).values("appeal")
        return queryset.filter(pk__in=waiting) if value else queryset

    def still_open(self, queryset: QuerySet[Appeal], name: str, value: bool) -> QuerySet[Appeal]:
        return queryset.filter(state__in=Appeal.OPEN_STATES) if value else queryset


class AccountFilter(filters.FilterSet):
    """By client and number."""

    class Meta:
        model = Account
        fields: ClassVar = ["client", "number", "is_main"]


class ApplianceFilter(filters.FilterSet):
    """By account, client, model, brand, category."""

    client = filters.NumberFilter(field_name="account__client", label=_("client"))

    class Meta:
        model = Appliance
        fields: ClassVar = ["account", "client", "product_model", "brand", "category"]
