"""Every named URL × every role: what tests/matrix/<room>.py states is what happens. See tests/matrix/__init__.py for
use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.shortcuts import resolve_url
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from hotline.operators import actions
from hotline.operators.models import ApiToken, Role, User
from tests.matrix import PERSONAS, Line, World, lines

ALL_LINES = list(lines())
# Typed refusals of the input: the person was let in, the empty form was not good enough.
JUDGED = {400, 409, 422}


# --- Which URLs there are ---------------------------------------------------------------------------
def walk(resolver: URLResolver, namespace: str = "", route: str = "") -> Iterator[tuple[str, str, URLPattern]]:
    """(name, route, pattern) of every pattern; the name is "" where it has none."""
    for entry in resolver.url_patterns:
        path = route + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from walk(entry, inner, path)
        else:
            yield (f"{namespace}{entry.name}" if entry.name else ""), path, entry


ALL_PATTERNS = [found for found in walk(get_resolver()) if not found[1].startswith(("static/", "^static/"))]
ADMIN = [found for found in ALL_PATTERNS if found[1].startswith("admin/")]
HOUSE = [found for found in ALL_PATTERNS if not found[1].startswith("admin/")]
# The admin's own sign-in, sign-out and change of password lead to ours; tests/operators/test_admin.py looks at them.
ADMIN_DOORS = {"admin:login", "admin:logout"}


def stated_roles(pattern: URLPattern) -> Any:
    """The `roles` that a view states: a page class, an API class, a function."""
    view = pattern.callback
    for holder in (getattr(view, "view_class", None), getattr(view, "cls", None), view):
        if roles := getattr(holder, "roles", None):
            return roles
    return getattr(view, "initkwargs", {}).get("roles")


# --- Who tries --------------------------------------------------------------------------------------
@pytest.fixture
def world(db: None) -> World:
    def person(username: str, role: Role, **fields: Any) -> User:
        return User.objects.create_user(username, role=role, first_name="Имя", last_name=username, **fields)

    integration = person("m-exchange", Role.INTEGRATION)
    supervisor = person("m-supervisor", Role.SUPERVISOR)
    _, token = actions.issue_token(
        user=integration,
        name="matrix",
        scopes=list(ApiToken.Scope.values),
        expires_at=timezone.now() + timedelta(days=1),
        actor=supervisor,
    )
    return World(
        operator=person("m-operator", Role.OPERATOR, extension="8801"),
        another=person("m-another", Role.OPERATOR, extension="8802"),
        supervisor=supervisor,
        integration=integration,
        token=token,
    )


def client_of(persona: str, world: World, path: str) -> Client:
    if persona == "integration" and path.startswith("/api/"):
        return Client(headers={"authorization": f"Bearer {world.token}"}, raise_request_exception=False)
    client = Client(raise_request_exception=False)
    if persona != "anonymous":
        client.force_login(getattr(world, persona), backend="hotline.operators.backends.RoleBackend")
    return client


def attempt(persona: str, line: Line, name: str, world: World) -> tuple[int, str]:
    """Status and Location (or what went wrong) of one request, undone afterwards."""
    with override_settings(**line.settings), transaction.atomic():
        path = reverse(name, kwargs=line.kwargs(world) if line.kwargs else None)
        options: dict[str, Any] = {}
        if line.query:
            options["query_params"] = line.query(world)
        if line.method not in {"GET", "HEAD"}:
            options["data"] = line.data(world) if line.data else {}
            if line.as_json if line.as_json is not None else path.startswith("/api/"):
                options["content_type"] = "application/json"
        response = getattr(client_of(persona, world, path), line.method.lower())(path, **options)
        if getattr(response, "streaming", False):
            response.close()
        transaction.set_rollback(True)
    if exc_info := getattr(response, "exc_info", None):
        return response.status_code, repr(exc_info[1])
    return response.status_code, response.headers.get("Location", "")


def verdict(status: int, location: str) -> str:
    """ "in", "out", or what went wrong."""
    if status in {401, 403, 404} or (status == 302 and location.startswith(f"{resolve_url('operators:login')}?next=")):
        return "out"
    if status < 400 or status in JUDGED:
        return "in"
    return f"answered {status}"


# --- The tests --------------------------------------------------------------------------------------
def test_every_url_has_a_name() -> None:
    assert [route for name, route, _ in HOUSE if not name] == []


def test_every_url_is_in_the_matrix_and_nothing_else() -> None:
    urls, stated = {name for name, _, _ in HOUSE if name}, {name for name, _ in ALL_LINES}
    assert (sorted(urls - stated), sorted(stated - urls)) == ([], []), "without a line, without a URL"


def test_every_view_states_its_roles() -> None:
    public = {name for name, line in ALL_LINES if line.public}
    silent = sorted(name for name, _, pattern in HOUSE if name and name not in public and not stated_roles(pattern))
    assert silent == []


@pytest.mark.parametrize(("name", "line"), ALL_LINES, ids=[f"{line.method} {name}" for name, line in ALL_LINES])
def test_the_matrix_holds(name: str, line: Line, world: World) -> None:
    wrong = {}
    for persona in PERSONAS:
        status, location = attempt(persona, line, name, world)
        got, expected = verdict(status, location), "in" if persona in line.allowed else "out"
        if got != expected:
            wrong[persona] = f"expected {expected}, was {got} ({status} {location})".rstrip()
    assert wrong == {}


@pytest.mark.parametrize(
    ("name", "route"),
    [(n, r) for n, r, _ in ADMIN if n and n not in ADMIN_DOORS],
    ids=[n for n, _, _ in ADMIN if n and n not in ADMIN_DOORS],
)
def test_the_admin_is_for_supervisors_only(name: str, route: str, world: World) -> None:
    pattern = next(p for n, _, p in ADMIN if n == name)
    content_type = ContentType.objects.get_for_model(User).pk
    arguments = dict.fromkeys(pattern.pattern.regex.groupindex, "1")
    arguments |= {"app_label": "operators", "content_type_id": str(content_type)} if arguments else {}
    arguments = {key: value for key, value in arguments.items() if key in pattern.pattern.regex.groupindex}
    path = reverse(name, kwargs=arguments)
    for persona in PERSONAS:
        with transaction.atomic():
            response = client_of(persona, world, path).get(path)
            transaction.set_rollback(True)
        got = verdict(response.status_code, response.headers.get("Location", ""))
        if persona != "supervisor":
            assert got == "out", f"{persona}: {response.status_code}"
        else:
            # A directory page may be read-only (403), an object may be missing; a broken page may not be.
            assert response.status_code < 500, f"{persona}: {response.status_code}"
            if name == "admin:index" or name.endswith("_changelist"):
                assert response.status_code == 200, f"{persona}: {response.status_code}"
