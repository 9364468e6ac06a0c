"""The script as a call needs it: the version in force, and what is said now, with names put in.

Pure reading: nothing here writes. Which phrase may be said is the verdict of `calls/rules.py`, not of this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from calls.models import Call, Phrase, ScriptAcknowledgement, ScriptVersion, StageCode
from hotline.operators.models import User

# «…, {client}» or «{client}, …»: without a name the comma that called it goes too.
_NO_NAME = re.compile(r"^\{client\},?\s*|,?\s*\{client\}")
_SLOT = re.compile(r"\{(operator|operator_full|client)\}")


class Judged(Protocol):
    """What a verdict of rules.py tells: may it be said, and if not, why (in words)."""

    @property
    def allowed(self) -> bool: ...

    @property
    def text(self) -> str | Promise: ...


@dataclass(frozen=True, slots=True)
class Said:
    """A phrase ready to be read out."""

    pk: int
    text: str
    html: SafeString  # the same with the names marked
    is_mandatory: bool


@dataclass(frozen=True, slots=True)
class Muted:
    """A phrase that must not be said now, and why."""

    pk: int
    reason: str | Promise


@dataclass(slots=True)
class StageScript:
    """One stage of the script for one call at one moment."""

    code: str
    title: str
    guidance: str
    say: list[Said] = field(default_factory=list)
    muted: list[Muted] = field(default_factory=list)
    reminders: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Objection:
    """What the client says, and what is answered."""

    pk: int
    says: str
    answer: Said


@dataclass(frozen=True, slots=True)
class Names:
    """What is put into a phrase. `client` is "" where nobody is known yet."""

    operator: str
    operator_full: str
    client: str = ""

    def put_into(self, text: str) -> tuple[str, SafeString]:
        """(plain text, the same as HTML with the names marked). Unknown braces are left as they are."""
        values = {"operator": self.operator, "operator_full": self.operator_full, "client": self.client}
        if not self.client:
            text = _NO_NAME.sub("", text).strip()
            text = text[:1].upper() + text[1:]
        plain = _SLOT.sub(lambda match: values[match.group(1)], text)
        parts: list[str] = []
        end = 0
        for match in _SLOT.finditer(text):
            parts.append(format_html("{}", text[end : match.start()]))
            parts.append(format_html('<span class="slot">{}</span>', values[match.group(1)]))
            end = match.end()
        parts.append(format_html("{}", text[end:]))
        return plain, mark_safe("".join(parts))  # noqa: S308 - every part is escaped above


@dataclass(slots=True)
class CallScript:
    """The whole script of a call at one moment: what the left column and the objections overlay show."""

    stages: dict[str, StageScript]
    voice: list[str]
    objections: list[Objection]

    def stage(self, code: str) -> StageScript:
        return self.stages.get(code) or StageScript(code=code, title=str(StageCode(code).label), guidance="")


def script_for(call: Call, *, names: Names, verdicts: Mapping[str, Judged]) -> CallScript:
    """The call's own version of the script (S2), sorted into said and muted by the verdicts. Two queries.

    `verdicts` maps a `Phrase.Condition` to its verdict; a condition without one is not shown at all («SMS sent»
    before any SMS was). The direction needs no verdict: the call knows it.
    """
    stages: dict[str, StageScript] = {}
    voice: list[str] = []
    objections: list[Objection] = []
    if call.script_version_id is None:
        return CallScript(stages, voice, objections)
    codes: dict[int, str] = {}
    for stage in call.script_version.stages.all():  # type: ignore[union-attr]
        codes[stage.pk] = stage.code
        stages[stage.code] = StageScript(code=stage.code, title=stage.title, guidance=stage.guidance)
    for phrase in call.script_version.phrases.all():  # type: ignore[union-attr]
        text, html = names.put_into(phrase.text)
        ready = Said(pk=phrase.pk, text=text, html=html, is_mandatory=phrase.is_mandatory)
        if phrase.kind == Phrase.Kind.VOICE:
            voice.append(text)
        elif phrase.kind == Phrase.Kind.OBJECTION:
            objections.append(Objection(pk=phrase.pk, says=phrase.trigger_text, answer=ready))
        elif phrase.stage_id is not None and _is_relevant(phrase, call, verdicts):
            _place(stages[codes[phrase.stage_id]], phrase, ready, verdicts.get(phrase.condition))
    return CallScript(stages, voice, objections)


def _is_relevant(phrase: Phrase, call: Call, verdicts: Mapping[str, Judged]) -> bool:
    condition = Phrase.Condition
    if phrase.condition == condition.INCOMING:
        return call.direction == Call.Direction.IN
    if phrase.condition == condition.OUTGOING:
        return call.direction == Call.Direction.OUT
    return phrase.condition == condition.ALWAYS or phrase.condition in verdicts


def _place(stage: StageScript, phrase: Phrase, ready: Said, verdict: Judged | None) -> None:
    if verdict is not None and not verdict.allowed:
        stage.muted.append(Muted(pk=phrase.pk, reason=verdict.text))
    elif phrase.kind == Phrase.Kind.REMINDER:
        stage.reminders.append(ready.text)
    else:
        stage.say.append(ready)


def phrases_for(call: Call, stage: str, verdicts: Mapping[str, Judged], *, names: Names) -> StageScript:
    """One stage: what to say, with names put in, and what not to say, with the reason. Two queries."""
    return script_for(call, names=names, verdicts=verdicts).stage(stage)


# --- Versions
# -----------------------------------------------------------------------------------------------------------


def version_in_force(at: datetime | None = None) -> ScriptVersion | None:
    """The version that a call beginning at that moment is held to (S2). One query."""
    return ScriptVersion.objects.in_force(at).select_related("script").first()


def owed_acknowledgements(user: User) -> QuerySet[ScriptVersion]:
    """Published versions that this operator has not acknowledged and that are, or will be, in force (S3).

    A version that a newer one in force has replaced is nobody's duty any more.
    """
    current = ScriptVersion.objects.in_force().values("number")[:1]
    read = ScriptAcknowledgement.objects.filter(operator=user).values("version")
    return (
        ScriptVersion.objects.filter(state=ScriptVersion.State.PUBLISHED, number__gte=current)
        .exclude(pk__in=read)
        .select_related("script")
        .order_by("effective_from")
    )


def who_has_not_acknowledged(version: ScriptVersion) -> QuerySet[User]:
    """Active operators who have not said that they read it (S3)."""
    read = version.acknowledgements.values("operator")
    return User.objects.operators().exclude(pk__in=read).order_by("last_name", "first_name", "pk")
