"""Reference data of this room: the first version of the script, its change log, the results of a call.

`load()` may run any number of times (`manage.py load_reference`): what a supervisor has changed is left as it is.
"""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from calls.actions.script import publish_version
from calls.models import CallResult, Phrase, Script, ScriptChange, ScriptVersion, Stage

SCRIPT = Path(__file__).resolve().parent / "data" / "script.toml"
AUTHOR = "Горячая линия"


def load() -> None:
    """Publish version 1 of the script where there is none yet, and add the results that are missing."""
    data = tomllib.loads(SCRIPT.read_text(encoding="utf-8"))
    with transaction.atomic():
        CallResult.objects.bulk_create(
            [CallResult(position=position, **row) for position, row in enumerate(data["results"])],
            ignore_conflicts=True,
        )
        script, _ = Script.objects.select_for_update().get_or_create(code=data["code"], defaults={"name": data["name"]})
        if not script.versions.exists():
            version = _first_version(script, data)
            publish_version(
                version_id=version.pk, effective_from=datetime.fromisoformat(data["effective_from"]), actor=None
            )


def _first_version(script: Script, data: dict[str, Any]) -> ScriptVersion:
    version = ScriptVersion.objects.create(script=script, number=1)
    phrases: list[Phrase] = []
    for position, row in enumerate(data["stages"]):
        stage = Stage.objects.create(
            version=version, code=row["code"], title=row["title"], guidance=row["guidance"], position=position
        )
        phrases += [
            Phrase(
                version=version,
                stage=stage,
                kind=phrase.get("kind", Phrase.Kind.SPOKEN),
                condition=phrase.get("condition", Phrase.Condition.ALWAYS),
                text=phrase["text"],
                is_mandatory=phrase.get("mandatory", False),
            )
            for phrase in row.get("phrases", [])
        ]
    phrases += [Phrase(version=version, kind=Phrase.Kind.VOICE, text=row["text"]) for row in data["voice"]]
    phrases += [
        Phrase(version=version, kind=Phrase.Kind.OBJECTION, trigger_text=row["says"], text=row["text"])
        for row in data["objections"]
    ]
    for position, phrase in enumerate(phrases):
        phrase.position = position
    Phrase.objects.bulk_create(phrases)
    ScriptChange.objects.bulk_create(
        [ScriptChange(script=script, version=version, author=AUTHOR, **row) for row in data["changes"]]
    )
    return version
