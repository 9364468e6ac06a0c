"""The directory over the API: read only, for staff and for machines."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ReadOnlyModelViewSet

from hotline.base.api import KeysetPagination
from hotline.operators.access import MACHINES, STAFF
from service_centers.cities import find_cities
from service_centers.filters import ServiceCenterFilter
from service_centers.forms import MatchForm
from service_centers.matching import match
from service_centers.models import Brand, Category, City, ServiceCenter, WorkKind
from service_centers.serializers import (
    BrandSerializer,
    CategorySerializer,
    CitySerializer,
    MatchSerializer,
    ServiceCenterDetailSerializer,
    ServiceCenterSerializer,
)


class ByCityPagination(KeysetPagination):
    """The directory in the order of a printed one: by city, then by name."""

    ordering = ("city_name", "name", "pk")


class ByNamePagination(KeysetPagination):
    ordering = ("name", "pk")


CITY = OpenApiParameter("city", OpenApiTypes.STR, description="A city's id, or its exact name.")
BRAND = OpenApiParameter("brand", OpenApiTypes.INT, description="A brand's id.")
CATEGORY = OpenApiParameter("category", OpenApiTypes.INT, description="A category's id; the whole brand fits it too.")


@extend_schema_view(list=extend_schema(parameters=[CITY, BRAND, CATEGORY]))
class ServiceCenterViewSet(ReadOnlyModelViewSet):
    """Authorised service centres; `city` finds those in a city and those that travel to it."""

    roles = STAFF | MACHINES
    filterset_class = ServiceCenterFilter
    pagination_class = ByCityPagination
    queryset = ServiceCenter.objects.none()

    def get_queryset(self) -> QuerySet[ServiceCenter]:
        centers = ServiceCenter.objects.visible_to(self.request.user)  # type: ignore[arg-type]
        if self.action == "list":
            return centers.for_list().annotate(city_name=F("city__folded_name"))
        return centers.for_detail()

    def get_serializer_class(self) -> type[BaseSerializer]:
        return ServiceCenterSerializer if self.action == "list" else ServiceCenterDetailSerializer

    @extend_schema(
        summary="The centres for a client, ranked, with reasons",
        parameters=[
            CITY,
            BRAND,
            CATEGORY,
            OpenApiParameter(
                "work",
                enum=WorkKind.values,
                default=WorkKind.WARRANTY_REPAIR,
                description="Out of warranty: paid_repair.",
            ),
        ],
        responses=MatchSerializer,
        filters=False,
    )
    @action(detail=False, pagination_class=None, filterset_class=None)
    def match(self, request: Request) -> Response:
        """Ranked by place, opening hours and authorisation (docs/matching.md), and why the others lost."""
        form = MatchForm(request.query_params)
        form.raise_if_invalid()
        asked = form.cleaned_data
        city = form.city_of_directory()
        found = match(city, asked["brand"], asked["category"], asked["work"], timezone.now())
        body = {"city": city, "candidates": found.candidates, "losers": found.losers}
        return Response(MatchSerializer(body).data)


@extend_schema_view(
    list=extend_schema(
        parameters=[OpenApiParameter("q", description=_("What was typed: the ten cities it most likely means."))]
    )
)
class CityViewSet(ReadOnlyModelViewSet):
    """Cities: all of them, page by page, or those that a text may mean (`?q=орел` finds «Орёл»)."""

    roles = STAFF | MACHINES
    queryset = City.objects.all()
    serializer_class = CitySerializer
    pagination_class = ByNamePagination
    filter_backends = []

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        text = request.query_params.get("q", "")
        if not text.strip():
            return super().list(request, *args, **kwargs)
        found = self.get_serializer(find_cities(text[:100]), many=True)
        return Response({"next": None, "previous": None, "results": found.data})


class BrandViewSet(ReadOnlyModelViewSet):
    """Brands that the hotline supports."""

    roles = STAFF | MACHINES
    queryset = Brand.objects.all()
    serializer_class = BrandSerializer
    pagination_class = ByNamePagination


class CategoryViewSet(ReadOnlyModelViewSet):
    """Categories of appliances."""

    roles = STAFF | MACHINES
    queryset = Category.objects.all()
    serializer_class = CategorySerializer
    pagination_class = ByNamePagination


router = SimpleRouter()
router.register("service-centers", ServiceCenterViewSet, basename="service-centers")
router.register("cities", CityViewSet, basename="cities")
router.register("brands", BrandViewSet, basename="brands")
router.register("categories", CategoryViewSet, basename="categories")

urlpatterns = router.urls
