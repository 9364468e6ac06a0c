"""`manage.py load_reference`: what every installation needs before the first call; may run again and again."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

# Lower rooms first: what stands above may refer to what is below.
ROOMS = ("hotline.operators", "service_centers", "sms", "tickets", "calls")


class Command(BaseCommand):
    help = "Add the reference data that is missing (cities, templates, topics, the script); what is there stays."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        for room in ROOMS:
            if find_spec(f"{room}.reference"):
                import_module(f"{room}.reference").load()
                if options["verbosity"]:
                    self.stdout.write(f"{room}: loaded.")
