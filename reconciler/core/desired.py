"""What Git wants, completed: each manifest with its scope, its namespace and its mark of membership."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.core.applyset import PART_OF
from reconciler.core.content import LAST_APPLIED, SERVER_METADATA, digest
from reconciler.core.definitions import ResourceOf, defined_resources, unknown_kind
from reconciler.core.shape import check, invalid
from reconciler.model.change import Resource
from reconciler.model.identity import GroupKind, ObjectId, group_of
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.outcome import Reason, Terminal


@dataclass(frozen=True, slots=True)
class Wanted:
    """One object as it is sent to the server. `digest` is of its document, Secret values included: keep it inside."""

    id: ObjectId
    resource: Resource
    manifest: Manifest
    digest: str


def complete(
    manifests: Sequence[Manifest],
    resource_of: ResourceOf,
    namespace: str,
    applyset: str,
    promised: Collection[GroupKind] = (),
) -> list[Wanted]:
    """The manifests in their order, completed; the documents given are not changed.

    A namespaced object gets `namespace` when it names none, a cluster-scoped one loses its namespace, each gets the
    label of the set `applyset`. What only a server writes is dropped (exported manifests carry it), and a Secret's
    `stringData` becomes `data`, as the server stores it. A kind that a CustomResourceDefinition among the manifests
    will define is known by that definition. A kind in `promised` (something else will define it before it is needed)
    that nobody serves yet is taken as namespaced, its plural as the kind in lower case with an `s`.

    Raises Terminal, with file and line: INVALID_MANIFEST, UNKNOWN_KIND, DUPLICATE_OBJECT.
    """
    defined = defined_resources(manifests)
    completed: dict[ObjectId, Wanted] = {}
    for manifest in manifests:
        check(manifest)
        kind = manifest.api_version, manifest.kind
        resource = resource_of(*kind) or defined.get(kind) or _promised(kind, promised)
        if resource is None:
            raise unknown_kind(manifest, defined, resource_of)
        wanted = _complete(manifest, resource, namespace, applyset)
        if wanted.id in completed:
            raise _duplicate(wanted, completed[wanted.id].manifest.origin)
        completed[wanted.id] = wanted
    return list(completed.values())


def _promised(kind: tuple[str, str], promised: Collection[GroupKind]) -> Resource | None:
    if GroupKind(group_of(kind[0]), kind[1]) not in promised:
        return None
    return Resource(*kind, plural=f"{kind[1].lower()}s", namespaced=True)


def _complete(manifest: Manifest, resource: Resource, namespace: str, applyset: str) -> Wanted:
    metadata = _metadata(manifest, applyset)
    if resource.namespaced:
        metadata["namespace"] = metadata.get("namespace") or namespace
    else:
        metadata.pop("namespace", None)
    document = {field: value for field, value in manifest.document.items() if field != "status"}
    document["metadata"] = metadata
    if (manifest.api_version, manifest.kind) == ("v1", "Secret") and "stringData" in document:
        document["data"] = {**(document.get("data") or {}), **_encoded(document.pop("stringData"), manifest)}
    id = ObjectId(group_of(manifest.api_version), manifest.kind, metadata.get("namespace", ""), metadata["name"])
    return Wanted(id, resource, Manifest(document, manifest.origin), digest(document))


def _metadata(manifest: Manifest, applyset: str) -> dict[str, Any]:
    """A copy without what only the server writes, with the mark of membership.

    Annotations that are empty or null (charts often leave them so) are left out: named, they would be owned as a whole.
    """
    given: Mapping[str, Any] = manifest.document["metadata"]
    metadata = {field: value for field, value in given.items() if field not in SERVER_METADATA}
    labels = given.get("labels") or {}
    theirs = labels.get(PART_OF, applyset)
    if theirs != applyset:
        raise invalid(
            manifest,
            f"carries the label {PART_OF}: {theirs}, the mark of another set; it was probably exported from a cluster. "
            "Take the label out of the file: Dispatch writes it itself",
        )
    metadata["labels"] = {**labels, PART_OF: applyset}
    metadata["annotations"] = {name: text for name, text in manifest.annotations.items() if name != LAST_APPLIED}
    if not metadata["annotations"]:
        del metadata["annotations"]
    return metadata


def _encoded(texts: Any, manifest: Manifest) -> dict[str, str]:
    """`stringData` as `data`: it is write-only and overrules `data` (core/v1 Secret), so it cannot be compared."""
    if texts is None:
        return {}
    if not isinstance(texts, dict):
        raise invalid(manifest, "stringData is not a map of names to texts")
    for key, text in texts.items():
        if not isinstance(text, str | None):
            raise invalid(manifest, f"stringData.{key} is not text: write the value in quotes")
    return {key: b64encode((text or "").encode()).decode() for key, text in texts.items()}


def _duplicate(wanted: Wanted, first: Origin) -> Terminal:
    return Terminal(
        Reason.DUPLICATE_OBJECT,
        f"{wanted.id} is defined twice: in {first} and in {wanted.manifest.origin}. Take one of them out.",
    )
