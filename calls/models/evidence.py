"""The evidence of a call: events of the exchange, acts of the stages, the journal, numbers in other systems."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calls.models.calls import Call
from calls.models.script import StageCode
from hotline.base.models import ExternalReference, append_only


class CallEvent(models.Model):
    """What an exchange said, append-only and once: the key is (source, event id)."""

    class Type(models.TextChoices):
        RINGING = "ringing", _("ringing")
        ANSWERED = "answered", _("answered")
        ENDED = "ended", _("ended")
        RATING = "rating", _("rating")
        UNKNOWN = "unknown", _("unknown")

    class Outcome(models.TextChoices):
        APPLIED = "applied", _("changed the call")
        LATE = "late", _("came late, recorded")
        IGNORED = "ignored", _("recorded only")
        UNKNOWN_CALL = "unknown_call", _("of an unknown call, recorded")

    source = models.CharField(_("exchange"), max_length=40)
    event_id = models.CharField(_("event id"), max_length=160)
    call = models.ForeignKey(Call, models.PROTECT, null=True, blank=True, related_name="events", verbose_name=_("call"))
    type = models.CharField(_("type"), max_length=10, choices=Type.choices)
    occurred_at = models.DateTimeField(_("when"), null=True, blank=True)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    outcome = models.CharField(_("what it did"), max_length=15, choices=Outcome.choices)
    payload = models.JSONField(_("payload"), default=dict)

    # Set on the instance by `record_event`: this very event had come before, and nothing was done.
    is_repeat: bool = False

    class Meta:
        verbose_name = _("event of the exchange")
        verbose_name_plural = _("events of the exchange")
        ordering = ["received_at", "pk"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["source", "event_id"], name="calls_callevent_once")
        ]
        triggers = append_only("calls_callevent")

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"


class CallStage(models.Model):
    """What was shown and done in a stage, with its time: the evidence of conformance.

    Append-only; the last act counts.
    """

    class Act(models.TextChoices):
        OPENED = "opened", _("opened")
        DONE = "done", _("done")
        SKIPPED = "skipped", _("skipped")

    call = models.ForeignKey(Call, models.PROTECT, related_name="stage_acts", verbose_name=_("call"))
    stage = models.CharField(_("stage"), max_length=20, choices=StageCode.choices)
    act = models.CharField(_("act"), max_length=10, choices=Act.choices)
    at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    # Codes and references: phrases shown (pks), verdicts with their reason codes, rows written.
    data = models.JSONField(_("facts"), default=dict, blank=True)

    class Meta:
        verbose_name = _("act of a stage")
        verbose_name_plural = _("acts of the stages")
        ordering = ["at", "pk"]
        triggers = append_only("calls_callstage")
        indexes: ClassVar[list[Any]] = [models.Index(fields=["call", "at"], name="calls_callstage_by_call")]

    def __str__(self) -> str:
        return f"{self.call_id}: {self.stage} {self.act}"


class CallJournalEntry(models.Model):
    """Corrections and decisions in a call: append-only, codes and references only."""

    class Code(models.TextChoices):
        BEGUN_BY_HAND = "begun_by_hand", _("begun by hand")
        ANSWERED = "answered", _("answered")
        ANSWERED_BY_HAND = "answered_by_hand", _("answered, said by hand")
        ENDED_BY_HAND = "ended_by_hand", _("ended, said by hand")
        TAKEN = "taken", _("taken over")
        SCRIPT_UNREAD = "script_unread", _("the operator had not acknowledged the script")
        DIALOG_BEGUN = "dialog_begun", _("dialog begun")
        CLOSED_ITSELF = "closed_itself", _("closed by itself")
        ENDING_DECLARED = "ending_declared", _("ending declared")
        ENDING_CORRECTED = "ending_corrected", _("ending corrected")
        TALK_ENDED_BY = "talk_ended_by", _("who ended the talk")
        CLIENT_CHOSEN = "client_chosen", _("client chosen")
        CLIENT_MOVED = "client_moved", _("moved to another client")
        APPEAL_REGISTERED = "appeal_registered", _("appeal registered")
        APPEAL_MOVED = "appeal_moved", _("appeal moved")
        APPEAL_REPLACED = "appeal_replaced", _("another appeal became the main one")
        APPEAL_UNLINKED = "appeal_unlinked", _("appeal unlinked")
        REFERENCE_NOTED = "reference_noted", _("number in another system noted")
        PARKED = "parked", _("parked")
        RESUMED = "resumed", _("resumed")
        CLOSED = "closed", _("closed")
        REOPENED = "reopened", _("reopened")
        CALL_BACK_PLANNED = "call_back_planned", _("call back planned")
        CALL_BACK_STARTED = "call_back_started", _("call back started")
        CALL_BACK_CANCELLED = "call_back_cancelled", _("call back cancelled")
        CALL_BACK_PROMISED = "call_back_promised", _("call back promised")
        CALL_BACK_SETTLED = "call_back_settled", _("promise settled")
        CALL_BACK_REASSIGNED = "call_back_reassigned", _("call back given to another operator")
        HAND_DIALLED = "hand_dialled", _("dialled by hand after the one attempt")
        FLAG = "flag", _("flag changed")

    call = models.ForeignKey(Call, models.PROTECT, related_name="journal", verbose_name=_("call"))
    code = models.CharField(_("what"), max_length=25, choices=Code.choices)
    at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    data = models.JSONField(_("facts"), default=dict, blank=True)

    class Meta:
        verbose_name = _("journal entry of a call")
        verbose_name_plural = _("journal of calls")
        ordering = ["-at", "-pk"]
        triggers = append_only("calls_calljournalentry")
        indexes: ClassVar[list[Any]] = [models.Index(fields=["call", "-at"], name="calls_journal_by_call")]

    def __str__(self) -> str:
        return f"{self.call_id}: {self.code}"


class CallReference(ExternalReference):
    """The number a call's registration got in GSIS or Naumen (stage 10)."""

    call = models.ForeignKey(Call, models.PROTECT, related_name="references", verbose_name=_("call"))

    class Meta:
        verbose_name = _("number in another system")
        verbose_name_plural = _("numbers in other systems")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["call", "system", "number"], name="calls_callreference_unique")
        ]

    def __str__(self) -> str:
        return f"{self.get_system_display()} {self.number}"
