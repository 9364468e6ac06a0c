"""Where the directory of service centres meets an appeal: who can be asked to do it, and how a chosen one ranked."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils import timezone

from service_centers import matching
from service_centers.models import ServiceCenter, WorkKind
from tickets.models import Appeal


@dataclass(frozen=True, slots=True)
class Standing:
    """How a centre stood among the candidates at the moment it was chosen. `rank` is None where it was none of them."""

    rank: int | None = None
    reasons: list[str] = field(default_factory=list)
    distance_km: int | None = None


def work_of(kind: str, *, is_paid: bool, verdict: str) -> WorkKind:
    """What a centre is asked to do: an installation, a repair that the client pays for, or one under warranty."""
    if kind == Appeal.Kind.INSTALLATION:
        return WorkKind.INSTALLATION
    return WorkKind.PAID_REPAIR if is_paid or verdict == Appeal.Verdict.OUT else WorkKind.WARRANTY_REPAIR


def match_for(appeal: Appeal) -> matching.MatchResult:
    """The ranked candidates for an appeal now, and those who lost, each with its reasons. Four queries."""
    return matching.match(
        appeal.city,
        appeal.brand,
        appeal.category,
        work_of(appeal.kind, is_paid=appeal.is_paid, verdict=appeal.verdict),
        timezone.now(),
    )


def standing(appeal: Appeal, center: ServiceCenter) -> Standing:
    """How a centre stands among the candidates for an appeal now; one that lost keeps the reasons why."""
    result = match_for(appeal)
    for candidate in result.candidates:
        if candidate.center.pk == center.pk:
            return Standing(candidate.rank, candidate.codes, candidate.distance_km)
    for loser in result.losers:
        if loser.center.pk == center.pk:
            return Standing(None, [reason.code.value for reason in loser.reasons], loser.distance_km)
    return Standing()


def reason_labels(codes: list[str]) -> list[str]:
    """The words of reason codes that an assignment kept; a code that is not known any more is shown as it is."""
    known = {str(code): str(label) for code, label in matching.ReasonCode.choices}
    return [known.get(code, code) for code in codes]
