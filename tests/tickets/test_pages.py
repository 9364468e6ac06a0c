"""The pages of cards and appeals: what they show, how forms come back, and that they cost the same for many rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from hotline.operators.models import User
from tests.factories import (
    AppealFactory,
    AppealMessageFactory,
    AppealReferenceFactory,
    ApplianceFactory,
    ClientFactory,
    CommentFactory,
    DocumentFactory,
    DocumentKindFactory,
    ProductModelFactory,
    ReminderFactory,
    SmsMessageFactory,
    SmsTemplateFactory,
    TopicFactory,
    UserFactory,
    ago,
    center,
    city,
    main_account,
)
from tests.helpers import assert_same_query_count
from tickets import events
from tickets.actions import add_comment, edit_appeal, move_appeal, update_client
from tickets.models import Appeal, Client

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def operator() -> User:
    made: User = UserFactory()
    return made


@pytest.fixture
def visitor(operator: User, client: Browser) -> Browser:
    client.force_login(operator, backend="hotline.operators.backends.RoleBackend")
    return client


def page(name: str, **kwargs: Any) -> str:
    return reverse(f"tickets:{name}", kwargs=kwargs or None)


def text_of(response: HttpResponse) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# --- Cards ----------------------------------------------------------------------------------------
def test_the_list_of_cards_and_its_fragment(visitor: Browser) -> None:
    ClientFactory(last_name="Ёлкина", phones=["8 916 000-01-01"])
    ClientFactory(last_name="Другая")
    whole = visitor.get(page("clients"))
    assert "+7 916 000-01-01" in text_of(whole)
    found = visitor.get(page("clients"), {"q": "елкина"}, headers=HTMX)
    assert "<html" not in found.content.decode()
    assert "Ёлкина" in text_of(found)
    assert "Другая" not in text_of(found)
    assert "HX-Request" in found["Vary"]


def test_pages_of_cards_go_on_by_their_key(visitor: Browser) -> None:
    for _ in range(51):
        ClientFactory()
    first = visitor.get(page("clients"))
    assert len(first.context["clients"]) == 50
    second = visitor.get(first.context["next"])
    assert len(second.context["clients"]) == 1
    assert visitor.get(page("clients"), {"cursor": "придумано"}).status_code == 404


def test_a_card_is_registered_once_however_often_it_is_posted(visitor: Browser, operator: User) -> None:
    form = {
        "last_name": "Ёлкина",
        "first_name": "Анна",
        "phone": "8 (916) 000-01-01",
        "city": "Казань",
        "action_id": str(uuid4()),
    }
    city()
    answers = [visitor.post(page("client-new"), form) for _ in range(2)]
    made = Client.objects.get()
    assert [answer["Location"] for answer in answers] == [made.get_absolute_url()] * 2
    assert (made.city, made.created_by, made.phones.get().e164) == (city(), operator, "+79160000101")


def test_a_card_without_a_name_comes_back_as_it_was_typed(visitor: Browser) -> None:
    answer = visitor.post(page("client-new"), {"phone": "8 (916) 000-01", "note": "Собака"})
    assert answer.status_code == 422
    assert answer.context["form"].errors["last_name"]
    assert "8 (916) 000-01" in answer.content.decode()
    assert not Client.objects.exists()


def test_the_number_of_the_call_is_filled_in(visitor: Browser) -> None:
    assert "+79160000101" in visitor.get(page("client-new"), {"phone": "+79160000101"}).content.decode()


def test_duplicates_are_warned_of_while_typing(visitor: Browser) -> None:
    known = ClientFactory(last_name="Ёлкина", first_name="Анна", phones=["8 916 000-01-01"])
    form = {"last_name": "Елкина", "first_name": "Анна", "phone": "", "city": "Казань"}
    answer = visitor.post(page("duplicates"), form, headers=HTMX)
    assert known.get_absolute_url() in answer.content.decode()
    assert Client.objects.count() == 1
    assert "Ёлкина" not in text_of(visitor.post(page("duplicates"), {"last_name": "Ё"}, headers=HTMX))


def test_the_second_editor_of_a_card_keeps_what_was_typed(visitor: Browser) -> None:
    known, colleague = ClientFactory(address="ул. Мира, 1"), UserFactory(last_name="Первая", first_name="Анна")
    update_client(client_id=known.pk, version=1, address="ул. Мира, 2", actor=colleague)
    form = {"last_name": "Ёлкина", "address": "ул. Мира, 3", "version": 1}
    answer = visitor.post(page("client-edit", pk=known.pk), form)
    assert answer.status_code == 422
    shown = text_of(answer)
    assert "Первая Анна" in shown
    assert "ул. Мира, 2" in shown
    assert 'value="ул. Мира, 3"' in answer.content.decode()
    known.refresh_from_db()
    assert known.address == "ул. Мира, 2"
    # Sent again, on purpose, it is taken.
    version = re.search(r'name="version" value="(\d+)"', answer.content.decode())
    assert version is not None
    again = visitor.post(page("client-edit", pk=known.pk), {**form, "version": version.group(1)})
    known.refresh_from_db()
    assert (again.status_code, known.address, known.version) == (302, "ул. Мира, 3", 3)


def test_phones_are_added_and_taken_off(visitor: Browser) -> None:
    known = ClientFactory(phones=["8 916 000-01-01"])
    added = visitor.post(page("phones", pk=known.pk), {"raw": "8 916 000 01 02"}, headers=HTMX)
    assert "+7 916 000-01-02" in text_of(added)
    assert visitor.post(page("phones", pk=known.pk), {"raw": " "}, headers=HTMX).status_code == 422
    first = known.phones.first()
    assert visitor.post(page("phones", pk=known.pk), {"remove": first.pk}).status_code == 302
    assert [phone.e164 for phone in known.phones.all()] == ["+79160000102"]
    for remove in (first.pk, "x", ClientFactory(phones=["8 916 000-01-03"]).phones.get().pk):
        assert visitor.post(page("phones", pk=known.pk), {"remove": remove}).status_code == 404


def test_another_account_and_an_appliance(visitor: Browser) -> None:
    known = ClientFactory()
    assert visitor.post(page("accounts", pk=known.pk), {"reason": ""}, headers=HTMX).status_code == 422
    assert visitor.post(page("accounts", pk=known.pk), {"reason": "Дача"}, headers=HTMX).status_code == 200
    model = ProductModelFactory(name="ВМ-12")
    account = main_account(known)
    form = {
        "model_text": "вм 12",
        "model_text_id": model.pk,
        "purchase_date": "14.03.25",
        "purchase_date_source": "receipt",
    }
    assert visitor.post(page("appliance-new", pk=account.pk), form).status_code == 302
    appliance = account.appliances.get()
    assert (appliance.product_model, appliance.model_text, str(appliance.purchase_date)) == (
        model,
        "вм 12",
        "2025-03-14",
    )
    edit = {"model_text": "вм 12", "model_text_id": model.pk, "store": "ДНС"}
    assert visitor.post(page("appliance-edit", pk=appliance.pk), edit).status_code == 302
    appliance.refresh_from_db()
    assert (appliance.store, appliance.purchase_date, appliance.purchase_date_source) == ("ДНС", None, "unknown")
    refused = visitor.post(page("appliance-edit", pk=appliance.pk), {"model_text": "x", "purchase_date": "31.02.25"})
    assert (refused.status_code, "31.02.25" in refused.content.decode()) == (422, True)


def test_suggestions(visitor: Browser) -> None:
    model = ProductModelFactory(name="ВМ-12")
    exact = visitor.get(page("model-suggest"), {"q": "bm12", "brand": "x", "category": model.category_id})
    assert f'data-value="{model.pk}"' in exact.content.decode()
    assert "data-exact" in exact.content.decode()
    none = visitor.get(page("model-suggest"), {"q": "ZZZZ"})
    assert 'role="option"' not in none.content.decode()
    known = ClientFactory(last_name="Ёлкина")
    accounts = visitor.get(page("account-suggest"), {"q": "елкина"})
    assert f'data-value="{main_account(known).pk}"' in accounts.content.decode()


# --- The list of appeals --------------------------------------------------------------------------
@pytest.fixture
def some(operator: User) -> dict[str, Appeal]:
    mine = AppealFactory(registered_by=operator, topic=TopicFactory(), registered_at=ago(days=1))
    repair = AppealFactory(
        assigned=True,
        city=city("Москва"),
        verdict="in",
        registered_at=ago(days=2),
        client=ClientFactory(last_name="Ёлкина"),
    )
    closed = AppealFactory(closed=True, city=None, city_text="дер. Ключи", registered_at=ago(days=3))
    return {"mine": mine, "repair": repair, "closed": closed}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["mine", "repair", "closed"]),
        ({"q": "елкина"}, ["repair"]),
        ({"kind": "repair"}, ["repair"]),
        ({"state": ["assigned", "closed"]}, ["repair", "closed"]),
        ({"city": "москва"}, ["repair"]),
        ({"city": "дер. ключи"}, ["closed"]),
        ({"verdict": "in"}, ["repair"]),
        ({"open": "on"}, ["mine", "repair"]),
        ({"mine": "on"}, ["mine"]),
        ({"q": "никого"}, []),
    ],
)
def test_filters(visitor: Browser, some: dict[str, Appeal], asked: dict[str, Any], expected: list[str]) -> None:
    found = visitor.get(page("appeals"), asked).context["appeals"]
    assert found == [some[name] for name in expected]


def test_filters_by_rows_and_days(visitor: Browser, some: dict[str, Appeal]) -> None:
    def found(**asked: Any) -> list[Appeal]:
        rows: list[Appeal] = visitor.get(page("appeals"), asked).context["appeals"]
        return rows

    repair, mine = some["repair"], some["mine"]
    assert found(topic=mine.topic_id) == [mine]
    assert found(service_center=repair.assignments.get().service_center_id) == [repair]
    assert found(client=repair.client_id) == [repair]
    assert found(brand=repair.brand_id, category=repair.category_id) == [repair]
    day = f"{timezone.localtime(ago(days=2)):%d.%m.%Y}"
    assert found(registered_after=day, registered_before=day) == [repair]
    assert found(registered_before=f"{timezone.localtime(ago(days=3)):%d%m%y}") == [some["closed"]]


def test_a_filter_that_makes_no_sense_is_told(visitor: Browser) -> None:
    answer = visitor.get(page("appeals"), {"registered_after": "вчера", "state": "нет"})
    assert answer.status_code == 200
    assert answer.context["form"].errors


# --- One appeal -----------------------------------------------------------------------------------
@pytest.fixture
def request_() -> Appeal:
    SmsTemplateFactory()
    made: Appeal = AppealFactory(assigned=True, phone="+79160000101")
    return made


def test_an_appeal_shows_all_that_hangs_on_it(visitor: Browser, request_: Appeal) -> None:
    events.registered(request_, None)
    add_comment(appeal_id=request_.pk, text="Ждём запчасть", actor=UserFactory())
    DocumentFactory(appeal=request_, number="А-77")
    ReminderFactory(appeal=request_, text="Позвонить", overdue=True)
    AppealReferenceFactory(appeal=request_, number="G-99")
    AppealMessageFactory(appeal=request_, message=SmsMessageFactory(delivered=True))
    AppealFactory(parent=request_, client=request_.client)
    shown = text_of(visitor.get(request_.get_absolute_url()))
    for words in (
        *("Ждём запчасть", "А-77", "Позвонить", "просрочено", "G-99", "доставлено", "Казань-Сервис"),
        *("RF-1000", request_.full_name, "Консультации по этому обращению", "Зарегистрировано"),
    ):
        assert words in shown, words


@pytest.mark.parametrize(
    "name", ["facts", "state", "assign", "assignment", "comments", "documents", "reminders", "messages", "move"]
)
def test_every_part_is_a_page_and_a_fragment(visitor: Browser, request_: Appeal, name: str) -> None:
    url = page(f"appeal-{name}", number=request_.number)
    assert "<html" in visitor.get(url).content.decode()
    assert "<html" not in visitor.get(url, headers=HTMX).content.decode()


def post(visitor: Browser, appeal: Appeal, part: str, form: dict[str, Any], **options: Any) -> HttpResponse:
    answer: HttpResponse = visitor.post(page(f"appeal-{part}", number=appeal.number), form, **options)
    return answer


def test_a_part_that_did_its_verb_tells_the_page(visitor: Browser, request_: Appeal) -> None:
    answer = post(visitor, request_, "comments", {"text": "Ждём"}, headers=HTMX)
    assert answer.status_code == 200
    assert "appeal-changed" in json.loads(answer["HX-Trigger"])
    assert "Ждём" in text_of(answer)
    without = post(visitor, request_, "comments", {"text": "Ещё"})
    assert (without.status_code, without["Location"]) == (302, request_.get_absolute_url())
    assert request_.comments.count() == 2


@pytest.mark.parametrize(
    ("part", "form", "field"),
    [
        ("comments", {"text": ""}, "text"),
        ("reminders", {"text": "Позвонить", "due_at": "вчера"}, "due_at"),
        ("reminders", {"text": "Позвонить", "due_at": "01.01.2020 10:00"}, "due_at"),
        ("references", {"system": "gsis", "number": ""}, "number"),
        ("duplicate", {"number": "1"}, "number"),
        ("move", {"account": "Ёлкина"}, "account"),
        ("documents", {"date": "31.02.2026"}, "date"),
        ("state", {"state": "closed", "version": 1}, "state"),
        ("messages", {"do": "send", "purpose": "request", "to": "8 343 200-00-10"}, "to"),
        ("facts", {"version": 1, "description": ""}, "description"),
    ],
)
def test_a_form_that_was_refused_comes_back_with_its_reason_and_nothing_happens(
    visitor: Browser, operator: User, request_: Appeal, part: str, form: dict[str, Any], field: str
) -> None:
    if part == "reminders":
        form = {**form, "to": operator.pk}
    for options in ({"headers": HTMX}, {}):
        answer = post(visitor, request_, part, form, **options)
        assert answer.status_code == 422
        name = {"comments": "comment", "reminders": "reminder", "references": "reference"}.get(part, part)
        name = {"documents": "document", "messages": "message"}.get(name, name)
        assert field in answer.context[f"{name}_form"].errors  # type: ignore[attr-defined]
    request_.refresh_from_db()
    assert (request_.version, request_.journal.count()) == (1, 0)


def test_facts_are_corrected_as_they_are_shown(visitor: Browser, request_: Appeal) -> None:
    shown = visitor.get(page("appeal-facts", number=request_.number)).context["facts_form"]
    form: dict[str, Any] = {name: shown[name].value() or "" for name in shown.fields}
    form |= {
        "city": "Казань",
        "model_text": "RF-1000",
        "model_text_id": "",
        "purchase_date": "01.02.2025",
        "is_paid": "on",
    }
    answer = post(visitor, request_, "facts", form, headers=HTMX)
    assert answer.status_code == 200, answer.content.decode()
    request_.refresh_from_db()
    assert (request_.is_paid, str(request_.purchase_date), request_.city) == (True, "2025-02-01", city())
    assert request_.journal.get().data == {"fields": ["is_paid", "purchase_date"]}


def test_the_second_editor_of_an_appeal_keeps_what_was_typed(visitor: Browser, request_: Appeal) -> None:
    colleague = UserFactory(last_name="Первая", first_name="Анна")
    edit_appeal(appeal_id=request_.pk, version=1, store="Ozon", actor=colleague)
    shown = visitor.get(page("appeal-facts", number=request_.number)).context["facts_form"]
    form = {name: shown[name].value() or "" for name in shown.fields}
    form |= {"city": "Казань", "model_text": "RF-1000", "store": "ДНС", "version": 1, "is_paid": ""}
    answer = post(visitor, request_, "facts", form, headers=HTMX)
    assert answer.status_code == 422
    assert 'value="ДНС"' in answer.content.decode()
    assert "Ozon" in text_of(answer)
    assert "Первая Анна" in text_of(answer)
    request_.refresh_from_db()
    assert request_.store == "Ozon"


def test_a_request_is_given_to_another_centre(visitor: Browser, request_: Appeal) -> None:
    second = center("Второй")
    shown = visitor.get(page("appeal-assign", number=request_.number), headers=HTMX)
    assert "Второй" in text_of(shown)
    post(visitor, request_, "assign", {"service_center": second.pk, "note": "ближе"}, headers=HTMX)
    active = request_.active_assignment()
    assert active is not None
    assert (active.service_center, active.note) == (second, "ближе")
    post(visitor, request_, "assignment", {"outcome": "declined", "note": "нет мастера"}, headers=HTMX)
    request_.refresh_from_db()
    assert (request_.state, request_.no_center_reason) == ("registered", "declined")


def test_contacts_are_given_after_a_consultation(visitor: Browser) -> None:
    appeal, asked = AppealFactory(verdict="out"), center()
    post(visitor, appeal, "assign", {"service_center": asked.pk}, headers=HTMX)
    appeal.refresh_from_db()
    assert (appeal.state, appeal.referred_to) == ("referred", asked)


def test_the_wrong_card_is_put_right(visitor: Browser, request_: Appeal) -> None:
    right = ClientFactory()
    post(visitor, request_, "move", {"account": "x", "account_id": main_account(right).pk}, headers=HTMX)
    request_.refresh_from_db()
    assert request_.client == right


def test_an_sms_is_checked_sent_and_dictated(visitor: Browser, request_: Appeal) -> None:
    form = {"purpose": "request", "to": "+7 701 000-00-05", "action_id": str(uuid4())}
    checked = post(visitor, request_, "messages", {**form, "do": "check"}, headers=HTMX)
    assert "Казахстан" in text_of(checked)
    assert not request_.messages.exists()
    post(visitor, request_, "messages", {**form, "do": "dictate"}, headers=HTMX)
    sent = {"purpose": "request", "to": "8 916 000-01-01", "action_id": str(uuid4()), "do": "send"}
    for _ in range(2):
        assert post(visitor, request_, "messages", sent, headers=HTMX).status_code == 200
    assert sorted(link.message.state for link in request_.messages.all()) == ["dictated", "queued"]


def failed_message(appeal: Appeal, state: str = "undelivered") -> Any:
    message = SmsMessageFactory(
        state=state, gateway="development", gateway_id="1", sender="HOTLINE", reason="absent_subscriber"
    )
    message.changes.create(from_state="accepted", to_state=state, reason="absent_subscriber")
    return AppealMessageFactory(appeal=appeal, message=message)


def test_a_failed_sms_is_sent_anew_from_the_appeal(visitor: Browser, request_: Appeal) -> None:
    link = failed_message(request_)
    resend = page("appeal-message-resend", number=request_.number, pk=link.message_id)
    shown = visitor.get(page("appeal", number=request_.number))
    assert resend in shown.content.decode()
    assert "не доставлено (абонент недоступен)" in text_of(shown)
    data = {"action_id": str(uuid4())}
    answer = visitor.post(resend, data, headers=HTMX)
    assert answer.status_code == 200
    assert "Отправлено заново вместо сообщения от" in text_of(answer)
    assert resend not in answer.content.decode()
    assert visitor.post(resend, data, headers=HTMX).status_code == 200
    late = visitor.post(resend, {"action_id": str(uuid4())}, headers=HTMX)
    assert late.status_code == 409
    assert "уже отправлено" in text_of(late)
    assert visitor.post(resend, {"action_id": str(uuid4())}).status_code == 302
    assert request_.messages.count() == 2


def test_whether_an_uncertain_sms_is_sent_anew_a_supervisor_decides(visitor: Browser, request_: Appeal) -> None:
    link = failed_message(request_, "unknown")
    resend = page("appeal-message-resend", number=request_.number, pk=link.message_id)
    assert resend not in visitor.get(page("appeal", number=request_.number)).content.decode()
    assert visitor.post(resend, {}, headers=HTMX).status_code == 403
    visitor.force_login(UserFactory(supervisor=True), backend="hotline.operators.backends.RoleBackend")
    assert "может получить его дважды" in text_of(visitor.get(page("appeal", number=request_.number)))
    assert visitor.post(resend, {}, headers=HTMX).status_code == 200
    elsewhere = page("appeal-message-resend", number=AppealFactory().number, pk=link.message_id)
    assert visitor.post(elsewhere, {}, headers=HTMX).status_code == 404


def test_letters_and_reminders_are_settled_here_only(visitor: Browser, request_: Appeal) -> None:
    letter, reminder = DocumentFactory(appeal=request_, letter=True), ReminderFactory(appeal=request_)
    other = AppealFactory()
    for name, row in (("letter-answered", letter), ("reminder-done", reminder)):
        elsewhere = page(name, number=other.number, pk=row.pk)
        assert visitor.post(elsewhere).status_code == 404
        assert visitor.post(page(name, number=request_.number, pk=row.pk), headers=HTMX).status_code == 200
    letter.refresh_from_db()
    reminder.refresh_from_db()
    assert (letter.is_answered, reminder.done_at is not None) == (True, True)


def test_a_file_goes_up_and_comes_down_as_a_download(visitor: Browser, request_: Appeal) -> None:
    kind = DocumentKindFactory()
    file = SimpleUploadedFile("Акт №7.pdf", b"%PDF-1.4 content")
    post(visitor, request_, "documents", {"kind": kind.pk, "date": "01.11.2026", "file": file}, headers=HTMX)
    document = request_.documents.get()
    answer = visitor.get(page("document", number=request_.number, pk=document.pk))
    assert answer.content == b"%PDF-1.4 content"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert visitor.get(page("document", number=AppealFactory().number, pk=document.pk)).status_code == 404
    without = DocumentFactory(appeal=request_)
    assert visitor.get(page("document", number=request_.number, pk=without.pk)).status_code == 404


def test_there_is_no_such_page(visitor: Browser) -> None:
    assert visitor.get(page("appeal", number=1)).status_code == 404
    assert visitor.get(page("appeal", number=10**30)).status_code == 404
    assert visitor.get(page("client-edit", pk=1)).status_code == 404
    assert visitor.get(page("appliance-edit", pk=1)).status_code == 404


# --- What they cost -------------------------------------------------------------------------------
def people(count: int) -> None:
    for _ in range(count):
        known = ClientFactory(last_name="Ёлкина", phones=["8 916 000-01-01", "8 916 000-01-02"])
        ApplianceFactory(account=main_account(known))


def many_appeals(count: int) -> None:
    asked = center()
    for _ in range(count):
        AppealFactory(assigned=True, center=asked, topic=TopicFactory())


@pytest.mark.parametrize(
    ("rows", "url"),
    [
        (people, "/clients/"),
        (people, "/clients/?q=елкина"),
        (people, "/clients/accounts/?q=елкина"),
        (many_appeals, "/appeals/"),
        (many_appeals, "/appeals/?open=on&kind=repair"),
        (lambda count: [ProductModelFactory() for _ in range(count)], "/models/suggest/?q=rf"),
    ],
)
def test_a_list_costs_the_same_for_many_rows(visitor: Browser, rows: Callable[[int], Any], url: str) -> None:
    assert_same_query_count(rows, lambda: visitor.get(url))


def test_the_warning_of_duplicates_costs_the_same(visitor: Browser) -> None:
    form = {"last_name": "Ёлкина", "first_name": "Иван", "phone": "8 916 000-01-01"}
    assert_same_query_count(people, lambda: visitor.post(page("duplicates"), form))


def test_a_card_costs_the_same_for_many_accounts(visitor: Browser) -> None:
    known = ClientFactory()

    def rows(count: int) -> None:
        for number in range(count):
            account = known.accounts.create(
                number=700000 + known.accounts.count(), is_main=False, reason=f"Дача {number}"
            )
            ApplianceFactory(account=account)
            known.phones.create(raw=str(number))

    assert_same_query_count(rows, lambda: visitor.get(page("client-edit", pk=known.pk)))


def test_an_appeal_costs_the_same_whatever_hangs_on_it(visitor: Browser, request_: Appeal) -> None:
    asked, kind, person = center(), DocumentKindFactory(), UserFactory()

    def rows(count: int) -> None:
        for _ in range(count):
            CommentFactory(appeal=request_, author=person)
            DocumentFactory(appeal=request_, kind=kind, created_by=person)
            ReminderFactory(appeal=request_, to=person)
            AppealReferenceFactory(appeal=request_)
            AppealMessageFactory(appeal=request_, message=SmsMessageFactory(delivered=True, requested_by=person))
            AppealFactory(parent=request_, client=request_.client)
            ended = request_.assignments.create(service_center=asked, state="superseded", assigned_by=person)
            events.assigned(request_, ended, person)
            events.document_added(request_, request_.documents.all()[0], person)

    assert_same_query_count(rows, lambda: visitor.get(request_.get_absolute_url()))


def test_candidates_cost_the_same_for_many_centres(visitor: Browser, request_: Appeal) -> None:
    assert_same_query_count(
        lambda count: [center(f"Центр {number}") for number in range(count)],
        lambda: visitor.get(page("appeal-assign", number=request_.number)),
    )


# --- Keys and who it is about ---------------------------------------------------------------------
def test_a_way_on_has_the_same_key_in_every_state(visitor: Browser) -> None:
    assigned, in_work = AppealFactory(assigned=True), AppealFactory(assigned=True, state="in_work")
    for appeal in (assigned, in_work):
        shown = visitor.get(appeal.get_absolute_url()).content.decode()
        assert 'value="done" data-key="Alt+Digit3"' in shown
        assert 'value="cancelled" data-key="Alt+Digit0"' in shown


def test_the_wrong_card_has_a_key_and_the_list_shows_the_right_one(visitor: Browser) -> None:
    appeal = AppealFactory(client=ClientFactory(last_name="Прежняя"))
    right = ClientFactory(last_name="Настоящая")
    assert 'data-key="Alt+KeyM"' in visitor.get(appeal.get_absolute_url()).content.decode()
    form = visitor.get(page("appeal-move", number=appeal.number), headers=HTMX).content.decode()
    assert "autofocus" in form[form.index('name="account"') - 100 : form.index('name="account"') + 400]

    move_appeal(appeal_id=appeal.pk, client=right, account=None, actor=None)

    assert "Настоящая" in text_of(visitor.get(page("appeals")))
    assert "Прежняя" not in text_of(visitor.get(page("appeals")))
    shown = text_of(visitor.get(appeal.get_absolute_url()))
    assert "Прежняя" in shown  # what was said stays
    assert "как назвали при регистрации; обращение на карточке: Настоящая" in shown


@pytest.mark.parametrize(("purpose", "said"), [("request", "с тех пор продиктовано"), ("status", "Отправить заново")])
def test_what_was_dictated_since_is_not_offered_to_be_sent(
    visitor: Browser, request_: Appeal, purpose: str, said: str
) -> None:
    """Of the same news only: another message makes nothing good."""
    link = failed_message(request_)
    dictated = SmsMessageFactory(dictated=True)
    AppealMessageFactory(appeal=request_, message=dictated, purpose=purpose)
    shown = " ".join(visitor.get(page("appeal", number=request_.number)).content.decode().split())
    assert said in shown
    resend = page("appeal-message-resend", number=request_.number, pk=link.message_id)
    assert (resend in shown) is (purpose == "status")


def test_an_automatic_message_is_called_so(visitor: Browser, request_: Appeal) -> None:
    sender = UserFactory(last_name="Переключившая")
    message = SmsMessageFactory(delivered=True, requested_by=sender)
    link = AppealMessageFactory(appeal=request_, message=message, purpose="status", is_automatic=True)
    events.sms_queued(request_, link, sender)
    shown = " ".join(visitor.get(page("appeal", number=request_.number)).content.decode().split())
    listed = shown[shown.index('id="messages-list"') : shown.index("message-judged")]
    assert "· автоматическое" in listed
    assert "Переключившая" not in listed
    assert "СМС в очереди: автоматическое, состояние заявки" in shown
