"""Stage 5: consulting and diagnosing; objections at any moment."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from calls.actions import complete_stage, save_draft
from calls.forms import DiagnosisForm
from calls.matter import FROM_WORDS, SHARED, facts_of_appliance, warranty_of
from calls.models import Call, Draft, StageCode
from calls.views.base import CallView
from calls.views.drafts import initial_of
from calls.views.fields import focus_on, number_of
from calls.workspace import Workspace
from hotline.base.errors import Conflict, NotFound
from tickets.models import Appliance


def panel(
    ws: Workspace, request: HttpRequest, form: DiagnosisForm | None = None, focus: str = "", **state: Any
) -> dict[str, Any]:
    draft = ws.drafts.get(Draft.Form.DIAGNOSIS)
    if form is None:
        form = DiagnosisForm(initial=initial_of(draft, FROM_WORDS))
    appliances = appliances_of(ws.call)
    typed = focus or ("description" if _is_begun(draft) else "" if appliances else "model_text")
    focused = focus_on(form, typed) if typed else False
    return {
        "form": form,
        "draft": draft,
        "appliances": appliances,
        "chosen": number_of(form["appliance"].value()),
        "warranty": warranty_of(form),
        "focused": focused,
    }


def _is_begun(draft: Draft | None) -> bool:
    """Was anything said already? Where the facts come from stands in every draft, said or not."""
    return draft is not None and any(draft.data.get(name) for name in SHARED if not name.endswith("_source"))


def appliances_of(call: Call) -> list[Appliance]:
    """What stands on the call's account; of the whole card where no account is open."""
    rows = Appliance.objects.for_list()
    if call.account_id is not None:
        return list(rows.filter(account=call.account_id)[:20])
    return list(rows.filter(account__client=call.client_id)[:20]) if call.client_id else []


class ChooseAppliance(CallView):
    """This appliance of the account it is about: its facts fill the form. None: another one, the form is emptied."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        ws = self.workspace(StageCode.DIAGNOSIS)
        draft = ws.drafts.get(Draft.Form.DIAGNOSIS)
        typed = dict(draft.data) if draft else {}
        typed |= {name: request.POST[name] for name in ("description", "outcome") if name in request.POST}
        chosen = number_of(request.POST.get("choose"))
        if chosen:
            appliance = next((each for each in appliances_of(ws.call) if each.pk == chosen), None)
            if appliance is None:
                raise NotFound("no_appliance", _("There is no such appliance on this account."))
            typed |= facts_of_appliance(appliance)
        else:
            typed = {name: value for name, value in typed.items() if name in ("description", "outcome")} | FROM_WORDS
        save_draft(
            call_id=pk,
            form=Draft.Form.DIAGNOSIS,
            data=typed,
            version=draft.version if draft else 0,
            actor=self.user,
        )
        return self.stage(StageCode.DIAGNOSIS, focus="description" if chosen else "model_text")


class Diagnosed(CallView):
    """The diagnosis is done; the key pressed says what it led to: `kind` of stage 6."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        ws = self.workspace(StageCode.DIAGNOSIS)
        draft = ws.drafts.get(Draft.Form.DIAGNOSIS)
        typed = {name: value for name, value in request.POST.items() if name in SHARED}
        # The last words may have come with the key, before a pause let the draft save itself. Where another window is
        # typing too, its text is the newer one, and stays.
        with suppress(Conflict):
            save_draft(
                call_id=pk,
                form=Draft.Form.DIAGNOSIS,
                data=typed,
                version=draft.version if draft else 0,
                actor=self.user,
            )
        complete_stage(call_id=pk, stage=StageCode.DIAGNOSIS, actor=self.user, data=ws.evidence())
        return self.stage(StageCode.REGISTRATION, kind=request.POST.get("kind", ""))


class Objections(CallView):
    """The answers to objections, one key away at any moment; nothing of the page is touched."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        ws = self.workspace()
        return render(request, "calls/_objections.html", {"ws": ws, "call": ws.call})
