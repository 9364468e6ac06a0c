"""Stage 7: an SMS where one can be sent, dictation where not. What was sent or dictated is on the record (R3)."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from calls.actions import complete_stage, dictate_in_call, send_sms_in_call, submit_draft
from calls.models import Draft, StageCode
from calls.views.base import CallView
from calls.views.fields import number_of, uuid_of
from calls.workspace import Workspace
from hotline.base.errors import HotlineError, NotFound, Refused
from hotline.base.phones import format_phone
from sms import eligibility
from sms.models import SmsMessage
from sms.wishes import act, wishes_of
from tickets.actions import Preview, default_purpose
from tickets.models import Appeal, AppealMessage


def panel(
    ws: Workspace,
    request: HttpRequest,
    to: str | None = None,
    error: str = "",
    dictate: bool = False,
    again: bool = False,
    live: bool = False,
    **state: Any,
) -> dict[str, Any]:
    """`to`: the number as it was just typed; without it `ws.sms_to` says. `live`: it comes by itself. `again`: one
    more, to another number, although it was sent."""
    appeal, preview = ws.told, ws.preview
    context: dict[str, Any] = {"appeal": appeal, "error": error, "messages_of_call": ws.messages}
    if appeal is None or preview is None:
        return context
    ws.to = to
    gate = ws.gate
    last = ws.told_by[0].message if ws.told_by else None
    failed = last is not None and last.state in {*SmsMessage.FAILED, SmsMessage.State.UNKNOWN}
    sent = last is not None and not failed and not again
    draft = ws.drafts.get(Draft.Form.SMS)
    return {
        **context,
        "to": _in_the_field(ws, gate),
        "draft": draft,
        "gate": gate,
        "wishes": _wishes(gate),
        "preview": preview,
        "live": live,
        "last": last,
        "failed": failed,
        "sent": sent,
        "dictation": dictation_of(appeal, preview),
        # Asked for, it is dictated whatever was sent: «не вижу СМС».
        "again": again,
        "dictating": dictate or (not sent and not again and (failed or not gate.allowed or bool(gate.warning))),
        "nothing_to_tell": not preview.is_ready and preview.contacts is None and not ws.messages,
        "off_the_line": ws.facts.ended,
        "send_action": draft.action_id if draft else uuid4(),
        "dictate_action": _dictation_action(ws, preview),
    }


def _dictation_action(ws: Workspace, preview: Preview) -> UUID:
    """One until something was sent or dictated: the card is made anew while a number is typed, and two presses of its
    key, on the old one and on the new, are one dictation."""
    last = ws.messages[0].pk if ws.messages else 0
    return uuid5(NAMESPACE_OID, f"dictated {ws.call.pk} {last} {preview.text}")


def _in_the_field(ws: Workspace, gate: eligibility.Verdict) -> str:
    """The number as it is read; nothing where the exchange has «anonymous» in its place; what was typed as it was."""
    if gate.code == "hidden" and ws.to is None:
        return ""
    known = {ws.call.number, *(link.message.to for link in ws.told_by[:1])}
    return format_phone(ws.sms_to) if ws.sms_to in known else ws.sms_to


def dictation_of(appeal: Appeal, preview: Preview, purpose: str = "") -> list[dict[str, Any]]:
    """What is read aloud, one fact a line; digits are grouped by the template."""
    told = preview.contacts
    rows: list[dict[str, Any]] = [
        {"label": _("Request number") if appeal.is_request else _("Appeal number"), "digits": str(appeal.number)}
    ]
    if purpose == AppealMessage.Purpose.STATUS:
        rows.append({"label": _("State of the request"), "text": appeal.get_state_display()})
    if told is None:
        return rows
    rows.append({"label": _("Service centre"), "text": told.name})
    rows += [{"label": _("Telephone"), "digits": phone} for phone in told.phones]
    rows.append({"label": _("Address"), "text": told.full_address})
    if told.hours:
        rows.append({"label": _("Opening hours"), "text": told.hours})
    return rows


class Gate(CallView):
    """May an SMS go to the number typed just now? The verdict, and what follows from it: sent, or dictated."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        ws = self.workspace(StageCode.SMS)
        _told(ws)
        told = panel(ws, request, to=request.POST.get("to", "")[:100], again="again" in request.POST)
        context = {"ws": ws, "call": ws.call, **told}
        return render(request, "calls/_judged_number.html", context)


class Wishes(CallView):
    """The client says whether SMS are wanted at a number at all, and such as need consent."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        ws = self.workspace(StageCode.SMS)
        if not ws.is_editable:
            raise Refused("closed", _("This call is closed."))
        to = request.POST.get("to", "")[:100]
        said = act(request.POST.get("do", ""), number=to, actor=self.user)
        return self.stage(StageCode.SMS, to=to, toast=said)


def _wishes(gate: eligibility.Verdict) -> object:
    """What the client behind a number said of SMS; None where none could go there anyway."""
    return wishes_of([gate.phone.e164]).get(gate.phone.e164) if gate.takes_sms else None


class Send(CallView):
    """GET: the form once more, for another number. POST: queue the message; the worker sends it, and the page hears
    what became of it.
    """

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.stage(StageCode.SMS, to="", again=True)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        ws = self.workspace(StageCode.SMS)
        appeal = _told(ws)
        to = request.POST.get("to", "")[:100]
        action_id = uuid_of(request.POST.get("action_id"))
        try:
            with transaction.atomic():
                send_sms_in_call(
                    call_id=pk,
                    appeal_id=appeal.pk,
                    to=to,
                    purpose=default_purpose(appeal),
                    action_id=action_id,
                    actor=self.user,
                )
                submit_draft(call_id=pk, form=Draft.Form.SMS, action_id=action_id, actor=self.user, appeal=appeal)
        except HotlineError as error:
            if error.code == "already_sent":  # in another window: what became of it stands here now
                return self.stage(StageCode.SMS, status=error.status, toast=str(error), level="warn")
            again = "again" in request.POST
            return self.stage(StageCode.SMS, status=error.status, to=to, again=again, error=str(error))
        return self.stage(StageCode.SMS)


class Dictate(CallView):
    """GET: the card to read from. POST: it was dictated and read back."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.stage(StageCode.SMS, dictate=True)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        ws = self.workspace(StageCode.SMS)
        appeal = _told(ws)
        dictate_in_call(
            call_id=pk,
            appeal_id=appeal.pk,
            to=ws.call.number or ws.call.number_raw,
            purpose=default_purpose(appeal),
            action_id=uuid_of(request.POST.get("action_id")),
            actor=self.user,
        )
        complete_stage(call_id=pk, stage=StageCode.SMS, actor=self.user, data=ws.evidence())
        return self.stage(StageCode.SUMMARY, toast=_("Recorded as dictated and read back."))


class MessageStatus(CallView):
    """What became of a message of this call: fetched when the outbox says that it moved."""

    def get(self, request: HttpRequest, pk: int, message: int) -> HttpResponse:
        ws = self.workspace(StageCode.SMS)
        link = next((each for each in ws.messages if each.message_id == number_of(message)), None)
        if link is None:
            raise NotFound("no_message", _("There is no such message in this call."))
        if link in ws.told_by[:1] and _telling(link.message.state) != _telling(request.GET.get("was", "")):
            # The client is still on the line: the card to dictate from comes up by itself where the message will not
            # arrive, and goes where the uncertain one did.
            return self.stage(StageCode.SMS, live=True)
        return render(request, "calls/_message.html", {"ws": ws, "call": ws.call, "link": link, "asked": True})


def _telling(state: str) -> str:
    """What stage 7 makes of a message in this state: beside «failed» and «unknown» it counts as sent."""
    if state in SmsMessage.FAILED:
        return "failed"
    return "unknown" if state == SmsMessage.State.UNKNOWN else "sent"


def _told(ws: Workspace) -> Appeal:
    if ws.told is None:
        raise NotFound("no_appeal", _("Register the appeal first: its data go with the message."))
    return ws.told
