"""What Zammad's generic CTI integration accepts, so that an exchange that talks to Zammad works unchanged.

`event` newCall, answer, hangup; `from`, `to`, `direction`, `callId`, `user` or `user[]`, `queue`, `answeringNumber`,
`cause`; form-encoded or JSON. No event id, sequence or time: the key is (source, callId, event), the first one wins.
`event=rating` with `rating` 1 to 5 is our own addition. docs/telephony.md
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _

from calls.models import Call, CallEvent
from calls.telephony.event import TelephonyEvent
from calls.telephony.numbers import is_internal
from hotline.base.errors import Invalid

Type = CallEvent.Type
Values = dict[str, list[str]]

# More than any exchange sends.
MAX_BODY = 64 * 1024
MAX_FIELDS = 200
MAX_TEXT = 300

_TYPES = {
    "newcall": Type.RINGING,
    "answer": Type.ANSWERED,
    "hangup": Type.ENDED,
    "rating": Type.RATING,
}
_DIRECTIONS = {
    "in": Call.Direction.IN,
    "inbound": Call.Direction.IN,
    "incoming": Call.Direction.IN,
    "out": Call.Direction.OUT,
    "outbound": Call.Direction.OUT,
    "outgoing": Call.Direction.OUT,
}
# The keys that are kept in the record of an event, with what else they are called.
_KEYS = {
    "event": ("event",),
    "callId": ("callId", "call_id", "callid"),
    "from": ("from",),
    "to": ("to",),
    "direction": ("direction",),
    "user": ("user", "user[]", "users"),
    "queue": ("queue",),
    "answeringNumber": ("answeringNumber", "answering_number"),
    "cause": ("cause",),
    "rating": ("rating",),
}
# Causes that say of an answered call: the connection broke, nobody hung up. By name, and by number (ITU-T Q.850).
LOST_CAUSES = frozenset(
    {
        "connectionlost", "destinationoutoforder", "linelost", "lost", "mediatimeout", "networkerror",
        "networkoutoforder", "normaltemporaryfailure", "recoveryontimerexpire", "requestedchanunavail", "rtptimeout",
        "temporaryfailure", "27", "38", "41", "44", "102",
    }
)  # fmt: skip


def read(body: bytes, content_type: str) -> Values:
    """The fields of a request's body, each with its values, every character storable.

    Raises Invalid (`too_big`, `malformed`).
    """
    if len(body) > MAX_BODY:
        raise Invalid("too_big", _("The event is bigger than 64 KB."))
    text = body.decode("utf-8", "replace")
    if "json" in content_type.lower() or text.lstrip()[:1] == "{":
        return _read_json(text)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Invalid("malformed", _("This is no form: too many fields.")) from None
    values: Values = {}
    for name, value in pairs:
        values.setdefault(_clean(name), []).append(_clean(value))
    return values


def _read_json(text: str) -> Values:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid("malformed", _("This is no JSON.")) from None
    if not isinstance(data, dict):
        raise Invalid("malformed", _("A JSON object is expected."))
    return {_clean(str(name)): _flat(value) for name, value in list(data.items())[:MAX_FIELDS]}


def _flat(value: Any) -> list[str]:
    """A scalar as one text; a list or an object as its scalars, one level deep."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value[:50] if not isinstance(item, (list, dict)) for text in _flat(item)]
    return [] if value is None else [_clean(value if isinstance(value, str) else json.dumps(value))]


def _clean(text: str) -> str:
    """Without what PostgreSQL can't store (NUL, lone surrogates), and of bearable length."""
    return re.sub(r"[\x00\ud800-\udfff]", "", text)[:1000].strip()


def fold(values: Values, source: str) -> TelephonyEvent:
    """The normalised event. An event of an unknown kind is kept as `unknown`, whatever else it says.

    Raises Invalid (`event_missing`, `call_id_missing`): without these nobody knows what it is about.
    """
    said = {name: next((values[key] for key in keys if values.get(key)), []) for name, keys in _KEYS.items()}
    first = {name: (texts[0] if texts else "") for name, texts in said.items()}
    if not first["event"]:
        raise Invalid("event_missing", _("Which event? newCall, answer or hangup."), field="event")
    if not first["callId"]:
        raise Invalid("call_id_missing", _("Which call? callId is missing."), field="callId")
    direction = _DIRECTIONS.get(first["direction"].lower(), "") or _guess(first["from"], first["to"])
    outgoing = direction == Call.Direction.OUT
    ours, theirs = (first["from"], first["to"]) if outgoing else (first["to"], first["from"])
    people = [*said["answeringNumber"], *said["user"], *([ours] if ours and is_internal(ours) else [])]
    event_type = _TYPES.get(first["event"].lower(), Type.UNKNOWN)
    cause = re.sub(r"[^a-z0-9]", "", first["cause"].lower())
    return TelephonyEvent(
        source=source,
        call_id=first["callId"],
        name=first["event"].lower(),
        type=event_type,
        direction=direction,
        number=theirs,
        line=ours,
        people=tuple(dict.fromkeys(people)),
        queue=first["queue"],
        cause=first["cause"],
        hung_up_by=_hung_up_by(event_type, cause, outgoing),
        is_lost=cause in LOST_CAUSES,
        rating=int(first["rating"]) if re.fullmatch(r"[0-9]", first["rating"]) else None,
        payload=_payload(values, said),
    )


def _guess(caller: str, called: str) -> str:
    """A direction that was not said: from a telephone of the house to a number outside it is outgoing."""
    return Call.Direction.OUT if is_internal(caller) and called and not is_internal(called) else Call.Direction.IN


def _hung_up_by(event_type: str, cause: str, outgoing: bool) -> str:
    """Exchanges rarely say who hung up: `cancel` is the caller's doing, a lost line nobody's, the rest is unknown."""
    if event_type != Type.ENDED:
        return ""
    if cause == "cancel":
        return Call.HungUpBy.OPERATOR if outgoing else Call.HungUpBy.CLIENT
    return Call.HungUpBy.SYSTEM if cause in LOST_CAUSES else ""


def _payload(values: Values, said: Values) -> dict[str, Any]:
    """What is kept: the fields we know, cut, and the names of the others."""
    known = {key for keys in _KEYS.values() for key in keys}
    kept: dict[str, Any] = {
        name: [text[:MAX_TEXT] for text in texts[:20]] if name == "user" else texts[0][:MAX_TEXT]
        for name, texts in said.items()
        if texts
    }
    others = [name[:60] for name in values if name not in known][:20]
    return kept | ({"others": others} if others else {})


def source_of(username: str, pk: int) -> str:
    """The exchange as calls and events name it: the integration's login, whatever token it uses today."""
    return username if len(username) <= 40 else f"integration-{pk}"
