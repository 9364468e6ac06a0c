"""Pages of the directory of service centres."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.generic import View
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from hotline.operators.access import STAFF, RoleRequired
from hotline.operators.models import Role
from service_centers.api import ByCityPagination
from service_centers.cities import exactly_one, find_cities
from service_centers.contacts import hours_text, open_state
from service_centers.filters import ServiceCenterFilter
from service_centers.matching import match
from service_centers.models import City, ServiceCenter, ServiceCenterSkill, WorkKind


class ListView(RoleRequired, View):
    """Find a centre. With a city of the directory: ranked for a client of that city, with reasons; else the directory.

    htmx gets the results alone.
    """

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        centers = ServiceCenter.objects.visible_to(request.user).for_list()  # type: ignore[arg-type]
        filterset = ServiceCenterFilter(request.GET, centers.annotate(city_name=F("city__folded_name")))
        context: dict[str, Any] = {"form": filterset.form}
        if filterset.form.is_valid():
            asked = filterset.form.cleaned_data
            city = City.objects.filter(pk=asked["city"].city_id).first()
            context |= {"city": city, "city_text": asked["city"].text, "is_filtered": any(request.GET.values())}
            # A name or a number is looked for everywhere: ranking would hide what was asked for.
            if city and not asked["q"] and asked["is_active"] is None:
                work = WorkKind(asked["work"] or WorkKind.WARRANTY_REPAIR)
                context["work"] = work
                context["result"] = match(city, asked["brand"], asked["category"], work, timezone.now())
            else:
                context |= self._page(filterset)
        is_partial = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
        response = render(request, f"service_centers/{'_results' if is_partial else 'list'}.html", context)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def _page(self, filterset: ServiceCenterFilter) -> dict[str, Any]:
        paginator = ByCityPagination()
        try:
            centers: list[ServiceCenter] | None = paginator.paginate_queryset(filterset.qs, Request(self.request))
        except NotFound as error:  # a cursor that somebody made up
            raise Http404 from error
        return {
            "centers": centers,
            "previous": paginator.get_previous_link(),
            "next": paginator.get_next_link(),
        }


class DetailView(RoleRequired, View):
    """One centre: its contacts in large type, to be read out, and all that the directory knows of it."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        center = get_object_or_404(ServiceCenter.objects.visible_to(request.user).for_detail(), pk=pk)  # type: ignore[arg-type]
        context = {
            "center": center,
            "state": open_state(center, timezone.now()),
            "hours": hours_text(center),
            "authorisations": _authorisations(center.skills.all()),
        }
        return render(request, "service_centers/detail.html", context)


class CitySuggestView(RoleRequired, View):
    """The suggestions of the city field, a fragment: `?q=` as typed so far."""

    roles: ClassVar[frozenset[Role]] = STAFF

    def get(self, request: HttpRequest) -> HttpResponse:
        cities = find_cities(request.GET.get("q", "")[:100])
        context = {"cities": cities, "exact": exactly_one(cities)}
        return render(request, "service_centers/_city_options.html", context)


def _authorisations(skills: Iterable[ServiceCenterSkill]) -> list[dict[str, Any]]:
    """Authorisations as a person reads them: what is alike is said once, for all of its brands and kinds of work.

    No `categories`: all of the brand.
    """
    by_work: dict[tuple[str, str], list[str] | None] = {}
    for skill in sorted(skills, key=_reading_order):
        key = (skill.brand.name, skill.get_work_display())
        if skill.category is None:
            by_work[key] = None
        elif (categories := by_work.setdefault(key, [])) is not None:
            categories.append(skill.category.name)
    by_brand: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for (brand, work), known in by_work.items():
        by_brand.setdefault(brand, {}).setdefault(tuple(known or ()), []).append(work)
    alike: dict[tuple[Any, ...], list[str]] = {}
    for brand, works in by_brand.items():
        alike.setdefault(tuple((tuple(names), categories) for categories, names in works.items()), []).append(brand)
    return [
        {"brands": brands, "lines": [{"works": names, "categories": categories} for names, categories in lines]}
        for lines, brands in alike.items()
    ]


def _reading_order(skill: ServiceCenterSkill) -> tuple[str, int, str]:
    """The whole brand stands before its categories."""
    return (skill.brand.name, WorkKind.values.index(skill.work), skill.category.name if skill.category else "")
