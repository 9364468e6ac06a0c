"""Structured logs without personal data: one line an event, everything in it passes `scrub` before it is written.

The same function scrubs what goes to Sentry. It masks what can be recognised (telephone numbers, e-mails, tokens, query
strings, values that PostgreSQL quotes in its errors); names can't be recognised, so nobody logs them: log pks.
"""

from __future__ import annotations

import datetime
import decimal
import re
import uuid
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter

_MASKS: list[tuple[re.Pattern[str], str]] = [
    # The generic CTI carries its token in the address (docs/telephony.md).
    (re.compile(r"(/events/generic/)[^/\s?\"']+"), r"\1***"),
    # What an SMS gateway calls back carries its secret there (docs/gateways.md).
    (re.compile(r"(/sms/callbacks/[^/\s]+/)[^/\s?\"']+"), r"\1***"),
    (re.compile(r"\b(Bearer|Token|Basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"(://[^\s:/@]*:)[^\s@/]+@"), r"\1***@"),
    # What was searched for: «?q=Иванова», also percent-encoded.
    (re.compile(r"\?[^\s\"'<>]*=[^\s\"'<>]*"), "?…"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    # +7 916 123-45-67, 8 (916) 1234567, 79161234567, %2B7916…, 916 123-45-67
    (
        re.compile(
            r"(?<![\w.])(?:(?:\+|%2[Bb])\d[\d\s()\-]{8,18}\d"
            r"|[78][\s(\-]*\d{3}[\s)\-]*\d{3}[\s\-]*\d{2}[\s\-]*\d{2}"
            r"|\(?9\d\d\)?[\s\-]\d{3}[\s\-]?\d{2}[\s\-]?\d{2})(?!\w)"
        ),
        "[phone]",
    ),
    # «DETAIL:  Key (e164)=(…) already exists.», «Failing row contains (…)»: the row's values, over several lines.
    (
        re.compile(
            r"\bDETAIL: .*?(?=\n(?:HINT|CONTEXT|QUERY|LOCATION|The above|During|Traceback)|\n\s*\n|\Z)", re.DOTALL
        ),
        "DETAIL: …",
    ),
    # «CONTEXT:  JSON data, line 1: …»: what stood around the fault.
    (re.compile(r"(\bJSON data, line \d+: ).*"), r"\1…"),
    # «Field 'id' expected a number but got '…'», «invalid literal for int() with base 10: '…'»
    (re.compile(r"(\bbut got |\bwith base \d+: |\binvalid input syntax for type [\w ]+: )(['\"]).*\2"), r"\1\2…\2"),
]
# Our code and its messages to developers are English: Cyrillic in a traceback is somebody's data.
_CYRILLIC = re.compile(r"[А-Яа-яЁё][А-Яа-яЁё\s-]*")
_SECRET_KEYS = re.compile(r"password|passwd|secret|token|authorization|cookie|session|csrf|api_?key|dsn", re.IGNORECASE)
_PLAIN = (bool, int, float, type(None))
_WRITTEN = (datetime.datetime, datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID)


def mask(text: str) -> str:
    """The text without what can be recognised as personal or secret."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


def mask_traceback(text: str) -> str:
    return _CYRILLIC.sub("…", mask(text))


def scrub(value: Any, key: str = "") -> Any:
    """A copy that may be written down. Objects become their type and pk: a model's text is a person's name."""
    if key and _SECRET_KEYS.search(key) and value not in (None, "", False, True):
        return "***"
    if isinstance(value, str):
        if key == "request":  # «GET /clients/?…» of django-structlog
            value = value.split("?", 1)[0]
        return mask_traceback(value) if key in ("exception", "stack") else mask(value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, _WRITTEN):
        return str(value)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return {str(name): scrub(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [scrub(inner) for inner in value]
    pk = getattr(value, "pk", None)
    name = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"<{name} {pk}>" if isinstance(pk, (int, str, uuid.UUID)) else f"<{name}>"


def scrub_event(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor: last before the line is written, after tracebacks have become text."""
    return {name: scrub(value, name) for name, value in event.items()}


def configure_logging(*, level: str, as_json: bool) -> dict[str, Any]:
    """Configure structlog, and return what Django's LOGGING must be: all loggers end in one handler.

    `as_json` writes JSON lines, else lines for a person's eyes. The lines go to stderr.
    """
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*before, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    ours = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": ProcessorFormatter,
                "foreign_pre_chain": before,
                "processors": [
                    ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    scrub_event,
                    renderer,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would mail whole requests to ADMINS; uvicorn's would write past us.
            "django": {**ours, "level": level},
            "django.server": ours,
            "django.request": {**ours, "level": "CRITICAL"},  # django-structlog says the same, with the request's id
            "uvicorn": ours,
            "uvicorn.error": ours,
            "uvicorn.access": {"handlers": [], "propagate": False},  # writes query strings; django-structlog does not
            "httpx": {**ours, "level": "WARNING"},  # writes whole URLs of gateways
            "axes": {**ours, "level": "WARNING"},
            # The sweep runs every two seconds; that it began and ended well is no news.
            "celery.beat": {**ours, "level": "WARNING"},
            "celery.worker.strategy": {**ours, "level": "WARNING"},
            "celery.app.trace": {**ours, "level": "WARNING"},
        },
    }


def configure_sentry(dsn: str) -> None:
    """Off until a DSN is set. No request bodies, no local variables, no users beyond the pk; the rest is scrubbed."""
    if not dsn:
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=20,
        before_send=before_send,
        before_breadcrumb=before_breadcrumb,
    )


def before_send(event: Any, hint: Any) -> Any:
    """What Sentry may know of an error."""
    if request := event.get("request"):
        address = str(request.get("url", "")).split("?", 1)[0]
        event["request"] = {"method": request.get("method"), "url": address}
    if user := event.get("user"):
        event["user"] = {"id": user.get("id")}
    for exception in event.get("exception", {}).get("values", []):
        if exception.get("value"):
            exception["value"] = mask_traceback(exception["value"])
        for frame in exception.get("stacktrace", {}).get("frames", []):
            frame.pop("vars", None)
    return _mask_strings(event)


def before_breadcrumb(crumb: Any, hint: Any) -> Any:
    """Breadcrumbs tell what happened before; their data (SQL parameters, URLs) stays here."""
    crumb.pop("data", None)
    return _mask_strings(crumb)


def _mask_strings(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: _mask_strings(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mask_strings(inner) for inner in value]
    return value
