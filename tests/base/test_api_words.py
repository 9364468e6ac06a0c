"""What the library says of a wrong request is Russian where the product is, with the next version of it too."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import rest_framework
from django.utils import translation
from django.utils.translation import gettext

from hotline.base.library_words import WORDS

LIBRARY = Path(rest_framework.__file__).parent
# Those whose words may reach an answer of ours; of `pagination` the sentence on cursors alone does.
MODULES = ["exceptions", "fields", "relations", "serializers", "validators"]


def said_by(module: str) -> set[str]:
    """The literals that a module gives to gettext."""
    calls = [node for node in ast.walk(ast.parse((LIBRARY / f"{module}.py").read_text())) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in {"_", "gettext_lazy"}]
    return {call.args[0].value for call in named if isinstance(call.args[0], ast.Constant)}


@pytest.mark.parametrize("module", MODULES)
def test_every_sentence_of_the_library_has_its_russian(module: str) -> None:
    said = said_by(module)
    assert len(said) > 4
    with translation.override("ru"):
        assert [words for words in sorted(said) if not re.search("[а-яё]", gettext(words))] == []


def test_what_we_translate_for_it_is_said_there() -> None:
    assert set(WORDS) - {words for module in [*MODULES, "pagination"] for words in said_by(module)} == set()


@pytest.mark.parametrize("words", WORDS)
def test_a_translation_keeps_its_placeholders(words: str) -> None:
    with translation.override("ru"):
        russian = gettext(words)
    assert re.search("[а-яё]", russian)
    assert set(re.findall(r"\{[^}]*\}", russian)) == set(re.findall(r"\{[^}]*\}", words))
