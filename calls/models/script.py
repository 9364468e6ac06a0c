"""The script: a versioned document of stages and phrases. A published version is never edited (S1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hotline.base.models import append_only, tracked


class StageCode(models.TextChoices):
    """The ten stages of a call, in order. The order guides, it does not lock."""

    GREETING = "greeting", _("Greeting")
    IDENTIFICATION = "identification", _("Identification")
    CARD = "card", _("Card and account")
    HISTORY = "history", _("History of appeals")
    DIAGNOSIS = "diagnosis", _("Consultation and diagnosis")
    REGISTRATION = "registration", _("Registering the appeal")
    SMS = "sms", _("SMS")
    SUMMARY = "summary", _("Summary")
    FAREWELL = "farewell", _("Farewell")
    WRAP_UP = "wrap_up", _("Wrap-up")


class Script(models.Model):
    """A script; the hotline has one, its versions follow each other."""

    code = models.SlugField(_("code"), max_length=30, unique=True)
    name = models.CharField(_("name"), max_length=100)

    class Meta:
        verbose_name = _("script")
        verbose_name_plural = _("scripts")

    def __str__(self) -> str:
        return self.name


class ScriptVersionQuerySet(models.QuerySet["ScriptVersion"]):
    def in_force(self, at: datetime | None = None) -> Self:
        """Newest first; the first is the version in force at that moment (S2)."""
        return self.filter(state=ScriptVersion.State.PUBLISHED, effective_from__lte=at or timezone.now()).order_by(
            "-effective_from", "-number"
        )


def _published_is_frozen(table: str, version_of: str) -> list[pgtrigger.Trigger]:
    """Refuse to touch the children of a version that is no draft.

    The version is read FOR SHARE, so that a phrase can't slip in while another connection publishes it.
    """
    return [
        pgtrigger.Trigger(
            name=f"{table}_published_frozen",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
            declare=[("version_state", "TEXT"), ("old_state", "TEXT")],
            func=f"""
                IF TG_OP <> 'INSERT' THEN
                    SELECT state INTO old_state FROM calls_scriptversion WHERE id = OLD.{version_of} FOR SHARE;
                END IF;
                IF TG_OP <> 'DELETE' THEN
                    SELECT state INTO version_state FROM calls_scriptversion WHERE id = NEW.{version_of} FOR SHARE;
                END IF;
                IF COALESCE(old_state, 'draft') <> 'draft' OR COALESCE(version_state, 'draft') <> 'draft' THEN
                    RAISE EXCEPTION 'a published script version is never edited'
                        USING ERRCODE = '23514', CONSTRAINT = '{table}_published_frozen';
                END IF;
                IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                RETURN NEW;
            """,
        )
    ]


@tracked("ScriptVersionHistory")
class ScriptVersion(models.Model):
    """A version of the script: drafted, published with an effective date, never edited after."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        RETIRED = "retired", pgettext_lazy("script version", "withdrawn")

    script = models.ForeignKey(Script, models.PROTECT, related_name="versions", verbose_name=_("script"))
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    effective_from = models.DateTimeField(_("in force from"), null=True, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("published by"),
    )
    created_at = models.DateTimeField(_("drafted at"), default=timezone.now)

    objects = ScriptVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("script version")
        verbose_name_plural = _("script versions")
        ordering = ["-number"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["script", "number"], name="calls_scriptversion_number_unique"),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(effective_from__isnull=False, published_at__isnull=False),
                name="calls_scriptversion_published_is_dated",
            ),
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Trigger(
                name="calls_scriptversion_published_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state__in=["published", "retired"]),
                func="""
                    IF TG_OP = 'UPDATE' AND OLD.state = 'published' AND NEW.state = 'retired'
                       AND NEW.script_id = OLD.script_id AND NEW.number = OLD.number
                       AND NEW.effective_from = OLD.effective_from AND NEW.published_at = OLD.published_at THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'a published script version is never edited'
                        USING ERRCODE = '23514', CONSTRAINT = 'calls_scriptversion_published_frozen';
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.script} v{self.number}"


class Stage(models.Model):
    """A stage as this version words it."""

    version = models.ForeignKey(ScriptVersion, models.PROTECT, related_name="stages", verbose_name=_("version"))
    code = models.CharField(_("stage"), max_length=20, choices=StageCode.choices)
    position = models.PositiveSmallIntegerField(_("order"))
    title = models.CharField(_("title"), max_length=100)
    guidance = models.TextField(_("what is done"), blank=True)

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ["position"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["version", "code"], name="calls_stage_once_a_version")
        ]
        triggers = _published_is_frozen("calls_stage", "version_id")

    def __str__(self) -> str:
        return self.title


class Phrase(models.Model):
    """A phrase of the script (речевой модуль): said at a stage, at an objection, or kept in mind throughout (voice)."""

    class Kind(models.TextChoices):
        SPOKEN = "spoken", _("said word for word")
        REMINDER = "reminder", _("reminder at the stage")
        VOICE = "voice", _("standing reminder: voice")
        OBJECTION = "objection", _("answer to an objection")

    class Condition(models.TextChoices):
        """When it is shown: a verdict of `calls/rules.py`, or always."""

        ALWAYS = "always", _("always")
        INCOMING = "incoming", _("in an incoming call")
        OUTGOING = "outgoing", _("in an outgoing call")
        QUESTION = "question", _("when the question at the summary is asked")
        FAREWELL = "farewell", _("when the farewell is said")
        SMS_SENT = "sms_sent", _("when an SMS about a request was sent")
        CONTACTS_SENT = "contacts_sent", _("when an SMS with contacts alone was sent")
        DICTATED = "dictated", _("when a request is dictated")
        CONTACTS_SPOKEN = "contacts_spoken", _("when contacts alone are dictated")
        OWED = "owed", _("while the appeal is not registered")

    version = models.ForeignKey(ScriptVersion, models.PROTECT, related_name="phrases", verbose_name=_("version"))
    stage = models.ForeignKey(
        Stage,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="phrases",
        verbose_name=_("stage"),
        help_text=_("Empty for objections and voice, which hold throughout the call."),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.SPOKEN)
    condition = models.CharField(_("shown"), max_length=20, choices=Condition.choices, default=Condition.ALWAYS)
    trigger_text = models.CharField(
        _("what the client says"), max_length=200, blank=True, help_text=_("For an objection.")
    )
    text = models.TextField(
        _("text"), max_length=2000, help_text=_("{operator}, {operator_full} and {client} are put in.")
    )
    is_mandatory = models.BooleanField(_("mandatory"), default=False)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("phrase")
        verbose_name_plural = _("phrases")
        ordering = ["position", "pk"]
        triggers = _published_is_frozen("calls_phrase", "version_id")

    def __str__(self) -> str:
        return self.text[:60]


class ScriptChange(models.Model):
    """An entry of the change log: date, author, what changed, on what ground (S1)."""

    class Ground(models.TextChoices):
        LETTER = "letter", _("a letter")
        MEETING = "meeting", _("a meeting")
        GOAL = "goal", _("a goal")
        OTHER = "other", _("another ground")

    script = models.ForeignKey(Script, models.PROTECT, related_name="changes", verbose_name=_("script"))
    version = models.ForeignKey(
        ScriptVersion, models.PROTECT, null=True, blank=True, related_name="changes", verbose_name=_("version")
    )
    date = models.DateField(_("date"))
    author = models.CharField(_("author"), max_length=150)
    what = models.TextField(_("what changed"), max_length=2000)
    ground = models.CharField(_("ground"), max_length=10, choices=Ground.choices)
    ground_text = models.CharField(_("ground in words"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("change of the script")
        verbose_name_plural = _("changes of the script")
        ordering = ["-date", "-pk"]

    def __str__(self) -> str:
        return f"{self.date:%d.%m.%Y}: {self.what[:60]}"


class ScriptAcknowledgement(models.Model):
    """An operator has read a version (S3)."""

    version = models.ForeignKey(
        ScriptVersion, models.PROTECT, related_name="acknowledgements", verbose_name=_("version")
    )
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("operator"))
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("acknowledgement")
        verbose_name_plural = _("acknowledgements")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["version", "operator"], name="calls_acknowledgement_once")
        ]
        triggers = append_only("calls_scriptacknowledgement")

    def __str__(self) -> str:
        return f"{self.operator_id}: {self.version_id}"
