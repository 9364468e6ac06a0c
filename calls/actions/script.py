"""Verbs of the script: drafted, published with an effective date, never edited after (S1); read by operators (S3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from string import Formatter

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from calls.models import Phrase, Script, ScriptAcknowledgement, ScriptVersion, Stage, StageCode
from hotline.base import live
from hotline.base.actions import verb
from hotline.base.errors import Forbidden, Invalid, NotFound, Refused
from hotline.operators.models import Role, User

# What a phrase may ask to be put in (docs/script.md).
PLACEHOLDERS = frozenset({"operator", "operator_full", "client"})
# A page is filled in for some minutes: «now» chosen in it is not yet the past.
LENIENCY = timedelta(minutes=10)


@verb
def draft_version(*, script_id: int, actor: User | None) -> ScriptVersion:
    """Begin the next version as a copy of the newest one; the draft that is already being written is refused a rival.

    Raises Forbidden, NotFound, Refused (`draft_exists`).
    """
    _only_supervisors(actor)
    # The lock on the script makes «the next number» one for both of two supervisors.
    script = Script.objects.select_for_update().filter(pk=script_id).first()
    if script is None:
        raise NotFound("not_found", _("There is no such script."))
    newest = script.versions.order_by("-number").first()
    if newest is not None and newest.state == ScriptVersion.State.DRAFT:
        raise Refused(
            "draft_exists", _("Version %(number)s is being drafted: finish it first.") % {"number": newest.number}
        )
    number = (script.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = ScriptVersion.objects.create(script=script, number=number)
    if newest is not None:
        _copy(newest, version)
    return version


def _copy(source: ScriptVersion, target: ScriptVersion) -> None:
    stages = {
        stage.pk: Stage(
            version=target, code=stage.code, position=stage.position, title=stage.title, guidance=stage.guidance
        )
        for stage in source.stages.all()
    }
    Stage.objects.bulk_create(stages.values())
    Phrase.objects.bulk_create(
        [
            Phrase(
                version=target,
                stage=stages[phrase.stage_id] if phrase.stage_id else None,
                kind=phrase.kind,
                condition=phrase.condition,
                trigger_text=phrase.trigger_text,
                text=phrase.text,
                is_mandatory=phrase.is_mandatory,
                position=phrase.position,
            )
            for phrase in source.phrases.all()
        ]
    )


@verb
def publish_version(*, version_id: int, effective_from: datetime, actor: User | None) -> ScriptVersion:
    """Publish a draft (S1). From here on the database itself refuses to touch it or any phrase of it.

    The first version may take effect in the past: it records the rule that was in force before the product was.

    Raises Forbidden, NotFound, Refused (`not_a_draft`, `no_change_entry`, `incomplete`), Invalid (`effective_in_past`,
    `placeholder`).
    """
    _only_supervisors(actor)
    version = _locked(version_id)
    if version.state != ScriptVersion.State.DRAFT:
        raise Refused("not_a_draft", _("This version is published already."))
    if version.number > 1 and effective_from < timezone.now() - LENIENCY:
        raise Invalid("effective_in_past", _("It can't take effect in the past."), field="effective_from")
    if not version.changes.exists():
        raise Refused("no_change_entry", _("Say in the change log what changes, and on what ground."))
    _check_content(version)
    version.state = ScriptVersion.State.PUBLISHED
    version.effective_from = effective_from
    version.published_at = timezone.now()
    version.published_by = actor
    version.save(update_fields=["state", "effective_from", "published_at", "published_by"])
    live.publish(topic="script", pk=version.pk)
    return version


def _check_content(version: ScriptVersion) -> None:
    """What the workspace relies on: ten stages, a greeting for either direction, placeholders that it can put in."""
    codes = set(version.stages.values_list("code", flat=True))
    missing = [str(label) for code, label in StageCode.choices if code not in codes]
    if missing:
        raise Refused("incomplete", _("Stages are missing: %(stages)s.") % {"stages": ", ".join(missing)})
    phrases = list(version.phrases.select_related("stage"))
    greetings = {
        phrase.condition
        for phrase in phrases
        if phrase.stage is not None and phrase.stage.code == StageCode.GREETING and phrase.kind == Phrase.Kind.SPOKEN
    }
    both = {Phrase.Condition.INCOMING, Phrase.Condition.OUTGOING}
    if Phrase.Condition.ALWAYS not in greetings and not both <= greetings:
        raise Refused("incomplete", _("A greeting is missing: one for incoming and one for outgoing calls."))
    for phrase in phrases:
        if problem := placeholder_problem(phrase.text):
            raise Invalid("placeholder", _("«%(phrase)s»: %(problem)s") % {"phrase": phrase, "problem": problem})
        if phrase.kind == Phrase.Kind.OBJECTION and not phrase.trigger_text:
            raise Refused("incomplete", _("«%(phrase)s»: say what the client says.") % {"phrase": phrase})


def placeholder_problem(text: str) -> str:
    """What is wrong with the placeholders of a phrase, in words; "" where nothing is."""
    try:
        names = [name for _literal, name, _spec, _conversion in Formatter().parse(text) if name is not None]
    except ValueError:
        return _("a brace has no partner.")
    unknown = sorted(set(names) - PLACEHOLDERS)
    if not unknown:
        return ""
    known = ", ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
    return _("only %(known)s can be put in.") % {"known": known}


@verb
def retire_version(*, version_id: int, actor: User | None) -> ScriptVersion:
    """Withdraw a published version; the one before it is in force again. Calls keep the version they began with (S2).

    Raises Forbidden, NotFound, Refused (`not_published`, `last_version`).
    """
    _only_supervisors(actor)
    version = _locked(version_id)
    if version.state != ScriptVersion.State.PUBLISHED:
        raise Refused("not_published", _("Only a published version can be withdrawn."))
    now = timezone.now()
    others = ScriptVersion.objects.in_force(now).filter(script=version.script_id).exclude(pk=version.pk)
    if version.effective_from is not None and version.effective_from <= now and not others.exists():
        raise Refused("last_version", _("It is the only version in force: publish another one first."))
    version.state = ScriptVersion.State.RETIRED
    version.save(update_fields=["state"])
    live.publish(topic="script", pk=version.pk)
    return version


@verb
def acknowledge_version(*, version_id: int, actor: User) -> ScriptAcknowledgement:
    """«I have read it» (S3); said twice it is said once. A version may be read before it takes effect.

    Raises Forbidden, NotFound, Refused (`not_published`).
    """
    if actor.role != Role.OPERATOR:
        raise Forbidden("forbidden", _("Operators acknowledge a version, nobody else."))
    version = ScriptVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise NotFound("not_found", _("There is no such version."))
    if version.state != ScriptVersion.State.PUBLISHED:
        raise Refused("not_published", _("Only a published version is acknowledged."))
    try:
        with transaction.atomic():
            return ScriptAcknowledgement.objects.get_or_create(version=version, operator=actor)[0]
    except IntegrityError:  # the same person, the same moment, another tab
        return ScriptAcknowledgement.objects.get(version=version, operator=actor)


def _only_supervisors(actor: User | None) -> None:
    if actor is not None and actor.role != Role.SUPERVISOR:
        raise Forbidden("forbidden", _("Only a supervisor changes the script."))


def _locked(version_id: int) -> ScriptVersion:
    """The version, locked against phrases that slip in: their trigger reads it FOR SHARE."""
    version = (
        ScriptVersion.objects.select_for_update(of=("self",)).select_related("script").filter(pk=version_id).first()
    )
    if version is None:
        raise NotFound("not_found", _("There is no such version."))
    return version
