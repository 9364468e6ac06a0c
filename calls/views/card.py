"""Stage 3: the card and its account. Registered new, corrected, another account opened deliberately."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from calls.actions import choose_client, complete_stage, register_client_in_call, submit_draft
from calls.forms import CardForm
from calls.models import Draft, StageCode
from calls.views.base import CallView
from calls.views.drafts import initial_of
from calls.views.fields import focus_on, number_of
from calls.workspace import Workspace
from hotline.base.errors import HotlineError, NotFound
from hotline.base.forms import add_error_to
from hotline.base.phones import format_phone
from tickets.actions import add_phone, open_account, update_client
from tickets.models import Client
from tickets.search import likely_duplicates


def panel(
    ws: Workspace, request: HttpRequest, form: CardForm | None = None, mode: str = "", **state: Any
) -> dict[str, Any]:
    """`mode`: "edit" corrects the chosen card, "new" registers one though a card is chosen, "account" opens another."""
    mode = mode or request.POST.get("mode", "") or request.GET.get("mode", "")
    draft = ws.drafts.get(Draft.Form.CLIENT)
    if ws.client is None:
        mode = "new"
    if form is None and mode == "new":
        number = format_phone(ws.call.number) if ws.call.number else ""
        form = CardForm(initial=initial_of(draft, {"phones": number, **_named(request)}))
    elif form is None and mode == "edit" and ws.client is not None:
        form = CardForm(initial=_of_client(ws.client))
    if form is not None:
        names = ("last_name", "first_name", "middle_name", "city")
        focus_on(form, next((name for name in names if not form[name].value()), "last_name"))
    return {
        "mode": mode,
        "form": form,
        "draft": draft if mode == "new" else None,
        "account_error": state.get("account_error"),
        "duplicates": _duplicates(form, ws) if mode == "new" and form is not None else [],
    }


def _named(request: HttpRequest) -> dict[str, str]:
    """What was typed into the search and found nobody: it was a name, then it is one now."""
    words = request.POST.get("q", "").split()
    if not words or any(any(char.isdigit() for char in word) for word in words):
        return {}
    return dict(zip(("last_name", "first_name", "middle_name"), (word.title() for word in words), strict=False))


def _of_client(client: Client) -> dict[str, Any]:
    names = ("last_name", "first_name", "middle_name", "address", "email", "version")
    return {**{name: getattr(client, name) for name in names}, "city": client.city or (None, client.city_text)}


def _duplicates(form: CardForm, ws: Workspace) -> list[Any]:
    """Cards that may be the same person, by what stands in the form now, right or wrong."""

    def typed(name: str) -> str:
        return str(form[name].value() or "")

    last_name, first_name = typed("last_name"), typed("first_name")
    if not last_name and not typed("phones"):
        return []
    return likely_duplicates(
        last_name=last_name,
        first_name=first_name,
        phones=[typed("phones")],
        city=ws.client.city if ws.client else None,
        user=ws.user,
    )


class Duplicates(CallView):
    """The warning while a new card is being typed."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        ws = self.workspace(StageCode.CARD)
        found = _duplicates(CardForm(request.POST), ws)
        return render(request, "calls/_duplicates.html", {"ws": ws, "call": ws.call, "duplicates": found})


class Card(CallView):
    """GET `?mode=`: the card as a form; POST registers a new one, or corrects the chosen one."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.stage(StageCode.CARD)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        mode = "edit" if request.POST.get("mode") == "edit" else "new"
        form = CardForm(request.POST)
        if not form.is_valid():
            return self.stage(StageCode.CARD, status=422, form=form, mode=mode)
        try:
            with transaction.atomic():
                if mode == "edit":
                    self._correct(form)
                else:
                    self._register(form)
        except HotlineError as error:
            add_error_to(form, error)
            return self.stage(StageCode.CARD, status=422, form=form, mode=mode)
        return self.stage(StageCode.CARD if mode == "edit" else StageCode.HISTORY)

    def _register(self, form: CardForm) -> None:
        client = register_client_in_call(
            call_id=self.pk,
            action_id=form.action(),
            phones=[form.cleaned_data["phones"]] if form.cleaned_data["phones"].strip() else [],
            actor=self.user,
            **form.fields_of_card(),
        )
        submit_draft(
            call_id=self.pk, form=Draft.Form.CLIENT, action_id=client.action_id or form.action(), actor=self.user
        )

    def _correct(self, form: CardForm) -> None:
        client_id = self.call().client_id
        if client_id is None:
            raise NotFound("no_client", _("There is no such card."))
        update_client(
            client_id=client_id,
            version=form.cleaned_data["version"] or 0,
            actor=self.user,
            **form.fields_of_card(),
        )
        if form.cleaned_data["phones"].strip():
            add_phone(client_id=client_id, raw=form.cleaned_data["phones"], actor=self.user)


class ChooseAccount(CallView):
    """Of several accounts on the card, this one; `reason` opens another one, deliberately."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        call = self.call()
        if call.client is None:
            raise NotFound("no_client", _("Choose the card first."))
        if "reason" in request.POST:
            try:
                with transaction.atomic():
                    account = open_account(client_id=call.client.pk, reason=request.POST["reason"], actor=self.user)
                    choose_client(call_id=pk, client=call.client, account=account, actor=self.user)
            except HotlineError as error:
                return self.stage(StageCode.CARD, status=422, mode="account", account_error=error)
            return self.stage(StageCode.CARD, toast=_("Account %(number)s is open.") % {"number": account.number})
        found = call.client.accounts.filter(pk=number_of(request.POST.get("account"))).first()
        if found is None:
            raise NotFound("no_account", _("There is no such account on this card."))
        choose_client(call_id=pk, client=call.client, account=found, actor=self.user)
        complete_stage(call_id=pk, stage=StageCode.CARD, actor=self.user, data={"account": found.pk})
        return self.stage(StageCode.HISTORY)
