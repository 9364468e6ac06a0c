"""Messages, their parts, their journal, and the inbox of what gateways say. Only `actions` moves a message."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hotline.base.models import append_only
from hotline.operators.models import Role, User
from sms.models.numbers import Consent, OptOut
from sms.models.templates import Category, SmsTemplate
from sms.reasons import in_words

# Which state may follow which: what actions check under the lock, and the database by triggers.
_ENDS = {"delivered", "undelivered", "expired", "rejected"}
_FORWARD: dict[str, set[str]] = {
    # A long message may wait for its last parts while the first ones fail already. And a gateway that said that it did
    # not take it may say later that it did.
    "queued": {"submitting", "withdrawn", "accepted", *_ENDS},
    # back to the queue only where the gateway surely did not get it (NotSubmitted)
    "submitting": {"queued", "accepted", "unknown", *_ENDS},
    "unknown": {"accepted", *_ENDS},
    "accepted": {*_ENDS},
    "delivered": set(),
    "undelivered": set(),
    "expired": set(),
    "rejected": set(),
    "withdrawn": set(),
    "dictated": set(),
}


def _moves() -> str:
    return ", ".join(f"('{old}', '{new}')" for old in _FORWARD for new in sorted(_FORWARD[old]))


def _moves_forward_only() -> list[pgtrigger.Trigger]:
    """The database's own guard of the outbox: states move forward only, and what was said to whom is never changed."""
    return [
        pgtrigger.Trigger(
            name="sms_message_forward_only",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            func=(
                f"IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({_moves()}) THEN "
                "RAISE EXCEPTION 'an SMS never goes from % to %', OLD.state, NEW.state "
                "USING ERRCODE = '23514', CONSTRAINT = 'sms_message_forward_only'; END IF; "
                'IF (NEW.action_id, NEW."to", NEW.text) IS DISTINCT FROM (OLD.action_id, OLD."to", OLD.text) THEN '
                "RAISE EXCEPTION 'what an SMS said, and to whom, is never changed' "
                "USING ERRCODE = '23514', CONSTRAINT = 'sms_message_content_frozen'; END IF; "
                "RETURN NEW;"
            ),
        ),
        pgtrigger.Trigger(
            name="sms_message_stays",
            when=pgtrigger.Before,
            operation=pgtrigger.Delete,
            func=(
                "RAISE EXCEPTION 'what was sent or dictated stays on the record (R3)' "
                "USING ERRCODE = '23514', CONSTRAINT = 'sms_message_stays';"
            ),
        ),
    ]


def _is_wanted() -> Q:
    refused = OptOut.objects.in_force().filter(number=OuterRef("to"))
    agreed = Consent.objects.in_force().filter(number=OuterRef("to"), category=OuterRef("category"))
    return Q(~Exists(refused), withdraw_reason="") & (Q(category=Category.SERVICE) | Q(Exists(agreed)))


def _is_begun() -> Q:
    return Q(Exists(SmsPart.objects.filter(message=OuterRef("pk")).exclude(state=SmsPart.State.QUEUED)))


class SmsMessageQuerySet(models.QuerySet["SmsMessage"]):
    def visible_to(self, user: User) -> Self:
        """Staff see messages; a machine only those it asked for."""
        return self.filter(requested_by=user) if user.role == Role.INTEGRATION else self

    def undecided(self) -> Self:
        """Those that the outbox still has work with: due and not handed over, or being handed over.

        What was tried and waits out a pause is due all the while; what waits for its hour is not.
        """
        return self.filter(Q(state="queued", due_at__lte=Now()) | Q(state="submitting"))

    def wanted(self) -> Self:
        """Those that may go to their number by what its client says of SMS now, and are not called off."""
        return self.filter(_is_wanted())

    def unwanted(self) -> Self:
        """Those that may not: the client refused, or took the consent back, after they were made; or called off."""
        return self.exclude(_is_wanted())

    def begun(self) -> Self:
        """Those of which parts are at their gateway already, or may be: no other may get the rest."""
        return self.filter(_is_begun())

    def whole(self) -> Self:
        """Those of which no part was taken anywhere."""
        return self.exclude(_is_begun())

    def uncertain(self) -> Self:
        """Those whose fate only a person can decide, and that none has sent anew yet."""
        return self.filter(state="unknown", resent_as=None)

    def for_list(self) -> Self:
        return self.select_related("requested_by", "template")

    def for_detail(self) -> Self:
        """With the journal and the parts. Two queries more."""
        return self.for_list().prefetch_related("changes", "parts")


class SmsMessage(models.Model):
    """One message to one number. Sent by the outbox, or dictated by the operator where it can't be sent (R3)."""

    class State(models.TextChoices):
        QUEUED = "queued", pgettext_lazy("SMS state", "queued")
        SUBMITTING = "submitting", pgettext_lazy("SMS state", "being handed over")
        ACCEPTED = "accepted", pgettext_lazy("SMS state", "accepted by the gateway")
        DELIVERED = "delivered", pgettext_lazy("SMS state", "delivered")
        UNDELIVERED = "undelivered", pgettext_lazy("SMS state", "not delivered")
        EXPIRED = "expired", pgettext_lazy("SMS state", "expired")
        REJECTED = "rejected", pgettext_lazy("SMS state", "rejected by the gateway")
        UNKNOWN = "unknown", pgettext_lazy("SMS state", "uncertain")  # never resent by the machine
        WITHDRAWN = "withdrawn", pgettext_lazy("SMS state", "withdrawn before it was sent")
        DICTATED = "dictated", pgettext_lazy("SMS state", "dictated")

    TRANSITIONS: ClassVar[dict[str, set[str]]] = _FORWARD
    # Nobody will get it: the operator dictates.
    FAILED: ClassVar[set[str]] = {State.UNDELIVERED, State.EXPIRED, State.REJECTED}
    # Nothing more will happen by itself.
    DECIDED: ClassVar[set[str]] = {State.DELIVERED, State.DICTATED, State.WITHDRAWN, *FAILED}

    # What was accepted so long ago, and nothing was heard of since: nothing will be. No gateway tries for longer.
    SILENT_AFTER: ClassVar[timedelta] = timedelta(hours=48)

    # The caller's action: a double click is one message, the same id with other content is a conflict.
    action_id = models.UUIDField(_("action"))
    to = models.CharField(
        _("number"),
        max_length=64,
        blank=True,
        help_text=_("E.164; of a dictated message also as it was typed, or nothing where the number was hidden."),
    )
    text = models.TextField(_("text"))
    template = models.ForeignKey(
        SmsTemplate, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("template")
    )
    category = models.CharField(
        pgettext_lazy("SMS", "category"), max_length=10, choices=Category.choices, default=Category.SERVICE
    )
    # A message sent anew names the uncertain or failed one that it stands for; that one has one successor at the most.
    resend_of = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="resent_as",
        verbose_name=_("sent anew instead of"),
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.QUEUED)
    segments = models.PositiveSmallIntegerField(_("segments"), default=1)
    sender = models.CharField(_("sender"), max_length=20, blank=True)
    # Whose turn it is, or who got it (`gateways/routing.py`).
    gateway = models.CharField(_("gateway"), max_length=30, blank=True)
    gateway_id = models.CharField(_("id at the gateway"), max_length=100, blank=True)
    cost = models.DecimalField(_("cost, ₽"), max_digits=8, decimal_places=2, null=True, blank=True)
    reason = models.CharField(_("reason code"), max_length=60, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("asked for by")
    )
    # Times of the outbox are the database's clock: the clocks of web and worker may differ.
    created_at = models.DateTimeField(_("made at"), db_default=Now())
    state_changed_at = models.DateTimeField(_("state since"), db_default=Now())
    # The claim: set by a conditional UPDATE and committed before the socket opens. Database clock.
    attempt_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    not_before = models.DateTimeField(_("not before"), db_default=Now())
    # Since when it could have gone: made, or the end of the quiet hours that it waited for. A pause does not change it.
    due_at = models.DateTimeField(_("due since"), db_default=Now())
    # By whose clock the quiet hours hold (IANA); empty: somebody asked for it by hand, and it goes at any hour.
    quiet_zone = models.CharField(max_length=40, blank=True, db_default="", editable=False)
    # Why it is not to be sent after all, said while it was being handed over: if it comes back, it goes no further.
    withdraw_reason = models.CharField(max_length=60, blank=True, db_default="", editable=False)
    # When a task was last put on the broker for it; the broker may lose everything, the sweep puts it there again.
    enqueued_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When the gateway is next asked what became of it; empty: never.
    check_after = models.DateTimeField(null=True, blank=True, editable=False)

    objects = SmsMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("SMS message")
        verbose_name_plural = _("SMS messages")
        ordering = ["-created_at", "-pk"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["action_id"], name="sms_message_action_unique"),
            models.CheckConstraint(name="sms_message_has_text", condition=~Q(text="")),
            models.CheckConstraint(
                name="sms_message_to_is_e164", condition=Q(state="dictated") | Q(to__regex=r"^\+[1-9][0-9]{6,14}$")
            ),
            models.CheckConstraint(
                name="sms_message_submitting_has_lease",
                condition=~Q(state="submitting") | Q(attempt_token__isnull=False, lease_until__isnull=False),
            ),
            models.CheckConstraint(
                name="sms_message_accepted_has_gateway",
                condition=~Q(state__in=["accepted", "delivered"]) | ~Q(gateway=""),
            ),
            models.CheckConstraint(
                name="sms_message_never_its_own_successor", condition=Q(resend_of=None) | ~Q(resend_of=models.F("id"))
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            # the sweep: what waits to be sent
            models.Index(
                fields=["gateway", "not_before", "id"], condition=Q(state="queued"), name="sms_message_outbox"
            ),
            # the sweep: expired leases
            models.Index(fields=["lease_until"], condition=Q(state="submitting"), name="sms_message_leases"),
            # the sweep: whom to ask the gateway about
            models.Index(
                fields=["check_after"], condition=Q(state__in=["accepted", "unknown"]), name="sms_message_unsettled"
            ),
            # the list, newest first
            models.Index(fields=["-created_at", "-id"], name="sms_message_list"),
            # the page of uncertain messages, oldest first
            models.Index(fields=["state_changed_at", "id"], condition=Q(state="unknown"), name="sms_message_uncertain"),
            # the follow-ups: what has failed of late
            models.Index(
                fields=["state_changed_at", "id"],
                condition=Q(state__in=["undelivered", "expired", "rejected"]),
                name="sms_message_failed",
            ),
            # the list of one number (filter `to`), its daily limit, and whether it was reached of late
            models.Index(fields=["to", "-created_at"], name="sms_message_to"),
            # the daily limit of a template
            models.Index(
                fields=["template", "-created_at"], condition=Q(template__isnull=False), name="sms_message_template"
            ),
            # matching what a gateway says about its id
            models.Index(fields=["gateway", "gateway_id"], condition=~Q(gateway_id=""), name="sms_message_gateway_id"),
        ]
        triggers = _moves_forward_only()

    def __str__(self) -> str:
        return _("SMS %(pk)s") % {"pk": self.pk}

    @property
    def is_decided(self) -> bool:
        """Nothing more will happen by itself."""
        return self.state in self.DECIDED

    @property
    def reason_code(self) -> str:
        """Why it is in this state; `no_receipt` of what was accepted and never heard of again."""
        silent = self.state == self.State.ACCEPTED and timezone.now() - self.state_changed_at > self.SILENT_AFTER
        return "no_receipt" if silent else self.reason

    @property
    def reason_in_words(self) -> str:
        """The same for a person; "" where that needs no reason."""
        return in_words(self.reason_code)

    @property
    def waits_until(self) -> datetime | None:
        """When the quiet hours that it waits for are over; None where it waits for none."""
        if self.state != self.State.QUEUED or self.reason != "quiet_hours" or self.not_before <= timezone.now():
            return None
        return self.not_before

    @property
    def is_asked_now(self) -> bool:
        """The moment at which the gateway is asked what became of it has come."""
        return self.check_after is not None and self.check_after <= timezone.now()

    @property
    def confirmed_by_id(self) -> int | None:
        """Who noted that the client has got it: the pk is a part of the reason (`actions.confirm_arrival`)."""
        kind, _colon, pk = self.reason.partition(":")
        return int(pk) if kind == "confirmed" and pk.isdecimal() else None

    def has_begun(self) -> bool:
        """Are parts of it at their gateway already, or may be? One query; under its row's lock, or it may be another
        answer a moment later."""
        return self.parts.exclude(state=SmsPart.State.QUEUED).exists()

    @property
    def has_failed(self) -> bool:
        """The client did not and will not get it: it is dictated instead."""
        return self.state in self.FAILED


class SmsPart(models.Model):
    """A part of a message at a gateway that takes parts (SMPP): only what was not accepted is sent again.

    A gateway that cuts a text by itself has one state for the whole, and no parts here.
    """

    class State(models.TextChoices):
        QUEUED = "queued", pgettext_lazy("SMS state", "queued")
        SUBMITTING = "submitting", pgettext_lazy("SMS state", "being handed over")
        ACCEPTED = "accepted", pgettext_lazy("SMS state", "accepted by the gateway")
        DELIVERED = "delivered", pgettext_lazy("SMS state", "delivered")
        UNDELIVERED = "undelivered", pgettext_lazy("SMS state", "not delivered")
        EXPIRED = "expired", pgettext_lazy("SMS state", "expired")
        REJECTED = "rejected", pgettext_lazy("SMS state", "rejected by the gateway")
        UNKNOWN = "unknown", pgettext_lazy("SMS state", "uncertain")

    message = models.ForeignKey(SmsMessage, models.PROTECT, related_name="parts", verbose_name=_("message"))
    seq = models.PositiveSmallIntegerField(_("part"))  # from 1
    text = models.TextField(_("text"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.QUEUED)
    gateway_id = models.CharField(_("id at the gateway"), max_length=100, blank=True)
    reason = models.CharField(_("reason code"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("part")
        verbose_name_plural = _("parts")
        ordering = ["message", "seq"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["message", "seq"], name="sms_part_once"),
            models.CheckConstraint(name="sms_part_from_one", condition=Q(seq__gte=1)),
        ]
        indexes: ClassVar[list[Any]] = [
            # matching a receipt, which names the id of a part
            models.Index(fields=["gateway_id"], condition=~Q(gateway_id=""), name="sms_part_gateway_id"),
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Trigger(
                name="sms_part_forward_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=(
                    f"IF TG_OP = 'UPDATE' AND (NEW.state = OLD.state OR (OLD.state, NEW.state) IN ({_moves()})) AND "
                    "(NEW.message_id, NEW.seq, NEW.text) IS NOT DISTINCT FROM (OLD.message_id, OLD.seq, OLD.text) "
                    "THEN RETURN NEW; END IF; RAISE EXCEPTION 'a part of an SMS never goes back' "
                    "USING ERRCODE = '23514', CONSTRAINT = 'sms_part_forward_only';"
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.message_id}/{self.seq}"

    @property
    def reason_in_words(self) -> str:
        return in_words(self.reason)


class SmsStateChange(models.Model):
    """The journal of a message: every state it was in, since when and why (R3: the outcome is on the record)."""

    message = models.ForeignKey(SmsMessage, models.PROTECT, related_name="changes", verbose_name=_("message"))
    from_state = models.CharField(_("state before"), max_length=12, choices=SmsMessage.State.choices, blank=True)
    to_state = models.CharField(_("state after"), max_length=12, choices=SmsMessage.State.choices)
    at = models.DateTimeField(_("time"), db_default=Now())
    reason = models.CharField(_("reason code"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("state change")
        verbose_name_plural = _("state changes")
        ordering = ["pk"]
        triggers = append_only("sms_state_change")

    def __str__(self) -> str:
        return f"{self.get_from_state_display() or '—'} → {self.get_to_state_display()}"

    @property
    def reason_in_words(self) -> str:
        return in_words(self.reason)


class SmsReceipt(models.Model):
    """The append-only inbox of what gateways say about messages; matched once the id is known."""

    gateway = models.CharField(max_length=30)
    gateway_id = models.CharField(max_length=100)
    state = models.CharField(max_length=12, choices=SmsMessage.State.choices)
    reason = models.CharField(max_length=60, blank=True)
    cost = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        triggers = append_only("sms_receipt")
        indexes: ClassVar[list[Any]] = [
            # matching a receipt that came before the answer
            models.Index(fields=["gateway", "gateway_id"], name="sms_receipt_match")
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.gateway_id}: {self.state}"
