"""What hangs on an appeal: papers, reminders, comments, messages and numbers in other systems."""

from __future__ import annotations

import uuid
from pathlib import PurePath
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hotline.base.models import ExternalReference, tracked
from hotline.operators.models import Role, User
from service_centers.models import ServiceCenter
from sms.models import SmsMessage, SmsTemplate
from tickets.models.appeals import Appeal


class DocumentKind(models.Model):
    """Kinds of papers: act, RC, letter. A directory that a supervisor can rename and extend."""

    code = models.SlugField(_("code"), max_length=30, unique=True)
    name = models.CharField(_("name"), max_length=60)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("kind of document")
        verbose_name_plural = _("kinds of documents")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class DocumentQuerySet(models.QuerySet["Document"]):
    def visible_to(self, user: User) -> Self:
        """Papers may hold anything a client signed: people of the hotline only."""
        return self.none() if user.role == Role.INTEGRATION else self

    def for_list(self) -> Self:
        return self.select_related("kind", "created_by")


def document_path(document: Document, filename: str) -> str:
    """Where a file is kept: under a name of our own, since the sender's may hold a client's name."""
    today = timezone.localdate()
    return f"documents/{today:%Y/%m}/{uuid.uuid4().hex}{PurePath(filename).suffix.lower()[:10]}"


class Document(models.Model):
    """A paper on an appeal: number, date, and a file where there is one."""

    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="documents", verbose_name=_("appeal"))
    kind = models.ForeignKey(DocumentKind, models.PROTECT, related_name="+", verbose_name=_("kind"))
    number = models.CharField(_("number"), max_length=60, blank=True)
    date = models.DateField(_("date"))
    note = models.CharField(_("note"), max_length=300, blank=True)
    file = models.FileField(_("file"), upload_to=document_path, blank=True)
    file_name = models.CharField(_("name of the file"), max_length=150, blank=True)  # as it came, for the download
    is_answered = models.BooleanField(
        _("answered"), default=True, help_text=_("No: a letter that waits for an answer.")
    )
    created_at = models.DateTimeField(_("added at"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("added by")
    )

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["-date", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}".strip()


class ReminderQuerySet(models.QuerySet["Reminder"]):
    def visible_to(self, user: User) -> Self:
        """Reminders are for people of the hotline."""
        return self.none() if user.role == Role.INTEGRATION else self

    def waiting(self) -> Self:
        return self.filter(done_at__isnull=True)

    def for_list(self) -> Self:
        return self.select_related("to", "appeal")


class Reminder(models.Model):
    """A reminder on an appeal: to whom, due when, its text, done or not."""

    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="reminders", verbose_name=_("appeal"))
    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("to whom"))
    due_at = models.DateTimeField(_("due at"))
    text = models.CharField(_("text"), max_length=300)
    created_at = models.DateTimeField(_("set at"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("set by")
    )
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("done by")
    )

    objects = ReminderQuerySet.as_manager()

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ["due_at", "pk"]
        indexes: ClassVar[list[Any]] = [
            # what is due for a person
            models.Index(fields=["to", "due_at"], condition=Q(done_at__isnull=True), name="tickets_reminder_due")
        ]

    def __str__(self) -> str:
        return self.text


class CommentQuerySet(models.QuerySet["Comment"]):
    def for_list(self) -> Self:
        return self.select_related("author", "service_center")


class Comment(models.Model):
    """What the service centre, or staff, wrote on an appeal."""

    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="comments", verbose_name=_("appeal"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    service_center = models.ForeignKey(
        ServiceCenter, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("service centre")
    )
    text = models.TextField(_("text"), max_length=4000)
    created_at = models.DateTimeField(_("written at"), default=timezone.now)

    objects = CommentQuerySet.as_manager()

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["-created_at", "-pk"]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=Q(author__isnull=False) | Q(service_center__isnull=False), name="tickets_comment_is_signed"
            )
        ]

    def __str__(self) -> str:
        return self.text[:60]


# Of the message in the outer query.
_SAME = {name: models.OuterRef(name) for name in ("appeal", "purpose", "pk")}


class AppealMessageQuerySet(models.QuerySet["AppealMessage"]):
    def for_list(self) -> Self:
        return self.select_related("message__requested_by")

    def for_detail(self) -> Self:
        """With the journal, the parts, and what stands for them: two queries more. `later_state` and `later_at` are of
        the last that told the client the same since (`instead_of`).
        """
        later = AppealMessage.objects.instead_of(**_SAME).order_by("-pk")
        return (
            self.select_related("message__requested_by", "message__resent_as", "message__resend_of")
            .prefetch_related("message__changes", "message__parts")
            .annotate(
                later_state=models.Subquery(later.values("message__state")[:1]),
                later_at=models.Subquery(later.values("message__created_at")[:1]),
            )
        )

    def instead_of(self, *, appeal: Any, purpose: Any, pk: Any) -> Self:
        """What tells the client the same later, and was not taken back: another purpose makes nothing good."""
        later = self.filter(appeal=appeal, purpose=purpose, pk__gt=pk)
        return later.exclude(message__state=SmsMessage.State.WITHDRAWN)

    def not_followed_up(self) -> Self:
        """Messages that did not reach the client, after which the same was neither sent nor dictated."""
        later = AppealMessage.objects.instead_of(**_SAME)
        return self.filter(message__state__in=SmsMessage.FAILED).exclude(models.Exists(later))


class AppealMessage(models.Model):
    """What was sent or dictated to the client on an appeal (R3). `sms` itself knows nothing of appeals."""

    class Purpose(models.TextChoices):
        REQUEST = "request", _("the request's data and the service centre's contacts")
        CONTACTS = "contacts", _("contacts of a service centre")
        STATUS = "status", _("the state of the request")

    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="messages", verbose_name=_("appeal"))
    message = models.OneToOneField(SmsMessage, models.PROTECT, related_name="+", verbose_name=_("message"))
    purpose = models.CharField(_("what it tells"), max_length=12, choices=Purpose.choices)
    # By a rule when the state changed (`AutomaticSms`): whoever changed it did not think of a message.
    is_automatic = models.BooleanField(_("automatic"), default=False, db_default=False)

    objects = AppealMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message on an appeal")
        verbose_name_plural = _("messages on appeals")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.appeal_id}: {self.message_id}"


@tracked("AutomaticSmsHistory")
class AutomaticSms(models.Model):
    """A rule that a supervisor switches on: when a request comes to a state, the client is told by SMS.

    Quiet hours are kept by the clock of the client's city. Without a rule that is on, every SMS is an operator's act.
    """

    STATES: ClassVar[list[str]] = [
        Appeal.State.ASSIGNED,
        Appeal.State.ACCEPTED,
        Appeal.State.IN_WORK,
        Appeal.State.DONE,
        Appeal.State.CANCELLED,
    ]

    state = models.CharField(
        _("when a request becomes"),
        max_length=15,
        unique=True,
        choices=[(state, Appeal.State(state).label) for state in STATES],
    )
    template_code = models.SlugField(
        _("template"), max_length=40, help_text=_("Of the moment «the state of a request changed».")
    )
    is_on = models.BooleanField(_("is on"), default=False)

    class Meta:
        verbose_name = _("automatic SMS")
        verbose_name_plural = pgettext_lazy("plural", "automatic SMS")
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.get_state_display())

    def clean_fields(self, exclude: Any = None) -> None:
        """The template must be in use, and made for this moment; said once, where nothing was said of it yet."""
        super().clean_fields(exclude=exclude)
        if "template_code" in (exclude or ()):
            return
        found = SmsTemplate.objects.current().filter(code=self.template_code).first()
        if found is None or found.moment != SmsTemplate.Moment.STATUS_CHANGED:
            raise ValidationError(
                {"template_code": ValidationError(_("There is no such template for a changed state."), code="template")}
            )


class AppealReference(ExternalReference):
    """The number an appeal got in GSIS or Naumen."""

    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="references", verbose_name=_("appeal"))

    class Meta:
        verbose_name = _("number in another system")
        verbose_name_plural = _("numbers in other systems")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["appeal", "system", "number"], name="tickets_appealreference_unique")
        ]
        indexes: ClassVar[list[Any]] = [
            # search by the number that GSIS or Naumen gave
            models.Index(fields=["number"], name="tickets_reference_number")
        ]

    def __str__(self) -> str:
        return f"{self.get_system_display()} {self.number}"
