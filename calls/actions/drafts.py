"""Verbs of drafts: what is still being typed is kept on the server, invalid text and all (regulation, R2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from calls import journal
from calls.actions._common import enter_dialog, tell
from calls.models import Call, CallAppeal, Draft
from hotline.base.actions import constraint_of, verb
from hotline.base.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from hotline.operators.models import Role, User
from tickets import actions as tickets
from tickets.models import Appeal

# Bytes of JSON: the longest form, filled with the longest texts it takes, is a tenth of it.
LARGEST = 64 * 1024


@verb
def save_draft(*, call_id: int, form: str, data: Mapping[str, Any], version: int, actor: User) -> Draft:
    """Keep a form as far as it was typed, on top of `version` (0: nothing was kept yet).

    The page's own `action_id` travels among the data and becomes the draft's: sent for good, it is that action.

    Raises NotFound, Invalid (`form`, `too_big`), Conflict (`stale`: `details["version"]` was saved meanwhile;
    `submitted`: the form was sent or discarded meanwhile).
    """
    if form not in Draft.Form.values:
        raise Invalid("form", _("There is no such form."))
    kept = {str(name): value for name, value in data.items() if name != "action_id"}
    if len(json.dumps(kept, ensure_ascii=False).encode()) > LARGEST:
        raise Invalid("too_big", _("The text is too long to be kept."))
    # The call's row serialises the first save of two tabs, and a save with the sending of the same form.
    call = Call.objects.select_for_update(of=("self",)).filter(pk=call_id).first()
    if call is None:
        raise NotFound("not_found", _("There is no such call."))
    draft = Draft.objects.open().select_for_update(of=("self",)).filter(call=call, form=form).first()
    if draft is None:
        begun = _begin(call, form, kept, _uuid(data.get("action_id")), version, actor)
        talking = call.line_state == Call.LineState.TALKING and form != Draft.Form.WRAP_UP
        # Who types a form of stage 2 or later is talking with the client.
        if talking and enter_dialog(call, actor, form):
            call.save(update_fields=["phase"])
            tell(call)
        return begun
    if not _may_write(draft, actor):
        raise NotFound("not_found", _("There is no such call."))
    if draft.version != version:
        if draft.data == kept:  # the answer to the very same save got lost on the way
            return draft
        raise Conflict(
            "stale", _("This form was changed in another window."), details={"version": draft.version, "pk": draft.pk}
        )
    draft.data = kept
    draft.version += 1
    draft.updated_at = timezone.now()
    draft.save(update_fields=["data", "version", "updated_at"])
    return draft


def _begin(call: Call, form: str, data: dict[str, Any], action_id: UUID | None, version: int, actor: User) -> Draft:
    if not (actor.role == Role.SUPERVISOR or call.operator_id == actor.pk):
        raise NotFound("not_found", _("There is no such call."))
    if version or (action_id and Draft.objects.filter(action_id=action_id).exists()):
        raise Conflict("submitted", _("This form was sent already."), details={"version": 0})
    try:
        with transaction.atomic():
            return Draft.objects.create(
                owner=call.operator or actor, call=call, form=form, data=data, action_id=action_id or uuid4()
            )
    except IntegrityError as error:
        if constraint_of(error) == "calls_draft_one_open_form":
            raise Conflict("stale", _("This form was changed in another window."), details={"version": 1}) from error
        raise


@verb
def submit_draft(
    *, call_id: int, form: str, action_id: UUID, actor: User | None, appeal: Appeal | None = None
) -> Draft:
    """The form was sent for good: its draft is done. Where nothing was kept yet a row is left that says so, or a save
    that was still under way would come after it and begin the draft anew.

    Belongs into the transaction of the verb that took the form. A form sent twice is done once.
    """
    call = Call.objects.select_for_update(of=("self",)).filter(pk=call_id).first()
    if call is None:
        raise NotFound("not_found", _("There is no such call."))
    now = timezone.now()
    draft = Draft.objects.filter(action_id=action_id).first()
    if draft is None:
        draft = Draft.objects.open().filter(call=call, form=form).first()
    if draft is None:
        owner = call.operator or actor
        if owner is None:
            raise Invalid("no_owner", _("This call has no operator yet."))
        return Draft.objects.create(
            owner=owner, call=call, form=form, action_id=action_id, submitted_at=now, appeal=appeal
        )
    if draft.submitted_at is None:
        draft.submitted_at = now
        draft.discarded_at = None
        draft.appeal = appeal
        draft.save(update_fields=["submitted_at", "discarded_at", "appeal"])
    return draft


@verb
def register_draft(*, draft_id: int, actor: User, **fields: Any) -> Appeal:
    """Finish a request that the client broke off, after its call was closed (R2). The call's own appeal, which R1 asked
    for, stays what it is; the new one is linked to the call beside it.

    `fields` are those of `tickets.register_appeal`; client, account and topic are the call's unless said otherwise.
    The draft's action makes it once. Raises NotFound, Refused (`call_open`, `settled`), and what it raises.
    """
    draft = _locked(draft_id)
    if not _may_write(draft, actor):
        raise NotFound("not_found", _("There is no such draft."))
    call = draft.call
    if call.is_open:
        raise Refused("call_open", _("The call is open: register in the call."))
    if draft.discarded_at is not None:
        raise Refused("settled", _("This draft was put away."))
    if draft.appeal is not None:
        return draft.appeal
    fields.setdefault("client", call.client)
    fields.setdefault("account", call.account if fields["client"] == call.client else None)
    fields.setdefault("topic", call.topic)
    fields["phone"] = fields.get("phone") or call.number
    appeal = tickets.register_appeal(actor=actor, **{**fields, "action_id": draft.action_id})
    CallAppeal.objects.get_or_create(call=call, appeal=appeal, relation=CallAppeal.Relation.REGISTERED)
    journal.note(call, journal.Code.APPEAL_REGISTERED, actor, appeal=appeal.pk, kind=appeal.kind, draft=draft.pk)
    draft.submitted_at = timezone.now()
    draft.appeal = appeal
    draft.save(update_fields=["submitted_at", "appeal"])
    return appeal


@verb
def settle_drafts(*, call_id: int, actor: User | None) -> int:
    """The call is being closed: only requests that were broken off still wait for their owner (R2). What was noted for
    the diagnosis, the card or the wrap-up has served. Says how many were settled; belongs into the closing transaction.
    """
    call = Call.objects.select_for_update(of=("self",)).filter(pk=call_id).first()
    if call is None:
        raise NotFound("not_found", _("There is no such call."))
    served = Draft.objects.open().filter(call=call).exclude(form__in=[Draft.Form.REPAIR, Draft.Form.INSTALLATION])
    return served.update(submitted_at=timezone.now(), appeal=call.registered_appeal_id)


@verb
def discard_draft(*, draft_id: int, actor: User) -> Draft:
    """Put a draft away unsent; it stays on the record. Raises NotFound."""
    draft = _locked(draft_id)
    if not _may_write(draft, actor):
        raise NotFound("not_found", _("There is no such draft."))
    if draft.submitted_at is None and draft.discarded_at is None:
        draft.discarded_at = timezone.now()
        draft.save(update_fields=["discarded_at"])
    return draft


@verb
def reassign_draft(*, draft_id: int, owner: User, actor: User) -> Draft:
    """Give a draft to another operator, who finishes it. Raises Forbidden, NotFound, Invalid (`owner`)."""
    if actor.role != Role.SUPERVISOR:
        raise Forbidden("forbidden", _("Only a supervisor gives drafts to others."))
    if owner.role not in (Role.OPERATOR, Role.SUPERVISOR) or not owner.is_active:
        raise Invalid("owner", _("Choose a colleague who works here."), field="owner")
    draft = _locked(draft_id)
    draft.owner = owner
    draft.save(update_fields=["owner"])
    return draft


def _locked(draft_id: int) -> Draft:
    rows = Draft.objects.select_for_update(of=("self",)).select_related("call", "appeal")
    draft = rows.filter(pk=draft_id).first()
    if draft is None:
        raise NotFound("not_found", _("There is no such draft."))
    return draft


def _may_write(draft: Draft, actor: User) -> bool:
    return actor.role == Role.SUPERVISOR or draft.owner_id == actor.pk


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
