"""Staff: who works here, what they call themselves on the line, and the tokens that machines sign in with."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, ClassVar, Self

import pghistory
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hotline.base.models import tracked


class Role(models.TextChoices):
    """What a member of staff may do; the table of rights is in `roles.py`, not in the database."""

    OPERATOR = "operator", _("operator")
    SUPERVISOR = "supervisor", _("supervisor")
    INTEGRATION = "integration", _("integration")  # a machine: a telephone exchange, reporting


class UserQuerySet(models.QuerySet["User"]):
    def operators(self) -> Self:
        return self.filter(role=Role.OPERATOR, is_active=True)

    def supervisors(self) -> Self:
        return self.filter(role=Role.SUPERVISOR, is_active=True)

    def visible_to(self, user: User) -> Self:
        """Supervisors see everybody; an operator the colleagues; a machine itself only."""
        if user.role == Role.INTEGRATION:
            return self.filter(pk=user.pk)
        return self.exclude(role=Role.INTEGRATION) if user.role == Role.OPERATOR else self.all()


class StaffManager(UserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Django's way of making users, without a column for what the role already says (`is_staff`)."""

    use_in_migrations = False

    def create_user(self, username: str, email: str | None = None, password: str | None = None, **fields: Any) -> User:
        fields.setdefault("is_superuser", False)
        return self._create_user(username, email, password, **fields)

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> User:
        return self._create_user(username, email, password, **{**fields, "is_superuser": True, "role": Role.SUPERVISOR})


# Rights and telephones are audited; passwords, names and the state of the minute are not copied anywhere.
@pghistory.track(
    fields=["role", "is_active", "is_superuser", "extension"],
    model_name="UserHistory",
    obj_field=pghistory.ObjForeignKey(related_name="history", related_query_name="history"),
    meta={
        "indexes": [
            # the telephones that were in use lately: the suggestions of the sign-in page
            models.Index(
                fields=["pgh_created_at", "extension"], condition=~Q(extension=""), name="operators_extension_lately"
            )
        ]
    },
)
class User(AbstractUser):
    """A member of staff, or a machine that signs in with a token."""

    class State(models.TextChoices):
        """What the operator is doing now. In a call and wrap-up are set by the call, the others by the person."""

        OFFLINE = "offline", _("signed out")
        READY = "ready", _("ready")
        BREAK = "break", _("on a break")
        IN_CALL = "in_call", _("in a call")
        WRAP_UP = "wrap_up", _("wrap-up")

    # What a person may choose by hand, by the state they are in. A call ends by its own verb, not by a switch:
    # `in_call` has no way out here. The telephone's own word (`actions.set_state`) is never refused.
    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        State.OFFLINE: {State.READY, State.BREAK},
        State.READY: {State.BREAK},
        State.BREAK: {State.READY},
        State.IN_CALL: set(),
        State.WRAP_UP: {State.READY, State.BREAK},
    }

    class Theme(models.TextChoices):
        AUTO = "auto", _("as the system")
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    middle_name = models.CharField(_("middle name"), max_length=150, blank=True)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.OPERATOR)
    extension = models.CharField(
        _("extension"), max_length=16, blank=True, help_text=_("The telephone this person works at, picked at sign-in.")
    )
    extension_since = models.DateTimeField(_("at this extension since"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OFFLINE)
    state_since = models.DateTimeField(_("in this state since"), default=timezone.now)
    language = models.CharField(
        _("language"), max_length=5, choices=[("ru", "Русский"), ("en", "English")], default="ru"
    )
    theme = models.CharField(_("theme"), max_length=5, choices=Theme.choices, default=Theme.AUTO)

    objects = StaffManager()  # type: ignore[misc]

    class Meta(AbstractUser.Meta):
        verbose_name = _("member of staff")  # type: ignore[assignment]
        verbose_name_plural = _("staff")  # type: ignore[assignment]
        constraints: ClassVar[list[Any]] = [
            # Two people at one telephone would both get its calls.
            models.UniqueConstraint(
                fields=["extension"],
                condition=~Q(extension=""),
                name="operators_user_extension_unique",
                violation_error_message=_("A colleague is signed in at this extension."),
            ),
            models.CheckConstraint(
                condition=Q(is_superuser=False) | Q(role=Role.SUPERVISOR),
                name="operators_user_superuser_is_supervisor",
                violation_error_message=_("Only a supervisor can have all rights."),
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.username

    @property
    def full_name(self) -> str:
        """«Фамилия Имя Отчество», as Russian papers write it."""
        return " ".join(part for part in (self.last_name, self.first_name, self.middle_name) if part)

    @property
    def is_staff(self) -> bool:  # type: ignore[override]
        """Whether the admin lets them in: the role says it, so there is no column that could say otherwise."""
        return self.role == Role.SUPERVISOR

    @property
    def is_operator(self) -> bool:
        return self.role == Role.OPERATOR

    @property
    def is_supervisor(self) -> bool:
        return self.role == Role.SUPERVISOR


class AliasQuerySet(models.QuerySet["Alias"]):
    def visible_to(self, user: User) -> Self:
        """An operator sees the own aliases, a supervisor all of them."""
        if user.role == Role.SUPERVISOR:
            return self
        return self.filter(operator=user) if user.role == Role.OPERATOR else self.none()

    def in_force(self, at: datetime | None = None) -> Self:
        """Those that may be voiced at a moment (V3): «who was “Анна” on 12 March at 14:30»."""
        # The database's clock by default: the verbs write periods by it, and a name just declared is in force at once.
        return self.filter(period__contains=at or Now())

    def waiting(self) -> Self:
        """Those that no supervisor has acknowledged yet: the inbox."""
        return self.filter(state=Alias.State.DECLARED)

    def borne(self) -> Self:
        """Those in force, and those that are declared and may come into force: a name that is taken."""
        return self.filter(Q(state=Alias.State.DECLARED) | Q(period__upper_inf=True))

    def for_list(self) -> Self:
        return self.select_related("operator", "decided_by")


@tracked("AliasHistory")
class Alias(models.Model):
    """The name an operator voices instead of the own (V3). Reports show the real name."""

    class State(models.TextChoices):
        DECLARED = "declared", _("declared")
        ACKNOWLEDGED = "acknowledged", _("acknowledged")
        STOPPED = "stopped", _("stopped by a supervisor")
        RETIRED = "retired", _("retired")

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        State.DECLARED: {State.ACKNOWLEDGED, State.STOPPED, State.RETIRED},
        State.ACKNOWLEDGED: {State.STOPPED, State.RETIRED},
        State.STOPPED: set(),
        State.RETIRED: set(),
    }

    operator = models.ForeignKey(User, models.PROTECT, related_name="aliases", verbose_name=_("operator"))
    spoken_name = models.CharField(_("spoken first name"), max_length=60, help_text=_("What the client hears: «Анна»."))
    full_form = models.CharField(
        _("full form"), max_length=150, help_text=_("If the client asks for the full name (V2).")
    )
    state = models.CharField(_("state"), max_length=15, choices=State.choices, default=State.DECLARED)
    # When it may be voiced; empty while it waits for an acknowledgement that the hotline made a condition.
    period = DateTimeRangeField(_("in force"), null=True, blank=True)
    declared_at = models.DateTimeField(_("declared at"), default=timezone.now)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("acknowledged or stopped by")
    )
    decided_at = models.DateTimeField(_("acknowledged or stopped at"), null=True, blank=True)
    reason = models.CharField(_("reason for stopping"), max_length=300, blank=True)

    objects = AliasQuerySet.as_manager()

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        ordering = ["-declared_at"]
        constraints: ClassVar[list[Any]] = [
            # One name at a time: two aliases of one operator never overlap.
            ExclusionConstraint(
                name="operators_alias_one_in_force",
                expressions=[("operator", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
                condition=Q(period__isnull=False),
                violation_error_message=_("Another alias is in force in this period."),
            ),
            # And one that waits: the supervisor decides about the last word, not about a queue of them.
            models.UniqueConstraint(
                fields=["operator"],
                condition=Q(state="declared", period__isnull=True),
                name="operators_alias_one_waiting",
                violation_error_message=_("Another alias is waiting for the supervisor."),
            ),
            models.CheckConstraint(
                name="operators_alias_period_matches_state",
                condition=Q(state="declared", period__isnull=True)
                | Q(state="declared", period__isnull=False, period__upper_inf=True)
                | Q(state="acknowledged", period__isnull=False, period__upper_inf=True)
                | Q(state__in=["stopped", "retired"], period__isnull=True)
                | Q(state__in=["stopped", "retired"], period__upper_inf=False),
            ),
            models.CheckConstraint(
                name="operators_alias_decision_is_signed",
                condition=Q(state__in=["declared", "retired"]) | Q(decided_by__isnull=False, decided_at__isnull=False),
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            # the supervisor's inbox, and the warning about a name that a colleague bears
            models.Index(fields=["state", "declared_at"], name="operators_alias_inbox"),
        ]

    def __str__(self) -> str:
        return self.spoken_name


class ApiToken(models.Model):
    """A machine's key: only its hash is kept; it has scopes, expires and can be revoked."""

    class Scope(models.TextChoices):
        TELEPHONY = "telephony", _("telephone exchange: call events")
        READ = "read", _("read")
        WRITE = "write", _("write")

    user = models.ForeignKey(User, models.PROTECT, related_name="api_tokens", verbose_name=_("user"))
    name = models.CharField(_("what it is for"), max_length=100)
    prefix = models.CharField(_("begins with"), max_length=8)
    digest = models.CharField(_("hash"), max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope.choices), verbose_name=_("scopes"))
    created_at = models.DateTimeField(_("made at"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(token: str) -> str:
        """SHA-256: a token has 256 bits of its own randomness, so a slow hash adds nothing."""
        return hashlib.sha256(token.encode()).hexdigest()

    def is_valid_at(self, moment: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > moment and self.user.is_active
