"""Folding of names: case and ё/е are one, in Python and in SQL alike (PostgreSQL without ICU)."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import CharField, Func

_SPACES = re.compile(r"\s+")


def fold(text: str) -> str:
    """«  Орёл » → «орел»: lower case, е for ё, single spaces."""
    return _SPACES.sub(" ", text).strip().lower().replace("ё", "е")


class Fold(Func):
    """`replace(lower(x), 'ё', 'е')`: immutable, so it may stand in an index or a generated column."""

    template = "replace(lower(%(expressions)s), 'ё', 'е')"
    arity = 1

    def __init__(self, expression: Any, **extra: Any) -> None:
        extra.setdefault("output_field", CharField())
        super().__init__(expression, **extra)


# Letters that look alike in Cyrillic and Latin: a model is read off a nameplate, nobody sees the alphabet.
_CYRILLIC, _LATIN = "АВЕКМНОРСТУХавекмнорстух", "ABEKMHOPCTYXabekmhopctyx"
_LOOKALIKES = str.maketrans(_CYRILLIC, _LATIN)
_NOT_ALNUM = re.compile(r"[^0-9A-Za-zА-Яа-яЁё]+")


def fold_model(text: str) -> str:
    """A model or serial number for comparing: look-alike letters made Latin, no spaces or hyphens, upper case.

    «вм-1260 К» (Cyrillic) and «BM1260K» are one.
    """
    return _NOT_ALNUM.sub("", text.translate(_LOOKALIKES)).upper()


class FoldModel(Func):
    """`fold_model` in SQL, for generated columns: every function in it is immutable."""

    template = (
        f"upper(regexp_replace(translate(%(expressions)s, '{_CYRILLIC}', '{_LATIN}'), '{_NOT_ALNUM.pattern}', '', 'g'))"
    )
    arity = 1

    def __init__(self, expression: Any, **extra: Any) -> None:
        extra.setdefault("output_field", CharField())
        super().__init__(expression, **extra)


class Digits(Func):
    """The digits of a text, in SQL: what the search by a part of a telephone number reads."""

    template = "regexp_replace(%(expressions)s, '[^0-9]+', '', 'g')"
    arity = 1

    def __init__(self, expression: Any, **extra: Any) -> None:
        extra.setdefault("output_field", CharField())
        super().__init__(expression, **extra)
