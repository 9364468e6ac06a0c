"""What is still being typed: kept on the server, invalid text and all. Nothing typed is ever lost."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calls.models.calls import Call
from hotline.operators.models import Role, User
from tickets.models import Appeal


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, user: User) -> Self:
        """The owner's; a supervisor sees all."""
        if user.role == Role.SUPERVISOR:
            return self
        return self.filter(owner=user) if user.role == Role.OPERATOR else self.none()

    def open(self) -> Self:
        return self.filter(submitted_at__isnull=True, discarded_at__isnull=True)


class Draft(models.Model):
    """A form of a call as far as it was typed. A request the client broke off stays here with its owner (R2)."""

    class Form(models.TextChoices):
        CLIENT = "client", _("client's card")
        REPAIR = "repair", _("repair request")
        INSTALLATION = "installation", _("installation request")
        CONSULTATION = "consultation", _("consultation")
        DIAGNOSIS = "diagnosis", _("diagnosis")
        SMS = "sms", _("SMS to another number")
        WRAP_UP = "wrap_up", _("wrap-up")

    # Where the form stands in the workspace: what `?stage=` says; the others stand at the registration.
    STAGES: ClassVar[dict[str, str]] = {
        Form.CLIENT: "card", Form.DIAGNOSIS: "diagnosis", Form.SMS: "sms", Form.WRAP_UP: "wrap_up",
    }  # fmt: skip
    # What tells one draft from another in a list.
    TOLD: ClassVar[tuple[str, ...]] = (
        "last_name", "first_name", "full_name", "model_text", "description", "outcome", "note", "to",
    )  # fmt: skip

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="drafts", verbose_name=_("owner"))
    call = models.ForeignKey(Call, models.PROTECT, related_name="drafts", verbose_name=_("call"))
    form = models.CharField(_("form"), max_length=15, choices=Form.choices)
    # The action that its submission will be: a form posted twice makes one thing.
    action_id = models.UUIDField(_("action"), unique=True)
    data = models.JSONField(_("as typed"), default=dict)
    version = models.PositiveIntegerField(_("version"), default=1)
    created_at = models.DateTimeField(_("begun at"), default=timezone.now)
    updated_at = models.DateTimeField(_("saved at"), default=timezone.now)
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    discarded_at = models.DateTimeField(_("discarded at"), null=True, blank=True)
    appeal = models.ForeignKey(
        Appeal, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("became the appeal")
    )

    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        ordering = ["-updated_at"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["call", "form"],
                condition=Q(submitted_at__isnull=True, discarded_at__isnull=True),
                name="calls_draft_one_open_form",
            )
        ]
        indexes: ClassVar[list[Any]] = [
            # my open drafts
            models.Index(
                fields=["owner", "-updated_at"],
                condition=Q(submitted_at__isnull=True, discarded_at__isnull=True),
                name="calls_draft_open_of_owner",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_form_display()} {self.pk}"

    @property
    def stage(self) -> str:
        return self.STAGES.get(self.form, "registration")

    @property
    def in_words(self) -> str:
        """What was typed, as far as it tells one draft from another."""
        texts = [text for name in self.TOLD if isinstance(text := self.data.get(name), str) and text]
        return " · ".join(texts)[:200]
