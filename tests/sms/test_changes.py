"""What a version of a template changed of the one before."""

from __future__ import annotations

import pytest

from sms import changes
from sms.actions import save_template
from tests.helpers import count_queries
from tests.sms.factories import template


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("Ждём вас.", "Ждём вас.", [("", "Ждём вас.")]),
        ("Ждём вас.", "Ждём вас завтра.", [("", "Ждём вас"), ("ins", " завтра"), ("", ".")]),
        ("Ждём вас завтра.", "Ждём вас.", [("", "Ждём вас"), ("del", " завтра"), ("", ".")]),
        ("АСЦ {center_name}", "АСЦ {brand}", [("", "АСЦ "), ("del", "{center_name}"), ("ins", "{brand}")]),
        ("", "Да", [("ins", "Да")]),
        ("a\nb", "a b", [("", "a"), ("del", "\n"), ("ins", " "), ("", "b")]),
        ("{a {b}", "{b}", [("del", "{a "), ("", "{b}")]),
    ],
)
def test_a_text_is_compared_by_words(old: str, new: str, pieces: list[tuple[str, str]]) -> None:
    found = changes.compare(old, new)
    assert found == pieces
    assert "".join(words for kind, words in found if kind != "ins") == old
    assert "".join(words for kind, words in found if kind != "del") == new


@pytest.mark.django_db
def test_only_what_differs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "VERSIONS", 2)
    saved = template()
    for n in range(2, 5):
        save_template(code=saved.code, moment=saved.moment, name=f"Имя {n}", text=saved.text, actor=None)
    found = changes.versions_of(saved.code)
    # Of the last that is shown the one before it is read too.
    assert [version.template.version for version in found] == [4, 3]
    assert [[(change.before, change.after) for change in version.changes] for version in found] == [
        [("Имя 3", "Имя 4")], [("Имя 2", "Имя 3")],
    ]  # fmt: skip
    assert [version.pieces for version in found] == [[], []]
    assert len(count_queries(lambda: changes.versions_of(saved.code))) == 1
    assert changes.versions_of("none") == []
