"""Which service centres a client is sent to, in which order, and why the others are not (docs/matching.md).

`match()` asks the database; everything it decides is decided by the pure functions beside it: facts in, verdicts with
reason codes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import islice
from math import asin, cos, radians, sin, sqrt

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from service_centers.contacts import Contacts, contacts, open_state
from service_centers.hours import OpenState
from service_centers.models import (
    Brand,
    Category,
    City,
    ServiceCenter,
    ServiceCenterCoverage,
    ServiceCenterSkill,
    WorkKind,
)

__all__ = ["Candidate", "Contacts", "Loser", "MatchResult", "Reason", "ReasonCode", "contacts", "match", "open_state"]

EARTH_DIAMETER_KM = 12742
# How many centres of other places are shown beside the candidates, nearest first, with why they lost.
LOSERS_SHOWN = 5
# How many are offered where the client's city is in no directory, so that no distance is known.
UNPLACED_SHOWN = 20


class ReasonCode(models.TextChoices):
    """Why a centre stands where it stands. Assignments keep these codes: never rename one."""

    # the place
    IN_CITY = "in_city", gettext_lazy("in the client's city")
    COVERS_CITY = "covers_city", gettext_lazy("travels to the client's city")
    NEAREST = "nearest", gettext_lazy("among the nearest")
    CITY_UNKNOWN = "city_unknown", gettext_lazy("the city is not in the directory")
    # the authorisation
    EXACT = "exact", gettext_lazy("authorised for the category")
    WHOLE_BRAND = "whole_brand", gettext_lazy("authorised for the whole brand")
    PART_OF_BRAND = "part_of_brand", gettext_lazy("authorised for some categories of the brand")
    ANY_BRAND = "any_brand", gettext_lazy("does this work; the brand was not named")
    # the time
    OPEN_NOW = "open_now", gettext_lazy("open now")
    CLOSED_NOW = "closed_now", gettext_lazy("closed now")
    HOURS_UNKNOWN = "hours_unknown", gettext_lazy("opening hours unknown")
    # why it lost
    INACTIVE = "inactive", gettext_lazy("takes no requests")
    NOT_BRAND = "not_brand", gettext_lazy("not authorised for the brand")
    NOT_CATEGORY = "not_category", gettext_lazy("not authorised for the category")
    NOT_WORK = "not_work", gettext_lazy("not authorised for this work")
    TOO_FAR = "too_far", gettext_lazy("too far")
    FARTHER = "farther", gettext_lazy("farther than the nearest")
    OTHER_CITY = "other_city", gettext_lazy("others serve the client's city")


FAVOURABLE = frozenset(
    {ReasonCode.IN_CITY, ReasonCode.COVERS_CITY, ReasonCode.EXACT, ReasonCode.WHOLE_BRAND, ReasonCode.OPEN_NOW}
)
DOUBTFUL = frozenset(
    {
        *(ReasonCode.NEAREST, ReasonCode.CITY_UNKNOWN, ReasonCode.PART_OF_BRAND, ReasonCode.ANY_BRAND),
        *(ReasonCode.CLOSED_NOW, ReasonCode.HOURS_UNKNOWN, ReasonCode.OTHER_CITY, ReasonCode.FARTHER),
    }
)


class Place(IntEnum):
    """How a centre lies to the client, in the order of the candidates."""

    IN_CITY = 0
    COVERS_CITY = 1
    ELSEWHERE = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """A code for machines, and the words for the operator."""

    code: ReasonCode
    text: str

    @property
    def tone(self) -> str:
        """ "ok", "warn" or "bad": how it speaks for or against the centre; the colour of its chip, beside the words."""
        return "ok" if self.code in FAVOURABLE else "warn" if self.code in DOUBTFUL else "bad"


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for. A brand or a category that is not known yet is None, and then not judged."""

    city: City | None
    brand: Brand | None
    category: Category | None
    work: WorkKind


@dataclass(frozen=True, slots=True)
class Facts:
    """One centre, as far as one question is concerned. Coordinates in degrees: its own, or else its city's.

    `exact`, `whole`, `part`: authorised for this kind of work on the category, on the whole brand, on some category of
    the brand. `brand_known`, `category_known`: authorised for these at all, for whatever work.
    """

    pk: int
    name: str
    city_id: int
    city_name: str
    latitude: float
    longitude: float
    is_active: bool = True
    covers: bool = False
    exact: bool = False
    whole: bool = False
    part: bool = False
    brand_known: bool = True
    category_known: bool = True

    @property
    def is_authorised(self) -> bool:
        return self.brand_known and self.category_known and (self.exact or self.whole or self.part)

    @property
    def is_able(self) -> bool:
        """Could do the work, if only it lay well."""
        return self.is_active and self.is_authorised


@dataclass(frozen=True, slots=True)
class Verdict:
    """A centre judged: with a `place` and reasons. `km` is the distance from the client's city, None inside it."""

    pk: int
    name: str
    place: Place
    km: int | None
    reasons: tuple[Reason, ...]
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Who is offered (nearest still in the order of distance) and who lost, the likeliest to be asked about first."""

    chosen: tuple[Verdict, ...]
    lost: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A centre that is offered. `rank` begins at 1; `distance_km` is None in the client's own city, or if unknown."""

    center: ServiceCenter
    rank: int
    distance_km: int | None
    state: OpenState
    reasons: tuple[Reason, ...]

    @property
    def open_now(self) -> bool | None:
        return self.state.is_open

    @property
    def opens_next(self) -> datetime | None:
        return self.state.opens_next

    @property
    def codes(self) -> list[str]:
        """What an assignment keeps of the reasons."""
        return [reason.code.value for reason in self.reasons]


@dataclass(frozen=True, slots=True)
class Loser:
    """A centre that is not offered, and why."""

    center: ServiceCenter
    distance_km: int | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class MatchResult:
    candidates: tuple[Candidate, ...]
    losers: tuple[Loser, ...]

    @property
    def is_placed(self) -> bool:
        """Is it known how far they are? Else the client's city is in no directory, and their order says nothing."""
        return not any(ReasonCode.CITY_UNKNOWN.value in candidate.codes for candidate in self.candidates)


# --- The rules ----------------------------------------------------------------------------------
def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Kilometres between two points in degrees, along the great circle (haversine)."""
    phi, other_phi = radians(latitude), radians(other_latitude)
    half_phi = sin((other_phi - phi) / 2) ** 2
    half_lambda = sin(radians(other_longitude - longitude) / 2) ** 2
    return EARTH_DIAMETER_KM * asin(sqrt(half_phi + cos(phi) * cos(other_phi) * half_lambda))


def authorisation(facts: Facts, question: Question) -> Reason:
    """Why it is authorised (the category before the whole brand), or the first thing that its authorisations lack."""
    brand, category, work = question.brand, question.category, question.work.label
    values = {"brand": brand, "category": category, "work": work}
    if not facts.brand_known:
        return Reason(ReasonCode.NOT_BRAND, _("not authorised for %(brand)s") % values)
    if not facts.category_known and brand is None:
        return Reason(ReasonCode.NOT_CATEGORY, _("not authorised for %(category)s") % values)
    if not facts.category_known:
        text = _("authorised for %(brand)s, but not for %(category)s")
        return Reason(ReasonCode.NOT_CATEGORY, text % values)
    if not facts.is_authorised:
        return Reason(ReasonCode.NOT_WORK, _("not authorised for this work: %(work)s") % values)
    if brand is None:
        return Reason(ReasonCode.ANY_BRAND, _("authorised: %(work)s; the brand was not named") % values)
    if facts.exact:
        return Reason(ReasonCode.EXACT, _("authorised: %(brand)s, %(category)s, %(work)s") % values)
    if facts.whole:
        return Reason(ReasonCode.WHOLE_BRAND, _("authorised for all of %(brand)s: %(work)s") % values)
    text = _("authorised for some appliances of %(brand)s only: name the category")
    return Reason(ReasonCode.PART_OF_BRAND, text % values)


def select(
    everybody: Iterable[Facts], question: Question, *, nearest_limit: int = 3, nearest_km: int = 500
) -> Selection:
    """Judge every centre: those in the city or travelling to it, else the nearest within `nearest_km`.

    Words are made for those only who are shown: a directory has thousands.
    """
    city = question.city
    if city is None:
        return _select_unplaced(everybody, question)
    here: list[tuple[float, Facts]] = []
    elsewhere: list[tuple[float, Facts]] = []
    for facts in everybody:
        km = distance_km(city.latitude, city.longitude, facts.latitude, facts.longitude)
        (here if facts.city_id == city.pk or facts.covers else elsewhere).append((km, facts))
    elsewhere.sort(key=lambda item: (item[0], item[1].name, item[1].pk))
    is_served = any(facts.is_able for _km, facts in here)
    able = ((km, facts) for km, facts in elsewhere if facts.is_able and km <= nearest_km)
    near = [] if is_served else list(islice(able, nearest_limit))

    chosen = [_local(km, facts, question, city) for km, facts in here if facts.is_able]
    chosen += [_nearest(km, facts, question, city) for km, facts in near]
    lost = sorted(
        (_local(km, facts, question, city) for km, facts in here if not facts.is_able),
        key=lambda verdict: (verdict.place, verdict.name, verdict.pk),
    )
    offered = {facts.pk for _km, facts in near}
    behind = [(km, facts) for km, facts in elsewhere if facts.pk not in offered]
    shown = behind[:LOSERS_SHOWN]
    if not chosen and not any(facts.is_able for _km, facts in shown):
        # where nobody is offered, the nearest that could do the work is always named
        shown += [item for item in behind if item[1].is_able][:1]
    lost += [_lost_elsewhere(*item, question, nearest_km=nearest_km, city_is_served=is_served) for item in shown]
    return Selection(tuple(chosen), tuple(lost))


def rank(chosen: Iterable[Verdict], states: Mapping[int, OpenState]) -> list[Verdict]:
    """The order of the candidates, the same for the same facts: in the city, travelling to it, the nearest by distance.

    Within the first two: open now, then hours unknown, then closed; authorised for the category before the whole brand;
    then by name. Where the city is unknown the order of `select()` stands.
    """

    def key(indexed: tuple[int, Verdict]) -> tuple[object, ...]:
        index, verdict = indexed
        if verdict.place in (Place.ELSEWHERE, Place.UNKNOWN):
            return (verdict.place, index)
        is_open = states[verdict.pk].is_open
        openness = 1 if is_open is None else 0 if is_open else 2
        return (verdict.place, openness, not verdict.is_exact, verdict.name, verdict.pk)

    return [verdict for _index, verdict in sorted(enumerate(chosen), key=key)]


def _select_unplaced(everybody: Iterable[Facts], question: Question) -> Selection:
    """A city that no directory has: whoever is able, by city, for the operator to choose from."""
    able = sorted(
        (facts for facts in everybody if facts.is_able), key=lambda facts: (facts.city_name, facts.name, facts.pk)
    )
    where = Reason(ReasonCode.CITY_UNKNOWN, _("the city is not in the directory: the distance is unknown"))
    return Selection(
        tuple(
            Verdict(facts.pk, facts.name, Place.UNKNOWN, None, (where, authorisation(facts, question)), facts.exact)
            for facts in able[:UNPLACED_SHOWN]
        ),
        (),
    )


def _local(km: float, facts: Facts, question: Question, city: City) -> Verdict:
    """One in the city or travelling to it: how it lies and what it may do, or what it lacks."""
    in_city = facts.city_id == city.pk
    place = Place.IN_CITY if in_city else Place.COVERS_CITY
    reasons = (
        (_where(km, facts, city, place), authorisation(facts, question)) if facts.is_able else _lacks(facts, question)
    )
    return Verdict(facts.pk, facts.name, place, None if in_city else round(km), reasons, facts.exact)


def _nearest(km: float, facts: Facts, question: Question, city: City) -> Verdict:
    reasons = (_where(km, facts, city, Place.ELSEWHERE), authorisation(facts, question))
    return Verdict(facts.pk, facts.name, Place.ELSEWHERE, round(km), reasons, facts.exact)


def _lost_elsewhere(km: float, facts: Facts, question: Question, *, nearest_km: int, city_is_served: bool) -> Verdict:
    reasons = _lacks(facts, question) or (_why_not(km, nearest_km=nearest_km, city_is_served=city_is_served),)
    return Verdict(facts.pk, facts.name, Place.ELSEWHERE, round(km), reasons)


def _where(km: float, facts: Facts, city: City, place: Place) -> Reason:
    values = {"city": city.name, "home": facts.city_name, "km": round(km)}
    if place == Place.IN_CITY:
        return Reason(ReasonCode.IN_CITY, _("in the client's city"))
    if place == Place.COVERS_CITY:
        return Reason(ReasonCode.COVERS_CITY, _("travels to %(city)s from %(home)s, %(km)d km") % values)
    return Reason(ReasonCode.NEAREST, _("nearest to %(city)s: %(home)s, %(km)d km") % values)


def _lacks(facts: Facts, question: Question) -> tuple[Reason, ...]:
    """What keeps a centre from the work, wherever it lies; empty where it is able."""
    lacks = [] if facts.is_active else [Reason(ReasonCode.INACTIVE, _("takes no requests now"))]
    if not facts.is_authorised:
        lacks.append(authorisation(facts, question))
    return tuple(lacks)


def _why_not(km: float, *, nearest_km: int, city_is_served: bool) -> Reason:
    """Why one that could do the work is not offered."""
    values = {"km": round(km), "limit": nearest_km}
    if city_is_served:
        return Reason(ReasonCode.OTHER_CITY, _("others serve the client's city"))
    if km > nearest_km:
        return Reason(ReasonCode.TOO_FAR, _("%(km)d km: farther than %(limit)d km") % values)
    return Reason(ReasonCode.FARTHER, _("%(km)d km: there are nearer ones") % values)


# --- The database -------------------------------------------------------------------------------
def match(
    city: City | None, brand: Brand | None, category: Category | None, work: WorkKind, at: datetime
) -> MatchResult:
    """The centres for a client, ranked, each with its reasons; and those who lost, each with why. Four queries.

    Out of warranty the work is PAID_REPAIR. `at` is aware; whether a centre is open is judged in its own time zone.
    """
    question = Question(city=city, brand=brand, category=category, work=work)
    selection = select(
        _facts(question),
        question,
        nearest_limit=settings.MATCH_NEAREST_LIMIT,
        nearest_km=settings.MATCH_NEAREST_KM,
    )
    pks = [verdict.pk for verdict in (*selection.chosen, *selection.lost)]
    centers = ServiceCenter.objects.for_list().prefetch_related("hours").in_bulk(pks)
    states = {pk: open_state(center, at) for pk, center in centers.items()}
    candidates = tuple(
        Candidate(
            center=centers[verdict.pk],
            rank=number,
            distance_km=verdict.km,
            state=states[verdict.pk],
            reasons=(*verdict.reasons, _time_reason(states[verdict.pk])),
        )
        for number, verdict in enumerate(rank(selection.chosen, states), start=1)
    )
    losers = tuple(Loser(centers[verdict.pk], verdict.km, verdict.reasons) for verdict in selection.lost)
    return MatchResult(candidates, losers)


def _time_reason(state: OpenState) -> Reason:
    codes = {True: ReasonCode.OPEN_NOW, False: ReasonCode.CLOSED_NOW, None: ReasonCode.HOURS_UNKNOWN}
    return Reason(codes[state.is_open], state.text)


_ANNOTATED = (
    *("covers", "exact", "whole", "part", "brand_known", "category_known"),
    *("from_latitude", "from_longitude"),
)


def _facts(question: Question) -> list[Facts]:
    """Every centre of the directory as facts for one question; one query."""
    of_center = ServiceCenterSkill.objects.filter(service_center=OuterRef("pk"))
    of_brand = of_center.filter(brand=question.brand) if question.brand else of_center
    whole = of_brand.filter(category=None)
    exact = of_brand.filter(category=question.category) if question.category else of_brand.none()
    part = of_brand.none() if question.category else of_brand
    rows = (
        ServiceCenter.objects.annotate(
            covers=Exists(ServiceCenterCoverage.objects.filter(service_center=OuterRef("pk"), city=question.city)),
            exact=Exists(exact.filter(work=question.work)),
            whole=Exists(whole.filter(work=question.work)),
            part=Exists(part.filter(work=question.work)),
            brand_known=Exists(of_brand),
            category_known=Exists(exact) | Exists(whole),
            from_latitude=Coalesce("latitude", "city__latitude"),
            from_longitude=Coalesce("longitude", "city__longitude"),
        )
        .order_by()
        .values("pk", "name", "city_id", "is_active", *_ANNOTATED, city_name=F("city__name"))
    )
    return [
        Facts(
            pk=row["pk"],
            name=row["name"],
            city_id=row["city_id"],
            city_name=row["city_name"],
            latitude=row["from_latitude"],
            longitude=row["from_longitude"],
            is_active=row["is_active"],
            covers=row["covers"],
            exact=row["exact"],
            whole=row["whole"],
            part=row["part"],
            # What was not named is not judged.
            brand_known=question.brand is None or row["brand_known"],
            category_known=question.category is None or row["category_known"],
        )
        for row in rows
    ]
