"""What is known of the gateways, and of the database that the outbox lives in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from sms.reasons import in_words


class GatewayState(models.Model):
    """How a gateway was last found: its money, and what is wrong with it. One row a gateway, made by the first news."""

    name = models.CharField(_("gateway"), max_length=30, primary_key=True)
    balance = models.DecimalField(_("balance, ₽"), max_digits=12, decimal_places=2, null=True, blank=True)
    balance_at = models.DateTimeField(_("balance told at"), null=True, blank=True)
    problem = models.CharField(_("what was wrong"), max_length=60, blank=True)  # a reason code
    problem_at = models.DateTimeField(_("since"), null=True, blank=True)

    class Meta:
        verbose_name = _("state of a gateway")
        verbose_name_plural = _("states of gateways")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def problem_in_words(self) -> str:
        return in_words(self.problem)


class OutboxHome(models.Model):
    """The database that this outbox was at home in when it last sent. In a restored copy it is another, and nothing is
    handed over until somebody says so: what the copy calls queued may have been sent after it was made.

    One row. `identity` names the cluster, its timeline and the database (`actions/home.py`).
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    identity = models.CharField(max_length=100)
    since = models.DateTimeField(_("since"), db_default=Now())
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("released by")
    )

    class Meta:
        verbose_name = _("home of the outbox")
        verbose_name_plural = _("home of the outbox")
        constraints: ClassVar[list[Any]] = [models.CheckConstraint(name="sms_outbox_one_home", condition=Q(id=1))]

    def __str__(self) -> str:
        return self.identity
