"""The cases that are a request and its answer, each asked of Hotline and of its bare view in turn."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse

from hotline.base.phones import format_phone
from tests.bench.scene import Scene, appliance_of
from tickets.models import Client
from tickets.search import client_statement, loosely_alike

WARM_UP = 5  # of each side, not counted: templates compiled, connections made, pages of the database read


@dataclass(frozen=True)
class Request:
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """`hotline` and `bare` give the n-th request of each side; both of the same n are after the same thing."""

    name: str
    hotline: Callable[[int], Request]
    bare: Callable[[int], Request]
    wanted: int = 200  # the status that Hotline answers


@dataclass(frozen=True)
class Figures:
    """Medians in ms, and the SQL statements of one request of Hotline."""

    name: str
    hotline: float
    bare: float
    queries: int | None = None

    @property
    def ratio(self) -> float:
        return self.hotline / self.bare


def cases(scene: Scene) -> list[Case]:
    cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={scene.sessions[0]}"}
    token = {"Authorization": f"Bearer {scene.machine}"}
    clients = reverse("api:clients-list")

    def found(names: Sequence[str], view: str) -> dict[str, Callable[[int], Request]]:
        return {
            "hotline": lambda n: Request(f"{clients}?q={quote(names[n % len(names)])}", headers=cookie),
            "bare": lambda n: Request(f"/bare/clients/{view}/?q={quote(names[n % len(names)])}"),
        }

    targets = scene.rare
    return [
        Case(
            "workspace page of an open call",
            lambda n: Request(scene.call.get_absolute_url(), headers=cookie),
            lambda n: Request(f"/bare/calls/{scene.call.pk}/"),
        ),
        Case("search, a typo in a rare name", **found([with_typo(each) for each in scene.rare], "by-name")),
        Case("search, a typo in a common name", **found([with_typo(each) for each in scene.common], "by-name")),
        Case("search by a partial phone", **found([part_of_number(each) for each in targets], "by-number")),
        Case(
            "registering a repair request",
            lambda n: Request(
                reverse("api:appeals-list"), *_as_json(repair_request(targets[n % len(targets)], scene), token)
            ),
            lambda n: Request(
                "/bare/appeals/",
                *_as_json(
                    {
                        "client": targets[n % len(targets)].pk,
                        "center": scene.center.pk,
                        "actor": scene.machine_user.pk,
                        "description": DESCRIPTION,
                    }
                ),
            ),
            wanted=201,
        ),
    ]


# --- What is asked ----------------------------------------------------------------------------------
DESCRIPTION = "Холодильник гудит и не морозит"


def with_typo(client: Client) -> str:
    """The last name with its fourth letter wrong, as heard: «Соловьёв» → «Солавьёв»."""
    name = client.last_name
    return name[:3] + ("а" if name[3] != "а" else "о") + name[4:]


def part_of_number(client: Client) -> str:
    """The last six digits, as they are said: «23-45-67»."""
    number = format_phone(client.phones.all()[0].e164)
    return number.replace(" ", "-")[-8:]


def repair_request(client: Client, scene: Scene) -> dict[str, Any]:
    appliance = appliance_of(client)
    return {
        "action_id": str(uuid4()),
        "kind": "repair",
        "description": DESCRIPTION,
        "client": client.pk,
        "appliance": appliance.pk,
        "brand": appliance.brand_id,
        "category": appliance.category_id,
        "model_text": appliance.model_text,
        "model_source": "nameplate",
        "serial_number": appliance.serial_number,
        "purchase_date": appliance.purchase_date.isoformat(),
        "purchase_date_source": appliance.purchase_date_source,
        "store": appliance.store,
        "store_source": "documents",
        "service_center": scene.center.pk,
    }


def _as_json(body: Any, headers: dict[str, str] | None = None) -> tuple[bytes, dict[str, str]]:
    return json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}


# --- Asking -----------------------------------------------------------------------------------------
class Asker:
    """One connection, kept alive; each request with its time."""

    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, request: Request, wanted: int = 200) -> tuple[float, bytes]:
        """(milliseconds, the answer's body)."""
        begun = time.perf_counter()
        self.connection.request("GET" if request.body is None else "POST", request.path, request.body, request.headers)
        response = self.connection.getresponse()
        body = response.read()
        taken = (time.perf_counter() - begun) * 1000
        assert response.status == wanted, f"{request.path} answered {response.status}: {body[:500]!r}"
        return taken, body

    def close(self) -> None:
        self.connection.close()


def measure(case: Case, port: int, rounds: int) -> Figures:
    """Ask Hotline, ask bare Django, Hotline, bare …, so that whatever slows the machine slows both."""
    requests = [(case.hotline(n), case.bare(n)) for n in range(WARM_UP + rounds)]
    asker = Asker(port)
    try:
        times = [(asker.ask(hotline, case.wanted)[0], asker.ask(bare)[0]) for hotline, bare in requests][WARM_UP:]
    finally:
        asker.close()
    ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    return Figures(case.name, ours, theirs, queries=statements_of(case))


def statements_of(case: Case) -> int:
    """How many SQL statements Hotline makes; and a bare view that makes more than one is no measure."""
    assert len(_captured(lambda: _bare_view(case.bare(0)))) == 1, f"{case.name}: the bare view is not bare"
    browser = Browser(SERVER_NAME="127.0.0.1")
    request = case.hotline(0)
    headers = {name: value for name, value in request.headers.items() if name != "Content-Type"}

    def ask() -> None:
        if request.body is None:
            response = browser.get(request.path, headers=headers)
        else:  # the very form again would be the same appeal
            body = json.dumps({**json.loads(request.body), "action_id": str(uuid4())})
            response = browser.post(request.path, body, content_type="application/json", headers=headers)
        assert response.status_code == case.wanted, response.content[:500]

    ask()
    return len(_captured(ask))


def _bare_view(request: Request) -> None:
    factory = RequestFactory()
    made = (
        factory.get(request.path)
        if request.body is None
        else factory.post(request.path, request.body, content_type="application/json")
    )
    view = resolve(request.path.partition("?")[0], urlconf="tests.bench.bare")
    assert view.func(made, *view.args, **view.kwargs).status_code == 200


def _captured(function: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        function()
    frame = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT")
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(frame)]


# --- Finding what was asked for, by an index --------------------------------------------------------
def check_answers(scene: Scene, port: int) -> None:
    """Both sides find the very name; a search that is quick and finds nothing would be no figure.

    «Коралёв» may be Королёв or Ковалёв, and there are a thousand of each: of common names it is only asked that some
    are found.
    """
    asker = Asker(port)
    try:
        for case in cases(scene):
            if not case.name.startswith("search"):
                continue
            for n, card in enumerate(scene.rare):
                for request in (case.hotline(n), case.bare(n)):
                    found = json.loads(asker.ask(request)[1])
                    names = [row["last_name"] for row in (found["results"] if isinstance(found, dict) else found)]
                    known = bool(names) if "common" in case.name else card.last_name in names
                    assert known, f"{request.path}: {card.last_name} is not among {names}"
    finally:
        asker.close()


def searched(scene: Scene) -> list[str]:
    """One text of each kind of search."""
    return [with_typo(scene.rare[0]), with_typo(scene.common[0]), part_of_number(scene.rare[0])]


def plan_of(text: str) -> tuple[list[str], list[str]]:
    """(indexes used, tables read whole) by the search for a text, as PostgreSQL says with EXPLAIN."""
    statement = client_statement(text)
    assert statement is not None
    with loosely_alike(), connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement.sql, statement.params)
        found = cursor.fetchone()[0]
    root = json.loads(found) if isinstance(found, str) else found
    indexes: set[str] = set()
    scans: set[str] = set()

    def walk(node: dict[str, Any]) -> None:
        if not node.get("Actual Loops"):
            return  # planned, never run
        if name := node.get("Index Name"):
            indexes.add(name)
        if node["Node Type"] == "Seq Scan":
            scans.add(node["Relation Name"])
        for child in node.get("Plans", []):
            walk(child)

    walk(root[0]["Plan"])
    return sorted(indexes), sorted(scans)
