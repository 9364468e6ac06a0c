"""The admin of SMS: refusals and consents are ended by their verbs, a message shows its parts and its successor."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hotline.operators.models import Role, User
from sms.actions import end_opt_out, give_consent, opt_out, save_template
from sms.models import Consent, OptOut, SmsPart, SmsTemplate
from tests.helpers import assert_same_query_count
from tests.sms.factories import MOBILE, OTHER_MOBILE, message, person, template


@pytest.fixture
def olga(db: None) -> User:
    return person("olga", Role.SUPERVISOR)


@pytest.fixture
def desk(olga: User) -> Client:
    client = Client()
    client.force_login(olga, backend="hotline.operators.backends.RoleBackend")
    return client


def end(desk: Client, model: str, *rows: Any) -> Any:
    address = reverse(f"admin:sms_{model}_changelist")
    return desk.post(address, {"action": "end", "_selected_action": [row.pk for row in rows]}, follow=True)


def test_a_refusal_is_ended_by_its_verb(desk: Client, olga: User) -> None:
    anna = person()
    row, other = opt_out(number=MOBILE, actor=anna), opt_out(number=OTHER_MOBILE, actor=anna)
    page = desk.get(reverse("admin:sms_optout_changelist")).content.decode()
    assert "+7 916 000-01-01" in page
    assert "1 прекращён" in end(desk, "optout", row).content.decode()
    row.refresh_from_db()
    assert (row.ended_at is not None, row.ended_by) == (True, olga)
    assert list(OptOut.objects.in_force()) == [other]
    assert "уже прекращены" in end(desk, "optout", row).content.decode()


def test_what_holds_is_told_from_what_was_ended(desk: Client) -> None:
    opt_out(number=MOBILE, actor=None)
    opt_out(number=OTHER_MOBILE, actor=None)
    end_opt_out(number=OTHER_MOBILE, actor=None)
    for asked, count in (("", 2), ("?in_force=yes", 1), ("?in_force=no", 1)):
        answer = desk.get(reverse("admin:sms_optout_changelist") + asked)
        assert len(answer.context["cl"].result_list) == count
        assert "прекращён" in answer.content.decode()


def test_a_consent_is_taken_back_by_its_verb(desk: Client, olga: User) -> None:
    row = give_consent(number=MOBILE, actor=person())
    waiting = message(category="other")
    end(desk, "consent", row)
    row.refresh_from_db()
    waiting.refresh_from_db()
    assert (row.ended_by, waiting.state, waiting.reason) == (olga, "withdrawn", "no_consent")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("+7 916 000-01-01", 1), ("8 (916) 000-01-01", 1), ("0101", 1), ("+7916", 1), ("", 2),
        ("8 916 000 01 02", 0), ("Иванов", 0),
    ],
)  # fmt: skip
def test_a_number_is_found_as_it_is_shown_or_said(desk: Client, asked: str, found: int) -> None:
    for number in (MOBILE, OTHER_MOBILE):
        opt_out(number=number, actor=None)
    page = desk.get(reverse("admin:sms_optout_changelist"), {"q": asked})
    assert page.context["cl"].result_count == found


def test_nothing_said_of_a_number_is_edited(desk: Client) -> None:
    row = opt_out(number=MOBILE, actor=None)
    assert desk.post(reverse("admin:sms_optout_change", args=[row.pk]), {"number": OTHER_MOBILE}).status_code == 403
    assert desk.get(reverse("admin:sms_consent_add")).status_code == 403


def test_growth_of_what_was_said(desk: Client) -> None:
    def more(count: int) -> None:
        for _ in range(count):
            n = OptOut.objects.count()
            number = f"+7916000{n:04d}"
            opt_out(number=number, actor=person(f"p{n}"))
            give_consent(number=number, actor=person(f"q{n}"))

    assert_same_query_count(more, lambda: desk.get(reverse("admin:sms_optout_changelist")))
    assert_same_query_count(more, lambda: desk.get(reverse("admin:sms_consent_changelist")))
    assert Consent.objects.count() == 24


def test_a_message_with_its_parts_and_what_stands_for_it(desk: Client) -> None:
    old = message("unknown", cost="3.20")
    SmsPart.objects.create(message=old, seq=1, text="Заявка", state="rejected", reason="no_money")
    new = message(resend_of=old)
    page = desk.get(reverse("admin:sms_smsmessage_change", args=[old.pk])).content.decode()
    assert "на счёте у шлюза нет денег" in page
    assert reverse("admin:sms_smsmessage_change", args=[new.pk]) in page
    assert "3,20" in page
    page = desk.get(reverse("admin:sms_smsmessage_change", args=[new.pk])).content.decode()
    assert reverse("admin:sms_smsmessage_change", args=[old.pk]) in page


# --- Templates --------------------------------------------------------------------------------------
def test_the_new_fields_go_through_the_verb(desk: Client, settings: Any) -> None:
    settings.SMS_SENDERS = {"SERVICE": ["development"]}
    saved = template()
    edit = reverse("admin:sms_smstemplate_edit", args=[saved.pk])
    fields = {
        "name": "Контакты", "moment": saved.moment, "kind": "repair", "category": "other", "sender": "SERVICE",
        "daily_limit": "500", "text": saved.text, "based_on": "1",
    }  # fmt: skip
    assert desk.post(edit, fields).status_code == 302
    new = SmsTemplate.objects.current().get()
    assert (new.version, new.kind, new.category, new.sender, new.daily_limit) == (2, "repair", "other", "SERVICE", 500)
    for wrong in ({"sender": "STRANGER"}, {"daily_limit": "0"}, {"kind": "other"}, {"category": ""}):
        answer = desk.post(edit, {**fields, **wrong, "based_on": "2"})
        assert answer.status_code == 422
        assert "field-error" in answer.content.decode()
    assert SmsTemplate.objects.count() == 2


def test_a_sender_that_is_gone_can_still_be_seen(desk: Client, settings: Any) -> None:
    saved = template(sender="OLDNAME")
    page = desk.get(reverse("admin:sms_smstemplate_edit", args=[saved.pk])).content.decode()
    assert '<option value="OLDNAME" selected>' in page
    assert "обычный: HOTLINE" in page


def test_the_versions_of_a_template_are_on_its_pages(desk: Client, olga: User) -> None:
    first = template(text="Первый текст {center_name}.")
    second = save_template(
        code=first.code, moment=first.moment, name=first.name, text="Второй текст {center_name}.", actor=olga
    )
    template(code="other", text="Чужой текст {center_name}.")
    for name, pk in (("edit", second.pk), ("change", first.pk)):
        page = desk.get(reverse(f"admin:sms_smstemplate_{name}", args=[pk])).content.decode()
        versions = page[page.index('id="versions"') :]
        assert versions.index("<del>Первый</del><ins>Второй</ins> текст") < versions.rindex("Первый текст")
        assert "Чужой текст" not in page
        assert "Иванова" in page


def history_of(desk: Client, saved: SmsTemplate) -> str:
    answer = desk.get(reverse("admin:sms_smstemplate_history", args=[saved.pk]))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_history_says_who_changed_what(desk: Client, olga: User) -> None:
    first = template(text="АСЦ: {center_name}; {center_phones}")
    second = save_template(
        code=first.code, moment=first.moment, name="Адрес АСЦ", text="АСЦ: {center_name}", kind="repair",
        daily_limit=5, actor=olga,
    )  # fmt: skip
    template(code="other", text="Чужой текст {center_name}.")
    for seen in (first, second):  # whichever version one comes from
        page = history_of(desk, seen)
        assert "АСЦ: {center_name}<del>; {center_phones}</del>" in page
        for before, after in (("Контакты АСЦ", "Адрес АСЦ"), ("любой", "заявка на ремонт"), ("без ограничения", "5")):
            assert f"<del>{before}</del> → <ins>{after}</ins>" in page
        assert "Иванова Анна" in page
        assert "первая версия" in page
        assert "Чужой текст" not in page
    # The log of the admin, which knows of no version, is not what the button leads to.
    assert "admin/sms/smstemplate/history.html" in [
        used.name for used in desk.get(reverse("admin:sms_smstemplate_history", args=[first.pk])).templates
    ]


def test_the_history_of_one_version(desk: Client) -> None:
    page = history_of(desk, template(text="АСЦ: {center_name}."))
    assert "АСЦ: {center_name}." in page
    assert "<ins>" not in page
    assert desk.get(reverse("admin:sms_smstemplate_history", args=[10**9])).status_code == 404


def test_a_text_of_a_template_is_no_markup(desk: Client) -> None:
    saved = template(text="<b>жирно</b>")
    new = save_template(code=saved.code, moment=saved.moment, name=saved.name, text="<i>курсив</i>", actor=None)
    page = history_of(desk, new)
    assert "<b>жирно" not in page
    assert "<i>курсив" not in page
    assert "курсив" in page


def test_growth_of_the_history(desk: Client, olga: User) -> None:
    saved = template()

    def more(count: int) -> None:
        for _ in range(count):
            text = f"Текст {SmsTemplate.objects.count()}"
            save_template(code=saved.code, moment=saved.moment, name=saved.name, text=text, actor=olga)

    assert_same_query_count(more, lambda: desk.get(reverse("admin:sms_smstemplate_history", args=[saved.pk])))


def test_a_template_that_was_saved_is_looked_at_not_edited(desk: Client) -> None:
    """The address after saving is the new version's: loading it anew opens no form."""
    saved = template()
    form = {"name": saved.name, "moment": saved.moment, "category": "service", "text": "Новый.", "based_on": "1"}
    edit = reverse("admin:sms_smstemplate_edit", args=[saved.pk])
    for _ in range(2):  # the second saves nothing, and ends there too
        answer = desk.post(edit, form)
        new = SmsTemplate.objects.current().get()
        assert answer.status_code == 302
        assert answer["Location"] == reverse("admin:sms_smstemplate_change", args=[new.pk])
        form["based_on"] = "2"
    assert desk.post(edit, {**form, "text": "a\x07b"}).status_code == 422
    wrong = desk.post(edit, {**form, "text": "a\x07b"}).content.decode()
    assert "U+0007, 2-й символ" in wrong
