"""Membership: which objects belong to an Application, written on the objects themselves (KEP-3659, ApplySet).

The Application is the parent: its label is the id of the set and its annotations name what may be in it. Every member
carries the id as `applyset.kubernetes.io/part-of`. `kubectl` and other tools read the same marks.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256

from reconciler import __version__
from reconciler.model.identity import GroupKind, ObjectId
from reconciler.model.resource import GROUP

PART_OF = "applyset.kubernetes.io/part-of"
ID = "applyset.kubernetes.io/id"
TOOLING = "applyset.kubernetes.io/tooling"
CONTAINS = "applyset.kubernetes.io/contains-group-kinds"
NAMESPACES = "applyset.kubernetes.io/additional-namespaces"
IS_PARENT_TYPE = "applyset.kubernetes.io/is-parent-type"
"""The label that a CustomResourceDefinition must carry for its objects to be allowed as parents: `"true"`."""


def applyset_id(application: str, namespace: str) -> str:
    """The id of an Application's set: `applyset-<base64url(sha256("<name>.<namespace>.<kind>.<group>"))>-v1`.

    Without padding, as kubectl writes it: 55 characters, a valid label value.
    """
    digest = sha256(f"{application}.{namespace}.Application.{GROUP}".encode()).digest()
    return f"applyset-{urlsafe_b64encode(digest).decode().rstrip('=')}-v1"


def parent_labels(application: str, namespace: str) -> dict[str, str]:
    """What makes the Application a parent."""
    return {ID: applyset_id(application, namespace)}


def parent_annotations(kinds: Iterable[GroupKind], namespaces: Iterable[str], *, own: str = "") -> dict[str, str]:
    """What the parent says of its members: the tool, their kinds, and their namespaces other than `own`.

    `own` is the parent's namespace; an empty namespace (a cluster-scoped member) is left out. The tool's form is
    `<name>/<semver>`; kubectl refuses to change a set whose tool has another name.
    """
    return {
        TOOLING: f"dispatch/v{__version__}",
        CONTAINS: ",".join(sorted({str(kind) for kind in kinds})),
        NAMESPACES: ",".join(sorted({namespace for namespace in namespaces if namespace and namespace != own})),
    }


def belongs_to(id: ObjectId, applyset: str, owner: str, wanting: str = "") -> str:
    """Why an object of another set is not touched, and the way out.

    `owner` is the other Application's name, empty where none is known: it was deleted or renamed, it is out of sight,
    or the set is another tool's. `wanting` is the name of ours, where that is not clear from the place.
    """
    too = f"; {wanting} wants it too" if wanting else ""
    if owner:
        return f"{id} belongs to Application {owner}{too}: remove it from one of the two"
    where = f" -n {id.namespace}" if id.namespace else ""
    return (
        f"{id} belongs to the ApplySet {applyset}{too}. No Application that can be seen here has that set: it was "
        f"deleted or renamed, or another tool made it. If nothing manages the object any more, hand it over: "
        f"kubectl label {str(id.group_kind).lower()} {id.name}{where} {PART_OF}-"
    )


def contained_kinds(annotations: Mapping[str, str]) -> frozenset[GroupKind]:
    """The kinds that members may have, from the parent's annotations; empty when it names none."""
    return frozenset(GroupKind.parse(text.strip()) for text in annotations.get(CONTAINS, "").split(",") if text.strip())


def additional_namespaces(annotations: Mapping[str, str]) -> frozenset[str]:
    """The namespaces of members other than the parent's own, from the parent's annotations."""
    return frozenset(text.strip() for text in annotations.get(NAMESPACES, "").split(",") if text.strip())
