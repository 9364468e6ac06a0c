"""Stage 4: previous appeals, condensed and whole; «консультация по обращению №…» in one key."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from calls.actions import consult_on
from calls.models import CallAppeal, StageCode
from calls.views.base import CallView
from calls.views.fields import uuid_of
from calls.workspace import Workspace
from hotline.base.errors import NotFound
from hotline.operators.models import User
from tickets.history import history
from tickets.journal import worded
from tickets.models import Appeal, AppealMessage, Assignment, Comment, Document, Reminder
from tickets.warranty import words

# More than anybody reads with a client on the line; the whole is on the client's card.
SHOWN = 30


def panel(ws: Workspace, request: HttpRequest, opened: Appeal | None = None, **state: Any) -> dict[str, Any]:
    """The client's appeals, newest first; `opened` is shown whole."""
    if ws.call.client is None:
        return {"appeals": [], "opened": None}
    appeals = history(ws.call.client, limit=SHOWN + 1)
    consulted = {link.appeal_id for link in ws.appeals}
    registered = [link.appeal for link in ws.appeals if link.relation == CallAppeal.Relation.REGISTERED]
    consulted |= {appeal.parent_id for appeal in registered if appeal.parent_id}
    first = next((appeal for appeal in appeals if appeal.is_open), appeals[0] if appeals else None)
    return {
        "appeals": appeals[:SHOWN],
        "first": first,
        "more": len(appeals) > SHOWN,
        "opened": opened,
        "details": details(opened, ws.user) if opened else None,
        "consulted": consulted,
        "action_id": uuid4(),
    }


def details(appeal: Appeal, user: User) -> dict[str, Any]:
    """Everything on one appeal that may be asked about with the client on the line."""
    return {
        "warranty": words(
            appeal.verdict_reason, appeal.warranty_until, appeal.purchase_date, appeal.purchase_date_source
        ),
        "assignments": list(
            Assignment.objects.filter(appeal=appeal).select_related("service_center__city").order_by("-assigned_at")
        ),
        "comments": list(Comment.objects.for_list().filter(appeal=appeal)[:20]),
        "documents": list(Document.objects.for_list().filter(appeal=appeal)),
        "reminders": list(Reminder.objects.for_list().filter(appeal=appeal, done_at__isnull=True)),
        "messages": list(AppealMessage.objects.for_list().filter(appeal=appeal)[:10]),
        "journal": worded(list(appeal.journal.for_list()[:15])),
    }


class AppealWhole(CallView):
    """One appeal whole, below its row."""

    def get(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        ws = self.workspace(StageCode.HISTORY)
        appeal = _appeal(number, self.user)
        context = {
            "ws": ws,
            "call": ws.call,
            "appeal": appeal,
            "details": details(appeal, self.user),
            "action_id": uuid4(),
        }
        return render(request, "calls/_appeal.html", context)


class Consult(CallView):
    """«Где мой мастер?»: a consultation on an earlier appeal, registered in one key; the row stays in view."""

    def post(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        appeal = _appeal(number, self.user)
        consultation = consult_on(
            call_id=pk, appeal=appeal, action_id=uuid_of(request.POST.get("action_id")), actor=self.user
        )
        message = _("Consultation №%(number)s on №%(on)s is registered.")
        return self.stage(
            StageCode.HISTORY, opened=appeal, toast=message % {"number": consultation.number, "on": appeal.number}
        )


def _appeal(number: int, user: User) -> Appeal:
    appeal = Appeal.objects.visible_to(user).for_detail().filter(number=number).first()
    if appeal is None:
        raise NotFound("no_appeal", _("There is no such appeal."))
    return appeal
