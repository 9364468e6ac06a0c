"""`manage.py ring +79161234567`: let the simulated exchange call. For the demo and for development."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from calls.actions import begin_dialog, complete_stage
from calls.models import Call, StageCode
from calls.telephony import simulated
from hotline.operators.models import Role, User

SCENARIOS = ["ringing", "answered", "dropped-in-greeting", "dropped-in-dialog", "lost-in-dialog", "missed"]


class Command(BaseCommand):
    help = "Let the simulated exchange call from a number; by the same verb as a real exchange."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", help="who calls: any spelling, or «anonymous»")
        parser.add_argument(
            "--scenario",
            choices=SCENARIOS,
            default="ringing",
            help="how far it goes: ringing (default), answered, dropped in the greeting, dropped in dialog (the "
            "operator says whether it was lost), lost in dialog (the exchange says so), missed",
        )
        parser.add_argument("--extension", default="", help="the telephone that it rings at and that answers")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The simulated exchange works in demo mode only (HOTLINE_DEMO=1).")
        scenario, extension = options["scenario"], options["extension"]
        person = self._person(extension) if extension or scenario not in ("ringing", "missed") else None
        call = simulated.ring(number=options["number"], people=(extension,) if extension else ())
        if scenario == "missed":
            call = simulated.hang_up(call=call, by=Call.HungUpBy.CLIENT)
        elif scenario != "ringing" and person is not None:
            call = self._answered(call, person, scenario)
        self.stdout.write(f"call {call.pk}: {call.get_work_state_display()}")

    def _answered(self, call: Call, person: User, scenario: str) -> Call:
        call = simulated.answer(call=call, person=person)
        if scenario == "answered":
            return call
        complete_stage(call_id=call.pk, stage=StageCode.GREETING, actor=person)
        if scenario == "dropped-in-greeting":
            return simulated.hang_up(call=call, by=Call.HungUpBy.CLIENT)
        begin_dialog(call_id=call.pk, actor=person)
        return simulated.hang_up(call=call, lost=scenario == "lost-in-dialog")

    def _person(self, extension: str) -> User:
        """Who answers: whoever sits at the telephone, else the first operator who is ready."""
        people = User.objects.filter(is_active=True).exclude(role=Role.INTEGRATION)
        person = (
            people.filter(extension=extension).first()
            if extension
            else people.operators().filter(state=User.State.READY).order_by("pk").first()
        )
        if person is None:
            where = f"signed in at {extension}" if extension else "ready"
            raise CommandError(f"Nobody is {where}: sign in and choose a telephone first.")
        return person
