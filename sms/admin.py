"""The admin of SMS: the deny list; templates, whose next version the verb makes; what clients said of their numbers,
which the verb ends; the outbox, to look at."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from hotline.base.admin import ReadOnlyAdmin
from hotline.base.errors import HotlineError
from hotline.base.forms import add_error_to
from hotline.base.phones import format_phone
from hotline.operators.models import User
from sms import segments
from sms.actions import end_opt_out, save_template, withdraw_consent
from sms.changes import versions_of
from sms.forms import TemplateForm
from sms.models import Consent, DeniedCode, OptOut, SmsMessage, SmsPart, SmsStateChange, SmsTemplate
from sms.placeholders import PLACEHOLDERS


@admin.register(DeniedCode)
class DeniedCodeAdmin(admin.ModelAdmin):
    """Codes whose numbers look Russian and are not: no SMS goes there."""

    list_display = ("code", "reason")
    search_fields = ("code", "reason")


@admin.register(SmsTemplate)
class SmsTemplateAdmin(ReadOnlyAdmin):
    """Versions are read-only. «Add» makes a template, «Change the text» the next version of one, both by the verb."""

    list_display = (
        "name",
        "code",
        "version",
        "is_current",
        "moment",
        "kind",
        "goes_out",
        "category",
        "size",
    )
    list_filter = (("is_current", admin.BooleanFieldListFilter), "moment", "kind", "category")
    search_fields = ("name", "code", "text")
    ordering = ("-is_current", "code", "-version")  # what is in use first
    fields = (
        ("name", "code"),
        ("version", "is_current"),
        ("moment", "kind"),
        ("category", "sender", "daily_limit"),
        "text",
        "size",
        ("created_at", "created_by"),
    )
    change_form_template = "admin/sms/smstemplate/version.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sms.add_smstemplate")

    def get_urls(self) -> list[URLPattern]:
        edit = path("<path:object_id>/edit/", self.admin_site.admin_view(self.edit_view), name="sms_smstemplate_edit")
        return [edit, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).with_precedence()  # type: ignore[attr-defined]

    @admin.display(description=_("taken at its moment"), boolean=True)
    def goes_out(self, template: Any) -> bool:
        """Of several for one moment and kind one is taken; the others go out by name only (API, automatic SMS)."""
        return bool(template.goes_out)

    @admin.display(description=_("SMS"))
    def size(self, template: SmsTemplate) -> str:
        """Of the bare text: an SMS at the least."""
        counted = segments.count(template.text)
        return f"{counted.count} · {counted.encoding.upper()}"

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._form_page(request, None)

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The next version of a template, whichever version one came from."""
        if not request.user.has_perm("sms.change_smstemplate"):
            raise PermissionDenied
        seen = self.get_object(request, object_id)
        if seen is None:
            raise Http404
        return self._form_page(request, SmsTemplate.objects.current().get(code=seen.code))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A version with the others of its template."""
        seen = self.get_object(request, object_id)
        versions = versions_of(seen.code) if seen is not None else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "versions": versions})

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Its versions: the admin's own log knows nothing of what the verb makes."""
        seen = self.get_object(request, object_id)
        if seen is None:
            raise Http404
        if not self.has_view_permission(request, seen):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("History of the template"),
            "shown": seen,
            "versions": versions_of(seen.code),
        }
        return TemplateResponse(request, "admin/sms/smstemplate/history.html", context)

    def _form_page(self, request: HttpRequest, current: SmsTemplate | None) -> HttpResponse:
        form = TemplateForm(request.POST or None, current=current)
        if request.method == "POST" and form.is_valid() and (saved := self._save(request, form, current)):
            messages.success(
                request,
                _("Version %(version)d of “%(name)s” is in use.") % {"version": saved.version, "name": saved.name},
            )
            first = SmsTemplate.objects.for_moment(saved.moment, saved.kind).filter(kind=saved.kind).first()
            if first is not None and first.pk != saved.pk:
                messages.warning(
                    request,
                    _("At this moment “%(name)s” (%(code)s) is taken: it is older. This one goes out by name only.")
                    % {"name": first.name, "code": first.code},
                )
            return HttpResponseRedirect(reverse("admin:sms_smstemplate_change", args=[saved.pk]))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Change the template") if current else _("New template"),
            "form": form,
            "current": current,
            "placeholders": PLACEHOLDERS.values(),
            "appeal_number": request.POST.get("appeal", "")[:20],
            "versions": versions_of(current.code) if current else [],
        }
        if form.is_bound and current is not None:
            # Somebody was faster: both texts are on the page, and saving once more is a decision.
            now = SmsTemplate.objects.current().get(code=current.code)
            if now.version != form.cleaned_data.get("based_on"):
                context["theirs"] = now
                form.data = {**form.data.dict(), "based_on": now.version}  # type: ignore[attr-defined]
        wrong = next((name for name in form.fields if name in form.errors), "text" if current else "name")
        form.fields[wrong].widget.attrs["autofocus"] = True
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "admin/sms/smstemplate/edit.html", context, status=status)

    def _save(self, request: HttpRequest, form: TemplateForm, current: SmsTemplate | None) -> SmsTemplate | None:
        """The saved version, or None after the verb's refusal was put beside the field."""
        asked = form.cleaned_data
        if current is None and SmsTemplate.objects.filter(code=asked["code"]).exists():
            form.add_error("code", _("There is a template with this code already."))
            return None
        actor: User = request.user  # type: ignore[assignment]
        try:
            return save_template(
                code=asked["code"],
                moment=asked["moment"],
                name=asked["name"],
                text=asked["text"],
                kind=asked["kind"],
                category=asked["category"],
                sender=asked["sender"],
                daily_limit=asked["daily_limit"],
                based_on=asked["based_on"] if current else None,
                actor=actor,
            )
        except HotlineError as error:
            add_error_to(form, error)
            return None


class InForceFilter(admin.SimpleListFilter):
    """What a client said holds, or was ended."""

    title = _("does it hold")
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("it holds")), ("no", _("it was ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(ended_at__isnull=self.value() == "yes")


class NumberAdmin(ReadOnlyAdmin):
    """What a client said of a number. It is written down in a call; here it is looked at, and ended by its verb."""

    list_display = ("shown_number", "since", "started_by", "note", "ended_at", "ended_by")
    list_filter = (InForceFilter, "started_at")
    list_select_related = ("started_by", "ended_by")
    search_fields = ("number",)
    search_help_text = _("A part of the number, in any spelling")
    show_full_result_count = False
    actions = ("end",)

    @admin.display(description=_("number"), ordering="number")
    def shown_number(self, row: Any) -> str:
        return format_phone(row.number)

    @admin.display(description=_("since"), ordering="started_at")
    def since(self, row: Any) -> Any:
        return row.started_at

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """As it is shown, «8 (916)…», or its last digits."""
        digits = re.sub(r"\D", "", search_term)
        if search_term.strip() and not digits:
            return queryset.none(), False
        return super().get_search_results(request, queryset, digits.removeprefix("8") if len(digits) == 11 else digits)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def _end_each(self, request: HttpRequest, rows: QuerySet[Any], verb: Callable[[Any, User], None]) -> None:
        actor: User = request.user  # type: ignore[assignment]
        ended = 0
        for row in rows.filter(ended_at__isnull=True):
            verb(row, actor)
            ended += 1
        said = ngettext("%(n)d was ended.", "%(n)d were ended.", ended) % {"n": ended}
        messages.success(request, said) if ended else messages.info(request, _("All of them were ended already."))


@admin.register(OptOut)
class OptOutAdmin(NumberAdmin):
    """Numbers to which no SMS goes, because the client does not want any."""

    @admin.action(description=_("The client wants SMS again"), permissions=["end"])
    def end(self, request: HttpRequest, rows: QuerySet[OptOut]) -> None:
        self._end_each(request, rows, lambda row, actor: end_opt_out(number=row.number, actor=actor))


@admin.register(Consent)
class ConsentAdmin(NumberAdmin):
    """Numbers whose clients agreed to messages that need consent."""

    list_display = ("shown_number", "category", "since", "started_by", "note", "ended_at", "ended_by")  # type: ignore[assignment]

    @admin.action(description=_("The client takes the consent back"), permissions=["end"])
    def end(self, request: HttpRequest, rows: QuerySet[Consent]) -> None:
        self._end_each(
            request, rows, lambda row, actor: withdraw_consent(number=row.number, category=row.category, actor=actor)
        )


class Evidence(admin.TabularInline):
    """Rows of a message that nobody edits."""

    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StateChangeInline(Evidence):
    model = SmsStateChange
    fields = ("at", "from_state", "to_state", "why")
    readonly_fields = fields
    ordering = ("pk",)

    @admin.display(description=_("reason"))
    def why(self, change: SmsStateChange) -> str:
        return change.reason_in_words or "—"


class PartInline(Evidence):
    model = SmsPart
    fields = ("seq", "text", "state", "why", "gateway_id")
    readonly_fields = fields
    ordering = ("seq",)

    @admin.display(description=_("reason"))
    def why(self, part: SmsPart) -> str:
        return part.reason_in_words or "—"


def _link_to(message: SmsMessage | None) -> str:
    if message is None:
        return "—"
    address = reverse("admin:sms_smsmessage_change", args=[message.pk])
    return format_html('<a href="{}">{} · {}</a>', address, message, message.get_state_display())


@admin.register(SmsMessage)
class SmsMessageAdmin(ReadOnlyAdmin):
    """The outbox: what was said to whom, and what became of it. Only verbs move a message."""

    list_display = (
        "created_at",
        "number",
        "state",
        "reason_in_words",
        "segments",
        "template",
        "requested_by",
        "gateway",
    )
    list_filter = ("state", "category", "template__code", "gateway", "created_at")
    list_select_related = ("requested_by", "template")
    search_fields = ("to", "=gateway_id")
    search_help_text = _("A part of the number as +79…, or the gateway's id")
    date_hierarchy = "created_at"
    inlines = (StateChangeInline, PartInline)
    show_full_result_count = False
    fields = (
        ("number", "state", "reason_in_words"),
        "text",
        ("segments", "template", "category"),
        ("requested_by", "created_at", "state_changed_at"),
        ("sender", "gateway", "gateway_id", "cost"),
        ("instead_of", "successor"),
        ("attempts", "not_before"),
        "action_id",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SmsMessage]:
        return super().get_queryset(request).for_list()  # type: ignore[attr-defined]

    @admin.display(description=_("number"), ordering="to")
    def number(self, message: SmsMessage) -> str:
        return format_phone(message.to) or "—"

    @admin.display(description=_("sent anew instead of"))
    def instead_of(self, message: SmsMessage) -> str:
        return _link_to(message.resend_of)

    @admin.display(description=_("sent anew as"))
    def successor(self, message: SmsMessage) -> str:
        return _link_to(SmsMessage.objects.filter(resend_of=message).first())

    @admin.display(description=_("reason"))
    def reason_in_words(self, message: SmsMessage) -> str:
        return message.reason_in_words or "—"
