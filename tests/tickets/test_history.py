"""«Say this now»: every reason, its weight, and what is not said."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from tests.factories import (
    AppealFactory,
    AppealMessageFactory,
    ClientFactory,
    CommentFactory,
    DocumentFactory,
    DocumentKindFactory,
    ReminderFactory,
    SmsMessageFactory,
    ago,
    center,
)
from tests.helpers import assert_same_query_count, count_queries
from tickets.history import OVERDUE_DAYS, history, say_now
from tickets.models import Appeal, Client

pytestmark = pytest.mark.django_db


def codes(client: Client, since: datetime | None = None) -> list[tuple[str, str]]:
    return [(item.code, item.severity) for item in say_now(client, since=since)]


@pytest.mark.parametrize(
    ("state", "code", "severity"),
    [
        ("registered", "no_center", "bad"),
        ("assigned", "overdue", "bad"),
        ("accepted", "overdue", "bad"),
        ("in_work", "overdue", "bad"),
        ("done", "overdue", "warn"),
    ],
)
def test_an_open_request_is_overdue_after_its_days(state: str, code: str, severity: str) -> None:
    limit = OVERDUE_DAYS[Appeal.State(state)]
    client = ClientFactory()
    traits = {"repair": True} if state in ("registered", "done") else {"assigned": True}
    appeal = AppealFactory(client=client, state=state, state_changed_at=ago(days=limit - 1, hours=23), **traits)
    assert codes(client) == []
    Appeal.objects.filter(pk=appeal.pk).update(state_changed_at=ago(days=limit, minutes=1))
    found = say_now(client)
    assert [(item.code, item.severity, item.appeal) for item in found] == [(code, severity, appeal)]
    assert str(appeal.number) in found[0].text


def test_an_overdue_repair_names_who_has_it() -> None:
    client = ClientFactory()
    appeal = AppealFactory(client=client, assigned=True, state_changed_at=ago(days=16))
    assert appeal.assignments.get().service_center.name in say_now(client)[0].text


def test_what_is_over_is_not_said() -> None:
    client = ClientFactory()
    for state in ("closed", "cancelled"):
        AppealFactory(client=client, repair=True, state=state, state_changed_at=ago(days=90))
    AppealFactory(client=client, state="registered", state_changed_at=ago(days=90))  # a consultation
    assert codes(client) == []


def test_each_reason_and_its_weight() -> None:
    client = ClientFactory()
    appeal = AppealFactory(client=client, registered_at=ago(days=3))
    DocumentFactory(appeal=appeal, letter=True)
    ReminderFactory(appeal=appeal, overdue=True)
    ReminderFactory(appeal=appeal)  # in an hour: not yet
    ReminderFactory(appeal=appeal, overdue=True, done=True)
    AppealMessageFactory(appeal=appeal, message=SmsMessageFactory(undelivered=True))
    DocumentFactory(appeal=appeal, kind=DocumentKindFactory(code="act"))
    CommentFactory(appeal=appeal, by_center=True)
    CommentFactory(appeal=appeal)  # by staff: no news
    assert sorted(codes(client)) == [
        ("act", "info"),
        ("comment", "info"),
        ("letter", "bad"),
        ("reminder", "warn"),
        ("undelivered", "warn"),
    ]
    assert [severity for _code, severity in codes(client)] == ["bad", "warn", "warn", "info", "info"]


def test_news_is_what_came_since_the_last_contact() -> None:
    client = ClientFactory()
    appeal = AppealFactory(client=client, registered_at=ago(days=10))
    CommentFactory(appeal=appeal, by_center=True, created_at=ago(days=5))
    DocumentFactory(appeal=appeal, created_at=ago(days=4))
    assert codes(client) == [("comment", "info"), ("act", "info")]
    AppealFactory(client=client, registered_at=ago(days=1), closed=True)  # the client has called since
    assert codes(client) == []
    assert codes(client, since=ago(days=4, hours=12)) == [("act", "info")]


def test_nothing_is_said_of_others_and_to_a_new_client() -> None:
    other = AppealFactory()
    DocumentFactory(appeal=other, letter=True)
    assert codes(ClientFactory()) == []


def test_a_long_comment_is_cut() -> None:
    client = ClientFactory()
    CommentFactory(appeal=AppealFactory(client=client, registered_at=ago(days=1)), by_center=True, text="я" * 500)
    assert len(say_now(client)[0].text) < 200


def test_the_whole_history_newest_first() -> None:
    client = ClientFactory()
    older = AppealFactory(client=client, assigned=True, registered_at=ago(days=9))
    newer = AppealFactory(client=client, registered_at=ago(days=1))
    for _ in range(4):
        CommentFactory(appeal=older)
    act, open_reminder = DocumentFactory(appeal=older), ReminderFactory(appeal=older)
    ReminderFactory(appeal=older, done=True)
    found = history(client)
    assert found == [newer, older]
    whole = found[1]
    assert (whole.papers, whole.open_reminders, len(whole.latest_comments)) == ([act], [open_reminder], 3)  # type: ignore[attr-defined]
    assert whole.active_assignment() == older.assignments.get()
    assert len(history(client, limit=1)) == 1


def test_queries_do_not_grow() -> None:
    client, asked = ClientFactory(), center()

    def rows(count: int) -> None:
        for _ in range(count):
            appeal = AppealFactory(client=client, assigned=True, center=asked, state_changed_at=ago(days=30))
            DocumentFactory(appeal=appeal, letter=True)
            DocumentFactory(appeal=appeal, created_at=timezone.now() + timedelta(minutes=1))
            ReminderFactory(appeal=appeal, overdue=True)
            CommentFactory(appeal=appeal, by_center=True, created_at=timezone.now() + timedelta(minutes=1))
            AppealMessageFactory(appeal=appeal, message=SmsMessageFactory(undelivered=True))

    assert_same_query_count(rows, lambda: (say_now(client), history(client)))
    assert len(count_queries(lambda: say_now(client))) == 8
