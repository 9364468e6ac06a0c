"""The page of a call, the parts of it that are fetched alone, and the acts of a stage."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from calls.actions import complete_stage, open_stage, skip_stage
from calls.models import Call, StageCode
from calls.views.base import CallView
from calls.views.panels import context_of
from calls.workspace import Workspace
from hotline.base.errors import Invalid


class CallPage(CallView):
    """`?stage=`: the workspace with that stage in the middle; a reload comes back to the same place.

    To htmx from another page of ours (a ring answered, a call back begun) the workspace alone, without the house.
    """

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        ws = self.workspace(request.GET.get("stage", ""))
        inside = request.htmx and request.htmx.target == "main"  # type: ignore[attr-defined]
        template = "calls/_call.html" if inside else "calls/call.html"
        response = render(request, template, context_of(ws, request))
        if inside:
            # The bar at the bottom has led here, perhaps: from this page it leads nowhere.
            response["HX-Trigger-After-Settle"] = "call-opened"
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        return response


class Strip(CallView):
    """What live updates fetch: the strip, and what the line waits for. The stage in the middle is the page's affair.

    But where it offers what can't be done any more, as the page says of it (`stage`, `line`, `open`): the greeting that
    was made while it rang and has something to say now, and an open call that has closed by itself. Nothing is typed in
    these. What is there now comes along, and not by a request of its own: two answers could overtake each other, and
    the older strip would stay.
    """

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        call = self.call()
        ws = Workspace(call, self.user, self._anew(call))
        if not ws.wanted:
            context: dict[str, Any] = {"ws": ws, "call": ws.call}
            shown = request.GET.get("stage", "")
            if shown in StageCode.values and request.GET.get("line") != call.line_state:
                # Nobody asks a client who is gone for a rating: phrases follow the line; what is typed stays untouched.
                context |= {"ws": Workspace(call, self.user, shown), "said_anew": True}
            return render(request, "calls/_line.html", context)
        return render(request, "calls/_line.html", {**context_of(ws, request), "whole": True})

    def _anew(self, call: Call) -> str:
        """The stage that the page is to show from now on; "" where it stays as it is."""
        shown = self.request.GET
        if "open" in shown and not call.is_open:
            return StageCode.WRAP_UP
        waited = shown.get("stage") == StageCode.GREETING and shown.get("line") == Call.LineState.RINGING
        return StageCode.GREETING if waited and call.line_state != Call.LineState.RINGING else ""


class MissingToClose(CallView):
    """What keeps the call from closing, alone: the wrap-up that is being typed stays as it is."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        ws = self.workspace()
        return render(request, "calls/_missing.html", {"ws": ws, "call": ws.call})


class ClientColumn(CallView):
    """The right column alone: the card was changed, by a colleague perhaps."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        ws = self.workspace()
        return render(request, "calls/_client.html", {"ws": ws, "call": ws.call})


class StageWork(CallView):
    """The work of one stage, fetched to look; POST: turn to it, or say that it is done or left out."""

    def get(self, request: HttpRequest, pk: int, stage: str) -> HttpResponse:
        return self.stage(_known(stage))

    def post(self, request: HttpRequest, pk: int, stage: str) -> HttpResponse:
        ws = self.workspace(_known(stage))
        if not ws.call.is_open:  # a closed call is looked through, its evidence does not change
            return self.stage(stage)
        act = request.POST.get("act", "open")
        arguments: dict[str, Any] = {
            "call_id": pk,
            "stage": stage,
            "actor": self.user,
            "data": ws.evidence(),
        }
        if act == "done":
            complete_stage(**arguments)
            return self.stage(request.POST.get("next", "") or ws.next_stage)
        if act == "skip":
            skip_stage(**arguments)
            return self.stage(ws.next_stage)
        open_stage(**arguments)
        return self.stage(stage)


def _known(stage: str) -> str:
    if stage not in StageCode.values:
        raise Invalid("stage", _("There is no such stage."))
    return stage
