"""What service centres are filtered by: one set for the page and the API."""

from __future__ import annotations

import django_filters as filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from service_centers.fields import CityChoice, CityField, CityWidget
from service_centers.models import Brand, Category, City, ServiceCenter, ServiceCenterQuerySet, WorkKind

TAKES_REQUESTS = [
    ("", pgettext_lazy("filter", "any")),
    ("true", pgettext_lazy("filter", "yes")),
    ("false", pgettext_lazy("filter", "no")),
]


class CityFilter(filters.Filter):
    """The centres that serve a city: `?city=Казань`, `?city=12`, or the two values of the city field."""

    field_class = CityField


class ServiceCenterFilter(filters.FilterSet):
    """Brand, category and work are judged together: one authorisation must fit all that is given."""

    q = filters.CharFilter(
        method="search",
        label=_("Name, code, telephone"),
        widget=forms.TextInput(attrs={"data-key": "Alt+KeyN", "autocomplete": "off"}),
    )
    city = CityFilter(method="serving", label=_("City"), widget=CityWidget(attrs={"data-key": "Alt+KeyC"}))
    brand = filters.ModelChoiceFilter(
        queryset=Brand.objects.all(), method="together", label=_("Brand"), empty_label=pgettext_lazy("filter", "any")
    )
    category = filters.ModelChoiceFilter(
        queryset=Category.objects.all(),
        method="together",
        label=_("Category"),
        empty_label=pgettext_lazy("filter", "any"),
    )
    work = filters.ChoiceFilter(
        choices=WorkKind.choices,
        method="together",
        label=_("Kind of work"),
        empty_label=pgettext_lazy("filter", "any"),
    )
    is_active = filters.BooleanFilter(label=_("Takes requests"), widget=forms.Select(choices=TAKES_REQUESTS))

    class Meta:
        model = ServiceCenter
        fields = ("q", "city", "brand", "category", "work", "is_active")

    def search(self, queryset: ServiceCenterQuerySet, name: str, value: str) -> QuerySet[ServiceCenter]:
        return queryset.search(value)

    def serving(self, queryset: ServiceCenterQuerySet, name: str, value: CityChoice) -> QuerySet[ServiceCenter]:
        if value.city_id:
            return queryset.serving(City(pk=value.city_id))
        # a place that no directory has is served by nobody whom we know
        return queryset.none() if value.text else queryset

    def together(self, queryset: QuerySet[ServiceCenter], name: str, value: object) -> QuerySet[ServiceCenter]:
        """Left to `filter_queryset`: three filters on their own would be met by three different authorisations."""
        return queryset

    def filter_queryset(self, queryset: ServiceCenterQuerySet) -> QuerySet[ServiceCenter]:
        given = self.form.cleaned_data
        able = queryset.authorised(
            brand=given.get("brand"), category=given.get("category"), work=given.get("work") or ""
        )
        return super().filter_queryset(able)
