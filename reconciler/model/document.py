"""A document of one of Dispatch's own kinds, from plain values to a model, or every error that is in it.

The rules are those that the API server enforces from the generated schema with `fieldValidation=Strict`: unknown fields
are errors, nothing is converted, and null means "not given".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reconciler.model.application import Application
from reconciler.model.crd import Kind, schema_of
from reconciler.model.hotfix import Hotfix
from reconciler.model.identity import group_of
from reconciler.model.image_feed import ImageFeed
from reconciler.model.manifest import Origin
from reconciler.model.notifier import Notifier
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.problem import Path, field_name, in_words, is_echo, section
from reconciler.model.promotion import Promotion
from reconciler.model.promotion_action import PromotionAction
from reconciler.model.repository import Repository
from reconciler.model.resource import API_VERSION, GROUP
from reconciler.model.rollout_action import RolloutAction
from reconciler.model.structural import Schema
from reconciler.model.suggest import nearest

KINDS: dict[str, Kind] = {
    "Application": Application,
    "Repository": Repository,
    "RolloutAction": RolloutAction,
    "Notifier": Notifier,
    "Promotion": Promotion,
    "PromotionAction": PromotionAction,
    "Hotfix": Hotfix,
    "ImageFeed": ImageFeed,
}

Loaded = Application | Repository | RolloutAction | Notifier | Promotion | PromotionAction | Hotfix | ImageFeed

# meta/v1 ObjectMeta. An unknown field in it is an error of the server, too.
_METADATA = (
    "name",
    "namespace",
    "labels",
    "annotations",
    "finalizers",
    "generateName",
    "ownerReferences",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
)


class Problem(NamedTuple):
    """One error. `field` is the path as people write it, empty for the document as a whole."""

    path: Path
    message: str

    @property
    def field(self) -> str:
        return field_name(self.path)

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.path else self.message


def is_ours(document: Any) -> bool:
    """Whether the document says that it is of Dispatch's group, whatever the version and the kind."""
    return isinstance(document, Mapping) and group_of(str(document.get("apiVersion", ""))) == GROUP


def load(document: dict[str, Any], origin: Origin, lines: Mapping[Path, int] | None = None) -> Loaded:
    """The model. Raises Terminal(INVALID_SPEC) with one line for each error: `file:line: field: what is wrong`.

    `lines` gives the line of fields, by path; without it each error has the line of the document. A status that cannot
    be read (a newer Dispatch wrote it) counts as none.
    """
    found = read(document)
    if isinstance(found, Loaded):
        return found
    told = [f"{Origin(origin.file, line_of(each.path, lines or {}, origin.line))}: {each}" for each in found]
    raise Terminal(Reason.INVALID_SPEC, "\n".join(told))


def read(document: dict[str, Any]) -> Loaded | list[Problem]:
    """The model, or all that is wrong, in the order of the schema."""
    kind = _kind(document)
    if isinstance(kind, Problem):
        return [kind]
    try:
        text = json.dumps(_body(document, _schema(kind)), allow_nan=False)
    except (ValueError, TypeError):
        return [Problem((), "holds a value that JSON cannot say (NaN, infinity or a date): put it in quotes")]
    strange = _strange_metadata(document.get("metadata"))
    try:
        model = kind.model_validate_json(text, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        details = [each for each in error.errors(include_url=False) if not is_echo(each)]
        wrong = [_problem(detail, kind) for detail in details if detail["loc"][:1] != ("status",)]
        if not wrong and not strange:
            return read({key: value for key, value in document.items() if key != "status"})
        return strange + wrong
    return strange or model


def line_of(path: Path, lines: Mapping[Path, int], otherwise: int) -> int:
    """The line of a field, or of the nearest thing above it whose line is known."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return otherwise


@cache
def _schema(kind: Kind) -> Schema:
    return schema_of(kind)


def _kind(document: dict[str, Any]) -> Kind | Problem:
    version, name = document.get("apiVersion"), document.get("kind")
    if version != API_VERSION:
        return Problem(("apiVersion",), f"must be {API_VERSION}, not {_short(version)}" if version else "missing")
    if not name:
        return Problem(("kind",), "missing")
    if not isinstance(name, str) or name not in KINDS:
        close = nearest(str(name), KINDS)
        *names, last = KINDS
        hint = f"did you mean {close}?" if close else f"the kinds are {', '.join(names)} and {last}"
        return Problem(("kind",), f"{_short(name)} is no kind of {GROUP}; {hint}")
    return KINDS[name]


def _body(document: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """What the model reads of a document."""
    body: dict[str, Any] = _given(document, schema)
    metadata = body.get("metadata")
    if isinstance(metadata, dict):
        left_out = {"managedFields", *(key for key in metadata if key not in _METADATA)}
        body["metadata"] = {key: value for key, value in metadata.items() if value is not None and key not in left_out}
    return body


def _given(value: Any, schema: Schema) -> Any:
    """The value without what is null, as the server takes it; nulls stay where anything may stand (Helm's values)."""
    known = schema.get("properties")
    if isinstance(value, dict) and known is not None:
        return {
            key: _given(item, known.get(key, {})) for key, item in value.items() if item is not None or key not in known
        }
    if isinstance(value, list) and "items" in schema:
        return [_given(item, schema["items"]) for item in value]
    return value


def _strange_metadata(metadata: Any) -> list[Problem]:
    names = [name for name in metadata if name not in _METADATA] if isinstance(metadata, dict) else []
    return [Problem(("metadata", name), _unknown(("metadata",), name, _METADATA)) for name in names]


def _problem(detail: ErrorDetails, kind: Kind) -> Problem:
    path: Path = detail["loc"]
    schema = _schema(kind)
    if detail["type"] == "extra_forbidden":
        known = section(schema, path[:-1]).get("properties", {})
        elsewhere = _elsewhere(schema["properties"]["spec"], str(path[-1]), ("spec",))
        return Problem(path, _unknown(path[:-1], str(path[-1]), known, elsewhere))
    return Problem(tuple(part for part in path if part != "[key]"), in_words(detail, section(schema, path)))


def _unknown(above: Path, name: str, known: Any, elsewhere: Path | None = None) -> str:
    close = nearest(name, known)
    meant = (*above, close) if close else elsewhere
    if meant:
        return f"unknown field; did you mean {field_name(meant)}?"
    there = f"there are {', '.join(known)}" if known else "there are none here"
    return f"unknown field; {there}"


def _elsewhere(schema: Schema, name: str, path: Path) -> Path | None:
    """Where a field of this name is, when it is not where it was written."""
    for key, member in schema.get("properties", {}).items():
        if key == name:
            return (*path, key)
        if found := _elsewhere(member, name, (*path, key)):
            return found
    return None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
