"""Calls over the API: what the exchange tells, and reading for staff and machines."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db.models import QuerySet
from django.http import UnreadablePostError
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from calls.actions import record_event
from calls.filters import CallFilter
from calls.models import Call
from calls.serializers import (
    CallDetailSerializer,
    CallEventSerializer,
    CallSerializer,
    EventOutcomeSerializer,
    GenericEventSerializer,
)
from calls.telephony import generic
from hotline.base.api import KeysetPagination
from hotline.base.errors import Forbidden, HotlineError, Invalid
from hotline.operators.access import MACHINES, STAFF
from hotline.operators.authentication import find_token
from hotline.operators.models import ApiToken, Role, User


class NewestFirstPagination(KeysetPagination):
    ordering = ("-started_at", "-pk")


class CallViewSet(ReadOnlyModelViewSet):
    """Calls, newest first. An operator sees the own ones, supervisors and machines all."""

    roles = STAFF | MACHINES
    filterset_class = CallFilter
    pagination_class = NewestFirstPagination
    queryset = Call.objects.none()

    def get_queryset(self) -> QuerySet[Call]:
        calls = Call.objects.visible_to(self.request.user)  # type: ignore[arg-type]
        if self.action == "list":
            return calls.for_list()
        return (
            calls.for_workspace()
            .select_related("lost_call_back__attempt_call")
            .prefetch_related("appeals__appeal", "stage_acts", "references")
        )

    def get_serializer_class(self) -> type[CallSerializer]:
        return CallDetailSerializer if self.action == "retrieve" else CallSerializer

    @extend_schema(responses=CallEventSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def events(self, request: Request, pk: str) -> Response:
        """What the exchange said of a call, in the order in which it came."""
        call = self.get_object()
        return Response(CallEventSerializer(call.events.order_by("received_at", "pk"), many=True).data)


class Unauthorised(HotlineError):
    """The token in the address opens nothing: 401."""

    status = 401


class GenericEventsView(APIView):
    """Events of an exchange that talks as to Zammad's generic CTI. The token in the address is the key."""

    # Who asks is told by the token in the address, by nothing else; the permission matrix knows this view as public.
    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (JSONParser, FormParser)  # for the schema; the adapter reads the body itself

    @extend_schema(
        parameters=[OpenApiParameter("token", str, OpenApiParameter.PATH, description="A token with scope telephony.")],
        request={
            "application/json": GenericEventSerializer,
            "application/x-www-form-urlencoded": GenericEventSerializer,
        },
        responses={
            200: EventOutcomeSerializer,
            400: OpenApiResponse(description="malformed, event_missing, call_id_missing, too_big"),
            401: OpenApiResponse(description="The token is unknown, expired or revoked."),
            403: OpenApiResponse(description="The token has not got the scope telephony."),
        },
    )
    def post(self, request: Request, token: str) -> Response:
        exchange = _exchange(token)
        try:
            body = request.body
        except (RequestDataTooBig, UnreadablePostError) as error:
            raise Invalid("malformed", _("The event could not be read.")) from error
        values = generic.read(body, request.content_type or "")
        event = generic.fold(values, generic.source_of(exchange.username, exchange.pk))
        recorded = record_event(event=event, actor=exchange)
        outcome = "duplicate" if recorded.is_repeat else recorded.outcome
        return Response({"outcome": outcome, "call": recorded.call_id})


def _exchange(token: str) -> User:
    """The exchange whose token this is. Raises Unauthorised, Forbidden."""
    found = find_token(token)
    if found is None:
        raise Unauthorised("invalid_token", _("This token is unknown, expired or revoked."))
    if found.user.role != Role.INTEGRATION or ApiToken.Scope.TELEPHONY not in found.scopes:
        raise Forbidden("insufficient_scope", _("This token has not got the scope «telephony»."))
    return found.user


router = SimpleRouter()
router.register("calls", CallViewSet, basename="calls")

urlpatterns: list[Any] = [
    path("telephony/events/generic/<str:token>/", GenericEventsView.as_view(), name="telephony-generic"),
    *router.urls,
]
