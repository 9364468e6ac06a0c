"""Calling back: after a lost connection exactly once (D2), and when it was promised.

Two models: neither is a way round the other.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hotline.operators.models import Role, User


class OwnedQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """The owner's, and every supervisor's."""
        if user.role == Role.SUPERVISOR:
            return self
        return self.filter(owner=user) if user.role == Role.OPERATOR else self.none()


class LostCallBackQuerySet(OwnedQuerySet):
    def planned(self) -> Self:
        return self.filter(attempted_at__isnull=True, cancelled_at__isnull=True)


class LostCallBack(models.Model):
    """The one call back that a lost connection is owed (D2). Whether the client was reached, the attempt's call tells.

    Once the attempt is made the row is frozen by a trigger: nobody plans or starts another, ever.
    """

    class CancelReason(models.TextChoices):
        CLIENT_CALLED = "client_called", _("the client called in first")
        NOT_LOST = "not_lost", _("the connection was not lost after all")
        NO_NUMBER = "no_number", _("the number is hidden")

    call = models.OneToOneField(
        "calls.Call", models.PROTECT, related_name="lost_call_back", verbose_name=_("lost call")
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("owner"))
    planned_at = models.DateTimeField(_("planned at"), default=timezone.now)
    attempted_at = models.DateTimeField(_("attempted at"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    cancel_reason = models.CharField(_("why cancelled"), max_length=15, choices=CancelReason.choices, blank=True)

    objects = LostCallBackQuerySet.as_manager()

    class Meta:
        verbose_name = _("call back after a lost connection")
        verbose_name_plural = _("call backs after lost connections")
        ordering = ["planned_at"]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                name="calls_lostcallback_attempted_or_cancelled",
                condition=Q(attempted_at__isnull=True) | Q(cancelled_at__isnull=True),
            ),
            models.CheckConstraint(
                name="calls_lostcallback_cancelled_has_reason",
                condition=Q(cancelled_at__isnull=True, cancel_reason="")
                | (Q(cancelled_at__isnull=False) & ~Q(cancel_reason="")),
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            # my call backs
            models.Index(
                fields=["owner", "planned_at"],
                condition=Q(attempted_at__isnull=True, cancelled_at__isnull=True),
                name="calls_lostcallback_planned",
            )
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Trigger(
                name="calls_lostcallback_attempt_is_final",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__attempted_at__isnull=False),
                func=(
                    "RAISE EXCEPTION 'the one call back was attempted' "
                    "USING ERRCODE = '23514', CONSTRAINT = 'calls_lostcallback_attempt_is_final';"
                ),
            ),
            pgtrigger.Trigger(
                name="calls_lostcallback_attempt_never_spawns",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("spawns", "BOOLEAN")],
                func="""
                    SELECT origin <> 'lost_call_back' AND hand_dialled_after_id IS NULL INTO spawns
                        FROM calls_call WHERE id = NEW.call_id FOR SHARE;
                    IF NOT spawns THEN
                        RAISE EXCEPTION 'a call back never spawns another'
                            USING ERRCODE = '23514', CONSTRAINT = 'calls_lostcallback_attempt_never_spawns';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call_id}"

    @property
    def is_planned(self) -> bool:
        return self.attempted_at is None and self.cancelled_at is None


class PromisedCallBack(models.Model):
    """A call back promised to the client («перезвоним вам»): due time, owner, may be retried.

    Recorded only while talking.
    """

    class State(models.TextChoices):
        OPEN = "open", _("owed")
        DONE = "done", _("kept")
        CANCELLED = "cancelled", _("cancelled")

    call = models.OneToOneField(
        "calls.Call", models.PROTECT, related_name="promise_made", verbose_name=_("call in which it was promised")
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("owner"))
    number = models.CharField(_("number"), max_length=32, help_text=_("E.164, or as the client said it."))
    due_at = models.DateTimeField(_("due at"))
    reason = models.CharField(_("about what"), max_length=300, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(_("promised at"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    settled_note = models.CharField(_("how it was settled"), max_length=300, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("promised call back")
        verbose_name_plural = _("promised call backs")
        ordering = ["due_at"]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                name="calls_promisedcallback_settled_is_dated",
                condition=Q(state="open", settled_at__isnull=True) | (~Q(state="open") & Q(settled_at__isnull=False)),
            )
        ]
        indexes: ClassVar[list[Any]] = [
            # my call backs, by due time
            models.Index(fields=["owner", "due_at"], condition=Q(state="open"), name="calls_promisedcallback_due")
        ]

    def __str__(self) -> str:
        return f"{self.call_id}: {self.due_at:%d.%m %H:%M}"
