"""A call, and the appeals it led to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from calls.models.script import ScriptVersion
from calls.telephony.numbers import is_hidden
from hotline.base.phones import format_phone
from hotline.operators.models import Alias, Role, User
from tickets.models import Account, Appeal, Client, Topic


class CallResult(models.Model):
    """How a call ended in substance: a directory the supervisor keeps."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100)
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("result of a call")
        verbose_name_plural = _("results of a call")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class CallQuerySet(models.QuerySet["Call"]):
    def visible_to(self, user: User) -> Self:
        """An operator sees the own calls and those that nobody has yet; supervisors and machines (to read) all."""
        if user.role in (Role.SUPERVISOR, Role.INTEGRATION):
            return self
        return self.filter(Q(operator=user) | (Q(operator__isnull=True) & ~Q(work_state=Call.WorkState.CLOSED)))

    def open(self) -> Self:
        return self.exclude(work_state=Call.WorkState.CLOSED)

    def ringing(self) -> Self:
        return self.filter(work_state=Call.WorkState.RINGING, direction=Call.Direction.IN)

    def ringing_for(self, user: User) -> Self:
        """What pops up on this person's page: it names the extension, or it names none and the person is ready.

        `Call.rings_at` is the same rule for one call and many people.
        """
        # Who has no telephone of their own is named by the login.
        named = Q(ring_extensions__overlap=[user.extension or user.username, user.username])
        free = Q(ring_extensions=[]) if user.state in (User.State.READY, User.State.WRAP_UP) else Q(pk__in=[])
        return self.ringing().filter(named | free)

    def ringing_too_long(self, now: datetime | None = None) -> Self:
        """Incoming calls whose end the exchange never told: nobody waits that long, not even in a queue."""
        stale = (now or timezone.now()) - Call.RINGS_AT_MOST
        return self.ringing().filter(started_at__lt=stale).order_by("pk")

    def without_operator(self) -> Self:
        """Answered at a telephone nobody is signed in at: somebody has to take them."""
        return self.open().filter(operator__isnull=True).exclude(work_state=Call.WorkState.RINGING)

    def for_list(self) -> Self:
        return self.select_related("client", "operator", "topic", "result", "registered_appeal", "attempt_of")

    def for_workspace(self) -> Self:
        return self.select_related(
            "client__city",
            "account",
            "operator",
            "topic",
            "result",
            "registered_appeal",
            "script_version",
            "alias",
            "attempt_of__call",
            "promised_call_back__call",
            "hand_dialled_after",
            "lost_call_back",
            "promise_made",
        )


class Call(models.Model):
    """One call. What the line did (`line_state`) stands apart from what the operator still has to do (`work_state`)."""

    class Direction(models.TextChoices):
        IN = "in", _("incoming")
        OUT = "out", _("outgoing")

    class Origin(models.TextChoices):
        INCOMING = "incoming", _("the client called")
        OUTGOING = "outgoing", _("outgoing")
        LOST_CALL_BACK = "lost_call_back", _("call back after a lost connection")
        PROMISED_CALL_BACK = "promised_call_back", _("promised call back")

    class LineState(models.TextChoices):
        RINGING = "ringing", _("ringing")
        TALKING = "talking", _("talking")
        ENDED = "ended", _("ended")

    class WorkState(models.TextChoices):
        RINGING = "ringing", _("ringing")
        TALKING = "talking", _("talking")
        WRAP_UP = "wrap_up", _("wrap-up")
        CLOSED = "closed", _("closed")

    class Phase(models.TextChoices):
        """How far the talk got. A work in stage 2 or later makes it a dialog (D1, D2)."""

        BEFORE_GREETING = "before_greeting", _("before the greeting")
        GREETING = "greeting", _("greeting")
        DIALOG = "dialog", _("dialog")
        DONE = "done", _("the talk is over")

    class Ending(models.TextChoices):
        """What the operator said of the hang-up, or the exchange gave as its cause."""

        GOODBYE = "goodbye", _("the talk was over")
        LOST = "lost", _("the connection was lost")

    class Party(models.TextChoices):
        CLIENT = "client", _("client")
        OPERATOR = "operator", _("operator")

    class HungUpBy(models.TextChoices):
        CLIENT = "client", _("client")
        OPERATOR = "operator", _("operator")
        SYSTEM = "system", _("system")
        UNKNOWN = "unknown", _("unknown")

    # The source of calls that no exchange told of: begun by hand, or waiting for the exchange to dial.
    MANUAL: ClassVar[str] = "manual"
    RINGS_AT_MOST: ClassVar[timedelta] = timedelta(minutes=30)

    source = models.CharField(_("exchange"), max_length=40, help_text=_("«manual» where the exchange was silent."))
    external_id = models.CharField(_("call id"), max_length=100)
    direction = models.CharField(_("direction"), max_length=3, choices=Direction.choices)
    origin = models.CharField(_("origin"), max_length=20, choices=Origin.choices)
    # The client's number: as the exchange gave it, and as read. Both empty: a hidden number.
    number_raw = models.CharField(_("number as given"), max_length=64, blank=True)
    number = models.CharField(_("number"), max_length=16, blank=True, help_text=_("E.164"))
    line = models.CharField(_("line called"), max_length=64, blank=True)
    queue = models.CharField(_("queue"), max_length=100, blank=True)
    ring_extensions = ArrayField(models.CharField(max_length=64), default=list, blank=True, verbose_name=_("rings at"))

    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="calls",
        verbose_name=_("operator"),
    )
    alias = models.ForeignKey(Alias, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("alias"))
    spoken_name = models.CharField(_("name voiced"), max_length=150, blank=True)
    script_version = models.ForeignKey(
        ScriptVersion, models.PROTECT, null=True, related_name="+", verbose_name=_("script version")
    )

    line_state = models.CharField(_("line"), max_length=10, choices=LineState.choices, default=LineState.RINGING)
    work_state = models.CharField(_("work"), max_length=10, choices=WorkState.choices, default=WorkState.RINGING)
    phase = models.CharField(_("phase"), max_length=20, choices=Phase.choices, default=Phase.BEFORE_GREETING)
    ending = models.CharField(_("how the talk ended"), max_length=10, choices=Ending.choices, blank=True)
    talk_ended_by = models.CharField(
        _("who ended the talk"),
        max_length=10,
        choices=Party.choices,
        default=Party.OPERATOR,
        help_text=_("The operator's word; apart from who hung up the line."),
    )
    hung_up_by = models.CharField(_("who hung up"), max_length=10, choices=HungUpBy.choices, default=HungUpBy.UNKNOWN)
    cause = models.CharField(_("cause"), max_length=60, blank=True)

    started_at = models.DateTimeField(_("began"), default=timezone.now)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    parked_at = models.DateTimeField(_("parked"), null=True, blank=True)

    client = models.ForeignKey(
        Client, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("client")
    )
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("account")
    )
    caller_name = models.CharField(
        _("who is calling"), max_length=150, blank=True, help_text=_("Where it is not the owner: a daughter, a shop.")
    )
    # R1: a call with a dialog closes only with this set. Further appeals hang on CallAppeal.
    registered_appeal = models.ForeignKey(
        Appeal, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("registered appeal")
    )
    topic = models.ForeignKey(Topic, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("topic"))
    result = models.ForeignKey(
        CallResult, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("result")
    )
    is_atypical = models.BooleanField(_("atypical question"), default=False)
    wants_rating = models.BooleanField(_("the client asks for the rating himself"), default=False)
    note = models.TextField(_("note"), blank=True, max_length=2000)
    rating = models.PositiveSmallIntegerField(_("rating"), null=True, blank=True)

    # A call that is itself the one attempt after a lost connection (D2): unique, so there is never a second.
    attempt_of = models.OneToOneField(
        "LostCallBack",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="attempt_call",
        verbose_name=_("the attempt of"),
    )
    promised_call_back = models.ForeignKey(
        "PromisedCallBack",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="attempts",
        verbose_name=_("keeps the promise"),
    )
    # A second attempt that somebody dialled on the desk phone: recorded and flagged, not lost (D2).
    hand_dialled_after = models.ForeignKey(
        "LostCallBack",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="hand_dialled",
        verbose_name=_("dialled by hand after the attempt"),
    )

    objects = CallQuerySet.as_manager()

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["-started_at", "-pk"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["source", "external_id"], name="calls_call_external_id_unique"),
            # R1: «Не забудь зафиксировать консультацию!»
            models.CheckConstraint(
                name="calls_call_dialog_closes_with_appeal",
                condition=~Q(work_state="closed")
                | Q(phase__in=["before_greeting", "greeting"])
                | Q(registered_appeal__isnull=False),
            ),
            # D2: a hang-up in dialog needs the operator's word, or the exchange's, before the call closes.
            models.CheckConstraint(
                name="calls_call_dialog_closes_with_ending",
                condition=~Q(work_state="closed") | Q(phase__in=["before_greeting", "greeting"]) | ~Q(ending=""),
            ),
            models.CheckConstraint(
                name="calls_call_attempt_has_its_lost_call",
                condition=Q(origin="lost_call_back", attempt_of__isnull=False)
                | (~Q(origin="lost_call_back") & Q(attempt_of__isnull=True)),
            ),
            models.CheckConstraint(
                name="calls_call_promise_has_its_call_back",
                condition=~Q(origin="promised_call_back") | Q(promised_call_back__isnull=False),
            ),
            models.CheckConstraint(
                name="calls_call_closed_is_dated",
                condition=Q(work_state="closed", closed_at__isnull=False)
                | (~Q(work_state="closed") & Q(closed_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="calls_call_rating_range", condition=Q(rating__isnull=True) | Q(rating__range=(1, 5))
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            # my calls, newest first
            models.Index(fields=["operator", "-started_at", "-id"], name="calls_call_by_operator"),
            # the whole list, keyset
            models.Index(fields=["-started_at", "-id"], name="calls_call_list"),
            # the screen-pop, and what is open
            models.Index(fields=["work_state"], condition=~Q(work_state="closed"), name="calls_call_open"),
            # the client's timeline
            models.Index(fields=["client", "-started_at"], name="calls_call_by_client"),
            # «if the client calls in first»: calls from a number
            models.Index(fields=["number", "-started_at"], condition=~Q(number=""), name="calls_call_by_number"),
        ]

    def __str__(self) -> str:
        return f"{self.get_direction_display()} {self.started_at:%d.%m.%Y %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("calls:call", args=[self.pk])

    @property
    def number_shown(self) -> str:
        """The client's number for people: as it is written, as it was given, or that it is hidden."""
        if self.number:
            return format_phone(self.number)
        return gettext("Number hidden") if is_hidden(self.number_raw) else self.number_raw

    def rings_at(self, user: User) -> bool:
        """Whether this call, which rings, pops up on the person's page: `ringing_for` without a query."""
        if self.ring_extensions:
            return not {user.extension or user.username, user.username}.isdisjoint(self.ring_extensions)
        return user.state in (User.State.READY, User.State.WRAP_UP)

    @property
    def had_dialog(self) -> bool:
        """A consultation is owed (R1, D1)."""
        return self.phase in (self.Phase.DIALOG, self.Phase.DONE)

    @property
    def is_missed(self) -> bool:
        return self.line_state == self.LineState.ENDED and self.answered_at is None

    @property
    def is_open(self) -> bool:
        return self.work_state != self.WorkState.CLOSED

    @property
    def is_dialling(self) -> bool:
        """Outgoing, and the client has not answered yet."""
        return self.direction == self.Direction.OUT and self.line_state == self.LineState.RINGING

    @property
    def talk_seconds(self) -> int | None:
        """How long the talk took, so far or in all; None where nobody answered."""
        if self.answered_at is None:
            return None
        return max(0, int(((self.ended_at or timezone.now()) - self.answered_at).total_seconds()))

    @property
    def talk_text(self) -> str:
        """«3:05», «1:02:07»; "" where nobody answered."""
        if (seconds := self.talk_seconds) is None:
            return ""
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class CallAppeal(models.Model):
    """An appeal that a call led to, or was about."""

    class Relation(models.TextChoices):
        REGISTERED = "registered", _("registered in the call")
        CONSULTED = "consulted", _("the call was about it")

    call = models.ForeignKey(Call, models.PROTECT, related_name="appeals", verbose_name=_("call"))
    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="+", verbose_name=_("appeal"))
    relation = models.CharField(_("relation"), max_length=12, choices=Relation.choices)
    created_at = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("appeal of a call")
        verbose_name_plural = _("appeals of a call")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["call", "appeal", "relation"], name="calls_callappeal_unique")
        ]
        indexes: ClassVar[list[Any]] = [
            # the appeal's page: in which calls it was spoken of
            models.Index(fields=["appeal"], name="calls_callappeal_by_appeal")
        ]

    def __str__(self) -> str:
        return f"{self.call_id}: {self.appeal_id}"
