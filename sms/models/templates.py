"""Templates: versions that are never edited."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, ExpressionWrapper, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hotline.base.models import tracked

_FROZEN = ("code", "version", "moment", "kind", "category", "sender", "name", "text", "daily_limit")


def _versions_are_frozen() -> list[pgtrigger.Trigger]:
    """A version is never edited: a message always shows what it was made from. Only `is_current` moves."""
    new, old = (", ".join(f"{row}.{column}" for column in _FROZEN) for row in ("NEW", "OLD"))
    return [
        pgtrigger.Trigger(
            name="sms_template_frozen",
            when=pgtrigger.Before,
            operation=pgtrigger.Update | pgtrigger.Delete,
            func=(
                f"IF TG_OP = 'UPDATE' AND ({new}) IS NOT DISTINCT FROM ({old}) THEN RETURN NEW; END IF; "
                "RAISE EXCEPTION 'a version of an SMS template is never edited' "
                "USING ERRCODE = '23514', CONSTRAINT = 'sms_template_frozen';"
            ),
        )
    ]


class Category(models.TextChoices):
    """What the law asks of a message: a service one needs no consent, any other does (Federal Law 38-FZ, art. 18)."""

    SERVICE = "service", _("service")
    OTHER = "other", _("other: only with the client's consent")


class SmsTemplateQuerySet(models.QuerySet["SmsTemplate"]):
    def current(self) -> Self:
        """The version in use of each template: one per code, by constraint."""
        return self.filter(is_current=True)

    def for_moment(self, moment: str, kind: str) -> Self:
        """Those in use at a moment for a kind of appeal: the one made for this very kind first, then the older one.

        So a template that is added never takes the place of another that is in use.
        """
        return self.current().filter(moment=moment, kind__in=["", kind]).order_by("-kind", _first_version())

    def with_precedence(self) -> Self:
        """`goes_out`: whether it is the one that is taken at its moment, for its kind; others go out by name only."""
        older = SmsTemplate.objects.current().filter(moment=OuterRef("moment"), kind=OuterRef("kind"))
        older = older.alias(first=_first_version()).filter(first__lt=OuterRef("first"))
        return self.alias(first=_first_version()).annotate(
            goes_out=ExpressionWrapper(Q(is_current=True) & ~Exists(older), models.BooleanField())
        )


def _first_version() -> Subquery:
    """The pk of the first version of a template: its age."""
    return Subquery(SmsTemplate.objects.filter(code=OuterRef("code")).order_by("version").values("pk")[:1])


@tracked("SmsTemplateHistory")
class SmsTemplate(models.Model):
    """A version of a template: editing makes a new one, so that a message always shows what it was made from.

    `text` holds `{placeholders}` from the closed list of `placeholders.py`; a missing value refuses to send.
    """

    class Moment(models.TextChoices):
        """What the client is told about."""

        REQUEST_REGISTERED = "request_registered", _("a request was registered")
        SERVICE_CENTER_CONTACTS = "service_center_contacts", _("contacts of a service centre")
        OUT_OF_WARRANTY = "out_of_warranty", _("out of warranty: contacts were given")
        STATUS_CHANGED = "status_changed", _("the state of a request changed")

    class Kind(models.TextChoices):
        """For which kind of appeal; a template for the very kind goes before one for any."""

        ANY = "", _("any")
        CONSULTATION = "consultation", _("consultation")
        REPAIR = "repair", _("repair request")
        INSTALLATION = "installation", _("installation request")

    code = models.SlugField(_("code"), max_length=40)
    version = models.PositiveIntegerField(_("version"), default=1)
    moment = models.CharField(_("moment"), max_length=30, choices=Moment.choices)
    kind = models.CharField(_("kind of appeal"), max_length=20, choices=Kind.choices, blank=True)
    category = models.CharField(
        pgettext_lazy("SMS", "category"), max_length=10, choices=Category.choices, default=Category.SERVICE
    )
    sender = models.CharField(
        _("sender"), max_length=20, blank=True, help_text=_("The name that the client sees. Empty: the usual one.")
    )
    name = models.CharField(_("name"), max_length=100)
    text = models.TextField(_("text"), max_length=1000)
    daily_limit = models.PositiveIntegerField(
        _("at most a day"),
        null=True,
        blank=True,
        help_text=_("Messages made from this template in a day, to all clients together. Empty: no limit."),
    )
    is_current = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(_("made at"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("made by")
    )

    objects = SmsTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("SMS template")
        verbose_name_plural = _("SMS templates")
        ordering = ["code", "-version"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["code", "version"], name="sms_template_version_unique"),
            models.UniqueConstraint(fields=["code"], condition=Q(is_current=True), name="sms_template_one_current"),
            models.CheckConstraint(name="sms_template_has_text", condition=~Q(text="")),
        ]
        triggers = _versions_are_frozen()

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    def in_use(self) -> SmsTemplate:
        """The version in use, which says what may be sent, where an old one says what was; itself where none is. One
        query at most."""
        if self.is_current:
            return self
        return SmsTemplate.objects.current().filter(code=self.code).first() or self
