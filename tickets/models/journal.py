"""The append-only journal of an appeal."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hotline.base.models import append_only
from tickets.models.appeals import Appeal


class AppealEventQuerySet(models.QuerySet["AppealEvent"]):
    def for_list(self) -> Self:
        return self.select_related("actor")


class AppealEvent(models.Model):
    """The append-only journal of an appeal, written in the same transaction as what it records.

    Holds codes and references (`data`), no free personal text. One function each in `tickets/events.py`.
    """

    class Code(models.TextChoices):
        REGISTERED = "registered", _("registered")
        ASSIGNED = "assigned", _("assigned to a service centre")
        ASSIGNMENT_ENDED = "assignment_ended", _("assignment ended")
        STATE_CHANGED = "state_changed", _("state changed")
        EDITED = "edited", _("edited")
        MOVED = "moved", _("moved to another client")
        CONTACTS_GIVEN = "contacts_given", _("contacts of a service centre given")
        SMS_QUEUED = "sms_queued", _("SMS queued")
        SMS_SKIPPED = "sms_skipped", _("automatic SMS not sent")
        SMS_DICTATED = "sms_dictated", _("dictated")
        COMMENTED = "commented", _("comment")
        DOCUMENT_ADDED = "document_added", _("document")
        LETTER_ANSWERED = "letter_answered", _("letter answered")
        REMINDER_SET = "reminder_set", _("reminder set")
        REMINDER_DONE = "reminder_done", _("reminder done")
        REFERENCE_NOTED = "reference_noted", _("number in another system noted")
        CONSULTED = "consulted", _("consultation on this appeal")
        DUPLICATE_MARKED = "duplicate_marked", _("marked as a duplicate")

    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="journal", verbose_name=_("appeal"))
    code = models.CharField(_("what"), max_length=20, choices=Code.choices)
    at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    data = models.JSONField(_("facts"), default=dict, blank=True)

    objects = AppealEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal")
        ordering = ["-at", "-pk"]
        triggers = append_only("tickets_appealevent")
        indexes: ClassVar[list[Any]] = [
            # the journal of one appeal, newest first
            models.Index(fields=["appeal", "-at"], name="tickets_appealevent_journal")
        ]

    def __str__(self) -> str:
        return f"{self.appeal_id}: {self.code}"
