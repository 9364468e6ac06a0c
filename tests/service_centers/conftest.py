"""Who looks at the directory."""

from __future__ import annotations

import pytest
from django.test import Client

from hotline.operators.models import User
from tests.factories import UserFactory

BACKEND = "hotline.operators.backends.RoleBackend"


@pytest.fixture
def operator(db: None) -> User:
    return UserFactory()


@pytest.fixture
def desk(client: Client, operator: User) -> Client:
    """A browser in which an operator is signed in."""
    client.force_login(operator, backend=BACKEND)
    return client


@pytest.fixture
def back_office(db: None) -> Client:
    """A browser in which a supervisor is signed in."""
    client = Client()
    client.force_login(UserFactory(supervisor=True), backend=BACKEND)
    return client
