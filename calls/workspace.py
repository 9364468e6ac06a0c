"""What the page of a call shows, read in one place: the strip, the ten stages, the client. Reads only.

A `Workspace` is made for one answer of the server; what the fragment at hand does not need is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calls import rules
from calls.actions.stages import stage_states
from calls.facts import facts_of, lost_call_back_of, may_take_calls, promise_of
from calls.models import Call, CallAppeal, Draft, LostCallBack, Phrase, PromisedCallBack, StageCode
from calls.script import CallScript, Names, StageScript, script_for
from hotline.base.phones import Phone, read_phone
from hotline.operators.models import Role, User
from sms import eligibility
from sms.models import SmsMessage, SmsTemplate
from tickets.actions import Preview, default_purpose, message_text, outdated, template_for
from tickets.history import say_now
from tickets.models import Appeal, AppealMessage, Client

# Of a message in such a state nobody may say that it was sent.
NOT_SENT = {*SmsMessage.FAILED, SmsMessage.State.DICTATED, SmsMessage.State.UNKNOWN, SmsMessage.State.WITHDRAWN}
# How many appeals the right column shows; all of them are at stage 4.
LATEST = 5
# Who calls in within this time after the connection was lost goes on with that talk.
RETURNS_WITHIN = timedelta(days=1)
# Messages are dated by the database, calls by us or by the exchange.
SKEW = timedelta(minutes=1)
WORDS = {
    "todo": "",
    "current": _("now"),  # where the call stands
    "done": _("done"),
    "skipped": _("skipped"),
}
ICONS = {"todo": "circle", "current": "circle", "done": "check-circle", "skipped": "skip"}


@dataclass(frozen=True, slots=True)
class StageRow:
    """One of the ten in the left column. `is_shown`: its work is what stands in the middle."""

    code: str
    state: str
    is_shown: bool
    key: str  # of keys.js
    script: StageScript

    @property
    def word(self) -> Any:
        return WORDS[self.state]

    @property
    def icon(self) -> str:
        return "current" if self.is_shown and self.state in ("todo", "current") else ICONS[self.state]

    @property
    def css(self) -> str:
        """Where the call stands, and which stage is looked at, are two things; the look marks the latter."""
        state = "todo" if self.state == "current" else self.state
        return f"is-{state} is-current" if self.is_shown else f"is-{state}"


class Workspace:
    """One call as one person sees it at one moment, with a stage in the middle."""

    def __init__(self, call: Call, user: User, stage: str = "") -> None:
        self.call = call
        self.user = user
        self.wanted = stage
        self.to: str | None = None  # the number of stage 7, where one is being typed

    @cached_property
    def stage(self) -> str:
        """The stage in the middle: the one asked for, else where the call stands; the wrap-up of a closed call."""
        if self.wanted in StageCode.values:
            return self.wanted
        if not self.call.is_open:
            return StageCode.WRAP_UP
        return next((code for code, state in self.states.items() if state == "current"), StageCode.WRAP_UP)

    @cached_property
    def states(self) -> dict[str, str]:
        return stage_states(self.call)

    @cached_property
    def next_stage(self) -> str:
        codes = StageCode.values
        return codes[min(codes.index(self.stage) + 1, len(codes) - 1)]

    # --- What is said ---------------------------------------------------------------------------------------------
    @cached_property
    def facts(self) -> rules.Facts:
        return facts_of(self.call)

    @cached_property
    def question(self) -> rules.Verdict:
        return rules.ask_question(self.facts)

    @cached_property
    def farewell(self) -> rules.Verdict:
        return rules.say_farewell(self.facts)

    @cached_property
    def verdicts(self) -> Mapping[str, rules.Verdict]:
        """By `Phrase.Condition`; a condition that has not come up («SMS sent» before any was) has no verdict."""
        found = {Phrase.Condition.QUESTION.value: self.question, Phrase.Condition.FAREWELL.value: self.farewell}
        if self.owed.allowed or (self.owed.code == "no_dialog" and not self.facts.ended):
            found[Phrase.Condition.OWED.value] = rules.Verdict(True, "owed")
        request = self.told is not None and self.told.is_request
        if self.facts.ended or self.preview is None or not self.preview.is_ready:
            return found  # nobody hears it, or there is nothing to tell
        if any(link.message.state not in NOT_SENT for link in self.told_by):
            sent = Phrase.Condition.SMS_SENT if request else Phrase.Condition.CONTACTS_SENT
            found[sent.value] = rules.Verdict(True, "sent")
        elif not self.gate.allowed or self.told_by:
            dictated = Phrase.Condition.DICTATED if request else Phrase.Condition.CONTACTS_SPOKEN
            found[dictated.value] = rules.Verdict(True, self.gate.code)
        return found

    @cached_property
    def names(self) -> Names:
        call = self.call
        operator = call.operator or self.user
        return Names(
            operator=call.spoken_name or operator.first_name or operator.username,
            operator_full=call.alias.full_form if call.alias else str(operator),
            client=self.addressed,
        )

    @cached_property
    def addressed(self) -> str:
        """How the person on the line is addressed: first name and patronymic; a caller who is not the owner as said."""
        if self.call.caller_name:
            return self.call.caller_name
        client = self.call.client
        return f"{client.first_name} {client.middle_name}".strip() if client else ""

    @cached_property
    def script(self) -> CallScript:
        return script_for(self.call, names=self.names, verdicts=self.verdicts)

    @cached_property
    def stages(self) -> list[StageRow]:
        return [
            StageRow(
                code=code,
                state=self.states[code],
                is_shown=code == self.stage,
                key=f"Alt+Digit{(number + 1) % 10}",
                script=self.script.stage(code),
            )
            for number, code in enumerate(StageCode.values)
        ]

    @property
    def shown(self) -> StageRow:
        return next(row for row in self.stages if row.is_shown)

    def evidence(self) -> dict[str, Any]:
        """What the operator was shown in this stage: phrases by their keys, and the verdicts with their codes."""
        script = self.script.stage(self.stage)
        return {
            "phrases": [said.pk for said in script.say],
            "muted": [muted.pk for muted in script.muted],
            "verdicts": {name: verdict.code for name, verdict in self.verdicts.items()},
        }

    # --- Who is on the line ---------------------------------------------------------------------------------------
    @cached_property
    def phone(self) -> Phone:
        return read_phone(self.call.number or self.call.number_raw)

    @cached_property
    def time_zone(self) -> str:
        """Of the client's city: the zone of a Russian mobile number says nothing."""
        client = self.call.client
        return client.city.timezone if client and client.city else ""

    @cached_property
    def other_zone(self) -> str:
        """The client's time zone where the clocks there show another time than ours; empty where they agree."""
        if not self.time_zone:
            return ""
        there = timezone.localtime(timezone=ZoneInfo(self.time_zone))
        return "" if there.utcoffset() == timezone.localtime().utcoffset() else self.time_zone

    @cached_property
    def client(self) -> Client | None:
        """The chosen card with its phones, accounts and appliances. Four queries."""
        if self.call.client_id is None:
            return None
        return (
            Client.objects.for_list()
            .prefetch_related("accounts__appliances__brand", "accounts__appliances__category")
            .get(pk=self.call.client_id)
        )

    @property
    def has_appliances(self) -> bool:
        return self.client is not None and any(account.appliances.all() for account in self.client.accounts.all())

    @cached_property
    def latest(self) -> list[Appeal]:
        """The client's last appeals, open ones first."""
        if self.client is None:
            return []
        rows = Appeal.objects.visible_to(self.user).filter(client=self.client).select_related("topic")
        found = list(rows.order_by("-registered_at", "-pk")[:12])
        return sorted(found, key=lambda appeal: not appeal.is_open)[:LATEST]

    @cached_property
    def say_now(self) -> list[Any]:
        """What this client must be told at once: an overdue repair, an unanswered letter, an act that came."""
        on_the_line = self.call.line_state != Call.LineState.ENDED
        return say_now(self.client) if self.client is not None and on_the_line else []

    # --- What came of it ------------------------------------------------------------------------------------------
    @cached_property
    def appeals(self) -> list[CallAppeal]:
        """Appeals of this call, each once: those registered in it first."""
        links = list(self.call.appeals.select_related("appeal__topic", "appeal__client").order_by("pk"))
        links.sort(key=lambda link: link.relation != CallAppeal.Relation.REGISTERED)
        once: dict[int, CallAppeal] = {}
        for link in links:
            once.setdefault(link.appeal_id, link)
        return list(once.values())

    @cached_property
    def told(self) -> Appeal | None:
        """The appeal that the client is told about at stages 7 and 8: the request that was registered, else the open
        one that was asked about («Где мастер?»), else the last one registered."""
        found = [link.appeal for link in self.appeals if link.relation == CallAppeal.Relation.REGISTERED]
        asked_about = [link.appeal for link in self.appeals if link.relation == CallAppeal.Relation.CONSULTED]
        requests = [appeal for appeal in found if appeal.is_request]
        told = requests or [appeal for appeal in asked_about if appeal.is_request and appeal.is_open] or found
        candidate = told[-1] if told else self.call.registered_appeal
        return Appeal.objects.for_detail().get(pk=candidate.pk) if candidate else None

    @cached_property
    def messages(self) -> list[AppealMessage]:
        """What was sent or dictated in this call about its appeals, newest first."""
        appeals = [link.appeal_id for link in self.appeals]
        if not appeals:
            return []
        return list(
            AppealMessage.objects.for_list()
            .filter(appeal__in=appeals, message__created_at__gte=self.call.started_at - SKEW)
            .select_related("message__template")
            .order_by("-pk")
        )

    @cached_property
    def told_by(self) -> list[AppealMessage]:
        """Of these, what the client was told by about the appeal at hand: an earlier matter has its own. What is not
        true any more, as another centre has it since, has told nothing."""
        if self.told is None:
            return []
        links = [link for link in self.messages if link.appeal_id == self.told.pk]
        untrue = outdated(self.told, links) if links else []
        return [link for link in links if link not in untrue]

    @cached_property
    def told_otherwise(self) -> bool:
        """Was the client told about the appeal at hand, and in words that are not true any more alone?"""
        return not self.told_by and any(self.told and link.appeal_id == self.told.pk for link in self.messages)

    @cached_property
    def preview(self) -> Preview | None:
        """The message as it would be sent now; not ready where there is nothing to tell."""
        return message_text(appeal=self.told, purpose=default_purpose(self.told)) if self.told else None

    @cached_property
    def template(self) -> SmsTemplate | None:
        """Of the message that would be sent now: refusals and limits are judged with it."""
        return template_for(self.told, default_purpose(self.told)) if self.told else None

    @cached_property
    def gate(self) -> eligibility.Verdict:
        """May the SMS go to the number that it is to go to?"""
        return eligibility.judge(self.sms_to, template=self.template)

    @cached_property
    def sms_to(self) -> str:
        """What is being typed, else what is kept of it, else where the last message failed, else who calls."""
        if self.to is not None:
            return self.to
        if (draft := self.drafts.get(Draft.Form.SMS)) is not None:
            return str(draft.data.get("to", ""))
        last = self.told_by[0].message if self.told_by else None
        failed = last is not None and (last.has_failed or last.state == SmsMessage.State.UNKNOWN)
        return (last.to if last and failed else "") or self.call.number or self.call.number_raw

    @cached_property
    def drafts(self) -> dict[str, Draft]:
        """Open drafts of this call by form."""
        return {draft.form: draft for draft in self.call.drafts.open().select_related("owner")}

    @cached_property
    def without_card(self) -> list[Appeal]:
        """What was registered in this call before the card was open: it can go there now."""
        if self.call.client_id is None:
            return []
        registered = [link.appeal for link in self.appeals if link.relation == CallAppeal.Relation.REGISTERED]
        return [appeal for appeal in registered if appeal.client_id is None]

    # --- What is owed ---------------------------------------------------------------------------------------------
    @cached_property
    def lost(self) -> LostCallBack | None:
        return lost_call_back_of(self.call)

    @cached_property
    def attempt(self) -> Call | None:
        """The call that was the one attempt of this call's call back."""
        return Call.objects.filter(attempt_of=self.lost).first() if self.lost and self.lost.attempted_at else None

    @cached_property
    def promise(self) -> PromisedCallBack | None:
        found = promise_of(self.call)
        return found if found and found.state != PromisedCallBack.State.CANCELLED else None

    @cached_property
    def came_after(self) -> Call | None:
        """The call that was lost before this client called in: its call back is off, its consultation is not."""
        call = self.call
        if call.direction != Call.Direction.IN or not call.number:
            return None
        before = call.answered_at or call.started_at
        lost = Call.objects.filter(
            number=call.number,
            lost_call_back__cancel_reason=LostCallBack.CancelReason.CLIENT_CALLED,
            ended_at__range=(before - RETURNS_WITHIN, before),
        )
        return lost.select_related("registered_appeal").exclude(pk=call.pk).order_by("-ended_at").first()

    @cached_property
    def owed(self) -> rules.Verdict:
        """Is a consultation owed, and why not (R1, D1)?"""
        return rules.consultation_owed(self.facts)

    @cached_property
    def closed_because(self) -> rules.Verdict | None:
        """Why a call closed by itself; None for one that a person closed, or that is open."""
        verdict = rules.closes_by_itself(self.facts)
        return verdict if verdict.allowed and not self.call.is_open else None

    @cached_property
    def ending_needed(self) -> bool:
        return rules.ending_needed(self.facts).allowed

    @cached_property
    def may_correct_ending(self) -> bool:
        return bool(self.call.ending) and rules.may_correct_ending(self.facts).allowed

    @cached_property
    def missing(self) -> list[rules.Missing]:
        return rules.missing(self.facts)

    @cached_property
    def call_back(self) -> rules.Verdict:
        return rules.may_call_back(self.facts)

    @cached_property
    def script_unread(self) -> rules.Verdict:
        """S3: refused where this operator has not acknowledged the version in force."""
        return may_take_calls(self.user)

    # --- Who may do what ------------------------------------------------------------------------------------------
    @property
    def is_mine(self) -> bool:
        """May this person work in the call? A supervisor may in all; whoever has a draft of it may finish that one."""
        own = self.user.role == Role.SUPERVISOR or self.call.operator_id == self.user.pk
        return own or any(draft.owner_id == self.user.pk for draft in self.drafts.values())

    @property
    def is_editable(self) -> bool:
        return self.call.is_open and self.is_mine
