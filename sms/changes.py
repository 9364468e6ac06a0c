"""What the versions of a template changed: for the pages where a supervisor looks at them. Reads only."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import zip_longest

from django.utils.translation import gettext as _

from sms.models import SmsTemplate

# More of them nobody reads; the register has them all.
VERSIONS = 50
# Words, placeholders and what stands between them: a text is compared by these.
_WORDS = re.compile(r"\{[^{}]*\}|\w+|\s+|[^\w\s]")
_COLUMNS = [
    column
    for column in SmsTemplate._meta.fields
    if column.name in {"name", "moment", "kind", "category", "sender", "daily_limit"}
]


@dataclass(frozen=True, slots=True)
class Change:
    """A field that another version had otherwise, in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version, and what it changed of the one before: fields, and the text in `pieces`, («», «ins» or «del», words).

    The first version changed nothing, and has no pieces.
    """

    template: SmsTemplate
    changes: list[Change] = field(default_factory=list)
    pieces: list[tuple[str, str]] = field(default_factory=list)
    is_first: bool = False


def versions_of(code: str) -> list[Version]:
    """The versions of a template, the newest first. One query."""
    rows = SmsTemplate.objects.filter(code=code).select_related("created_by").order_by("-version")[: VERSIONS + 1]
    found = list(rows)
    versions = [_version(new, old) for new, old in zip_longest(found, found[1:])]
    return versions[:VERSIONS]


def _version(new: SmsTemplate, old: SmsTemplate | None) -> Version:
    if old is None:
        return Version(new, is_first=True)
    changes = [
        Change(str(column.verbose_name), _shown(old, column.name), _shown(new, column.name))
        for column in _COLUMNS
        if getattr(old, column.name) != getattr(new, column.name)
    ]
    return Version(new, changes, compare(old.text, new.text) if old.text != new.text else [])


def _shown(template: SmsTemplate, name: str) -> str:
    if name == "sender":
        return template.sender or _("the usual one")
    if name == "daily_limit":
        return str(template.daily_limit or _("no limit"))
    display = getattr(template, f"get_{name}_display", None)
    return str(display() if display else getattr(template, name))


def compare(old: str, new: str) -> list[tuple[str, str]]:
    """Both texts in one, word by word: («», what stayed), («del», what went), («ins», what came)."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    pieces: list[tuple[str, str]] = []
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            pieces.append(("", "".join(before[a:b])))
            continue
        pieces += [(kind, "".join(words)) for kind, words in (("del", before[a:b]), ("ins", after[c:d])) if words]
    return pieces
