"""How the outbox and its gateways are: what pages, /readyz and /metrics tell. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, DurationField, F, Max, Min, Q
from django.db.models.functions import Now

from hotline.base.health import by_heartbeat
from sms import quiet
from sms.gateways import by_name, routing
from sms.limits import count_by_template
from sms.models import Consent, DeniedCode, GatewayState, OptOut, SmsMessage, SmsTemplate


@dataclass(slots=True)
class GatewayRow:
    """A gateway, and what the outbox has to do with it.

    `waiting`: due, and not handed over; `postponed`: waits for its hour or after a pause; `oldest`: since when the
    oldest due one waits. `is_in_use`: some sender's messages may go there now. `is_linked`: a process of its own is
    bound to it; None for a gateway that needs none.
    """

    name: str
    is_in_use: bool = False
    is_linked: bool | None = None
    senders: list[str] = field(default_factory=list)  # with its place in their order: «HOTLINE: 1»
    state: GatewayState | None = None
    waiting: int = 0
    postponed: int = 0
    under_way: int = 0
    unknown: int = 0
    oldest: datetime | None = None


def gateways() -> list[GatewayRow]:
    """Those in use in the order of the usual sender, then those that only old messages name.

    Four queries, and one for each that has a process of its own.
    """
    rows = {name: GatewayRow(name, is_in_use=True) for name in routing.in_use()}
    for sender in routing.senders():
        for place, name in enumerate(routing.order_of(sender), start=1):
            rows[name].senders.append(f"{sender}: {place}")

    for name, row in rows.items():
        if by_name(name).capabilities.own_process:
            row.is_linked = by_heartbeat(name).ready

    def of(name: str) -> GatewayRow:
        return rows.setdefault(name, GatewayRow(name))

    due = Q(not_before__lte=Now())
    queued = SmsMessage.objects.filter(state="queued").values("gateway").order_by("gateway")
    for found in queued.annotate(
        due=Count("pk", filter=due), later=Count("pk", filter=~due), oldest=Min("due_at", filter=due)
    ):
        row = of(found["gateway"])
        row.waiting, row.postponed, row.oldest = found["due"], found["later"], found["oldest"]
    under_way = SmsMessage.objects.filter(state="submitting").values("gateway").order_by("gateway")
    for counted in under_way.annotate(n=Count("pk")):
        of(counted["gateway"]).under_way = counted["n"]
    uncertain = SmsMessage.objects.uncertain().values("gateway").order_by("gateway")
    for counted in uncertain.annotate(n=Count("pk")):
        of(counted["gateway"]).unknown = counted["n"]
    for told in GatewayState.objects.filter(pk__in=rows):
        rows[told.name].state = told
    return list(rows.values())


@dataclass(frozen=True, slots=True)
class TemplateLimit:
    """A template with a daily limit, and how many messages of today count for it."""

    template: SmsTemplate
    today: int

    @property
    def is_reached(self) -> bool:
        return self.today >= (self.template.daily_limit or 0)


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds a message back, besides the client's word: as it is configured now.

    `daily_per_number` 0 and `quiet` "": no such limit.
    """

    daily_per_number: int
    quiet: str
    templates: list[TemplateLimit]
    refusals: int
    consents: int
    denied_codes: int


def limits() -> Limits:
    """For the supervisors' page. Five queries, whatever waits."""
    limited = list(SmsTemplate.objects.current().filter(daily_limit__isnull=False).order_by("name", "pk"))
    today = count_by_template([template.code for template in limited])
    hours = quiet.parse_hours(settings.SMS_QUIET_HOURS)
    return Limits(
        daily_per_number=settings.SMS_DAILY_PER_NUMBER,
        quiet="" if hours is None or hours[0] == hours[1] else f"{hours[0]:%H:%M}–{hours[1]:%H:%M}",
        templates=[TemplateLimit(template, today.get(template.code, 0)) for template in limited],
        refusals=OptOut.objects.in_force().count(),
        consents=Consent.objects.in_force().count(),
        denied_codes=DeniedCode.objects.count(),
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """How long the oldest undecided message waits, and how many there are; of uncertain ones how many."""

    oldest_undecided: timedelta
    undecided: int
    uncertain: int


def figures() -> Figures:
    """For /metrics. Two queries, each on a partial index."""
    waited = Max(Now() - F("due_at"), output_field=DurationField())
    found = SmsMessage.objects.undecided().aggregate(oldest=waited, n=Count("pk"))
    return Figures(
        oldest_undecided=found["oldest"] or timedelta(),
        undecided=found["n"],
        uncertain=SmsMessage.objects.uncertain().count(),
    )
