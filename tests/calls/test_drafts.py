"""Drafts: what is typed is kept, invalid text and all; two windows never overwrite each other; R2 after the call."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse

from calls.actions import discard_draft, reassign_draft, register_draft, save_draft, settle_drafts, submit_draft
from calls.models import Call, CallAppeal, Draft
from hotline.base.errors import Conflict, Forbidden, HotlineError, Invalid, NotFound, Refused
from tests.calls.factories import CallFactory
from tests.factories import AppealFactory, ClientFactory, UserFactory
from tests.helpers import race
from tickets.models import Appeal

pytestmark = pytest.mark.django_db


def code_of(act: Any, **arguments: Any) -> str:
    with pytest.raises(HotlineError) as error:
        act(**arguments)
    return error.value.code


def save(call: Call, version: int = 0, *, form: str = "repair", **data: Any) -> Draft:
    return save_draft(call_id=call.pk, form=form, data=data, version=version, actor=call.operator)


# --- Saving ---------------------------------------------------------------------------------------
def test_each_save_stands_on_the_one_before() -> None:
    call = CallFactory(dialog=True)

    first = save(call, store="М.Вид")
    second = save(call, 1, store="М.Видео", purchase_date="тринадцатое мартобря")

    assert (first.pk, first.version) == (second.pk, 1)
    assert second.version == 2
    assert second.data == {"store": "М.Видео", "purchase_date": "тринадцатое мартобря"}
    assert second.owner == call.operator


@pytest.mark.parametrize(("form", "phase"), [("repair", "dialog"), ("client", "dialog"), ("wrap_up", "greeting")])
def test_who_types_a_form_of_stage_two_or_later_is_talking(form: str, phase: str) -> None:
    call = CallFactory(talking=True, phase="greeting")
    save(call, form=form, store="М.Видео")
    call.refresh_from_db()
    assert call.phase == phase


def test_what_is_typed_after_the_line_has_gone_makes_no_dialog() -> None:
    call = CallFactory(wrap_up=True, phase="greeting")
    save(call, store="М.Видео")
    call.refresh_from_db()
    assert call.phase == "greeting"


def test_an_older_text_does_not_overwrite_a_newer_one() -> None:
    call = CallFactory(dialog=True)
    save(call, store="М.Видео")
    save(call, 1, store="Эльдорадо")

    with pytest.raises(Conflict) as conflict:
        save(call, 1, store="ДНС")

    assert (conflict.value.code, conflict.value.details["version"]) == ("stale", 2)
    assert Draft.objects.get().data == {"store": "Эльдорадо"}


def test_the_same_save_again_is_no_conflict() -> None:
    """The answer got lost on the way, and the page sends the same once more."""
    call = CallFactory(dialog=True)
    save(call, store="М.Видео")
    assert save(call, 0, store="М.Видео").version == 1


def test_one_open_draft_a_form_of_a_call() -> None:
    call = CallFactory(dialog=True)
    repair, installation = save(call, store="1"), save(call, form="installation", store="2")
    assert repair.pk != installation.pk
    assert Draft.objects.open().count() == 2


def test_the_pages_own_action_becomes_the_drafts() -> None:
    action = uuid4()
    draft = save(CallFactory(dialog=True), action_id=str(action), store="М.Видео")
    assert draft.action_id == action
    assert "action_id" not in draft.data


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"form": "poem", "data": {}, "version": 0}, "form"),
        ({"form": "repair", "data": {"description": "я" * 40_000}, "version": 0}, "too_big"),
        ({"form": "repair", "data": {}, "version": 3}, "submitted"),
    ],
)
def test_what_is_not_kept(arguments: dict[str, Any], code: str) -> None:
    call = CallFactory(dialog=True)
    with pytest.raises((Invalid, Conflict)) as error:
        save_draft(call_id=call.pk, actor=call.operator, **arguments)
    assert error.value.code == code
    assert not Draft.objects.exists()


def test_anothers_call_takes_no_draft() -> None:
    call = CallFactory(dialog=True)
    assert code_of(save_draft, call_id=call.pk, form="repair", data={}, version=0, actor=UserFactory()) == "not_found"


@pytest.mark.django_db(transaction=True)
def test_two_windows_begin_one_draft() -> None:
    call = CallFactory(dialog=True)

    def first() -> Draft:
        return save(call, store="первое окно")

    def second() -> Draft:
        return save(call, store="второе окно")

    results = race(first, second)

    assert sorted(type(each).__name__ for each in results) == ["Conflict", "Draft"]
    assert Draft.objects.count() == 1


# --- Sending --------------------------------------------------------------------------------------
def test_a_save_that_comes_after_the_sending_begins_nothing_anew() -> None:
    call, action = CallFactory(dialog=True), uuid4()
    submit_draft(call_id=call.pk, form="repair", action_id=action, actor=call.operator)

    assert (
        code_of(
            save_draft, call_id=call.pk, form="repair", data={"action_id": str(action)}, version=0, actor=call.operator
        )
        == "submitted"
    )
    assert not Draft.objects.open().exists()


def test_a_draft_that_became_an_appeal_says_so() -> None:
    call, appeal = CallFactory(dialog=True), AppealFactory()
    draft = save(call, store="М.Видео")

    submit_draft(call_id=call.pk, form="repair", action_id=draft.action_id, actor=call.operator, appeal=appeal)

    draft.refresh_from_db()
    assert draft.appeal == appeal
    assert draft.submitted_at is not None


def test_the_next_request_of_a_call_has_a_draft_of_its_own() -> None:
    call = CallFactory(dialog=True)
    first = save(call, store="М.Видео")
    submit_draft(call_id=call.pk, form="repair", action_id=first.action_id, actor=call.operator)

    second = save(call, store="ДНС", action_id=str(uuid4()))

    assert second.pk != first.pk
    assert second.version == 1


def test_closing_leaves_only_broken_off_requests_to_their_owner() -> None:
    call = CallFactory(dialog=True)
    request = save(call, store="М.Видео")
    for form in ("diagnosis", "consultation", "wrap_up", "client"):
        save(call, form=form, note="…")

    assert settle_drafts(call_id=call.pk, actor=call.operator) == 4
    assert list(Draft.objects.open()) == [request]


# --- Putting away, giving to a colleague ----------------------------------------------------------
def test_a_draft_is_put_away_by_its_owner_only() -> None:
    draft = save(CallFactory(dialog=True), store="М.Видео")
    assert code_of(discard_draft, draft_id=draft.pk, actor=UserFactory()) == "not_found"

    discard_draft(draft_id=draft.pk, actor=draft.owner)

    assert not Draft.objects.open().exists()
    assert Draft.objects.count() == 1


def test_a_supervisor_gives_a_draft_to_a_colleague() -> None:
    draft, colleague = save(CallFactory(dialog=True), store="М.Видео"), UserFactory()
    with pytest.raises(Forbidden):
        reassign_draft(draft_id=draft.pk, owner=colleague, actor=draft.owner)

    reassign_draft(draft_id=draft.pk, owner=colleague, actor=UserFactory(supervisor=True))

    assert list(Draft.objects.visible_to(colleague)) == [draft]
    assert not Draft.objects.visible_to(draft.owner).exists()


# --- R2: finished after the call ------------------------------------------------------------------
def consulted(call: Call) -> Call:
    """Closed with the consultation that R1 asks for."""
    call.registered_appeal = AppealFactory(client=call.client)
    call.ending = Call.Ending.GOODBYE
    call.work_state, call.closed_at = Call.WorkState.CLOSED, call.ended_at
    call.save()
    return call


REQUEST = {
    "kind": "installation",
    "description": "Подключить стиральную машину",
    "no_center_reason": "client_decides",
}


def known_facts() -> dict[str, Any]:
    from tickets.actions import ApplianceFacts

    facts = ApplianceFacts(model_source="unknown", purchase_date_source="unknown", store_source="unknown")
    return {**REQUEST, "facts": facts}


def test_a_broken_off_request_is_finished_after_its_call() -> None:
    call = CallFactory(wrap_up=True, client=ClientFactory())
    draft = save(call, form="installation", description="Подключить")
    consulted(call)

    appeal = register_draft(draft_id=draft.pk, actor=call.operator, **known_facts())
    again = register_draft(draft_id=draft.pk, actor=call.operator, **known_facts())

    call.refresh_from_db()
    draft.refresh_from_db()
    assert appeal == again == draft.appeal
    assert appeal.client == call.client
    assert call.registered_appeal != appeal
    assert CallAppeal.objects.filter(call=call, appeal=appeal).exists()
    assert Appeal.objects.filter(kind="installation").count() == 1


def test_an_open_call_registers_in_the_call() -> None:
    draft = save(CallFactory(dialog=True, client=ClientFactory()), form="installation", description="Подключить")
    with pytest.raises(Refused) as refused:
        register_draft(draft_id=draft.pk, actor=draft.owner, **known_facts())
    assert refused.value.code == "call_open"


def test_a_strangers_draft_is_not_there() -> None:
    draft = save(CallFactory(dialog=True, client=ClientFactory()), form="installation", description="Подключить")
    with pytest.raises(NotFound):
        register_draft(draft_id=draft.pk, actor=UserFactory(), **known_facts())


# --- The endpoint of drafts.js --------------------------------------------------------------------
def send(web: Browser, call: Call, body: Any, form: str = "repair") -> Any:
    url = reverse("calls:draft", args=[call.pk, form])
    data = body if isinstance(body, str) else json.dumps(body)
    return web.post(url, data, content_type="application/json")


def test_the_page_saves_and_is_told_the_version(client: Browser) -> None:
    call = CallFactory(dialog=True)
    client.force_login(call.operator)

    answer = send(client, call, {"version": 0, "fields": {"store": "М.Видео", "many": ["a", "b"]}})

    assert answer.status_code == 200
    assert answer.json()["version"] == 1
    assert Draft.objects.get().data == {"store": "М.Видео", "many": ["a", "b"]}


def test_the_page_is_told_of_a_newer_version(client: Browser) -> None:
    call = CallFactory(dialog=True)
    client.force_login(call.operator)
    send(client, call, {"version": 0, "fields": {"store": "1"}})
    send(client, call, {"version": 1, "fields": {"store": "2"}})

    answer = send(client, call, {"version": 1, "fields": {"store": "3"}})

    assert (answer.status_code, answer.json()["version"]) == (409, 2)
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"version": "x", "fields": {}}', '{"version": 0, "fields": 7}', "\xff"]
)
def test_nonsense_is_refused(client: Browser, body: str) -> None:
    call = CallFactory(dialog=True)
    client.force_login(call.operator)
    assert send(client, call, body).status_code == 400
