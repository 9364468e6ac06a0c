"""What nobody works on: expired leases, messages that no task will come for, checks that are due.

Every two seconds, by beat. Many sweeps at once do no harm: batches are taken with SKIP LOCKED.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from hotline.base.actions import verb
from sms import broker, gateways, quiet
from sms.actions import home
from sms.actions._moves import move, to_unknown, wait_for_the_morning
from sms.actions.parts import conclude
from sms.gateways import routing
from sms.models import OptOut, SmsMessage, SmsPart
from sms.models.messages import SmsMessageQuerySet

log = structlog.get_logger(__name__)
State = SmsMessage.State

BATCH = 200
# One sweep never takes more than this: the next one is two seconds away.
BATCHES = 5
# A task that was put on the broker and did not claim its message within this is taken for lost: another is made, and
# whoever finds the old one throws it away (`expires` in sms/tasks.py). So no message has two of them that live.
REENQUEUE_AFTER = timedelta(seconds=20)
# A longer backlog stays in the database: with so many on the broker, workers are busy until the sweep comes again.
MOST_ENQUEUED = 1000
# A gateway or a sender that was taken out of the configuration is perhaps to come back.
STRANDED_FOR = timedelta(hours=1)
# While a check is on its way nobody else makes one; it sets the next moment itself.
CHECK_LEASE = timedelta(seconds=60)


def sweep() -> dict[str, int]:
    """Decide, enqueue and ask about everything that nobody works on. Returns how many of each.

    A step that fails holds up none of the others; its error is raised when they are done.
    """
    steps = {
        "expired": expire_leases,
        "withdrawn": withdraw_unwanted,
        "ended": end_stranded,
        "rerouted": reroute,
        "put_off": put_off,
        "enqueued": enqueue_due,
        "checks": enqueue_checks,
    }
    done: dict[str, int] = {}
    failed: Exception | None = None
    for name, step in steps.items():
        try:
            done[name] = _in_batches(step)
        except (OperationalError, InterfaceError):
            raise  # the database is away, for the others too
        except Exception as error:
            log.exception("sms_sweep_failed", step=name)
            failed = error
    if failed is not None:
        raise failed
    return done


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
    back = SmsMessage.objects.filter(state=State.QUEUED, attempts__gt=0)
    found = _lock_whole(back.unwanted())
    refused = set(
        OptOut.objects.in_force().filter(number__in={each.to for each in found}).values_list("number", flat=True)
    )
    for message in found:
        reason = message.withdraw_reason or ("opted_out" if message.to in refused else "no_consent")
        move(message, State.WITHDRAWN, reason=reason, check_after=None)
    return len(found)


@verb
def end_stranded() -> int:
    """Queued messages that could have gone an hour ago and can't any more, by a configuration that seems to stay: an
    end that somebody hears of. Nothing while SMS are switched off.

    Those of which parts are at a gateway that is out of use, for no other may get the rest; and those of a sender that
    is out of use at a gateway that is, too.
    """
    in_use = routing.in_use()
    if not in_use:
        return 0
    out_of_use = SmsMessage.objects.filter(state=State.QUEUED).exclude(gateway__in=in_use)
    stranded = out_of_use.filter(not_before__lt=Now() - STRANDED_FOR)
    stranded = stranded.exclude(sender__in=routing.senders()) | stranded.begun()
    found = list(stranded.select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:BATCH])
    for message in found:
        if message.has_begun():
            move(message, State.UNDELIVERED, reason="never_sent", check_after=None)
        else:
            move(message, State.REJECTED, reason="sender_not_allowed", check_after=None)
    return len(found)


@verb
def reroute() -> int:
    """Queued messages whose gateway is out of use by now (another configuration): to the first of their sender, or,
    where that takes no such text, to an end that somebody hears of. Nothing while SMS are switched off.

    One whose parts are at a gateway already stays there: that may be in use again soon (`end_stranded`).
    """
    stranded = SmsMessage.objects.filter(state=State.QUEUED).exclude(gateway__in=routing.in_use())
    found = _lock_whole(stranded.filter(sender__in=[name for name in routing.senders() if routing.first(name)]))
    for message in found:
        if gateway := routing.first(message.sender, message.text):
            SmsMessage.objects.filter(pk=message.pk).update(gateway=gateway, enqueued_at=None)
        else:
            move(message, State.REJECTED, reason="too_long", check_after=None)
    return len(found)


@verb
def put_off() -> int:
    """What came to be due in the night, and nobody asked for by hand: to the morning, before anybody tries to claim it.

    One whose parts are at a gateway already stays: the client has the beginning of it.
    """
    due = SmsMessage.objects.filter(state=State.QUEUED, not_before__lte=Now()).exclude(quiet_zone="")
    asleep = [zone for zone in due.order_by().values_list("quiet_zone", flat=True).distinct() if quiet.until(zone)]
    return sum(wait_for_the_morning(message) for message in _lock_whole(due.filter(quiet_zone__in=asleep)))


def _lock_whole(messages: SmsMessageQuerySet) -> list[SmsMessage]:
    """Lock a batch of those of which no part was taken anywhere; what somebody else holds is passed over.

    First the lock, then the look at the parts: beside it they are as they were before somebody's attempt that ended a
    moment ago.
    """
    locked = list(messages.whole().select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:BATCH])
    begun = set(SmsMessage.objects.filter(pk__in=[each.pk for each in locked]).begun().values_list("pk", flat=True))
    return [message for message in locked if message.pk not in begun]


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
