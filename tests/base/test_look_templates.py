"""Tags, the field template and the frame: what every page is made of."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone, translation

from hotline.base.styleguide import icon_names
from hotline.base.templatetags.house import digit_groups, kbd, level_class, when

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ("Alt+KeyS", '<kbd aria-hidden="true">Alt S</kbd>'),
        ("Ctrl+Enter", '<kbd aria-hidden="true">Ctrl Enter</kbd>'),
        ("Alt+Digit0", '<kbd aria-hidden="true">Alt 0</kbd>'),
        ("F2 Alt+Slash", '<kbd aria-hidden="true">F2</kbd> <kbd aria-hidden="true">Alt /</kbd>'),
        ("Escape", '<kbd aria-hidden="true">Esc</kbd>'),
        ("", ""),
    ],
)
def test_kbd(keys: str, shown: str) -> None:
    assert kbd(keys) == shown


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("+79161234567", ["+7", "916", "123", "45", "67"]),
        ("+7 (3852) 00-86-76", ["+7", "3852", "00", "86", "76"]),  # as the directory writes it
        ("+77011234567", ["+7", "701", "123", "45", "67"]),
        ("8 800 000-00-01", ["8", "800", "000", "00", "01"]),
        ("104915", ["104", "915"]),
        ("1049150", ["1", "049", "150"]),
        ("2026", ["2026"]),
        ("нет", []),
        ("", []),
    ],
)
def test_digits_to_be_read_aloud_come_in_groups(text: str, groups: list[str]) -> None:
    assert digit_groups(text) == groups


NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # 12:00 in Moscow


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (NOW - timedelta(hours=3), "09:00"),
        (NOW + timedelta(hours=3), "15:00"),
        (NOW - timedelta(hours=12, minutes=1), "вчера 23:59"),
        (NOW + timedelta(hours=12), "завтра 00:00"),
        (NOW - timedelta(days=3), "20 ноя 12:00"),
        (NOW - timedelta(days=60), "24 сен"),
        (NOW - timedelta(days=400), "19.10.2025"),
    ],
)
def test_a_moment_is_as_brief_as_it_is_clear(moment: datetime, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    with translation.override("ru"):
        html = str(when(moment))
    assert re.sub("<[^>]+>", "", html) == shown
    assert f'datetime="{timezone.localtime(moment).isoformat(timespec="seconds")}"' in html


def test_no_moment_is_nothing() -> None:
    assert when(None) == ""


@pytest.mark.parametrize(
    ("tag", "css"), [("success", "ok"), ("warning", "warn"), ("error", "bad"), ("info", "info"), ("debug", "info")]
)
def test_levels_of_messages(tag: str, css: str) -> None:
    assert level_class(tag) == css


def test_an_icon_is_decoration_unless_it_has_a_label() -> None:
    plain = Template('{% icon "phone" %}').render(Context())
    named = Template('{% icon "phone" "Звонок" %}').render(Context())
    assert 'aria-hidden="true"' in plain
    assert plain.count("#phone") == 1
    assert 'role="img" aria-label="Звонок"' in named


def test_every_icon_that_a_template_names_exists() -> None:
    names = set(icon_names())
    asked = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in TEMPLATES
        for name in re.findall(r'{% icon "([\w-]+)"|\bsign="([\w-]+)"', path.read_text(encoding="utf-8"))
        for name in name
        if name
    }
    assert len(asked) > 20
    assert [(path, name) for path, name in sorted(asked) if name not in names] == []


def test_no_template_carries_a_style_or_a_script_of_its_own() -> None:
    """The policy forbids them: they would be there and do nothing."""
    forbidden = re.compile(r"""<style|<script(?![^>]*\bsrc=)|\sstyle=["']|\son[a-z]+=["']|\bhx-on|\bjs:|javascript:""")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in TEMPLATES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if forbidden.search(line)
    ]
    assert found == []


class Sample(forms.Form):
    name = forms.CharField(
        label="Имя", help_text="Как в паспорте", widget=forms.TextInput(attrs={"data-key": "Alt+KeyN"})
    )
    city = forms.CharField(label="Город", required=False)
    agree = forms.BooleanField(label="Согласен", required=False)
    kind = forms.ChoiceField(label="Вид", choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


def test_a_field_has_label_key_help_and_its_control_says_so() -> None:
    html = Sample()["name"].as_field_group()
    assert '<label for="id_name">Имя<span aria-hidden="true"> *</span>' in html
    assert '<kbd aria-hidden="true">Alt N</kbd>' in html
    assert 'id="id_name_helptext">Как в паспорте' in html
    assert 'aria-describedby="id_name_helptext"' in html
    assert "aria-invalid" not in html


def test_a_wrong_field_says_what_was_wrong_beside_it() -> None:
    html = Sample({"kind": "z"})["name"].as_field_group()
    assert 'id="id_name_error"' in html
    assert re.search(r'aria-describedby="[^"]*id_name_error', html)
    assert 'aria-invalid="true"' in html
    assert 'class="field-error"' in html


def test_fields_of_other_kinds() -> None:
    form = Sample({"kind": "z"})
    assert " *" not in form["city"].as_field_group()
    assert "field-check" in form["agree"].as_field_group()
    radios = form["kind"].as_field_group()
    assert "<fieldset" in radios
    assert "<legend>Вид" in radios
    assert 'id="id_kind_error"' in radios
    assert "label" not in form["secret"].as_field_group()
