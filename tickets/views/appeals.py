"""Pages of appeals: the list with its filters, and one appeal with all that hangs on it."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy
from django.views.generic import View

from hotline.base.api import KeysetPagination
from hotline.operators.access import STAFF, RoleRequired
from hotline.operators.models import Role
from service_centers.matching import ReasonCode
from tickets import actions
from tickets.centers import reason_labels
from tickets.filters import AppealFilter
from tickets.forms import (
    CommentForm,
    DocumentForm,
    DuplicateForm,
    FactsForm,
    MessageForm,
    ReferenceForm,
    ReminderForm,
    StateForm,
)
from tickets.journal import worded
from tickets.models import Appeal, AppealEvent, Document
from tickets.views.base import answer, staff
from tickets.views.clients import page_of

JOURNAL_AT_MOST = 200
_OF_THE_MOMENT = {ReasonCode.OPEN_NOW, ReasonCode.CLOSED_NOW, ReasonCode.HOURS_UNKNOWN}


class NewestFirst(KeysetPagination):
    """Appeals by the time of registration; the index `tickets_appeal_list` has the same order."""

    ordering = ("-registered_at", "-pk")


class AppealsView(RoleRequired, View):
    """The list: filters shared with the API, keyset pages. htmx gets the rows alone."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = Appeal.objects.visible_to(staff(request)).for_list()
        filterset = AppealFilter(request.GET, rows, request=request)
        context: dict[str, Any] = {"form": filterset.form, "is_filtered": any(request.GET.values())}
        if filterset.form.is_valid():
            context |= page_of(NewestFirst(), filterset.qs, request, "appeals")
        return answer(request, page="tickets/appeals.html", fragment="tickets/_appeals.html", context=context)


def appeal_of(request: HttpRequest, number: int) -> Appeal:
    """The appeal of a page, by its public number."""
    return get_object_or_404(Appeal.objects.visible_to(staff(request)).for_detail(), number=number)


def detail_context(request: HttpRequest, appeal: Appeal, **forms: Any) -> dict[str, Any]:
    """Everything that the page of an appeal shows; `forms` are those that came back with errors.

    Some twenty-five queries, whatever hangs on the appeal.
    """
    user = staff(request)
    active = appeal.active_assignment()
    assignments = list(appeal.assignments.select_related("service_center__city", "assigned_by"))
    for assignment in assignments:
        # Whether it was open at that moment says nothing any more.
        lasting = [code for code in assignment.reasons if code not in _OF_THE_MOMENT]
        assignment.reasons_in_words = reason_labels(lasting)  # type: ignore[attr-defined]
    purpose = actions.default_purpose(appeal)
    first_phone = appeal.phone
    context: dict[str, Any] = {
        "appeal": appeal,
        "active": active,
        "assignments": assignments,
        "states": _ways_on(appeal),
        "can_be_duplicate": Appeal.State.DUPLICATE in appeal.possible_states(),
        "journal": journal_of(appeal),
        "comments": list(appeal.comments.for_list()),
        "documents": list(Document.objects.visible_to(user).filter(appeal=appeal).for_list()),
        "reminders": list(appeal.reminders.select_related("to", "done_by")),
        "links": list(appeal.messages.for_detail()),
        "resend_action": uuid4(),
        "references": list(appeal.references.all()),
        "consultations": list(appeal.consultations.select_related("topic").order_by("-registered_at")),
        "preview": actions.message_text(appeal=appeal, purpose=purpose),
        "now": timezone.now(),
        "comment_form": CommentForm(),
        "document_form": DocumentForm(),
        "reminder_form": ReminderForm(initial={"to": user}),
        "reference_form": ReferenceForm(),
        "message_form": MessageForm(initial={"purpose": purpose, "to": first_phone}),
        "state_form": StateForm(initial={"version": appeal.version}),
        "duplicate_form": DuplicateForm(),
    }
    return context | forms


class Way(NamedTuple):
    """A way on from here: the state, the words of its button, its key, which is the same in every state."""

    state: str
    label: Any
    key: str


# What the button says that leads to a state. Assigned, referred and duplicate go by verbs that are told more.
_WAYS = (
    Way(Appeal.State.ACCEPTED, gettext_lazy("Accepted by the centre"), "Alt+Digit1"),
    Way(Appeal.State.IN_WORK, gettext_lazy("In work"), "Alt+Digit2"),
    Way(Appeal.State.DONE, gettext_lazy("Work done"), "Alt+Digit3"),
    Way(Appeal.State.CLOSED, gettext_lazy("Close the appeal"), "Alt+Digit4"),
    Way(Appeal.State.REGISTERED, gettext_lazy("Open again"), "Alt+Digit5"),
    Way(Appeal.State.CANCELLED, gettext_lazy("Cancel the appeal"), "Alt+Digit0"),
)


def _ways_on(appeal: Appeal) -> list[Way]:
    """Where the appeal can go from here, in the order of its life."""
    possible = appeal.possible_states()
    if appeal.is_open:
        # «Take it from the centre» is what a decline is for.
        possible -= {Appeal.State.REGISTERED}
    return [way for way in _WAYS if way.state in possible]


def journal_of(appeal: Appeal) -> list[AppealEvent]:
    """The journal, newest first; each entry says in `words` what its facts mean. Three queries at the most."""
    return worded(list(appeal.journal.for_list()[:JOURNAL_AT_MOST]))


class AppealView(RoleRequired, View):
    """One appeal, by its number."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        appeal = appeal_of(request, number)
        context = detail_context(request, appeal)
        return answer(request, page="tickets/appeal.html", fragment="tickets/_appeal.html", context=context)


class DocumentFileView(RoleRequired, View):
    """The file of a paper: to people of the hotline only, as a download, never shown by the browser."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest, number: int, pk: int) -> HttpResponse:
        rows = Document.objects.visible_to(staff(request)).filter(appeal__number=number).exclude(file="")
        document = get_object_or_404(rows, pk=pk)
        try:
            with document.file.open("rb") as file:
                # Whole, ten megabytes at the most: a stream of a plain file holds up the ASGI server.
                response = HttpResponse(file.read(), content_type="application/octet-stream")
        except FileNotFoundError as error:
            raise Http404 from error
        name = document.file_name or str(document.pk)
        response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        return response


def facts_form(appeal: Appeal) -> FactsForm:
    return FactsForm(initial=FactsForm.initial_of(appeal), appeal=appeal)
