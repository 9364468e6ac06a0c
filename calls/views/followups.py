"""An SMS that did not arrive, to be made good on the telephone: what to say, to whom, and how it was settled (R3)."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views import View

from calls.actions import dictate_follow_up, resend_follow_up, settle_follow_up
from calls.models import FollowUp
from calls.views.fields import uuid_of
from calls.views.messages import dictation_of
from hotline.base.errors import HotlineError
from hotline.operators.access import STAFF, RoleRequired
from hotline.operators.models import Role, User
from sms import eligibility
from tickets.actions import is_outdated, message_text, template_of
from tickets.models import Appeal, AppealMessage


class FollowUpView(RoleRequired, View):
    """One item. POST `do`: `dictate`, `resend`, `settle` with a `note`. Another's is not there at all (404)."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._page(request, pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        action_id = uuid_of(request.POST.get("action_id"))
        note = request.POST.get("note", "")
        try:
            match request.POST.get("do"):
                case "dictate":
                    dictate_follow_up(pk=pk, action_id=action_id, actor=user)
                    said = _("Recorded as dictated and read back.")
                case "resend":
                    resend_follow_up(pk=pk, action_id=action_id, actor=user)
                    said = _("Sent anew: the new message names the old one.")
                case _:
                    settle_follow_up(pk=pk, note=note, actor=user)
                    said = _("Noted.")
        except HotlineError as error:
            return self._page(request, pk, status=error.status, note=note, error=error)
        messages.success(request, said)
        return redirect("calls:list")

    def _page(
        self, request: HttpRequest, pk: int, *, status: int = 200, note: str = "", error: HotlineError | None = None
    ) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        item = FollowUp.objects.visible_to(user).for_detail().filter(pk=pk).first()
        if item is None:
            raise Http404
        return render(request, "calls/follow_up.html", _context(item, note, error), status=status)


def _context(item: FollowUp, note: str, error: HotlineError | None) -> dict[str, Any]:
    """What is dictated is made of the appeal as it stands now, as a message would be."""
    message = item.link.message
    appeal = Appeal.objects.for_detail().get(pk=item.link.appeal_id)
    preview = message_text(appeal=appeal, purpose=item.link.purpose, template=template_of(message))
    later = AppealMessage.objects.instead_of(appeal=item.link.appeal_id, purpose=item.link.purpose, pk=item.link_id)
    gate = eligibility.judge(message.to, category=message.category, template=message.template)
    outdated = is_outdated(appeal, item.link)
    is_over = appeal.is_request and not appeal.is_open
    # What is most likely done: told on the telephone; of a request that is over, probably nothing.
    focus = "resend" if gate.allowed and not outdated else "note"
    if preview.is_ready and not is_over:
        focus = "dictate"
    return {
        "item": item,
        # Until the sweep settles it: nothing is left to be done.
        "made_good": later.select_related("message__requested_by").order_by("-pk").first()
        if not item.done_at
        else None,
        "message": message,
        "appeal": appeal,
        "preview": preview,
        "dictation": dictation_of(appeal, preview, item.link.purpose),
        "outdated": outdated,
        "is_over": is_over,
        "focus": "note" if error and error.field == "note" else focus,
        "gate": gate,
        "dictate_action": uuid4(),
        "resend_action": uuid4(),
        "note": note,
        "error": str(error) if error and error.field != "note" else "",
        "note_error": str(error) if error and error.field == "note" else "",
    }
