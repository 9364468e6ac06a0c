"""The facts of an appeal: what is known of the appliance, whether it is complete, what its warranty is today."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from hotline.base.errors import InvalidFields
from hotline.base.folding import fold_model
from tickets import warranty
from tickets.completeness import ApplianceFacts, missing_items, sentence
from tickets.models import Appeal, Appliance, FactSource, ProductModel, WarrantyRule

APPEAL_FIELDS = frozenset(
    {
        "topic", "description", "outcome", "full_name", "phone", "city", "city_text", "address", "product_model",
        "brand", "category", "model_text", "model_source", "serial_number", "purchase_date", "purchase_date_source",
        "store", "store_source", "is_paid", "no_center_reason", "no_center_note",
    }
)  # fmt: skip


def facts_of(appliance: Appliance) -> ApplianceFacts:
    """What an account knows of an appliance, as facts for a new appeal. The model was told by the client before."""
    return ApplianceFacts(
        model_text=appliance.model_text,
        product_model=appliance.product_model,
        brand=appliance.brand,
        category=appliance.category,
        model_source=FactSource.CLIENT if appliance.model_text else "",
        serial_number=appliance.serial_number,
        purchase_date=appliance.purchase_date,
        purchase_date_source=appliance.purchase_date_source,
        store=appliance.store,
        store_source=FactSource.CLIENT if appliance.store else "",
    )


def facts_of_appeal(appeal: Appeal) -> ApplianceFacts:
    """The snapshot on an appeal, as facts."""
    return ApplianceFacts(
        model_text=appeal.model_text,
        product_model=appeal.product_model,
        brand=appeal.brand,
        category=appeal.category,
        model_source=appeal.model_source,
        serial_number=appeal.serial_number,
        purchase_date=appeal.purchase_date,
        purchase_date_source=appeal.purchase_date_source,
        store=appeal.store,
        store_source=appeal.store_source,
    )


def judge_warranty(facts: ApplianceFacts) -> warranty.Warranty:
    """The verdict of today on what is known so far. One SQL query where there is a brand and a date."""
    facts = settled(facts)
    rules = (
        WarrantyRule.objects.filter(brand=facts.brand)
        if facts.brand is not None and facts.purchase_date is not None
        else []
    )
    return warranty.verdict(
        purchase_date=facts.purchase_date,
        source=facts.purchase_date_source,
        rules=rules,
        brand=facts.brand.pk if facts.brand else None,
        category=facts.category.pk if facts.category else None,
        today=timezone.localdate(),
    )


def settled(facts: ApplianceFacts) -> ApplianceFacts:
    """Facts in their final form: trimmed; a model of the directory is recognised by its text and brings the rest."""
    model = facts.product_model
    text, store, serial = facts.model_text.strip(), facts.store.strip(), facts.serial_number.strip()
    if model is None and fold_model(text):
        found = ProductModel.objects.filter(folded_name=fold_model(text), is_active=True).select_related(
            "brand", "category"
        )
        if facts.brand is not None:
            found = found.filter(brand=facts.brand)
        named = list(found[:2])
        model = named[0] if len(named) == 1 else None
    trimmed = replace(facts, model_text=text, store=store, serial_number=serial)
    if model is None:
        return trimmed
    return replace(
        trimmed, product_model=model, brand=model.brand, category=model.category, model_text=text or model.name
    )


def refuse_incomplete(kind: str, *, facts: ApplianceFacts, **items: Any) -> None:
    """Raise InvalidFields where R1 or R2 lacks something, one entry for each item."""
    missing = missing_items(kind, facts=facts, **items)
    problems: dict[str, list[tuple[str, Any]]] = {}
    for item in missing:
        problems.setdefault(item.field, []).append((item.code, item.wanted))
    if facts.purchase_date is not None and facts.purchase_date > timezone.localdate():
        problems.setdefault("purchase_date", []).append(
            ("purchase_date_future", _("The purchase date is in the future."))
        )
    if problems:
        raise InvalidFields(problems, sentence(missing) if missing else _("Check what was entered."))


def judge(appeal: Appeal) -> None:
    """Put today's verdict on the appeal, where the appliance was spoken of at all."""
    facts = facts_of_appeal(appeal)
    if not (facts.model_text or facts.brand or facts.purchase_date or facts.purchase_date_source):
        appeal.verdict, appeal.verdict_reason, appeal.warranty_until = "", "", None
        return
    found = judge_warranty(facts)
    appeal.verdict, appeal.verdict_reason, appeal.warranty_until = found.verdict, found.reason, found.until
