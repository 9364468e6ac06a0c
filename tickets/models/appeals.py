"""An appeal (обращение), its assignment and everything that hangs on it.

A row of Appeal is always registered and numbered: what is still being typed is `calls.Draft`.
R2 is held by check constraints.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hotline.base.models import tracked
from hotline.operators.models import Role, User
from service_centers.models import Brand, Category, City, ServiceCenter
from tickets import warranty
from tickets.models.appliances import Appliance, DateSource, FactSource, ProductModel
from tickets.models.clients import Account, Client


class Topic(models.Model):
    """What appeals and calls are about: a directory the supervisor keeps."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100)
    is_atypical = models.BooleanField(_("atypical question"), default=False, help_text=_("A job application, say."))
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class AppealQuerySet(models.QuerySet["Appeal"]):
    def visible_to(self, user: User) -> Self:
        """Any client may ring any operator and ask «where is my repairman?», so the staff sees all appeals."""
        return self if user.role in Role.values else self.none()

    def open(self) -> Self:
        return self.filter(state__in=Appeal.OPEN_STATES)

    def for_list(self) -> Self:
        return self.select_related("client", "topic", "brand", "category", "city").prefetch_related(
            models.Prefetch(
                "assignments",
                queryset=Assignment.objects.filter(state__in=Assignment.ACTIVE).select_related("service_center"),
                to_attr="active_assignments",
            )
        )

    def for_detail(self) -> Self:
        return self.select_related(
            "client",
            "account",
            "appliance",
            "topic",
            "brand",
            "category",
            "city",
            "product_model",
            "registered_by",
            "parent",
            "duplicate_of",
            "referred_to__city",
        )


@tracked("AppealHistory")
class Appeal(models.Model):
    """One registered matter."""

    class Kind(models.TextChoices):
        CONSULTATION = "consultation", _("consultation")
        REPAIR = "repair", _("repair request")
        INSTALLATION = "installation", _("installation request")
        OTHER = "other", _("atypical appeal")

    class State(models.TextChoices):
        REGISTERED = "registered", pgettext_lazy("state of an appeal", "registered")
        ASSIGNED = "assigned", pgettext_lazy("state of an appeal", "assigned to a service centre")
        ACCEPTED = "accepted", pgettext_lazy("state of an appeal", "accepted by the service centre")
        IN_WORK = "in_work", pgettext_lazy("state of an appeal", "in work")
        DONE = "done", pgettext_lazy("state of an appeal", "done")
        CLOSED = "closed", pgettext_lazy("state of an appeal", "closed")
        REFERRED = "referred", pgettext_lazy("state of an appeal", "referred: contacts given")
        CANCELLED = "cancelled", pgettext_lazy("state of an appeal", "cancelled")
        DUPLICATE = "duplicate", pgettext_lazy("state of an appeal", "duplicate")

    class Verdict(models.TextChoices):
        """Warranty: it informs, it never forbids (R2)."""

        IN = "in", _("under warranty")
        OUT = "out", _("out of warranty")
        UNKNOWN = "unknown", _("warranty not known")

    class NoCenterReason(models.TextChoices):
        """Why no service centre could be assigned (R2)."""

        NONE_NEAR = "none_near", _("no service centre near enough")
        NOT_AUTHORISED = "not_authorised", _("no centre is authorised for it")
        CLIENT_DECIDES = "client_decides", _("the client will decide later")
        DECLINED = "declined", _("the service centre declined; another is to be found")
        REOPENED = "reopened", _("reopened; a centre is to be assigned anew")
        OTHER = "other", _("another reason")

    REQUESTS: ClassVar[frozenset[str]] = frozenset({Kind.REPAIR, Kind.INSTALLATION})
    OPEN_STATES: ClassVar[frozenset[str]] = frozenset(
        {State.REGISTERED, State.ASSIGNED, State.ACCEPTED, State.IN_WORK, State.DONE}
    )
    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        State.REGISTERED: {State.ASSIGNED, State.CLOSED, State.REFERRED, State.CANCELLED, State.DUPLICATE},
        # A centre may have done the work before anybody wrote that it took it.
        State.ASSIGNED: {
            State.ASSIGNED,
            State.ACCEPTED,
            State.IN_WORK,
            State.DONE,
            State.REGISTERED,
            State.CANCELLED,
            State.DUPLICATE,
        },
        State.ACCEPTED: {State.IN_WORK, State.DONE, State.ASSIGNED, State.REGISTERED, State.CANCELLED, State.DUPLICATE},
        State.IN_WORK: {State.DONE, State.ASSIGNED, State.REGISTERED, State.CANCELLED},
        State.DONE: {State.CLOSED, State.IN_WORK},
        State.CLOSED: {State.REGISTERED},  # reopened, journalled
        State.REFERRED: {State.CLOSED},
        State.CANCELLED: {State.REGISTERED},
        State.DUPLICATE: {State.REGISTERED},
    }

    number = models.BigIntegerField(_("number"), unique=True)
    # The operator's action: a form posted twice makes one appeal.
    action_id = models.UUIDField(_("action"), unique=True, null=True, blank=True, editable=False)
    kind = models.CharField(_("kind"), max_length=15, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.REGISTERED)
    topic = models.ForeignKey(Topic, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("topic"))
    # A consultation or an atypical appeal may have no client and no account; a request may not (R1).
    client = models.ForeignKey(
        Client, models.PROTECT, null=True, blank=True, related_name="appeals", verbose_name=_("client")
    )
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="appeals", verbose_name=_("account")
    )
    appliance = models.ForeignKey(
        Appliance, models.PROTECT, null=True, blank=True, related_name="appeals", verbose_name=_("appliance")
    )
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="consultations",
        verbose_name=_("on the appeal"),
        help_text=_("A consultation on an earlier appeal («where is my repairman?»)."),
    )
    duplicate_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="duplicates", verbose_name=_("duplicate of")
    )
    description = models.TextField(_("the client's own description"), max_length=4000, blank=True)
    outcome = models.TextField(_("what was advised"), max_length=4000, blank=True)

    # Snapshots: what was true and told when it was registered.
    full_name = models.CharField(_("full name"), max_length=310, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    city = models.ForeignKey(City, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("city"))
    city_text = models.CharField(_("city as said"), max_length=150, blank=True)
    address = models.CharField(_("address"), max_length=250, blank=True)
    product_model = models.ForeignKey(
        ProductModel, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("model in the directory")
    )
    brand = models.ForeignKey(Brand, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("brand"))
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("category")
    )
    model_text = models.CharField(_("model"), max_length=100, blank=True)
    model_source = models.CharField(_("model known from"), max_length=15, choices=FactSource.choices, blank=True)
    serial_number = models.CharField(_("serial number"), max_length=60, blank=True)
    purchase_date = models.DateField(_("purchase date"), null=True, blank=True)
    purchase_date_source = models.CharField(
        _("purchase date known from"), max_length=15, choices=DateSource.choices, blank=True
    )
    store = models.CharField(_("store"), max_length=150, blank=True)
    store_source = models.CharField(_("store known from"), max_length=15, choices=FactSource.choices, blank=True)
    verdict = models.CharField(_("warranty"), max_length=10, choices=Verdict.choices, blank=True)
    verdict_reason = models.CharField(
        _("why"), max_length=40, blank=True, help_text=_("A code of tickets/warranty.py.")
    )
    warranty_until = models.DateField(_("warranty until"), null=True, blank=True)
    is_paid = models.BooleanField(_("paid repair requested"), default=False)
    no_center_reason = models.CharField(
        _("why no service centre"), max_length=20, choices=NoCenterReason.choices, blank=True
    )
    no_center_note = models.CharField(_("why no service centre, in words"), max_length=300, blank=True)
    # Out of warranty: the centre whose contacts were given.
    referred_to = models.ForeignKey(
        ServiceCenter, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("contacts given of")
    )

    registered_at = models.DateTimeField(_("registered at"), default=timezone.now)
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("registered by")
    )
    state_changed_at = models.DateTimeField(_("state since"), default=timezone.now)
    version = models.PositiveIntegerField(_("version"), default=1)  # optimistic lock

    objects = AppealQuerySet.as_manager()

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        ordering = ["-registered_at", "-pk"]
        constraints: ClassVar[list[Any]] = [
            # R1: a request has a client and an account.
            models.CheckConstraint(
                name="tickets_appeal_request_has_account",
                condition=~Q(kind__in=["repair", "installation"]) | Q(client__isnull=False, account__isnull=False),
            ),
            # R2: every item of stage 6, or «the client does not know» with where the fact comes from.
            models.CheckConstraint(
                name="tickets_appeal_request_is_complete",
                condition=~Q(kind__in=["repair", "installation"])
                | (
                    ~Q(full_name="")
                    & ~Q(description="")
                    & (Q(city__isnull=False) | ~Q(city_text=""))
                    & (Q(model_source="unknown") | (~Q(model_text="") & ~Q(model_source="")))
                    & (
                        Q(purchase_date_source="unknown")
                        | (Q(purchase_date__isnull=False) & ~Q(purchase_date_source=""))
                    )
                    & (Q(store_source="unknown") | (~Q(store="") & ~Q(store_source="")))
                ),
            ),
            # R2: a request waits without a service centre only with the reason why.
            models.CheckConstraint(
                name="tickets_appeal_request_has_center_or_reason",
                condition=~Q(kind__in=["repair", "installation"]) | ~Q(state="registered") | ~Q(no_center_reason=""),
            ),
            models.CheckConstraint(
                name="tickets_appeal_only_requests_are_assigned",
                condition=Q(kind__in=["repair", "installation"])
                | ~Q(state__in=["assigned", "accepted", "in_work", "done"]),
            ),
            models.CheckConstraint(
                name="tickets_appeal_referred_has_center",
                condition=~Q(state="referred") | Q(referred_to__isnull=False),
            ),
            models.CheckConstraint(
                name="tickets_appeal_duplicate_names_original",
                condition=~Q(state="duplicate") | Q(duplicate_of__isnull=False),
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            # the client's history, newest first
            models.Index(fields=["client", "-registered_at"], name="tickets_appeal_by_client"),
            # the list by state, keyset
            models.Index(fields=["state", "-registered_at", "-id"], name="tickets_appeal_by_state"),
            # the whole list, keyset
            models.Index(fields=["-registered_at", "-id"], name="tickets_appeal_list"),
            # «my appeals»
            models.Index(fields=["registered_by", "-registered_at", "-id"], name="tickets_appeal_mine"),
            # who rang without a card: the search by a number that stands on appeals only
            models.Index(fields=["phone"], condition=~Q(phone=""), name="tickets_appeal_phone"),
        ]

    def __str__(self) -> str:
        return f"№{self.number}"

    def get_absolute_url(self) -> str:
        return reverse("tickets:appeal", args=[self.number])

    @property
    def is_request(self) -> bool:
        return self.kind in self.REQUESTS

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN_STATES

    @property
    def city_name(self) -> str:
        """The city's name, or what the client called the place. Causes a SQL query unless `city` was selected."""
        return self.city.name if self.city else self.city_text

    @property
    def warranty_text(self) -> str:
        """The verdict's snapshot in words: «на гарантии до 14.03.2027 (24 мес. с 14.03.2025, по чеку)»."""
        return warranty.words(self.verdict_reason, self.warranty_until, self.purchase_date, self.purchase_date_source)

    def possible_states(self) -> set[str]:
        """Where it can go from here: TRANSITIONS, less what this kind has no use for."""
        without = {self.State.CLOSED, self.State.REFERRED} if self.is_request else {self.State.ASSIGNED}
        if self.is_request and self.state == self.State.DONE:
            without = {self.State.REFERRED}
        return {state for state in self.TRANSITIONS[self.state] if state not in without}

    def active_assignment(self) -> Assignment | None:
        """Who has the request now. Causes a SQL query unless `for_list()` fetched it."""
        if hasattr(self, "active_assignments"):
            return self.active_assignments[0] if self.active_assignments else None
        return self.assignments.filter(state__in=Assignment.ACTIVE).select_related("service_center").first()


class Assignment(models.Model):
    """An appeal given to a service centre (назначение). Never overwritten: another one supersedes it."""

    class State(models.TextChoices):
        OFFERED = "offered", pgettext_lazy("state of an assignment", "offered")
        ACCEPTED = "accepted", pgettext_lazy("state of an assignment", "accepted")
        DECLINED = "declined", pgettext_lazy("state of an assignment", "declined")
        SUPERSEDED = "superseded", pgettext_lazy("state of an assignment", "superseded")
        WITHDRAWN = "withdrawn", pgettext_lazy("state of an assignment", "withdrawn with the appeal")
        COMPLETED = "completed", pgettext_lazy("state of an assignment", "completed")

    ACTIVE: ClassVar[frozenset[str]] = frozenset({State.OFFERED, State.ACCEPTED})

    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="assignments", verbose_name=_("appeal"))
    service_center = models.ForeignKey(
        ServiceCenter, models.PROTECT, related_name="+", verbose_name=_("service centre")
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.OFFERED)
    rank = models.PositiveSmallIntegerField(_("rank at the time"), null=True, blank=True)
    reasons = models.JSONField(
        _("reasons at the time"), default=list, blank=True
    )  # codes of service_centers/matching.py
    distance_km = models.PositiveIntegerField(_("distance, km"), null=True, blank=True)
    assigned_at = models.DateTimeField(_("assigned at"), default=timezone.now)
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("assigned by")
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering = ["-assigned_at", "-pk"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["appeal"], condition=Q(state__in=["offered", "accepted"]), name="tickets_assignment_one_active"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.appeal_id} → {self.service_center_id}"
