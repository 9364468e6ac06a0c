"""Telephones of the directory: kept as they are read out, refused only where nobody could dial them."""

from __future__ import annotations

import re

from django.utils.translation import gettext_lazy as _

from hotline.base.errors import Invalid
from hotline.base.phones import read_phone


def read_center_phone(number: str) -> str:
    """The E.164 of a number as typed, or "" for one that is only read out (a short number, an area of its own).

    Raises `Invalid`: empty, several numbers in one field, letters, or fewer than three digits.
    """
    phone = read_phone(number)
    if phone.problem == "empty":
        raise Invalid("phone_empty", _("Type the number."), field="number")
    if phone.problem == "several":
        raise Invalid("phone_several", _("One number in each line, please."), field="number")
    if phone.problem == "letters":
        raise Invalid("phone_letters", _("There are letters among the digits."), field="number")
    if len(re.sub(r"\D", "", number)) < 3:
        raise Invalid("phone_short", _("This is too short for a telephone number."), field="number")
    return phone.e164
