"""Templates are versioned: the verb, its races, what the database refuses, the reference data, the admin's pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from hotline.base.errors import Conflict, Invalid, InvalidFields
from hotline.operators.models import Role, User
from sms import reference, segments
from sms.actions import save_template
from sms.models import DeniedCode, SmsTemplate
from sms.placeholders import examples
from sms.templating import render
from tests.helpers import assert_same_query_count, race
from tests.sms.factories import person, template

TEXT = "АСЦ: {center_name}, тел. {center_phones}."
FIELDS: dict[str, Any] = {"code": "contacts", "moment": "service_center_contacts", "name": "Контакты АСЦ", "text": TEXT}


@pytest.fixture
def olga(db: None) -> User:
    return person("olga", Role.SUPERVISOR)


def versions() -> list[tuple[int, bool]]:
    return list(SmsTemplate.objects.order_by("version").values_list("version", "is_current"))


# --- The verb ---------------------------------------------------------------------------------------
def test_versions(olga: User) -> None:
    first = save_template(**FIELDS, actor=olga)
    second = save_template(**{**FIELDS, "text": "АСЦ: {center_name}."}, based_on=1, actor=olga)
    assert versions() == [(1, False), (2, True)]
    first.refresh_from_db()
    assert (first.text, second.text, second.created_by) == (TEXT, "АСЦ: {center_name}.", olga)


def test_saving_what_is_in_use_changes_nothing(olga: User) -> None:
    first = save_template(**FIELDS, actor=olga)
    assert save_template(**{**FIELDS, "text": f" {TEXT}\r\n"}, based_on=1, actor=olga) == first
    assert versions() == [(1, True)]


def test_an_added_template_takes_the_place_of_none(olga: User) -> None:
    """The older one is taken at its moment, whatever its code and however often it was changed."""
    save_template(**{**FIELDS, "code": "z-contacts"}, actor=olga)
    save_template(**{**FIELDS, "code": "a-promo", "text": "Скидки!"}, actor=olga)
    save_template(**{**FIELDS, "code": "z-contacts", "text": "Новый текст."}, actor=olga)
    save_template(**{**FIELDS, "code": "b-repair", "kind": "repair"}, actor=olga)

    def taken(kind: str) -> str:
        first = SmsTemplate.objects.for_moment("service_center_contacts", kind).first()
        assert first
        return first.code

    assert (taken("consultation"), taken("repair")) == ("z-contacts", "b-repair")
    rows = SmsTemplate.objects.with_precedence().values_list("code", "version", "goes_out")
    assert set(rows) == {
        ("z-contacts", 1, False),
        ("z-contacts", 2, True),
        ("a-promo", 1, False),
        ("b-repair", 1, True),
    }


def test_a_version_that_somebody_has_replaced_meanwhile(olga: User) -> None:
    save_template(**FIELDS, actor=olga)
    save_template(**{**FIELDS, "text": "Два."}, based_on=1, actor=olga)
    with pytest.raises(Conflict) as error:
        save_template(**{**FIELDS, "text": "Три."}, based_on=1, actor=olga)
    assert error.value.code == "template_changed"
    assert versions() == [(1, False), (2, True)]


def test_what_no_gateway_of_its_sender_would_take_is_refused_when_it_is_saved(olga: User, settings: Any) -> None:
    settings.SMS_GATEWAYS, settings.SMS_SENDERS = ["smsru", "smsaero"], {"PROMO": ["smsru"]}
    nine = {"text": "я" * (9 * 67), "based_on": None, "actor": olga}
    assert save_template(**{**FIELDS, **nine}).sender == ""
    with pytest.raises(Invalid) as refused:
        save_template(**{**FIELDS, **nine, "code": "promo", "sender": "PROMO"})
    assert (refused.value.code, refused.value.field) == ("too_long", "text")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": ""}, "empty"),
        ({"text": "{center_name"}, "unbalanced_braces"),
        ({"text": "{center}"}, "unknown_placeholder"),
        ({"text": "a\x00"}, "bad_characters"),
        ({"text": "я" * 700}, "too_long"),
    ],
)
def test_a_text_that_is_refused(olga: User, change: dict[str, str], code: str) -> None:
    with pytest.raises(Invalid) as error:
        save_template(**{**FIELDS, **change}, actor=olga)
    assert (error.value.code, error.value.field) == (code, "text")
    assert versions() == []


def test_fields_that_are_refused(olga: User) -> None:
    with pytest.raises(InvalidFields) as error:
        save_template(code="с пробелом", moment="never", name="", text=TEXT, actor=olga)
    assert {field: [code for code, _ in problems] for field, problems in error.value.fields.items()} == {
        "code": ["invalid"],
        "moment": ["invalid_choice"],
        "name": ["blank"],
    }
    assert versions() == []


def test_a_refused_version_leaves_the_old_one_in_use(olga: User) -> None:
    save_template(**FIELDS, actor=olga)
    with pytest.raises(InvalidFields):
        save_template(**{**FIELDS, "name": "", "text": "Два."}, based_on=1, actor=olga)
    assert versions() == [(1, True)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("based_on", [None, 1])
def test_two_supervisors_at_once(based_on: int | None) -> None:
    olga = person("olga", Role.SUPERVISOR)
    if based_on:
        save_template(**FIELDS, actor=olga)
    results = race(
        *[
            lambda text=text: save_template(**{**FIELDS, "text": text}, based_on=based_on, actor=olga)
            for text in ("Один.", "Другой.")
        ]
    )
    names = sorted(type(result).__name__ for result in results)
    current = SmsTemplate.objects.current()
    if based_on:
        assert names == ["Conflict", "SmsTemplate"]
        assert versions() == [(1, False), (2, True)]
    else:
        # Nobody claimed to have seen a version: one is first, the other a conflict or the second version.
        assert names in (["Conflict", "SmsTemplate"], ["SmsTemplate", "SmsTemplate"])
    assert current.count() == 1


def test_the_history_knows_who(olga: User) -> None:
    save_template(**FIELDS, actor=olga)
    second = save_template(**{**FIELDS, "text": "Два."}, based_on=1, actor=olga)
    context = second.history.latest("pgh_created_at").pgh_context.metadata
    assert (context["verb"], context["actor"]) == ("sms.save_template", olga.pk)


# --- What the database itself refuses ---------------------------------------------------------------
@pytest.mark.django_db
def test_a_version_is_never_edited_nor_deleted() -> None:
    saved = template()
    for change in (
        {"text": "Иначе."},
        {"name": "Иначе"},
        {"moment": "out_of_warranty"},
        {"version": 2},
        {"code": "other"},
    ):
        with pytest.raises(IntegrityError, match="never edited"), transaction.atomic():
            SmsTemplate.objects.filter(pk=saved.pk).update(**change)
    with pytest.raises(IntegrityError, match="never edited"), transaction.atomic():
        SmsTemplate.objects.filter(pk=saved.pk).delete()
    SmsTemplate.objects.filter(pk=saved.pk).update(is_current=False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("second", "constraint"),
    [
        ({"version": 2}, "sms_template_one_current"),
        ({"is_current": False}, "sms_template_version_unique"),
        ({"code": "other", "text": ""}, "sms_template_has_text"),
    ],
)
def test_templates_that_can_not_be(second: dict[str, Any], constraint: str) -> None:
    template()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        template(**second)


@pytest.mark.django_db
def test_a_denied_code_is_three_digits() -> None:
    with pytest.raises(IntegrityError, match="sms_denied_code_three_digits"), transaction.atomic():
        DeniedCode.objects.create(code="94", reason="?")


# --- Reference data ---------------------------------------------------------------------------------
@pytest.mark.django_db
def test_reference_data_loads_once_and_leaves_changes_alone(olga: User) -> None:
    reference.load()
    assert DeniedCode.objects.as_mapping() == {"940": "Абхазия", "998": "Южная Осетия"}
    assert list(SmsTemplate.objects.order_by("code").values_list("code", "version", "is_current")) == [
        ("out-of-warranty", 1, True),
        ("request-registered", 1, True),
        ("request-state", 1, True),
        ("service-center-contacts", 1, True),
    ]
    DeniedCode.objects.filter(code="940").update(reason="Республика Абхазия")
    mine = SmsTemplate.objects.get(code="out-of-warranty")
    save_template(code=mine.code, moment=mine.moment, name=mine.name, text="Иначе.", based_on=1, actor=olga)
    reference.load()
    assert DeniedCode.objects.as_mapping()["940"] == "Республика Абхазия"
    assert SmsTemplate.objects.count() == 5


@pytest.mark.parametrize("row", reference.TEMPLATES, ids=lambda row: row[0])
def test_the_first_templates_are_short(row: tuple[str, str, str, str]) -> None:
    text = render(row[3], examples())
    assert "{" not in text
    assert segments.count(text).count <= 3


# --- The admin --------------------------------------------------------------------------------------
@pytest.fixture
def desk(olga: User) -> Client:
    client = Client()
    client.force_login(olga, backend="hotline.operators.backends.RoleBackend")
    return client


def test_the_register_of_templates(desk: Client) -> None:
    template()
    page = desk.get(reverse("admin:sms_smstemplate_changelist"))
    assert page.status_code == 200
    assert "Контакты АСЦ" in page.content.decode()


def test_growth_of_the_registers(desk: Client) -> None:
    def more(count: int) -> None:
        from tests.sms.factories import message

        for _ in range(count):
            number = SmsTemplate.objects.count() + 1
            message(
                "accepted",
                template=template(code=f"t{number}", created_by=person(f"p{number}")),
                requested_by=person(f"q{number}"),
            )

    assert_same_query_count(more, lambda: desk.get(reverse("admin:sms_smstemplate_changelist")))
    assert_same_query_count(more, lambda: desk.get(reverse("admin:sms_smsmessage_changelist")))


def test_a_version_is_shown_and_can_not_be_edited_in_place(desk: Client) -> None:
    saved = template()
    page = desk.get(reverse("admin:sms_smstemplate_change", args=[saved.pk]))
    assert reverse("admin:sms_smstemplate_edit", args=[saved.pk]) in page.content.decode()
    assert desk.post(reverse("admin:sms_smstemplate_change", args=[saved.pk]), {"text": "Иначе."}).status_code == 403


def test_the_next_version(desk: Client, olga: User) -> None:
    saved = template()
    edit = reverse("admin:sms_smstemplate_edit", args=[saved.pk])
    page = desk.get(edit).content.decode()
    assert "{center_name}" in page
    assert 'name="based_on" value="1"' in page
    answer = desk.post(
        edit,
        {
            "name": "Контакты",
            "moment": saved.moment,
            "category": "service",
            "text": "АСЦ: {center_name}.",
            "based_on": "1",
        },
    )
    new = SmsTemplate.objects.current().get()
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:sms_smstemplate_change", args=[new.pk]))
    assert (new.code, new.version, new.text, new.created_by) == ("contacts", 2, "АСЦ: {center_name}.", olga)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("{centre_name}", "может быть, {center_name}"), ("{center_name", "Скобка без пары"), ("  ", "Текст пустой")],
)
def test_a_refused_text_is_kept_with_what_is_wrong(desk: Client, text: str, sentence: str) -> None:
    saved = template()
    answer = desk.post(
        reverse("admin:sms_smstemplate_edit", args=[saved.pk]),
        {"name": "Контакты", "moment": saved.moment, "category": "service", "text": text, "based_on": "1"},
    )
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert text.strip() in answer.content.decode()
    assert versions() == [(1, True)]


def test_too_long_a_text_is_neither_cut_nor_lost_and_the_previews_appeal_stays(desk: Client) -> None:
    saved = template()
    edit = reverse("admin:sms_smstemplate_edit", args=[saved.pk])
    [field] = re.findall(r"<textarea[^>]*>", desk.get(edit).content.decode())
    assert "maxlength" not in field
    long = "Мастер приедет. " * 80
    body = {"name": "Контакты", "moment": saved.moment, "category": "service", "text": long, "based_on": "1"}
    page = desk.post(edit, {**body, "appeal": "2600900"}).content.decode()
    assert "не более 1000 символов" in page
    assert long.strip() in page
    assert 'value="2600900"' in page


def test_a_conflict_shows_both_texts_and_saving_again_decides(desk: Client, olga: User) -> None:
    saved = template()
    save_template(
        code="contacts",
        moment=saved.moment,
        name="Контакты",
        text="Их текст.",
        based_on=1,
        actor=person("igor", Role.SUPERVISOR),
    )
    edit = reverse("admin:sms_smstemplate_edit", args=[saved.pk])
    mine = {
        "name": "Контакты",
        "moment": saved.moment,
        "category": "service",
        "text": "Мой текст.",
        "based_on": "1",
    }
    answer = desk.post(edit, mine)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Их текст." in page
    assert "Мой текст." in page
    assert 'name="based_on" value="2"' in page
    assert desk.post(edit, {**mine, "based_on": "2"}).status_code == 302
    assert SmsTemplate.objects.current().get().text == "Мой текст."


def test_a_new_template(desk: Client) -> None:
    add = reverse("admin:sms_smstemplate_add")
    assert desk.get(add).status_code == 200
    fields = {
        "code": "new",
        "name": "Новый",
        "moment": "out_of_warranty",
        "category": "service",
        "text": "АСЦ: {center_name}.",
    }
    assert desk.post(add, fields).status_code == 302
    taken = desk.post(add, {**fields, "text": "Иначе."})
    assert taken.status_code == 422
    assert "Шаблон с таким кодом уже есть." in taken.content.decode()
    assert versions() == [(1, True)]


def test_the_deny_list_in_the_admin(desk: Client) -> None:
    add = reverse("admin:sms_deniedcode_add")
    assert desk.post(add, {"code": "94x", "reason": "?"}).status_code == 200
    assert desk.post(add, {"code": "941", "reason": "Проба"}).status_code == 302
    assert DeniedCode.objects.as_mapping() == {"941": "Проба"}


def test_a_message_in_the_admin_with_its_journal(desk: Client) -> None:
    from sms.actions import claim
    from tests.sms.factories import message

    row = message()
    claim(pk=row.pk)
    page = desk.get(reverse("admin:sms_smsmessage_change", args=[row.pk])).content.decode()
    assert "передаётся шлюзу" in page
    assert desk.post(reverse("admin:sms_smsmessage_change", args=[row.pk]), {"state": "delivered"}).status_code == 403
    assert desk.post(reverse("admin:sms_smsmessage_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
