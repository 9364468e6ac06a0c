"""What gateways tell us by themselves: `POST /api/v1/sms/callbacks/<gateway>/<secret>/`.

The secret stands in the address, as gateways have no other place for one, and is compared in constant time; the
gateway's own proof (a hash over the body) is the adapter's affair. Repeated and late words do no harm: each lands in
the inbox, and states only move forward.
"""

from __future__ import annotations

from urllib.parse import parse_qs

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from hotline.base.errors import Invalid, NotFound
from sms import gateways
from sms.actions import receive_status
from sms.gateways import callback_address, routing
from sms.gateways.base import Callback, CallbackRefused, Gateway

log = structlog.get_logger(__name__)


class GatewayCallback(APIView):
    """A gateway tells what became of messages. Answered in plain text, as it expects."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        request={"application/x-www-form-urlencoded": {"type": "object"}},
        responses={
            (200, "text/plain"): OpenApiResponse(str, description="What the gateway expects: `OK`, or its own word."),
            400: OpenApiResponse(description="Not readable, or not proved to come from the gateway."),
            404: OpenApiResponse(description="No such gateway, or another secret."),
        },
    )
    def post(self, request: Request, gateway: str, secret: str) -> HttpResponse:
        adapter = _adapter(gateway, secret)
        try:
            reply = adapter.parse_callback(_read(request._request))
        except CallbackRefused as refusal:
            log.warning("sms_callback_refused", gateway=gateway, code=refusal.code)
            raise Invalid(refusal.code, _("This callback can't be taken.")) from refusal
        for status in reply.statuses:
            receive_status(
                gateway=gateway,
                gateway_id=status.gateway_id,
                state=status.state,
                reason=status.reason,
                reference=status.reference,
                cost=status.cost,
            )
        log.info("sms_callback", gateway=gateway, statuses=len(reply.statuses))
        return HttpResponse(reply.answer, content_type="text/plain; charset=utf-8")


def _adapter(name: str, secret: str) -> Gateway:
    """The gateway whose address this is; raises NotFound, the same for an unknown gateway and for a wrong secret."""
    right = callback_address.secret_of(name)
    matches = constant_time_compare(secret, right) and bool(right)
    if not matches or name not in routing.in_use() or not gateways.by_name(name).capabilities.callback:
        raise NotFound("not_found", _("There is nothing at this address."))
    return gateways.by_name(name)


def _read(request: HttpRequest) -> Callback:
    """The request, free of Django; raises CallbackRefused where its body can't be read."""
    try:
        body = request.body
        form = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=1000)
    except (UnreadablePostError, RequestDataTooBig) as error:
        raise CallbackRefused("unreadable") from error
    except ValueError:  # no form, or not UTF-8: JSON is read by the adapter
        form = {}
    return Callback(form=form, body=body)
