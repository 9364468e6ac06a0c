"""Reference data: idempotent, never touches what a supervisor has changed. Loaded by `manage.py load_reference`."""

from __future__ import annotations

from sms.actions import save_template
from sms.models import DeniedCode, SmsTemplate

# libphonenumber calls both Russian.
DENIED_CODES = {"940": "Абхазия", "998": "Южная Осетия"}

_CENTER = "{center_name}, {center_address}, тел. {center_phones}, {center_hours}."

TEMPLATES = [
    (
        "request-registered",
        SmsTemplate.Moment.REQUEST_REGISTERED,
        "Заявка зарегистрирована",
        "Заявка №{appeal_number} зарегистрирована. " + _CENTER,
    ),
    (
        "service-center-contacts",
        SmsTemplate.Moment.SERVICE_CENTER_CONTACTS,
        "Контакты АСЦ",
        _CENTER,
    ),
    (
        "out-of-warranty",
        SmsTemplate.Moment.OUT_OF_WARRANTY,
        "Вне гарантии: контакты АСЦ",
        "Обращение №{appeal_number}. Ремонт платный. " + _CENTER,
    ),
    (
        "request-state",
        SmsTemplate.Moment.STATUS_CHANGED,
        "Состояние заявки",
        "По заявке № {appeal_number} новый статус: «{appeal_state}».",
    ),
]


def load() -> None:
    """Add the denied codes and templates that are not there yet."""
    for code, reason in DENIED_CODES.items():
        DeniedCode.objects.get_or_create(code=code, defaults={"reason": reason})
    known = set(SmsTemplate.objects.values_list("code", flat=True))
    for code, moment, name, text in TEMPLATES:
        if code not in known:
            save_template(code=code, moment=moment, name=name, text=text, actor=None)
