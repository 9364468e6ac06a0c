"""Corrections: an appeal of the call on the wrong card, or the wrong one for R1."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from calls.actions import adopt_appeals, move_appeal_in_call, replace_registered_appeal, unlink_appeal
from calls.forms import CorrectionForm
from calls.models import StageCode
from calls.views.base import CallView
from calls.workspace import Workspace
from hotline.base.errors import Invalid, NotFound
from tickets.fields import client_choice
from tickets.models import Appeal


class CorrectAppeal(CallView):
    """An appeal of the call on the wrong card, or the wrong one for R1: `act` move, main, unlink; journalled."""

    def get(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        ws = self.workspace(StageCode.WRAP_UP)
        return self._dialog(ws, _of_call(ws, number), CorrectionForm(initial=_account_of(ws)))

    def post(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        ws = self.workspace(StageCode.WRAP_UP)
        appeal = _of_call(ws, number)
        act = request.POST.get("act", "")
        form = CorrectionForm(request.POST)
        if act == "move":
            if not form.is_valid():
                return self._dialog(ws, appeal, form, status=422)
            account = form.cleaned_data["account"]
            move_appeal_in_call(
                call_id=pk,
                appeal=appeal,
                client=account.client if account else None,
                account=account,
                reason=form.cleaned_data["reason"],
                actor=self.user,
            )
        elif act == "main":
            replace_registered_appeal(call_id=pk, appeal=appeal, actor=self.user)
        elif act == "unlink":
            unlink_appeal(call_id=pk, appeal=appeal, actor=self.user)
        else:
            raise Invalid("act", _("There is no such correction."))
        return self.stage(StageCode.WRAP_UP, toast=_("Corrected, and noted in the journal."))

    def _dialog(self, ws: Workspace, appeal: Appeal, form: CorrectionForm, status: int = 200) -> HttpResponse:
        context = {"ws": ws, "call": ws.call, "appeal": appeal, "form": form}
        response = render(self.request, "calls/_correct_dialog.html", context, status=status)
        response["HX-Retarget"], response["HX-Reswap"] = "#dialog", "innerHTML"
        return response


class Adopt(CallView):
    """What was registered before the card was open goes to it: one key; the stage that is shown stays."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        moved = adopt_appeals(call_id=pk, actor=self.user)
        numbers = ", ".join(f"№{appeal.number}" for appeal in moved)
        toast = _("Put on the card: %(numbers)s.") % {"numbers": numbers} if moved else ""
        return self.stage(request.POST.get("stage", ""), toast=toast)


def _account_of(ws: Workspace) -> dict[str, Any]:
    """The account of the client on the line: where the appeal most probably belongs."""
    if ws.call.account is None or ws.call.client is None:
        return {}
    return {"account": (ws.call.account.pk, client_choice(ws.call.client))}


def _of_call(ws: Workspace, number: int) -> Appeal:
    appeal = next((link.appeal for link in ws.appeals if link.appeal.number == number), None)
    if appeal is None:
        raise NotFound("no_appeal", _("There is no such appeal in this call."))
    return appeal
