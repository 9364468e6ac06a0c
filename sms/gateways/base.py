"""What a gateway is to the outbox. Each gateway is an adapter of this interface in a module of this package.

The four outcomes of `submit` are the whole of the at-most-once promise: only where a gateway surely did not get the
message (`NotSubmitted`) it goes back to the queue; where there is no clear answer it is `Unknown` and never sent
again by the machine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from django.core.checks import CheckMessage

from sms import segments


@dataclass(frozen=True, slots=True)
class Submission:
    """What goes out. `reference` is ours, the same for the message's whole life: some gateways can look it up."""

    reference: UUID
    to: str  # E.164
    text: str
    sender: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway has it and gave it an id. Not yet delivered. `cost` in roubles, where the gateway tells."""

    gateway_id: str
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The gateway said no, and a second try would get the same answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotSubmitted:
    """Surely not handed over: no connection, or throttled. Goes back to the queue."""

    reason: str
    # What the gateway asked for; another one need not wait so long. None: our own back-off.
    retry_after: timedelta | None = None
    # The gateway itself is out of order (no connection, no money, wrong password): the next in the order may try.
    is_down: bool = False
    # Not one octet of it was written: to the gateway the next attempt is the first.
    saw_nothing: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """No clear answer after the first byte of the request may have left."""

    reason: str


Outcome = Accepted | Rejected | NotSubmitted | Unknown


@dataclass(frozen=True, slots=True)
class Status:
    """What the gateway says became of a message. `state` is a value of SmsMessage.State.

    `reference` is ours (the action's id), where the gateway names that; it finds a message whose id we never learned.
    """

    gateway_id: str
    state: str
    reason: str = ""
    reference: UUID | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """A POST of a gateway to us, free of Django: `form` holds the values of each name in order."""

    form: Mapping[str, list[str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class CallbackReply:
    """What a callback says, and the text that the gateway expects as the answer."""

    statuses: list[Status] = field(default_factory=list)
    answer: str = "OK"


class CallbackRefused(Exception):
    """Not from this gateway, or not readable. Its `code` goes to the log and the answer."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the outbox may ask of this gateway."""

    status_by_id: bool = False
    # Can it be asked about a message by our reference? Then what is unknown can be reconciled.
    status_by_reference: bool = False
    # Or, as it takes no reference, can the message be found by its number and text?
    status_by_text: bool = False
    # Does it tell by itself what became of a message?
    callback: bool = False
    balance: bool = False
    # Handed over by a long-running process of its own that holds a connection (SMPP), not by tasks.
    own_process: bool = False
    # What it turned away it may not be shown again sooner.
    not_sooner: timedelta = timedelta(0)
    # The longest text that it takes; None: any that we send.
    most_segments: int | None = None
    most_characters: int | None = None

    def takes(self, text: str) -> bool:
        """Is this text not too long for it?"""
        if self.most_characters is not None and len(text) > self.most_characters:
            return False
        return self.most_segments is None or segments.count(text).count <= self.most_segments


class Gateway(ABC):
    """An adapter. Built for one use: it holds settings, no connection and no state between messages."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities] = Capabilities()

    @property
    @abstractmethod
    def deadline(self) -> timedelta:
        """The longest that `submit` may take, all in all. The outbox leases a message for longer than this."""

    @abstractmethod
    def submit(self, submission: Submission) -> Outcome:
        """Hand one message over, once: no retry, no redirect, no second host. The network's faults are outcomes."""

    def fetch_status(self, *, gateway_id: str, reference: UUID, to: str) -> Status | None:
        """What became of it, by the gateway's id or, where that is "", by our reference. None: nobody can tell.

        `to` is the number (E.164) it went to: some gateways ask for it.
        """
        raise NotImplementedError(f"{self.name} has no status query")

    def find_status(self, *, to: str, text: str, sent_after: datetime) -> Status | None:
        """What became of a message whose id we never learned, found by its number and text; `sent_after`: when the
        attempt began. None where nothing is found, or more than one thing that it might be.
        """
        raise NotImplementedError(f"{self.name} can't be searched")

    def registered_address(self, address: str) -> str:
        """The address of its callbacks as it is entered in the gateway's account."""
        return address

    def parse_callback(self, callback: Callback) -> CallbackReply:
        """Read what the gateway says by itself; raises CallbackRefused where it is not proved to be the gateway."""
        raise NotImplementedError(f"{self.name} sends no callbacks")

    def fetch_balance(self) -> Decimal | None:
        """The money left, in roubles. None: the gateway did not tell."""
        raise NotImplementedError(f"{self.name} tells no balance")

    @abstractmethod
    def check_config(self) -> list[CheckMessage]:
        """What is wrong with the settings, as Django's system checks say it. Never opens a connection."""
