"""The directory of authorised service centres (ASC): where they are, what they repair, when they are open.

A leaf: it knows nothing of clients or appeals. `matching.py` ranks the centres for a city, a brand, a category and a
kind of work.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self
from zoneinfo import available_timezones

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import TrigramSimilarity
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, Exists, Func, OuterRef, Q, Value, When
from django.db.models.functions import Concat, Replace
from django.utils.translation import gettext_lazy as _

from hotline.base.folding import Fold, fold
from hotline.base.models import tracked
from hotline.base.phones import digits_of
from hotline.operators.models import User

LATITUDE = [MinValueValidator(-90.0), MaxValueValidator(90.0)]
LONGITUDE = [MinValueValidator(-180.0), MaxValueValidator(180.0)]


class WorkKind(models.TextChoices):
    """What a centre is asked to do."""

    WARRANTY_REPAIR = "warranty_repair", _("warranty repair")
    PAID_REPAIR = "paid_repair", _("paid repair")
    INSTALLATION = "installation", _("installation")


class Brand(models.Model):
    """A brand of appliances that the hotline supports."""

    name = models.CharField(_("name"), max_length=60, unique=True)

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """A category of appliances: washing machines, ovens, …"""

    name = models.CharField(_("name"), max_length=60, unique=True)

    class Meta:
        verbose_name = _("category of appliances")
        verbose_name_plural = _("categories of appliances")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def validate_timezone(name: str) -> None:
    """Refuse a zone that the machine's zone database does not have: opening hours could not be judged in it."""
    if name not in available_timezones():
        raise ValidationError(_("There is no such time zone."), code="timezone")


class CityQuerySet(models.QuerySet["City"]):
    def matching(self, name: str, *, region: str = "") -> Self:
        """Those that a folded name (`cities.fold_city`) may mean, best first, each annotated with a `match`.

        `match` says how: 0 the very name (or another name), 1 its beginning, 2 the beginning of a later word
        or of another name, 3 alike but for a typo. Within one: the more alike, then the bigger.
        """
        cities = self.annotate(
            folded_others=Fold(Concat(Value(","), Replace("other_names", Value(", "), Value(",")), Value(","))),
            folded_region=Fold("region"),
        ).filter(
            Q(folded_name__startswith=name)
            | Q(folded_name__contains=f" {name}")
            | Q(folded_name__trigram_similar=name)
            | Q(folded_others__contains=f",{name}")
        )
        if region:
            cities = cities.filter(folded_region__contains=region)
        return cities.annotate(
            match=Case(
                When(Q(folded_name=name) | Q(folded_others__contains=f",{name},"), then=0),
                When(folded_name__startswith=name, then=1),
                When(Q(folded_name__contains=f" {name}") | Q(folded_others__contains=f",{name}"), then=2),
                default=3,
                output_field=models.SmallIntegerField(),
            ),
            likeness=Case(
                When(match=3, then=TrigramSimilarity("folded_name", name)),
                default=0.0,
                output_field=models.FloatField(),
            ),
        ).order_by("match", "-likeness", "-population", "name", "pk")


class City(models.Model):
    """A place with coordinates and a time zone. Names repeat («Кировск»), so the region stands beside them."""

    name = models.CharField(_("name"), max_length=100)
    region = models.CharField(_("region"), max_length=100)
    latitude = models.FloatField(_("latitude"), validators=LATITUDE, help_text=_("Degrees, WGS 84."))
    longitude = models.FloatField(_("longitude"), validators=LONGITUDE, help_text=_("Degrees, WGS 84."))
    timezone = models.CharField(
        _("time zone"),
        max_length=40,
        validators=[validate_timezone],
        help_text=_("IANA name, e.g. Asia/Yekaterinburg."),
    )
    population = models.PositiveIntegerField(_("population"), default=0)
    other_names = models.CharField(
        _("other names"),
        max_length=200,
        blank=True,
        help_text=_("What else callers say, separated by commas: «спб, питер, ленинград»."),
    )
    # Lower case, е for ё, a space for a hyphen: «ростов на дону» is what people type.
    folded_name = models.GeneratedField(
        expression=Fold(Replace("name", Value("-"), Value(" "))),
        output_field=models.CharField(max_length=100),
        db_persist=True,
        editable=False,
    )

    match: int  # annotated by `matching()`

    objects = CityQuerySet.as_manager()

    class Meta:
        verbose_name = _("city")
        verbose_name_plural = _("cities")
        ordering = ["name", "region"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["name", "region"], name="service_centers_city_unique")
        ]
        indexes: ClassVar[list[Any]] = [
            # the city field of every form: «орел» finds «Орёл», «екатиринбург» its city
            GinIndex(OpClass("folded_name", name="gin_trgm_ops"), name="service_centers_city_trgm")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.region})" if self.region and self.region != self.name else self.name


class DigitsOnly(Func):
    """«+7 (495) 000-12-34» → «74950001234»."""

    template = r"regexp_replace(%(expressions)s, '\D', '', 'g')"
    output_field = models.CharField()


class ServiceCenterQuerySet(models.QuerySet["ServiceCenter"]):
    def visible_to(self, user: User) -> Self:
        """The directory is open to whoever may sign in, also the centres that take no requests any more.

        A client whose appeal lies with one of them still asks for its telephone.
        """
        return self if user.is_active else self.none()

    def serving(self, city: City) -> Self:
        """Those in the city or travelling to it."""
        coverage = ServiceCenterCoverage.objects.filter(service_center=OuterRef("pk"), city=city)
        return self.filter(Q(city=city) | Exists(coverage))

    def authorised(self, *, brand: Brand | None, category: Category | None, work: str) -> Self:
        """Those with one authorisation that fits all of what is given; one for the whole brand fits each category."""
        skills = ServiceCenterSkill.objects.filter(service_center=OuterRef("pk"))
        if brand:
            skills = skills.filter(brand=brand)
        if category:
            skills = skills.filter(Q(category=category) | Q(category=None))
        if work:
            skills = skills.filter(work=work)
        return self.filter(Exists(skills)) if brand or category or work else self

    def search(self, text: str) -> Self:
        """By a part of the name, the legal name, the code or the address, or by digits of a telephone."""
        folded = fold(text)
        if not folded:
            return self
        found = Q(searched__contains=folded)
        if len(digits := digits_of(text)) >= 4:
            of_phone = ServiceCenterPhone.objects.annotate(digits=DigitsOnly("number")).filter(
                service_center=OuterRef("pk"), digits__contains=digits[1:] if len(digits) == 11 else digits
            )
            found |= Q(Exists(of_phone))
        words = Concat("name", Value(" "), "legal_name", Value(" "), "code", Value(" "), "address")
        return self.alias(searched=Fold(words)).filter(found)

    def for_list(self) -> Self:
        return self.select_related("city").prefetch_related("phones")

    def for_detail(self) -> Self:
        return self.select_related("city").prefetch_related(
            "phones", "hours", "coverage__city", "skills__brand", "skills__category"
        )


@tracked("ServiceCenterHistory")
class ServiceCenter(models.Model):
    """An authorised service centre (АСЦ)."""

    code = models.CharField(_("code"), max_length=20, unique=True, help_text=_("Its number in the maker's network."))
    name = models.CharField(_("name"), max_length=150)
    legal_name = models.CharField(_("legal name"), max_length=200, blank=True)
    city = models.ForeignKey(City, models.PROTECT, related_name="service_centers", verbose_name=_("city"))
    address = models.CharField(_("address"), max_length=250, help_text=_("Street and house; the city stands apart."))
    directions = models.CharField(_("how to get there"), max_length=250, blank=True)
    latitude = models.FloatField(_("latitude"), null=True, blank=True, validators=LATITUDE)
    longitude = models.FloatField(_("longitude"), null=True, blank=True, validators=LONGITUDE)
    email = models.EmailField(_("e-mail"), blank=True)
    website = models.URLField(_("website"), blank=True)
    note = models.TextField(_("note for operators"), blank=True)
    is_active = models.BooleanField(_("takes requests"), default=True)

    objects = ServiceCenterQuerySet.as_manager()

    class Meta:
        verbose_name = _("service centre")
        verbose_name_plural = _("service centres")
        ordering = ["city__name", "name"]

    def __str__(self) -> str:
        return self.name


@tracked("ServiceCenterPhoneHistory", deletions=True)
class ServiceCenterPhone(models.Model):
    """A telephone of a centre, in the order in which it is read out."""

    service_center = models.ForeignKey(ServiceCenter, models.CASCADE, related_name="phones")
    number = models.CharField(_("number"), max_length=32, help_text=_("As it is read out."))
    e164 = models.CharField(_("E.164"), max_length=16, blank=True, editable=False)
    label = models.CharField(_("what it is for"), max_length=60, blank=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("telephone")
        verbose_name_plural = _("telephones")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.number

    @property
    def spoken(self) -> str:
        """What is cut into groups to be dictated: the E.164 where there is one, else as the directory writes it."""
        return self.e164 or self.number


@tracked("ServiceCenterHoursHistory", deletions=True)
class ServiceCenterHours(models.Model):
    """Opening hours of one weekday, in the centre's local time; a day without a row is closed."""

    service_center = models.ForeignKey(ServiceCenter, models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(
        _("weekday"), validators=[MinValueValidator(1), MaxValueValidator(7)], help_text=_("ISO 8601: 1 is Monday.")
    )
    opens_at = models.TimeField(_("opens at"))
    closes_at = models.TimeField(_("closes at"))

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        ordering = ["weekday", "opens_at"]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=Q(weekday__range=(1, 7)), name="service_centers_hours_weekday"),
            models.CheckConstraint(condition=Q(opens_at__lt=models.F("closes_at")), name="service_centers_hours_order"),
        ]

    def __str__(self) -> str:
        return f"{self.weekday}: {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"


@tracked("ServiceCenterCoverageHistory", deletions=True)
class ServiceCenterCoverage(models.Model):
    """A city a centre travels to, besides its own."""

    service_center = models.ForeignKey(ServiceCenter, models.CASCADE, related_name="coverage")
    city = models.ForeignKey(City, models.PROTECT, related_name="covered_by", verbose_name=_("city"))

    class Meta:
        verbose_name = _("covered city")
        verbose_name_plural = _("covered cities")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["service_center", "city"], name="service_centers_coverage_unique")
        ]

    def __str__(self) -> str:
        return str(self.city)


@tracked("ServiceCenterSkillHistory", deletions=True)
class ServiceCenterSkill(models.Model):
    """What a centre is authorised for: a brand, a category (none: all of the brand) and a kind of work."""

    service_center = models.ForeignKey(ServiceCenter, models.CASCADE, related_name="skills")
    brand = models.ForeignKey(Brand, models.PROTECT, related_name="+", verbose_name=_("brand"))
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("category")
    )
    work = models.CharField(_("kind of work"), max_length=20, choices=WorkKind.choices)

    class Meta:
        verbose_name = _("authorisation")
        verbose_name_plural = _("authorisations")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["service_center", "brand", "category", "work"],
                name="service_centers_skill_unique",
                nulls_distinct=False,
            )
        ]
        indexes: ClassVar[list[Any]] = [
            # matching: the centres authorised for a brand and a kind of work
            models.Index(fields=["brand", "work", "category"], name="service_centers_skill_match")
        ]

    def __str__(self) -> str:
        return f"{self.brand} · {self.category or '*'} · {self.get_work_display()}"
