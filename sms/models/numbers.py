"""What is known of numbers: codes that are denied, who asked not to be written to, who agreed to more."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hotline.base.phones import format_phone
from hotline.operators.models import Role, User
from sms.models.templates import Category

_E164 = r"^\+[1-9][0-9]{6,14}$"


class DeniedCodeQuerySet(models.QuerySet["DeniedCode"]):
    def as_mapping(self) -> dict[str, str]:
        """Code → whose numbers these are: what `eligibility.judge_number` takes. One query."""
        return dict(self.values_list("code", "reason"))


class DeniedCode(models.Model):
    """A three-digit code whose numbers look Russian to libphonenumber and are not (940 Abkhazia, 998 South Ossetia)."""

    code = models.CharField(
        _("code"),
        max_length=3,
        unique=True,
        validators=[RegexValidator(r"\A[0-9]{3}\Z", _("Three digits."))],
        help_text=_("The three digits after +7."),
    )
    reason = models.CharField(
        _("whose numbers these are"), max_length=150, help_text=_("The operator reads it when a number is refused.")
    )

    objects = DeniedCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("denied code")
        verbose_name_plural = _("denied codes")
        ordering = ["code"]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(name="sms_denied_code_three_digits", condition=Q(code__regex=r"^[0-9]{3}$")),
        ]

    def __str__(self) -> str:
        return f"{self.code} — {self.reason}"


class PeriodQuerySet(models.QuerySet[Any]):
    """Rows about a number that hold from one moment to another; nothing is ever deleted."""

    def in_force(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def visible_to(self, user: User) -> Self:
        """People of the hotline only."""
        return self.none() if user.role == Role.INTEGRATION else self


class _NumberPeriod(models.Model):
    """What somebody said of a number, from when, and until when; by whom it was written down."""

    number = models.CharField(_("number"), max_length=16, help_text=_("E.164"))
    note = models.CharField(_("how it was said"), max_length=200, blank=True)
    started_at = models.DateTimeField(_("since"), db_default=Now())
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("written down by")
    )
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ended by")
    )

    objects = PeriodQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return format_phone(self.number)


class OptOut(_NumberPeriod):
    """The client does not want SMS at this number: none goes there, of whatever category."""

    class Meta:
        verbose_name = _("refusal of SMS")
        verbose_name_plural = _("refusals of SMS")
        ordering = ["-started_at", "-pk"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["number"], condition=Q(ended_at__isnull=True), name="sms_optout_one_in_force"
            ),
            models.CheckConstraint(name="sms_optout_number_is_e164", condition=Q(number__regex=_E164)),
        ]


class Consent(_NumberPeriod):
    """The client agreed to messages of a category that needs consent."""

    category = models.CharField(
        pgettext_lazy("SMS", "category"), max_length=10, choices=Category.choices, default=Category.OTHER
    )

    class Meta:
        verbose_name = _("consent to SMS")
        verbose_name_plural = _("consents to SMS")
        ordering = ["-started_at", "-pk"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["number", "category"], condition=Q(ended_at__isnull=True), name="sms_consent_one_in_force"
            ),
            models.CheckConstraint(name="sms_consent_number_is_e164", condition=Q(number__regex=_E164)),
        ]
