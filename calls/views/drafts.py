"""Drafts: each pause in typing saves; after the call the owner finds them and finishes (R2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import View

from calls.actions import discard_draft, reassign_draft, save_draft
from calls.models import Draft
from calls.views.base import CallView, with_toast
from calls.views.fields import number_of
from hotline.base.errors import HotlineError
from hotline.operators.access import STAFF, SUPERVISORS, RoleRequired
from hotline.operators.models import Role, User


def initial_of(draft: Draft | None, known: Mapping[str, Any]) -> dict[str, Any]:
    """What a form shows at first: what is known, and over it what was typed, wrong text and all.

    A combobox is typed as two values: `city` the text, `city_id` what was picked.
    """
    if draft is None:
        return dict(known)
    typed: dict[str, Any] = {"action_id": draft.action_id}
    for name, value in draft.data.items():
        if name.endswith("_id") and name[:-3] in draft.data:
            continue
        typed[name] = (draft.data[f"{name}_id"], value) if f"{name}_id" in draft.data else value
    return {**known, **typed}


def _is_typed(value: object) -> bool:
    """A field of a form: its text, or those of several of one name; such as can be kept."""
    texts = value if isinstance(value, list) else [value]
    return all(isinstance(text, str) and "\0" not in text for text in texts)


class SaveDraft(CallView):
    """The endpoint of drafts.js: `{"version", "fields"}` → `{"version", "saved_at"}`, 409 where another was saved."""

    def post(self, request: HttpRequest, pk: int, form: str) -> HttpResponse:
        try:
            body = json.loads(request.body)
            version, fields = int(body["version"]), dict(body["fields"])
            if not all(_is_typed(value) for value in fields.values()):
                raise ValueError("neither a text nor several")
        except (ValueError, TypeError, KeyError, UnicodeDecodeError) as error:
            raise BadRequest("not a draft") from error
        try:
            draft = save_draft(call_id=pk, form=form, data=fields, version=version, actor=self.user)
        except HotlineError as error:
            answer = {"detail": str(error), "code": error.code, "version": error.details.get("version", 0)}
            return JsonResponse(answer, status=error.status)
        return JsonResponse({"version": draft.version, "saved_at": draft.updated_at.isoformat()})


class Drafts(RoleRequired, View):
    """What was begun and not sent; a supervisor sees everybody's and may give one to a colleague."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        template = "calls/_drafts.html" if request.htmx else "calls/drafts.html"  # type: ignore[attr-defined]
        return render(request, template, drafts_context(request.user))  # type: ignore[arg-type]


def drafts_context(user: User) -> dict[str, Any]:
    rows = Draft.objects.visible_to(user).open().select_related("call__client", "owner").order_by("-updated_at")[:100]
    colleagues = User.objects.operators().order_by("last_name", "first_name") if user.role == Role.SUPERVISOR else ()
    return {"drafts": list(rows), "colleagues": list(colleagues)}


class DiscardDraft(RoleRequired, View):
    """Put a draft away unsent."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        return _acted(request, lambda user: discard_draft(draft_id=pk, actor=user))


class ReassignDraft(RoleRequired, View):
    """Give a draft to another operator."""

    roles: ClassVar[frozenset[Role]] = SUPERVISORS

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        owner = User.objects.filter(pk=number_of(request.POST.get("owner"))).first()
        if owner is None:
            raise BadRequest("nobody")
        return _acted(request, lambda user: reassign_draft(draft_id=pk, owner=owner, actor=user))


def _acted(request: HttpRequest, act: Any) -> HttpResponse:
    user: User = request.user  # type: ignore[assignment]
    message, status = "", 200
    try:
        act(user)
    except HotlineError as error:
        message, status = str(error), error.status
    response = render(request, "calls/_drafts.html", drafts_context(user), status=status)
    return with_toast(response, message, "warn")
