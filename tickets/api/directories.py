"""The directories of this room, to read."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from hotline.base.api import KeysetPagination
from tickets.api.base import Written, user_of
from tickets.models import (
    ProductModel,
    Topic,
)
from tickets.search import find_models
from tickets.serializers import (
    ProductModelSerializer,
    TopicSerializer,
)


class ByPosition(KeysetPagination):
    ordering = ("position", "pk")


class ProductModelViewSet(ListModelMixin, RetrieveModelMixin, Written):
    """The directory of models."""

    queryset = ProductModel.objects.none()
    serializer_class = ProductModelSerializer
    filter_backends = []

    def get_queryset(self) -> QuerySet[ProductModel]:
        return ProductModel.objects.visible_to(user_of(self.request)).for_list()

    @extend_schema(parameters=[OpenApiParameter("q", OpenApiTypes.STR, description="Either alphabet, a part, a typo.")])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All models page by page, or those that `q` may mean."""
        text = request.query_params.get("q", "")
        if not text.strip():
            return super().list(request, *args, **kwargs)
        found = self.get_serializer(find_models(text), many=True)
        return Response({"next": None, "previous": None, "results": found.data})


class TopicViewSet(ListModelMixin, RetrieveModelMixin, Written):
    """What appeals and calls are about."""

    queryset = Topic.objects.all()
    serializer_class = TopicSerializer
    pagination_class = ByPosition
