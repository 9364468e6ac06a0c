"""The directory in the back office: supervisors keep it by hand or from a spreadsheet."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV, XLSX
from import_export.forms import ExportForm

from hotline.base.errors import Invalid
from service_centers import actions
from service_centers.cities import fold_city
from service_centers.contacts import hours_text
from service_centers.hours import Hours, parse_hours
from service_centers.models import (
    Brand,
    Category,
    City,
    ServiceCenter,
    ServiceCenterCoverage,
    ServiceCenterPhone,
    ServiceCenterSkill,
)
from service_centers.phones import read_center_phone
from service_centers.resources import ServiceCenterResource


class PhoneForm(forms.ModelForm):
    """The number stays as typed; its E.164 is worked out beside it."""

    class Meta:
        model = ServiceCenterPhone
        fields = ["number", "label", "position"]

    def clean_number(self) -> str:
        number: str = self.cleaned_data["number"]
        try:
            self.instance.e164 = read_center_phone(number)
        except Invalid as error:
            raise ValidationError(error.message, code=error.code) from error
        return number


class PhoneInline(admin.TabularInline):
    model = ServiceCenterPhone
    form = PhoneForm
    extra = 1


class ServiceCenterForm(forms.ModelForm):
    """The week is one line, as it is read out: quicker than seven rows, and what stands there is what clients hear."""

    week = forms.CharField(
        label=_("opening hours"),
        required=False,
        widget=forms.TextInput(attrs={"class": "vLargeTextField", "size": "60"}),
        help_text=_(
            "As in «Mon–Fri 9:00–18:00, break 13:00–14:00; Sat 10:00–15:00», «daily 9:00–21:00», «round the clock»."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["week"] = hours_text(self.instance)

    def clean_week(self) -> list[Hours]:
        try:
            return parse_hours(self.cleaned_data["week"])
        except ValueError as error:
            raise ValidationError(str(error), code="hours") from error


class CoverageInline(admin.TabularInline):
    model = ServiceCenterCoverage
    autocomplete_fields = ["city"]
    extra = 1


class SkillInline(admin.TabularInline):
    model = ServiceCenterSkill
    extra = 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServiceCenterSkill]:
        return super().get_queryset(request).select_related("brand", "category").order_by("brand__name", "work")


@admin.register(ServiceCenter)
class ServiceCenterAdmin(ImportExportModelAdmin):
    resource_classes = [ServiceCenterResource]
    formats = [XLSX, CSV]
    list_display = ["name", "code", "city", "address", "is_active"]
    list_filter = ["is_active", "skills__brand", "skills__work"]
    list_select_related = ["city"]
    list_per_page = 50
    search_fields = ["name", "code", "city__name", "address"]
    autocomplete_fields = ["city"]
    form = ServiceCenterForm
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    export_form_class = ExportForm
    inlines = [PhoneInline, CoverageInline, SkillInline]
    fieldsets = [
        (None, {"fields": ["code", "name", "legal_name", "is_active"]}),
        (_("When it is open"), {"fields": ["week"]}),
        (_("Where it is"), {"fields": ["city", "address", "directions", ("latitude", "longitude")]}),
        (_("Besides"), {"fields": ["email", "website", "note"]}),
    ]

    def save_model(self, request: HttpRequest, obj: ServiceCenter, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "week" in form.changed_data:
            actions.set_hours(service_center=obj, week=form.cleaned_data["week"], actor=request.user)  # type: ignore[arg-type]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ServiceCenter], search_term: str
    ) -> tuple[QuerySet[ServiceCenter], bool]:
        """As on the page for operators: ё/е alike, a part of a telephone too; or the city's name."""
        found = queryset.filter(pk__in=ServiceCenter.objects.search(search_term).values("pk"))
        in_city = queryset.filter(city__folded_name__startswith=fold_city(search_term)) if search_term else found
        return found | in_city, False


@admin.register(City)
class CityAdmin(admin.ModelAdmin):
    list_display = ["name", "region", "timezone", "population"]
    list_filter = ["timezone"]
    search_fields = ["name"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[City], search_term: str
    ) -> tuple[QuerySet[City], bool]:
        """As in the city field: without ё, with a typo."""
        if name := fold_city(search_term.replace("\x00", "")):
            return City.objects.matching(name), False
        return queryset, False


@admin.register(Brand, Category)
class NameAdmin(admin.ModelAdmin):
    """Brands and categories are names: what refers to them keeps them from being deleted."""

    search_fields = ["name"]
