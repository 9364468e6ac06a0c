"""Calls over the API: reading, filters, events, the schema."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calls.filters import CallFilter
from calls.models import Call, CallAppeal, CallEvent, CallStage
from hotline.operators.models import ApiToken, User
from tests.calls.factories import NUMBER, CallFactory, LostCallBackFactory, PromisedCallBackFactory, result, topic
from tests.factories import AppealFactory, ClientFactory, UserFactory, api_token
from tests.helpers import assert_same_query_count

pytestmark = pytest.mark.django_db


@pytest.fixture
def machine() -> Client:
    return Client(headers={"authorization": f"Bearer {api_token(UserFactory(integration=True), ApiToken.Scope.READ)}"})


def rich_call(**fields: Any) -> Call:
    """A call with everything that hangs on one."""
    linked = {"client": ClientFactory(), "topic": topic(), "result": result(), "registered_appeal": AppealFactory()}
    call = CallFactory(lost=True, **{**linked, **fields})
    CallAppeal.objects.create(call=call, appeal=call.registered_appeal, relation="registered")
    CallStage.objects.create(call=call, stage="greeting", act="done", actor=call.operator)
    CallEvent.objects.create(source="test", event_id=call.external_id, call=call, type="ringing", outcome="applied")
    LostCallBackFactory(call=call)
    PromisedCallBackFactory(call=call)
    return call


def ids(client: Client, /, **query: Any) -> list[int]:
    response = client.get(reverse("api:calls-list"), query)
    assert response.status_code == 200, response.json()
    return [row["id"] for row in response.json()["results"]]


def test_a_call_with_its_evidence(machine: Client) -> None:
    call = rich_call(number=NUMBER)
    said = machine.get(reverse("api:calls-detail", args=[call.pk])).json()
    appeal = call.registered_appeal.number
    assert (said["number"], said["ending"], said["registered_appeal"]) == (NUMBER, "lost", appeal)
    assert said["appeals"] == [{"number": appeal, "kind": "consultation", "relation": "registered"}]
    assert [(row["stage"], row["act"]) for row in said["stages"]] == [("greeting", "done")]
    assert said["lost_call_back"]["attempt"] is None
    assert said["promised_call_back"]["number"] == NUMBER
    assert (said["topic"], said["result"], said["is_missed"]) == ("repair", "consulted", False)


def test_a_bare_call_answers_too(machine: Client) -> None:
    call = CallFactory()
    said = machine.get(reverse("api:calls-detail", args=[call.pk])).json()
    empty = {"operator", "client", "registered_appeal", "lost_call_back", "promised_call_back", "talk_seconds"}
    assert {said[name] for name in empty | {"attempt_of"}} == {None}
    assert (said["operator_name"], said["client_name"], said["topic"]) == ("", "", "")


def test_the_events_of_a_call(machine: Client) -> None:
    call = rich_call()
    said = machine.get(reverse("api:calls-events", args=[call.pk])).json()
    assert [(event["type"], event["outcome"]) for event in said] == [("ringing", "applied")]


def test_an_operator_reads_the_own_calls_only() -> None:
    mine, other = CallFactory(dialog=True), CallFactory(dialog=True)
    ringing = CallFactory()
    client = Client()
    client.force_login(mine.operator, backend="hotline.operators.backends.RoleBackend")
    assert set(ids(client)) == {mine.pk, ringing.pk}
    for name in ("calls-detail", "calls-events"):
        assert client.get(reverse(f"api:{name}", args=[other.pk])).status_code == 404


def test_calls_are_read_only(machine: Client) -> None:
    call = CallFactory()
    assert machine.post(reverse("api:calls-list"), {}).status_code in (403, 405)
    assert machine.delete(reverse("api:calls-detail", args=[call.pk])).status_code in (403, 405)


def test_a_token_without_the_scope_reads_nothing() -> None:
    token = api_token(UserFactory(integration=True), ApiToken.Scope.TELEPHONY)
    response = Client(headers={"authorization": f"Bearer {token}"}).get(reverse("api:calls-list"))
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")


def test_filters(machine: Client) -> None:
    rich = rich_call(number=NUMBER, rating=5)
    now = timezone.now()
    missed = CallFactory(number="+79990000001", line_state="ended", work_state="closed", closed_at=now, ended_at=now)
    outgoing = CallFactory(outgoing=True, started_at=timezone.now() - timedelta(days=3))
    soon = (timezone.now() - timedelta(days=1)).isoformat()
    for query, expected in (
        ({}, {rich, missed, outgoing}),
        ({"number": "8 916 123-45-67"}, {rich}),
        ({"number": "0001"}, {missed}),
        ({"number": "1"}, set()),
        ({"operator": rich.operator_id}, {rich}),
        ({"direction": "out"}, {outgoing}),
        ({"origin": "incoming"}, {rich, missed}),
        ({"work_state": "wrap_up"}, {rich}),
        ({"line_state": "ringing"}, {outgoing}),
        ({"phase": "dialog"}, {rich}),
        ({"ending": "lost"}, {rich}),
        ({"missed": "true"}, {missed}),
        ({"missed": "false"}, {rich, outgoing}),
        ({"is_open": "true"}, {rich, outgoing}),
        ({"is_open": "false"}, {missed}),
        ({"client": rich.client_id}, {rich}),
        ({"appeal": rich.registered_appeal.number}, {rich}),
        ({"topic": "repair"}, {rich}),
        ({"result": "consulted"}, {rich}),
        ({"rated": "true"}, {rich}),
        ({"started_after": soon}, {rich, missed}),
        ({"started_before": soon}, {outgoing}),
    ):
        assert set(ids(machine, **query)) == {call.pk for call in expected}, query


def test_every_filter_was_tried_above() -> None:
    import inspect

    source = inspect.getsource(test_filters)
    assert [name for name in CallFilter.base_filters if f'"{name}"' not in source] == []


@pytest.mark.parametrize(
    "query", [{"operator": "x"}, {"direction": "up"}, {"topic": "нет"}, {"started_after": "вчера"}]
)
def test_a_wrong_filter_is_a_400_with_its_field(machine: Client, query: dict[str, str]) -> None:
    response = machine.get(reverse("api:calls-list"), query)
    assert (response.status_code, list(response.json()["fields"])) == (400, list(query))


def test_newest_first_in_keyset_pages(machine: Client) -> None:
    calls = [CallFactory(started_at=timezone.now() - timedelta(minutes=n)) for n in range(3)]
    first = machine.get(reverse("api:calls-list"), {"page_size": 2}).json()
    second = machine.get(first["next"]).json()
    assert [row["id"] for row in first["results"] + second["results"]] == [call.pk for call in calls]


def test_the_queries_do_not_grow(machine: Client) -> None:
    assert_same_query_count(lambda n: [rich_call() for _ in range(n)], lambda: machine.get(reverse("api:calls-list")))


def test_the_queries_of_a_call_do_not_grow_with_what_hangs_on_it(machine: Client) -> None:
    call = rich_call()

    def more(count: int) -> None:
        for _ in range(count):
            CallAppeal.objects.create(call=call, appeal=AppealFactory(), relation="registered")
            CallStage.objects.create(call=call, stage="history", act="opened", actor=call.operator)
            CallEvent.objects.create(
                source="test", event_id=f"e{CallEvent.objects.count()}", call=call, type="unknown", outcome="ignored"
            )

    assert_same_query_count(more, lambda: machine.get(reverse("api:calls-detail", args=[call.pk])))
    assert_same_query_count(more, lambda: machine.get(reverse("api:calls-events", args=[call.pk])))


def test_the_schema_describes_the_endpoints(machine: Client) -> None:
    from drf_spectacular.generators import SchemaGenerator

    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    event = paths["/api/v1/telephony/events/generic/{token}/"]["post"]
    assert set(event["requestBody"]["content"]) == {"application/json", "application/x-www-form-urlencoded"}
    assert {"200", "400", "401", "403", "4XX"} == set(event["responses"])
    assert "/api/v1/calls/{id}/events/" in paths


def test_users_of_the_api_filter_never_see_machines_as_operators() -> None:
    machine = UserFactory(integration=True)
    assert machine not in CallFilter().form.fields["operator"].queryset
    assert User.objects.filter(pk=machine.pk).exists()
