"""The back office: telephones are judged, the week is one line, the sheet comes back as it went."""

from __future__ import annotations

from typing import Any

import pytest
import tablib
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation

from hotline.base.errors import Invalid
from service_centers.contacts import contacts, hours_text
from service_centers.models import City, ServiceCenter, ServiceCenterSkill, WorkKind
from service_centers.phones import read_center_phone
from service_centers.resources import ServiceCenterResource
from tests.helpers import assert_same_query_count
from tests.service_centers.factories import ALL_WORK, WEEKDAYS, ServiceCenterFactory, brand, category, city

CHANGELIST = reverse("admin:service_centers_servicecenter_changelist")
ADD = reverse("admin:service_centers_servicecenter_add")


def form_of(center: ServiceCenter | None = None, **changes: Any) -> dict[str, Any]:
    """What the page posts; telephones as a list in `phones`."""
    place = center.city if center else city()
    data = {
        "code": "T-1",
        "name": "Мастер",
        "city": place.pk,
        "address": "ул. Тестовая, 1",
        "is_active": "on",
        "week": "",
    }
    phones = changes.pop("phones", [])
    for prefix, total in (("phones", len(phones)), ("coverage", 0), ("skills", 0)):
        data |= {f"{prefix}-TOTAL_FORMS": total, f"{prefix}-INITIAL_FORMS": 0}
    for index, number in enumerate(phones):
        data |= {f"phones-{index}-number": number, f"phones-{index}-position": index}
    return data | changes


def test_a_centre_is_added(back_office: Client) -> None:
    data = form_of(phones=["8 (495) 123-45-67", "01-02"], week="Пн–Пт 9:00–18:00, перерыв 13:00–14:00")
    assert back_office.post(ADD, data).status_code == 302
    center = ServiceCenter.objects.get()
    assert [(phone.number, phone.e164) for phone in center.phones.all()] == [
        ("8 (495) 123-45-67", "+74951234567"),
        ("01-02", ""),
    ]
    with translation.override("ru"):
        assert hours_text(center) == "Пн–Пт 9:00–18:00, перерыв 13:00–14:00"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("8 495 123-45-67, 8 495 123-45-68", "По одному номеру в строке, пожалуйста."),
        ("звонить после обеда", "Среди цифр есть буквы."),
        ("1-2", "Слишком коротко для номера телефона."),
    ],
)
def test_a_telephone_that_nobody_can_dial_is_refused(back_office: Client, number: str, words: str) -> None:
    response = back_office.post(ADD, form_of(phones=[number]))
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not ServiceCenter.objects.exists()


def test_an_empty_number_has_its_code() -> None:
    with pytest.raises(Invalid) as refused:
        read_center_phone("  ")
    assert refused.value.code == "phone_empty"


def test_hours_that_can_not_be_read_are_refused(back_office: Client) -> None:
    response = back_office.post(ADD, form_of(week="Пн–Пц 9:00–18:00"))
    assert "«пц» — не день недели." in response.content.decode()
    assert not ServiceCenter.objects.exists()


def test_hours_are_shown_and_changed_and_left_alone(back_office: Client) -> None:
    center = ServiceCenterFactory(code="T-1", hours=WEEKDAYS)
    url = reverse("admin:service_centers_servicecenter_change", args=[center.pk])
    assert 'value="Пн–Пт 9:00–18:00"' in back_office.get(url).content.decode()
    before = set(center.hours.values_list("pk", flat=True))
    assert back_office.post(url, form_of(center, name="Другое", week="Пн–Пт 9:00–18:00")).status_code == 302
    assert set(center.hours.values_list("pk", flat=True)) == before
    assert back_office.post(url, form_of(center, week="Сб 10:00–15:00")).status_code == 302
    with translation.override("ru"):
        assert hours_text(ServiceCenter.objects.get()) == "Сб 10:00–15:00"
    assert back_office.post(url, form_of(center, week="")).status_code == 302
    assert not center.hours.exists()


def test_who_changed_it_is_in_the_history(back_office: Client) -> None:
    center = ServiceCenterFactory(code="T-1")
    url = reverse("admin:service_centers_servicecenter_change", args=[center.pk])
    back_office.post(url, form_of(center, name="Новое имя"))
    rows = apps.get_model("service_centers", "ServiceCenterHistory").objects.filter(pgh_obj=center)
    last = rows.select_related("pgh_context").latest("pgh_id")
    assert last.name == "Новое имя"
    assert last.pgh_context.metadata["actor"] == int(back_office.session["_auth_user_id"])


def test_a_telephone_that_was_taken_off_is_in_the_history(back_office: Client) -> None:
    center = ServiceCenterFactory(code="T-1", hours=WEEKDAYS)
    phone = center.phones.create(number="8 (495) 123-45-67")
    url = reverse("admin:service_centers_servicecenter_change", args=[center.pk])
    removal = {"phones-INITIAL_FORMS": 1, "phones-0-id": phone.pk, "phones-0-service_center": center.pk}
    data = form_of(center, phones=[phone.number], week="") | removal | {"phones-0-DELETE": "on"}
    assert back_office.post(url, data).status_code == 302
    assert not center.phones.exists()
    for name, labels in (("Phone", ["insert", "delete"]), ("Hours", ["insert"] * 5 + ["delete"] * 5)):
        rows = apps.get_model("service_centers", f"ServiceCenter{name}History").objects.filter(
            service_center_id=center.pk
        )
        assert list(rows.order_by("pgh_id").values_list("pgh_label", flat=True)) == labels
        assert rows.latest("pgh_id").pgh_context.metadata["actor"] == int(back_office.session["_auth_user_id"])


def test_a_city_with_centres_is_not_deleted(back_office: Client) -> None:
    place = ServiceCenterFactory().city
    back_office.post(reverse("admin:service_centers_city_delete", args=[place.pk]), {"post": "yes"})
    assert City.objects.filter(pk=place.pk).exists()


@pytest.mark.parametrize("typed", ["мастер", "казань", "000-11-22", "t-7"])
def test_search(back_office: Client, typed: str) -> None:
    ServiceCenterFactory(name="Мастер", code="T-7", phones=["+7 (843) 000-11-22"])
    ServiceCenterFactory(name="Другой", code="X-1", city=city("Самара"))
    response = back_office.get(CHANGELIST, {"q": typed})
    assert [center.name for center in response.context["cl"].result_list] == ["Мастер"]


def test_search_of_cities_forgives_a_typo(back_office: Client) -> None:
    city("Ульяновск")
    response = back_office.get(reverse("admin:service_centers_city_changelist"), {"q": "Ульяновс"})
    assert [found.name for found in response.context["cl"].result_list] == ["Ульяновск"]


def test_the_list_costs_the_same(back_office: Client) -> None:
    def more(count: int) -> None:
        for _ in range(count):
            ServiceCenterFactory(skills=ALL_WORK, hours=WEEKDAYS)

    assert_same_query_count(more, lambda: back_office.get(CHANGELIST))


# --- The sheet --------------------------------------------------------------------------------------
@pytest.fixture
def full(db: None) -> ServiceCenter:
    city("Зеленодольск")
    center = ServiceCenterFactory(
        code="T-1",
        name="АСЦ «Мастер»",
        legal_name="ООО «Мастер»",
        note="по пятницам выезд",
        latitude=55.8,
        longitude=49.1,
        phones=["8 (495) 123-45-67"],
        hours=[(1, "9:00", "13:00"), (1, "14:00", "18:00"), (6, "10:00", "23:59")],
        covers=[city("Зеленодольск")],
        skills=[
            ("Vestra", None, WorkKind.WARRANTY_REPAIR),
            ("Aquilon", "Вытяжки", WorkKind.WARRANTY_REPAIR),
            ("Vestra", None, WorkKind.INSTALLATION),
        ],
    )
    center.phones.update(label="приёмная", e164="+74951234567")
    return center


def picture(center: ServiceCenter) -> Any:
    """All that the sheet is to bring back."""
    return (
        contacts(center),
        [(phone.number, phone.e164, phone.label) for phone in center.phones.all()],
        sorted(str(row) for row in center.coverage.all()),
        sorted((s.brand.name, s.category and s.category.name, s.work) for s in center.skills.all()),
        (center.legal_name, center.note, center.latitude, center.longitude, center.is_active),
    )


@pytest.mark.parametrize("language", ["ru", "en"])
def test_what_goes_out_comes_back(full: ServiceCenter, language: str) -> None:
    before = picture(full)
    with translation.override(language):
        sheet = ServiceCenterResource().export()
        ServiceCenter.objects.get().delete()
        result = ServiceCenterResource().import_data(sheet, raise_errors=True)
    assert not result.has_errors()
    assert not result.has_validation_errors()
    assert picture(ServiceCenter.objects.get()) == before


def test_a_sheet_with_some_columns_changes_these_only(full: ServiceCenter) -> None:
    before = picture(full)
    sheet = tablib.Dataset(["T-1", "Сб 10:00–15:00", ""], headers=["code", "hours", "covers"])
    assert not ServiceCenterResource().import_data(sheet, raise_errors=True).has_errors()
    after = picture(ServiceCenter.objects.get())
    assert after[0].hours == "Сб 10:00–15:00"
    assert after[2] == []
    assert (after[1], after[3], after[4]) == (before[1], before[3], before[4])


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("city", "Малые Кабаны", "«Малые Кабаны»: нет в справочнике или так называются несколько городов."),
        ("phones", "8 495 123-45-67; позвонить", "«позвонить»: Среди цифр есть буквы."),
        ("hours", "когда как", "«когда как»: начните с дней, например «Пн–Пт 9:00–18:00»."),
        ("covers", "Нигде", "«Нигде»: нет в справочнике или так называются несколько городов."),
        ("warranty_repair", "Нордвинд", "«Нордвинд»: такой марки нет в справочнике."),
        ("paid_repair", "Vestra: Кофеварки", "«Кофеварки»: такой категории нет в справочнике."),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_written(full: ServiceCenter, column: str, cell: str, words: str) -> None:
    before = picture(full)
    sheet = tablib.Dataset(["T-1", "Новое имя", cell], headers=["code", "name", column])
    with translation.override("ru"):
        result = ServiceCenterResource().import_data(sheet)
    assert result.has_validation_errors()
    assert result.invalid_rows[0].field_specific_errors == {column: [words]}
    assert picture(ServiceCenter.objects.get()) == before


def test_an_authorisation_written_twice_is_one(db: None) -> None:
    brand("Vestra")
    category("Вытяжки")
    city()
    sheet = tablib.Dataset(
        ["T-9", "Мастер", "Казань", "ул. 1", "vestra; Vestra: Вытяжки; Vestra : вытяжки; Vestra"],
        headers=["code", "name", "city", "address", "installation"],
    )
    assert not ServiceCenterResource().import_data(sheet, raise_errors=True).has_errors()
    assert ServiceCenterSkill.objects.count() == 2


@pytest.mark.parametrize("name", ["xlsx", "csv"])
def test_through_the_pages(back_office: Client, full: ServiceCenter, name: str) -> None:
    number = {"xlsx": "0", "csv": "1"}[name]
    export = reverse("admin:service_centers_servicecenter_export")
    assert back_office.get(export).status_code == 200
    file = back_office.post(export, {"format": number, "resource": ""})
    assert file.status_code == 200
    full.phones.all().delete()
    upload = SimpleUploadedFile(f"centres.{name}", file.content)
    start = reverse("admin:service_centers_servicecenter_import")
    preview = back_office.post(start, {"import_file": upload, "format": number, "resource": ""})
    assert preview.status_code == 200
    assert not full.phones.exists()  # so far it was only looked at
    confirm = preview.context["confirm_form"].initial
    done = back_office.post(reverse("admin:service_centers_servicecenter_process_import"), confirm)
    assert done.status_code == 302
    assert [phone.number for phone in full.phones.all()] == ["8 (495) 123-45-67"]


def test_exporting_costs_the_same(back_office: Client) -> None:
    def more(count: int) -> None:
        for _ in range(count):
            ServiceCenterFactory(skills=ALL_WORK, hours=WEEKDAYS, phones=["01-02"], covers=[city("Самара")])

    assert_same_query_count(more, lambda: ServiceCenterResource().export())
