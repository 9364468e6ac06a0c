"""An SMS that did not arrive becomes somebody's to make good (R3): dictated on another way, sent anew, or settled."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from calls.models import Call, CallAppeal, FollowUp
from hotline.base.actions import verb
from hotline.base.errors import Invalid, NotFound, Refused
from hotline.base.live import publish
from hotline.operators.models import Role, User
from sms.models import SmsMessage
from tickets.actions import dictate, resend, template_of
from tickets.models import AppealMessage

BATCH = 200
# What has failed longer ago was looked at while it was new: the sweep reads the index of what failed since.
LOOKS_BACK = timedelta(days=30)
Outcome = FollowUp.Outcome


@verb
def open_follow_ups(*, actor: User | None = None) -> int:
    """Messages that failed, and that nobody has made good: an item for whose each is. Returns how many are new.

    Not while a call about the appeal is open: there the card to dictate from has come up already. Items whose appeal
    got another message meanwhile are done by that. Idempotent; two sweeps at once make one item.
    """
    _close_made_good()
    in_call = CallAppeal.objects.filter(appeal=OuterRef("appeal")).exclude(call__work_state=Call.WorkState.CLOSED)
    known = FollowUp.objects.filter(link=OuterRef("pk"))
    failed = AppealMessage.objects.not_followed_up().filter(
        ~Exists(known), ~Exists(in_call), message__resent_as=None, message__state_changed_at__gt=Now() - LOOKS_BACK
    )
    made = 0
    for link in failed.select_related("message__requested_by", "appeal__registered_by").order_by("pk")[:BATCH]:
        owner = _owner(link)
        _item, created = FollowUp.objects.get_or_create(link=link, defaults={"owner": owner})
        made += created
        if created:
            _tell(owner)
    return made


def _close_made_good() -> None:
    later = AppealMessage.objects.instead_of(
        appeal=OuterRef("link__appeal"), purpose=OuterRef("link__purpose"), pk=OuterRef("link")
    )
    for item in FollowUp.objects.open().filter(Exists(later)).select_related("link", "owner")[:BATCH]:
        since = AppealMessage.objects.instead_of(
            appeal=item.link.appeal_id, purpose=item.link.purpose, pk=item.link_id
        ).select_related("message")
        last = since.order_by("-pk")[0].message
        dictated = last.state == SmsMessage.State.DICTATED
        _finish(item, Outcome.DICTATED if dictated else Outcome.RESENT, last.requested_by)


def _owner(link: AppealMessage) -> User | None:
    """Who sent it, else who registered the appeal; an automatic one is the registrar's, whoever changed the state.
    The machines' are the supervisors'.
    """
    registrar = link.appeal.registered_by
    for person in (registrar,) if link.is_automatic else (link.message.requested_by, registrar):
        if person is not None and person.is_active and person.role in (Role.OPERATOR, Role.SUPERVISOR):
            return person
    return None


@verb
def dictate_follow_up(*, pk: int, action_id: UUID, actor: User) -> FollowUp:
    """Told on the telephone and read back. Raises NotFound, Refused (`settled`, `nothing_to_send`)."""
    item = _locked(pk, actor)
    link = item.link
    dictate(
        appeal_id=link.appeal_id,
        to=link.message.to,
        purpose=link.purpose,
        template=template_of(link.message),
        action_id=action_id,
        actor=actor,
    )
    return _finish(item, Outcome.DICTATED, actor)


@verb
def resend_follow_up(*, pk: int, action_id: UUID, actor: User) -> FollowUp:
    """Send it anew. Raises NotFound, Refused (`settled`, or the gate's code), Conflict (`resent`)."""
    item = _locked(pk, actor)
    resend(message_id=item.link.message_id, action_id=action_id, actor=actor)
    return _finish(item, Outcome.RESENT, actor)


@verb
def settle_follow_up(*, pk: int, note: str, actor: User) -> FollowUp:
    """Not needed any more: the client knows already. Raises NotFound, Refused (`settled`), Invalid (`note_missing`)."""
    item = _locked(pk, actor)
    if not note.strip():
        raise Invalid("note_missing", _("Say why it is not needed any more."), field="note")
    return _finish(item, Outcome.NOT_NEEDED, actor, note.strip()[:300])


def _locked(pk: int, actor: User) -> FollowUp:
    item = (
        FollowUp.objects.visible_to(actor)
        .select_for_update(of=("self",))
        .select_related("link__message__template")
        .filter(pk=pk)
        .first()
    )
    if item is None:
        raise NotFound("not_found", _("There is no such item."))
    if item.done_at is not None:
        raise Refused("settled", _("This is settled already."))
    return item


def _finish(item: FollowUp, outcome: FollowUp.Outcome, actor: User | None, note: str = "") -> FollowUp:
    item.outcome, item.done_at, item.done_by, item.note = outcome, timezone.now(), actor, note
    item.save(update_fields=["outcome", "done_at", "done_by", "note"])
    _tell(item.owner)
    return item


def _tell(owner: User | None) -> None:
    """Somebody's list changed."""
    supervisors = User.objects.supervisors().values_list("pk", flat=True)
    publish(topic="follow_ups", users={*supervisors, *([owner.pk] if owner is not None else [])})
