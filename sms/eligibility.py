"""May an SMS go to this number? (stage 7 of the regulation: only to numbers of Russia, and +7 is not only Russia)

A pure rule: a number as typed and the deny list in, a verdict with a reason code out. Every row of it is in
tests/sms/test_eligibility.py. `judge` is the whole gate here and now: the deny list and the settings are read for it,
and then refusals, consent and limits (`limits.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import phonenumbers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from hotline.base.phones import Phone, read_phone
from sms import limits
from sms.gateways import routing
from sms.models import Category, DeniedCode, SmsTemplate

# What exchanges send, and people write, instead of a number that is withheld.
_HIDDEN = re.compile(
    r"\s*(anonymous|anonim|private|unknown|restricted|withheld|unavailable|hidden|no number|скрыт\w*|аноним\w*"
    r"|не\s?определ\w*|неизвест\w*|номер\s+скрыт\w*)\.?\s*\Z",
    re.IGNORECASE,
)

# Whose number it is, in the genitive, as the sentence needs it («Номер Казахстана»): those that call a Russian hotline.
_COUNTRIES = {
    "AM": pgettext_lazy("number of", "Armenia"),
    "AZ": pgettext_lazy("number of", "Azerbaijan"),
    "BY": pgettext_lazy("number of", "Belarus"),
    "CN": pgettext_lazy("number of", "China"),
    "DE": pgettext_lazy("number of", "Germany"),
    "EE": pgettext_lazy("number of", "Estonia"),
    "FI": pgettext_lazy("number of", "Finland"),
    "GE": pgettext_lazy("number of", "Georgia"),
    "IL": pgettext_lazy("number of", "Israel"),
    "KG": pgettext_lazy("number of", "Kyrgyzstan"),
    "KZ": pgettext_lazy("number of", "Kazakhstan"),
    "LT": pgettext_lazy("number of", "Lithuania"),
    "LV": pgettext_lazy("number of", "Latvia"),
    "MD": pgettext_lazy("number of", "Moldova"),
    "MN": pgettext_lazy("number of", "Mongolia"),
    "TJ": pgettext_lazy("number of", "Tajikistan"),
    "TM": pgettext_lazy("number of", "Turkmenistan"),
    "TR": pgettext_lazy("number of", "Turkey"),
    "UA": pgettext_lazy("number of", "Ukraine"),
    "UZ": pgettext_lazy("number of", "Uzbekistan"),
}

# What the codes mean where nothing is known of the number.
_SENTENCES = {
    "ok": gettext_lazy("An SMS can be sent."),
    "empty": gettext_lazy("No number: dictate, or ask the client for a mobile number."),
    "hidden": gettext_lazy("The number is withheld: dictate, or ask the client for a mobile number."),
    "several": gettext_lazy("Several numbers in one field: choose one."),
    "letters": gettext_lazy("There are letters in the number: check what was typed."),
    "invalid": gettext_lazy("There is no such number: check what was typed."),
    "not_russian": gettext_lazy("A foreign number: SMS go to numbers of Russia only."),
    "denied_code": gettext_lazy("Not a number of Russia: SMS go to numbers of Russia only."),
    "fixed_line": gettext_lazy("A landline number: an SMS does not get there. Dictate, or ask for a mobile number."),
    "toll_free": gettext_lazy("An 8-800 number: an SMS does not get there. Dictate, or ask for a mobile number."),
    "not_mobile": gettext_lazy("Not a mobile number: an SMS does not get there. Dictate, or ask for a mobile number."),
    "extension": gettext_lazy(
        "A number with an extension: an SMS does not get there. Dictate, or ask for a mobile number."
    ),
    "no_gateway": gettext_lazy("SMS are switched off here: dictate."),
    "opted_out": gettext_lazy("The client asked not to be sent SMS at this number: dictate."),
    "no_consent": gettext_lazy("Such a message needs the client's consent, and there is none: dictate, or ask for it."),
    "number_limit": gettext_lazy("As many SMS as may go to one number in a day have gone there already: dictate."),
    "template_limit": gettext_lazy(
        "As many SMS as may be made from this template in a day were made already: dictate."
    ),
    "probably_blocked": gettext_lazy(
        "The last messages to this number did not arrive: the subscriber probably blocks them. Rather dictate."
    ),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` for machines ("ok" where allowed), `text` for the operator, and the number as it was read.

    `warning` is a code where it is allowed and yet not to be relied on (`probably_blocked`); `text` says why.
    """

    allowed: bool
    code: str
    text: str
    phone: Phone
    warning: str = ""

    @property
    def takes_sms(self) -> bool:
        """The number itself is fine, whatever else is against it: a refusal, no consent, a limit."""
        return self.allowed or self.code in {"opted_out", "no_consent", "number_limit", "template_limit"}


def judge(raw: str, *, category: str = Category.SERVICE, template: SmsTemplate | None = None) -> Verdict:
    """The verdict of the whole gate here and now; refused where no gateway is configured. Category: the template's.

    Four to six queries where the number itself is fine, none otherwise.
    """
    verdict = judge_number_only(raw)
    if not verdict.allowed:
        return verdict
    return judge_limits_of(verdict, category=template.in_use().category if template else category, template=template)


def judge_number_only(raw: str) -> Verdict:
    """The number rule with the deny list of the database, and `no_gateway`; limits are not asked. One query at most."""
    verdict = judge_number(raw, {})
    if not verdict.allowed:
        return verdict
    if not routing.is_on():
        return _refuse("no_gateway", verdict.phone)
    return judge_number(raw, DeniedCode.objects.as_mapping())


def judge_limits_of(
    verdict: Verdict, *, category: str, template: SmsTemplate | None, leaves_at: datetime | None = None
) -> Verdict:
    """The same verdict, or the refusal of what is known of its number; `warning` where it probably blocks us.

    `leaves_at`: when it goes, where that is not now.
    """
    facts = limits.facts_of(verdict.phone.e164, category=category, template=template, leaves_at=leaves_at)
    if code := limits.judge_limits(facts):
        return _refuse(code, verdict.phone)
    if limits.is_probably_blocked(facts):
        return replace(verdict, warning="probably_blocked", text=str(_SENTENCES["probably_blocked"]))
    return verdict


def judge_number(raw: str, denied_codes: Mapping[str, str]) -> Verdict:
    """The number rule: valid by libphonenumber, of Russia, mobile, no extension, its code not denied.

    `denied_codes` maps three digits to whose numbers they are ({"940": "Абхазия"}). Never raises, whatever was typed.
    """
    if _HIDDEN.match(raw):
        return _refuse("hidden", Phone(raw=raw, problem="letters"))
    phone = read_phone(raw)
    if phone.problem in {"empty", "several", "letters"}:
        return _refuse(phone.problem, phone)
    if phone.problem:
        country = _country_of_unreadable(raw)
        return _not_russian(country, phone) if country else _refuse("invalid", phone)
    if phone.region != "RU":
        # libphonenumber places the +7 numbers of Kazakhstan's zones 6 and 7, other countries by their code.
        return _not_russian(phone.region or _zone_of_seven(phone.e164), phone)
    if phone.line_type != "mobile":
        return _refuse({"fixed": "fixed_line", "toll_free": "toll_free"}.get(phone.line_type, "not_mobile"), phone)
    if phone.extension:
        return _refuse("extension", phone)
    code = phone.e164[2:5]
    if code in denied_codes:
        return Verdict(
            allowed=False,
            code="denied_code",
            text=_("Code %(code)s (%(whose)s): not a number of Russia. SMS go to numbers of Russia only.")
            % {"code": code, "whose": denied_codes[code]},
            phone=phone,
        )
    return Verdict(allowed=True, code="ok", text=str(_SENTENCES["ok"]), phone=phone)


def in_words(code: str) -> str:
    """What a code of the gate means, where its sentence needs no country; the code itself otherwise."""
    return str(_SENTENCES.get(code, code))


def _refuse(code: str, phone: Phone) -> Verdict:
    return Verdict(allowed=False, code=code, text=str(_SENTENCES[code]), phone=phone)


def _not_russian(region: str, phone: Phone) -> Verdict:
    country = _COUNTRIES.get(region)
    text = (
        _("A number of %(country)s: SMS go to numbers of Russia only.") % {"country": country}
        if country
        else _("A foreign number: SMS go to numbers of Russia only.")
    )
    return Verdict(allowed=False, code="not_russian", text=text, phone=phone)


def _zone_of_seven(e164: str) -> str:
    return "KZ" if e164[:3] in {"+76", "+77"} else ""


def _country_of_unreadable(raw: str) -> str:
    """Whose code an invalid number begins with; "" for Russia's, or where that can't be told.

    An operator who hears «+7 6…» or a short Armenian number should read «Kazakhstan», «Armenia», not «no such number».
    """
    text = re.sub(r"[^\d+]", "", raw)
    if len(text) == 11 and text[0] == "7":
        text = f"+{text}"
    try:
        number = phonenumbers.parse(text, "RU")
    except phonenumbers.NumberParseException:
        return ""
    if number.country_code is None or number.country_code == 7:
        return _zone_of_seven(f"+7{number.national_number}") if len(str(number.national_number)) == 10 else ""
    return phonenumbers.region_code_for_country_code(number.country_code)
