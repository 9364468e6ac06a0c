"""The alias (V3): the operator's own page, the supervisor's inbox and register."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.http import require_POST

from hotline.base.errors import HotlineError, NotFound
from hotline.base.folding import Fold, fold
from hotline.base.forms import add_error_to
from hotline.operators import actions
from hotline.operators.access import SUPERVISORS, RoleRequired
from hotline.operators.forms import AliasForm, RegisterSearchForm, StopAliasForm
from hotline.operators.models import Alias, Role, User
from hotline.operators.reads import alias_in_force, namesakes, namesakes_of, who_was

OPERATORS = frozenset({Role.OPERATOR})
ROWS = 50
# Fragments on the page listen to this, and do not wait for the live stream to come round.
CHANGED = "alias-changed"


def _alias(request: HttpRequest, pk: int) -> Alias:
    """One that this person may see; 404 otherwise."""
    person: User = request.user  # type: ignore[assignment]
    alias = Alias.objects.visible_to(person).for_list().filter(pk=pk).first()
    if alias is None:
        raise Http404
    return alias


# --- The operator's own -----------------------------------------------------------------------------
def _mine(request: HttpRequest) -> dict[str, Any]:
    """What the operator's page and its fragment show. Six SQL queries, whatever the history."""
    person: User = request.user  # type: ignore[assignment]
    history = list(Alias.objects.visible_to(person).for_list()[:ROWS])
    return {
        "in_force": alias_in_force(person),
        "waiting": next((a for a in history if a.state == Alias.State.DECLARED and a.period is None), None),
        "history": history,
        "namesakes": namesakes_of(person),
    }


class MyAlias(RoleRequired, View):
    """«Мой псевдоним»: declare one, see what became of it, lay it down, look back."""

    roles = OPERATORS

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, AliasForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        person: User = request.user  # type: ignore[assignment]
        form = AliasForm(request.POST)
        if not form.is_valid():
            return self._page(request, form, status=400)
        try:
            alias = actions.declare_alias(
                operator=person,
                spoken_name=form.cleaned_data["spoken_name"],
                full_form=form.cleaned_data["full_form"],
                actor=person,
            )
        except HotlineError as error:
            add_error_to(form, error)
            return self._page(request, form, status=error.status)
        if alias.period is None:
            messages.success(request, _("The supervisor is informed. You may voice the alias once it is acknowledged."))
        else:
            messages.success(request, _("The supervisor is informed. You may voice the alias from now on."))
        return redirect("operators:alias")

    def _page(self, request: HttpRequest, form: AliasForm, status: int = 200) -> HttpResponse:
        context = {**_mine(request), "form": form, "must_wait": settings.ALIAS_NEEDS_ACKNOWLEDGEMENT}
        return render(request, "operators/alias.html", context, status=status)


class MyAliasState(RoleRequired, View):
    """The fragment of that page that changes by itself: a supervisor decided, a colleague took the name."""

    roles = OPERATORS

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "operators/_alias_state.html", _mine(request))


@method_decorator(require_POST, name="dispatch")
class Retire(RoleRequired, View):
    """Lay an own alias down."""

    roles = OPERATORS

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        alias = _alias(request, pk)
        try:
            actions.retire_alias(alias=alias, actor=request.user)  # type: ignore[arg-type]
        except HotlineError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The alias is laid down."))
        return redirect("operators:alias")


class AliasNotice(RoleRequired, View):
    """The fragment for the operator's start page: a colleague has the name, the alias was stopped; empty otherwise."""

    roles = OPERATORS

    def get(self, request: HttpRequest) -> HttpResponse:
        person: User = request.user  # type: ignore[assignment]
        last = Alias.objects.visible_to(person).for_list().first()
        stopped = last if last is not None and last.state == Alias.State.STOPPED else None
        context = {"namesakes": namesakes_of(person), "stopped": stopped}
        return render(request, "operators/_alias_notice.html", context)


# --- The supervisor's -------------------------------------------------------------------------------
def _inbox(request: HttpRequest) -> dict[str, Any]:
    """What waits for an acknowledgement, each with the colleagues who bear the name. Five SQL queries at the most."""
    person: User = request.user  # type: ignore[assignment]
    waiting = list(Alias.objects.visible_to(person).waiting().for_list().order_by("declared_at", "pk"))
    return {"waiting": _with_namesakes(waiting)}


def _with_namesakes(waiting: list[Alias]) -> list[dict[str, Any]]:
    """Each alias with who else is heard by its name; two queries for all of them together."""
    names = {fold(alias.spoken_name) for alias in waiting}
    if not names:
        return []
    bearers: dict[str, dict[int, str]] = {name: {} for name in names}
    own = User.objects.operators().alias(folded=Fold("first_name")).filter(folded__in=names)
    voiced = (
        Alias.objects.alias(folded=Fold("spoken_name"))
        .filter(folded__in=names, operator__is_active=True)
        .borne()
        .select_related("operator")
    )
    for user in own:
        bearers[fold(user.first_name)][user.pk] = str(user)
    for alias in voiced:
        bearers[fold(alias.spoken_name)][alias.operator_id] = str(alias.operator)
    return [
        {
            "alias": alias,
            "namesakes": sorted(
                name for pk, name in bearers[fold(alias.spoken_name)].items() if pk != alias.operator_id
            ),
        }
        for alias in waiting
    ]


class Aliases(RoleRequired, View):
    """The inbox above, the register below: every alias there was, by name and by moment, with the real name."""

    roles = SUPERVISORS

    def get(self, request: HttpRequest) -> HttpResponse:
        person: User = request.user  # type: ignore[assignment]
        asked = any(request.GET.get(field) for field in ("name", "at"))
        form = RegisterSearchForm(request.GET if asked else None)
        rows, own = Alias.objects.visible_to(person).for_list(), []
        status = 200
        if form.is_bound:
            if form.is_valid():
                name, at = form.cleaned_data["name"], form.cleaned_data["at"]
                if name:
                    rows = rows.alias(folded=Fold("spoken_name")).filter(folded__contains=fold(name))
                if at:
                    rows = rows.in_force(at)
                if name and at:
                    own = [found for found in who_was(name, at) if found.alias is None]
            else:
                rows, status = rows.none(), 400
        page = Paginator(rows.order_by("-declared_at", "-pk"), ROWS).get_page(request.GET.get("page"))
        context = {"form": form, "page": page, "own": own, "at": form.is_bound and form.cleaned_data.get("at")}
        if request.htmx and not request.htmx.boosted:  # type: ignore[attr-defined]
            return render(request, "operators/_alias_register.html", context, status=status)
        return render(request, "operators/aliases.html", {**context, **_inbox(request)}, status=status)


class AliasInbox(RoleRequired, View):
    """The fragment of what waits."""

    roles = SUPERVISORS

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "operators/_alias_inbox.html", _inbox(request))


@method_decorator(require_POST, name="dispatch")
class Acknowledge(RoleRequired, View):
    """Take note of an alias; the answer is the inbox without it."""

    roles = SUPERVISORS

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        alias, problem = _alias(request, pk), None
        try:
            actions.acknowledge_alias(alias=alias, actor=request.user)  # type: ignore[arg-type]
        except HotlineError as error:
            problem = error
        if not request.htmx:  # type: ignore[attr-defined]
            if problem:
                messages.error(request, str(problem))
            return redirect("operators:aliases")
        context = {**_inbox(request), "problem": problem}
        response = render(request, "operators/_alias_inbox.html", context, status=problem.status if problem else 200)
        response["HX-Trigger"] = CHANGED
        return response


class Stop(RoleRequired, View):
    """Stop an alias, with a reason: a dialog over the page, or a page of its own."""

    roles = SUPERVISORS

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._dialog(request, _alias(request, pk), StopAliasForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        alias, form = _alias(request, pk), StopAliasForm(request.POST)
        if not form.is_valid():
            return self._dialog(request, alias, form, status=400)
        try:
            actions.stop_alias(alias=alias, reason=form.cleaned_data["reason"], actor=request.user)  # type: ignore[arg-type]
        except NotFound as error:
            raise Http404 from error
        except HotlineError as error:
            add_error_to(form, error)
            return self._dialog(request, alias, form, status=error.status)
        if not request.htmx:  # type: ignore[attr-defined]
            return redirect("operators:aliases")
        # An empty answer takes the dialog away; the page's fragments hear the event.
        return HttpResponse(headers={"HX-Trigger": CHANGED})

    def _dialog(self, request: HttpRequest, alias: Alias, form: StopAliasForm, status: int = 200) -> HttpResponse:
        template = "operators/_alias_stop.html" if request.htmx else "operators/alias_stop.html"  # type: ignore[attr-defined]
        context = {"alias": alias, "form": form, "namesakes": namesakes(alias.spoken_name, except_for=alias.operator)}
        return render(request, template, context, status=status)
