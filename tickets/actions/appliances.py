"""Verbs on what clients own, and on models that the directory lacks."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from hotline.base.actions import verb
from hotline.base.errors import InvalidFields, NotFound, Refused
from hotline.base.folding import fold_model
from hotline.base.live import publish
from hotline.operators.models import User
from service_centers.models import Brand, Category, City
from tickets.actions._common import clean, just_made, lock_account, refuse_unknown
from tickets.completeness import ApplianceFacts
from tickets.models import Account, Appliance, DateSource, ModelSuggestion, ProductModel

APPLIANCE_FIELDS = frozenset(
    {
        "model_text", "product_model", "brand", "category", "serial_number", "purchase_date", "purchase_date_source",
        "store", "city",
    }
)  # fmt: skip


@verb
def add_appliance(
    *,
    account_id: int,
    model_text: str,
    product_model: ProductModel | None = None,
    brand: Brand | None = None,
    category: Category | None = None,
    serial_number: str = "",
    purchase_date: date | None = None,
    purchase_date_source: str = DateSource.UNKNOWN,
    store: str = "",
    city: City | None = None,
    actor: User | None,
) -> Appliance:
    """Note an appliance on an account. A model of the directory brings its brand and category.

    Raises NotFound; InvalidFields.
    """
    account = lock_account(account_id)
    appliance = Appliance(
        account=account,
        model_text=model_text or (product_model.name if product_model else ""),
        product_model=product_model,
        brand=product_model.brand if product_model else brand,
        category=product_model.category if product_model else category,
        serial_number=serial_number,
        purchase_date=purchase_date,
        purchase_date_source=purchase_date_source,
        store=store,
        city=city,
    )
    _check(appliance)
    same = {name: getattr(appliance, name) for name in APPLIANCE_FIELDS}
    if again := just_made(account.appliances.all(), **same):
        return cast(Appliance, again)
    appliance.save(force_insert=True)
    publish(topic="client", pk=account.client_id)
    return appliance


@verb
def update_appliance(*, appliance_id: int, actor: User | None, **changes: Any) -> Appliance:
    """Correct what is noted of an appliance. Appeals keep what was true when they were registered. Raises NotFound."""
    refuse_unknown(changes, APPLIANCE_FIELDS)
    appliance = (
        Appliance.objects.select_for_update(of=("self",)).select_related("account").filter(pk=appliance_id).first()
    )
    if appliance is None:
        raise NotFound("no_appliance", _("There is no such appliance."))
    before = {name: getattr(appliance, name) for name in APPLIANCE_FIELDS}
    for name, value in changes.items():
        setattr(appliance, name, value)
    if appliance.product_model is not None:
        appliance.brand = appliance.product_model.brand
        appliance.category = appliance.product_model.category
    _check(appliance)
    changed = [name for name in APPLIANCE_FIELDS if getattr(appliance, name) != before[name]]
    if changed:
        appliance.save(update_fields=changed)
        publish(topic="client", pk=appliance.account.client_id)
    return appliance


def _check(appliance: Appliance) -> None:
    clean(appliance)
    problems: dict[str, list[tuple[str, Any]]] = {}
    if appliance.purchase_date is not None and appliance.purchase_date > timezone.localdate():
        problems["purchase_date"] = [("purchase_date_future", _("The purchase date is in the future."))]
    if appliance.purchase_date is not None and appliance.purchase_date_source == DateSource.UNKNOWN:
        problems["purchase_date_source"] = [("purchase_date_source_missing", _("Say where the date is known from."))]
    if problems:
        raise InvalidFields(problems, _("Check what was entered."))


def find_or_add(account: Account, facts: ApplianceFacts, city: City | None, actor: User | None) -> Appliance | None:
    """The appliance that an appeal is about: by its serial number, else by its model, else a new one.

    What the account did not know of it yet is filled in. None where the client does not know the model either. The
    caller holds the account's lock.
    """
    folded, serial = fold_model(facts.model_text), fold_model(facts.serial_number)
    if not folded:
        return None
    same: Appliance | None = None
    for appliance in account.appliances.order_by("-pk"):
        if serial and appliance.folded_serial:
            if appliance.folded_serial == serial:
                same = appliance
                break
            continue
        by_model = facts.product_model is not None and appliance.product_model_id == facts.product_model.pk
        if same is None and (by_model or fold_model(appliance.model_text) == folded):
            same = appliance
    if same is not None:
        return fill_in(same, facts)
    return add_appliance(
        account_id=account.pk,
        model_text=facts.model_text,
        product_model=facts.product_model,
        brand=facts.brand,
        category=facts.category,
        serial_number=facts.serial_number,
        purchase_date=facts.purchase_date,
        purchase_date_source=facts.purchase_date_source or DateSource.UNKNOWN,
        store=facts.store,
        city=city,
        actor=actor,
    )


def fill_in(appliance: Appliance, facts: ApplianceFacts) -> Appliance:
    """Write what is now known of an appliance and was not before; what is written already stays as it is."""
    filled: list[str] = []
    for name in ("serial_number", "store", "product_model", "brand", "category"):
        if not getattr(appliance, name) and getattr(facts, name):
            setattr(appliance, name, getattr(facts, name))
            filled.append(name)
    if appliance.purchase_date is None and facts.purchase_date is not None:
        appliance.purchase_date = facts.purchase_date
        appliance.purchase_date_source = facts.purchase_date_source
        filled += ["purchase_date", "purchase_date_source"]
    if filled:
        clean(appliance)
        appliance.save(update_fields=filled)
    return appliance


@verb
def suggest_model(*, text: str, actor: User | None) -> ModelSuggestion | None:
    """Queue a model that the directory lacks for the supervisor; met again, it is counted.

    None where the text holds no letter or digit. One that was dismissed is only counted: it does not come back.
    """
    folded = fold_model(text)
    if not folded:
        return None
    suggestion = ModelSuggestion(text=text, suggested_by=actor)
    clean(suggestion)
    known = ModelSuggestion.objects.filter(folded_text=folded)
    if not known.update(times=F("times") + 1):
        try:
            with transaction.atomic():
                suggestion.save(force_insert=True)
        except IntegrityError:  # a colleague met it in the same second
            known.update(times=F("times") + 1)
    suggestion = known.get()
    publish(topic="suggestions")
    return suggestion


@verb
def resolve_suggestion(*, suggestion_id: int, product_model: ProductModel, actor: User) -> ModelSuggestion:
    """The supervisor says which model of the directory it is. Raises NotFound; Refused `already_decided`."""
    return _decide(suggestion_id, actor, product_model)


@verb
def dismiss_suggestion(*, suggestion_id: int, actor: User) -> ModelSuggestion:
    """The supervisor says that it is no model of ours. Raises NotFound; Refused `already_decided`."""
    return _decide(suggestion_id, actor, None)


def _decide(suggestion_id: int, actor: User, product_model: ProductModel | None) -> ModelSuggestion:
    suggestion = ModelSuggestion.objects.select_for_update(of=("self",)).filter(pk=suggestion_id).first()
    if suggestion is None:
        raise NotFound("no_suggestion", _("There is no such model to add."))
    if suggestion.decided_at is not None:
        raise Refused("already_decided", _("It is decided already."))
    suggestion.resolved_model = product_model
    suggestion.decided_by = actor
    suggestion.decided_at = timezone.now()
    suggestion.save(update_fields=["resolved_model", "decided_by", "decided_at"])
    publish(topic="suggestions")
    return suggestion
