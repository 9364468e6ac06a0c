"""Clients, what they own, and what they asked for. Names as in the regulation's table of words."""

from tickets.models.appeals import Appeal, Assignment, Topic
from tickets.models.appliances import Appliance, DateSource, FactSource, ModelSuggestion, ProductModel, WarrantyRule
from tickets.models.clients import Account, Client, ClientPhone
from tickets.models.journal import AppealEvent
from tickets.models.papers import (
    AppealMessage,
    AppealReference,
    AutomaticSms,
    Comment,
    Document,
    DocumentKind,
    Reminder,
)

__all__ = [
    "Account",
    "Appeal",
    "AppealEvent",
    "AppealMessage",
    "AppealReference",
    "Appliance",
    "Assignment",
    "AutomaticSms",
    "Client",
    "ClientPhone",
    "Comment",
    "DateSource",
    "Document",
    "DocumentKind",
    "FactSource",
    "ModelSuggestion",
    "ProductModel",
    "Reminder",
    "Topic",
    "WarrantyRule",
]
