"""All rooms' demo data in one transaction: a load that was killed leaves nothing behind."""

from __future__ import annotations

import random

from django.conf import settings
from django.db import transaction
from django.utils import timezone

import calls.demo
import service_centers.demo
import tickets.demo
from hotline.base.errors import Refused
from hotline.desk.demo import staff
from hotline.operators.models import User

SEED = 20260407


def is_loaded() -> bool:
    return User.objects.filter(username="exchange").exists()


@transaction.atomic
def load() -> bool:
    """Fill an empty demo once; False where it was filled before. Refused outside demo mode, and on foreign data."""
    if not settings.DEMO:
        raise Refused("demo_only", "Demo data is for demo mode (HOTLINE_DEMO=1) only.")
    if is_loaded():
        return False
    if User.objects.exists():
        raise Refused("not_empty", "This database has staff of its own: demo data would mix with it.")
    rng = random.Random(SEED)
    now = timezone.now().replace(microsecond=0)
    people = staff.build(now)
    service_centers.demo.build(rng)
    appeals = tickets.demo.build(rng, now=now, staff=[*people.operators, people.supervisor])
    calls.demo.build(rng, now=now, operators=people.operators, supervisor=people.supervisor, appeals=appeals)
    return True
