"""The directory as a spreadsheet, both ways: one row a centre, with its telephones, hours, cities and authorisations.

A column that is missing leaves what it stands for as it is; an empty cell empties it. Wrong cells are named before
anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from import_export import fields, resources, widgets

from hotline.base.errors import Invalid
from service_centers.cities import city_named
from service_centers.contacts import hours_text
from service_centers.hours import parse_hours
from service_centers.models import (
    Brand,
    Category,
    City,
    ServiceCenter,
    ServiceCenterCoverage,
    ServiceCenterHours,
    ServiceCenterPhone,
    ServiceCenterSkill,
    WorkKind,
)
from service_centers.phones import read_center_phone


def _parts(text: Any) -> list[str]:
    """What stands in one cell, parted by semicolons or line breaks."""
    return [part.strip() for part in re.split(r"[;\n]", str(text or "")) if part.strip()]


def _city(name: str) -> City:
    city = city_named(name)
    if city is None:
        raise ValueError(_("«%(city)s»: not in the directory, or several cities bear this name.") % {"city": name})
    return city


class CityWidget(widgets.Widget):
    """«Казань (Республика Татарстан)»; the region may be left out where the name is the only one."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> City:
        return _city(str(value or ""))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(value or "")


class RelatedColumn(fields.Field):
    """A column of rows that belong to the centre: written after the centre itself is.

    `read` writes the cell, `parse` makes unsaved rows of it and raises ValueError with words for the person.
    """

    def __init__(self, name: str, *, read: Callable[[ServiceCenter], str], parse: Callable[[str], list[Any]]) -> None:
        super().__init__(attribute=name, column_name=name)
        self.read = read
        self.parse = parse

    def export(self, instance: ServiceCenter, **kwargs: Any) -> str:
        # the preview of an import asks a centre that is not there yet for what it was before
        return self.read(instance) if instance.pk else ""

    def save(self, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        if is_m2m or self.column_name not in row:
            return
        instance.__dict__.setdefault("_parsed", {})[self.column_name] = self.parse(row[self.column_name])


# --- Telephones, hours, cities ------------------------------------------------------------------
def _read_phones(center: ServiceCenter) -> str:
    return "; ".join(
        f"{phone.number} — {phone.label}" if phone.label else phone.number for phone in center.phones.all()
    )


def _parse_phones(text: str) -> list[ServiceCenterPhone]:
    phones = []
    for position, part in enumerate(_parts(text)):
        number, _dash, label = part.partition("—")
        try:
            e164 = read_center_phone(number)
        except Invalid as error:
            raise ValueError(f"«{number.strip()}»: {error}") from error
        phones.append(ServiceCenterPhone(number=number.strip(), e164=e164, label=label.strip()[:60], position=position))
    return phones


def _parse_hours(text: str) -> list[ServiceCenterHours]:
    return [
        ServiceCenterHours(weekday=row.weekday, opens_at=row.opens_at, closes_at=row.closes_at)
        for row in parse_hours(str(text or ""))
    ]


def _read_covers(center: ServiceCenter) -> str:
    return "; ".join(str(row.city) for row in center.coverage.all())


def _parse_covers(text: str) -> list[ServiceCenterCoverage]:
    cities = {city.pk: city for city in map(_city, _parts(text))}
    return [ServiceCenterCoverage(city=city) for city in cities.values()]


# --- Authorisations: a column for each kind of work -------------------------------------------------
def _read_skills(work: WorkKind) -> Callable[[ServiceCenter], str]:
    def read(center: ServiceCenter) -> str:
        return "; ".join(
            f"{skill.brand}: {skill.category}" if skill.category else str(skill.brand)
            for skill in center.skills.all()
            if skill.work == work
        )

    return read


def _parse_skills(work: WorkKind) -> Callable[[str], list[ServiceCenterSkill]]:
    """«Vestra; Aquilon: Вытяжки»: all of one brand, one category of another."""

    def parse(text: str) -> list[ServiceCenterSkill]:
        pairs = {}
        for part in _parts(text):
            brand_name, _colon, category_name = (piece.strip() for piece in part.partition(":"))
            brand = Brand.objects.filter(name__iexact=brand_name).first()
            category = Category.objects.filter(name__iexact=category_name).first() if category_name else None
            if brand is None:
                raise ValueError(_("«%(name)s»: no such brand in the directory.") % {"name": brand_name})
            if category_name and category is None:
                raise ValueError(_("«%(name)s»: no such category in the directory.") % {"name": category_name})
            pairs[brand.pk, category and category.pk] = (brand, category)
        return [ServiceCenterSkill(brand=brand, category=category, work=work) for brand, category in pairs.values()]

    return parse


class ServiceCenterResource(resources.ModelResource):
    city = fields.Field(attribute="city", column_name="city", widget=CityWidget())
    phones = RelatedColumn("phones", read=_read_phones, parse=_parse_phones)
    hours = RelatedColumn("hours", read=hours_text, parse=_parse_hours)
    covers = RelatedColumn("covers", read=_read_covers, parse=_parse_covers)
    warranty_repair = RelatedColumn(
        "warranty_repair", read=_read_skills(WorkKind.WARRANTY_REPAIR), parse=_parse_skills(WorkKind.WARRANTY_REPAIR)
    )
    paid_repair = RelatedColumn(
        "paid_repair", read=_read_skills(WorkKind.PAID_REPAIR), parse=_parse_skills(WorkKind.PAID_REPAIR)
    )
    installation = RelatedColumn(
        "installation", read=_read_skills(WorkKind.INSTALLATION), parse=_parse_skills(WorkKind.INSTALLATION)
    )

    class Meta:
        model = ServiceCenter
        import_id_fields = ("code",)
        clean_model_instances = True
        fields: ClassVar = (
            *("code", "name", "legal_name", "city", "address", "directions", "phones", "hours", "covers"),
            *("warranty_repair", "paid_repair", "installation"),
            *("latitude", "longitude", "email", "website", "note", "is_active"),
        )

    def filter_export(self, queryset: QuerySet[ServiceCenter], **kwargs: Any) -> Iterable[ServiceCenter]:
        return queryset.select_related("city").prefetch_related(
            "phones", "hours", "coverage__city", "skills__brand", "skills__category"
        )

    def after_save_instance(self, instance: ServiceCenter, row: Any, **kwargs: Any) -> None:
        """Replace the rows of every column that the sheet has; the whole import is one transaction."""
        for column, rows in instance.__dict__.pop("_parsed", {}).items():
            if column in WorkKind.values:
                instance.skills.filter(work=column).delete()
            else:
                getattr(instance, {"covers": "coverage"}.get(column, column)).all().delete()
            for related in rows:
                related.service_center = instance
            if rows:
                type(rows[0]).objects.bulk_create(rows)
