"""The back office: directories, import of models, suggestions decided by the verbs, the rest to look at only."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse

from hotline.operators.models import User
from tests.factories import (
    AppealFactory,
    ClientFactory,
    ModelSuggestionFactory,
    ProductModelFactory,
    TopicFactory,
    UserFactory,
    brand,
    category,
)
from tests.helpers import assert_same_query_count
from tickets.models import Appeal, ModelSuggestion, ProductModel, Topic

pytestmark = pytest.mark.django_db


@pytest.fixture
def supervisor() -> User:
    made: User = UserFactory(supervisor=True)
    return made


@pytest.fixture
def office(supervisor: User, client: Browser) -> Browser:
    client.force_login(supervisor, backend="hotline.operators.backends.RoleBackend")
    return client


def url(model: str, what: str = "changelist", *args: object) -> str:
    return reverse(f"admin:tickets_{model}_{what}", args=args)


def test_a_topic_is_renamed_and_switched_off(office: Browser) -> None:
    topic = TopicFactory()
    office.post(url("topic", "change", topic.pk), {"name": "Новое имя", "code": topic.code, "position": 3})
    topic.refresh_from_db()
    assert (topic.name, topic.is_active, Topic.objects.count()) == ("Новое имя", False, 1)


def test_models_are_imported_and_one_that_is_there_is_not_doubled(office: Browser) -> None:
    ProductModelFactory(name="ВМ-12", brand=brand("Vestra"), category=category("Плиты"))
    rows = "brand,category,name,is_active\nVestra,Плиты,ВМ-12,1\nVestra,Плиты,ВМ-13,1\n"
    sheet = SimpleUploadedFile("models.csv", rows.encode())
    page = office.post(url("productmodel", "import"), {"import_file": sheet, "format": "1", "resource": ""})
    confirm = page.context["confirm_form"]
    office.post(url("productmodel", "process_import"), confirm.initial)
    assert sorted(ProductModel.objects.values_list("name", flat=True)) == ["ВМ-12", "ВМ-13"]


def test_a_model_that_is_there_in_other_letters_is_refused_beside_its_name(office: Browser) -> None:
    known = ProductModelFactory(name="ВМ-12", brand=brand("Vestra"), category=category("Плиты"))
    fields = {"brand": known.brand_id, "category": known.category_id, "is_active": "on"}
    page = office.post(url("productmodel", "add"), {**fields, "name": "BM 12"})  # Latin
    assert page.status_code == 200
    assert "У этой марки уже есть такая модель: ВМ-12." in page.content.decode()
    assert ProductModel.objects.count() == 1
    # By itself it is no other one.
    office.post(url("productmodel", "change", known.pk), {**fields, "name": "ВМ 12"})
    known.refresh_from_db()
    assert known.name == "ВМ 12"


def test_models_are_exported(office: Browser) -> None:
    ProductModelFactory(name="ВМ-12")
    answer = office.post(url("productmodel", "export"), {"format": "1", "resource": ""})
    assert "ВМ-12" in answer.content.decode("utf-8-sig")


def test_a_suggestion_becomes_a_model_once(office: Browser, supervisor: User) -> None:
    suggestion, model = ModelSuggestionFactory(text="ВМ-77"), ProductModelFactory()
    form = url("modelsuggestion", "change", suggestion.pk)
    refused = office.post(form, {"resolved_model": ""})
    assert refused.status_code == 200
    office.post(form, {"resolved_model": model.pk})
    suggestion.refresh_from_db()
    assert (suggestion.resolved_model, suggestion.decided_by) == (model, supervisor)
    assert office.post(form, {"resolved_model": ProductModelFactory().pk}).status_code == 403


def test_suggestions_are_dropped_by_the_list(office: Browser, supervisor: User) -> None:
    rows = [ModelSuggestionFactory(), ModelSuggestionFactory()]
    chosen = {"action": "dismiss", "_selected_action": [row.pk for row in rows]}
    office.post(url("modelsuggestion"), chosen)
    assert not ModelSuggestion.objects.waiting().exists()
    assert {row.decided_by for row in ModelSuggestion.objects.all()} == {supervisor}


@pytest.mark.parametrize("model", ["client", "appliance", "appeal"])
def test_what_verbs_change_is_only_looked_at(office: Browser, model: str) -> None:
    AppealFactory(assigned=True)
    assert office.get(url(model)).status_code == 200
    assert office.get(url(model, "add")).status_code == 403


def test_an_appeal_is_looked_at_and_not_changed(office: Browser) -> None:
    appeal = AppealFactory(assigned=True)
    form = url("appeal", "change", appeal.pk)
    assert office.get(form).status_code == 200
    assert office.post(form, {"state": "closed"}).status_code == 403
    assert office.post(url("appeal", "delete", appeal.pk), {"post": "yes"}).status_code == 403
    assert Appeal.objects.get().state == "assigned"


@pytest.mark.parametrize("model", ["appeal", "client", "productmodel", "modelsuggestion"])
def test_lists_cost_the_same_for_many_rows(office: Browser, model: str) -> None:
    make = {
        "appeal": lambda: AppealFactory(topic=TopicFactory(), registered_by=UserFactory()),
        "client": lambda: ClientFactory(created_by=UserFactory()),
        "productmodel": ProductModelFactory,
        "modelsuggestion": lambda: ModelSuggestionFactory(suggested_by=UserFactory()),
    }[model]
    assert_same_query_count(lambda count: [make() for _ in range(count)], lambda: office.get(url(model)))
