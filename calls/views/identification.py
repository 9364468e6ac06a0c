"""Stages 1 and 2: the greeting, and who is calling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from calls.actions import choose_client, complete_stage, open_stage, register_preset
from calls.models import StageCode
from calls.views.base import CallView
from calls.views.fields import uuid_of
from calls.workspace import Workspace
from hotline.base.errors import NotFound
from tickets.models import Appeal, Client
from tickets.search import find_by_phone, find_clients


@dataclass(frozen=True, slots=True)
class Found:
    """A card in the chooser, with what tells it from its namesakes."""

    client: Client
    open_appeals: int


def greeting_panel(ws: Workspace, request: HttpRequest, **state: Any) -> dict[str, Any]:
    """Who it probably is stands there before the first word is said."""
    return {"found": _found([ws.client]) if ws.client is not None else _by_number(ws)}


def panel(ws: Workspace, request: HttpRequest, query: str = "", **state: Any) -> dict[str, Any]:
    found = _found(find_clients(query, ws.user)) if query else _by_number(ws)
    return {"found": found, "query": query, "preset_action": uuid4()}


def _by_number(ws: Workspace) -> list[Found]:
    """Of a family that shares the number, whoever waits for something is the likeliest to call."""
    return sorted(_found(find_by_phone(ws.call.number, ws.user)), key=lambda found: -found.open_appeals)


def _found(clients: list[Client]) -> list[Found]:
    rows = Appeal.objects.open().filter(client__in=clients).order_by().values_list("client")
    counts = dict(rows.annotate(number=Count("pk")))
    return [Found(client, counts.get(client.pk, 0)) for client in clients]


class Search(CallView):
    """`q`: cards by a number or a part of it, a name with a typo, an appeal, a serial number. The list alone.

    By POST: what people are called does not belong into an address, and so into logs.
    """

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        ws = self.workspace(StageCode.IDENTIFICATION)
        query = request.POST.get("q", "").replace("\x00", "").strip()[:200]
        if query and ws.call.is_open and ws.facts.in_greeting:
            # Whoever looks for a card is at work in stage 2: it is a dialog.
            open_stage(call_id=pk, stage=StageCode.IDENTIFICATION, actor=self.user)
        context = {"ws": ws, "call": ws.call, **panel(ws, request, query=query)}
        return render(request, "calls/_found.html", context)


class Choose(CallView):
    """This card it is; `caller_name` says who is calling where it is not its owner. No card: go on without one."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        chosen = request.POST.get("client", "")
        caller_name = request.POST.get("caller_name")
        client = None
        if chosen:
            client = Client.objects.visible_to(self.user).filter(pk=chosen).first() if chosen.isdecimal() else None
            if client is None:
                raise NotFound("no_client", _("There is no such card."))
        call = self.call()
        linked = call.appeals.filter(relation="registered", appeal__client=call.client_id).select_related("appeal")
        if client is not None and call.client_id not in (None, client.pk) and "move" not in request.POST and linked:
            # Appeals were registered on the other card in this call: whose they are, only the operator knows.
            context = {"call": call, "client": client, "caller_name": caller_name or "", "links": linked}
            response = render(request, "calls/_move_dialog.html", context)
            response["HX-Retarget"], response["HX-Reswap"] = "#dialog", "innerHTML"
            return response
        choose_client(
            call_id=pk,
            client=client,
            caller_name=caller_name,
            move_appeals=request.POST.get("move") == "yes",
            actor=self.user,
        )
        if client is None:
            complete_stage(call_id=pk, stage=StageCode.IDENTIFICATION, actor=self.user, data={"without_card": True})
            return self.stage(StageCode.DIAGNOSIS)
        several = client.accounts.count() > 1
        return self.stage(StageCode.CARD if several else StageCode.HISTORY)


class Preset(CallView):
    """A wrong number, silence, a job seeker, another atypical question: registered in one key (R1)."""

    def post(self, request: HttpRequest, pk: int, preset: str) -> HttpResponse:
        appeal = register_preset(
            call_id=pk, preset=preset, action_id=uuid_of(request.POST.get("action_id")), actor=self.user
        )
        message = _("Registered: №%(number)s.") % {"number": appeal.number}
        talking = self.call().line_state == "talking"
        return self.stage(StageCode.FAREWELL if talking else StageCode.WRAP_UP, toast=message)
