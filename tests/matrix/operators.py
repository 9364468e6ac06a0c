"""Who may do what of staff's pages."""

from __future__ import annotations

from hotline.operators import actions
from hotline.operators.models import Alias
from tests.matrix import ANYONE, OPERATORS, OWNER, STAFF, SUPERVISOR, Line, World


def _alias(world: World) -> dict[str, int]:
    return {
        "pk": actions.declare_alias(
            operator=world.operator, spoken_name="Анна", full_form="Анна Белова", actor=world.operator
        ).pk
    }


def _stopped(world: World) -> dict[str, int]:
    alias = Alias.objects.get(pk=_alias(world)["pk"])
    return {"pk": actions.stop_alias(alias=alias, reason="проба", actor=world.supervisor).pk}


LINES = {
    # A machine has no session, so these are «anyone»; who is signed in already is sent on.
    "operators:login": (Line(ANYONE, public=True), Line(ANYONE, "POST", public=True)),
    "operators:language": Line(ANYONE, "POST", data=lambda world: {"language": "en"}, public=True),
    "operators:logout": Line(STAFF, "POST"),
    "operators:extension": (Line(STAFF), Line(STAFF, "POST", data=lambda world: {"extension": "8899"})),
    "operators:state": (Line(STAFF), Line(STAFF, "POST", data=lambda world: {"state": "break"})),
    "operators:preferences": Line(STAFF, "POST", data=lambda world: {"theme": "dark"}),
    "operators:password": (Line(STAFF), Line(STAFF, "POST")),
    "operators:alias": (Line(OPERATORS), Line(OPERATORS, "POST")),
    "operators:alias_state": Line(OPERATORS),
    "operators:alias_notice": Line(OPERATORS),
    "operators:alias_retire": (
        Line(OWNER, "POST", kwargs=_alias),
        Line(OWNER, "POST", kwargs=_stopped),
    ),
    "operators:aliases": Line(SUPERVISOR),
    "operators:alias_inbox": Line(SUPERVISOR),
    "operators:alias_acknowledge": Line(SUPERVISOR, "POST", kwargs=_alias),
    "operators:alias_stop": (
        Line(SUPERVISOR, kwargs=_alias),
        Line(SUPERVISOR, "POST", kwargs=_alias, data=lambda world: {"reason": "проба"}),
    ),
}
