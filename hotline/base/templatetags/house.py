"""What every template has (a builtin library): icons, keys, phones, times."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from hotline.base.phones import format_phone

register = template.Library()
register.filter("phone", format_phone)

# What stands on the key, for the codes that don't say it themselves (KeyA → A, Digit1 → 1).
_KEY_NAMES = {"Escape": "Esc", "Slash": "/", "ArrowUp": "↑", "ArrowDown": "↓", "ArrowLeft": "←", "ArrowRight": "→"}
_DIGITS = re.compile(r"\+?\d+")


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """One of static/base/icons.svg. Without a label it is decoration, and hidden from screen readers; size: «large»."""
    source = f"{static('base/icons.svg')}#{name}"
    css = "icon icon-large" if size == "large" else "icon"
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}"><use href="{}"></use></svg>', css, label, source)
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"></use></svg>', css, source)


@register.simple_tag
def kbd(keys: str) -> SafeString:
    """`data-key`'s value as it stands on the keyboard: «Alt+KeyS» → <kbd>Alt S</kbd>; several are parted by spaces."""
    spoken = ((" ".join(_key_name(part) for part in combination.split("+")),) for combination in keys.split())
    # Screen readers get the keys from aria-keyshortcuts (keys.js); read out of a button's name they are noise.
    return format_html_join(" ", '<kbd aria-hidden="true">{}</kbd>', spoken)


def _key_name(code: str) -> str:
    return _KEY_NAMES.get(code) or re.sub(r"^(Key|Digit)(?=.$)", "", code)


@register.filter
def digit_groups(text: str) -> list[str]:
    """A number in groups to be read aloud: «+79161234567» → +7, 916, 123, 45, 67; other digits go by threes.

    What is written in groups already keeps them: «+7 (3852) 00-86-76» is read with the code of its city.
    """
    shown = format_phone(text) if text.removeprefix("+").isdecimal() else text
    groups: list[str] = []
    for run in _DIGITS.findall(shown):
        if len(run) <= 4:
            groups.append(run)
            continue
        head = len(run) % 3
        groups += [run[:head]] * bool(head) + [run[at : at + 3] for at in range(head, len(run), 3)]
    return groups


@register.simple_tag
def when(moment: datetime | None, zone: str = "") -> SafeString | str:
    """A moment as briefly as it is still clear, the whole of it in the title; nothing for None.

    `zone`: by the clocks of that time zone; by ours where none is given.
    """
    if moment is None:
        return ""
    clock_of = ZoneInfo(zone) if zone else None
    local, now = timezone.localtime(moment, clock_of), timezone.localtime(timezone=clock_of)
    clock = f"{local:%H:%M}"
    if local.date() == now.date():
        short = clock
    elif local.date() == now.date() - timedelta(days=1):
        short = _("yesterday %(time)s") % {"time": clock}
    elif local.date() == now.date() + timedelta(days=1):
        short = _("tomorrow %(time)s") % {"time": clock}
    elif local.year == now.year:
        # Russian writes months small («20 ноя»), English does not; Django's «N» gives «20 Ноя.».
        day = date_format(local, "j b" if get_language() == "ru" else "j M")
        short = f"{day} {clock}" if abs(local - now) < timedelta(days=14) else day
    else:
        short = f"{local:%d.%m.%Y}"
    full = date_format(local, "DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(timespec="seconds"), full, short)


@register.inclusion_tag("base/_nav_link.html", takes_context=True)
def nav_link(context: dict[str, Any], name: str, label: str, key: str = "") -> dict[str, Any]:
    """A link of the navigation; the one whose section the page belongs to is marked as current."""
    try:
        url = reverse(name)
    except NoReverseMatch:  # a room that is switched off has no door
        return {}
    path = getattr(context.get("request"), "path", "")
    return {"url": url, "label": label, "key": key, "current": path == url or (url != "/" and path.startswith(url))}


@register.filter
def data_key(field: Any) -> str:
    """The key that a form field's widget bears, for the hint beside its label."""
    return str(field.field.widget.attrs.get("data-key", ""))


_LEVELS = {"success": "ok", "warning": "warn", "error": "bad"}


@register.filter
def level_class(tag: str) -> str:
    """Django's message levels in the words of the style sheet."""
    return _LEVELS.get(tag, "info")
