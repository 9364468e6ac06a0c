"""SMPP 3.4: messages are handed over by the process of `manage.py smpp`, never by a task (docs/smpp.md)."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import ClassVar

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from sms.gateways.base import Capabilities, Gateway, Outcome, Submission

# C-octet strings of a bind without their NUL (SMPP 3.4, 5.2.1 to 5.2.3); many centres take longer passwords.
_SYSTEM_ID, _SYSTEM_TYPE, _PASSWORD = 15, 12, 64
_MOST = 1000


class SmppGateway(Gateway):
    """What the outbox needs to know: `own_process`. The connection is the process's."""

    name: ClassVar[str] = "smpp"
    capabilities: ClassVar[Capabilities] = Capabilities(own_process=True)

    @property
    def deadline(self) -> timedelta:
        return timedelta(seconds=settings.SMS_TIMEOUT)

    def submit(self, submission: Submission) -> Outcome:
        raise NotImplementedError("SMPP messages are handed over by `manage.py smpp`, which claims parts by itself")

    def check_config(self) -> list[CheckMessage]:
        """sms.E040–E047 and W049."""
        found: list[CheckMessage] = []

        def wrong(number: int, what: str, hint: str) -> None:
            found.append(Error(what, hint=hint, id=f"sms.E{number:03}"))

        if not settings.SMPP_HOST or not 1 <= settings.SMPP_PORT <= 65535:
            wrong(40, "HOTLINE_SMPP_HOST or HOTLINE_SMPP_PORT names no centre.", "The gateway's operator tells both.")
        if not _fits(settings.SMPP_SYSTEM_ID, 1, _SYSTEM_ID):
            wrong(41, "HOTLINE_SMPP_SYSTEM_ID is missing or too long.", f"ASCII, at most {_SYSTEM_ID} characters.")
        if not _fits(settings.SMPP_PASSWORD, 1, _PASSWORD):
            wrong(42, "HOTLINE_SMPP_PASSWORD is missing or too long.", f"ASCII, at most {_PASSWORD} characters.")
        if not _fits(settings.SMPP_SYSTEM_TYPE, 0, _SYSTEM_TYPE):
            wrong(43, "HOTLINE_SMPP_SYSTEM_TYPE is too long.", f"ASCII, at most {_SYSTEM_TYPE} characters.")
        if not 1 <= settings.SMPP_WINDOW <= _MOST:
            wrong(44, f"HOTLINE_SMPP_WINDOW is not between 1 and {_MOST}.", "Ten is what most centres allow.")
        if not 1 <= settings.SMPP_PER_SECOND <= _MOST:
            wrong(45, f"HOTLINE_SMPP_PER_SECOND is not between 1 and {_MOST}.", "It stands in the contract.")
        found += _receipt_ids() + _senders() + _clear_text()
        return found


def _fits(text: str, least: int, most: int) -> bool:
    return least <= len(text) <= most and text.isascii() and (text.isprintable() or not text)


def _receipt_ids() -> list[CheckMessage]:
    from sms.smpp.answers import ID_FORMS

    if settings.SMPP_RECEIPT_IDS in ID_FORMS:
        return []
    return [
        Error(
            f"HOTLINE_SMPP_RECEIPT_IDS is «{settings.SMPP_RECEIPT_IDS}».",
            hint=f"One of: {', '.join(ID_FORMS)}.",
            id="sms.E046",
        )
    ]


def _senders() -> list[CheckMessage]:
    """Of those senders whose messages may go through here."""
    from sms.gateways import routing
    from sms.smpp.encoding import source_address

    found: list[CheckMessage] = []
    for sender in routing.senders():
        if "smpp" not in routing.order_of(sender):
            continue
        try:
            source_address(sender)
        except ValueError:
            hint = "At most 11 printable ASCII characters, or a number of at most 15 digits."
            found.append(Error(f"The sender «{sender}» can't be said in SMPP.", hint=hint, id="sms.E047"))
    return found


def _clear_text() -> list[CheckMessage]:
    if settings.SMPP_TLS or not settings.SMPP_HOST or _is_private(settings.SMPP_HOST):
        return []
    return [
        Warning(
            "HOTLINE_SMPP_TLS is off: the password, numbers and texts go through the network in clear.",
            hint="Turn it on where the centre takes TLS; else go through a VPN.",
            id="sms.W049",
        )
    ]


def _is_private(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost"
