"""The back office of the room: directories are edited, what happened is looked at, models to add are decided."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from import_export import resources
from import_export.admin import ImportExportModelAdmin
from import_export.fields import Field
from import_export.formats.base_formats import CSV, XLSX
from import_export.forms import ExportForm
from import_export.widgets import ForeignKeyWidget

from hotline.base.admin import ReadOnlyAdmin
from hotline.base.errors import HotlineError
from hotline.base.folding import fold, fold_model
from service_centers.models import Brand, Category
from sms.models import SmsTemplate
from tickets import actions
from tickets.models import (
    Account,
    Appeal,
    AppealEvent,
    AppealMessage,
    AppealReference,
    Appliance,
    Assignment,
    AutomaticSms,
    Client,
    ClientPhone,
    Comment,
    Document,
    DocumentKind,
    ModelSuggestion,
    ProductModel,
    Reminder,
    Topic,
    WarrantyRule,
)


# --- Directories -----------------------------------------------------------------------------------
@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin):
    list_display = ["name", "code", "is_atypical", "is_active", "position"]
    list_editable = ["is_active", "position"]
    list_filter = ["is_active", "is_atypical"]
    search_fields = ["name", "code"]
    prepopulated_fields = {"code": ["name"]}


@admin.register(AutomaticSms)
class AutomaticSmsAdmin(admin.ModelAdmin):
    """Which changes of a request the client is told of by itself; none until a supervisor switches it on.

    One rule a state: the set is fixed, a rule is switched off and never deleted; one that is missing may be added.
    """

    list_display = ["state", "template_name", "is_on"]
    fields = ["state", "template_code", "is_on"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AutomaticSms]:
        made = SmsTemplate.objects.current().filter(code=OuterRef("template_code"))
        return super().get_queryset(request).annotate(found_name=Subquery(made.values("name")[:1]))

    @admin.display(description=_("template"), ordering="found_name")
    def template_name(self, rule: Any) -> str:
        return str(rule.found_name or _("no such template any more"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and bool(_states_without_rule())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: AutomaticSms | None = None) -> list[str]:
        return ["state"] if obj is not None else []

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "state":
            options["choices"] = [("", "—"), *_states_without_rule()]
        return super().formfield_for_choice_field(db_field, request, **options)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name != "template_code":
            return super().formfield_for_dbfield(db_field, request, **options)
        made = SmsTemplate.objects.current().filter(moment=SmsTemplate.Moment.STATUS_CHANGED).order_by("name")
        return forms.ChoiceField(
            label=capfirst(db_field.verbose_name),
            help_text=db_field.help_text,
            choices=lambda: [("", "—"), *made.values_list("code", "name")],
        )


def _states_without_rule() -> list[tuple[str, str]]:
    have = set(AutomaticSms.objects.values_list("state", flat=True))
    return [(state, str(Appeal.State(state).label)) for state in AutomaticSms.STATES if state not in have]


@admin.register(DocumentKind)
class DocumentKindAdmin(admin.ModelAdmin):
    list_display = ["name", "code", "position"]
    list_editable = ["position"]


class ProductModelResource(resources.ModelResource):
    """A line of a spreadsheet: brand and category by their names. A model that is there already is updated."""

    brand = Field(column_name="brand", attribute="brand", widget=ForeignKeyWidget(Brand, "name"))
    category = Field(column_name="category", attribute="category", widget=ForeignKeyWidget(Category, "name"))

    class Meta:
        model = ProductModel
        fields = ("brand", "category", "name", "is_active")
        import_id_fields = ("brand", "name")
        skip_unchanged = True


class ProductModelForm(forms.ModelForm):
    """Says which model is the same: the database compares names as they are searched for."""

    class Meta:
        model = ProductModel
        fields = ["brand", "category", "name", "is_active"]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        brand, name = values.get("brand"), values.get("name")
        same = ProductModel.objects.filter(brand=brand, folded_name=fold_model(name or "")).exclude(pk=self.instance.pk)
        if brand and name and (found := same.first()):
            self.add_error("name", _("This brand has such a model already: %(model)s.") % {"model": found.name})
        return values


@admin.register(ProductModel)
class ProductModelAdmin(ImportExportModelAdmin):
    form = ProductModelForm
    resource_classes = [ProductModelResource]
    # Every column: without the page of checkboxes that chooses them.
    export_form_class = ExportForm
    formats = [XLSX, CSV]
    list_display = ["name", "brand", "category", "is_active"]
    list_filter = ["brand", "category", "is_active"]
    list_select_related = ["brand", "category"]
    search_fields = ["name", "folded_name"]


@admin.register(WarrantyRule)
class WarrantyRuleAdmin(admin.ModelAdmin):
    list_display = ["brand", "category", "months", "valid_from"]
    list_filter = ["brand", "category"]
    list_select_related = ["brand", "category"]


class DecideForm(forms.ModelForm):
    """What the suggestion turned out to be: a model of the directory, made there first where it was missing."""

    class Meta:
        model = ModelSuggestion
        fields = ["resolved_model"]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not values.get("resolved_model"):
            self.add_error("resolved_model", _("Choose the model; to drop the suggestion, use the list's action."))
        return values


@admin.register(ModelSuggestion)
class ModelSuggestionAdmin(admin.ModelAdmin):
    """Models that operators met and the directory lacks; decided by the verbs, once."""

    form = DecideForm
    list_display = ["text", "times", "first_met_at", "suggested_by", "resolved_model", "decided_at"]
    list_filter = [("decided_at", admin.EmptyFieldListFilter)]
    list_select_related = ["suggested_by", "resolved_model__brand"]
    search_fields = ["text", "folded_text"]
    autocomplete_fields = ["resolved_model"]
    readonly_fields = ["text", "times", "first_met_at", "suggested_by", "decided_at", "decided_by"]
    actions = ["dismiss"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ModelSuggestion | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.decided_at is None)

    def save_model(self, request: HttpRequest, obj: ModelSuggestion, form: Any, change: bool) -> None:
        try:
            actions.resolve_suggestion(
                suggestion_id=obj.pk,
                product_model=form.cleaned_data["resolved_model"],
                actor=request.user,  # type: ignore[arg-type]
            )
        except HotlineError as error:  # somebody decided it while this page was open
            messages.error(request, str(error))

    @admin.action(description=_("Drop: there is no such model"), permissions=["change"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[ModelSuggestion]) -> None:
        done = 0
        for suggestion in queryset:
            try:
                actions.dismiss_suggestion(suggestion_id=suggestion.pk, actor=request.user)  # type: ignore[arg-type]
                done += 1
            except HotlineError as error:
                messages.error(request, f"{suggestion}: {error}")
        if done:
            messages.success(
                request,
                ngettext("%(count)d suggestion dropped.", "%(count)d suggestions dropped.", done) % {"count": done},
            )


# --- To look at ------------------------------------------------------------------------------------
class LookInline(admin.TabularInline):
    """Rows that hang on what is looked at."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ClientPhoneInline(LookInline):
    model = ClientPhone


class AccountInline(LookInline):
    model = Account


@admin.register(Client)
class ClientAdmin(ReadOnlyAdmin):
    list_display = ["full_name", "city", "created_at", "created_by"]
    list_select_related = ["city", "created_by"]
    search_fields = ["folded_name", "phones__e164"]
    inlines = [ClientPhoneInline, AccountInline]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Client], search_term: str
    ) -> tuple[QuerySet[Client], bool]:
        return super().get_search_results(request, queryset, fold(search_term))


@admin.register(Appliance)
class ApplianceAdmin(ReadOnlyAdmin):
    list_display = ["model_text", "serial_number", "account", "purchase_date", "purchase_date_source"]
    list_select_related = ["account", "product_model__brand", "brand"]
    search_fields = ["folded_serial", "model_text"]


class AssignmentInline(LookInline):
    model = Assignment


class CommentInline(LookInline):
    model = Comment


class DocumentInline(LookInline):
    model = Document


class ReminderInline(LookInline):
    model = Reminder
    fk_name = "appeal"


class ReferenceInline(LookInline):
    model = AppealReference


class MessageInline(LookInline):
    model = AppealMessage


class EventInline(LookInline):
    model = AppealEvent


@admin.register(Appeal)
class AppealAdmin(ReadOnlyAdmin):
    list_display = ["number", "kind", "state", "client", "topic", "registered_at", "registered_by"]
    list_filter = ["kind", "state", "topic"]
    list_select_related = ["client", "topic", "registered_by"]
    search_fields = ["=number", "client__folded_name"]
    date_hierarchy = "registered_at"
    inlines = [
        *(AssignmentInline, CommentInline, DocumentInline, ReminderInline, ReferenceInline, MessageInline),
        EventInline,
    ]
