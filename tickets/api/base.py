"""What the endpoints of this room share."""

from __future__ import annotations

from typing import Any, cast

from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from hotline.operators.access import MACHINES, STAFF
from hotline.operators.models import User


def user_of(request: Request) -> User:
    """Who asks: RolePermission has let nobody else in."""
    return cast(User, request.user)


class Written(GenericViewSet):
    """Reading a body and answering with what the verb made of it."""

    roles = STAFF | MACHINES
    scopes: Any = None  # by method, unless an action says otherwise

    def read(self, serializer: type[Serializer], **kwargs: Any) -> Any:
        asked = serializer(data=self.request.data, **kwargs)
        asked.is_valid(raise_exception=True)
        return asked
