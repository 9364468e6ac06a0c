"""What no field sends and anybody can: a clear 400 or 404, never a fault of ours. Found by fuzzing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client as Browser
from django.urls import reverse

from hotline.operators.models import User
from tests.calls.factories import CallFactory
from tests.factories import AppealFactory, ModelSuggestionFactory, UserFactory

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def supervisor() -> User:
    made: User = UserFactory(supervisor=True)
    return made


@pytest.fixture
def web(client: Browser, supervisor: User) -> Browser:
    client.raise_request_exception = False
    client.force_login(supervisor, backend="hotline.operators.backends.RoleBackend")
    return client


@pytest.mark.parametrize(
    "query",
    [
        "/admin/calls/scriptchange/?ground__exact=%00",
        "/admin/service_centers/city/?timezone=%00",
        "/admin/tickets/automaticsms/?state__exact=%00",
        "/admin/autocomplete/?term=%00&app_label=tickets&model_name=productmodel&field_name=brand",
        "/appeals/?q=%00",
        "/clients/?q=%00&city=%00",
        "/service-centers/?q=%00",
        "/calls/?stage=%00",
    ],
)
def test_a_zero_byte_in_an_address(web: Browser, query: str) -> None:
    assert web.get(query).status_code in {200, 302, 400, 404}


@pytest.mark.parametrize("value", ["\0", "а\0б", "123", "\u202e" * 300, "9" * 400, "<script>"])
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("reopen", "reason"),
        ("account", "reason"),
        ("ended-by", "party"),
        ("hang-up", "ending"),
        ("sms-gate", "to"),
        ("sms-wishes", "to"),
        ("promise", "reason"),
        ("wrap-up", "comment"),
        ("diagnosis", "model_text"),
        ("card", "last_name"),
        ("client-search", "q"),
    ],
)
def test_odd_values_in_a_call(web: Browser, supervisor: User, name: str, field: str, value: str) -> None:
    call = CallFactory(operator=supervisor)
    answer = web.post(reverse(f"calls:{name}", args=[call.pk]), {field: value})
    assert answer.status_code < 500, answer.content


@pytest.mark.parametrize("value", ["\0", "ё\0", " "])
def test_odd_values_in_the_house(web: Browser, value: str) -> None:
    for address, field in (("/me/extension/", "extension"), ("/calls/exchange/act/", "extension")):
        assert web.post(address, {field: value, "act": "ring"}).status_code < 500
    appeal = AppealFactory()
    for field in ("text", "to", "reason"):
        assert web.post(appeal.get_absolute_url(), {field: value}).status_code < 500


def test_half_of_a_surrogate_pair_that_is_to_be_kept(web: Browser, supervisor: User) -> None:
    call = CallFactory(operator=supervisor)
    body = '{"version": 0, "fields": {"description": "\\ud800"}}'
    answer = web.post(reverse("calls:draft", args=[call.pk, "repair"]), body, content_type="application/json")
    assert answer.status_code == 400


@pytest.mark.parametrize("names", [("123", "123"), ("---", "---"), ("_____", "12"), ("Иванова", "123"), ("", "")])
def test_names_without_a_letter(web: Browser, names: tuple[str, str]) -> None:
    body = dict(zip(("last_name", "first_name"), names, strict=True))
    assert web.post("/clients/duplicates/", body).status_code < 500
    assert web.post("/api/v1/clients/duplicates/", body, content_type="application/json").status_code < 500


@pytest.mark.parametrize("kept", ["Бош", ["a", "b", "c"], ["", "Бош"]])
def test_a_draft_that_kept_the_text_alone_is_shown(web: Browser, supervisor: User, kept: Any) -> None:
    """Of a field with suggestions: no more than what was typed."""
    call = CallFactory(operator=supervisor)
    saved = {"version": 0, "fields": {"model_text": kept, "city": kept, "description": "Течёт"}}
    url = reverse("calls:draft", args=[call.pk, "repair"])
    assert web.post(url, saved, content_type="application/json").status_code == 200
    for stage in ("registration", "diagnosis"):
        assert web.get(f"{reverse('calls:call', args=[call.pk])}?stage={stage}").status_code == 200


@pytest.mark.parametrize("value", [{"a": 1}, 7, None, ["a", None], True])
def test_a_draft_of_no_texts_is_none(web: Browser, supervisor: User, value: Any) -> None:
    call = CallFactory(operator=supervisor)
    url = reverse("calls:draft", args=[call.pk, "repair"])
    body = {"version": 0, "fields": {"model_text": value}}
    assert web.post(url, body, content_type="application/json").status_code == 400


@pytest.mark.parametrize("chosen", ["", "a b", "[]", "\0", "9999-99-99", "\r\n", "9" * 30])
def test_a_row_of_the_admin_that_nobody_has(web: Browser, chosen: str) -> None:
    for model in ("operators/user", "tickets/warrantyrule", "sms/deniedcode", "service_centers/brand"):
        body = urlencode({"action": "delete_selected", "_selected_action": chosen, "index": 0})
        assert web.post(f"/admin/{model}/", body, content_type=FORM).status_code < 500


@pytest.mark.parametrize("value", ["[]", "a b", "\0", "{", "9" * 30, ""])
def test_a_foreign_key_of_the_admin_that_is_none(web: Browser, value: str) -> None:
    fields = {"name": "Мастер", "city": value, "brand": value, "category": value, "resolved_model": value}
    suggestion = ModelSuggestionFactory()
    for page in (
        "/admin/service_centers/servicecenter/add/",
        "/admin/tickets/productmodel/add/",
        f"/admin/tickets/modelsuggestion/{suggestion.pk}/change/",
    ):
        assert web.post(page, fields).status_code < 500


def test_the_way_to_a_page_leads_to_models_of_the_admin_only(web: Browser) -> None:
    appeal = AppealFactory()
    for kind in ContentType.objects.all():
        assert web.get(f"/admin/r/{kind.pk}/{appeal.pk}/").status_code in {302, 404}
    mine = ContentType.objects.get_for_model(appeal)
    assert web.get(f"/admin/r/{mine.pk}/{appeal.pk}/")["Location"].endswith(appeal.get_absolute_url())
    assert web.get("/admin/r/999999/1/").status_code == 404
