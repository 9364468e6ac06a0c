"""Pages of cards: the list, registering one, correcting one with its phones, accounts and appliances."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View
from rest_framework.exceptions import NotFound as NoPage
from rest_framework.request import Request

from hotline.base.api import KeysetPagination
from hotline.base.errors import Conflict, HotlineError
from hotline.base.forms import add_error_to
from hotline.operators.access import STAFF, RoleRequired
from hotline.operators.models import Role
from service_centers.models import City
from tickets import actions
from tickets.fields import client_choice
from tickets.filters import ClientFilter
from tickets.forms import AccountForm, ApplianceForm, CardEditForm, CardForm, DuplicatesForm, PhoneForm
from tickets.models import Account, Appliance, Client
from tickets.search import find_clients, likely_duplicates
from tickets.views.base import answer, staff, tell

FOUND_AT_MOST = 50


class ClientsView(RoleRequired, View):
    """Search of cards, best first; without a text all of them, the newest first. htmx gets the results alone."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
        context: dict[str, Any] = {"query": query}
        if query:
            context["clients"] = find_clients(query, staff(request), FOUND_AT_MOST)
            context["is_cut"] = len(context["clients"]) == FOUND_AT_MOST
        else:
            rows = ClientFilter(request.GET, Client.objects.visible_to(staff(request)).for_list()).qs
            context |= page_of(KeysetPagination(), rows, request, "clients")
        return answer(request, page="tickets/clients.html", fragment="tickets/_clients.html", context=context)


class ClientNewView(RoleRequired, View):
    """A new card. The warning about likely duplicates comes while it is typed."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        form = CardForm(initial={"phone": request.GET.get("phone", "")[:100]})
        return render(request, "tickets/client_new.html", {"form": form})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CardForm(request.POST)
        if form.is_valid():
            try:
                client = actions.register_client(
                    **form.card(), phones=form.phones(), action_id=form.action(), actor=staff(request)
                )
            except HotlineError as error:
                add_error_to(form, error)
            else:
                return redirect(client)
        return render(request, "tickets/client_new.html", {"form": form}, status=422)


class DuplicatesView(RoleRequired, View):
    """The warning, a fragment. POST, since names and numbers do not belong into addresses; it changes nothing."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def post(self, request: HttpRequest) -> HttpResponse:
        form = DuplicatesForm(request.POST)
        form.is_valid()
        typed = form.cleaned_data
        city_id = typed["city"].city_id if typed.get("city") else None
        found = likely_duplicates(
            last_name=typed.get("last_name", "")[:100],
            first_name=typed.get("first_name", "")[:100],
            phones=[typed.get(name, "")[:100] for name in ("phone", "second_phone")],
            city=City.objects.filter(pk=city_id).first() if city_id else None,
            user=staff(request),
        )
        return render(request, "tickets/_duplicates.html", {"duplicates": found})


class CardView(RoleRequired, View):
    """What the pages about one card share."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def client(self, pk: int) -> Client:
        rows = Client.objects.visible_to(staff(self.request)).select_related("city").prefetch_related("phones")
        appliances = Prefetch("accounts__appliances", queryset=Appliance.objects.for_list())
        return get_object_or_404(rows.prefetch_related("accounts", appliances), pk=pk)


class ClientEditView(CardView):
    """Correct a card; its phones, accounts and appliances beside it."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        client = self.client(pk)
        return self._page(client, CardEditForm(initial=CardEditForm.initial_of(client)))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = CardEditForm(request.POST)
        if form.is_valid():
            try:
                actions.update_client(
                    client_id=pk, version=form.cleaned_data["version"], actor=staff(request), **form.card()
                )
            except Conflict as error:
                form.show_conflict(self.client(pk), error.details.get("fields", []), error.message)
            except HotlineError as error:
                add_error_to(form, error)
            else:
                messages.success(request, _("The card is saved."))
                return redirect("desk:client", pk)
        return self._page(self.client(pk), form, status=422)

    def _page(self, client: Client, form: forms.Form, status: int = 200) -> HttpResponse:
        context = {"client": client, "form": form, "phone_form": PhoneForm(), "account_form": AccountForm()}
        return render(self.request, "tickets/client_edit.html", context, status=status)


class PhonesView(CardView):
    """Add a number to a card (POST), or take one off it (`remove`)."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._answer(pk, PhoneForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = PhoneForm(request.POST)
        try:
            if remove := request.POST.get("remove", ""):
                phone = self.client(pk).phones.filter(pk=int(remove) if remove.isdecimal() else 0).first()
                if phone is None:
                    raise Http404
                actions.remove_phone(phone_id=phone.pk, actor=staff(request))
                return self._answer(pk, PhoneForm())
            form.is_valid()
            actions.add_phone(client_id=pk, raw=form.cleaned_data.get("raw", ""), actor=staff(request))
        except HotlineError as error:
            add_error_to(form, error)
            return self._answer(pk, form, status=422)
        return self._answer(pk, PhoneForm())

    def _answer(self, pk: int, form: PhoneForm, status: int = 200) -> HttpResponse:
        client = self.client(pk)
        if not self.request.htmx and status == 200 and self.request.method == "POST":  # type: ignore[attr-defined]
            return redirect("tickets:client-edit", pk)
        context = {"client": client, "phone_form": form, "account_form": AccountForm()}
        context["form"] = CardEditForm(initial=CardEditForm.initial_of(client))
        return answer(
            self.request,
            page="tickets/client_edit.html",
            fragment="tickets/_phones.html",
            context=context,
            status=status,
        )


class AccountsView(CardView):
    """Open another account on a card, deliberately, with its reason."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._answer(pk, AccountForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = AccountForm(request.POST)
        form.is_valid()
        try:
            account = actions.open_account(
                client_id=pk, reason=form.cleaned_data.get("reason", ""), actor=staff(request)
            )
        except HotlineError as error:
            add_error_to(form, error)
            return self._answer(pk, form, status=422)
        if not request.htmx:  # type: ignore[attr-defined]
            return redirect("tickets:client-edit", pk)
        return tell(self._answer(pk, AccountForm()), _("Account %(number)s is open.") % {"number": account.number})

    def _answer(self, pk: int, form: AccountForm, status: int = 200) -> HttpResponse:
        client = self.client(pk)
        context = {"client": client, "phone_form": PhoneForm(), "account_form": form}
        context["form"] = CardEditForm(initial=CardEditForm.initial_of(client))
        return answer(
            self.request,
            page="tickets/client_edit.html",
            fragment="tickets/_accounts.html",
            context=context,
            status=status,
        )


class ApplianceNewView(RoleRequired, View):
    """Note an appliance on an account."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._page(self._account(pk), ApplianceForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        account, form = self._account(pk), ApplianceForm(request.POST)
        if form.is_valid():
            try:
                actions.add_appliance(account_id=account.pk, actor=staff(request), **form.facts())
            except HotlineError as error:
                add_error_to(form, error)
            else:
                return redirect("tickets:client-edit", account.client_id)
        return self._page(account, form, status=422)

    def _account(self, pk: int) -> Account:
        rows = Account.objects.visible_to(staff(self.request)).select_related("client")
        return get_object_or_404(rows, pk=pk)

    def _page(self, account: Account, form: ApplianceForm, status: int = 200) -> HttpResponse:
        context = {"account": account, "form": form, "back": reverse("tickets:client-edit", args=[account.client_id])}
        return render(self.request, "tickets/appliance.html", context, status=status)


class ApplianceEditView(RoleRequired, View):
    """Correct what is noted of an appliance. Appeals keep what was told when they were registered."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        appliance = self._appliance(pk)
        return self._page(appliance, ApplianceForm(initial=ApplianceForm.initial_of(appliance)))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        appliance, form = self._appliance(pk), ApplianceForm(request.POST)
        if form.is_valid():
            try:
                actions.update_appliance(appliance_id=pk, actor=staff(request), **form.facts())
            except HotlineError as error:
                add_error_to(form, error)
            else:
                return redirect("tickets:client-edit", appliance.account.client_id)
        return self._page(appliance, form, status=422)

    def _appliance(self, pk: int) -> Appliance:
        rows = Appliance.objects.visible_to(staff(self.request)).for_list().select_related("account__client")
        return get_object_or_404(rows, pk=pk)

    def _page(self, appliance: Appliance, form: ApplianceForm, status: int = 200) -> HttpResponse:
        back = reverse("tickets:client-edit", args=[appliance.account.client_id])
        context = {"account": appliance.account, "appliance": appliance, "form": form, "back": back}
        return render(self.request, "tickets/appliance.html", context, status=status)


class AccountSuggestView(RoleRequired, View):
    """The suggestions of the field «to the card of», a fragment: `?q=` as typed so far."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        clients = find_clients(request.GET.get("q", "")[:200], staff(request), 8)
        found = [(client, account, client_choice(client)) for client in clients for account in client.accounts.all()]
        return render(request, "tickets/_account_options.html", {"found": found})


def page_of(paginator: KeysetPagination, rows: Any, request: HttpRequest, name: str) -> dict[str, Any]:
    """One keyset page of a list, with the addresses of its neighbours."""
    paginator.page_size_query_param = None  # for the API
    try:
        found = paginator.paginate_queryset(rows, Request(request))
    except NoPage as error:  # a cursor that somebody made up
        raise Http404 from error
    return {name: found, "previous": paginator.get_previous_link(), "next": paginator.get_next_link()}
