"""Registering an appeal (stage 6 of the regulation)."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from hotline.base.actions import next_number, verb
from hotline.base.errors import Invalid, Refused
from hotline.base.phones import read_phone
from hotline.operators.models import User
from service_centers.models import City, ServiceCenter
from tickets import events
from tickets.actions._common import action_reused, clean, lock_account, serialise
from tickets.actions.appliances import fill_in, find_or_add, suggest_model
from tickets.actions.assignments import place
from tickets.actions.facts import APPEAL_FIELDS, facts_of, facts_of_appeal, judge, refuse_incomplete, settled
from tickets.completeness import ApplianceFacts
from tickets.models import Account, Appeal, Appliance, Client, Topic

Kind, State = Appeal.Kind, Appeal.State


@verb
def register_appeal(
    *,
    kind: str,
    description: str,
    actor: User | None,
    action_id: UUID | None = None,
    client: Client | None = None,
    account: Account | None = None,
    appliance: Appliance | None = None,
    topic: Topic | None = None,
    parent: Appeal | None = None,
    outcome: str = "",
    phone: str = "",
    full_name: str = "",
    city: City | None = None,
    city_text: str = "",
    address: str = "",
    facts: ApplianceFacts | None = None,
    service_center: ServiceCenter | None = None,
    no_center_reason: str = "",
    no_center_note: str = "",
    is_paid: bool = False,
    referred_to: ServiceCenter | None = None,
    close: bool = False,
) -> Appeal:
    """Register an appeal, judge its warranty, give it to a service centre, all or nothing (R1, R2).

    What is not said is taken from what is known: the account's client, the client's main account, name, phone and city,
    the appliance's facts, the earlier appeal's owner. `referred_to`: out of warranty, the centre whose contacts were
    given; `close`: registered and closed at once (a consultation). The same `action_id` returns the same appeal.

    Raises InvalidFields with one entry for each missing item (codes of `completeness.py`) or wrong field; Conflict
    `action_reused` where the same action comes with another kind or client; Refused `center_inactive`.
    """
    serialise(action_id)
    if parent is not None and client is None and account is None:
        client, account, appliance = parent.client, parent.account, appliance or parent.appliance
    if appliance is not None and account is None:
        account = appliance.account
    if account is not None and client is None:
        client = account.client
    if action_id is not None and (existing := Appeal.objects.filter(action_id=action_id).first()):
        if existing.kind != kind or existing.client_id != (client.pk if client else None):
            raise action_reused()
        return existing
    if kind not in Kind.values:
        raise Invalid("kind", _("There is no such kind of appeal."), field="kind")
    if client is not None:
        account = account or client.accounts.filter(is_main=True).first()
        full_name = full_name or client.full_name
        phone = phone or _first_phone(client)
        if city is None and not city_text:
            city, city_text = client.city, client.city_text
        address = address or client.address
    told = facts is not None
    if facts is None and parent is not None:
        facts = facts_of_appeal(parent)
    elif facts is None:
        facts = facts_of(appliance) if appliance is not None else ApplianceFacts()
    facts = settled(facts)
    refuse_incomplete(
        kind,
        client=client,
        account=account,
        full_name=full_name,
        city=city,
        city_text=city_text,
        description=description,
        topic=topic,
        parent=parent,
        facts=facts,
        service_center=service_center,
        no_center_reason=no_center_reason,
        no_center_note=no_center_note,
    )
    _refuse_mismatch(kind, client, account, appliance, service_center, referred_to, close)
    read = read_phone(phone)
    is_request = kind in Appeal.REQUESTS
    appeal = Appeal(
        action_id=action_id,
        kind=kind,
        topic=topic,
        client=client,
        account=account,
        parent=parent,
        description=description,
        outcome=outcome,
        full_name=full_name,
        phone=read.e164 or phone.strip()[:32],
        city=city,
        city_text="" if city else city_text,
        address=address,
        product_model=facts.product_model,
        brand=facts.brand,
        category=facts.category,
        model_text=facts.model_text,
        model_source=facts.model_source,
        serial_number=facts.serial_number,
        purchase_date=facts.purchase_date,
        purchase_date_source=facts.purchase_date_source,
        store=facts.store,
        store_source=facts.store_source,
        is_paid=is_paid,
        no_center_reason=no_center_reason if is_request and service_center is None else "",
        no_center_note=no_center_note if is_request and service_center is None else "",
        referred_to=referred_to,
        registered_by=actor,
    )
    judge(appeal)
    appeal.state = _first_state(appeal, service_center, close)
    clean(appeal, fields=APPEAL_FIELDS)
    if appeal.model_text:
        appeal.appliance = appliance
        if account is not None:
            appeal.appliance = _appliance(account, appliance, facts, city, actor)
        if appeal.product_model is None and told:
            suggest_model(text=appeal.model_text, actor=actor)
    appeal.number = next_number("tickets_appeal_number_seq")
    appeal.save(force_insert=True)
    events.registered(appeal, actor)
    if service_center is not None and is_request:
        place(appeal, service_center, actor)
    if referred_to is not None:
        events.contacts_given(appeal, actor)
    if parent is not None:
        events.consulted(parent, appeal, actor)
    return appeal


def _refuse_mismatch(
    kind: str,
    client: Client | None,
    account: Account | None,
    appliance: Appliance | None,
    service_center: ServiceCenter | None,
    referred_to: ServiceCenter | None,
    close: bool,
) -> None:
    if client is not None and account is not None and account.client_id != client.pk:
        raise Invalid("account_of_another", _("The account belongs to another card."), field="account")
    if appliance is not None and account is not None and appliance.account_id != account.pk:
        raise Invalid("appliance_of_another", _("The appliance belongs to another account."), field="appliance")
    if kind in Appeal.REQUESTS:
        if referred_to is not None:
            raise Invalid(
                "request_is_assigned", _("A request is given to a service centre: assign it."), field="referred_to"
            )
        if close:
            raise Invalid("request_stays_open", _("A request is closed when its work is done."), field="close")
    elif service_center is not None:
        raise Invalid(
            "only_requests_are_assigned", _("Only a request is given to a service centre."), field="service_center"
        )
    for center in (service_center, referred_to):
        if center is not None:
            refuse_inactive(center)


def refuse_inactive(center: ServiceCenter) -> None:
    """Raise Refused `center_inactive` for a centre that takes no requests any more."""
    if not center.is_active:
        raise Refused("center_inactive", _("This service centre takes no requests any more."), field="service_center")


def _first_state(appeal: Appeal, service_center: ServiceCenter | None, close: bool) -> str:
    if appeal.is_request:
        return State.ASSIGNED if service_center is not None else State.REGISTERED
    if appeal.referred_to is not None:
        return State.REFERRED
    return State.CLOSED if close else State.REGISTERED


def _appliance(
    account: Account, appliance: Appliance | None, facts: ApplianceFacts, city: City | None, actor: User | None
) -> Appliance | None:
    lock_account(account.pk)
    if appliance is not None:
        return fill_in(appliance, facts)
    return find_or_add(account, facts, city, actor)


def _first_phone(client: Client) -> str:
    phone = client.phones.first()
    return "" if phone is None else phone.e164 or phone.raw
