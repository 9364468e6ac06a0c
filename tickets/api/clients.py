"""Cards, accounts and appliances over the API: the same verbs, filters and rights as the pages."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from tickets import actions
from tickets.api.base import Written, user_of
from tickets.filters import AccountFilter, ApplianceFilter, ClientFilter
from tickets.history import say_now
from tickets.models import (
    Account,
    Appliance,
    Client,
)
from tickets.search import find_clients, likely_duplicates
from tickets.serializers import (
    AccountOpenSerializer,
    AccountSerializer,
    ApplianceSerializer,
    ApplianceUpdateSerializer,
    ApplianceWriteSerializer,
    ClientCreateSerializer,
    ClientPhoneSerializer,
    ClientSerializer,
    ClientUpdateSerializer,
    DuplicateSerializer,
    DuplicatesSerializer,
    PhoneWriteSerializer,
    SayNowSerializer,
)

Q = OpenApiParameter("q", OpenApiTypes.STR, description="A phone or a part of it, a name with a typo, a number.")


class ClientViewSet(ListModelMixin, RetrieveModelMixin, Written):
    """Clients' cards."""

    queryset = Client.objects.none()
    serializer_class = ClientSerializer
    filterset_class = ClientFilter

    def get_queryset(self) -> QuerySet[Client]:
        return Client.objects.visible_to(user_of(self.request)).for_list()

    @extend_schema(parameters=[Q])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All cards page by page, or those that `q` may mean, the likeliest first."""
        text = request.query_params.get("q", "")
        if not text.strip():
            return super().list(request, *args, **kwargs)
        found = self.get_serializer(find_clients(text, user_of(request)), many=True)
        return Response({"next": None, "previous": None, "results": found.data})

    @extend_schema(request=ClientCreateSerializer, responses={201: ClientSerializer})
    def create(self, request: Request) -> Response:
        """Register a card and open its account. The same `action_id` again is the same card."""
        asked = self.read(ClientCreateSerializer)
        client = actions.register_client(**{"last_name": "", **asked.validated_data}, actor=user_of(request))
        return Response(self._whole(client.pk), status=201)

    @extend_schema(request=ClientUpdateSerializer, responses=ClientSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a card. 409 `changed_meanwhile` where `version` is no longer the card's."""
        client = self.get_object()
        asked = self.read(ClientUpdateSerializer)
        actions.update_client(client_id=client.pk, actor=user_of(request), **asked.validated_data)
        return Response(self._whole(client.pk))

    @extend_schema(request=PhoneWriteSerializer, responses={201: ClientPhoneSerializer})
    @action(detail=True, methods=["post"])
    def phones(self, request: Request, pk: str) -> Response:
        """Note one more number, as the client says it."""
        asked = self.read(PhoneWriteSerializer)
        phone = actions.add_phone(
            client_id=self.get_object().pk, raw=asked.validated_data["raw"], actor=user_of(request)
        )
        return Response(ClientPhoneSerializer(phone).data, status=201)

    @extend_schema(request=DuplicatesSerializer, responses=DuplicateSerializer(many=True), filters=False)
    @action(detail=False, methods=["post"], pagination_class=None, scopes="read")
    def duplicates(self, request: Request) -> Response:
        """Cards that may already be this person's, the likeliest first. Asks only, changes nothing."""
        asked = self.read(DuplicatesSerializer).validated_data
        found = likely_duplicates(**asked, user=user_of(request))
        return Response(DuplicateSerializer(found, many=True).data)

    @extend_schema(responses=SayNowSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None, url_path="say-now")
    def say_now(self, request: Request, pk: str) -> Response:
        """What has to be said to this client now, the worst first: an overdue repair, a letter, an act that came."""
        return Response(SayNowSerializer(say_now(self.get_object()), many=True).data)

    def _whole(self, pk: int) -> Any:
        return ClientSerializer(self.get_queryset().get(pk=pk)).data


class AccountViewSet(ListModelMixin, RetrieveModelMixin, Written):
    """Accounts. A card's own is opened with it; another is opened deliberately, with its reason."""

    queryset = Account.objects.none()
    serializer_class = AccountSerializer
    filterset_class = AccountFilter

    def get_queryset(self) -> QuerySet[Account]:
        return Account.objects.visible_to(user_of(self.request))

    @extend_schema(request=AccountOpenSerializer, responses={201: AccountSerializer})
    def create(self, request: Request) -> Response:
        asked = self.read(AccountOpenSerializer).validated_data
        account = actions.open_account(client_id=asked["client"].pk, reason=asked["reason"], actor=user_of(request))
        return Response(AccountSerializer(account).data, status=201)


class ApplianceViewSet(ListModelMixin, RetrieveModelMixin, Written):
    """What clients own."""

    queryset = Appliance.objects.none()
    serializer_class = ApplianceSerializer
    filterset_class = ApplianceFilter

    def get_queryset(self) -> QuerySet[Appliance]:
        return Appliance.objects.visible_to(user_of(self.request)).for_list()

    @extend_schema(request=ApplianceWriteSerializer, responses={201: ApplianceSerializer})
    def create(self, request: Request) -> Response:
        asked = dict(self.read(ApplianceWriteSerializer).validated_data)
        appliance = actions.add_appliance(account_id=asked.pop("account").pk, actor=user_of(request), **asked)
        return Response(ApplianceSerializer(appliance).data, status=201)

    @extend_schema(request=ApplianceUpdateSerializer, responses=ApplianceSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Correct what is noted; appeals keep what was told when they were registered."""
        asked = self.read(ApplianceUpdateSerializer).validated_data
        appliance = actions.update_appliance(appliance_id=self.get_object().pk, actor=user_of(request), **asked)
        return Response(ApplianceSerializer(appliance).data)
