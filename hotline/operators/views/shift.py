"""Signing in and out, the telephone, the state in the header, language and theme."""

from __future__ import annotations

from math import ceil
from typing import Any

from axes.helpers import get_cool_off
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django.views.generic import FormView

from hotline.base.errors import Conflict, HotlineError
from hotline.base.forms import add_error_to
from hotline.operators import actions
from hotline.operators.access import STAFF, RoleRequired
from hotline.operators.forms import ExtensionForm, SignInForm
from hotline.operators.models import User
from hotline.operators.reads import extensions_lately, last_extension_of

# An operator sits at the same telephone every day: this browser remembers its number.
EXTENSION_COOKIE = "hotline_extension"
YEAR = 365 * 24 * 60 * 60


def _safe_next(request: HttpRequest, default: str) -> str:
    """Where `next` says, if that is a page of ours."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if ours else resolve_url(default)


def _remember(response: HttpResponse, name: str, value: str) -> HttpResponse:
    response.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="Lax", secure=settings.HTTPS)
    return response


class SignIn(LoginView):
    """Login, password and telephone. django-axes counts the failures and answers itself once there are too many.

    Who is let in but has still to say something about the telephone (none named, a colleague's) does so on a page of
    its own: the password is not asked twice.
    """

    form_class = SignInForm
    template_name = "operators/login.html"
    redirect_authenticated_user = True

    def get_initial(self) -> dict[str, Any]:
        return {**super().get_initial(), "extension": self.request.COOKIES.get(EXTENSION_COOKIE, "")}

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.fields["extension"].widget.suggestions = extensions_lately()
        return form

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        user = form.get_user()
        assert isinstance(user, User)  # noqa: S101 - for the type checker
        # Who signs in again (another browser, a session that ended) still holds the telephone of before.
        extension = form.cleaned_data["extension"].strip() or user.extension
        if extension:
            try:
                actions.pick_extension(user=user, extension=extension, actor=user)
            except HotlineError:
                # The page of the telephone says what is wrong with it.
                return self._to_extension(extension)
            return _remember(response, EXTENSION_COOKIE, extension)
        return self._to_extension("") if user.is_operator else response

    def _to_extension(self, extension: str) -> HttpResponse:
        query = {"next": self.get_success_url(), **({"extension": extension} if extension else {})}
        return HttpResponseRedirect(f"{reverse('operators:extension')}?{urlencode(query)}")


def locked(request: HttpRequest, original: Any = None, credentials: Any = None) -> HttpResponse:
    """What django-axes answers once there were too many wrong attempts (`AXES_LOCKOUT_CALLABLE`)."""
    seconds = get_cool_off(request).total_seconds()
    context = {"limit": settings.AXES_FAILURE_LIMIT, "minutes": ceil(seconds / 60)}
    response = render(request, "operators/locked.html", context, status=429)
    response["Retry-After"] = str(int(seconds))
    return response


class Extension(RoleRequired, FormView):
    """Which telephone: after signing in, after a change of desk, after a colleague took it over."""

    roles = STAFF
    form_class = ExtensionForm
    template_name = "operators/extension.html"

    def get_initial(self) -> dict[str, Any]:
        person: User = self.request.user  # type: ignore[assignment]
        asked = self.request.GET.get("extension", "")
        here = self.request.COOKIES.get(EXTENSION_COOKIE, "")
        return {"extension": asked or person.extension or here or last_extension_of(person)}

    def get_form(self, form_class: Any = None) -> ExtensionForm:
        form = super().get_form(form_class)
        form.fields["extension"].widget.suggestions = extensions_lately()
        return form

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        context = super().get_context_data(**context)
        form: ExtensionForm = context["form"]
        extension = form["extension"].value() or ""
        holder = (
            User.objects.filter(extension=extension).exclude(pk=self.request.user.pk).first() if extension else None
        )
        # Where a colleague has to be asked for it, the tick comes next; else the number.
        form.fields["take_over" if holder else "extension"].widget.attrs["autofocus"] = True
        return {**context, "holder": holder, "next": _safe_next(self.request, settings.LOGIN_REDIRECT_URL)}

    def form_valid(self, form: ExtensionForm) -> HttpResponse:
        data = form.cleaned_data
        person: User = self.request.user  # type: ignore[assignment]
        try:
            person = actions.pick_extension(
                user=person,
                extension=data["extension"],
                take_over_from=data["holder"] if data["take_over"] else None,
                actor=person,
            )
        except Conflict:
            # Said with the holder's name by the notice above the field; the box of consent is for that holder only.
            form.data = {**form.data.dict(), "take_over": ""}  # type: ignore[attr-defined]
            return self.render_to_response(self.get_context_data(form=form), status=409)
        except HotlineError as error:
            add_error_to(form, error)
            return self.form_invalid(form)
        messages.success(self.request, _("Your extension is %(extension)s.") % {"extension": person.extension})
        response = HttpResponseRedirect(_safe_next(self.request, settings.LOGIN_REDIRECT_URL))
        return _remember(response, EXTENSION_COOKIE, person.extension)

    def form_invalid(self, form: ExtensionForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)


@method_decorator([never_cache, require_POST], name="dispatch")
class SignOut(RoleRequired, View):
    """End the shift and the session; the telephone is free."""

    roles = STAFF

    def post(self, request: HttpRequest) -> HttpResponse:
        person: User = request.user  # type: ignore[assignment]
        actions.sign_out(user=person, actor=person)
        logout(request)
        return redirect("operators:login")


class State(RoleRequired, View):
    """The state switch of the header: GET is the fragment, POST switches (`state`: ready or break)."""

    roles = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "operators/_state.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        person: User = request.user  # type: ignore[assignment]
        problem, status = None, 200
        try:
            request.user = actions.switch_state(user=person, state=request.POST.get("state", ""), actor=person)
        except HotlineError as error:
            problem, status = error, error.status
        if not request.htmx:  # type: ignore[attr-defined]
            if problem:
                messages.error(request, str(problem))
            return HttpResponseRedirect(_safe_next(request, settings.LOGIN_REDIRECT_URL))
        return render(request, "operators/_state.html", {"problem": problem, "user": request.user}, status=status)


@method_decorator(require_POST, name="dispatch")
class Preferences(RoleRequired, View):
    """Language and theme of the person; back to the page where the switch was used."""

    roles = STAFF

    def post(self, request: HttpRequest) -> HttpResponse:
        person: User = request.user  # type: ignore[assignment]
        language, theme = request.POST.get("language"), request.POST.get("theme")
        if language is None and theme is None:
            raise BadRequest("language or theme")
        try:
            person = actions.set_preferences(user=person, language=language, theme=theme, actor=person)
        except HotlineError as error:
            raise BadRequest(error.code) from error
        response = HttpResponseRedirect(_safe_next(request, settings.LOGIN_REDIRECT_URL))
        # The sign-in page of this browser speaks the language of whoever sat here last.
        return _remember(response, settings.LANGUAGE_COOKIE_NAME, person.language)


@method_decorator(require_POST, name="dispatch")
class Language(View):
    """The language of the sign-in page, for who has no account to remember it yet. Open to everybody."""

    def post(self, request: HttpRequest) -> HttpResponse:
        language = request.POST.get("language", "")
        if language not in dict(settings.LANGUAGES):
            raise BadRequest("language_unknown")
        response = HttpResponseRedirect(_safe_next(request, settings.LOGIN_URL))
        return _remember(response, settings.LANGUAGE_COOKIE_NAME, language)


class ChangePassword(RoleRequired, PasswordChangeView):
    """A new password by the old one; other sessions of the person end."""

    roles = STAFF
    form_class = PasswordChangeForm
    template_name = "operators/password.html"
    success_url = reverse_lazy("operators:password")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, _("The password is changed. Other sessions of yours have ended."))
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)
