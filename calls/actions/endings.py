"""How a talk ended: the operator's word after a hang-up, the exchange's where it says so; who ended it; flags."""

from __future__ import annotations

from django.utils.translation import gettext as _

from calls import journal, rules
from calls.actions import _lost
from calls.actions._common import lock_open_call, tell, tell_call_backs
from calls.facts import facts_of, lost_call_back_of
from calls.models import Call
from hotline.base.actions import verb
from hotline.base.errors import Invalid, Refused
from hotline.operators.models import User


@verb
def declare_ending(*, call_id: int, ending: str, actor: User | None) -> Call:
    """After a hang-up in dialog: «разговор окончен» or «связь прервалась»; only the latter plans the call back (D2).

    A hidden number can't be called back, and neither is a client who got through to us meanwhile: the call back is then
    on the record as cancelled, with its reason. A hand-dialled call to the client between the hang-up and this word
    was the one attempt. May be corrected until the call is closed or the call back attempted; journalled.

    Raises NotFound, Invalid (`ending`), Refused (`closed`, or a code of `rules.may_correct_ending`).
    """
    if ending not in Call.Ending.values:
        raise Invalid("ending", _("Say whether the talk was over or the connection was lost."), field="ending")
    call = lock_open_call(call_id, actor)
    if ending == call.ending:
        return call
    verdict = rules.may_correct_ending(facts_of(call))
    if not verdict.allowed:
        raise Refused(verdict.code, verdict.text)
    code = journal.Code.ENDING_CORRECTED if call.ending else journal.Code.ENDING_DECLARED
    journal.note(call, code, actor, before=call.ending, after=ending)
    call.ending = Call.Ending(ending)
    call.save(update_fields=["ending"])
    _lost.follow_ending(call, actor)
    tell(call)
    back = lost_call_back_of(call)
    if back is not None:
        tell_call_backs(back.owner_id)
    return call


@verb
def set_talk_ended_by(*, call_id: int, party: str, actor: User | None) -> Call:
    """Who ends the *talk*, by the operator's word: decides whether the question is asked (stage 8).

    Raises NotFound, Invalid (`party`), Refused (`closed`).
    """
    if party not in Call.Party.values:
        raise Invalid("party", _("The operator or the client."), field="party")
    call = lock_open_call(call_id, actor)
    if call.talk_ended_by != party:
        call.talk_ended_by = Call.Party(party)
        call.save(update_fields=["talk_ended_by"])
        journal.note(call, journal.Code.TALK_ENDED_BY, actor, party=party)
        tell(call)
    return call


@verb
def set_flags(
    *, call_id: int, actor: User | None, is_atypical: bool | None = None, wants_rating: bool | None = None
) -> Call:
    """An atypical question; the client asks for the rating himself (stage 9). None leaves as it is.

    Raises NotFound, Refused (`closed`).
    """
    call = lock_open_call(call_id, actor)
    wanted = {"is_atypical": is_atypical, "wants_rating": wants_rating}
    changed = {name: value for name, value in wanted.items() if value is not None and getattr(call, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(call, name, value)
        call.save(update_fields=list(changed))
        journal.note(call, journal.Code.FLAG, actor, **changed)
        tell(call)
    return call
