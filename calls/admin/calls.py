"""Calls and their evidence, to look at: only verbs change them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from calls.models import (
    Call,
    CallAppeal,
    CallEvent,
    CallJournalEntry,
    CallReference,
    CallStage,
    LostCallBack,
    PromisedCallBack,
)
from hotline.base.admin import ReadOnlyAdmin
from hotline.base.phones import digits_of, format_phone


class Evidence(admin.TabularInline):
    """Rows of a call, read-only."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StageActs(Evidence):
    model = CallStage
    fields = ("at", "stage", "act", "actor")
    readonly_fields = fields


class Journal(Evidence):
    model = CallJournalEntry
    fields = ("at", "code", "actor", "data")
    readonly_fields = fields


class Appeals(Evidence):
    model = CallAppeal
    fields = ("appeal", "relation", "created_at")
    readonly_fields = fields


class Events(Evidence):
    model = CallEvent
    fields = ("received_at", "type", "outcome", "source")
    readonly_fields = fields


class References(Evidence):
    model = CallReference
    fields = ("system", "number", "created_at")
    readonly_fields = fields


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    """Every call with its evidence: what the exchange said, what was done in each stage, what was corrected."""

    list_display = ("started_at", "direction", "phone", "client", "operator", "work_state", "ending", "topic", "result")
    list_filter = ("work_state", "direction", "origin", "ending", "is_atypical", "started_at")
    list_select_related = ("client", "operator", "topic", "result")
    list_per_page = 50
    search_fields = ("number",)
    date_hierarchy = "started_at"
    show_full_result_count = False
    inlines = (StageActs, Journal, Appeals, Events, References)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By a part of the number, as people write it."""
        digits = digits_of(search_term)
        return (queryset.filter(number__contains=digits) if digits else queryset), False

    @admin.display(description=_("number"))
    def phone(self, call: Call) -> str:
        return format_phone(call.number) if call.number else call.number_raw or "—"


@admin.register(CallEvent)
class CallEventAdmin(ReadOnlyAdmin):
    """What exchanges said, late and unknown events too."""

    list_display = ("received_at", "source", "type", "outcome", "event_id", "call")
    list_filter = ("source", "type", "outcome")
    list_select_related = ("call",)
    search_fields = ("event_id",)
    list_per_page = 50
    show_full_result_count = False


@admin.register(LostCallBack)
class LostCallBackAdmin(ReadOnlyAdmin):
    """The one call back after each lost connection (D2)."""

    list_display = ("planned_at", "call", "owner", "attempted_at", "cancelled_at", "cancel_reason")
    list_filter = ("cancel_reason",)
    list_select_related = ("call", "owner")


@admin.register(PromisedCallBack)
class PromisedCallBackAdmin(ReadOnlyAdmin):
    """What was promised to clients, and how it was kept."""

    list_display = ("due_at", "number", "owner", "state", "reason", "settled_at", "settled_note")
    list_filter = ("state",)
    list_select_related = ("owner",)
