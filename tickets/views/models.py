"""The model field of the diagnosis."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.generic import View

from hotline.base.folding import fold_model
from hotline.operators.access import STAFF, RoleRequired
from hotline.operators.models import Role
from service_centers.models import Brand, Category
from tickets.search import find_models


class ModelSuggestView(RoleRequired, View):
    """The suggestions of a model field: `?q=` as typed so far; `brand` and `category` narrow them."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        text = request.GET.get("q", "")
        brand, category = _number(request, "brand"), _number(request, "category")
        models = find_models(
            text,
            brand=Brand.objects.filter(pk=brand).first() if brand else None,
            category=Category.objects.filter(pk=category).first() if category else None,
        )
        folded = fold_model(text)
        exact = [model for model in models if fold_model(model.name) == folded]
        context = {"models": models, "exact": exact[0] if len(exact) == 1 else None}
        return render(request, "tickets/_model_options.html", context)


def _number(request: HttpRequest, name: str) -> int | None:
    """A key in the address; None where there is none, or no number."""
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else None
