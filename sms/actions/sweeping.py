"""What nobody works on: expired leases, messages that no task will come for, checks that are due.

Every two seconds, by beat. Many sweeps at once do no harm: batches are taken with SKIP LOCKED.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from hotline.base.actions import verb
from sms import broker, gateways, quiet
from sms.actions import home
from sms.actions._moves import move, to_unknown, wait_for_the_morning
from sms.actions.parts import conclude
from sms.gateways import routing
from sms.models import OptOut, SmsMessage, SmsPart

State = SmsMessage.State

BATCH = 200
# One sweep never takes more than this: the next one is two seconds away.
BATCHES = 5
# A task that was put on the broker and did not claim its message within this is taken for lost: another is made, and
# whoever finds the old one throws it away (`expires` in sms/tasks.py). So no message has two of them that live.
REENQUEUE_AFTER = timedelta(seconds=20)
# A longer backlog stays in the database: with so many on the broker, workers are busy until the sweep comes again.
MOST_ENQUEUED = 1000
# A gateway that was taken out of the configuration is perhaps to come back.
STRANDED_FOR = timedelta(hours=1)
# While a check is on its way nobody else makes one; it sets the next moment itself.
CHECK_LEASE = timedelta(seconds=60)


def sweep() -> dict[str, int]:
    """Decide, enqueue and ask about everything that nobody works on. Returns how many of each."""
    return {
        "expired": _in_batches(expire_leases),
        "withdrawn": _in_batches(withdraw_unwanted),
        "rerouted": _in_batches(reroute),
        "put_off": _in_batches(put_off),
        "enqueued": _in_batches(enqueue_due),
        "checks": _in_batches(enqueue_checks),
    }


def _in_batches(step: Callable[[], int]) -> int:
    total = 0
    for _ in range(BATCHES):
        done = step()
        total += done
        if done < BATCH:
            break
    return total


@verb
def expire_leases() -> int:
    """Messages whose attempt never came back: `unknown`, for the request may have left. Never sent again."""
    expired = SmsMessage.objects.select_for_update(skip_locked=True).filter(
        state=State.SUBMITTING, lease_until__lt=Now()
    )
    found = list(expired.order_by("lease_until")[:BATCH])
    for message in found:
        lost = message.parts.filter(state=SmsPart.State.SUBMITTING)
        if lost.update(state=SmsPart.State.UNKNOWN, reason="lease_expired"):
            conclude(message)
        else:
            to_unknown(message, "lease_expired")
    return len(found)


@verb
def withdraw_unwanted() -> int:
    """What was being handed over when its client refused (or took the consent back), or when it was called off, and is
    in the queue again.

    One whose parts are at a gateway already stays: the client has the beginning of it.
    """
    back = SmsMessage.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        state=State.QUEUED, attempts__gt=0
    )
    found = list(back.unwanted().whole().order_by("pk")[:BATCH])
    refused = set(
        OptOut.objects.in_force().filter(number__in={each.to for each in found}).values_list("number", flat=True)
    )
    for message in found:
        reason = message.withdraw_reason or ("opted_out" if message.to in refused else "no_consent")
        move(message, State.WITHDRAWN, reason=reason, check_after=None)
    return len(found)


@verb
def reroute() -> int:
    """Queued messages whose gateway is out of use by now (another configuration): to the first of their sender, or,
    where that takes no such text, to an end that somebody hears of. Nothing while SMS are switched off.

    One whose parts are at a gateway already stays there: that may be in use again soon. After an hour it has failed.
    """
    stranded = SmsMessage.objects.filter(state=State.QUEUED).exclude(gateway__in=routing.in_use())
    stranded = stranded.filter(sender__in=[sender for sender in routing.senders() if routing.first(sender)])
    whole = stranded.whole().select_for_update(skip_locked=True, of=("self",)).order_by("pk")
    begun = stranded.begun().filter(state_changed_at__lt=Now() - STRANDED_FOR)
    found = list(whole[:BATCH])
    for message in found:
        if gateway := routing.first(message.sender, message.text):
            SmsMessage.objects.filter(pk=message.pk).update(gateway=gateway, enqueued_at=None)
        else:
            move(message, State.REJECTED, reason="too_long", check_after=None)
    for message in begun.select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:BATCH]:
        move(message, State.UNDELIVERED, reason="never_sent", check_after=None)
    return len(found)


@verb
def put_off() -> int:
    """What came to be due in the night, and nobody asked for by hand: to the morning, before anybody tries to claim it.

    One whose parts are at a gateway already stays: the client has the beginning of it.
    """
    due = SmsMessage.objects.filter(state=State.QUEUED, not_before__lte=Now()).exclude(quiet_zone="")
    asleep = [zone for zone in due.order_by().values_list("quiet_zone", flat=True).distinct() if quiet.until(zone)]
    found = due.filter(quiet_zone__in=asleep).whole().select_for_update(skip_locked=True, of=("self",))
    return sum(wait_for_the_morning(message) for message in found.order_by("pk")[:BATCH])


@verb
def enqueue_due() -> int:
    """Queued messages that are due and that no task is on its way for: put a task on the broker for each, the oldest
    first, as long as not too many are on their way."""
    from sms import tasks

    by_task = [name for name in routing.in_use() if not gateways.by_name(name).capabilities.own_process]
    if not by_task:
        return 0
    lost = Q(enqueued_at=None) | Q(enqueued_at__lt=Now() - REENQUEUE_AFTER)
    waiting = SmsMessage.objects.filter(state=State.QUEUED, gateway__in=by_task, not_before__lte=Now())
    room = MOST_ENQUEUED - waiting.exclude(lost)[:MOST_ENQUEUED].count()
    due = home.only_at_home(waiting.filter(lost)).select_for_update(skip_locked=True)
    pks = list(due.order_by("not_before", "pk").values_list("pk", flat=True)[: min(BATCH, room)])
    if pks:
        SmsMessage.objects.filter(pk__in=pks).update(enqueued_at=Now())
        transaction.on_commit(lambda: broker.publish(tasks.submit, pks, wait=10), robust=True)
    return len(pks)


@verb
def enqueue_checks() -> int:
    """Accepted and unknown messages that the gateway is due to be asked about: put a task on the broker for each."""
    from sms import tasks

    due = SmsMessage.objects.select_for_update(skip_locked=True).filter(
        state__in=[State.ACCEPTED, State.UNKNOWN], check_after__lte=Now()
    )
    pks = list(due.order_by("check_after").values_list("pk", flat=True)[:BATCH])
    if pks:
        SmsMessage.objects.filter(pk__in=pks).update(check_after=Now() + CHECK_LEASE)
        transaction.on_commit(lambda: broker.publish(tasks.check_status, pks, wait=10), robust=True)
    return len(pks)
