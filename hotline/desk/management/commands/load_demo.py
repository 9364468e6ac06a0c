"""`manage.py load_demo`: fill an empty demo once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hotline.base.errors import HotlineError
from hotline.desk.demo.load import load


class Command(BaseCommand):
    help = "Fill an empty demo with a hotline's real day. Does nothing where that was done before."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load()
        except HotlineError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Demo data loaded." if loaded else "Demo data is there already.")
