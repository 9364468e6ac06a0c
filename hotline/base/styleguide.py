"""The living style guide: every part of the look with words as long as real ones. For who builds pages."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

# The cellar knows no roles by type; `operators.models.Role` is a str, so the permission matrix reads these alike.
ROLES = frozenset({"supervisor"})
SPRITE = Path(__file__).parent / "static" / "base" / "icons.svg"


class SampleForm(forms.Form):
    """Fields in every state that a form of ours can show."""

    full_name = forms.CharField(
        label="Фамилия, имя, отчество", initial="Константинопольский-Рождественский Александр Вячеславович"
    )
    phone = forms.CharField(
        label="Телефон",
        help_text="Как назвал клиент; хранится как записан.",
        widget=forms.TextInput(attrs={"data-key": "Alt+KeyT", "autocomplete": "off"}),
    )
    city = forms.CharField(
        label="Город", required=False, widget=forms.TextInput(attrs={"placeholder": "Начните вводить"})
    )
    bought = forms.DateField(label="Дата покупки", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    known_from = forms.ChoiceField(
        label="Откуда известна дата",
        choices=[
            ("receipt", "чек"),
            ("words", "со слов клиента"),
            ("made", "дата изготовления"),
            ("unknown", "неизвестно"),
        ],
        widget=forms.RadioSelect,
        initial="words",
    )
    store = forms.CharField(label="Магазин", disabled=True, required=False, initial="М.Видео, ТЦ «Авиапарк»")
    words = forms.CharField(
        label="Со слов клиента",
        widget=forms.Textarea(attrs={"rows": 3}),
        initial="Стиральная машина не сливает воду и на табло мигает ошибка E20, началось после отключения света.",
    )
    consent = forms.BooleanField(label="Согласен на СМС по обращению", required=False, initial=True)
    kind = forms.ChoiceField(
        label="Вид работ", required=False, choices=[("repair", "Ремонт"), ("install", "Установка и подключение")]
    )


def icon_names() -> list[str]:
    """The icons that there are: the sprite itself is the list."""
    return re.findall(r'<symbol id="([\w-]+)"', SPRITE.read_text(encoding="utf-8"))


def styleguide(request: HttpRequest, *, template: str) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if getattr(request.user, "role", "") not in ROLES:
        raise PermissionDenied
    wrong = SampleForm(
        {"full_name": "", "phone": "8 916 12 — дальше не расслышала", "known_from": "words", "words": "…"}
    )
    wrong.add_error("phone", "В номере 7 цифр, нужно 10 после +7. Записано как есть.")
    now = timezone.now()
    context: dict[str, Any] = {
        "form": SampleForm(),
        "wrong": wrong,
        "now": now,
        "yesterday": now - timedelta(days=1),
        "long_ago": now - timedelta(days=900),
        "since": now - timedelta(minutes=4, seconds=37),
        "due": now + timedelta(minutes=12),
        "icons": icon_names(),
    }
    return render(request, template, context)


styleguide.roles = ROLES  # type: ignore[attr-defined]
