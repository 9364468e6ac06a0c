"""The keys of the strip: the dialog has begun, how the talk ended, hang-up, parking, flags, the one call back."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from calls.actions import (
    answer_by_hand,
    begin_dialog,
    declare_ending,
    end_by_hand,
    park_call,
    reopen_call,
    resume_call,
    set_flags,
    set_talk_ended_by,
    start_lost_call_back,
    take_call,
)
from calls.models import Call, StageCode
from calls.views.base import CallView, to_call
from hotline.base.errors import NotFound


class Dialog(CallView):
    """«Диалог начат»: from now on a lost connection is called back, and a consultation is owed."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        begin_dialog(call_id=pk, actor=self.user)
        return self.frame()


class HangUp(CallView):
    """The talk is over and the exchange has not said so."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        end_by_hand(call_id=pk, hung_up_by=Call.HungUpBy.OPERATOR, actor=self.user)
        return self.frame()


class Ending(CallView):
    """After a hang-up in dialog: `ending` goodbye or lost; until the call is closed it may be corrected."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        declare_ending(call_id=pk, ending=request.POST.get("ending", ""), actor=self.user)
        # What is missing to close is listed in the middle of the last stage, and has just changed.
        return self.stage(StageCode.WRAP_UP) if request.POST.get("stage") == StageCode.WRAP_UP else self.frame()


class EndedBy(CallView):
    """Who ends the talk, by the operator's word: one key turns it round."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        party = request.POST.get("party", "")
        if not party:
            ended_by = self.call().talk_ended_by
            party = Call.Party.OPERATOR if ended_by == Call.Party.CLIENT else Call.Party.CLIENT
        set_talk_ended_by(call_id=pk, party=party, actor=self.user)
        return self.stage(request.POST.get("stage", StageCode.SUMMARY))


class Flags(CallView):
    """An atypical question, or the client asks for the rating himself; each key turns its flag round."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        call = self.call()
        flag = request.POST.get("flag", "")
        set_flags(
            call_id=pk,
            actor=self.user,
            is_atypical=not call.is_atypical if flag == "is_atypical" else None,
            wants_rating=not call.wants_rating if flag == "wants_rating" else None,
        )
        return self.stage(request.POST.get("stage", StageCode.FAREWELL))


class Take(CallView):
    """Answered at a telephone that nobody is signed in at, or the exchange has not said by whom: it is mine."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if self.call().line_state == Call.LineState.RINGING:
            answer_by_hand(call_id=pk, actor=self.user)
        else:
            take_call(call_id=pk, actor=self.user)
        return self.stage()


class Park(CallView):
    """Put the open call aside for another one, and take it up again."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if self.call().parked_at:
            resume_call(call_id=pk, actor=self.user)
            return self.frame(toast=_("You are back in this call."))
        park_call(call_id=pk, actor=self.user)
        return self.frame(toast=_("The call is parked: it waits in «My day»."))


class CallBack(CallView):
    """The one call back after a lost connection (D2): begins an outgoing call in the same workspace."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        back = self.workspace().lost
        if back is None:
            raise NotFound("not_found", _("There is no such call back."))
        return to_call(start_lost_call_back(call_back_id=back.pk, actor=self.user))


class Reopen(CallView):
    """A call closed by mistake is taken up again, with the reason; GET asks for it in a dialog."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return render(request, "calls/_reopen_dialog.html", {"call": self.call()})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        reopen_call(call_id=pk, reason=request.POST.get("reason", ""), actor=self.user)
        return self.stage(StageCode.WRAP_UP, toast=_("The call is open again."))
