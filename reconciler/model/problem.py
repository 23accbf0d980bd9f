"""What pydantic found wrong, in words for the person who wrote the document. A value is never repeated unless it is one
of a few known words or a length of time: what stands in a URL or in Helm's values may be secret.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic_core import ErrorDetails

from reconciler.model.structural import Schema
from reconciler.model.suggest import nearest

Path = tuple[str | int, ...]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_TYPES = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a map of fields",
}


def field_name(path: Path) -> str:
    """`spec.drift.ignore[0].fields`; a key that is no plain word stands in quotes: `metadata.labels["a/b"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part)}]"
    return text


def section(schema: Schema, path: Path) -> Schema:
    """The part of a structural schema that a path leads to; empty where the schema does not reach."""
    for part in path:
        schema = schema.get("items", {}) if isinstance(part, int) else schema.get("properties", {}).get(part, {})
    return schema


def in_words(detail: ErrorDetails, schema: Schema) -> str:
    """One error of pydantic as a sentence. `schema` is that of the field."""
    context: dict[str, Any] = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            what = schema.get("description", "")
            return f"missing; {what[:1].lower()}{what[1:].rstrip('.')}" if what else "missing"
        case "value_error":
            return str(context["error"])
        case "enum" | "literal_error":
            return _choice(detail["input"], schema.get("enum", []))
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"must be at most {context['max_length']} characters"
        case "too_short":
            least = context["min_length"]
            return f"must have at least {least} {'entry' if least == 1 else 'entries'}"
        case "too_long":
            return f"must have at most {context['max_length']} entries"
        case _:
            return _wrong_type(detail, schema)


def is_echo(detail: ErrorDetails) -> bool:
    """Whether an error only follows from others: a list of which no entry is good counts as too short."""
    context: dict[str, Any] = detail.get("ctx", {})
    return detail["type"] == "too_short" and len(detail["input"]) >= context["min_length"]


def _choice(value: Any, words: list[str]) -> str:
    close = nearest(value, words) if isinstance(value, str) else None
    hint = f"; did you mean {close}?" if close else ""
    return f"must be {' or '.join(words)}{hint}"


def _wrong_type(detail: ErrorDetails, schema: Schema) -> str:
    given = _type_of(detail["input"])
    if schema.get("x-kubernetes-int-or-string"):
        return f"must be a number or text, not {given}"
    wanted = _TYPES.get(schema.get("type", ""))
    if wanted is None:
        wanted = next((words for name, words in _BY_ERROR.items() if detail["type"].startswith(name)), None)
    if wanted is None:
        return detail["msg"]
    quotes = ": put it in quotes" if wanted == "text" and isinstance(detail["input"], bool | int | float) else ""
    return f"must be {wanted}, not {given}{quotes}"


_BY_ERROR = {"string": "text", "dict": "a map of fields", "model": "a map of fields", "tuple": "a list"}
"""For metadata, of which the schema of a kind says nothing."""


def _type_of(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a map"
