"""The parts of an appeal's page that do something: each a fragment with its form, and a verb behind it.

Without htmx they work too: a form that was refused comes back on the whole page, one that was right leads back to it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.generic import View

from hotline.base.errors import Conflict, HotlineError, NotFound
from hotline.base.forms import add_error_to
from hotline.base.htmx import is_partial
from hotline.operators.access import STAFF, RoleRequired
from hotline.operators.models import Role, User
from sms import eligibility
from sms.models import SmsMessage
from tickets import actions
from tickets.centers import match_for
from tickets.forms import (
    CenterForm,
    CommentForm,
    DocumentForm,
    DuplicateForm,
    EndForm,
    FactsForm,
    MessageForm,
    MoveForm,
    ReferenceForm,
    ReminderForm,
    StateForm,
    VersionedForm,
)
from tickets.models import Appeal, Assignment
from tickets.views.appeals import appeal_of, detail_context, facts_form
from tickets.views.base import answer, staff, tell, uuid_of


class Section(RoleRequired, View):
    """A part of the page: GET shows it, POST does its verb. `name` is the form's name in the templates."""

    roles: ClassVar[frozenset[Role]] = STAFF
    name: ClassVar[str]
    fragment: ClassVar[str]  # after the verb, and on GET
    refused: ClassVar[str] = ""  # with errors, where that is another fragment

    def form(self, appeal: Appeal, request: HttpRequest) -> forms.Form:
        raise NotImplementedError

    def act(self, appeal: Appeal, form: Any, actor: User) -> Any:
        """Call the verb; what is returned is said in passing."""
        raise NotImplementedError

    def shown(self, appeal: Appeal) -> dict[str, Any]:
        """What GET adds to the page: a form that is only shown when it is asked for."""
        return {}

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        appeal = appeal_of(request, number)
        return self._answer(appeal, self.refused or self.fragment, self.shown(appeal))

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        appeal = appeal_of(request, number)
        form = self.form(appeal, request)
        if form.is_valid():
            try:
                said = self.act(appeal, form, staff(request))
            except Conflict as error:
                if isinstance(form, VersionedForm):
                    form.show_conflict(appeal_of(request, number), error.details.get("fields", []), error.message)
                else:
                    add_error_to(form, error)
            except HotlineError as error:
                add_error_to(form, error)
            else:
                if not is_partial(request):
                    return redirect("tickets:appeal", number)
                fresh = appeal_of(request, number)
                return tell(self._answer(fresh, self.fragment, {}), said, **{"appeal-changed": ""})
        context = {**self.shown(appeal), self.name: form}
        return self._answer(appeal, self.refused or self.fragment, context, status=422)

    def _answer(self, appeal: Appeal, fragment: str, extra: dict[str, Any], status: int = 200) -> HttpResponse:
        context = detail_context(self.request, appeal, **extra)
        return answer(
            self.request,
            page="tickets/appeal.html",
            fragment=f"tickets/{fragment}.html",
            context=context,
            status=status,
        )


class FactsView(Section):
    """Correct the facts. The second of two operators is told what changed, and keeps what was typed."""

    name, fragment, refused = "facts_form", "_facts", "_facts_form"

    def form(self, appeal: Appeal, request: HttpRequest) -> FactsForm:
        return FactsForm(request.POST, initial=FactsForm.initial_of(appeal), appeal=appeal)

    def shown(self, appeal: Appeal) -> dict[str, Any]:
        return {"facts_form": facts_form(appeal)}

    def act(self, appeal: Appeal, form: FactsForm, actor: User) -> Any:
        actions.edit_appeal(appeal_id=appeal.pk, version=form.cleaned_data["version"], actor=actor, **form.changes())
        return _("Saved.")


class StateView(Section):
    """Move the appeal on."""

    name, fragment = "state_form", "_head"

    def form(self, appeal: Appeal, request: HttpRequest) -> StateForm:
        return StateForm(request.POST)

    def act(self, appeal: Appeal, form: StateForm, actor: User) -> Any:
        data = form.cleaned_data
        changed = actions.change_state(
            appeal_id=appeal.pk, state=data["state"], note=data["note"], version=data["version"], actor=actor
        )
        return changed.get_state_display()


class AssignView(Section):
    """Give a request to a centre, or to another one; of a consultation: note whose contacts were given."""

    name, fragment, refused = "center_form", "_assignment", "_candidates"

    def form(self, appeal: Appeal, request: HttpRequest) -> CenterForm:
        return CenterForm(request.POST)

    def shown(self, appeal: Appeal) -> dict[str, Any]:
        return {"center_form": CenterForm(), "match": match_for(appeal)}

    def act(self, appeal: Appeal, form: CenterForm, actor: User) -> Any:
        center = form.cleaned_data["service_center"]
        if not appeal.is_request:
            actions.give_contacts(appeal_id=appeal.pk, service_center=center, actor=actor)
            return _("Contacts given: %(center)s") % {"center": center}
        actions.assign_center(appeal_id=appeal.pk, service_center=center, note=form.cleaned_data["note"], actor=actor)
        return _("Assigned: %(center)s") % {"center": center}


class EndView(Section):
    """What the centre says of its assignment: taken, declined, completed."""

    name, fragment = "end_form", "_assignment"

    def form(self, appeal: Appeal, request: HttpRequest) -> EndForm:
        return EndForm(request.POST)

    def act(self, appeal: Appeal, form: EndForm, actor: User) -> Any:
        outcome, note = form.cleaned_data["outcome"], form.cleaned_data["note"]
        if outcome == Assignment.State.ACCEPTED:
            assignment = actions.accept_assignment(appeal_id=appeal.pk, note=note, actor=actor)
        else:
            assignment = actions.end_assignment(appeal_id=appeal.pk, outcome=outcome, note=note, actor=actor)
        return assignment.get_state_display()


class CommentsView(Section):
    name, fragment = "comment_form", "_comments"

    def form(self, appeal: Appeal, request: HttpRequest) -> CommentForm:
        return CommentForm(request.POST)

    def act(self, appeal: Appeal, form: CommentForm, actor: User) -> Any:
        active = appeal.active_assignment() if form.cleaned_data["from_center"] else None
        actions.add_comment(
            appeal_id=appeal.pk,
            text=form.cleaned_data["text"],
            service_center=active.service_center if active else None,
            actor=actor,
        )
        return _("Comment added.")


class DocumentsView(Section):
    name, fragment = "document_form", "_documents"

    def form(self, appeal: Appeal, request: HttpRequest) -> DocumentForm:
        return DocumentForm(request.POST, request.FILES)

    def act(self, appeal: Appeal, form: DocumentForm, actor: User) -> Any:
        data = dict(form.cleaned_data)
        document = actions.add_document(appeal_id=appeal.pk, is_answered=not data.pop("waits"), actor=actor, **data)
        return str(document)


class RemindersView(Section):
    name, fragment = "reminder_form", "_reminders"

    def form(self, appeal: Appeal, request: HttpRequest) -> ReminderForm:
        return ReminderForm(request.POST)

    def act(self, appeal: Appeal, form: ReminderForm, actor: User) -> Any:
        actions.set_reminder(appeal_id=appeal.pk, actor=actor, **form.cleaned_data)
        return _("Reminder set.")


class ReferencesView(Section):
    name, fragment = "reference_form", "_references"

    def form(self, appeal: Appeal, request: HttpRequest) -> ReferenceForm:
        return ReferenceForm(request.POST)

    def act(self, appeal: Appeal, form: ReferenceForm, actor: User) -> Any:
        return str(actions.note_reference(appeal_id=appeal.pk, actor=actor, **form.cleaned_data))


class MoveView(Section):
    """Put an appeal that stands on the wrong card on the right one."""

    name, fragment = "move_form", "_owner"

    def form(self, appeal: Appeal, request: HttpRequest) -> MoveForm:
        return MoveForm(request.POST)

    def shown(self, appeal: Appeal) -> dict[str, Any]:
        form = MoveForm()
        form.fields["account"].widget.attrs["autofocus"] = True
        return {"move_form": form}

    def act(self, appeal: Appeal, form: MoveForm, actor: User) -> Any:
        account = form.cleaned_data["account"]
        actions.move_appeal(
            appeal_id=appeal.pk, client=account.client, account=account, reason=form.cleaned_data["reason"], actor=actor
        )
        return _("Moved to %(client)s.") % {"client": account.client}


class DuplicateView(Section):
    name, fragment = "duplicate_form", "_head"

    def form(self, appeal: Appeal, request: HttpRequest) -> DuplicateForm:
        return DuplicateForm(request.POST)

    def act(self, appeal: Appeal, form: DuplicateForm, actor: User) -> Any:
        original = Appeal.objects.visible_to(actor).filter(number=form.cleaned_data["number"]).first()
        if original is None:
            raise NotFound("no_appeal", _("There is no such appeal."), field="number")
        changed = actions.mark_duplicate(appeal_id=appeal.pk, of=original, actor=actor)
        return changed.get_state_display()


class MessagesView(Section):
    """Stage 7 outside of a call: preview, send or record a dictation. `check` only asks."""

    name, fragment = "message_form", "_messages"

    def form(self, appeal: Appeal, request: HttpRequest) -> MessageForm:
        return MessageForm(request.POST)

    def act(self, appeal: Appeal, form: MessageForm, actor: User) -> Any:
        data = form.cleaned_data
        verb = actions.dictate if self.request.POST.get("do") == "dictate" else actions.send_sms
        link = verb(appeal_id=appeal.pk, to=data["to"], purpose=data["purpose"], action_id=form.action(), actor=actor)
        return link.message.get_state_display()

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        if request.POST.get("do") in ("send", "dictate"):
            return super().post(request, number)
        appeal = appeal_of(request, number)
        form = MessageForm(request.POST)
        context: dict[str, Any] = {"message_form": form}
        if form.is_valid():
            preview = actions.message_text(appeal=appeal, purpose=form.cleaned_data["purpose"])
            verdict = eligibility.judge(form.cleaned_data["to"], template=preview.template)
            context |= {"preview": preview, "verdict": verdict}
        return self._answer(appeal, self.fragment, context)


class Settle(RoleRequired, View):
    """A button that settles one thing on an appeal, once."""

    roles: ClassVar[frozenset[Role]] = STAFF
    fragment: ClassVar[str]

    def act(self, appeal: Appeal, pk: int, actor: User) -> Any:
        raise NotImplementedError

    def post(self, request: HttpRequest, number: int, pk: int) -> HttpResponse:
        appeal = appeal_of(request, number)
        self.act(appeal, pk, staff(request))
        if not is_partial(request):
            return redirect("tickets:appeal", number)
        context = detail_context(request, appeal_of(request, number))
        response = answer(
            request, page="tickets/appeal.html", fragment=f"tickets/{self.fragment}.html", context=context
        )
        return tell(response, _("Done."), **{"appeal-changed": ""})


class ResendView(RoleRequired, View):
    """Send a message of this appeal anew: one that failed, or, by a supervisor, an uncertain one."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def post(self, request: HttpRequest, number: int, pk: int) -> HttpResponse:
        appeal = appeal_of(request, number)
        link = appeal.messages.filter(message=pk).select_related("message").first()
        if link is None:
            raise Http404
        user = staff(request)
        if link.message.state == SmsMessage.State.UNKNOWN and not user.is_supervisor:
            raise PermissionDenied
        problem, status, said = "", 200, _("Sent anew: the new message names the old one.")
        try:
            actions.resend(message_id=pk, action_id=uuid_of(request.POST.get("action_id")), actor=user)
        except HotlineError as error:
            problem, status = str(error), error.status
        if not is_partial(request):
            if problem:
                messages.warning(request, problem)
            return redirect("tickets:appeal", number)
        context = detail_context(request, appeal_of(request, number), resend_problem=problem, resend_of=pk)
        response = answer(
            request, page="tickets/appeal.html", fragment="tickets/_messages.html", context=context, status=status
        )
        return response if problem else tell(response, said, **{"appeal-changed": ""})


class LetterAnsweredView(Settle):
    fragment = "_documents"

    def act(self, appeal: Appeal, pk: int, actor: User) -> None:
        if not appeal.documents.filter(pk=pk).exists():
            raise Http404
        actions.answer_letter(document_id=pk, actor=actor)


class ReminderDoneView(Settle):
    fragment = "_reminders"

    def act(self, appeal: Appeal, pk: int, actor: User) -> None:
        if not appeal.reminders.filter(pk=pk).exists():
            raise Http404
        actions.complete_reminder(reminder_id=pk, actor=actor)
