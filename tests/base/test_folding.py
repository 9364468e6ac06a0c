"""Folding in Python and in SQL is one and the same."""

import pytest
from django.db.models import Value

from hotline.base.folding import Fold, FoldModel, fold, fold_model
from hotline.operators.models import User

NAMES = ["Орёл", "ОРЁЛ", "Ёлкина-Берёзовская", "ПЁТР", "O'Коннор", "Набережные Челны"]
MODELS = ["ВМ-1260 К", "BM1260K", "вм 1260 к", "НL 45.07", "Ёлка-5", "СТ/12 «Люкс»"]


@pytest.mark.parametrize(("text", "folded"), [("  Орёл ", "орел"), ("Ёлкина  -  Заречная", "елкина - заречная")])
def test_folds_case_and_yo(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_a_model_read_off_a_nameplate_has_no_alphabet() -> None:
    assert fold_model("вм-1260 К") == fold_model("BM1260K") == "BM1260K"


@pytest.mark.django_db
@pytest.mark.parametrize("text", NAMES)
def test_sql_folds_names_alike(text: str) -> None:
    User.objects.create_user("x")
    assert User.objects.values_list(Fold(Value(text)), flat=True).get() == fold(text)


@pytest.mark.django_db
@pytest.mark.parametrize("text", MODELS)
def test_sql_folds_models_alike(text: str) -> None:
    User.objects.create_user("x")
    assert User.objects.values_list(FoldModel(Value(text)), flat=True).get() == fold_model(text)
