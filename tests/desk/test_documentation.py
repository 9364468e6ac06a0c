"""The description of the API is served, to people and to machines."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from hotline.operators.models import ApiToken
from tests.factories import UserFactory, api_token

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("traits", [{}, {"supervisor": True}])
def test_staff_read_the_documentation(client: Browser, traits: dict[str, bool]) -> None:
    client.force_login(UserFactory(**traits))
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200
    body = page.content.decode()
    assert 'id="swagger-ui"' in body
    assert "<style" not in body  # the policy of the house
    script = client.get("/api/v1/docs/", {"script": ""})
    assert script["Content-Type"].startswith("application/javascript")
    assert reverse("api:schema") in script.content.decode()


def test_a_machine_reads_the_schema(client: Browser) -> None:
    machine = UserFactory(integration=True)
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {api_token(machine)}"}
    schema = client.get("/api/v1/schema/", {"format": "json"}, **bearer)
    assert schema.status_code == 200
    paths = schema.json()["paths"]
    assert "/api/v1/appeals/" in paths
    assert any("calls" in path for path in paths)
    assert client.get("/api/v1/docs/", **bearer).status_code == 200
    mute = {"HTTP_AUTHORIZATION": f"Bearer {api_token(machine, ApiToken.Scope.WRITE)}"}
    assert client.get("/api/v1/schema/", **mute).status_code == 403


def test_whoever_is_not_signed_in_is_asked_to(client: Browser) -> None:
    assert client.get("/api/v1/schema/").status_code == 401
    page = client.get("/api/v1/docs/")
    assert page.status_code == 302
    assert page["Location"].endswith("?next=/api/v1/docs/")
