"""The supervisors' page of SMS: how the outbox and its gateways are, and what only a person can decide.

It stands here and not in `sms`, which knows no appeals: what an uncertain message was about is half of the decision.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import uuid4

from django.contrib import messages
from django.db.models import Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import View

from hotline.base.api import KeysetPagination
from hotline.base.errors import HotlineError
from hotline.base.htmx import is_partial
from hotline.operators.access import SUPERVISORS, RoleRequired
from hotline.operators.models import Role, User
from sms import overview
from sms.actions import confirm_arrival, is_held, release_outbox
from sms.gateways import routing
from sms.models import OutboxHome, SmsMessage
from tickets import actions
from tickets.models import AppealMessage
from tickets.views.base import answer, staff, tell, uuid_of
from tickets.views.clients import page_of

# Of what a held outbox would send: so many are shown, the rest is counted.
HELD_SHOWN = 10


class OldestFirst(KeysetPagination):
    """Uncertain messages, the oldest first; the index `sms_message_uncertain` has the same order."""

    ordering = ("state_changed_at", "pk")
    page_size = 20


class SmsView(RoleRequired, View):
    """The whole page; htmx gets the list of uncertain messages alone."""

    roles: ClassVar[frozenset[Role]] = SUPERVISORS

    def get(self, request: HttpRequest) -> HttpResponse:
        context = page_of(OldestFirst(), SmsMessage.objects.uncertain().for_detail(), request, "uncertain")
        context["rows"] = rows_of(context["uncertain"])
        if not is_partial(request):
            context |= overview_context() | {"limits": overview.limits()}
        return answer(request, page="tickets/sms.html", fragment="tickets/_uncertain.html", context=context)


class OverviewView(RoleRequired, View):
    """The upper half alone: fetched anew when messages move."""

    roles: ClassVar[frozenset[Role]] = SUPERVISORS

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "tickets/_sms_overview.html", overview_context())


class ReleaseView(RoleRequired, View):
    """A restored copy may send: somebody has looked at what waits in it."""

    roles: ClassVar[frozenset[Role]] = SUPERVISORS

    def post(self, request: HttpRequest) -> HttpResponse:
        release_outbox(actor=staff(request))
        if not is_partial(request):
            return redirect("tickets:sms")
        response = render(request, "tickets/_sms_overview.html", overview_context())
        return tell(response, _("The outbox sends again."))


class UncertainView(RoleRequired, View):
    """One uncertain message: how it stands now, and the decision about it, `do` = `arrived` or `resend`.

    Of two supervisors the second sees what the first has decided; nothing happens twice.
    """

    roles: ClassVar[frozenset[Role]] = SUPERVISORS

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._row(request, pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        actor = staff(request)
        try:
            if request.POST.get("do") == "resend":
                actions.resend(message_id=pk, action_id=uuid_of(request.POST.get("action_id")), actor=actor)
                said = _("Sent anew: the new message names the old one.")
            else:
                confirm_arrival(pk=pk, actor=actor)
                said = _("Noted: the client has got it.")
        except HotlineError as error:
            if is_partial(request):
                return self._row(request, pk, status=error.status, problem=str(error))
            messages.warning(request, str(error))
            return redirect("tickets:sms")
        if not is_partial(request):
            return redirect("tickets:sms")
        return tell(self._row(request, pk), said)

    def _row(self, request: HttpRequest, pk: int, *, status: int = 200, problem: str = "") -> HttpResponse:
        message = get_object_or_404(SmsMessage.objects.for_detail(), pk=pk)
        context: dict[str, Any] = {"row": rows_of([message])[0], "problem": problem}
        return render(request, "tickets/_uncertain_row.html", context, status=status)


def overview_context() -> dict[str, Any]:
    """Held or not, the gateways, how many only a person can decide. Some ten queries, whatever waits."""
    waiting = SmsMessage.objects.filter(state=SmsMessage.State.QUEUED)
    held = is_held()
    context: dict[str, Any] = {
        "held": held,
        "is_on": routing.is_on(),
        "gateways": overview.gateways(),
        "senders": [(name, routing.order_of(name)) for name in routing.senders()],
        "uncertain_count": SmsMessage.objects.uncertain().count(),
        "oldest_uncertain": SmsMessage.objects.uncertain().aggregate(at=Min("state_changed_at"))["at"],
    }
    if held:
        context |= {
            "home": OutboxHome.objects.first(),
            "held_count": waiting.count(),
            "held_messages": list(waiting.for_list().order_by("created_at", "pk")[:HELD_SHOWN]),
        }
    return context


def _seconds_until(check_after: datetime | None) -> int | None:
    """When a row is worth another look: shortly after the gateway was asked, at most every 20 seconds."""
    if check_after is None:
        return None
    return max(20, int((check_after - timezone.now()).total_seconds()) + 5)


def rows_of(shown: list[SmsMessage]) -> list[dict[str, Any]]:
    """Each message with its appeal, its successor, who confirmed it, and an id for one act. Three queries."""
    links = {
        link.message_id: link
        for link in AppealMessage.objects.filter(message__in=shown).select_related("appeal__client")
    }
    successors = {
        new.resend_of_id: new for new in SmsMessage.objects.filter(resend_of__in=shown).select_related("requested_by")
    }
    confirmed = {message.confirmed_by_id for message in shown} - {None}
    people = User.objects.in_bulk(confirmed) if confirmed else {}
    return [
        {
            "message": message,
            "link": links.get(message.pk),
            "successor": successors.get(message.pk),
            "confirmed_by": people.get(message.confirmed_by_id),
            "is_open": message.state == SmsMessage.State.UNKNOWN and message.pk not in successors,
            "ask_anew": _seconds_until(message.check_after),
            "action_id": uuid4(),
        }
        for message in shown
    ]
