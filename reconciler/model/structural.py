"""JSON Schema as pydantic writes it -> the structural schema that a CustomResourceDefinition may carry.

Structural (Kubernetes, "Extend the Kubernetes API with CustomResourceDefinitions"): no `$ref`, a type at every place,
no `additionalProperties` beside `properties`, `default` and `description` not inside logic. What has no counterpart
there raises ValueError, so that a new field of a kind cannot lose its meaning in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from reconciler.model.resource import format_duration

Schema = dict[str, Any]

_KEPT = (
    "type",
    "format",
    "description",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-validations",
)
_DROPPED = {"title", "$defs", "additionalProperties", "properties", "required", "items", "default", "const"}


def structural(schema: Schema, member: str = "", *, defaults: bool = True) -> Schema:
    """The schema with every reference in its place, or that of one member of it.

    `defaults=False` leaves defaults out (a status has none: it holds what was written).
    """
    return _convert(schema["properties"][member] if member else schema, schema.get("$defs", {}), defaults)


def _convert(schema: Schema, definitions: Mapping[str, Schema], defaults: bool) -> Schema:
    schema = _resolve(schema, definitions)
    unknown = [key for key in schema if key not in _KEPT and key not in _DROPPED]
    if unknown:
        raise ValueError(f"{', '.join(unknown)} cannot be said in a structural schema: {schema.get('title', schema)}")
    out = {key: deepcopy(schema[key]) for key in _KEPT if schema.get(key) not in (None, [])}
    if "description" in out:
        out["description"] = " ".join(out["description"].split())
    if "const" in schema:
        out["enum"] = [schema["const"]]
    if schema.get("type") == "array":
        out["items"] = _convert(schema["items"], definitions, defaults)
        out.setdefault("x-kubernetes-list-type", "atomic")
    if schema.get("type") == "object":
        out.update(_members(schema, definitions, defaults))
    if defaults and (default := _default(schema)) is not None:
        out["default"] = default
    return out


def _resolve(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """`$ref` replaced by what it names, and `X | None` by X: Kubernetes treats null as "not given"."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _resolve({**definitions[name], **rest}, definitions)
    if "anyOf" in schema:
        given = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
        if len(given) != 1:
            raise ValueError(f"a choice of types is not structural: {schema.get('title', schema)}")
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        return _resolve({**given[0], **rest}, definitions)
    return schema


def _members(schema: Schema, definitions: Mapping[str, Schema], defaults: bool) -> Schema:
    """A section has `properties`; a map of text has `additionalProperties`; a free map keeps whatever it is given."""
    if "properties" in schema:
        members = {name: _convert(member, definitions, defaults) for name, member in schema["properties"].items()}
        required = {"required": list(schema["required"])} if schema.get("required") else {}
        return {"properties": members, **required}
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        return {"additionalProperties": _convert(values, definitions, defaults)}
    if values is True:
        return {"x-kubernetes-preserve-unknown-fields": True}
    return {}


def _default(schema: Schema) -> Any:
    """A section's default is `{}`, for its own members have theirs; an empty list or map is no news, so None."""
    default = schema.get("default")
    if schema.get("properties") is not None:
        return {} if default is not None else None
    if schema.get("type") == "string" and isinstance(default, float):
        return format_duration(default)  # pydantic gives the default as it is inside, not as a document says it
    return None if default in ([], {}, "") else default
