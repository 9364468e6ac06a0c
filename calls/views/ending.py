"""Stages 8 and 9: what the client is told at the end, and goodbye."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from calls.actions import promise_call_back, settle_promised_call_back
from calls.forms import PromiseForm
from calls.models import PromisedCallBack, StageCode
from calls.views.base import CallView
from calls.workspace import NOT_SENT, Workspace
from hotline.base.errors import HotlineError, NotFound
from hotline.base.forms import add_error_to
from hotline.base.phones import format_phone
from sms.models import SmsMessage
from tickets.actions import default_purpose, message_text
from tickets.models import Appeal


# --- Summary --------------------------------------------------------------------------------------
def summary_panel(ws: Workspace, request: HttpRequest, **state: Any) -> dict[str, Any]:
    failed = next((link.message for link in ws.told_by[:1] if link.message.has_failed), None)
    return {"steps": next_steps(ws), "undelivered": _not_delivered(failed) if failed else ""}


def next_steps(ws: Workspace) -> list[str]:
    """What happens next, in sentences that can be read out. Empty: nothing was agreed on."""
    steps: list[str] = []
    appeal = ws.told
    if appeal is not None:
        steps += _about(appeal)
    last = ws.told_by[0].message if ws.told_by else None
    if appeal is not None and last is not None and (last.state == "dictated" or last.state not in NOT_SENT):
        steps.append(_about_message(last, appeal))
    if ws.promise is not None:
        promised = {"when": _moment(ws.promise.due_at, ws.time_zone), "number": format_phone(ws.promise.number)}
        steps.append(_("We will call you back %(when)s, at %(number)s.") % promised)
    return steps


def _about(appeal: Appeal) -> list[str]:
    facts: dict[str, Any] = {"number": appeal.number}
    if not appeal.is_request and appeal.referred_to is None:
        return [_("Your appeal is registered, its number is %(number)s.") % facts]
    told = message_text(appeal=appeal, purpose=default_purpose(appeal)).contacts
    if told is None:
        reason = appeal.no_center_note or appeal.get_no_center_reason_display()
        return [
            _("Your request is registered, its number is %(number)s.") % facts,
            _("No service centre is assigned yet: %(reason)s.") % {"reason": reason},
        ]
    facts = {**facts, "name": told.name, "address": told.full_address, "phones": ", ".join(told.phones)}
    if appeal.is_request:
        return [
            _("Your request is registered, its number is %(number)s.") % facts,
            _("It is given to the service centre «%(name)s», %(address)s, telephone %(phones)s.") % facts,
        ]
    if appeal.verdict != Appeal.Verdict.OUT:
        return [_("The service centre: «%(name)s», %(address)s, telephone %(phones)s.") % facts]
    return [
        _("Out of warranty the repair is paid for. The service centre: «%(name)s», %(address)s, telephone %(phones)s.")
        % facts
    ]


def _about_message(message: SmsMessage, appeal: Appeal) -> str:
    if message.state == SmsMessage.State.DICTATED:
        return _("The data were dictated to you.")
    facts = {"number": format_phone(message.to).replace(" ", "\N{NO-BREAK SPACE}")}  # read aloud in one breath
    if not appeal.is_request:
        return _("The contacts of the centre were sent by SMS to %(number)s.") % facts
    return _("The data of the request and the contacts of the centre were sent by SMS to %(number)s.") % facts


def _not_delivered(message: SmsMessage) -> str:
    """To the operator, not to be read out."""
    return _("The SMS to %(number)s did not arrive: dictate the data.") % {"number": format_phone(message.to)}


def _moment(moment: datetime, zone: str) -> str:
    """«24 ноября в 10:00», in the client's own time where that is known."""
    local = moment.astimezone(ZoneInfo(zone)) if zone else timezone.localtime(moment)
    return _("on %(day)s at %(time)s") % {"day": date_format(local, "j E"), "time": f"{local:%H:%M}"}


# --- Farewell -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Due:
    """A moment that is promised in one key."""

    label: str
    moment: datetime
    key: str


def farewell_panel(
    ws: Workspace, request: HttpRequest, form: PromiseForm | None = None, **state: Any
) -> dict[str, Any]:
    if form is None:
        form = PromiseForm(
            zone=ws.time_zone, initial={"number": format_phone(ws.call.number) if ws.call.number else ""}
        )
    if wrong := next((name for name in form.fields if name in form.errors), ""):
        form.fields[wrong].widget.attrs["autofocus"] = True  # and not «goodbye», with nothing promised
    return {"form": form, "wrong": wrong, "dues": dues(timezone.now(), ws.time_zone), "promised": ws.promise}


def dues(now: datetime, zone: str) -> list[Due]:
    """In an hour, this evening, tomorrow at ten: by the client's clock, which is the one the client hears."""
    local = now.astimezone(ZoneInfo(zone)) if zone else timezone.localtime(now)
    soon = (now + timedelta(hours=1)).replace(second=0, microsecond=0)
    found = [(_("in an hour"), soon)]
    evening = local.replace(hour=18, minute=0, second=0, microsecond=0)
    if evening - local > timedelta(hours=2):
        found.append((_("today at 18:00"), evening))
    tomorrow = (local + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
    found.append((_("tomorrow at 10:00"), tomorrow))
    found.append((_("tomorrow at 18:00"), tomorrow.replace(hour=18)))
    # Not Alt C: that is the call back's, which may come to stand above them while they are there.
    keys = ("Alt+KeyZ", "Alt+KeyY", "Alt+KeyV", "Alt+KeyM")
    return [Due(label, moment, key) for (label, moment), key in zip(found, keys, strict=False)]


class Promise(CallView):
    """«Перезвоним вам»: recorded while talking, with its time; taken back while it is still owed."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.POST.get("act") == "cancel":
            promise = self.workspace().promise
            if promise is None:
                raise NotFound("no_promise", _("No call back was promised in this call."))
            settle_promised_call_back(
                call_back_id=promise.pk,
                state=PromisedCallBack.State.CANCELLED,
                note=_("taken back in the same call"),
                actor=self.user,
            )
            return self.stage(StageCode.FAREWELL)
        form = PromiseForm(request.POST, zone=self.workspace().time_zone)
        if not form.is_valid():
            return self.stage(StageCode.FAREWELL, status=422, form=form)
        try:
            promise_call_back(
                call_id=pk,
                due_at=form.cleaned_data["moment"],
                number=form.cleaned_data["number"],
                reason=form.cleaned_data["reason"],
                actor=self.user,
            )
        except HotlineError as error:
            add_error_to(form, error)
            return self.stage(StageCode.FAREWELL, status=422, form=form)
        return self.stage(StageCode.FAREWELL, toast=_("The call back is promised, and stands in your day."))
