"""Which gateway a message goes to: by its sender, in the order that the settings name.

The next in the order takes over only what the one before surely did not get; what is unknown never moves. A gateway for
which a text is too long is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from sms.gateways import GATEWAYS, by_name


def senders() -> list[str]:
    """The names that a client may see, the usual one first."""
    return [settings.SMS_SENDER, *(name for name in settings.SMS_SENDERS if name != settings.SMS_SENDER)]


def order_of(sender: str) -> list[str]:
    """The gateways of a sender, first choice first; the usual order where it has none of its own."""
    return [name for name in settings.SMS_SENDERS.get(sender, settings.SMS_GATEWAYS) if name in GATEWAYS]


def first(sender: str, text: str = "") -> str:
    """Whose turn it is at first; "" where SMS are switched off, or the text is too long for each of them."""
    return next(_taking(order_of(sender), text), "")


def after(sender: str, gateway: str, text: str = "") -> str:
    """Whose turn it is after one that is out of order: the next, and after the last the first again."""
    order = order_of(sender)
    behind = order.index(gateway) + 1 if gateway in order else 0
    return next(_taking(order[behind:] + order[:behind], text), "")


def _taking(order: list[str], text: str) -> Iterator[str]:
    return (name for name in order if by_name(name).capabilities.takes(text))


def is_behind(sender: str, gateway: str, other: str) -> bool:
    """Does this gateway come after the other in the order of a sender? Else the order has come round to it again."""
    order = order_of(sender)
    return gateway in order and other in order and order.index(gateway) > order.index(other)


def in_use() -> list[str]:
    """Every gateway that some sender's messages may go to, each once."""
    named = [settings.SMS_GATEWAYS, *settings.SMS_SENDERS.values()]
    return list(dict.fromkeys(name for order in named for name in order if name in GATEWAYS))


def is_on() -> bool:
    """Are SMS sent at all? Else they are dictated."""
    return bool(first(settings.SMS_SENDER))
