"""What clients own, the models that exist, and how long each is under warranty."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hotline.base.folding import FoldModel
from hotline.base.models import tracked
from hotline.operators.models import Role, User
from service_centers.models import Brand, Category, City
from tickets.models.clients import Account


class DateSource(models.TextChoices):
    """What a purchase date is known from. «The client does not know» is an answer too (R2)."""

    RECEIPT = "receipt", _("receipt or warranty card")
    CLIENT = "client", _("client's words")
    MANUFACTURE = "manufacture", _("date of manufacture")
    UNKNOWN = "unknown", _("the client does not know")


class FactSource(models.TextChoices):
    """What a model or a store is known from."""

    DOCUMENTS = "documents", _("documents")
    NAMEPLATE = "nameplate", _("nameplate")
    CLIENT = "client", _("client's words")
    UNKNOWN = "unknown", _("the client does not know")


class ProductModelQuerySet(models.QuerySet["ProductModel"]):
    def visible_to(self, user: User) -> Self:
        """The directory is open to all; operators and machines are offered what is in use."""
        return self if user.role == Role.SUPERVISOR else self.filter(is_active=True)

    def for_list(self) -> Self:
        return self.select_related("brand", "category")


class ProductModel(models.Model):
    """A model of an appliance in the maker's directory."""

    brand = models.ForeignKey(Brand, models.PROTECT, related_name="+", verbose_name=_("brand"))
    category = models.ForeignKey(Category, models.PROTECT, related_name="+", verbose_name=_("category"))
    name = models.CharField(_("model"), max_length=100)
    # `fold_model(name)`: look-alike letters made Latin, no spaces or hyphens
    folded_name = models.GeneratedField(
        expression=FoldModel("name"), output_field=models.CharField(max_length=100), db_persist=True, editable=False
    )
    is_active = models.BooleanField(_("offered in search"), default=True)

    objects = ProductModelQuerySet.as_manager()

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["brand__name", "name"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["brand", "folded_name"], name="tickets_productmodel_unique"),
        ]
        indexes: ClassVar[list[Any]] = [
            # the model field of the diagnosis: parts of a name, Latin or Cyrillic
            GinIndex(OpClass("folded_name", name="gin_trgm_ops"), name="tickets_productmodel_trgm"),
        ]

    def __str__(self) -> str:
        return f"{self.brand} {self.name}"


class ModelSuggestionQuerySet(models.QuerySet["ModelSuggestion"]):
    def waiting(self) -> Self:
        """Those a supervisor has neither added to the directory nor dismissed."""
        return self.filter(decided_at__isnull=True)


class ModelSuggestion(models.Model):
    """A model that an operator met and the directory lacks: queued for the supervisor."""

    text = models.CharField(_("model as told"), max_length=100)
    folded_text = models.GeneratedField(
        expression=FoldModel("text"), output_field=models.CharField(max_length=100), db_persist=True, editable=False
    )
    times = models.PositiveIntegerField(_("times met"), default=1)
    first_met_at = models.DateTimeField(_("first met"), default=timezone.now)
    suggested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("met by")
    )
    resolved_model = models.ForeignKey(
        ProductModel, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("became the model")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )

    objects = ModelSuggestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("model to add")
        verbose_name_plural = _("models to add")
        ordering = ["-times", "first_met_at"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["folded_text"], name="tickets_modelsuggestion_unique"),
            models.CheckConstraint(
                condition=models.Q(resolved_model__isnull=True) | models.Q(decided_at__isnull=False),
                name="tickets_modelsuggestion_decided",
            ),
        ]

    def __str__(self) -> str:
        return self.text


class WarrantyRule(models.Model):
    """How many months of warranty a brand gives on a category, for purchases from a date on."""

    brand = models.ForeignKey(Brand, models.PROTECT, related_name="+", verbose_name=_("brand"))
    category = models.ForeignKey(
        Category,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("category"),
        help_text=_("Empty: every category of the brand that has no rule of its own."),
    )
    months = models.PositiveSmallIntegerField(_("months"))
    valid_from = models.DateField(_("for purchases from"))

    class Meta:
        verbose_name = _("warranty rule")
        verbose_name_plural = _("warranty rules")
        ordering = ["brand__name", "category__name", "-valid_from"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["brand", "category", "valid_from"], name="tickets_warrantyrule_unique", nulls_distinct=False
            ),
            models.CheckConstraint(condition=models.Q(months__range=(1, 240)), name="tickets_warrantyrule_months"),
        ]

    def __str__(self) -> str:
        return f"{self.brand} · {self.category or '*'}: {self.months}"


class ApplianceQuerySet(models.QuerySet["Appliance"]):
    def visible_to(self, user: User) -> Self:
        """As the accounts they hang on."""
        return self if user.role in Role.values else self.none()

    def for_list(self) -> Self:
        return self.select_related("account", "product_model__brand", "brand", "category", "city")


@tracked("ApplianceHistory", exclude=["folded_serial"])
class Appliance(models.Model):
    """An appliance on an account (техника). The serial number is not unique and may be missing."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="appliances", verbose_name=_("account"))
    product_model = models.ForeignKey(
        ProductModel, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("model in the directory")
    )
    model_text = models.CharField(_("model"), max_length=100, help_text=_("As on the nameplate or as told."))
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("category")
    )
    brand = models.ForeignKey(Brand, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("brand"))
    serial_number = models.CharField(_("serial number"), max_length=60, blank=True)
    folded_serial = models.GeneratedField(
        expression=FoldModel("serial_number"),
        output_field=models.CharField(max_length=60),
        db_persist=True,
        editable=False,
    )
    purchase_date = models.DateField(_("purchase date"), null=True, blank=True)
    purchase_date_source = models.CharField(
        _("purchase date known from"), max_length=15, choices=DateSource.choices, default=DateSource.UNKNOWN
    )
    store = models.CharField(_("store"), max_length=150, blank=True)
    city = models.ForeignKey(City, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("city"))
    created_at = models.DateTimeField(_("noted at"), default=timezone.now)

    objects = ApplianceQuerySet.as_manager()

    class Meta:
        verbose_name = _("appliance")
        verbose_name_plural = _("appliances")
        ordering = ["-pk"]
        indexes: ClassVar[list[Any]] = [
            # search by serial number, whole or in part
            GinIndex(OpClass("folded_serial", name="gin_trgm_ops"), name="tickets_appliance_serial_trgm"),
        ]

    def __str__(self) -> str:
        return f"{self.brand} {self.model_text}" if self.brand and not self.product_model_id else self.model_text
