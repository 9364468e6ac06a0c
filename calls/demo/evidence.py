"""The evidence of a story as the verbs would have written it: events, acts of the stages, the journal."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from calls import rules
from calls.demo.stories import Story
from calls.models import Call, CallEvent, CallJournalEntry, CallStage, StageCode
from calls.rules import Facts

Type, Act, Code = CallEvent.Type, CallStage.Act, CallJournalEntry.Code

# How far into the talk (0 to 1) each stage is done.
PACE = {
    StageCode.GREETING: 0.03,
    StageCode.IDENTIFICATION: 0.12,
    StageCode.CARD: 0.16,
    StageCode.HISTORY: 0.22,
    StageCode.DIAGNOSIS: 0.5,
    StageCode.REGISTRATION: 0.75,
    StageCode.SMS: 0.84,
    StageCode.SUMMARY: 0.92,
    StageCode.FAREWELL: 0.98,
}


def events(story: Story) -> Iterator[CallEvent]:
    """newCall, answer, hangup, rating: those that have happened."""
    call = story.call
    if call.source == Call.MANUAL:
        return
    named = {"direction": call.direction, "callId": call.external_id, "queue": call.queue}
    yield _event(call, Type.RINGING, "newcall", call.started_at, {**named, "event": "newCall"})
    if call.answered_at is not None:
        extension = call.operator.extension if call.operator else ""
        yield _event(
            call, Type.ANSWERED, "answer", call.answered_at, {**named, "event": "answer", "answeringNumber": extension}
        )
    if call.ended_at is not None:
        yield _event(call, Type.ENDED, "hangup", call.ended_at, {**named, "event": "hangup", "cause": call.cause})
    if story.rated is not None and call.rating is not None:
        yield _event(call, Type.RATING, "rating", story.rated, {"event": "rating", "rating": str(call.rating)})


def _event(call: Call, event_type: str, name: str, at: datetime, payload: dict[str, Any]) -> CallEvent:
    return CallEvent(
        source=call.source,
        event_id=f"{call.external_id}:{name}",
        call=call,
        type=event_type,
        occurred_at=None,
        received_at=at,
        outcome="applied",
        payload={key: value for key, value in payload.items() if value},
    )


def stages(rng: random.Random, story: Story) -> Iterator[CallStage]:
    """What was done in which stage; what was not is skipped at closing."""
    call = story.call
    if call.answered_at is None or call.phase == Call.Phase.BEFORE_GREETING:
        return
    facts = _facts(story)
    done = _done(rng, story)
    for stage, pace in PACE.items():
        at = call.answered_at + timedelta(seconds=story.talk * pace)
        if stage in done and (call.ended_at is None or at <= call.ended_at):
            yield _act(call, stage, Act.DONE, at, _data(stage, story, facts))
        elif call.closed_at is not None and call.had_dialog:
            yield _act(call, stage, Act.SKIPPED, call.closed_at, {"why": "closed"})
    if call.closed_at is not None and call.had_dialog:
        yield _act(call, StageCode.WRAP_UP, Act.DONE, call.closed_at, {})


def _act(call: Call, stage: str, act: str, at: datetime, data: dict[str, Any]) -> CallStage:
    return CallStage(call=call, stage=stage, act=act, at=at, actor=call.operator, data=data)


def _done(rng: random.Random, story: Story) -> set[str]:
    call = story.call
    if call.phase == Call.Phase.GREETING:
        return {StageCode.GREETING}
    found = {StageCode.GREETING, StageCode.IDENTIFICATION, StageCode.DIAGNOSIS}
    if call.client_id is not None:
        found.add(StageCode.CARD)
        if story.consulted is not None or rng.random() < 0.7:
            found.add(StageCode.HISTORY)
    if story.appeal is not None:
        found.add(StageCode.REGISTRATION)
        if story.appeal.is_request and rng.random() < 0.9:
            found.add(StageCode.SMS)
    if call.phase == Call.Phase.DONE:
        found |= {StageCode.FAREWELL} | ({StageCode.SUMMARY} if rng.random() < 0.9 else set())
    return {str(stage) for stage in found}


def _facts(story: Story) -> Facts:
    call = story.call
    return Facts(
        direction=call.direction,
        talk_ended_by=call.talk_ended_by,
        is_atypical=call.is_atypical,
        wants_rating=call.wants_rating,
        promised=any(code == Code.CALL_BACK_PROMISED for code, _at, _data in story.journal),
    )


def _data(stage: str, story: Story, facts: Facts) -> dict[str, Any]:
    """References and verdicts, as the workspace notes them."""
    if stage == StageCode.SUMMARY:
        return {"question": rules.ask_question(facts).code}
    if stage == StageCode.FAREWELL:
        return {"farewell": rules.say_farewell(facts).code}
    if stage in (StageCode.IDENTIFICATION, StageCode.CARD) and story.call.client_id is not None:
        return {"client": story.call.client_id}
    if stage == StageCode.REGISTRATION and story.appeal is not None:
        return {"appeal": story.appeal.pk}
    return {}


def journal(story: Story) -> Iterator[CallJournalEntry]:
    """Decisions and corrections, in the order in which they were made."""
    call = story.call
    rows: list[tuple[str, datetime, dict[str, Any]]] = list(story.journal)
    if call.answered_at is not None:
        rows.append((Code.ANSWERED, call.answered_at, {"operator": call.operator_id}))
        if call.had_dialog:
            rows.append((Code.DIALOG_BEGUN, call.answered_at + timedelta(seconds=story.talk * 0.05), {"why": "card"}))
        if call.client_id is not None and call.attempt_of_id is None:
            at = call.answered_at + timedelta(seconds=story.talk * 0.12)
            rows.append((Code.CLIENT_CHOSEN, at, {"client": call.client_id, "account": call.account_id}))
        if story.appeal is not None and call.attempt_of_id is None:
            at = story.appeal.registered_at
            rows.append((Code.APPEAL_REGISTERED, at, {"appeal": story.appeal.pk, "kind": story.appeal.kind}))
    if call.ended_at is not None and call.ending:
        rows += list(_endings(story, call.ended_at))
    if call.closed_at is not None:
        if call.had_dialog:
            rows.append((Code.CLOSED, call.closed_at, {"topic": call.topic_id, "result": call.result_id}))
        else:
            rows.append((Code.CLOSED_ITSELF, call.closed_at, {"why": _why(call)}))
    machine = {Code.ANSWERED, Code.CLOSED_ITSELF}
    for code, at, data in sorted(rows, key=lambda row: row[1]):
        yield CallJournalEntry(call=call, code=code, at=at, actor=None if code in machine else call.operator, data=data)


def _endings(story: Story, ended: datetime) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    ending = story.call.ending
    first = "goodbye" if story.corrected and ending == "lost" else "lost" if story.corrected else ending
    yield Code.ENDING_DECLARED, ended + timedelta(seconds=3), {"before": "", "after": first}
    if story.corrected:
        yield Code.ENDING_CORRECTED, ended + timedelta(seconds=5), {"before": first, "after": ending}


def _why(call: Call) -> str:
    if call.answered_at is not None:
        return "dropped_in_greeting"
    return "not_reached" if call.direction == Call.Direction.OUT else "missed"
