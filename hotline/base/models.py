"""Abstract models that several rooms share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pghistory
import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _


def append_only(table: str) -> list[pgtrigger.Trigger]:
    """Triggers that refuse UPDATE and DELETE: what is in the journal stays (design: «What the database itself holds»).

    They raise with ERRCODE 23514 and a constraint's name, so that they arrive as IntegrityError.
    """
    return [
        pgtrigger.Trigger(
            name=f"{table}_append_only",
            when=pgtrigger.Before,
            operation=pgtrigger.Update | pgtrigger.Delete,
            func=(
                f"RAISE EXCEPTION '{table} is append-only' USING ERRCODE = '23514', CONSTRAINT = '{table}_append_only';"
            ),
        )
    ]


class ExternalReference(models.Model):
    """A number that something of ours got in another system (GSIS, Naumen, a service centre's own)."""

    class System(models.TextChoices):
        GSIS = "gsis", _("GSIS")
        NAUMEN = "naumen", _("Naumen")
        OTHER = "other", _("other system")

    system = models.CharField(_("system"), max_length=20, choices=System.choices)
    number = models.CharField(_("number"), max_length=64)
    created_at = models.DateTimeField(_("noted at"), auto_now_add=True)

    class Meta:
        abstract = True


def tracked(
    model_name: str, *, exclude: Sequence[str] | None = None, deletions: bool = False
) -> Callable[[type[models.Model]], type[models.Model]]:
    """Keep the row history of a model by pghistory's triggers, which catch bulk and raw changes too.

    Generated columns are to be excluded: the trigger could not write them. `deletions`: rows that may be taken off (a
    telephone of a card) keep their last state too.
    """
    return pghistory.track(
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(),
        *([pghistory.DeleteEvent()] if deletions else []),
        exclude=list(exclude) if exclude is not None else None,
        model_name=model_name,
        obj_field=pghistory.ObjForeignKey(related_name="history", related_query_name="history"),
    )


class Heartbeat(models.Model):
    """When a background process last did a task: /readyz tells a queue that nobody works off from an empty one."""

    name = models.CharField(_("process"), max_length=32, primary_key=True)
    at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name
