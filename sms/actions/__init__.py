"""The verbs of SMS: what pages, the API, tasks and other rooms call. Only these move a message."""

from sms.actions.condition import check_balances, note_link
from sms.actions.decisions import confirm_arrival, send_anew, withdraw
from sms.actions.home import is_held, release_outbox
from sms.actions.messages import queue_message, record_dictation
from sms.actions.numbers import end_opt_out, give_consent, opt_out, withdraw_consent
from sms.actions.outbox import Claim, claim, deliver, settle
from sms.actions.parts import PartToSend, claim_parts, pass_on, settle_parts
from sms.actions.statuses import check_status, receive_status
from sms.actions.sweeping import expire_leases, sweep
from sms.actions.templates import save_template

__all__ = [
    "Claim",
    "PartToSend",
    "check_balances",
    "check_status",
    "claim",
    "claim_parts",
    "confirm_arrival",
    "deliver",
    "end_opt_out",
    "expire_leases",
    "give_consent",
    "is_held",
    "note_link",
    "opt_out",
    "pass_on",
    "queue_message",
    "receive_status",
    "record_dictation",
    "release_outbox",
    "save_template",
    "send_anew",
    "settle",
    "settle_parts",
    "sweep",
    "withdraw",
    "withdraw_consent",
]
