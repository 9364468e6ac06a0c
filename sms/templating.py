"""Templates: parsed strictly when they are saved, rendered strictly when they are sent. Only `{name}`, nothing else.

A placeholder that is not on the list, or a brace without its pair, is refused at saving; a missing or empty value
refuses to render: half a sentence never reaches a client. Values are put in once and never read as a template again.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hotline.base.errors import Invalid
from sms.models import SmsTemplate
from sms.placeholders import PLACEHOLDERS

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# Control characters have no place in an SMS; a line break has.
# A lone surrogate can come in by JSON; neither PostgreSQL nor a gateway takes it.
_UNSENDABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
# So many of them a sentence names; those that come by pasting have a name.
_NAMED_AT_MOST = 5
_NAMES = {
    "U+0000": gettext_lazy("zero byte"),
    "U+0009": gettext_lazy("tab"),
    "U+2028": gettext_lazy("line separator"),
    "U+FEFF": gettext_lazy("byte order mark"),
}


class MissingValue(Invalid):
    """A placeholder of the template has no value. `details["placeholders"]` names all of them."""

    def __init__(self, names: Iterable[str]) -> None:
        missing = list(names)
        labels = ", ".join(str(PLACEHOLDERS[name].label) for name in missing)
        super().__init__(
            "missing_value",
            _("The message can't be made: no value for %(labels)s.") % {"labels": labels},
            field="values",
            details={"placeholders": missing},
        )


def placeholders_of(text: str) -> list[str]:
    """The placeholders a template text names, each once, in order.

    Raises Invalid on the field `text`: `unbalanced_braces` (`details["position"]`, from 1), `unknown_placeholder`
    (`details["names"]`).
    """
    without = _PLACEHOLDER.sub(lambda match: " " * len(match.group()), text)
    if stray := re.search(r"[{}]", without):
        position = stray.start() + 1
        raise Invalid(
            "unbalanced_braces",
            _("A brace without its pair: “%(excerpt)s” (character %(position)d).")
            % {"excerpt": text[max(0, position - 11) : position + 10], "position": position},
            field="text",
            details={"position": position},
        )
    names = list(dict.fromkeys(match.group(1) for match in _PLACEHOLDER.finditer(text)))
    if unknown := [name for name in names if name not in PLACEHOLDERS]:
        raise Invalid(
            "unknown_placeholder",
            " ".join(_sentence_on_unknown(name) for name in unknown),
            field="text",
            details={"names": unknown},
        )
    return names


def _sentence_on_unknown(name: str) -> str:
    near = difflib.get_close_matches(name.strip().lower(), PLACEHOLDERS, n=1)
    if near:
        return _("There is no placeholder {%(name)s}; did you mean {%(near)s}?") % {"name": name, "near": near[0]}
    return _("There is no placeholder {%(name)s}.") % {"name": name}


def one_line_end(text: str) -> str:
    """The text as it is sent: line ends as \\n, nothing around it."""
    return _line_ends(text).strip()


def _line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def checked_text(text: str, *, field: str = "text") -> str:
    """A text that can be an SMS: trimmed, not empty, line ends as \\n.

    Raises Invalid: `empty`; `bad_characters`, which names them by code point and place (`details["characters"]`, pairs
    of «U+0007» and the position from 1 in what was typed, a line end counting as one).
    """
    typed, text = _line_ends(text), one_line_end(text)
    if not text:
        raise Invalid("empty", _("The text is empty."), field=field)
    if found := list(_UNSENDABLE.finditer(text)):
        trimmed = len(typed) - len(typed.lstrip())
        places = [(f"U+{ord(match.group()):04X}", trimmed + match.start() + 1) for match in found]
        at = found[0].start()
        around = _UNSENDABLE.sub("·", text[max(0, at - 10) : at + 11]).replace("\n", " ")
        raise Invalid(
            "bad_characters",
            _("Characters that can't be sent, near “%(around)s”: %(named)s.")
            % {"named": _in_words(places), "around": around},
            field=field,
            details={"characters": places},
        )
    return text


def _in_words(places: list[tuple[str, int]]) -> str:
    """Code points and positions, the first few of them: what can't be seen has to be looked for."""
    named = []
    for code_point, position in places[:_NAMED_AT_MOST]:
        name = f"{code_point} ({_NAMES[code_point]})" if code_point in _NAMES else code_point
        named.append(_("%(name)s, character %(position)d") % {"name": name, "position": position})
    if more := len(places[_NAMED_AT_MOST:]):
        named.append(_("%(more)d more") % {"more": more})
    return "; ".join(named)


def render(template: SmsTemplate | str, values: Mapping[str, object]) -> str:
    """The text with the values put in. `values` may hold more than the template names, if it is on the list.

    Raises MissingValue where a value is missing or blank, Invalid `unknown_placeholder` on a name that is not on the
    list. Line breaks and runs of spaces inside a value become one space.
    """
    text = template if isinstance(template, str) else template.text
    names = placeholders_of(text)
    if unknown := [name for name in values if name not in PLACEHOLDERS]:
        raise Invalid(
            "unknown_placeholder",
            " ".join(_sentence_on_unknown(str(name)) for name in unknown),
            field="values",
            details={"names": unknown},
        )
    ready = {name: " ".join(str(values[name]).split()) for name in names if values.get(name) is not None}
    if missing := [name for name in names if not ready.get(name)]:
        raise MissingValue(missing)
    return _PLACEHOLDER.sub(lambda match: ready[match.group(1)], text)
