"""The operator's day: my calls, open drafts, call backs, what is due; a call is begun by hand."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views import View

from calls.actions import begin_by_hand, settle_promised_call_back, start_lost_call_back, start_promised_call_back
from calls.forms import BeginForm, DayFilter
from calls.models import Call, FollowUp, LostCallBack, PromisedCallBack
from calls.script import owed_acknowledgements
from calls.views.base import to_call, with_toast
from calls.views.drafts import drafts_context
from calls.views.fields import number_of
from hotline.base.errors import HotlineError
from hotline.base.forms import add_error_to
from hotline.operators.access import STAFF, RoleRequired
from hotline.operators.models import Role, User
from tickets.models import Reminder

PAGE = 40
# What is owed stands above the calls; more than this nobody settles in a shift.
OWED = 30


class Day(RoleRequired, View):
    """`?day= &shown= &operator= &before=`: calls newest first, by keyset; above them what is owed."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        form = _filter(request, user)
        context = {"form": form, **_calls(request, user, form)}
        if request.htmx and request.htmx.target == "calls-list":  # type: ignore[attr-defined]
            return render(request, "calls/_calls.html", context)
        context |= {
            "now": timezone.now(),
            **owed_to(user),
            **drafts_context(user),
            "unread": list(owed_acknowledgements(user)) if user.is_operator else [],
        }
        return render(request, "calls/list.html", context)


class Owed(RoleRequired, View):
    """What is owed alone: fetched anew when a call back, a promise or a draft changes."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        return render(request, "calls/_owed.html", {**owed_to(user), **drafts_context(user)})


def _filter(request: HttpRequest, user: User) -> DayFilter:
    operators = User.objects.operators().order_by("last_name", "first_name") if user.is_supervisor else None
    form = DayFilter(request.GET, operators=operators)
    form.is_valid()
    return form


def _calls(request: HttpRequest, user: User, form: DayFilter) -> dict[str, Any]:
    rows: QuerySet[Call] = Call.objects.visible_to(user).for_list()
    if user.role == Role.OPERATOR:
        rows = rows.filter(operator=user)
    elif form.cleaned_data.get("operator"):
        rows = rows.filter(operator=form.cleaned_data["operator"])
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    bounds = form.bounds() or (today, today + timedelta(days=1))
    open_ones = Q(work_state__in=[Call.WorkState.RINGING, Call.WorkState.TALKING, Call.WorkState.WRAP_UP])
    in_day = Q(started_at__gte=bounds[0], started_at__lt=bounds[1])
    # An open call is nobody's yesterday: it stands in the list until it is closed.
    is_today = bounds[0] == today
    rows = rows.filter(in_day | open_ones if is_today else in_day)
    rows = _shown(rows, form.cleaned_data.get("shown") or "", open_ones)
    before = _position(request.GET.get("before", ""))
    if before is not None:
        at, pk = before
        rows = rows.filter(Q(started_at__lt=at) | Q(started_at=at, pk__lt=pk))
    found = list(rows.order_by("-started_at", "-pk")[: PAGE + 1])
    calls, more = found[:PAGE], len(found) > PAGE
    following = ""
    if more:
        query = {name: str(value) for name, value in request.GET.items() if name != "before" and value}
        last = calls[-1]
        following = f"?{urlencode({**query, 'before': f'{last.started_at.isoformat()} {last.pk}'})}"
    return {"calls": calls, "next": following, "is_first": before is None, "day": bounds[0], "is_today": is_today}


def _shown(rows: QuerySet[Call], shown: str, open_ones: Q) -> QuerySet[Call]:
    if shown == "open":
        return rows.filter(open_ones)
    if shown == "closed":
        return rows.filter(work_state=Call.WorkState.CLOSED)
    if shown == "missed":
        return rows.filter(line_state=Call.LineState.ENDED, answered_at__isnull=True)
    return rows.filter(ending=Call.Ending.LOST) if shown == "lost" else rows


def _position(text: str) -> tuple[datetime, int] | None:
    """«2026-03-12T14:30:00+03:00 17»: where the next page begins; anything else is the first page."""
    moment, _space, pk = text.rpartition(" ")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (at, number_of(pk)) if timezone.is_aware(at) and number_of(pk) else None


# --- What is owed ---------------------------------------------------------------------------------
def owed_to(user: User) -> dict[str, Any]:
    """Call backs, SMS to make good and reminders of this person; of a supervisor everybody's. Five queries."""
    end_of_day = datetime.combine(timezone.localdate(), time.max, tzinfo=timezone.get_current_timezone())
    lost = LostCallBack.objects.visible_to(user).planned().select_related("call__client", "owner")
    promised = PromisedCallBack.objects.visible_to(user).filter(state=PromisedCallBack.State.OPEN)
    promised = promised.select_related("call__client", "owner").prefetch_related("attempts")
    reminders = Reminder.objects.waiting().for_list().filter(to=user, due_at__lte=end_of_day)
    follow_ups = FollowUp.objects.visible_to(user).open().for_list()
    return {
        "follow_ups": list(follow_ups.order_by("created_at", "pk")[:OWED]),
        "lost": list(lost.order_by("planned_at")[:OWED]),
        "promised": list(promised.order_by("due_at")[:OWED]),
        "reminders": list(reminders.order_by("due_at")[:OWED]),
        "now": timezone.now(),
    }


class StartCallBack(RoleRequired, View):
    """`kind` lost (once, ever) or promised (may be tried again): an outgoing call begins; dial on the telephone."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def post(self, request: HttpRequest, kind: str, pk: int) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        start = {"lost": start_lost_call_back, "promised": start_promised_call_back}.get(kind)
        if start is None:
            return HttpResponse(status=404)
        try:
            call = start(call_back_id=pk, actor=user)
        except HotlineError as error:
            return _owed(request, user, error)
        return _open(request, call)


class SettleCallBack(RoleRequired, View):
    """A promise is kept, or cancelled with the reason."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        promise = PromisedCallBack.objects.visible_to(user).select_related("call__client").filter(pk=pk).first()
        if promise is None:
            return HttpResponse(status=404)
        return render(request, "calls/_settle_dialog.html", {"promise": promise})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        try:
            settle_promised_call_back(
                call_back_id=pk,
                state=request.POST.get("state", ""),
                note=request.POST.get("note", ""),
                actor=user,
            )
        except HotlineError as error:
            return _owed(request, user, error)
        return _owed(request, user)


class Begin(RoleRequired, View):
    """The exchange is silent: the operator talks already and says so."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(
            request, "calls/_begin_dialog.html", {"form": BeginForm(initial={"direction": Call.Direction.IN})}
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        form = BeginForm(request.POST)
        if form.is_valid():
            try:
                call = begin_by_hand(operator=user, actor=user, **form.cleaned_data)
            except HotlineError as error:
                add_error_to(form, error)
            else:
                response = _open(request, call)
                if call.hand_dialled_after_id is None:
                    return response
                warning = _("This client was called back before, and there is no second attempt: the call is flagged.")
                return with_toast(response, warning, "warn")
        return render(request, "calls/_begin_dialog.html", {"form": form}, status=422)


def _open(request: HttpRequest, call: Call) -> HttpResponse:
    """To the workspace: within the page where htmx asked, as a page otherwise."""
    if request.htmx:  # type: ignore[attr-defined]
        return to_call(call)
    return HttpResponseRedirect(reverse("calls:call", args=[call.pk]))


def _owed(request: HttpRequest, user: User, error: HotlineError | None = None) -> HttpResponse:
    context = {**owed_to(user), **drafts_context(user)}
    if request.htmx:  # type: ignore[attr-defined]
        response = render(request, "calls/_owed.html", context, status=error.status if error else 200)
        return with_toast(response, str(error) if error else _("Noted."), "warn" if error else "ok")
    if error is not None:
        if error.status == 404:
            raise Http404 from error
        return render(request, "calls/refused.html", {"message": str(error)}, status=error.status)
    return HttpResponseRedirect(reverse("calls:list"))
