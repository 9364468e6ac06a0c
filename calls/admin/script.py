"""The script in the back office: a draft is written here; publishing and withdrawing are the verbs' (S1)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ValidationError
from django.db.models import Count, IntegerField, Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from calls.actions import draft_version, publish_version, retire_version
from calls.actions.script import placeholder_problem
from calls.models import CallResult, Phrase, Script, ScriptAcknowledgement, ScriptChange, ScriptVersion, Stage
from hotline.base.admin import ReadOnlyAdmin
from hotline.base.errors import HotlineError
from hotline.operators.models import User


def person(request: HttpRequest) -> User:
    """Who works in the admin: its door let no anonymous in."""
    return request.user  # type: ignore[return-value]


@admin.register(CallResult)
class CallResultAdmin(admin.ModelAdmin):
    """How a call ended in substance: what the wrap-up offers."""

    list_display = ("name", "code", "is_active", "position")
    list_editable = ("is_active", "position")
    search_fields = ("name", "code")


class OfDraft:
    """Parts of a version may be edited as long as it is a draft; the database holds the same."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and super().has_add_permission(request, obj)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and super().has_change_permission(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and super().has_delete_permission(request, obj)  # type: ignore[misc]


def _is_draft(version: ScriptVersion | None) -> bool:
    return version is not None and version.state == ScriptVersion.State.DRAFT


class StageInline(OfDraft, admin.TabularInline):
    """The ten stages are the regulation's: their words change, their number does not."""

    model = Stage
    fields = ("position", "code", "title", "guidance")
    extra = 0
    max_num = 10


class PhraseForm(forms.ModelForm):
    class Meta:
        model = Phrase
        fields = ("position", "stage", "kind", "condition", "trigger_text", "text", "is_mandatory")
        widgets = {
            "text": forms.Textarea(attrs={"rows": 3, "cols": 60}),
            "trigger_text": forms.TextInput(attrs={"size": 24}),
        }

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if problem := placeholder_problem(text):
            raise ValidationError(problem, code="placeholder")
        return text


class PhraseInline(OfDraft, admin.TabularInline):
    model = Phrase
    form = PhraseForm
    extra = 0

    def get_formset(self, request: HttpRequest, obj: ScriptVersion | None = None, **kwargs: Any) -> Any:
        """A phrase hangs on a stage of its own version; the choices are read once for all rows."""
        formset = super().get_formset(request, obj, **kwargs)
        choices = [("", "—"), *((stage.pk, stage.title) for stage in (obj.stages.all() if obj else ()))]
        if "stage" in formset.form.base_fields:
            formset.form.base_fields["stage"].choices = choices  # type: ignore[attr-defined]
        return formset


class ChangeInline(OfDraft, admin.TabularInline):
    """Every change has its entry: date, author, what, on what ground (S1)."""

    model = ScriptChange
    fields = ("date", "author", "what", "ground", "ground_text")
    extra = 0

    def get_formset(self, request: HttpRequest, obj: ScriptVersion | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        if "date" in formset.form.base_fields:
            formset.form.base_fields["date"].initial = timezone.localdate()
            formset.form.base_fields["author"].initial = str(person(request))
        return formset


class VersionForm(forms.ModelForm):
    """A new version asks for nothing but its script: it begins as a copy of the newest."""

    class Meta:
        model = ScriptVersion
        fields = ("script",)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        script: Script | None = data.get("script")
        if self.instance.pk is None and script is not None:
            draft = script.versions.filter(state=ScriptVersion.State.DRAFT).first()
            if draft is not None:
                raise ValidationError(
                    _("Version %(number)s is being drafted: finish it first.") % {"number": draft.number}
                )
        return data


class WhenForm(ActionForm):
    """The admin's action bar with the moment that a version takes effect."""

    effective_from = forms.DateTimeField(
        label=_("in force from"),
        required=False,
        widget=forms.DateTimeInput(attrs={"placeholder": _("at once, or 25.11.2026 09:00")}),
        input_formats=["%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M", "%d.%m.%Y"],
    )


@admin.register(ScriptVersion)
class ScriptVersionAdmin(admin.ModelAdmin):
    """Drafted, published with an effective date, never edited after; «add» copies the newest version."""

    list_display = ("__str__", "state", "effective_from", "published_by", "phrase_count", "unread")
    list_filter = ("state",)
    list_select_related = ("script", "published_by")
    ordering = ("-number",)
    form = VersionForm
    fields = ("script", "number", "state", "effective_from", "published_at", "published_by")
    actions = ("publish", "retire")
    action_form = WhenForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScriptVersion]:
        rows = super().get_queryset(request)
        operators = User.objects.operators().count()
        return rows.annotate(
            operators=Value(operators, output_field=IntegerField()),
            phrases_in=Count("phrases", distinct=True),
            readers=Count(
                "acknowledgements",
                filter=Q(acknowledgements__operator__is_active=True, acknowledgements__operator__role="operator"),
                distinct=True,
            ),
        )

    @admin.display(description=_("phrases"))
    def phrase_count(self, version: Any) -> int:
        return int(version.phrases_in)

    @admin.display(description=_("not acknowledged by"))
    def unread(self, version: Any) -> Any:
        if version.state != ScriptVersion.State.PUBLISHED:
            return "—"
        left = int(version.operators) - version.readers
        return format_html('<a href="{}">{}</a>', reverse("calls:script-readers", args=[version.pk]), left)

    def get_fields(self, request: HttpRequest, obj: ScriptVersion | None = None) -> Any:
        return ("script",) if obj is None else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: ScriptVersion | None = None) -> Any:
        return () if obj is None else tuple(self.fields or ())

    def get_inlines(self, request: HttpRequest, obj: ScriptVersion | None) -> Any:
        return (StageInline, PhraseInline, ChangeInline) if obj is not None else ()

    def has_change_permission(self, request: HttpRequest, obj: ScriptVersion | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or _is_draft(obj))

    def has_delete_permission(self, request: HttpRequest, obj: ScriptVersion | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ScriptVersion, form: Any, change: bool) -> None:
        """«Add» is the verb's: it copies the newest version. A draft's own row has nothing to save."""
        if change:
            return
        drafted = draft_version(script_id=obj.script_id, actor=person(request))
        obj.__dict__.update({name: value for name, value in drafted.__dict__.items() if name != "_state"})
        obj._state.adding = False

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """A change belongs to the script as well as to its version."""
        for row in formset.save(commit=False):
            if isinstance(row, ScriptChange):
                row.script_id = form.instance.script_id
            row.save()
        for row in formset.deleted_objects:
            row.delete()
        formset.save_m2m()

    def response_add(
        self, request: HttpRequest, obj: ScriptVersion, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The copy is made to be written in."""
        return HttpResponseRedirect(reverse("admin:calls_scriptversion_change", args=[obj.pk]))

    @admin.action(description=_("Publish, in force from the moment given"))
    def publish(self, request: HttpRequest, queryset: QuerySet[ScriptVersion]) -> None:
        when = WhenForm.base_fields["effective_from"]
        try:
            moment = when.clean(request.POST.get("effective_from", "")) or timezone.now()
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return
        for version in ScriptVersion.objects.filter(pk__in=queryset.values("pk")):
            act = partial(publish_version, version_id=version.pk, effective_from=moment, actor=person(request))
            self._try(request, version, act)

    @admin.action(description=_("Withdraw"))
    def retire(self, request: HttpRequest, queryset: QuerySet[ScriptVersion]) -> None:
        for version in ScriptVersion.objects.filter(pk__in=queryset.values("pk")):
            self._try(request, version, partial(retire_version, version_id=version.pk, actor=person(request)))

    def _try(self, request: HttpRequest, version: ScriptVersion, act: Callable[[], object]) -> None:
        try:
            act()
        except HotlineError as error:
            self.message_user(request, f"{version}: {error}", messages.ERROR)
        else:
            self.message_user(request, _("%(version)s: done.") % {"version": version}, messages.SUCCESS)


@admin.register(Script)
class ScriptAdmin(admin.ModelAdmin):
    """The hotline's one script: its name."""

    list_display = ("name", "code")
    readonly_fields = ("code",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ScriptChange)
class ScriptChangeAdmin(ReadOnlyAdmin):
    """The change log; entries are written with the draft that they explain."""

    list_display = ("date", "what", "author", "ground", "ground_text", "version")
    list_filter = ("ground",)
    list_select_related = ("version__script",)
    search_fields = ("what", "author", "ground_text")
    date_hierarchy = "date"


@admin.register(ScriptAcknowledgement)
class ScriptAcknowledgementAdmin(ReadOnlyAdmin):
    """Who has read which version, and when (S3)."""

    list_display = ("operator", "version", "at")
    list_filter = ("version",)
    list_select_related = ("operator", "version__script")
    search_fields = ("operator__last_name", "operator__username")
