"""Stage 10: the contact itself is registered, and the call is closed."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from calls.actions import close_call, note_reference, save_wrap_up, settle_drafts
from calls.forms import ReferenceForm, WrapUpForm
from calls.models import Draft, StageCode
from calls.views.base import CallView
from calls.views.drafts import initial_of
from calls.views.fields import focus_on, number_of
from calls.workspace import Workspace
from hotline.base.errors import HotlineError, NotFound, Refused
from hotline.base.forms import add_error_to
from tickets import actions as tickets


def panel(
    ws: Workspace,
    request: HttpRequest,
    form: WrapUpForm | None = None,
    reference: ReferenceForm | None = None,
    refused: bool = False,
    **state: Any,
) -> dict[str, Any]:
    """`refused`: the call was to be closed and is not complete: the list is the answer, so it is loud."""
    call = ws.call
    draft = ws.drafts.get(Draft.Form.WRAP_UP)
    if form is None:
        known = {"topic": call.topic_id, "result": call.result_id, "note": call.note}
        form = WrapUpForm(call=call, initial={**known, **_typed(initial_of(draft, {}), known)})
    lacking = {item.code for item in ws.missing}
    return {
        "form": form,
        "focused": focus_on(form, *(name for name in ("topic", "result") if name in lacking)),
        "draft": draft,
        "reference": reference or ReferenceForm(),
        "references": list(call.references.all()),
        "refused": refused,
        "requests_left": [
            each for code, each in ws.drafts.items() if code in (Draft.Form.REPAIR, Draft.Form.INSTALLATION)
        ],
        "journal": list(call.journal.select_related("actor")[:20]) if not call.is_open else [],
    }


def _typed(typed: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """An empty choice in an old draft is no word against what the registration has set since."""
    return {name: value for name, value in typed.items() if value or not known.get(name)}


class WrapUp(CallView):
    """Keep topic, result and note, and close the call, or say all that is still missing (R1). `keep`: only keep."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        call = self.call()
        form = WrapUpForm(request.POST, call=call)
        if not form.is_valid():
            return self.stage(StageCode.WRAP_UP, status=422, form=form)
        fields = {
            "topic": form.cleaned_data["topic"],
            "result": form.cleaned_data["result"],
            "note": form.cleaned_data["note"],
        }
        save_wrap_up(call_id=pk, actor=self.user, **fields)
        if "keep" in request.POST:
            return self.stage(StageCode.WRAP_UP)
        try:
            with transaction.atomic():
                close_call(call_id=pk, actor=self.user)
                settle_drafts(call_id=pk, actor=self.user)
        except Refused:
            return self.stage(StageCode.WRAP_UP, status=409, refused=True)
        return self.stage(StageCode.WRAP_UP, toast=_("The call is closed."))


class Reference(CallView):
    """The number that the call, or an appeal of it (`appeal`), got in GSIS or Naumen; also after closing."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = ReferenceForm(request.POST)
        stage = StageCode.REGISTRATION if request.POST.get("stage") == StageCode.REGISTRATION else StageCode.WRAP_UP
        if form.is_valid():
            try:
                self._note(number_of(request.POST.get("appeal")), form.cleaned_data)
            except HotlineError as error:
                add_error_to(form, error)
            else:
                return self.stage(stage)
        return self.stage(stage, status=422, reference=form)

    def _note(self, number: int, data: dict[str, Any]) -> None:
        if not number:
            note_reference(call_id=self.pk, actor=self.user, **data)
            return
        link = self.call().appeals.filter(appeal__number=number).first()
        if link is None:
            raise NotFound("no_appeal", _("There is no such appeal in this call."))
        tickets.note_reference(appeal_id=link.appeal_id, actor=self.user, **data)
