"""The screen-pop: what rings at this person now, and the way to the call that the telephone has put through.

A page asks for it (`Incoming`) when it opens and when it has been deaf. When a ring comes or goes, what most pages show
of it comes along with the event (`shown_to`): 150 that all ask at the same moment keep one process busy for seconds.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views import View

from calls.actions import park_call, take_call
from calls.models import Call, LostCallBack, PromisedCallBack
from calls.views.base import with_toast
from hotline.base.errors import HotlineError, NotFound
from hotline.base.phones import Phone, read_phone
from hotline.operators.access import STAFF, RoleRequired
from hotline.operators.models import Role, User
from tickets.models import Client

# A page follows the telephone only just after it was put through: later the person has gone elsewhere on purpose.
FOLLOWS = timedelta(seconds=8)
MOST = 5
FRAGMENT = "calls/_incoming.html"
_WORKSPACE = re.compile(r"^/calls/(\d{1,18})/")


@dataclass(slots=True)
class Ring:
    """One call that rings, with what is known of its number."""

    call: Call
    phone: Phone
    clients: list[Client] = field(default_factory=list)
    lost: LostCallBack | None = None
    promise: PromisedCallBack | None = None


class Incoming(RoleRequired, View):
    """The fragment at the bottom of every page: rings, calls that nobody has, and one's own that goes on elsewhere.

    Just after this person's telephone was answered the page goes to the workspace by itself, unless another open call
    is being worked on in it: then a key parks that one.
    """

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        going_on, here = _going_on(user), _open_call_here(request, user)
        if going_on is not None and here is not None and here.pk == going_on.pk:
            going_on = None
        follow = going_on is not None and here is None and _just_now(going_on)
        context: dict[str, Any] = {
            "rings": rings_of(user),
            "unclaimed": _unclaimed() if going_on is None and _may_claim(user) else [],
            "going_on": going_on,
            "here": here,
            "follow": follow,
        }
        response = render(request, FRAGMENT, context)
        if going_on is not None and follow and _in_admin(request):
            response["HX-Redirect"] = going_on.get_absolute_url()
        return response


class Switch(RoleRequired, View):
    """POST: go to a call; the one that is being worked on (`from`) is parked, if its line is gone.

    A call that was answered at a telephone nobody is signed in at becomes this person's.
    """

    roles: ClassVar[frozenset[Role]] = STAFF

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        response = HttpResponse()
        try:
            call = Call.objects.visible_to(user).filter(pk=pk).first()
            if call is None:
                raise NotFound("not_found", _("There is no such call."))
            if call.operator_id is None and call.answered_at is not None:
                call = take_call(call_id=pk, actor=user)
            before = request.POST.get("from", "")
            if before.isdecimal() and len(before) <= 18 and int(before) != pk:
                _park(int(before), user)
        except HotlineError as error:
            response = HttpResponse(status=error.status)
            response["HX-Reswap"] = "none"
            return with_toast(response, str(error), "warn")
        if _in_admin(request):
            response["HX-Redirect"] = call.get_absolute_url()
        else:
            response["HX-Location"] = location(call)
        return response


def shown_to(people: Collection[int]) -> dict[int, str]:
    """What `Incoming` would answer to each of these people, by pk: made once for all whose pages show the same.

    Left out is whose page must ask, because it depends on the page too: those with a call of their own on the line, and
    those who have an open call while another has nobody. Who may not see rings is left out as well. The number of
    queries does not depend on how many people there are, only on how many different things they see.
    """
    users = User.objects.filter(pk__in=people, is_active=True, role__in=STAFF).order_by("pk")
    lines: dict[int | None, set[str]] = defaultdict(set)
    for operator, line in Call.objects.open().filter(operator__in=people).values_list("operator", "line_state"):
        lines[operator].add(line)
    ringing, unclaimed = list(Call.objects.ringing().order_by("started_at", "pk")), _unclaimed()
    alike: dict[tuple[str, str, bool, tuple[Call, ...]], list[User]] = defaultdict(list)
    for user in users:
        offered = bool(unclaimed) and _may_claim(user)
        if lines[user.pk] - {Call.LineState.ENDED} or (offered and lines[user.pk]):
            continue
        calls = tuple(call for call in ringing if call.rings_at(user))[:MOST]
        alike[user.role, user.language, offered, calls].append(user)
    shown: dict[int, str] = {}
    for (_role, language, offered, calls), those in alike.items():
        context = {"rings": _with_cards(calls, those[0]), "unclaimed": unclaimed if offered else []}
        with translation.override(language):
            shown |= dict.fromkeys((user.pk for user in those), render_to_string(FRAGMENT, context))
    return shown


def rings_of(user: User) -> list[Ring]:
    """What rings at this person. Up to seven queries."""
    return _with_cards(Call.objects.ringing_for(user).order_by("started_at", "pk")[:MOST], user)


def _with_cards(calls: Iterable[Call], user: User) -> list[Ring]:
    """The calls with the cards of each number that this person sees, and the call backs owed to it."""
    rings = [Ring(call, read_phone(call.number or call.number_raw)) for call in calls]
    numbers = {ring.call.number for ring in rings} - {""}
    if not numbers:
        return rings
    cards: dict[str, list[Client]] = defaultdict(list)
    found = Client.objects.visible_to(user).filter(phones__e164__in=numbers).for_list().distinct().order_by("-pk")
    for client in found[:50]:
        for number in {phone.e164 for phone in client.phones.all()} & numbers:
            cards[number].append(client)
    lost = {
        back.call.number: back
        for back in LostCallBack.objects.planned().filter(call__number__in=numbers).select_related("call", "owner")
    }
    promises = {
        promise.number: promise
        for promise in PromisedCallBack.objects.filter(
            number__in=numbers, state=PromisedCallBack.State.OPEN
        ).select_related("owner")
    }
    for ring in rings:
        number = ring.call.number
        ring.clients, ring.lost, ring.promise = cards[number], lost.get(number), promises.get(number)
    return rings


def location(call: Call) -> str:
    """The header that takes the page to a call without loading it anew."""
    path = reverse("calls:call", args=[call.pk])
    return json.dumps({"path": path, "target": "#main", "swap": "innerHTML"})


def _going_on(user: User) -> Call | None:
    """The call at this person's telephone: the one that talks, else the one that is being dialled."""
    lines = list(
        Call.objects.open()
        .filter(operator=user)
        .exclude(line_state=Call.LineState.ENDED)
        .select_related("client")
        .order_by("-started_at")[:10]
    )
    talking = [call for call in lines if call.line_state == Call.LineState.TALKING]
    return next(iter([*talking, *lines]), None)


def _may_claim(user: User) -> bool:
    return user.state in (User.State.READY, User.State.WRAP_UP)


def _unclaimed() -> list[Call]:
    """Calls that were answered where nobody is signed in: for those who could take them."""
    return list(Call.objects.without_operator().filter(line_state=Call.LineState.TALKING).order_by("pk")[:2])


def _in_admin(request: HttpRequest) -> bool:
    """The admin's pages have no place of ours to put a call into: they are left as whole pages."""
    path = request.htmx.current_url_abs_path or ""  # type: ignore[attr-defined]
    return bool(path.startswith(reverse("admin:index")))


def _open_call_here(request: HttpRequest, user: User) -> Call | None:
    """The open call of this person's whose workspace the page shows."""
    shown = _WORKSPACE.match(request.htmx.current_url_abs_path or "")  # type: ignore[attr-defined]
    if shown is None:
        return None
    return Call.objects.open().filter(operator=user, pk=int(shown.group(1))).first()


def _just_now(call: Call) -> bool:
    return timezone.now() - (call.answered_at or call.started_at) < FOLLOWS


def _park(pk: int, user: User) -> None:
    """Parking is a service, not a condition: a call that has gone, or that still talks, is left as it is."""
    call = Call.objects.open().filter(pk=pk, operator=user, work_state=Call.WorkState.WRAP_UP).first()
    if call is not None and call.parked_at is None:
        park_call(call_id=pk, actor=user)
