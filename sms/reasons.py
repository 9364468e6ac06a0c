"""Reason codes of messages in the operator's words; a gateway's own code that is not here is shown as it is."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

REASONS = {
    "no_connection": _("the gateway can't be reached, another try will follow"),
    "throttled": _("the gateway takes no more at the moment, another try will follow"),
    "too_late": _("the worker was too slow, another try will follow"),
    "no_answer": _("the gateway did not answer"),
    "lease_expired": _("the sending was cut off"),
    "adapter": _("an error while sending"),
    "http": _("the gateway's answer was not clear"),
    "unclear": _("the gateway's answer was not clear"),
    "not_encodable": _("the text or the number can't be said to the gateway"),
    "stopped": _("the sending was interrupted, another try will follow"),
    "network": _("the mobile network could not deliver it"),
    "invalid_destination": _("there is no such subscriber"),
    "absent_subscriber": _("the subscriber can't be reached"),
    "no_money": _("there is no money at the gateway, another try will follow"),
    "bad_credentials": _("the gateway does not know us, another try will follow"),
    "bad_request": _("the gateway did not understand the request"),
    "forbidden_text": _("the gateway does not let this text or this sender pass"),
    "sender_not_allowed": _("the sender's name is not allowed at the gateway"),
    "too_long": _("the text is too long for the gateway"),
    "denied_number": _("the gateway does not send to this number"),
    "over_limit": _("the gateway sends no more messages to this number for now"),
    "no_route": _("the gateway can't reach this number"),
    "not_paid": _("there was no money at the gateway for it"),
    "no_sms_service": _("the subscriber's telephone or tariff takes no SMS"),
    "handset_error": _("an error of the subscriber's telephone"),
    "subscriber_blocked": _("the subscriber is blocked"),
    "sim_changed": _("the subscriber has changed the SIM card"),
    "queue_full": _("too many messages wait for this subscriber already"),
    "no_template": _("the operator wants a template for such messages"),
    "no_contract": _("the gateway has no contract with this operator"),
    "no_receipt": _("the operator has not told what became of it"),
    "wrong_hours": _("messages are not delivered at this hour"),
    "rejected_by_operator": _("rejected by the subscriber's operator"),
    "rejected_by_gateway": _("rejected by the gateway"),
    "test_mode": _("the account at the gateway is in test mode: nothing is sent"),
    "bind": _("the gateway does not let us in"),
    "link_lost": _("the connection to the gateway broke before it answered"),
    "never_sent": _("was not sent: the message went no further"),
    "probably_accepted": _("the gateway has probably taken it already"),
    "quiet_hours": _("waits for the end of the quiet hours"),
    "opted_out": _("the client asked not to be sent SMS"),
    "no_consent": _("the client's consent is missing"),
    "outdated": _("the state has changed since"),
    "confirmed": _("the client said that it arrived"),
    "no_balance": _("the gateway did not tell its balance"),
}


def in_words(code: str) -> str:
    """«no_connection:ConnectError» → the words for `no_connection`; "" for no code."""
    kind = code.partition(":")[0]
    return str(REASONS.get("http" if kind.startswith("http_") else kind, kind))
