"""What would be done to the cluster, and what the server said to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from reconciler.model.identity import ObjectId
from reconciler.model.manifest import Manifest


class Action(StrEnum):
    """What happens to one object."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs. `path` is a JSON pointer (RFC 6901); `ABSENT` stands for "not there"."""

    path: str
    live: Any
    wanted: Any


class _Absent(Enum):
    """An enumeration of one, because its member stays itself through deepcopy and pickle."""

    ABSENT = "absent"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "absent"


ABSENT: Any = _Absent.ABSENT
"""The value of a field that is not there (`None` is a value in YAML)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One object of a plan. `manifest` is what is sent (None for a delete); `uid` guards a delete; `version` is the
    resourceVersion that the plan was made against, empty for an object that was not there. `owning` is to be applied
    once before: it changes no value, and lets the manifest take out defaults that nobody owns.
    """

    id: ObjectId
    action: Action
    manifest: Manifest | None = None
    uid: str = ""
    version: str = ""
    owning: Mapping[str, Any] | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as the server serves it: the discovery answer of one `apiVersion` and `kind`."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server's no to one object: a `metav1.Status`. `code` is the HTTP status, 0 when no answer came.

    `causes` are (field, message) pairs. The message has had every value of a Secret masked by the adapter.
    """

    code: int
    reason: str
    message: str
    causes: tuple[tuple[str, str], ...] = ()
    retry_after: float | None = None


Document = Mapping[str, Any]
Answer = dict[str, Any] | Refusal
"""What came back for one object: the object as the server now has it (or would have it), or a refusal."""


class EventType(StrEnum):
    """`LISTING` begins the first list (and each later relist), `LISTED` ends it: what it did not name is gone."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    LISTING = "LISTING"
    LISTED = "LISTED"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a followed kind. `document` is empty for LISTING and LISTED."""

    type: EventType
    document: dict[str, Any]
