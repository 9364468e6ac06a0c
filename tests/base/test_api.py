"""What every endpoint shares: one shape of errors, and pages by cursors that nobody can make up."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from hotline.base.api import KeysetPagination
from hotline.base.errors import Conflict, Forbidden, Invalid, InvalidFields, NotFound, Refused
from hotline.operators.access import STAFF
from hotline.operators.models import User
from tests.factories import UserFactory

PERSON = User(pk=1, username="probe")


def answer(error: Exception) -> Response:
    class View(APIView):
        roles = STAFF

        def get(self, request: Request) -> Response:
            raise error

    request = APIRequestFactory().get("/")
    force_authenticate(request, PERSON)
    return View.as_view()(request)


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (Invalid("bad", "плохо", field="phone"), 400, ("bad", {"phone": ["bad"]})),
        (InvalidFields({"a": [("x", "1"), ("y", "2")]}, "всё"), 400, ("invalid", {"a": ["x", "y"]})),
        (Forbidden("forbidden", "нельзя"), 403, ("forbidden", {})),
        (NotFound("gone", "нет"), 404, ("gone", {})),
        (Refused("rule", "правило"), 409, ("rule", {})),
        (Conflict("late", "поздно"), 409, ("late", {})),
        (exceptions.ValidationError({"a": ["плохо"]}), 400, ("invalid", {"a": ["invalid"]})),
        (exceptions.ValidationError({"a": {"b": ["плохо"]}}), 400, ("invalid", {"a": ["invalid"]})),
        (exceptions.ValidationError(["плохо"]), 400, ("invalid", {"": ["invalid"]})),
        (DjangoValidationError({"a": DjangoValidationError("плохо", code="odd")}), 400, ("invalid", {"a": ["odd"]})),
        (DjangoValidationError("плохо"), 400, ("invalid", {"non_field_errors": ["invalid"]})),
        (exceptions.ParseError(), 400, ("parse_error", {})),
        (exceptions.Throttled(), 429, ("throttled", {})),
        (PermissionDenied(), 403, ("permission_denied", {})),
        (Http404(), 404, ("not_found", {})),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_error_has_a_code_words_and_fields(error: Exception, status: int, body: tuple[str, Any]) -> None:
    response = answer(error)
    assert response.status_code == status
    assert set(response.data) == {"code", "detail", "fields"}
    assert response.data["detail"]
    codes = {name: [problem["code"] for problem in found] for name, found in response.data["fields"].items()}
    assert (response.data["code"], codes) == body


def test_what_is_no_refusal_stays_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        answer(ZeroDivisionError())


# --- Pages ------------------------------------------------------------------------------------------
class Person(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("id",)


class ByNumber(KeysetPagination):
    page_size = 2


class ByTime(ByNumber):
    ordering = "-date_joined"


class People(ListAPIView):
    roles = STAFF
    queryset = User.objects.all()
    serializer_class = Person
    filter_backends = ()
    pagination_class = ByNumber


def ask(query: str = "", **initkwargs: Any) -> Response:
    request = APIRequestFactory().get(f"/?{query}")
    force_authenticate(request, PERSON)
    return People.as_view(**initkwargs)(request)


@pytest.mark.django_db
def test_pages_follow_each_other_and_miss_nobody() -> None:
    people = [UserFactory().pk for _ in range(5)]
    seen, query = [], ""
    while True:
        page = ask(query).data
        seen += [row["id"] for row in page["results"]]
        if not page["next"]:
            break
        query = page["next"].split("?")[1]
    assert seen == people[::-1]


@pytest.mark.django_db
@pytest.mark.parametrize("position", ["abc", "", "9" * 40, "\x00", "2026-99-99", "-1", "1e9", "🙂"])
@pytest.mark.parametrize("order", [ByNumber, ByTime])
def test_a_cursor_that_was_made_up_is_no_error_of_ours(order: type[KeysetPagination], position: str) -> None:
    UserFactory()
    cursor = b64encode(urlencode({"p": position}).encode()).decode()
    assert ask(urlencode({"cursor": cursor}), pagination_class=order).status_code in {200, 404}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "status"), [("cursor=%00", 404), ("cursor=!!!", 404), ("page_size=x", 400), ("page_size=100000", 400)]
)
def test_odd_questions_have_answers(query: str, status: int) -> None:
    UserFactory()
    assert ask(query).status_code == status
