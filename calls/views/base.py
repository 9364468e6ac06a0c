"""What every view of the workspace shares: whose call it is, and how an answer is put together.

An answer to htmx is either the work of a stage with the rest of the frame out of band (`stage`), or the frame alone,
which leaves what is being typed as it is (`frame`). The page includes the same fragments.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View

from calls.models import Call, Draft
from calls.workspace import Workspace
from hotline.base.errors import HotlineError, NotFound
from hotline.operators.access import STAFF, RoleRequired
from hotline.operators.models import Role, User


class CallView(RoleRequired, View):
    """A view of one call. Another operator's call is not there at all (404)."""

    roles: ClassVar[frozenset[Role]] = STAFF
    request: HttpRequest
    user: User

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.user = request.user  # type: ignore[assignment]
        self.pk: int = kwargs["pk"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A typed refusal that no view turned into words of its own becomes a toast, with its status."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except HotlineError as error:
            return self.refusal(error)

    # --- Reading ----------------------------------------------------------------------------------------------------
    def call(self) -> Call:
        mine = Draft.objects.open().filter(owner=self.user).values("call")
        visible = Q(pk__in=Call.objects.visible_to(self.user).values("pk")) | Q(pk__in=mine)
        call = Call.objects.for_workspace().filter(visible, pk=self.pk).first()
        if call is None:
            raise NotFound("not_found", _("There is no such call."))
        return call

    def workspace(self, stage: str = "") -> Workspace:
        return Workspace(self.call(), self.user, stage)

    # --- Answering ----------------------------------------------------------------------------------------------------
    def stage(
        self, stage: str = "", *, status: int = 200, toast: str = "", level: str = "ok", **state: Any
    ) -> HttpResponse:
        """The work of a stage (where the call stands, if none is named) and the frame around it.

        `state` goes to the stage's panel: a form with its errors, say.
        """
        from calls.views.panels import context_of

        ws = self.workspace(stage)
        response = render(self.request, "calls/_answer.html", context_of(ws, self.request, **state), status=status)
        # Said here and not by attributes: the key of the strip that asked may have been swapped away by a live update
        # meanwhile, and then htmx finds none of what it had inherited, nor a new target.
        response["HX-Reswap"] = "outerHTML"
        if self.request.htmx and self.request.htmx.target != "call-work":  # type: ignore[attr-defined]
            response["HX-Retarget"] = "#call-work"
        response["HX-Replace-Url"] = f"{reverse('calls:call', args=[self.pk])}?stage={ws.stage}"
        return with_toast(response, toast, level)

    def frame(self, stage: str = "", *, toast: str = "", level: str = "ok") -> HttpResponse:
        """The strip, the stages and the client out of band; what stands in the middle stays untouched."""
        ws = self.workspace(stage or self.request.POST.get("stage", ""))
        # `said_anew`: of the stage that asked, and for a page that still shows it.
        context = {"ws": ws, "call": ws.call, "oob": True, "said_anew": True}
        response = render(self.request, "calls/_frame.html", context)
        response["HX-Reswap"] = "none"
        return with_toast(response, toast, level)

    def refusal(self, error: HotlineError) -> HttpResponse:
        """What can't be done, in words, beside nothing in particular: a toast. The page stays as it is."""
        if not self.request.htmx:  # type: ignore[attr-defined]
            if error.status == 404:
                raise Http404 from error
            return render(self.request, "calls/refused.html", {"message": str(error)}, status=error.status)
        response = HttpResponse(status=error.status)
        response["HX-Reswap"] = "none"
        return with_toast(response, str(error), "warn")


def to_call(call: Call) -> HttpResponse:
    """To a call's workspace within the page: no load, whatever page of ours it is."""
    response = HttpResponse()
    path = reverse("calls:call", args=[call.pk])
    response["HX-Location"] = json.dumps({"path": path, "target": "#main", "swap": "innerHTML"})
    return response


def with_toast(response: HttpResponse, message: str, level: str) -> HttpResponse:
    """HTTP headers are Latin-1: JSON's escapes carry the Russian."""
    if message:
        response["HX-Trigger"] = json.dumps({"toast": {"message": message, "level": level}})
    return response
