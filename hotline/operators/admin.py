"""The admin of staff: accounts, the register of aliases, tokens. What has a verb is done by the verb."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from axes.utils import reset
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.auth.admin import UserAdmin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from hotline.base.admin import ReadOnlyAdmin
from hotline.base.errors import HotlineError
from hotline.operators import actions
from hotline.operators.audit import changes_of
from hotline.operators.models import Alias, ApiToken, Role, User

DEFAULT_LIFE = timedelta(days=365)


def _person(request: HttpRequest) -> User:
    """Who works in the admin: its door let no anonymous in."""
    return request.user  # type: ignore[return-value]


@admin.register(User)
class StaffAdmin(UserAdmin):
    """Accounts of people and machines. Nobody is deleted: whoever leaves is made inactive, and the history stays."""

    list_display = ("username", "name", "role", "extension", "state", "is_active", "last_login", "may_sign_in")
    list_filter = ("role", "is_active", "state")
    search_fields = ("username", "last_name", "first_name", "middle_name", "extension")
    ordering = ("last_name", "first_name", "username")
    readonly_fields = ("extension", "extension_since", "state", "state_since", "last_login", "date_joined", "changes")
    filter_horizontal = ()
    actions = ("unlock", "free_telephone")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("last_name", "first_name", "middle_name", "email")}),
        (_("Rights"), {"fields": ("role", "is_active", "is_superuser")}),
        (_("Now"), {"fields": ("extension", "extension_since", "state", "state_since", "last_login", "date_joined")}),
        (_("Screen"), {"fields": ("language", "theme")}),
        (_("Changes of rights and telephone"), {"fields": ("changes",)}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "last_name", "first_name", "middle_name", "role"),
            },
        ),
        (
            _("Password"),
            {
                "classes": ("wide",),
                "fields": ("usable_password", "password1", "password2"),
                "description": _("Integrations sign in with a token and need no password."),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With whether wrong attempts have locked the sign-in: as django-axes counts them, from one address."""
        since = timezone.now() - get_cool_off(request)
        attempts = AccessAttempt.objects.filter(
            username=OuterRef("username"),
            failures_since_start__gte=settings.AXES_FAILURE_LIMIT,
            attempt_time__gt=since,
        )
        return super().get_queryset(request).annotate(locked=Exists(attempts))

    @admin.display(description=_("full name"), ordering="last_name")
    def name(self, user: User) -> str:
        return user.full_name

    @admin.display(description=_("sign-in is open"), boolean=True)
    def may_sign_in(self, user: Any) -> bool:
        return not user.locked

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Only who has all rights may give them."""
        return self.readonly_fields if _person(request).is_superuser else (*self.readonly_fields, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A supervisor can't change (nor set the password of) one who has all rights: that would be a way to get
        them."""
        if obj is not None and obj.is_superuser and not _person(request).is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and {"role", "is_active"} & set(form.changed_data):
            actions.settle_account(user=obj, actor=_person(request))

    @admin.display(description=_("changes"))
    def changes(self, user: User) -> str:
        """The latest entries of the row history, in words."""
        rows = format_html_join(
            "",
            '<li>{}: {} {} → {} <span class="muted">{}</span></li>',
            (
                (
                    timezone.localtime(change.at).strftime("%d.%m.%Y %H:%M"),
                    change.label,
                    *change.words,
                    change.actor or _("the machine"),
                )
                for change in changes_of(user)
            ),
        )
        return format_html("<ul>{}</ul>", rows) if rows else str(_("none so far"))

    @admin.action(description=_("Unlock the sign-in"), permissions=["change"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Forget the wrong attempts that locked a person out."""
        for user in queryset:
            reset(username=user.username)
        self.message_user(request, _("They may try to sign in again."), messages.SUCCESS)

    @admin.action(description=_("Free the telephone (sign out of it)"), permissions=["change"])
    def free_telephone(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For a colleague who went home without signing out."""
        for user in queryset:
            actions.sign_out(user=user, actor=_person(request))
        self.message_user(request, _("Their telephones are free."), messages.SUCCESS)


class ReasonForm(ActionForm):
    """The admin's action bar with a field for why."""

    reason = forms.CharField(label=_("Reason"), required=False, max_length=300)


@admin.register(Alias)
class AliasAdmin(ReadOnlyAdmin):
    """The register of aliases. Supervisors work with it at /aliases/; here the same verbs take many at once."""

    list_display = ("spoken_name", "full_form", "operator", "state", "declared_at", "decided_by", "decided_at")
    list_filter = ("state", "declared_at")
    list_select_related = ("operator", "decided_by")
    search_fields = ("spoken_name", "full_form", "operator__last_name", "operator__username")
    date_hierarchy = "declared_at"
    actions = ("acknowledge", "stop")
    action_form = ReasonForm

    @admin.action(description=_("Acknowledge"))
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alias]) -> None:
        for alias in queryset:
            self._try(request, alias, partial(actions.acknowledge_alias, alias=alias, actor=_person(request)))

    @admin.action(description=_("Stop, for the reason given"))
    def stop(self, request: HttpRequest, queryset: QuerySet[Alias]) -> None:
        reason = request.POST.get("reason", "")
        for alias in queryset:
            act = partial(actions.stop_alias, alias=alias, reason=reason, actor=_person(request))
            self._try(request, alias, act)

    def _try(self, request: HttpRequest, alias: Alias, act: Callable[[], object]) -> None:
        try:
            act()
        except HotlineError as error:
            self.message_user(request, f"«{alias}», {alias.operator}: {error}", messages.ERROR)
        else:
            self.message_user(request, f"«{alias}», {alias.operator}", messages.SUCCESS)


class TokenForm(forms.ModelForm):
    """What a token is issued for. The verb makes the row; this form only asks."""

    scopes = forms.MultipleChoiceField(
        label=_("scopes"), choices=ApiToken.Scope.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = ApiToken
        fields = ("user", "name", "scopes", "expires_at")

    def clean_expires_at(self) -> Any:
        moment = self.cleaned_data["expires_at"]
        if moment <= timezone.now():
            raise forms.ValidationError(_("This moment has passed."), code="expired")
        return moment


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Tokens of machines: issued here, shown in plain on the one page that answers, revoked by an action."""

    list_display = ("name", "user", "prefix", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at")
    list_filter = ("revoked_at",)
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    actions = ("revoke",)
    fields = ("user", "name", "scopes", "expires_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is None else ("prefix", *self.fields, "created_at", "revoked_at", "last_used_at")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # Only where one is issued: the page that shows a token has nothing to ask.
        return super().get_form(request, obj, change, **({} if obj else {"form": TokenForm}), **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        # The answer shows the token: there is nowhere else to go from here.
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        expires = timezone.localtime() + DEFAULT_LIFE
        return {"expires_at": expires.replace(second=0, microsecond=0), **super().get_changeform_initial_data(request)}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = User.objects.filter(role=Role.INTEGRATION, is_active=True).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        """The verb issues the token; the plain one lives on the request until the answer has shown it."""
        issued, plain = actions.issue_token(
            user=obj.user,
            name=obj.name,
            scopes=form.cleaned_data["scopes"],
            expires_at=obj.expires_at,
            actor=_person(request),
        )
        obj.__dict__.update({name: value for name, value in issued.__dict__.items() if name != "_state"})
        obj._state.adding = False
        request.plain_token = plain  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """The only page that ever shows it: rendered at once, kept in no message, no session and no cache."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("The token is issued"),
            "token": obj,
            "plain": request.plain_token,  # type: ignore[attr-defined]
        }
        response = TemplateResponse(request, "admin/operators/apitoken/issued.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description=_("Revoke"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        done = 0
        for token in queryset:
            try:
                actions.revoke_token(token=token, actor=_person(request))
                done += 1
            except HotlineError as error:
                self.message_user(request, f"{token}: {error}", messages.ERROR)
        if done:
            words = ngettext("%(count)d token is revoked.", "%(count)d tokens are revoked.", done)
            self.message_user(request, words % {"count": done}, messages.SUCCESS)
