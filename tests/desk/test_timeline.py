"""A client's timeline: everything that passed, newest first, the cost the same however long it is."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from calls.models import Call
from hotline.desk.timeline import timeline
from hotline.operators.models import User
from tests import factories as f
from tests.helpers import count_queries
from tickets.models import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return f.UserFactory()


def call(client: Client, at: datetime) -> Call:
    return Call.objects.create(
        source="test",
        external_id=str(uuid4()),
        direction=Call.Direction.IN,
        origin=Call.Origin.INCOMING,
        client=client,
        started_at=at,
    )


def fill(client: Client, days: int, now: datetime) -> None:
    for day in range(days):
        at = now - timedelta(days=day)
        appeal = f.AppealFactory(client=client, account=client.accounts.get(is_main=True), registered_at=at)
        call(client, at - timedelta(minutes=3))
        f.CommentFactory(appeal=appeal, created_at=at + timedelta(minutes=5))
        f.DocumentFactory(appeal=appeal, created_at=at + timedelta(minutes=6))


def test_everything_newest_first(user: User) -> None:
    client = f.ClientFactory()
    now = timezone.now()
    fill(client, 2, now)
    fill(f.ClientFactory(), 1, now)
    found = timeline(client, user=user)
    assert [entry.kind for entry in found.entries] == ["document", "comment", "appeal", "call"] * 2
    assert [entry.at for entry in found.entries] == sorted((entry.at for entry in found.entries), reverse=True)
    assert found.before is None


def test_pages_join_without_gap_or_repetition(user: User) -> None:
    client = f.ClientFactory()
    fill(client, 3, timezone.now())
    first = timeline(client, user=user, limit=5)
    second = timeline(client, user=user, before=first.before, limit=5)
    third = timeline(client, user=user, before=second.before, limit=5)
    seen = [(entry.kind, entry.row.pk) for page in (first, second, third) for entry in page.entries]
    assert len(seen) == len(set(seen)) == 12
    assert third.before is None


def test_a_long_timeline_costs_what_a_short_one_does(user: User) -> None:
    client = f.ClientFactory()
    now = timezone.now()
    fill(client, 1, now)
    few = len(count_queries(lambda: timeline(client, user=user)))
    fill(client, 6, now - timedelta(days=2))
    assert len(count_queries(lambda: timeline(client, user=user))) == few == 5
