"""Appeals over the API: the same verbs, filters and rights as the pages."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from hotline.base.api import KeysetPagination
from service_centers.serializers import MatchSerializer
from tickets import actions
from tickets.api.base import Written, user_of
from tickets.centers import match_for
from tickets.filters import AppealFilter
from tickets.models import (
    Appeal,
    AppealEvent,
    AppealMessage,
    Assignment,
)
from tickets.serializers import (
    AppealCreateSerializer,
    AppealDetailSerializer,
    AppealEditSerializer,
    AppealMessageSerializer,
    AppealSendSerializer,
    AppealSerializer,
    AssignmentSerializer,
    AssignSerializer,
    CommentSerializer,
    CommentWriteSerializer,
    ContactsSerializer,
    DictateSerializer,
    DocumentSerializer,
    MessagePreviewSerializer,
    MoveSerializer,
    OriginalSerializer,
    OutcomeSerializer,
    ReferenceSerializer,
    ReminderSerializer,
    StateSerializer,
)


class ByRegistration(KeysetPagination):
    """Newest first, as the page lists them."""

    ordering = ("-registered_at", "-pk")


PURPOSE = OpenApiParameter("purpose", enum=AppealMessage.Purpose.values, description="By default as its kind wants.")


class AppealViewSet(ListModelMixin, RetrieveModelMixin, Written):
    """Appeals, by their number."""

    queryset = Appeal.objects.none()
    filterset_class = AppealFilter
    pagination_class = ByRegistration
    lookup_field = "number"
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Appeal]:
        appeals = Appeal.objects.visible_to(user_of(self.request))
        if self.action == "list":
            return appeals.for_list()
        return appeals.for_list().prefetch_related(
            "assignments__service_center",
            "comments",
            "documents__kind",
            "reminders",
            "references",
            "messages__message",
            Prefetch("journal", AppealEvent.objects.order_by("at", "pk")),
        )

    def get_serializer_class(self) -> type[BaseSerializer]:
        return AppealSerializer if self.action == "list" else AppealDetailSerializer

    @extend_schema(request=AppealCreateSerializer, responses={201: AppealDetailSerializer})
    def create(self, request: Request) -> Response:
        """Register an appeal. The same `action_id` again is the same appeal."""
        asked = self.read(AppealCreateSerializer)
        appeal = actions.register_appeal(**asked.arguments(), actor=user_of(request))
        return Response(self._whole(appeal), status=201)

    @extend_schema(request=AppealEditSerializer, responses=AppealDetailSerializer)
    def partial_update(self, request: Request, number: str) -> Response:
        """Correct the facts. 409 `changed_meanwhile` where `version` is no longer the appeal's."""
        asked = self.read(AppealEditSerializer).validated_data
        appeal = self.get_object()
        actions.edit_appeal(appeal_id=appeal.pk, actor=user_of(request), **asked)
        return Response(self._whole(appeal))

    @extend_schema(request=StateSerializer, responses=AppealDetailSerializer)
    @action(detail=True, methods=["post"])
    def state(self, request: Request, number: str) -> Response:
        """Move it on. 409 `transition` where it can't go there from where it is."""
        asked = self.read(StateSerializer).validated_data
        appeal = self.get_object()
        actions.change_state(appeal_id=appeal.pk, actor=user_of(request), **asked)
        return Response(self._whole(appeal))

    @extend_schema(request=AssignSerializer, responses={201: AssignmentSerializer})
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, number: str) -> Response:
        """Give a request to a service centre; the one that has it now is superseded."""
        asked = self.read(AssignSerializer).validated_data
        assignment = actions.assign_center(appeal_id=self.get_object().pk, actor=user_of(request), **asked)
        return Response(AssignmentSerializer(assignment).data, status=201)

    @extend_schema(responses=MatchSerializer, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def candidates(self, request: Request, number: str) -> Response:
        """The centres that it can be given to, ranked, each with its reasons; and why the others lost."""
        appeal = self.get_object()
        found = match_for(appeal)
        body = {"city": appeal.city, "candidates": found.candidates, "losers": found.losers}
        return Response(MatchSerializer(body).data)

    @extend_schema(request=OutcomeSerializer, responses=AssignmentSerializer)
    @action(detail=True, methods=["post"])
    def assignment(self, request: Request, number: str) -> Response:
        """What the centre says: accepted, declined or completed."""
        asked = self.read(OutcomeSerializer).validated_data
        appeal, actor = self.get_object(), user_of(request)
        if asked["outcome"] == Assignment.State.ACCEPTED:
            made = actions.accept_assignment(appeal_id=appeal.pk, note=asked["note"], actor=actor)
        else:
            made = actions.end_assignment(appeal_id=appeal.pk, actor=actor, **asked)
        return Response(AssignmentSerializer(made).data)

    @extend_schema(request=ContactsSerializer, responses=AppealDetailSerializer)
    @action(detail=True, methods=["post"])
    def contacts(self, request: Request, number: str) -> Response:
        """Note whose contacts were given; a consultation out of warranty becomes «referred»."""
        asked = self.read(ContactsSerializer).validated_data
        appeal = actions.give_contacts(appeal_id=self.get_object().pk, actor=user_of(request), **asked)
        return Response(self._whole(appeal))

    @extend_schema(request=MoveSerializer, responses=AppealDetailSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, number: str) -> Response:
        """Put it on another account, with the reason."""
        asked = self.read(MoveSerializer).validated_data
        appeal = actions.move_appeal(appeal_id=self.get_object().pk, client=None, actor=user_of(request), **asked)
        return Response(self._whole(appeal))

    @extend_schema(request=OriginalSerializer, responses=AppealDetailSerializer)
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, number: str) -> Response:
        """Say which appeal this one repeats."""
        asked = self.read(OriginalSerializer).validated_data
        appeal = actions.mark_duplicate(appeal_id=self.get_object().pk, actor=user_of(request), **asked)
        return Response(self._whole(appeal))

    @extend_schema(request=CommentWriteSerializer, responses={201: CommentSerializer})
    @action(detail=True, methods=["post"])
    def comments(self, request: Request, number: str) -> Response:
        asked = self.read(CommentWriteSerializer).validated_data
        comment = actions.add_comment(appeal_id=self.get_object().pk, actor=user_of(request), **asked)
        return Response(CommentSerializer(comment).data, status=201)

    @extend_schema(request=DocumentSerializer, responses={201: DocumentSerializer})
    @action(detail=True, methods=["post"])
    def documents(self, request: Request, number: str) -> Response:
        """Note a paper by its number and date; a file is added on the page."""
        asked = self.read(DocumentSerializer).validated_data
        document = actions.add_document(appeal_id=self.get_object().pk, actor=user_of(request), **asked)
        return Response(DocumentSerializer(document).data, status=201)

    @extend_schema(request=ReminderSerializer, responses={201: ReminderSerializer})
    @action(detail=True, methods=["post"])
    def reminders(self, request: Request, number: str) -> Response:
        asked = self.read(ReminderSerializer).validated_data
        reminder = actions.set_reminder(appeal_id=self.get_object().pk, actor=user_of(request), **asked)
        return Response(ReminderSerializer(reminder).data, status=201)

    @extend_schema(request=ReferenceSerializer, responses={201: ReferenceSerializer})
    @action(detail=True, methods=["post"])
    def references(self, request: Request, number: str) -> Response:
        """Note the number it got in GSIS, Naumen or another system."""
        asked = self.read(ReferenceSerializer).validated_data
        reference = actions.note_reference(appeal_id=self.get_object().pk, actor=user_of(request), **asked)
        return Response(ReferenceSerializer(reference).data, status=201)

    @extend_schema(request=AppealSendSerializer, responses={201: AppealMessageSerializer})
    @action(detail=True, methods=["post"])
    def sms(self, request: Request, number: str) -> Response:
        """Send the request's data and the centre's contacts. 409 with the rule's code where no SMS may go there."""
        asked = self.read(AppealSendSerializer).validated_data
        link = actions.send_sms(appeal_id=self.get_object().pk, actor=user_of(request), **asked)
        return Response(AppealMessageSerializer(link).data, status=201)

    @extend_schema(request=DictateSerializer, responses={201: AppealMessageSerializer})
    @action(detail=True, methods=["post"])
    def dictate(self, request: Request, number: str) -> Response:
        """Record that the message was dictated and read back (R3)."""
        asked = self.read(DictateSerializer).validated_data
        link = actions.dictate(appeal_id=self.get_object().pk, actor=user_of(request), **asked)
        return Response(AppealMessageSerializer(link).data, status=201)

    @extend_schema(parameters=[PURPOSE], responses=MessagePreviewSerializer, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None, url_path="message-preview")
    def message_preview(self, request: Request, number: str) -> Response:
        """What the client would read. `text` is empty where a value is missing; `missing` says which."""
        appeal = self.get_object()
        purpose = request.query_params.get("purpose") or actions.default_purpose(appeal)
        return Response(MessagePreviewSerializer(actions.message_text(appeal=appeal, purpose=purpose)).data)

    def _whole(self, appeal: Appeal) -> Any:
        return AppealDetailSerializer(self.get_queryset().get(pk=appeal.pk)).data
