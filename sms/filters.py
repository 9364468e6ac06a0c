"""What messages are filtered by: one set for the API and the pages of other rooms."""

from __future__ import annotations

from typing import ClassVar

import django_filters as filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from hotline.base.phones import read_phone
from sms.models import SmsMessage


class MessageFilter(filters.FilterSet):
    """By state (several), number in any spelling, template, time."""

    state = filters.MultipleChoiceFilter(choices=SmsMessage.State.choices, label=_("state"))
    to = filters.CharFilter(method="to_number", label=_("number"))
    template = filters.CharFilter(field_name="template__code", label=_("template"))
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label=_("made not before"))
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt", label=_("made before"))

    class Meta:
        model = SmsMessage
        fields: ClassVar = ["state", "to", "template", "created_after", "created_before"]

    def to_number(self, queryset: QuerySet[SmsMessage], name: str, value: str) -> QuerySet[SmsMessage]:
        """A number as people write it; what can't be read is looked for as a dictation kept it."""
        return queryset.filter(to=read_phone(value).e164 or value.strip())
