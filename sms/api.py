"""SMS over the API: the outbox, the gate by number, templates and their preview."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet, ViewSet

from hotline.base.errors import Invalid
from hotline.operators.access import MACHINES, STAFF
from hotline.operators.models import Role
from sms import eligibility, segments, templating
from sms.actions import queue_message
from sms.callbacks import GatewayCallback
from sms.filters import MessageFilter
from sms.models import SmsMessage, SmsTemplate
from sms.serializers import (
    ContentSerializer,
    MessageDetailSerializer,
    MessageSerializer,
    NumberSerializer,
    PreviewSerializer,
    SendSerializer,
    TemplateSerializer,
    VerdictSerializer,
)


def _content(data: dict[str, Any]) -> tuple[str, SmsTemplate | None]:
    """The text that was asked for, and the template it came from."""
    if "text" in data:
        return templating.checked_text(data["text"]), None
    template = SmsTemplate.objects.current().filter(code=data["template"]).first()
    if template is None:
        raise Invalid("unknown_template", _("There is no template with this code."), field="template")
    return templating.render(template, data.get("values", {})), template


class MessageViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """The outbox. A machine sees the messages it asked for, staff all of them."""

    roles = STAFF | MACHINES
    filterset_class = MessageFilter
    queryset = SmsMessage.objects.none()

    def get_queryset(self) -> QuerySet[SmsMessage]:
        messages = SmsMessage.objects.visible_to(self.request.user)  # type: ignore[arg-type]
        return messages.for_list() if self.action == "list" else messages.for_detail()

    def get_serializer_class(self) -> type[BaseSerializer]:
        return MessageSerializer if self.action == "list" else MessageDetailSerializer

    @extend_schema(request=SendSerializer, responses={201: MessageDetailSerializer})
    def create(self, request: Request) -> Response:
        """Put a message into the outbox; it is sent as soon as a worker takes it. Follow `state` of what comes back.

        The same `action_id` with the same content is the same message: a request may be repeated without harm. With
        other content it is a conflict (409 `action_id_reused`). A number that gets no SMS is refused (409) with the
        code of the rule. What a machine asks for waits for the end of the quiet hours (`reason` is `quiet_hours`).
        """
        asked = SendSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        text, template = _content(given)
        # A person asks for it here and now, and it goes at any hour; a machine does not.
        zone = settings.TIME_ZONE if request.user.role == Role.INTEGRATION else ""  # type: ignore[union-attr]
        message = queue_message(
            action_id=given["action_id"],
            to=given["to"],
            text=text,
            template=template,
            category=given.get("category", ""),
            sender=given.get("sender", ""),
            quiet_zone=given.get("timezone", zone),
            actor=request.user,  # type: ignore[arg-type]
        )
        return Response(MessageDetailSerializer(message).data, status=201)


class TemplateViewSet(ReadOnlyModelViewSet):
    """Templates: of each the version in use."""

    roles = STAFF | MACHINES
    queryset = SmsTemplate.objects.current()
    serializer_class = TemplateSerializer
    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]+"


class EligibilityViewSet(ViewSet):
    """The gate: may an SMS go to this number?"""

    roles = STAFF | MACHINES

    @extend_schema(parameters=[OpenApiParameter("number", str, required=True)], responses=VerdictSerializer)
    def list(self, request: Request) -> Response:
        """Judge a number in any spelling: SMS go to mobile numbers of Russia only. The verdict says why not."""
        asked = NumberSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(VerdictSerializer(eligibility.judge(asked.validated_data["number"])).data)


class PreviewViewSet(ViewSet):
    """What a message will look like, and how many SMS it takes. Nothing is sent or kept."""

    roles = STAFF | MACHINES
    # It writes nothing: a token that may read may ask.
    scopes = "read"

    @extend_schema(request=ContentSerializer, responses=PreviewSerializer)
    def create(self, request: Request) -> Response:
        """Render a template, or count a text as it is. A missing value is refused (400 `missing_value`)."""
        asked = ContentSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        text, _template = _content(asked.validated_data)
        return Response(PreviewSerializer.of(text, segments.count(text)).data)


router = SimpleRouter()
router.register("sms/messages", MessageViewSet, basename="sms-messages")
router.register("sms/templates", TemplateViewSet, basename="sms-templates")
router.register("sms/eligibility", EligibilityViewSet, basename="sms-eligibility")
router.register("sms/preview", PreviewViewSet, basename="sms-preview")

urlpatterns = [
    *router.urls,
    path("sms/callbacks/<slug:gateway>/<str:secret>/", GatewayCallback.as_view(), name="sms-callback"),
]
