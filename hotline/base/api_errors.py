"""What the schema says of errors: every endpoint answers with one envelope (`hotline.base.api.exception_handler`)."""

from __future__ import annotations

from typing import Any

_PROBLEM = {
    "type": "object",
    "properties": {"code": {"type": "string"}, "detail": {"type": "string"}},
    "required": ["code", "detail"],
}
_ERROR = {
    "type": "object",
    "description": "A code for machines, words for people, and what was wrong with each field.",
    "properties": {
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "fields": {"type": "object", "additionalProperties": {"type": "array", "items": _PROBLEM}},
    },
    "required": ["code", "detail", "fields"],
}
_ANSWER = {
    "description": "What was wrong (docs/api.md): `code` is of the endpoint, or one of those that all have.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


def document_errors(result: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: 4XX for each operation, beside what it says itself."""
    result["components"]["schemas"]["Error"] = _ERROR
    for path in result["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "responses" in operation:
                operation["responses"].setdefault("4XX", _ANSWER)
    return result
