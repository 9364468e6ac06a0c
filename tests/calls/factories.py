"""Rows of this room for tests. Nothing here calls a verb: a test that wants evidence acts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from calls.models import (
    Call,
    CallResult,
    LostCallBack,
    PromisedCallBack,
    Script,
    ScriptVersion,
)
from hotline.operators.models import User
from tests.factories import UserFactory, phone_number
from tickets.models import Topic

NUMBER = "+79161234567"


class CallFactory(DjangoModelFactory):
    """An incoming call that rings. Traits: `talking`, `dialog`, `wrap_up` (a dialog that ended), `outgoing`."""

    class Meta:
        model = Call

    class Params:
        answered = factory.Trait(
            operator=factory.SubFactory(UserFactory),
            line_state=Call.LineState.TALKING,
            work_state=Call.WorkState.TALKING,
            answered_at=factory.LazyFunction(timezone.now),
        )
        talking = factory.Trait(answered=True)
        dialog = factory.Trait(answered=True, phase=Call.Phase.DIALOG)
        wrap_up = factory.Trait(
            operator=factory.SubFactory(UserFactory),
            phase=Call.Phase.DIALOG,
            line_state=Call.LineState.ENDED,
            work_state=Call.WorkState.WRAP_UP,
            started_at=factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=3)),
            answered_at=factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=3)),
            ended_at=factory.LazyFunction(timezone.now),
        )
        lost = factory.Trait(wrap_up=True, ending=Call.Ending.LOST)
        outgoing = factory.Trait(direction=Call.Direction.OUT, origin=Call.Origin.OUTGOING)

    source = "test"
    external_id = factory.LazyFunction(lambda: uuid4().hex)
    direction = Call.Direction.IN
    origin = Call.Origin.INCOMING
    number = factory.Sequence(phone_number)
    number_raw = factory.SelfAttribute("number")


class LostCallBackFactory(DjangoModelFactory):
    """A planned call back; its lost call is in wrap-up."""

    class Meta:
        model = LostCallBack

    call = factory.SubFactory(CallFactory, lost=True)
    owner = factory.SelfAttribute("call.operator")


class PromisedCallBackFactory(DjangoModelFactory):
    class Meta:
        model = PromisedCallBack

    call = factory.SubFactory(CallFactory, wrap_up=True)
    owner = factory.SelfAttribute("call.operator")
    number = factory.SelfAttribute("call.number")
    due_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=1))


def topic(code: str = "repair", **fields: Any) -> Topic:
    return Topic.objects.get_or_create(code=code, defaults={"name": code, **fields})[0]


def result(code: str = "consulted") -> CallResult:
    return CallResult.objects.get_or_create(code=code, defaults={"name": code})[0]


def script_version(*, effective_from: datetime | None = None, number: int = 1) -> ScriptVersion:
    """A published version without phrases."""
    script, _ = Script.objects.get_or_create(code="hotline", defaults={"name": "Скрипт"})
    now = timezone.now()
    return ScriptVersion.objects.create(
        script=script,
        number=number,
        state=ScriptVersion.State.PUBLISHED,
        effective_from=effective_from or now - timedelta(days=1),
        published_at=now - timedelta(days=1),
    )


def ready(extension: str = "101", **fields: Any) -> User:
    """An operator who is signed in at a telephone and ready."""
    return UserFactory(extension=extension, state=User.State.READY, **fields)
