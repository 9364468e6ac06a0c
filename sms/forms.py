"""Forms of SMS: a template, and how the development gateway behaves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sms.gateways import routing
from sms.models import Category, SmsTemplate


class TemplateForm(forms.Form):
    """A template's next version. What is allowed in it, the verb judges (`actions.save_template`)."""

    code = forms.SlugField(
        label=_("Code"),
        max_length=40,
        help_text=_("Latin letters, digits and hyphens; the API knows the template by it."),
    )
    name = forms.CharField(label=_("Name"), max_length=100)
    moment = forms.ChoiceField(label=_("Moment"), choices=SmsTemplate.Moment.choices)
    text = forms.CharField(
        label=_("Text"),
        max_length=1000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 7, "aria-describedby": "template-preview"}),
    )
    kind = forms.ChoiceField(
        label=_("Kind of appeal"),
        choices=SmsTemplate.Kind.choices,
        required=False,
        help_text=_("A template for the very kind goes before one for any."),
    )
    category = forms.ChoiceField(
        label=pgettext_lazy("SMS", "Category"), choices=Category.choices, initial=Category.SERVICE
    )
    sender = forms.ChoiceField(label=_("Sender"), required=False, help_text=_("The name that the client sees."))
    daily_limit = forms.IntegerField(
        label=_("At most a day"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text=_("To all clients together. Empty: no limit."),
    )
    based_on = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, current: SmsTemplate | None, **kwargs: Any) -> None:
        if current is not None:
            kwargs["initial"] = {
                "code": current.code,
                "name": current.name,
                "moment": current.moment,
                "text": current.text,
                "kind": current.kind,
                "category": current.category,
                "sender": current.sender,
                "daily_limit": current.daily_limit,
                "based_on": current.version,
            }
        super().__init__(*args, **kwargs)
        # A browser would cut a text that is pasted there, without a word; the form says how much is too much.
        del self.fields["text"].widget.attrs["maxlength"]
        usual, *others = routing.senders()
        named = [*others, *([current.sender] if current is not None and current.sender not in ("", *others) else [])]
        sender: forms.ChoiceField = self.fields["sender"]  # type: ignore[assignment]
        sender.choices = [("", _("the usual one: %(sender)s") % {"sender": usual}), *((name, name) for name in named)]
        # A template keeps its code: it is what versions have in common. Django takes the initial value then.
        if current is not None:
            self.fields["code"].disabled = True
            self.fields["code"].help_text = ""


class BehaviourForm(forms.Form):
    """What the development gateway does with the next messages."""

    answer = forms.ChoiceField(
        label=_("The next messages"),
        choices=[
            ("deliver", _("are delivered")),
            ("undeliver", _("are not delivered")),
            ("reject", _("are rejected")),
            ("drop", _("get no answer")),
        ],
    )
    delay_ms = forms.TypedChoiceField(
        label=_("It answers"),
        coerce=int,
        choices=[
            (0, _("at once")),
            (1000, _("after a second")),
            (5000, _("after 5 seconds")),
            (15000, _("after 15 seconds")),
        ],
    )
