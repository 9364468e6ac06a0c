"""What waits for a person: the start page. One or two statements a group, however much there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from calls.facts import may_take_calls
from calls.models import Call, Draft, FollowUp, LostCallBack, PromisedCallBack
from calls.script import version_in_force, who_has_not_acknowledged
from hotline.base.phones import format_phone
from hotline.operators.models import Alias, User
from sms.models import SmsMessage
from tickets.models import Document, ModelSuggestion, Reminder

SHOWN = 8  # items of a group on the start page; the rest is counted
# A planned call back that nobody has made for so long is a supervisor's business (ours).
LOST_IS_LATE = timedelta(minutes=15)
# Who waits for what an SMS did not bring waits no longer than this (ours).
FOLLOW_UP_IS_LATE = timedelta(hours=2)
# How far back calls dialled by hand are shown (ours).
RECENT = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Item:
    """One line: what it is, where it is put right, when it is due; `late` says it in a word, not in colour alone."""

    text: str
    url: str
    at: datetime | None = None
    late: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    code: str
    title: str | Promise
    url: str
    items: list[Item] = field(default_factory=list)
    more: int = 0
    urgent: bool = False


def waiting_for(user: User, *, at: datetime) -> list[Group]:
    """The groups that hold something, the urgent first. An empty list: nothing waits."""
    builders = _SUPERVISOR if user.is_supervisor else _OPERATOR
    groups = [group for build in builders if (group := build(user, at)) and group.items]
    return sorted(groups, key=lambda group: not group.urgent)


def _group(
    code: str,
    title: Any,
    url: str,
    rows: QuerySet[Any],
    item: Callable[[Any], Item],
) -> Group:
    """The first rows as items, the rest counted: one statement, two where there are more than shown."""
    found = list(rows[: SHOWN + 1])
    more = rows.count() - SHOWN if len(found) > SHOWN else 0
    items = [item(row) for row in found[:SHOWN]]
    return Group(code, title, url, items, more, urgent=any(entry.late for entry in items))


def _who(call: Call) -> str:
    name = call.client.full_name if call.client else call.caller_name
    return " · ".join(part for part in (name, format_phone(call.number) if call.number else _("hidden number")) if part)


# --- An operator -----------------------------------------------------------------------------------
def _script_to_read(user: User, at: datetime) -> Group | None:
    verdict = may_take_calls(user)
    if verdict.allowed:
        return None
    url = reverse("calls:script")
    return Group("script", gettext_lazy("Script"), url, [Item(str(verdict.text), url, late=True)], urgent=True)


def _lost_call_backs(user: User, at: datetime) -> Group:
    return _group(
        "lost",
        gettext_lazy("Call back: the connection was lost"),
        reverse("calls:list"),
        LostCallBack.objects.visible_to(user).planned().select_related("call__client").order_by("planned_at"),
        lambda back: Item(
            _who(back.call), back.call.get_absolute_url(), back.planned_at, back.planned_at < at - LOST_IS_LATE,
            note=_("one attempt"),
        ),
    )  # fmt: skip


def _promised_call_backs(user: User, at: datetime) -> Group:
    return _group(
        "promised",
        gettext_lazy("Promised call backs"),
        reverse("calls:list"),
        PromisedCallBack.objects.visible_to(user)
        .filter(state=PromisedCallBack.State.OPEN, due_at__lt=at + timedelta(days=1))
        .select_related("call__client")
        .order_by("due_at"),
        lambda back: Item(
            _who(back.call), back.call.get_absolute_url(), back.due_at, back.due_at < at, note=back.reason
        ),
    )


def _open_calls(user: User, at: datetime) -> Group:
    return _group(
        "calls",
        gettext_lazy("Calls to finish"),
        reverse("calls:list"),
        Call.objects.filter(operator=user)
        .exclude(work_state__in=[Call.WorkState.CLOSED, Call.WorkState.RINGING])
        .select_related("client")
        .order_by("started_at"),
        lambda call: Item(
            _who(call), call.get_absolute_url(), call.started_at,
            note=_("parked") if call.parked_at else call.get_work_state_display(),
        ),
    )  # fmt: skip


def _drafts(user: User, at: datetime) -> Group:
    return _group(
        "drafts",
        gettext_lazy("Drafts"),
        reverse("calls:drafts"),
        Draft.objects.filter(owner=user, call__work_state=Call.WorkState.CLOSED)
        .open()
        .select_related("call__client")
        .order_by("updated_at"),
        lambda draft: Item(_who(draft.call), reverse("calls:drafts"), draft.updated_at, note=draft.get_form_display()),
    )


def _reminders(user: User, at: datetime) -> Group:
    return _group(
        "reminders",
        gettext_lazy("Reminders"),
        reverse("tickets:appeals"),
        Reminder.objects.filter(to=user, done_at__isnull=True, due_at__lt=at + timedelta(days=1))
        .select_related("appeal")
        .order_by("due_at"),
        lambda reminder: Item(
            reminder.text, reminder.appeal.get_absolute_url(), reminder.due_at, reminder.due_at < at,
            note=str(reminder.appeal),
        ),
    )  # fmt: skip


def _follow_ups(user: User, at: datetime) -> Group:
    """Messages that did not arrive, and that nobody has made good since (R3)."""
    return _group(
        "follow-ups",
        gettext_lazy("SMS that did not arrive"),
        reverse("calls:list"),
        FollowUp.objects.visible_to(user).open().for_list().order_by("created_at", "pk"),
        lambda item: Item(
            " · ".join(part for part in (str(item.link.appeal), str(item.link.appeal.client or "")) if part),
            reverse("calls:follow-up", args=[item.pk]),
            item.created_at,
            item.created_at < at - FOLLOW_UP_IS_LATE,
            note=" · ".join(
                part for part in (item.link.message.get_state_display(), item.link.message.reason_in_words) if part
            ),
        ),
    )


def _uncertain_messages(user: User, at: datetime) -> Group:
    """Messages whose fate only a supervisor can decide; none of them is sent again by the machine."""
    url = reverse("tickets:sms")
    return _group(
        "uncertain",
        gettext_lazy("Uncertain SMS"),
        url,
        SmsMessage.objects.uncertain().order_by("state_changed_at", "pk"),
        lambda message: Item(format_phone(message.to), url, message.state_changed_at, note=message.reason_in_words),
    )


# --- A supervisor ----------------------------------------------------------------------------------
def _aliases(user: User, at: datetime) -> Group:
    return _group(
        "aliases",
        gettext_lazy("Aliases to acknowledge"),
        reverse("operators:aliases"),
        Alias.objects.visible_to(user).waiting().select_related("operator").order_by("declared_at"),
        lambda alias: Item(
            f"«{alias.spoken_name}» — {alias.operator.full_name}", reverse("operators:aliases"), alias.declared_at
        ),
    )


def _calls_without_operator(user: User, at: datetime) -> Group:
    return _group(
        "unowned",
        gettext_lazy("Calls without an operator"),
        reverse("calls:list"),
        Call.objects.visible_to(user)
        .filter(operator__isnull=True, answered_at__isnull=False)
        .exclude(work_state=Call.WorkState.CLOSED)
        .select_related("client")
        .order_by("started_at"),
        lambda call: Item(_who(call), call.get_absolute_url(), call.started_at, late=True),
    )


def _hand_dialled(user: User, at: datetime) -> Group:
    return _group(
        "hand-dialled",
        gettext_lazy("Dialled by hand after the one attempt"),
        reverse("calls:list"),
        Call.objects.visible_to(user)
        .filter(hand_dialled_after__isnull=False, started_at__gt=at - RECENT)
        .select_related("client", "operator")
        .order_by("-started_at"),
        lambda call: Item(_who(call), call.get_absolute_url(), call.started_at, note=str(call.operator or "")),
    )


def _models(user: User, at: datetime) -> Group:
    url = reverse("admin:tickets_modelsuggestion_changelist")
    return _group(
        "models",
        gettext_lazy("Models that the directory lacks"),
        url,
        ModelSuggestion.objects.waiting().order_by("-times", "first_met_at"),
        lambda row: Item(
            row.text,
            url,
            row.first_met_at,
            note=ngettext("met %(times)s time", "met %(times)s times", row.times) % {"times": row.times},
        ),
    )


def _letters(user: User, at: datetime) -> Group:
    return _group(
        "letters",
        gettext_lazy("Letters that wait for an answer"),
        f"{reverse('tickets:appeals')}?letters=on",
        Document.objects.filter(is_answered=False).select_related("appeal", "kind").order_by("date", "pk"),
        lambda paper: Item(
            f"{paper.kind} {paper.number}".strip(), paper.appeal.get_absolute_url(), paper.created_at,
            note=str(paper.appeal),
        ),
    )  # fmt: skip


def _unread_script(user: User, at: datetime) -> Group | None:
    version = version_in_force(at)
    if version is None:
        return None
    url = reverse("calls:script")
    return _group(
        "unread",
        gettext_lazy("Have not read the script"),
        url,
        who_has_not_acknowledged(version),
        lambda person: Item(str(person), url),
    )


_OPERATOR = (
    _script_to_read,
    _lost_call_backs,
    _promised_call_backs,
    _open_calls,
    _drafts,
    _reminders,
    _follow_ups,
)
_SUPERVISOR = (
    _calls_without_operator,
    _lost_call_backs,
    _promised_call_backs,
    _aliases,
    _hand_dialled,
    _follow_ups,
    _uncertain_messages,
    _letters,
    _models,
    _unread_script,
    _reminders,
)
