"""How every form looks: one field template, errors beside what was wrong."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting

from hotline.base.errors import HotlineError, InvalidFields


class Renderer(TemplatesSetting):
    field_template_name = "base/_field.html"


def add_error_to(form: forms.Form | forms.ModelForm, error: HotlineError) -> None:
    """Put a verb's typed error beside the field that was wrong, or above the form where it names none."""
    if isinstance(error, InvalidFields):
        for name, problems in error.fields.items():
            for code, message in problems:
                _add(form, name, code, message)
        return
    _add(form, error.field, error.code, error.message)


def _add(form: Any, field: str | None, code: str, message: Any) -> None:
    form.add_error(field if field in form.fields else None, forms.ValidationError(message, code=code))
