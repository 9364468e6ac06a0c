"""missing_items: what the live checklist says, without a database."""

from __future__ import annotations

from typing import Any

import pytest

from tickets.completeness import ApplianceFacts, missing_items, sentence

ANY = object()
COMPLETE: dict[str, Any] = {
    "client": ANY,
    "account": ANY,
    "full_name": "Иванов Иван",
    "city": ANY,
    "description": "Не греет",
    "service_center": ANY,
}
FACTS: dict[str, Any] = {
    "model_text": "RF-1",
    "model_source": "nameplate",
    "purchase_date": ANY,
    "purchase_date_source": "receipt",
    "store": "ДНС",
    "store_source": "client",
}


def codes(kind: str, facts: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    items = missing_items(kind, facts=ApplianceFacts(**{**FACTS, **(facts or {})}), **{**COMPLETE, **changes})
    return [item.code for item in items]


@pytest.mark.parametrize("kind", ["repair", "installation"])
@pytest.mark.parametrize(
    ("facts", "changes", "expected"),
    [
        ({}, {}, []),
        ({}, {"client": None}, ["client_missing"]),
        ({}, {"account": None}, ["account_missing"]),
        ({}, {"full_name": ""}, ["full_name_missing"]),
        ({}, {"full_name": "Иванов"}, ["full_name_incomplete"]),
        ({}, {"city": None}, ["city_missing"]),
        ({}, {"city": None, "city_text": "дер. Ключи"}, []),
        ({}, {"description": " "}, ["description_missing"]),
        ({}, {"service_center": None}, ["center_missing"]),
        ({}, {"service_center": None, "no_center_reason": "none_near"}, []),
        ({}, {"service_center": None, "no_center_reason": "other"}, ["no_center_note_missing"]),
        ({}, {"service_center": None, "no_center_reason": "other", "no_center_note": "Ждёт"}, []),
        ({"model_text": ""}, {}, ["model_missing"]),
        ({"model_source": ""}, {}, ["model_source_missing"]),
        ({"model_text": "", "model_source": "unknown"}, {}, []),
        ({"purchase_date": None}, {}, ["purchase_date_missing"]),
        ({"purchase_date_source": ""}, {}, ["purchase_date_source_missing"]),
        ({"purchase_date": None, "purchase_date_source": "unknown"}, {}, []),
        ({"store": ""}, {}, ["store_missing"]),
        ({"store_source": ""}, {}, ["store_source_missing"]),
        ({"store": "", "store_source": "unknown"}, {}, []),
    ],
)
def test_a_request(kind: str, facts: dict[str, Any], changes: dict[str, Any], expected: list[str]) -> None:
    assert codes(kind, facts, **changes) == expected


@pytest.mark.parametrize("kind", ["consultation", "other"])
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["matter_missing"]),
        ({"description": "Спросил адрес"}, []),
        ({"topic": ANY}, []),
        ({"parent": ANY}, []),
    ],
)
def test_a_consultation(kind: str, changes: dict[str, Any], expected: list[str]) -> None:
    assert [item.code for item in missing_items(kind, **changes)] == expected


def test_each_item_names_its_field_and_the_sentence_all_of_them() -> None:
    items = missing_items("repair", client=ANY, account=ANY, full_name="Иванов Иван", city=ANY, description="?")
    assert [item.field for item in items] == ["model_text", "purchase_date", "store", "service_center"]
    assert all(item.text in sentence(items) for item in items)
