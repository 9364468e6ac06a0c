"""What a call leads to: the client, the appeals, what was sent. The verbs of `tickets`, tied to their call."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from calls import journal
from calls.actions._common import enter_dialog, lock_family, lock_open_call, need_talk, tell
from calls.models import Call, CallAppeal, CallResult, CallStage, StageCode
from hotline.base.actions import verb
from hotline.base.errors import Invalid, NotFound, Refused
from hotline.operators.models import User
from service_centers.models import ServiceCenter
from tickets import actions as tickets
from tickets.models import Account, Appeal, AppealMessage, Client, Topic

Relation = CallAppeal.Relation

# One key each at stage 6: the topic's code, the result of the call, whether the talk is over with it.
PRESETS: dict[str, tuple[str, str, bool]] = {
    "wrong_number": ("wrong-number", "not_ours", True),
    "silence": ("silence", "not_ours", True),
    "job_seeker": ("job", "consulted", False),
    "partnership": ("partnership", "consulted", False),
    "atypical": ("atypical", "consulted", False),
}
# What a consultation on an open request is about: «где мой мастер?», the commonest call of all.
WHERE_IS_MASTER = "where-is-master"


# --- Who is calling -----------------------------------------------------------------------------------
@verb
def choose_client(
    *,
    call_id: int,
    client: Client | None,
    actor: User | None,
    account: Account | None = None,
    caller_name: str | None = None,
    move_appeals: bool = False,
) -> Call:
    """Open a card and its account for the call (stages 2 and 3); the main account unless another is named.

    `caller_name`: who is calling where it is not the owner (a daughter, a shop); None leaves it. Another client than
    the one chosen before is a move, journalled; `move_appeals` moves the appeals of the first client registered in this
    call with it.
    None as the client takes the card off the call.

    Raises NotFound, Refused (`closed`), Invalid (`account`).
    """
    call, relatives = lock_family(call_id, actor)
    if client is None:
        account = None
    elif account is None:
        account = client.accounts.filter(is_main=True).first()
    elif account.client_id != client.pk:
        raise Invalid("account", _("This account belongs to another card."), field="account")
    before = call.client_id
    changed = (before, call.account_id) != (client.pk if client else None, account.pk if account else None)
    call.client, call.account = client, account
    if caller_name is not None:
        call.caller_name = caller_name.strip()[:150]
    enter_dialog(call, actor, StageCode.CARD)
    call.save(update_fields=["client", "account", "caller_name", "phase"])
    for other in relatives:
        if other.client_id in (None, before) and other.is_open and client is not None:
            other.client, other.account = client, account
            other.save(update_fields=["client", "account"])
    if changed:
        code = journal.Code.CLIENT_MOVED if before is not None else journal.Code.CLIENT_CHOSEN
        facts = {"client": call.client_id, "account": call.account_id}
        journal.note(call, code, actor, **facts, **({"before": before} if before is not None else {}))
    if client is not None:
        journal.done(call, StageCode.IDENTIFICATION, StageCode.CARD, actor=actor, client=client.pk)
    if changed and move_appeals and before is not None:
        own = call.appeals.filter(relation=Relation.REGISTERED, appeal__client=before)
        for link in own.select_related("appeal").order_by("appeal"):
            _move(call, link.appeal, client, account, actor, "")
    tell(call)
    return call


@verb
def register_client_in_call(*, call_id: int, action_id: UUID, actor: User | None, **fields: Any) -> Client:
    """Register a card with its account and open both for the call. `fields` are those of `tickets.register_client`.

    The same `action_id` is one card. Raises what `tickets.register_client` and `choose_client` raise.
    """
    lock_family(call_id, actor)
    client = tickets.register_client(action_id=action_id, actor=actor, **fields)
    choose_client(call_id=call_id, client=client, actor=actor)
    return client


# --- The appeal ---------------------------------------------------------------------------------------
@verb
def register_in_call(*, call_id: int, actor: User | None, **fields: Any) -> Appeal:
    """Register an appeal in the call (stage 6): what the caller does not say is taken from the call.

    `fields` are those of `tickets.register_appeal`. The first appeal becomes the one that R1 asks for, also of the lost
    call and its call back, which share it (D3). The same `action_id` is one appeal.

    Raises NotFound, Refused (`closed`, `not_answered`), and what `tickets.register_appeal` raises.
    """
    call, relatives = lock_family(call_id, actor)
    need_talk(call)
    fields.setdefault("client", call.client)
    fields.setdefault("account", call.account if fields["client"] == call.client else None)
    fields.setdefault("topic", call.topic)
    fields["phone"] = fields.get("phone") or call.number
    appeal = tickets.register_appeal(actor=actor, **fields)
    _link(call, relatives, appeal, actor)
    tell(call)
    return appeal


@verb
def consult_on(
    *, call_id: int, appeal: Appeal, action_id: UUID, actor: User | None, outcome: str = "", description: str = ""
) -> Appeal:
    """«Консультация по обращению №…» in one key: registered on the earlier appeal and closed at once.

    Where no card is open yet, that of the earlier appeal is opened. Raises what `register_in_call` raises; Refused
    `registered_in_this_call` where the appeal, or a consultation on it, was registered in this very call.
    """
    call, relatives = lock_family(call_id, actor)
    need_talk(call)
    _refuse_own(call, appeal, action_id)
    if call.client_id is None and appeal.client is not None:
        choose_client(call_id=call_id, client=appeal.client, account=appeal.account, actor=actor)
        call.refresh_from_db()
    consultation = tickets.register_appeal(
        kind=Appeal.Kind.CONSULTATION,
        description=description,
        outcome=outcome,
        parent=appeal,
        client=appeal.client,
        account=appeal.account,
        topic=_topic_on(appeal, call),
        phone=call.number,
        action_id=action_id,
        close=True,
        actor=actor,
    )
    CallAppeal.objects.get_or_create(call=call, appeal=appeal, relation=Relation.CONSULTED)
    journal.done(call, StageCode.HISTORY, actor=actor, appeal=appeal.pk)
    _link(call, relatives, consultation, actor, result="status_told")
    tell(call)
    return consultation


@verb
def register_preset(*, call_id: int, preset: str, action_id: UUID, actor: User | None) -> Appeal:
    """One key each: a wrong number, silence, a job seeker, another atypical question. No client is needed (R1).

    The question is atypical, so the farewell is not said. A wrong number and silence end the talk in substance: the
    hang-up then needs no word.

    Raises NotFound, Refused (`closed`, `not_answered`), Invalid (`preset`).
    """
    if preset not in PRESETS:
        raise Invalid("preset", _("There is no such preset."), field="preset")
    topic_code, result, ends = PRESETS[preset]
    call, relatives = lock_family(call_id, actor)
    need_talk(call)
    topic = Topic.objects.filter(code=topic_code).first()
    appeal = tickets.register_appeal(
        kind=Appeal.Kind.OTHER,
        description=str(topic) if topic else preset,
        topic=topic,
        client=call.client,
        account=call.account,
        phone=call.number,
        action_id=action_id,
        close=True,
        actor=actor,
    )
    if not call.is_atypical:
        call.is_atypical = True
        call.save(update_fields=["is_atypical"])
        journal.note(call, journal.Code.FLAG, actor, is_atypical=True)
    _link(call, relatives, appeal, actor, result=result)
    if ends and call.phase == Call.Phase.DIALOG:
        call.phase = Call.Phase.DONE
        if call.line_state == Call.LineState.ENDED and not call.ending:
            call.ending = Call.Ending.GOODBYE
            journal.note(call, journal.Code.ENDING_DECLARED, actor, before="", after=call.ending, preset=preset)
        call.save(update_fields=["phase", "ending"])
    tell(call)
    return appeal


@verb
def give_contacts_in_call(
    *, call_id: int, service_center: ServiceCenter, action_id: UUID, actor: User | None, **fields: Any
) -> Appeal:
    """Out of warranty: a consultation in the state «referred», with the centre whose contacts were given.

    `fields` are those of `tickets.register_appeal`. Raises what `register_in_call` raises.
    """
    call, relatives = lock_family(call_id, actor)
    need_talk(call)
    fields.setdefault("client", call.client)
    fields.setdefault("account", call.account if fields["client"] == call.client else None)
    fields.setdefault("topic", call.topic)
    fields["phone"] = fields.get("phone") or call.number
    fields.setdefault("description", "")
    appeal = tickets.register_appeal(
        kind=Appeal.Kind.CONSULTATION, referred_to=service_center, action_id=action_id, actor=actor, **fields
    )
    journal.done(call, StageCode.DIAGNOSIS, actor=actor, appeal=appeal.pk, center=service_center.pk)
    _link(call, relatives, appeal, actor, result="contacts_given")
    tell(call)
    return appeal


@verb
def move_appeal_in_call(
    *,
    call_id: int,
    appeal: Appeal,
    client: Client | None,
    account: Account | None,
    actor: User | None,
    reason: str = "",
) -> Appeal:
    """An appeal of this call was put on the wrong card: move it, journalled here and on the appeal.

    Raises NotFound, Refused (`closed`), and what `tickets.move_appeal` raises.
    """
    call = lock_open_call(call_id, actor)
    _linked(call, appeal)
    moved = _move(call, appeal, client, account, actor, reason)
    tell(call)
    return moved


@verb
def adopt_appeals(*, call_id: int, actor: User | None) -> list[Appeal]:
    """The card was found after something had been registered without one: those appeals of this call go to it.

    Raises NotFound, Refused (`closed`, `no_client`).
    """
    call = lock_open_call(call_id, actor)
    if call.client is None:
        raise Refused("no_client", _("No card is open in this call."))
    links = call.appeals.filter(relation=Relation.REGISTERED, appeal__client=None).select_related("appeal")
    moved = [_move(call, link.appeal, call.client, call.account, actor, "") for link in links.order_by("appeal")]
    if moved:
        tell(call)
    return moved


@verb
def replace_registered_appeal(*, call_id: int, appeal: Appeal, actor: User | None) -> Call:
    """Another appeal of the call is the one that R1 asks for. Raises NotFound, Refused (`closed`)."""
    call = lock_open_call(call_id, actor)
    _linked(call, appeal)
    if call.registered_appeal_id != appeal.pk:
        before = call.registered_appeal_id
        call.registered_appeal = appeal
        call.save(update_fields=["registered_appeal"])
        journal.note(call, journal.Code.APPEAL_REPLACED, actor, before=before, after=appeal.pk)
        tell(call)
    return call


@verb
def unlink_appeal(*, call_id: int, appeal: Appeal, actor: User | None) -> Call:
    """The wrong appeal was taken for this call: unlink it. The next one of the call, if any, answers R1 in its place.

    Raises NotFound, Refused (`closed`): of a closed call the database itself does not let the last appeal go.
    """
    call = lock_open_call(call_id, actor)
    _linked(call, appeal)
    call.appeals.filter(appeal=appeal).delete()
    if call.registered_appeal_id == appeal.pk:
        following = call.appeals.filter(relation=Relation.REGISTERED).order_by("created_at", "pk").first()
        call.registered_appeal_id = following.appeal_id if following else None
        call.save(update_fields=["registered_appeal"])
    journal.note(call, journal.Code.APPEAL_UNLINKED, actor, appeal=appeal.pk, now=call.registered_appeal_id)
    tell(call)
    return call


# --- What was sent ------------------------------------------------------------------------------------
@verb
def send_sms_in_call(
    *, call_id: int, appeal_id: int, to: str, purpose: str, action_id: UUID, actor: User | None
) -> AppealMessage:
    """Send the message on an appeal of this call, and stage 7 is done. Raises what `tickets.send_sms` raises."""
    fields = {"to": to, "purpose": purpose, "action_id": action_id, "on_the_line": True}
    return _message(tickets.send_sms, call_id, appeal_id, actor, **fields)


@verb
def dictate_in_call(
    *, call_id: int, appeal_id: int, to: str, purpose: str, action_id: UUID, actor: User | None
) -> AppealMessage:
    """Record that it was dictated and read back, and stage 7 is done (R3). Raises what `tickets.dictate` raises."""
    return _message(tickets.dictate, call_id, appeal_id, actor, to=to, purpose=purpose, action_id=action_id)


# --- Parts --------------------------------------------------------------------------------------------
def _message(send: Any, call_id: int, appeal_id: int, actor: User | None, **fields: Any) -> AppealMessage:
    call = lock_open_call(call_id, actor)
    if call.registered_appeal_id != appeal_id and not call.appeals.filter(appeal=appeal_id).exists():
        raise NotFound("not_linked", _("This appeal does not belong to the call."))
    message: AppealMessage = send(appeal_id=appeal_id, actor=actor, **fields)
    journal.done(call, StageCode.SMS, actor=actor, message=message.message_id)
    tell(call)
    return message


def _link(call: Call, relatives: list[Call], appeal: Appeal, actor: User | None, result: str = "") -> None:
    """Tie an appeal that was registered to its call; R1 is satisfied, here and in the calls that share the appeal."""
    _created = CallAppeal.objects.get_or_create(call=call, appeal=appeal, relation=Relation.REGISTERED)[1]
    enter_dialog(call, actor, StageCode.REGISTRATION)
    if call.registered_appeal_id is None:
        call.registered_appeal = appeal
    if call.topic_id is None:
        call.topic = appeal.topic
    if call.result_id is None:
        code = result or ("request_registered" if appeal.is_request else "consulted")
        call.result = CallResult.objects.filter(code=code, is_active=True).first()
    call.save(update_fields=["registered_appeal", "topic", "result", "phase"])
    if _created:
        journal.note(call, journal.Code.APPEAL_REGISTERED, actor, appeal=appeal.pk, kind=appeal.kind)
        if call.stage_acts.filter(stage=StageCode.SMS, act=CallStage.Act.DONE).exists():
            # A second matter: the client has not been told of it yet.
            journal.act(call, StageCode.SMS, CallStage.Act.OPENED, actor)
        journal.done(call, StageCode.REGISTRATION, actor=actor, appeal=appeal.pk)
    for other in relatives:
        if other.registered_appeal_id is None:
            other.registered_appeal = appeal
            other.topic_id = other.topic_id or call.topic_id
            other.save(update_fields=["registered_appeal", "topic"])
            CallAppeal.objects.get_or_create(call=other, appeal=appeal, relation=Relation.CONSULTED)
            journal.note(other, journal.Code.APPEAL_REGISTERED, actor, appeal=appeal.pk, kind=appeal.kind, by=call.pk)
            tell(other)


def _refuse_own(call: Call, appeal: Appeal, action_id: UUID) -> None:
    """«Earlier» means before this call: what it led to needs no consultation, and one on an appeal is enough."""
    own = call.appeals.filter(relation=Relation.REGISTERED).exclude(appeal__action_id=action_id)
    if own.filter(Q(appeal=appeal) | Q(appeal__parent=appeal)).exists():
        raise Refused(
            "registered_in_this_call",
            _("№%(number)s has its consultation in this call already.") % {"number": appeal.number},
        )


def _linked(call: Call, appeal: Appeal) -> None:
    if not call.appeals.filter(appeal=appeal).exists():
        raise NotFound("not_linked", _("This appeal does not belong to the call."))


def _move(
    call: Call, appeal: Appeal, client: Client | None, account: Account | None, actor: User | None, reason: str
) -> Appeal:
    before = appeal.client_id
    moved = tickets.move_appeal(appeal_id=appeal.pk, client=client, account=account, reason=reason, actor=actor)
    if moved.client_id != before:
        journal.note(call, journal.Code.APPEAL_MOVED, actor, appeal=appeal.pk, before=before, after=moved.client_id)
    return moved


def _topic_on(appeal: Appeal, call: Call) -> Topic | None:
    if call.topic_id is not None:
        return call.topic
    if appeal.is_request and appeal.is_open:
        return Topic.objects.filter(code=WHERE_IS_MASTER).first() or appeal.topic
    return appeal.topic
