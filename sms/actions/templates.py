"""Templates are versioned: saving makes a new version, and the one in use flips under the lock."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from hotline.base.actions import constraint_of, verb
from hotline.base.errors import Conflict, Invalid, InvalidFields
from hotline.operators.models import User
from sms import segments
from sms.actions.messages import MAX_SEGMENTS
from sms.gateways import routing
from sms.models import Category, SmsTemplate
from sms.placeholders import examples
from sms.templating import checked_text, placeholders_of, render


@verb
def save_template(
    *,
    code: str,
    moment: str,
    name: str,
    text: str,
    kind: str = SmsTemplate.Kind.ANY,
    category: str = Category.SERVICE,
    sender: str = "",
    daily_limit: int | None = None,
    based_on: int | None = None,
    actor: User | None,
) -> SmsTemplate:
    """Save a template as a new version and put it in use; the first version where the code is new.

    `based_on` is the version that the person saw: where another has been saved since, nothing is overwritten. Saving
    what is already in use changes nothing and returns it.

    Raises Invalid on `text` (`empty`, `bad_characters`, `unbalanced_braces`, `unknown_placeholder`, `too_long`),
    `unknown_sender`; InvalidFields on the others, Conflict `template_changed`.
    """
    text = checked_text(text)
    placeholders_of(text)
    if sender.strip() and sender.strip() not in routing.senders():
        raise Invalid("unknown_sender", _("There is no such sender."), field="sender")
    example = render(text, examples())
    if segments.count(example).count > MAX_SEGMENTS:
        raise Invalid(
            "too_long",
            _("With the example values this takes more than %(most)d SMS.") % {"most": MAX_SEGMENTS},
            field="text",
        )
    usual = sender.strip() or settings.SMS_SENDER
    if routing.first(usual) and not routing.first(usual, example):
        raise Invalid(
            "too_long", _("With the example values no gateway of this sender takes so long a text."), field="text"
        )
    current = SmsTemplate.objects.select_for_update().current().filter(code=code).first()
    if (current.version if current else None) != based_on and based_on is not None:
        raise _changed_meanwhile()
    wanted = {
        "moment": moment,
        "kind": kind,
        "category": category,
        "sender": sender.strip(),
        "name": name.strip(),
        "text": text,
        "daily_limit": daily_limit,
    }
    if current is not None:
        if all(getattr(current, field) == value for field, value in wanted.items()):
            return current
        SmsTemplate.objects.filter(pk=current.pk).update(is_current=False)
    new = SmsTemplate(
        code=code,
        version=current.version + 1 if current else 1,
        created_by=actor,
        **wanted,
    )
    try:
        new.full_clean(exclude=["created_by"], validate_constraints=False)
    except ValidationError as error:
        raise InvalidFields(
            {
                field: [(problem.code or "invalid", problem.messages[0]) for problem in problems]
                for field, problems in error.error_dict.items()
            },
            _("The template can't be saved like this."),
        ) from error
    try:
        with transaction.atomic():
            new.save(force_insert=True)
    except IntegrityError as error:
        if constraint_of(error) in {"sms_template_version_unique", "sms_template_one_current"}:
            raise _changed_meanwhile() from error
        raise
    return new


def _changed_meanwhile() -> Conflict:
    return Conflict(
        "template_changed",
        _("Somebody has saved another version of this template meanwhile. Compare, then save again."),
        field="text",
    )
