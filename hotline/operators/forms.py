"""Forms of staff's pages. What is allowed is judged by the verbs; a form only carries it there and back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hotline.operators.models import Alias, User


class DataList(forms.TextInput):
    """A text field with suggestions. `suggestions` is set by the form: a list of words."""

    template_name = "operators/widgets/datalist.html"
    suggestions: list[str]

    def __init__(self, attrs: dict[str, Any] | None = None, suggestions: list[str] | None = None) -> None:
        super().__init__(attrs)
        self.suggestions = suggestions or []

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["suggestions"] = self.suggestions
        context["widget"]["attrs"]["list"] = f"{context['widget']['attrs'].get('id', name)}-list"
        return context


def extension_field(**options: Any) -> forms.CharField:
    return forms.CharField(
        label=_("Extension"),
        max_length=User._meta.get_field("extension").max_length,
        widget=DataList(attrs={"autocomplete": "off", "inputmode": "tel"}),
        **options,
    )


class SignInForm(AuthenticationForm):
    """Login, password, and the telephone this person will work at."""

    username = UsernameField(
        label=_("Login"), max_length=150, widget=forms.TextInput(attrs={"autofocus": True, "autocapitalize": "none"})
    )
    extension = extension_field(
        required=False, help_text=_("The telephone you work at. Operators need one, supervisors may leave it empty.")
    )


class ExtensionForm(forms.Form):
    """Which telephone; `holder` is the pk of the colleague whom the person was shown as its holder."""

    extension = extension_field()
    take_over = forms.BooleanField(label=_("Take this extension over"), required=False)
    holder = forms.IntegerField(required=False, widget=forms.HiddenInput)


class AliasForm(forms.Form):
    """The name to be voiced. Its rules are the verb's, which names all that is wrong at once."""

    spoken_name = forms.CharField(
        label=_("Spoken first name"),
        required=False,
        help_text=_("What the client hears in the greeting: «Анна»."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "maxlength": Alias._meta.get_field("spoken_name").max_length}
        ),
    )
    full_form = forms.CharField(
        label=_("Full form"),
        required=False,
        help_text=_("What you say when the client asks for your full name: «Белова Анна Сергеевна»."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "maxlength": Alias._meta.get_field("full_form").max_length}
        ),
    )


class StopAliasForm(forms.Form):
    """Why an alias is stopped. Empty is refused by the verb."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        help_text=_("The operator will read it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 300, "autofocus": True}),
    )


class RegisterSearchForm(forms.Form):
    """«Who was “Анна” on 12 March at 14:30»: a name, a moment, or both."""

    name = forms.CharField(
        label=pgettext_lazy("person", "Name"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "data-key": "Alt+KeyN"}),
    )
    at = forms.DateTimeField(
        label=_("Was voiced at"),
        required=False,
        widget=forms.DateTimeInput(
            attrs={"autocomplete": "off", "placeholder": _("dd.mm.yyyy hh:mm")}, format="%d.%m.%Y %H:%M"
        ),
        input_formats=["%d.%m.%Y %H:%M", "%d.%m.%y %H:%M", "%d.%m.%Y", "%d.%m.%y", "%Y-%m-%dT%H:%M"],
        error_messages={"invalid": _("Not a moment: write it as 12.03.2026 14:30.")},
    )

    def clean_at(self) -> Any:
        at = self.cleaned_data["at"]
        if at is not None and at > timezone.now():
            raise forms.ValidationError(_("This moment has not come yet."), code="future")
        return at
