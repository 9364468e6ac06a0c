"""Which centre a demo request went to: the rules of `service_centers.matching`, asked in memory for a past moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from service_centers.matching import Facts, Question, ReasonCode, Selection, open_state, rank, select
from service_centers.models import Brand, Category, City, ServiceCenter, WorkKind

_OPEN = {True: ReasonCode.OPEN_NOW, False: ReasonCode.CLOSED_NOW, None: ReasonCode.HOURS_UNKNOWN}


@dataclass(frozen=True, slots=True)
class Placed:
    """A candidate as an assignment keeps it."""

    center: ServiceCenter
    rank: int
    reasons: list[str]
    distance_km: int | None


class Directory:
    """All centres with what the matching asks of them, read once."""

    def __init__(self) -> None:
        self.centers = {center.pk: center for center in ServiceCenter.objects.for_detail()}
        self.selections: dict[Question, Selection] = {}

    def candidates(
        self, city: City | None, brand: Brand | None, category: Category | None, work: WorkKind, at: datetime
    ) -> list[Placed]:
        """The ranked candidates at a moment; none where nobody is near, or the city is in no directory."""
        if city is None:
            return []
        question = Question(city=city, brand=brand, category=category, work=work)
        if question not in self.selections:
            facts = [self._facts(center, question) for center in self.centers.values()]
            self.selections[question] = select(
                facts, question, nearest_limit=settings.MATCH_NEAREST_LIMIT, nearest_km=settings.MATCH_NEAREST_KM
            )
        chosen = self.selections[question].chosen
        states = {verdict.pk: open_state(self.centers[verdict.pk], at) for verdict in chosen}
        return [
            Placed(
                center=self.centers[verdict.pk],
                rank=number,
                reasons=[
                    *(reason.code.value for reason in verdict.reasons),
                    _OPEN[states[verdict.pk].is_open].value,
                ],
                distance_km=verdict.km,
            )
            for number, verdict in enumerate(rank(chosen, states), start=1)
        ]

    @staticmethod
    def _facts(center: ServiceCenter, question: Question) -> Facts:
        skills = [skill for skill in center.skills.all() if question.brand is None or skill.brand == question.brand]
        fitting = [skill for skill in skills if skill.category_id is None or skill.category == question.category]
        able = [skill for skill in fitting if skill.work == question.work]
        return Facts(
            pk=center.pk,
            name=center.name,
            city_id=center.city_id,
            city_name=center.city.name,
            latitude=center.latitude if center.latitude is not None else center.city.latitude,
            longitude=center.longitude if center.longitude is not None else center.city.longitude,
            is_active=center.is_active,
            covers=any(covered.city == question.city for covered in center.coverage.all()),
            exact=any(skill.category_id is not None for skill in able),
            whole=any(skill.category_id is None for skill in able),
            brand_known=bool(skills),
            category_known=question.category is None or bool(fitting),
        )
