"""The matter of a call: what the forms of stages 5 and 6 know at first, and what they say while they are being typed.

Reads only. The verbs judge once more what is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone
from django.utils.translation import pgettext_lazy

from calls.forms import ApplianceForm, ConsultationForm, ContactsForm, RequestForm
from calls.models import Draft
from calls.topics import suggest
from calls.workspace import Workspace
from hotline.base.phones import format_phone
from service_centers import matching
from service_centers.cities import find_cities
from service_centers.models import City, WorkKind
from tickets.actions import ApplianceFacts, judge_warranty, missing_items
from tickets.centers import work_of
from tickets.completeness import MissingItem
from tickets.models import Appeal, Appliance, DateSource, FactSource, Topic
from tickets.warranty import Warranty

# What is typed at stage 5 and stands already in the forms of stage 6.
SHARED = (
    "appliance", "model_text", "model_text_id", "model_source", "brand", "category", "serial_number", "purchase_date",
    "purchase_date_source", "store", "store_source", "description", "outcome",
)  # fmt: skip


# Everything said on the telephone is the client's words, unless the operator says otherwise.
FROM_WORDS = {
    "model_source": FactSource.CLIENT,
    "purchase_date_source": DateSource.CLIENT,
    "store_source": FactSource.CLIENT,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What may be registered: the key that opens it, and the draft its form is kept in."""

    code: str
    label: Any
    key: str
    draft: str
    appeal: str


KINDS = {
    kind.code: kind
    for kind in (
        Kind(
            "repair", pgettext_lazy("kind of registration", "Repair"), "Alt+KeyR", Draft.Form.REPAIR, Appeal.Kind.REPAIR
        ),
        Kind(
            "installation",
            pgettext_lazy("kind of registration", "Installation"),
            "Alt+KeyI",
            Draft.Form.INSTALLATION,
            Appeal.Kind.INSTALLATION,
        ),
        Kind(
            "consultation",
            pgettext_lazy("kind of registration", "Consultation"),
            "Alt+KeyK",
            Draft.Form.CONSULTATION,
            Appeal.Kind.CONSULTATION,
        ),
        Kind(
            "contacts",
            pgettext_lazy("kind of registration", "Contacts of a centre"),
            "Alt+KeyT",
            Draft.Form.CONSULTATION,
            Appeal.Kind.CONSULTATION,
        ),
        Kind(
            "other",
            pgettext_lazy("kind of registration", "Atypical"),
            "Alt+KeyA",
            Draft.Form.CONSULTATION,
            Appeal.Kind.OTHER,
        ),
    )
}
REQUESTS = ("repair", "installation")


# --- What is known before anything is typed ------------------------------------------------------
def form_of(kind: str, data: Any, initial: dict[str, Any] | None = None) -> Any:
    """The form of a kind; `data` None: not sent yet."""
    appeal_kind = KINDS[kind].appeal
    if kind in REQUESTS:
        return RequestForm(data, initial=initial, kind=appeal_kind)
    if kind == "contacts":
        return ContactsForm(data, initial=initial, kind=appeal_kind)
    return ConsultationForm(data, initial=initial, kind=appeal_kind)


def known_to(ws: Workspace, kind: str) -> dict[str, Any]:
    """What the call knows already: the card, the appliance, and what was typed at stage 5. Nothing is asked twice."""
    call, client = ws.call, ws.client
    # A request is about a fault; what the call was about before it («где мастер?») says nothing of that.
    known: dict[str, Any] = {"topic": None if kind in REQUESTS else call.topic_id, **FROM_WORDS}
    if client is not None:
        known |= {
            "full_name": client.full_name,
            "address": client.address,
            "city": client.city or (None, client.city_text),
        }
    on_card = (phone.e164 for phone in client.phones.all() if phone.e164) if client else ()
    number = call.number or next(iter(on_card), "")
    known["phone"] = format_phone(number) if number else ""
    diagnosis = ws.drafts.get(Draft.Form.DIAGNOSIS)
    if diagnosis is not None:
        typed = {name: value for name, value in diagnosis.data.items() if name in SHARED and value}
        if "model_text" in typed:
            typed["model_text"] = (typed.pop("model_text_id", ""), typed["model_text"])
        known |= typed
    elif (appliance := _only_appliance(ws)) is not None and kind in REQUESTS:
        facts = facts_of_appliance(appliance)
        known |= {**facts, "model_text": (facts.pop("model_text_id"), facts["model_text"])}
    if kind not in REQUESTS and not known.get("description"):
        known["description"] = _told_for_a_request(ws)
    if not known["topic"]:
        topics = list(Topic.objects.filter(is_active=True))
        suggested = suggest(kind, f"{known.get('description', '')} {known.get('outcome', '')}", topics)
        known["topic"] = suggested.pk if suggested else None
    return known


def _told_for_a_request(ws: Workspace) -> str:
    """The client's words of a request that was broken off: what is registered instead is about them."""
    drafts = (ws.drafts.get(KINDS[kind].draft) for kind in REQUESTS)
    return next((text for draft in drafts if draft and (text := str(draft.data.get("description") or ""))), "")


def _only_appliance(ws: Workspace) -> Appliance | None:
    """The one appliance of the account: which one it is about needs no question."""
    if ws.client is None:
        return None
    found = [
        appliance
        for account in ws.client.accounts.all()
        if account.pk == ws.call.account_id
        for appliance in account.appliances.all()
    ]
    return found[0] if len(found) == 1 else None


# --- What the form says while it is being typed ---------------------------------------------------
def judged(form: Any, kind: str, ws: Workspace) -> dict[str, Any]:
    """The warranty in words, the service centres with their reasons, and what is still missing."""
    bound = form if form.is_bound else form_of(kind, typed_of(form))
    bound.is_valid()
    warranty = warranty_of(form) if isinstance(form, ApplianceForm) else None
    context: dict[str, Any] = {"warranty": warranty}
    facts = bound.facts() if isinstance(bound, ApplianceForm) else facts_at_stage_5(ws)
    center = None
    if kind in REQUESTS or kind == "contacts":
        city, city_text = bound.city_and_text()
        work = _work(bound, kind, warranty)
        result = _match(city, city_text, facts, work)
        context |= {"match": result, "chosen": _chosen(bound, result), "city": city or city_text, "work": work}
        if city is None and city_text:
            context["meant"] = find_cities(city_text, limit=3)
        center = context["chosen"]
    context["missing"] = _missing(bound, kind, ws, facts, center)
    return context


def facts_at_stage_5(ws: Workspace) -> ApplianceFacts:
    """For a form that does not ask for the appliance: what stage 5 said of it."""
    draft = ws.drafts.get(Draft.Form.DIAGNOSIS)
    form = ApplianceForm(draft.data if draft else {})
    form.is_valid()
    return _settled(form.facts())


def _settled(facts: ApplianceFacts) -> ApplianceFacts:
    model = facts.product_model
    return replace(facts, brand=model.brand, category=model.category) if model else facts


def _work(form: Any, kind: str, warranty: Any) -> WorkKind:
    if kind == "contacts":
        return WorkKind.PAID_REPAIR
    verdict = warranty.verdict if warranty else ""
    return work_of(form.kind, is_paid=bool(form.cleaned_data.get("is_paid")), verdict=verdict)


def _match(city: City | None, city_text: str, facts: ApplianceFacts, work: WorkKind) -> matching.MatchResult | None:
    """None before the city is said: every centre of the country is no help."""
    if city is None and not city_text:
        return None
    facts = _settled(facts)
    return matching.match(city, facts.brand, facts.category, work, timezone.now())


def _chosen(form: Any, result: matching.MatchResult | None) -> int | None:
    """The centre that stands chosen: the picked one while it is offered, else the first; none, if there is a reason.

    Where nobody knows how far they are none is the first: an Enter must not send a client across the country.
    """
    if result is None or form.cleaned_data.get("no_center_reason"):
        return None
    picked = form.cleaned_data.get("service_center")
    offered = [candidate.center.pk for candidate in result.candidates]
    if picked is not None and picked.pk in offered:
        return picked.pk
    return offered[0] if offered and result.is_placed else None


def _missing(form: Any, kind: str, ws: Workspace, facts: ApplianceFacts, center: int | None) -> list[MissingItem]:
    data = form.cleaned_data
    if kind not in REQUESTS:
        return missing_items(
            KINDS[kind].appeal,
            description=data.get("description") or "",
            topic=data.get("topic"),
            service_center=center,
            gives_contacts=kind == "contacts",
        )
    city, city_text = form.city_and_text()
    return missing_items(
        KINDS[kind].appeal,
        client=ws.call.client_id,
        account=ws.call.account_id,
        full_name=data.get("full_name") or "",
        city=city,
        city_text=city_text,
        description=data.get("description") or "",
        facts=facts,
        service_center=center,
        no_center_reason=data.get("no_center_reason") or "",
        no_center_note=data.get("no_center_note") or "",
    )


def warranty_of(form: ApplianceForm) -> Warranty | None:
    """The verdict on what stands in the form now; None where nothing of it was said yet."""
    bound = form if form.is_bound else type(form)(typed_of(form), **_options(form))
    bound.is_valid()
    facts = bound.facts()
    if not (facts.model_text or facts.brand or facts.purchase_date):
        return None
    return judge_warranty(facts)


def _options(form: Any) -> dict[str, Any]:
    return {"kind": form.kind} if hasattr(form, "kind") else {}


# --- Forms and what stands in them ----------------------------------------------------------------
def typed_of(form: Any) -> dict[str, Any]:
    """What an unbound form shows, as if it had been sent."""
    data: dict[str, Any] = {}
    for field in form:
        value = field.field.prepare_value(field.value()) if field.value() is not None else ""
        if isinstance(value, tuple):
            data[f"{field.name}_id"], data[field.name] = value
        elif value is not False:
            data[field.name] = getattr(value, "pk", value)
    return data


def facts_of_appliance(appliance: Appliance) -> dict[str, str]:
    """An appliance of the account as it stands in the form."""
    return {
        "appliance": str(appliance.pk),
        "model_text": appliance.model_text,
        "model_text_id": str(appliance.product_model_id or ""),
        "model_source": FactSource.CLIENT,
        "brand": str(appliance.brand_id or ""),
        "category": str(appliance.category_id or ""),
        "serial_number": appliance.serial_number,
        "purchase_date": f"{appliance.purchase_date:%d.%m.%Y}" if appliance.purchase_date else "",
        "purchase_date_source": appliance.purchase_date_source if appliance.purchase_date else DateSource.CLIENT,
        "store": appliance.store,
        "store_source": FactSource.CLIENT,
    }
