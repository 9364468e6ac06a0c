"""Verbs on assignments: an appeal given to a service centre, one active at a time, never overwritten."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from hotline.base.actions import verb
from hotline.base.errors import Invalid, Refused
from hotline.operators.models import User
from service_centers.models import ServiceCenter
from tickets import events
from tickets.actions._common import clean, lock_appeal
from tickets.actions.automatic import moved_on
from tickets.centers import standing
from tickets.models import Appeal, Assignment

State = Appeal.State


@verb
def assign_center(
    *, appeal_id: int, service_center: ServiceCenter, actor: User | None, note: str = "", version: int | None = None
) -> Assignment:
    """Give a request to a service centre; the active assignment, if there is one, is superseded.

    The rank and the reasons of the moment are kept. Given to it already: nothing happens. Raises NotFound; Conflict
    `changed_meanwhile`; Refused `transition`, `center_inactive`, `only_requests_are_assigned`.
    """
    appeal = lock_appeal(appeal_id, version)
    if not appeal.is_request:
        raise Refused("only_requests_are_assigned", _("Only a request is given to a service centre."))
    if not service_center.is_active:
        raise Refused("center_inactive", _("This service centre takes no requests any more."), field="service_center")
    if State.ASSIGNED not in appeal.possible_states():
        raise Refused(
            "transition",
            _("From «%(before)s» an appeal of this kind can't become «%(after)s».")
            % {"before": appeal.get_state_display(), "after": State.ASSIGNED.label},
        )
    active = appeal.active_assignment()
    if active is not None and active.service_center_id == service_center.pk:
        return active
    if active is not None:
        _end(active, Assignment.State.SUPERSEDED, note)
    before = appeal.state
    assignment = place(appeal, service_center, actor, note=note, instead_of=active)
    appeal.no_center_reason, appeal.no_center_note = "", ""
    _set_state(appeal, State.ASSIGNED, "no_center_reason", "no_center_note")
    if before != appeal.state:
        moved_on(appeal, before, actor)
    return assignment


@verb
def accept_assignment(*, appeal_id: int, actor: User | None, note: str = "") -> Assignment:
    """The service centre took the request. Taken already: nothing happens. Raises NotFound; Refused `no_assignment`."""
    appeal = lock_appeal(appeal_id)
    active = _active(appeal)
    if active.state == Assignment.State.ACCEPTED:
        return active
    active.state = Assignment.State.ACCEPTED
    active.note = note or active.note
    clean(active, fields={"note"})
    active.save(update_fields=["state", "note"])
    if State.ACCEPTED in appeal.possible_states():
        before = appeal.state
        _set_state(appeal, State.ACCEPTED)
        moved_on(appeal, before, actor)
    return active


@verb
def end_assignment(*, appeal_id: int, outcome: str, actor: User | None, note: str = "") -> Assignment:
    """The service centre declined the request, or completed it. A declined one waits for another centre (R2).

    Raises NotFound; Invalid `outcome`; Refused `no_assignment`, `transition`.
    """
    if outcome not in (Assignment.State.DECLINED, Assignment.State.COMPLETED):
        raise Invalid("outcome", _("An assignment ends declined or completed."), field="outcome")
    appeal = lock_appeal(appeal_id)
    active = _active(appeal)
    before = appeal.state
    target = State.REGISTERED if outcome == Assignment.State.DECLINED else State.DONE
    if target not in appeal.possible_states():
        raise Refused(
            "transition",
            _("From «%(before)s» an appeal of this kind can't become «%(after)s».")
            % {"before": appeal.get_state_display(), "after": target.label},
        )
    _end(active, outcome, note)
    events.assignment_ended(appeal, active, actor)
    if target == State.REGISTERED:
        appeal.no_center_reason, appeal.no_center_note = Appeal.NoCenterReason.DECLINED, note.strip()[:300]
    _set_state(appeal, target, "no_center_reason", "no_center_note")
    moved_on(appeal, before, actor)
    return active


# --- The parts, used by the verbs of appeals -------------------------------------------------------
def place(
    appeal: Appeal,
    service_center: ServiceCenter,
    actor: User | None,
    *,
    note: str = "",
    instead_of: Assignment | None = None,
) -> Assignment:
    """Write the assignment with how the centre stood among the candidates, and its entry in the journal."""
    stood = standing(appeal, service_center)
    assignment = Assignment(
        appeal=appeal,
        service_center=service_center,
        rank=stood.rank,
        reasons=stood.reasons,
        distance_km=stood.distance_km,
        assigned_by=actor,
        note=note,
    )
    clean(assignment, fields={"note"})
    assignment.save(force_insert=True)
    events.assigned(appeal, assignment, actor, instead_of=instead_of)
    return assignment


def end_active(appeal: Appeal, outcome: str, actor: User | None, note: str) -> None:
    """End the active assignment with the appeal, if there is one."""
    active = appeal.active_assignment()
    if active is not None:
        _end(active, outcome, note)
        events.assignment_ended(appeal, active, actor)


def take(appeal: Appeal) -> None:
    """The centre has taken the request, whoever says so."""
    active = _active(appeal)
    if active.state != Assignment.State.ACCEPTED:
        active.state = Assignment.State.ACCEPTED
        active.save(update_fields=["state"])


def resume(appeal: Appeal, actor: User | None, note: str) -> None:
    """The work was not done after all: the centre that completed it has it again, as a new assignment."""
    last = appeal.assignments.filter(state=Assignment.State.COMPLETED).select_related("service_center").first()
    if last is None:
        raise Refused("no_assignment", _("The request is with no service centre."))
    assignment = place(appeal, last.service_center, actor, note=note)
    assignment.state = Assignment.State.ACCEPTED
    assignment.save(update_fields=["state"])


def _active(appeal: Appeal) -> Assignment:
    active = appeal.active_assignment()
    if active is None:
        raise Refused("no_assignment", _("The request is with no service centre."))
    return active


def _end(assignment: Assignment, outcome: str, note: str) -> None:
    assignment.state = outcome
    assignment.ended_at = timezone.now()
    if note.strip():
        assignment.note = note
    clean(assignment, fields={"note"})
    assignment.save(update_fields=["state", "ended_at", "note"])


def _set_state(appeal: Appeal, state: str, *also: str) -> None:
    if appeal.state != state:
        appeal.state = state
        appeal.state_changed_at = timezone.now()
    appeal.version += 1
    appeal.save(update_fields=["state", "state_changed_at", "version", *also])
