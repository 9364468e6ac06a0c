"""Stage 6: the appeal is registered, with every item that the regulation names, and the service centre chosen."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from calls.actions import give_contacts_in_call, register_draft, register_in_call, submit_draft
from calls.forms import ApplianceForm, ReferenceForm
from calls.matter import KINDS, REQUESTS, facts_at_stage_5, form_of, judged, known_to, warranty_of
from calls.models import CallAppeal, Draft, StageCode
from calls.views.base import CallView
from calls.views.drafts import initial_of
from calls.views.fields import focus_on
from calls.workspace import Workspace
from hotline.base.errors import HotlineError, Invalid, Refused
from hotline.base.forms import add_error_to
from tickets.models import Appeal


def panel(ws: Workspace, request: HttpRequest, kind: str = "", form: Any = None, **state: Any) -> dict[str, Any]:
    """The form of one kind, filled with what is known; what is registered already stands above it.

    Where something is registered and nothing is being typed, a form opens only when its key is pressed.
    """
    registered = [link.appeal for link in ws.appeals if link.relation == CallAppeal.Relation.REGISTERED]
    kind = kind or request.GET.get("kind", "")
    if kind not in KINDS:
        kind = _likely_kind(ws, bool(registered))
    context: dict[str, Any] = {
        "kinds": KINDS.values(),
        "kind": KINDS.get(kind),
        "registered": registered,
        "shared": ws.call.registered_appeal if ws.call.registered_appeal not in registered else None,
        "reference": ReferenceForm(),
    }
    if not kind:
        return context
    draft = ws.drafts.get(KINDS[kind].draft)
    if form is None:
        form = form_of(kind, None, initial=initial_of(draft, known_to(ws, kind)))
    context |= {"form": form, "draft": draft, **judged(form, kind, ws)}
    focused = focus_on(form, missing=context["missing"], instead=_instead_of_center(context))
    return {**context, "focused": bool(focused), "focus_center": focused == "service_center" and _first_center(context)}


def _first_center(context: dict[str, Any]) -> int | None:
    """The centre whose radio button gets the focus where one is to be chosen: the chosen one, else the first."""
    match = context.get("match")
    offered = [candidate.center.pk for candidate in match.candidates] if match else []
    return context.get("chosen") or next(iter(offered), None)


def _instead_of_center(context: dict[str, Any]) -> dict[str, str]:
    """Where no centre is offered there is none to be chosen: the city is what is wanted, or the reason why none."""
    if _first_center(context):
        return {}
    has_reason = "no_center_reason" in context["form"].fields
    return {"service_center": "no_center_reason" if has_reason and context.get("match") is not None else "city"}


def _likely_kind(ws: Workspace, registered: bool) -> str:
    """What was begun, else a request for who has a card, a consultation for who has none; nothing after the first."""
    begun = [code for code, kind in KINDS.items() if kind.draft in ws.drafts]
    if begun:
        # Three kinds are typed into one form: its own word goes first.
        said = ws.drafts[KINDS[begun[0]].draft].data.get("kind")
        return said if said in begun else begun[0]
    if registered or ws.facts.has_appeal:
        return ""
    return "repair" if ws.call.client_id else "consultation"


class Check(CallView):
    """At each pause in typing: what is missing, the warranty, the centres; out of band, the fields stay untouched."""

    def post(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        ws = self.workspace(StageCode.REGISTRATION if kind in KINDS else StageCode.DIAGNOSIS)
        form: Any
        if kind in KINDS:
            form = form_of(kind, request.POST)
            context = {"kind": KINDS[kind], **judged(form, kind, ws)}
        elif kind == "diagnosis":
            form = ApplianceForm(request.POST)
            context = {"warranty": warranty_of(form)}
        else:
            raise Invalid("kind", _("There is no such form."))
        return render(request, "calls/_judged.html", {"ws": ws, "call": ws.call, "form": form, "oob": True, **context})


class Register(CallView):
    """GET: the form of a kind. POST: register it; R2 names what is missing beside the field."""

    def get(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        _known(kind)
        return self.stage(StageCode.REGISTRATION, kind=kind)

    def post(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        _known(kind)
        form = form_of(kind, request.POST)
        if form.is_valid():
            try:
                with transaction.atomic():
                    appeal = self._register(form, kind) if self.call().is_open else self._finish(form, kind)
                    submit_draft(
                        call_id=pk, form=KINDS[kind].draft, action_id=form.action(), actor=self.user, appeal=appeal
                    )
                    self._settle_diagnosis(appeal)
            except HotlineError as error:
                add_error_to(form, error)
            else:
                message = _("Registered: №%(number)s.") % {"number": appeal.number}
                return self.stage(self._after(appeal), toast=message)
        else:
            self._say_the_rest(form, kind)
        return self.stage(StageCode.REGISTRATION, status=422, kind=kind, form=form)

    def _say_the_rest(self, form: Any, kind: str) -> None:
        """A date that can't be read is no reason to hear of the empty fields only at the next try."""
        for item in judged(form, kind, self.workspace(StageCode.REGISTRATION))["missing"]:
            if item.field in form.fields and item.field not in form.errors:
                form.add_error(item.field, ValidationError(item.wanted, code=item.code))

    def _register(self, form: Any, kind: str) -> Appeal:
        data = form.cleaned_data
        if kind in REQUESTS:
            return register_in_call(call_id=self.pk, actor=self.user, **form.arguments())
        fields = {
            "action_id": form.action(),
            "description": data["description"],
            "outcome": data["outcome"],
            "facts": facts_at_stage_5(self.workspace()),
            **({"topic": data["topic"]} if data["topic"] else {}),
        }
        if kind == "contacts":
            if data["service_center"] is None:
                raise Invalid("center_missing", _("Choose the service centre."), field="service_center")
            city, city_text = form.city_and_text()
            return give_contacts_in_call(
                call_id=self.pk,
                service_center=data["service_center"],
                actor=self.user,
                city=city,
                city_text=city_text,
                **fields,
            )
        return register_in_call(call_id=self.pk, kind=KINDS[kind].appeal, close=True, actor=self.user, **fields)

    def _finish(self, form: Any, kind: str) -> Appeal:
        """After the call: what the client broke off is finished by whoever has the draft (R2)."""
        draft = Draft.objects.open().visible_to(self.user).filter(call=self.pk, form=KINDS[kind].draft).first()
        if draft is None or kind not in REQUESTS:
            raise Refused("closed", _("The call is closed. Reopen it to go on."))
        return register_draft(draft_id=draft.pk, actor=self.user, **form.arguments())

    def _settle_diagnosis(self, appeal: Appeal) -> None:
        """What stage 5 noted has become the appeal."""
        draft = Draft.objects.open().filter(call=self.pk, form=Draft.Form.DIAGNOSIS).first()
        if draft is not None:
            submit_draft(call_id=self.pk, form=draft.form, action_id=draft.action_id, actor=self.user, appeal=appeal)

    def _after(self, appeal: Appeal) -> str:
        if not self.call().is_open:
            return StageCode.WRAP_UP
        return StageCode.SMS if appeal.is_request or appeal.referred_to_id else StageCode.SUMMARY


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise Invalid("kind", _("There is no such kind of appeal."))
