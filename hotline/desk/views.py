"""Pages that need every room: the start page, a client's card with the timeline, the search from anywhere."""

from __future__ import annotations

import json
from typing import Any, cast

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.dateparse import parse_datetime
from django.views.generic import View

from hotline.base.errors import HotlineError
from hotline.base.htmx import is_partial
from hotline.desk.search import search
from hotline.desk.timeline import timeline
from hotline.desk.waiting import waiting_for
from hotline.operators.access import STAFF, RoleRequired
from hotline.operators.models import User
from sms.eligibility import judge_number
from sms.wishes import act, wishes_of
from tickets import history
from tickets.models import Appliance, Client

SUGGESTED = 5  # of each kind, under the search of the header


class StartView(RoleRequired, View):
    """What waits for this person now, and what the day looks like."""

    roles = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "desk/start.html", {"groups": waiting_for(_user(request), at=timezone.now())})


class WaitingView(RoleRequired, View):
    """The start page's list alone: fetched anew when something changes."""

    roles = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "desk/_waiting.html", {"groups": waiting_for(_user(request), at=timezone.now())})


class SearchView(RoleRequired, View):
    """`?q=`: clients, appeals, calls and service centres at once; htmx gets the results alone."""

    roles = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
        context = {"query": query, "results": search(query, user=_user(request))}
        page = "desk/_results.html" if is_partial(request) else "desk/search.html"
        response = render(request, page, context)
        patch_vary_headers(response, ["HX-Request"])
        return response


class SuggestionsView(RoleRequired, View):
    """`q`: a few of each kind, while it is typed. By POST: what people are called does not belong into an address."""

    roles = STAFF

    def post(self, request: HttpRequest) -> HttpResponse:
        query = request.POST.get("q", "").replace("\x00", "").strip()[:200]
        context = {"query": query, "results": search(query, user=_user(request), limit=SUGGESTED)}
        return render(request, "desk/_suggestions.html", context)


class ClientView(RoleRequired, View):
    """A client's card: accounts, appliances, what to say now, and everything that passed."""

    roles = STAFF

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        client = _card(request, pk)
        context = {
            "client": client,
            "accounts": list(client.accounts.all()),
            "say_now": history.say_now(client),
            "timeline": timeline(client, user=_user(request)),
        }
        return render(request, "desk/client.html", context)


class WishesView(RoleRequired, View):
    """POST `do`, `to`: the client says whether SMS are wanted at a number of the card. Answers with the card."""

    roles = STAFF

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        client = _card(request, pk)
        number = request.POST.get("to", "")
        if number not in {phone.e164 for phone in client.phones.all()}:
            raise Http404
        try:
            said, level, status = act(request.POST.get("do", ""), number=number, actor=_user(request)), "ok", 200
        except HotlineError as error:
            said, level, status = str(error), "warn", error.status
        if not is_partial(request):
            return redirect(client)
        response = render(request, "desk/_card.html", {"client": _card(request, pk)}, status=status)
        response["HX-Trigger"] = json.dumps({"toast": {"message": said, "level": level}})
        return response


class TimelineView(RoleRequired, View):
    """`?before=`: the next page of a client's timeline."""

    roles = STAFF

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        client = get_object_or_404(Client.objects.visible_to(_user(request)), pk=pk)
        context: dict[str, Any] = {
            "client": client,
            "timeline": timeline(client, user=_user(request), before=_moment(request.GET.get("before", ""))),
        }
        return render(request, "desk/_timeline.html", context)


def _card(request: HttpRequest, pk: int) -> Client:
    """A client with what the page shows; each phone that can take SMS knows what was said of them (`wishes`)."""
    client = get_object_or_404(
        Client.objects.visible_to(_user(request))
        .select_related("city", "created_by")
        .prefetch_related(
            "phones",
            "accounts",
            Prefetch(
                "accounts__appliances",
                queryset=Appliance.objects.select_related("product_model", "brand", "category"),
            ),
        ),
        pk=pk,
    )
    phones = [phone for phone in client.phones.all() if not phone.extension]
    wishes = wishes_of(phone.e164 for phone in phones if judge_number(phone.e164, {}).allowed)
    for phone in phones:
        phone.wishes = wishes.get(phone.e164)  # type: ignore[attr-defined]
    return client


def _user(request: HttpRequest) -> User:
    """Who asks: RoleRequired has let nobody else in."""
    return cast(User, request.user)


def _moment(text: str) -> Any:
    """An ISO moment with its zone, or None: a broken address shows the first page."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and timezone.is_aware(moment) else None
