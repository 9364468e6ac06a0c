"""The fragment of a message's state, which other rooms' pages include, and the demo's page «what was sent»."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.generic import View

from hotline.operators.access import STAFF, RoleRequired, role_required
from hotline.operators.models import Role
from sms.forms import BehaviourForm
from sms.gateways import routing
from sms.gateways.development import DevelopmentGateway, GatewayDown
from sms.models import SmsMessage
from sms.reasons import in_words


@role_required(STAFF)
@require_safe
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """The chip of a message's state, fetched anew whenever the message moves."""
    message = get_object_or_404(SmsMessage.objects.visible_to(request.user), pk=pk)  # type: ignore[arg-type]
    return render(request, "sms/_message_state.html", {"message": message})


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it arrived at the development gateway."""

    to: str
    text: str
    at: datetime
    segments: int
    encoding: str
    state: str
    reason: str

    @property
    def state_word(self) -> str:
        return str(SmsMessage.State(self.state).label)

    @classmethod
    def of(cls, told: dict[str, Any]) -> Sent:
        return cls(
            to=str(told["to"]),
            text=str(told["text"]),
            at=datetime.fromtimestamp(float(told["at"]), tz=UTC),
            segments=int(told["segments"]),
            encoding=str(told["encoding"]),
            state=str(told["state"]),
            reason=in_words(str(told["reason"])),
        )


class SentView(RoleRequired, View):
    """What arrived at the development gateway, as a telephone would show it. Demo mode only."""

    roles: ClassVar[frozenset[Role]] = STAFF
    # A page must not wait for the gateway as long as a message may.
    patience = 1.5

    def get(self, request: HttpRequest) -> HttpResponse:
        gateway = self._gateway()
        context: dict[str, Any] = {"url": gateway.url}
        is_partial = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
        try:
            context["sent"] = [Sent.of(told) for told in gateway.sent()]
            if not is_partial:
                behaviour = gateway.behaviour()
                context["form"] = BehaviourForm(initial=behaviour)
                context["has_faults"] = behaviour != {"answer": "deliver", "delay_ms": 0}
        except (GatewayDown, KeyError, TypeError, ValueError):
            context["down"] = True
        response = render(request, f"sms/{'_sent' if is_partial else 'sent'}.html", context)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def post(self, request: HttpRequest) -> HttpResponse:
        """Tell the gateway how to behave from now on."""
        form = BehaviourForm(request.POST)
        gateway = self._gateway()
        if not form.is_valid():
            messages.error(request, _("There is no such behaviour."))
            return redirect("sms:sent")
        try:
            gateway.behave(**form.cleaned_data)
        except GatewayDown:
            messages.error(request, _("The development gateway does not answer."))
        else:
            messages.success(request, _("The development gateway behaves like that from now on."))
        return redirect("sms:sent")

    def _gateway(self) -> DevelopmentGateway:
        if not settings.DEMO or DevelopmentGateway.name not in routing.in_use():
            raise Http404
        return DevelopmentGateway(timeout=self.patience)
