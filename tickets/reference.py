"""Reference data of the room: topics, kinds of papers, rules of automatic SMS (`manage.py load_reference`)."""

from __future__ import annotations

from sms.models import SmsTemplate
from tickets.models import AutomaticSms, DocumentKind, Topic

# code, name, is it an atypical question
TOPICS = [
    ("where-is-master", "Где мастер? Срок по заявке", False),
    ("usage", "Вопрос по эксплуатации", False),
    ("does-not-start", "Не включается", False),
    ("error-code", "Ошибка на дисплее", False),
    ("noise", "Шумит, вибрирует", False),
    ("leak", "Течь", False),
    ("no-heating", "Не греет", False),
    ("no-cooling", "Не морозит", False),
    ("other-fault", "Другая неисправность", False),
    ("installation", "Установка и подключение", False),
    ("center-address", "Адрес и телефон АСЦ", False),
    ("warranty", "Гарантия: условия и срок", False),
    ("spare-parts", "Запчасти и расходники", False),
    ("cost", "Стоимость ремонта", False),
    ("documents", "Документы: акт, заключение", False),
    ("exchange", "Обмен и возврат", False),
    ("choice", "Выбор модели, где купить", False),
    ("complaint", "Жалоба на АСЦ", False),
    ("praise", "Благодарность", False),
    ("job", "Вакансия, трудоустройство", True),
    ("partnership", "Сотрудничество, стать АСЦ", True),
    ("wrong-number", "Ошиблись номером", True),
    ("silence", "Тишина в трубке", True),
    ("other-brand", "Техника не нашей марки", True),
    ("atypical", "Другой нетипичный вопрос", True),
    ("other", "Другое", False),
]

# «RC» stays «RC»: its meaning is the hotline's own.
DOCUMENT_KINDS = [("act", "Акт"), ("rc", "RC"), ("letter", "Письмо")]


def load() -> None:
    """Add what is missing; what a supervisor renamed or switched off is left as it is. May run again and again."""
    Topic.objects.bulk_create(
        [
            Topic(code=code, name=name, is_atypical=atypical, position=position)
            for position, (code, name, atypical) in enumerate(TOPICS, start=1)
        ],
        ignore_conflicts=True,
    )
    DocumentKind.objects.bulk_create(
        [
            DocumentKind(code=code, name=name, position=position)
            for position, (code, name) in enumerate(DOCUMENT_KINDS, start=1)
        ],
        ignore_conflicts=True,
    )
    # Every rule is there to be switched on, and none is on.
    template = SmsTemplate.objects.current().filter(moment=SmsTemplate.Moment.STATUS_CHANGED).order_by("code").first()
    if template is not None:
        AutomaticSms.objects.bulk_create(
            [AutomaticSms(state=state, template_code=template.code) for state in AutomaticSms.STATES],
            ignore_conflicts=True,
        )
