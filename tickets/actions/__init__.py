"""The verbs of clients and appeals: what pages, the API, the admin, commands and the call's workspace call."""

from tickets.actions.appeals import change_state, edit_appeal, give_contacts, mark_duplicate, move_appeal
from tickets.actions.appliances import (
    add_appliance,
    dismiss_suggestion,
    resolve_suggestion,
    suggest_model,
    update_appliance,
)
from tickets.actions.assignments import accept_assignment, assign_center, end_assignment
from tickets.actions.clients import add_phone, open_account, register_client, remove_phone, update_client
from tickets.actions.facts import facts_of, facts_of_appeal, judge_warranty
from tickets.actions.messages import (
    Preview,
    default_purpose,
    dictate,
    is_outdated,
    message_text,
    outdated,
    resend,
    send_sms,
    template_for,
    template_of,
)
from tickets.actions.papers import (
    add_comment,
    add_document,
    answer_letter,
    complete_reminder,
    note_reference,
    set_reminder,
)
from tickets.actions.registration import register_appeal
from tickets.completeness import ApplianceFacts, MissingItem, missing_items

__all__ = [
    "ApplianceFacts",
    "MissingItem",
    "Preview",
    "accept_assignment",
    "add_appliance",
    "add_comment",
    "add_document",
    "add_phone",
    "answer_letter",
    "assign_center",
    "change_state",
    "complete_reminder",
    "default_purpose",
    "template_of",
    "dictate",
    "dismiss_suggestion",
    "edit_appeal",
    "end_assignment",
    "facts_of",
    "facts_of_appeal",
    "give_contacts",
    "is_outdated",
    "judge_warranty",
    "mark_duplicate",
    "message_text",
    "missing_items",
    "outdated",
    "move_appeal",
    "note_reference",
    "open_account",
    "register_appeal",
    "register_client",
    "remove_phone",
    "resend",
    "resolve_suggestion",
    "send_sms",
    "set_reminder",
    "suggest_model",
    "template_for",
    "update_appliance",
    "update_client",
]
