"""Verbs on an appeal that is registered: correcting it, moving it on, and to another card."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from hotline.base.actions import verb
from hotline.base.errors import Invalid, InvalidFields, Refused
from hotline.base.folding import fold_model
from hotline.base.phones import read_phone
from hotline.operators.models import User
from service_centers.models import ServiceCenter
from tickets import events
from tickets.actions._common import clean, lock_appeal, refuse_unknown
from tickets.actions.appliances import find_or_add
from tickets.actions.assignments import end_active, resume, take
from tickets.actions.automatic import moved_on
from tickets.actions.facts import APPEAL_FIELDS, facts_of_appeal, judge, refuse_incomplete, settled
from tickets.actions.papers import add_comment
from tickets.actions.registration import refuse_inactive
from tickets.models import Account, Appeal, Assignment, Client

State = Appeal.State
# A change of one of these is a change of the verdict's grounds.
_WARRANTY_FIELDS = frozenset({"product_model", "brand", "category", "purchase_date", "purchase_date_source"})


@verb
def edit_appeal(*, appeal_id: int, version: int, actor: User | None, **changes: Any) -> Appeal:
    """Correct the facts of an appeal; the warranty is judged anew where its grounds changed.

    No change: nothing is written.

    Raises NotFound; Conflict `changed_meanwhile`; Refused `final` for one that is closed; InvalidFields, where R2 would
    no longer hold too.
    """
    refuse_unknown(changes, APPEAL_FIELDS)
    appeal = lock_appeal(appeal_id, version)
    if appeal.state in (State.CANCELLED, State.DUPLICATE):
        raise Refused("final", _("The appeal is %(state)s: reopen it first.") % {"state": appeal.get_state_display()})
    before = {name: getattr(appeal, name) for name in APPEAL_FIELDS}
    for name, value in changes.items():
        setattr(appeal, name, value)
    if "product_model" not in changes and fold_model(appeal.model_text) != fold_model(before["model_text"]):
        appeal.product_model = None
    if "phone" in changes:
        appeal.phone = read_phone(appeal.phone).e164 or appeal.phone
    if appeal.city_id:
        appeal.city_text = ""
    facts = settled(facts_of_appeal(appeal))
    for name in ("product_model", "brand", "category", "model_text"):
        setattr(appeal, name, getattr(facts, name))
    active = appeal.active_assignment()
    refuse_incomplete(
        appeal.kind,
        client=appeal.client_id,
        account=appeal.account_id,
        full_name=appeal.full_name,
        city=appeal.city,
        city_text=appeal.city_text,
        description=appeal.description,
        topic=appeal.topic,
        parent=appeal.parent_id,
        facts=facts,
        service_center=active or (None if appeal.state == State.REGISTERED else True),
        no_center_reason=appeal.no_center_reason,
        no_center_note=appeal.no_center_note,
    )
    clean(appeal, fields=APPEAL_FIELDS)
    changed = [name for name in APPEAL_FIELDS if getattr(appeal, name) != before[name]]
    if not changed:
        return appeal
    if not _WARRANTY_FIELDS.isdisjoint(changed):
        judge(appeal)
    save(appeal, *changed, "verdict", "verdict_reason", "warranty_until")
    events.edited(appeal, changed, actor)
    return appeal


@verb
def change_state(
    *, appeal_id: int, state: str, actor: User | None, note: str = "", version: int | None = None
) -> Appeal:
    """Move an appeal along `Appeal.TRANSITIONS`, its assignment with it. Already there: nothing happens.

    Raises NotFound; Conflict `changed_meanwhile`; Refused `transition`, and `assign_first` or `name_original` where the
    state needs what only another verb is told.
    """
    appeal = lock_appeal(appeal_id, version)
    if appeal.state == state:
        return appeal
    if state not in appeal.possible_states():
        raise Refused(
            "transition",
            _("From «%(before)s» an appeal of this kind can't become «%(after)s».")
            % {"before": appeal.get_state_display(), "after": dict(State.choices).get(state, state)},
            field="state",
        )
    if state == State.ASSIGNED:
        raise Refused("assign_first", _("Choose the service centre that it is given to."), field="service_center")
    if state == State.DUPLICATE:
        raise Refused("name_original", _("Name the appeal that this one is a duplicate of."), field="of")
    if state == State.REFERRED and appeal.referred_to_id is None:
        raise Refused(
            "contacts_first", _("Choose the service centre whose contacts were given."), field="service_center"
        )
    before = appeal.state
    if state == State.REGISTERED and appeal.is_request:
        end_active(appeal, Assignment.State.WITHDRAWN, actor, note)
        appeal.no_center_reason = Appeal.NoCenterReason.REOPENED
        appeal.no_center_note = note[:300]
    elif state == State.IN_WORK and before == State.DONE:
        resume(appeal, actor, note)
    elif state in (State.ACCEPTED, State.IN_WORK):
        take(appeal)
    elif state == State.DONE:
        end_active(appeal, Assignment.State.COMPLETED, actor, note)
    elif state == State.CANCELLED:
        end_active(appeal, Assignment.State.WITHDRAWN, actor, note)
    set_state(appeal, state, "no_center_reason", "no_center_note")
    moved_on(appeal, before, actor)
    return appeal


@verb
def give_contacts(*, appeal_id: int, service_center: ServiceCenter, actor: User | None) -> Appeal:
    """Record that the contacts of a centre were given; a consultation out of warranty becomes «referred».

    Given already: nothing happens.

    Raises NotFound; Refused `center_inactive`, `request_is_assigned`.
    """
    appeal = lock_appeal(appeal_id)
    if appeal.is_request:
        raise Refused("request_is_assigned", _("A request is given to a service centre: assign it."))
    refuse_inactive(service_center)
    before = appeal.state
    refers = appeal.verdict == Appeal.Verdict.OUT and State.REFERRED in appeal.possible_states()
    if appeal.referred_to_id == service_center.pk and not refers:
        return appeal
    appeal.referred_to = service_center
    set_state(appeal, State.REFERRED if refers else before, "referred_to", since=refers)
    events.contacts_given(appeal, actor)
    if before != appeal.state:
        moved_on(appeal, before, actor)
    return appeal


@verb
def move_appeal(
    *, appeal_id: int, client: Client | None, account: Account | None, actor: User | None, reason: str = ""
) -> Appeal:
    """Put an appeal that was registered on the wrong card on the right one. The snapshot of what was said stays.

    Raises NotFound; Invalid `account_of_another`; InvalidFields where a request would lose its owner (R1).
    """
    appeal = lock_appeal(appeal_id)
    if account is not None and client is None:
        client = account.client
    if client is not None and account is None:
        account = client.accounts.filter(is_main=True).first()
    if account is not None and client is not None and account.client_id != client.pk:
        raise Invalid("account_of_another", _("The account belongs to another card."), field="account")
    if appeal.is_request and (client is None or account is None):
        raise InvalidFields(
            {"client": [("client_missing", _("A request needs a card."))]}, _("Check what was entered.")
        )
    if appeal.client_id == (client.pk if client else None) and appeal.account_id == (account.pk if account else None):
        return appeal
    before = appeal.client
    appeal.client, appeal.account = client, account
    if appeal.appliance is not None and appeal.appliance.account_id != appeal.account_id:
        appeal.appliance = (
            find_or_add(account, facts_of_appeal(appeal), appeal.city, actor) if account is not None else None
        )
    save(appeal, "client", "account", "appliance")
    events.moved(appeal, before, actor)
    if reason.strip():
        add_comment(appeal_id=appeal.pk, text=reason, actor=actor)
    return appeal


@verb
def mark_duplicate(*, appeal_id: int, of: Appeal, actor: User | None) -> Appeal:
    """Say that an appeal repeats another.

    Raises NotFound; Refused `transition`, `duplicate_of_itself`, `original_is_duplicate`.
    """
    appeal = lock_appeal(appeal_id)
    if appeal.state == State.DUPLICATE and appeal.duplicate_of_id == of.pk:
        return appeal
    if of.pk == appeal.pk:
        raise Refused("duplicate_of_itself", _("An appeal can't be a duplicate of itself."), field="of")
    if of.state == State.DUPLICATE:
        raise Refused(
            "original_is_duplicate", _("№%(number)s is a duplicate itself.") % {"number": of.number}, field="of"
        )
    if State.DUPLICATE not in appeal.possible_states():
        raise Refused(
            "transition",
            _("From «%(before)s» an appeal of this kind can't become «%(after)s».")
            % {"before": appeal.get_state_display(), "after": State.DUPLICATE.label},
        )
    before = appeal.state
    end_active(appeal, Assignment.State.WITHDRAWN, actor, "")
    appeal.duplicate_of = of
    set_state(appeal, State.DUPLICATE, "duplicate_of")
    events.duplicate_marked(appeal, of, actor)
    moved_on(appeal, before, actor)
    return appeal


# --- The parts ------------------------------------------------------------------------------------
def set_state(appeal: Appeal, state: str, *also: str, since: bool = True) -> None:
    """Write the state, the time since when, and the fields that go with it; one version further."""
    appeal.state = state
    if since:
        appeal.state_changed_at = timezone.now()
    save(appeal, "state", "state_changed_at", *also)


def save(appeal: Appeal, *fields: str) -> None:
    appeal.version += 1
    appeal.save(update_fields=[*fields, "version"])
