"""The script as people read it: operators acknowledge a version (S3), supervisors see who has not."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View

from calls.actions import acknowledge_version
from calls.models import Phrase, ScriptAcknowledgement, ScriptVersion
from calls.script import owed_acknowledgements, version_in_force, who_has_not_acknowledged
from hotline.base.errors import HotlineError
from hotline.operators.access import STAFF, SUPERVISORS, RoleRequired
from hotline.operators.models import Role, User


class ScriptPage(RoleRequired, View):
    """The version to be read: the one asked for, the first unread one, else the one in force."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        owed = list(owed_acknowledgements(user)) if user.is_operator else []
        version = _version(pk, user) if pk is not None else (owed[0] if owed else version_in_force())
        return render(request, "calls/script.html", {"version": version, "owed": owed, **_content(version, user)})


def _version(pk: int, user: User) -> ScriptVersion:
    """Drafts are the supervisors' own until they are published."""
    rows = ScriptVersion.objects.select_related("script", "published_by")
    if not user.is_supervisor:
        rows = rows.exclude(state=ScriptVersion.State.DRAFT)
    version = rows.filter(pk=pk).first()
    if version is None:
        raise Http404
    return version


def _content(version: ScriptVersion | None, user: User) -> dict[str, Any]:
    if version is None:
        return {}
    read = ScriptAcknowledgement.objects.filter(version=version, operator=user).first()
    phrases = list(version.phrases.order_by("position", "pk"))
    return {
        "stages": [
            (stage, [phrase for phrase in phrases if phrase.stage_id == stage.pk]) for stage in version.stages.all()
        ],
        "voice": [phrase for phrase in phrases if phrase.kind == Phrase.Kind.VOICE],
        "objections": [phrase for phrase in phrases if phrase.kind == Phrase.Kind.OBJECTION],
        "changes": list(version.changes.all()),
        "read": read,
        "versions": list(ScriptVersion.objects.filter(script=version.script_id).exclude(state="draft")),
        "unread_by": who_has_not_acknowledged(version).count() if user.is_supervisor else 0,
    }


class Acknowledge(RoleRequired, View):
    """«I have read it»."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.OPERATOR})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            acknowledge_version(version_id=pk, actor=request.user)  # type: ignore[arg-type]
        except HotlineError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(reverse("calls:script"))
        messages.success(request, _("Thank you. You may take calls with this version."))
        owed = owed_acknowledgements(request.user)  # type: ignore[arg-type]
        return HttpResponseRedirect(reverse("calls:script" if owed.exists() else "calls:list"))


class Readers(RoleRequired, View):
    """Who has not read a version yet, and who has (S3)."""

    roles: ClassVar[frozenset[Role]] = SUPERVISORS

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        version = _version(pk, user)
        context = {
            "version": version,
            "unread": list(who_has_not_acknowledged(version)),
            "read": list(version.acknowledgements.select_related("operator").order_by("-at")),
        }
        return render(request, "calls/readers.html", context)
