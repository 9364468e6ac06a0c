"""The simulated exchange of the demo: in the demo the panel is the telephone. There is none outside demo mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views import View

from calls.models import Call, CallEvent
from calls.telephony import simulated
from calls.views.base import with_toast
from hotline.base.errors import HotlineError
from hotline.base.phones import format_phone
from hotline.operators.access import STAFF, RoleRequired
from hotline.operators.models import Role, User
from tickets.models import Client, ClientPhone

# Numbers that nobody has: a caller who is new, and one from Kazakhstan.
NEW_NUMBER = "+79990000771"
KAZAKH_NUMBER = "+77010000771"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who may call in the demo."""

    number: str
    label: str


def callers() -> list[Caller]:
    """A few of the demo's clients, and the callers that make a difference. Causes three SQL queries."""
    # The demo's own clients came first; a bench adds a hundred thousand that are not looked through.
    phones = ClientPhone.objects.filter(client__in=Client.objects.order_by("pk").values("pk")[:400])
    mobiles = phones.filter(region="RU", line_type="mobile", position=0).select_related("client")
    known = mobiles.order_by("client_id", "pk")[:6]
    found = [Caller(phone.e164, f"{phone.client.full_name}, {format_phone(phone.e164)}") for phone in known]
    shared = phones.exclude(e164="").values("e164").annotate(cards=Count("client", distinct=True)).filter(cards__gt=1)
    kazakh = phones.filter(region="KZ").order_by("pk").values_list("e164", flat=True).first() or KAZAKH_NUMBER
    found += [
        Caller(row["e164"], _("One number on several cards, %(number)s") % {"number": format_phone(row["e164"])})
        for row in shared.order_by("e164")[:1]
    ]
    return [
        *found,
        Caller(NEW_NUMBER, _("A new caller, %(number)s") % {"number": format_phone(NEW_NUMBER)}),
        Caller(kazakh, _("From Kazakhstan, %(number)s") % {"number": format_phone(kazakh)}),
        Caller("anonymous", _("A hidden number")),
    ]


class ExchangeView(RoleRequired, View):
    """What every view of the simulated exchange shares: staff, in the demo."""

    roles: ClassVar[frozenset[Role]] = STAFF
    user: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.DEMO:
            raise Http404
        self.user = request.user  # type: ignore[assignment]
        return super().dispatch(request, *args, **kwargs)

    def mine(self) -> Call | None:
        """The call that this person's telephone is about: the one that talks, then what is dialled, then what rings."""
        own = Call.objects.open().filter(operator=self.user).exclude(line_state=Call.LineState.ENDED).order_by("-pk")
        calls = [call for call in own if simulated.is_ours(call)]
        talking = next((call for call in calls if call.line_state == Call.LineState.TALKING), None)
        if talking is not None or calls:
            return talking or calls[0]
        ringing = Call.objects.ringing_for(self.user).filter(source=simulated.SOURCE).order_by("pk")
        return ringing.first()


class Exchange(ExchangeView):
    """The page: who calls, what rings and talks now, what the exchange has said."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "calls/exchange.html", {"callers": callers(), **self.state()})

    def state(self) -> dict[str, Any]:
        calls = (
            Call.objects.visible_to(self.user)
            .open()
            .exclude(line_state=Call.LineState.ENDED)
            .select_related("operator", "client")
            .order_by("-pk")[:20]
        )
        events = CallEvent.objects.filter(source=simulated.SOURCE).select_related("call").order_by("-pk")[:15]
        return {
            "calls": [call for call in calls if simulated.is_ours(call)],
            "waiting": {call.pk for call in calls if simulated.is_waiting(call)},
            "events": events,
        }


class ExchangeLines(Exchange):
    """What the page fetches when something has changed: its lines and events."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "calls/_exchange_lines.html", self.state())


class ExchangeKeys(ExchangeView):
    """The receiver as it is now: what the dock fetches when something has changed."""

    template = "calls/_exchange_keys.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        call = self.mine()
        waiting = call is not None and simulated.is_waiting(call)
        return render(request, self.template, {"line": call, "waiting": waiting, **self.more()})

    def more(self) -> dict[str, Any]:
        return {}


class ExchangeDock(ExchangeKeys):
    """The telephone for the bottom of every page: who calls, and the receiver."""

    template = "calls/_exchange.html"

    def more(self) -> dict[str, Any]:
        return {"callers": callers()}


class ExchangeAct(ExchangeView):
    """POST `act`: ring (from `number`, at `extension`), dial, answer, client_hangs_up, operator_hangs_up, lose_line.

    `call` names the call; without it the one that this person's telephone is about.
    """

    def post(self, request: HttpRequest) -> HttpResponse:
        act = request.POST.get("act", "")
        try:
            message = self.ring() if act == "ring" else self.on_line(act)
        except HotlineError as error:
            response = HttpResponse(status=error.status)
            response["HX-Reswap"] = "none"
            return with_toast(response, str(error), "warn")
        if not message:
            return HttpResponse(status=204)
        return with_toast(HttpResponse(status=204), message, "info")

    def ring(self) -> str:
        number = self.request.POST.get("other", "").strip() or self.request.POST.get("number", "").strip()
        extension = self.request.POST.get("extension", "").strip()
        call = simulated.ring(number=number or NEW_NUMBER, people=(extension,) if extension else (), actor=self.user)
        if not Call.objects.ringing_for(self.user).filter(pk=call.pk).exists() and not extension:
            return _("It rings at those who are ready. You are not: make yourself ready, or name your telephone.")
        return ""

    def on_line(self, act: str) -> str:
        call = self.named() or self.mine()
        if call is None:
            return _("No call of the simulated exchange is at your telephone.")
        if act == "dial" and simulated.is_waiting(call):
            simulated.dial(number=call.number, person=call.operator or self.user, actor=self.user)
        elif act == "answer":
            simulated.answer(call=call, person=call.operator or self.user, actor=self.user)
        elif act == "client_hangs_up":
            simulated.hang_up(call=call, by=Call.HungUpBy.CLIENT, actor=self.user)
        elif act == "operator_hangs_up":
            simulated.hang_up(call=call, by=Call.HungUpBy.OPERATOR, actor=self.user)
        elif act == "lose_line":
            simulated.hang_up(call=call, lost=True, actor=self.user)
        else:
            return _("The telephone can't do that now.")
        return ""

    def named(self) -> Call | None:
        pk = self.request.POST.get("call", "")
        if not pk.isdecimal() or len(pk) > 18:
            return None
        call = Call.objects.visible_to(self.user).open().filter(pk=pk).first()
        return call if call is not None and simulated.is_ours(call) else None
