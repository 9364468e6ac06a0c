"""Who may open the workspace of a call, act in it, and see what is owed: another's call, draft and call back by id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from calls import reference
from calls.models import Call, Draft, FollowUp, ScriptVersion
from tests.calls.factories import CallFactory, LostCallBackFactory, PromisedCallBackFactory, script_version, topic
from tests.factories import AppealFactory, AppealMessageFactory, ClientFactory, SmsMessageFactory
from tests.matrix import OPERATORS, OWNER, STAFF, SUPERVISOR, Line, World

OWN = OWNER | SUPERVISOR


def call_of(world: World, **fields: Any) -> Call:
    return CallFactory(**{"dialog": True, "operator": world.operator, "client": ClientFactory(), **fields})


def own(**more: Any) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": call_of(world).pk, **more}


def closed(**more: Any) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": call_of(world, dialog=False, wrap_up=True).pk, **more}


def with_appeal(world: World) -> dict[str, Any]:
    call = call_of(world)
    appeal = AppealFactory(client=call.client)
    call.appeals.create(appeal=appeal, relation="registered")
    return {"pk": call.pk, "number": appeal.number}


def with_appeal_only(world: World) -> dict[str, Any]:
    return {"pk": with_appeal(world)["pk"]}


def with_message(world: World) -> dict[str, Any]:
    link = AppealMessageFactory()
    call = call_of(world)
    call.appeals.create(appeal=link.appeal, relation="registered")
    return {"pk": call.pk, "message": link.message_id}


def lost(world: World) -> dict[str, Any]:
    return {"kind": "lost", "pk": LostCallBackFactory(call__operator=world.operator).pk}


def with_lost(world: World) -> dict[str, Any]:
    return {"pk": LostCallBackFactory(call__operator=world.operator).call_id}


def promise(world: World) -> dict[str, Any]:
    return {"pk": PromisedCallBackFactory(call__operator=world.operator).pk}


def follow_up(world: World) -> dict[str, Any]:
    message = SmsMessageFactory(undelivered=True, requested_by=world.operator)
    return {"pk": FollowUp.objects.create(link=AppealMessageFactory(message=message), owner=world.operator).pk}


def draft(world: World) -> dict[str, Any]:
    call = call_of(world)
    return {"pk": Draft.objects.create(owner=world.operator, call=call, form="repair", action_id=uuid4()).pk}


def version(world: World) -> dict[str, Any]:
    return {"pk": script_version().pk}


def with_script(world: World) -> dict[str, Any]:
    reference.load()
    return {"pk": ScriptVersion.objects.get().pk}


def post(**data: Any) -> Callable[[World], dict[str, Any]]:
    return lambda world: data


LINES = {
    # The day
    "calls:list": Line(STAFF),
    "calls:owed": Line(STAFF),
    "calls:begin": (Line(STAFF), Line(STAFF, "POST", data=post(direction="in", number="+79160000101"))),
    "calls:start-call-back": Line(OWN, "POST", kwargs=lost),
    "calls:settle-promise": (Line(OWN, kwargs=promise), Line(OWN, "POST", kwargs=promise, data=post(state="done"))),
    "calls:follow-up": (
        Line(OWN, kwargs=follow_up),
        Line(OWN, "POST", kwargs=follow_up, data=post(do="settle", note="Клиент знает")),
    ),
    "calls:drafts": Line(STAFF),
    "calls:draft-discard": Line(OWN, "POST", kwargs=draft),
    "calls:draft-reassign": Line(SUPERVISOR, "POST", kwargs=draft, data=lambda world: {"owner": world.another.pk}),
    # The script
    "calls:script": Line(STAFF),
    "calls:script-version": Line(STAFF, kwargs=with_script),
    "calls:script-acknowledge": Line(OPERATORS, "POST", kwargs=version),
    "calls:script-readers": Line(SUPERVISOR, kwargs=version),
    # The workspace
    "calls:call": Line(OWN, kwargs=own()),
    "calls:strip": Line(OWN, kwargs=own()),
    "calls:missing": Line(OWN, kwargs=own()),
    "calls:client-column": Line(OWN, kwargs=own()),
    "calls:stage": (
        Line(OWN, kwargs=own(stage="history")),
        Line(OWN, "POST", kwargs=own(stage="history"), data=post(act="done")),
    ),
    "calls:draft": Line(
        OWN, "POST", kwargs=own(form="repair"), data=post(version=0, fields={"store": "М.Видео"}), as_json=True
    ),
    "calls:objections": Line(OWN, kwargs=own()),
    "calls:take": Line(OWN, "POST", kwargs=own()),
    "calls:dialog": Line(OWN, "POST", kwargs=own()),
    "calls:hang-up": Line(OWN, "POST", kwargs=own()),
    "calls:ending": Line(OWN, "POST", kwargs=closed(), data=post(ending="goodbye")),
    "calls:ended-by": Line(OWN, "POST", kwargs=own()),
    "calls:flags": Line(OWN, "POST", kwargs=own(), data=post(flag="wants_rating")),
    "calls:park": Line(OWN, "POST", kwargs=closed()),
    "calls:call-back": Line(OWN, "POST", kwargs=with_lost),
    "calls:reopen": (Line(OWN, kwargs=closed()), Line(OWN, "POST", kwargs=closed(), data=post(reason="Ошибка"))),
    "calls:client-search": Line(OWN, "POST", kwargs=own(), data=post(q="Иванов")),
    "calls:choose": Line(OWN, "POST", kwargs=own(), data=lambda world: {"client": str(ClientFactory().pk)}),
    "calls:preset": Line(OWN, "POST", kwargs=own(preset="silence")),
    "calls:card": (
        Line(OWN, kwargs=own()),
        Line(OWN, "POST", kwargs=own(), data=post(last_name="Петрова", first_name="Анна")),
    ),
    "calls:duplicates": Line(OWN, "POST", kwargs=own(), data=post(last_name="Петрова")),
    "calls:account": Line(OWN, "POST", kwargs=own(), data=post(reason="Дача")),
    "calls:appeal": Line(OWN, kwargs=with_appeal),
    "calls:consult": Line(OWN, "POST", kwargs=with_appeal),
    "calls:appliance": Line(OWN, "POST", kwargs=own()),
    "calls:diagnosis": Line(OWN, "POST", kwargs=own()),
    "calls:registration": (
        Line(OWN, kwargs=own(kind="repair")),
        Line(OWN, "POST", kwargs=own(kind="consultation"), data=post(description="Спросили про доставку")),
    ),
    "calls:check": Line(OWN, "POST", kwargs=own(kind="repair")),
    "calls:correct-appeal": (
        Line(OWN, kwargs=with_appeal),
        Line(OWN, "POST", kwargs=with_appeal, data=post(act="unlink")),
    ),
    "calls:adopt": Line(OWN, "POST", kwargs=own()),
    "calls:sms-gate": Line(OWN, "POST", kwargs=with_appeal_only, data=post(to="+79160000101")),
    "calls:sms-wishes": Line(OWN, "POST", kwargs=own(), data=post(do="opt_out", to="+79160000101")),
    "calls:sms-send": Line(OWN, "POST", kwargs=with_appeal_only),
    "calls:sms-dictate": (Line(OWN, kwargs=own()), Line(OWN, "POST", kwargs=with_appeal_only)),
    "calls:sms-status": Line(OWN, kwargs=with_message),
    "calls:promise": Line(OWN, "POST", kwargs=own(), data=post(due_at="15:00", number="+79160000101")),
    "calls:wrap-up": Line(
        OWN, "POST", kwargs=closed(), data=lambda world: {"keep": "1", "topic": str(topic().pk), "note": "—"}
    ),
    "calls:reference": Line(OWN, "POST", kwargs=own(), data=post(system="gsis", number="77-1")),
}
