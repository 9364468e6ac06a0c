"""A client's card, the phones on it and the account opened with it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Concat
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hotline.base.folding import Digits, Fold
from hotline.base.models import tracked
from hotline.base.phones import format_phone, read_phone
from hotline.operators.models import Role, User
from service_centers.models import City


class ClientQuerySet(models.QuerySet["Client"]):
    def visible_to(self, user: User) -> Self:
        """Any client may ring any operator, so the staff sees all cards; machines with a read scope too."""
        return self if user.role in Role.values else self.none()

    def for_list(self) -> Self:
        return self.select_related("city").prefetch_related("phones", "accounts")


@tracked("ClientHistory", exclude=["folded_name"])
class Client(models.Model):
    """A person who calls, or on whose behalf somebody calls (карточка клиента)."""

    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    middle_name = models.CharField(_("middle name"), max_length=100, blank=True)
    city = models.ForeignKey(City, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("city"))
    city_text = models.CharField(
        _("city as said"), max_length=150, blank=True, help_text=_("Where the place is not in the directory.")
    )
    address = models.CharField(_("address"), max_length=250, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("registered at"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("registered by")
    )
    # The operator's action: a form posted twice makes one card.
    action_id = models.UUIDField(_("action"), unique=True, null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1)  # optimistic lock of the card's form
    # «фамилия имя отчество», folded: what the search by name reads
    folded_name = models.GeneratedField(
        expression=Fold(Concat(F("last_name"), Value(" "), F("first_name"), Value(" "), F("middle_name"))),
        output_field=models.CharField(max_length=310),
        db_persist=True,
        editable=False,
    )

    objects = ClientQuerySet.as_manager()

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ["-pk"]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=~Q(last_name="") | ~Q(first_name=""), name="tickets_client_has_a_name"),
        ]
        indexes: ClassVar[list[Any]] = [
            # search by name with a typo, ё and case folded
            GinIndex(OpClass("folded_name", name="gin_trgm_ops"), name="tickets_client_name_trgm"),
        ]

    def __str__(self) -> str:
        return self.full_name

    def get_absolute_url(self) -> str:
        return reverse("desk:client", args=[self.pk])

    @property
    def full_name(self) -> str:
        """ФИО."""
        return " ".join(part for part in (self.last_name, self.first_name, self.middle_name) if part)

    @property
    def city_name(self) -> str:
        """The city's name, or what the client called the place. Causes a SQL query unless `city` was selected."""
        return self.city.name if self.city else self.city_text


# A number may be taken off a card: its history keeps that too.
@tracked("ClientPhoneHistory", exclude=["digits"], deletions=True)
class ClientPhone(models.Model):
    """A number on a card: as typed, and as read. Not globally unique: families share numbers."""

    client = models.ForeignKey(Client, models.PROTECT, related_name="phones", verbose_name=_("client"))
    raw = models.CharField(_("as typed"), max_length=100)
    e164 = models.CharField(_("E.164"), max_length=16, blank=True)
    region = models.CharField(_("country"), max_length=2, blank=True)
    line_type = models.CharField(_("line type"), max_length=10, blank=True)
    extension = models.CharField(_("extension"), max_length=10, blank=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    created_at = models.DateTimeField(_("noted at"), default=timezone.now)
    # What the search by a part of a number reads: of the E.164 form, or of what was typed where it can't be read.
    digits = models.GeneratedField(
        expression=Case(
            When(~Q(e164=""), then=Digits("e164")), default=Digits("raw"), output_field=models.CharField(max_length=100)
        ),
        output_field=models.CharField(max_length=100),
        db_persist=True,
        editable=False,
    )

    class Meta:
        verbose_name = _("phone")
        verbose_name_plural = _("phones")
        ordering = ["position", "pk"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["client", "e164", "extension"], condition=~Q(e164=""), name="tickets_clientphone_once_a_card"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            # who calls: the screen-pop's look-up by number
            models.Index(fields=["e164"], condition=~Q(e164=""), name="tickets_clientphone_e164"),
            # search by any part of a number
            GinIndex(OpClass("digits", name="gin_trgm_ops"), name="tickets_clientphone_trgm"),
        ]

    def __str__(self) -> str:
        if not self.e164:
            return self.raw
        number, extension = format_phone(self.e164), read_phone(self.raw).extension
        return " ".join((number, _("ext. %(extension)s") % {"extension": extension})) if extension else number


class AccountQuerySet(models.QuerySet["Account"]):
    def visible_to(self, user: User) -> Self:
        """As the cards they were opened with."""
        return self if user.role in Role.values else self.none()

    def for_list(self) -> Self:
        return self.select_related("client")


@tracked("AccountHistory")
class Account(models.Model):
    """The account opened with a card (счёт). Another on the same card is opened only deliberately, with its reason."""

    number = models.BigIntegerField(_("number"), unique=True)
    client = models.ForeignKey(Client, models.PROTECT, related_name="accounts", verbose_name=_("client"))
    is_main = models.BooleanField(_("opened with the card"), default=True)
    reason = models.CharField(
        _("why another one"), max_length=200, blank=True, help_text=_("A company, a second household.")
    )
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("opened by")
    )

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["-is_main", "number"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["client"], condition=Q(is_main=True), name="tickets_account_one_main"),
            models.CheckConstraint(condition=Q(is_main=True) | ~Q(reason=""), name="tickets_account_second_has_reason"),
        ]

    def __str__(self) -> str:
        return str(self.number)
