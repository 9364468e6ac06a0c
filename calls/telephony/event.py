"""The normalised event: what every adapter folds its exchange's words into."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from calls.models import Call, CallEvent

Type = CallEvent.Type

# The state of a line goes by rank and not by arrival: a late «ringing» never makes a call ring that was answered.
RANK: dict[str, int] = {Type.RINGING: 1, Type.ANSWERED: 2, Type.ENDED: 3}

_ID_LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TelephonyEvent:
    """One thing that an exchange said of one call. Times are aware; None: the exchange did not say."""

    source: str
    call_id: str  # the exchange's own, any length
    name: str  # what the exchange calls the event: with the call id it is the key where there is no event id
    type: str  # CallEvent.Type
    direction: str = ""  # Call.Direction; "" where the exchange did not say
    number: str = ""  # the client's, as given
    line: str = ""  # the number of ours that was called, or is shown to the client
    people: tuple[str, ...] = ()  # telephones, logins or names: where it rings, who answered, who dials
    queue: str = ""
    at: datetime | None = None
    cause: str = ""
    hung_up_by: str = ""  # Call.HungUpBy; "" where the exchange did not say
    is_lost: bool = False  # the cause says that the connection broke
    rating: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def external_id(self) -> str:
        """The call id as it is kept: one that is too long by its hash, so that no call is lost for its name."""
        return shorten(self.call_id)

    @property
    def event_id(self) -> str:
        """The key within the source: the first event with it wins."""
        return f"{self.external_id}:{shorten(self.name, 50)}"

    @property
    def is_outgoing(self) -> bool:
        return self.direction == Call.Direction.OUT


def shorten(text: str, limit: int = _ID_LIMIT) -> str:
    """A text of at most `limit` (50 or more) characters: itself, or its beginning and a hash that keeps it apart."""
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{text[: limit - 33]}#{digest}"
