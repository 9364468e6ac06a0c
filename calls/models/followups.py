"""What is still owed to a client whom an SMS did not reach (R3)."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calls.models.callbacks import OwnedQuerySet
from tickets.models import AppealMessage


class FollowUpQuerySet(OwnedQuerySet):
    def open(self) -> Self:
        return self.filter(done_at__isnull=True)

    def for_list(self) -> Self:
        return self.select_related("link__message", "link__appeal__client", "owner")

    def for_detail(self) -> Self:
        """With who sent it and its template; the journal and the parts are two queries more."""
        return (
            self.for_list()
            .select_related("link__message__requested_by", "link__message__template", "done_by")
            .prefetch_related("link__message__changes", "link__message__parts")
        )


class FollowUp(models.Model):
    """A message that did not arrive, for its owner to make good: dictated, sent anew, or not needed any more.

    Made by the sweep (`calls/tasks.py`), one a message. Without an owner it is the supervisors'.
    """

    class Outcome(models.TextChoices):
        DICTATED = "dictated", _("dictated")
        RESENT = "resent", _("sent anew")
        NOT_NEEDED = "not_needed", _("not needed any more")

    link = models.OneToOneField(AppealMessage, models.PROTECT, related_name="+", verbose_name=_("message"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    created_at = models.DateTimeField(_("since"), default=timezone.now)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("done by")
    )
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = _("SMS to make good")
        verbose_name_plural = _("SMS to make good")
        ordering = ["created_at", "pk"]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                name="calls_followup_done_has_outcome",
                condition=Q(done_at__isnull=True, outcome="") | (Q(done_at__isnull=False) & ~Q(outcome="")),
            )
        ]
        indexes: ClassVar[list[Any]] = [
            # what a person still has to make good, oldest first
            models.Index(fields=["owner", "created_at"], condition=Q(done_at__isnull=True), name="calls_followup_open")
        ]

    def __str__(self) -> str:
        return f"{self.link_id}"
