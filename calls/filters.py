"""What calls are filtered by: one set for the pages and the API."""

from __future__ import annotations

import django_filters as filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from calls.models import Call, CallResult
from hotline.base.phones import digits_of, read_phone
from hotline.operators.models import Role, User
from tickets.models import Topic


def staff(request: object) -> QuerySet[User]:
    return User.objects.exclude(role=Role.INTEGRATION)


class CallFilter(filters.FilterSet):
    """Times are ISO 8601; `number` takes any spelling, or the last digits."""

    number = filters.CharFilter(method="by_number", label=_("Number"))
    operator = filters.ModelChoiceFilter(queryset=staff, label=_("Operator"))
    direction = filters.ChoiceFilter(choices=Call.Direction.choices, label=_("Direction"))
    origin = filters.ChoiceFilter(choices=Call.Origin.choices, label=_("Origin"))
    work_state = filters.ChoiceFilter(choices=Call.WorkState.choices, label=_("Work"))
    line_state = filters.ChoiceFilter(choices=Call.LineState.choices, label=_("Line"))
    phase = filters.ChoiceFilter(choices=Call.Phase.choices, label=_("Phase"))
    ending = filters.ChoiceFilter(choices=Call.Ending.choices, label=_("How the talk ended"))
    missed = filters.BooleanFilter(method="by_missed", label=_("Nobody answered"))
    is_open = filters.BooleanFilter(method="by_open", label=_("Open"))
    client = filters.NumberFilter(field_name="client_id", label=_("Client"))
    appeal = filters.NumberFilter(method="by_appeal", label=_("Appeal number"))
    topic = filters.ModelChoiceFilter(queryset=Topic.objects.all(), to_field_name="code", label=_("Topic"))
    result = filters.ModelChoiceFilter(queryset=CallResult.objects.all(), to_field_name="code", label=_("Result"))
    started_after = filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="gte", label=_("Began at or after"))
    started_before = filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="lt", label=_("Began before"))
    rated = filters.BooleanFilter(field_name="rating", lookup_expr="isnull", exclude=True, label=_("Rated"))

    class Meta:
        model = Call
        fields: list[str] = []

    def by_number(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        if read := read_phone(value).e164:
            return queryset.filter(number=read)
        digits = digits_of(value)
        return queryset.filter(number__endswith=digits) if len(digits) >= 3 else queryset.none()

    def by_missed(self, queryset: QuerySet[Call], name: str, value: bool) -> QuerySet[Call]:
        missed = Q(line_state=Call.LineState.ENDED, answered_at__isnull=True)
        return queryset.filter(missed) if value else queryset.exclude(missed)

    def by_open(self, queryset: QuerySet[Call], name: str, value: bool) -> QuerySet[Call]:
        closed = Q(work_state=Call.WorkState.CLOSED)
        return queryset.exclude(closed) if value else queryset.filter(closed)

    def by_appeal(self, queryset: QuerySet[Call], name: str, value: int) -> QuerySet[Call]:
        """Calls that led to an appeal or were about it; a subquery, so that no call comes twice."""
        return queryset.filter(pk__in=Call.objects.filter(appeals__appeal__number=value).values("pk"))
