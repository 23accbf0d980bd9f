"""Documents to manifests: lists are opened, each is checked for what makes an object, no two may be the same one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from reconciler.adapters.render.documents.builder import Document
from reconciler.adapters.render.output import AS_RENDERED
from reconciler.model.identity import ObjectId
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.outcome import Reason, Terminal

_HELM_HOOK = "helm.sh/hook"
_ARGO_HOOK = "argocd.argoproj.io/hook"
_SAME_OBJECT_WAY_OUT = "Remove one, or give it another name or namespace"


def manifests(file: str, documents: Iterable[Document]) -> Iterator[Manifest]:
    """The objects of one file. Raises Terminal(INVALID_MANIFEST) with file, line and what is missing."""
    for document in documents:
        yield from _opened(document.value, Origin(file, document.line), document.item_lines)


def _opened(value: Any, origin: Origin, item_lines: tuple[int, ...] = ()) -> Iterator[Manifest]:
    """The document itself, or the entries of a list (`kind: List`, `ConfigMapList`), which kubectl opens too."""
    if not _is_list(value):
        yield Manifest(_checked(value, origin), origin)
        return
    items = value["items"]
    lines = item_lines if len(item_lines) == len(items) else [origin.line] * len(items)
    for item, line in zip(items, lines, strict=True):
        yield from _opened(item, Origin(origin.file, line))


def _is_list(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        return False
    return str(value.get("kind", "")).endswith("List")


def _checked(value: Any, origin: Origin) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(origin, f"this document is {_what(value)}, not a Kubernetes object")
    missing = [name for name in ("apiVersion", "kind") if not value.get(name)]
    metadata = value.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise _invalid(origin, f"`metadata` is {_what(metadata)}, not a mapping")
    if not metadata or not (metadata.get("name") or _may_be_nameless(metadata)):
        missing.append("metadata.name")
    if missing:
        raise _invalid(origin, f"this document has no {_listed(missing)}: {_hint(value, origin, missing)}")
    for field, found in (("apiVersion", value["apiVersion"]), ("kind", value["kind"])):
        _must_be_text(field, found, origin)
    assert metadata is not None
    for field in ("name", "namespace"):
        if metadata.get(field) is not None:
            _must_be_text(f"metadata.{field}", metadata[field], origin)
    for field in ("labels", "annotations"):
        _must_map_text(f"metadata.{field}", metadata.get(field), origin)
    return value


def _may_be_nameless(metadata: dict[str, Any]) -> bool:
    """A hook is made anew at each sync, so it may have a generateName; it is named, not applied."""
    return bool(metadata.get("generateName") and (metadata.get("annotations") or {}).get(_ARGO_HOOK))


def _must_be_text(field: str, found: Any, origin: Origin) -> None:
    if not isinstance(found, str):
        raise _invalid(origin, f"`{field}` is {_what(found)}: write it in quotes")


def _must_map_text(field: str, found: Any, origin: Origin) -> None:
    if found is None:
        return
    if not isinstance(found, dict):
        raise _invalid(origin, f"`{field}` is {_what(found)}, not a mapping")
    for key, value in found.items():
        if value is not None and not isinstance(value, str):
            raise _invalid(origin, f"`{field}` holds {key!r} with {_what(value)}: write the value in quotes")


def _hint(value: dict[str, Any], origin: Origin, missing: list[str]) -> str:
    name = origin.file.rpartition("/")[2]
    if origin.file.endswith(AS_RENDERED):
        return "what is rendered there is not a Kubernetes object"
    if (value.get("metadata") or {}).get("generateName") and missing == ["metadata.name"]:
        return "`generateName` makes a new object at each apply; give it a name"
    if name in ("kustomization.yaml", "kustomization.yml", "Kustomization") or value.get("kind") == "Kustomization":
        return "a kustomization is rendered by kustomize; point the Application at its folder, or remove it"
    if name in ("Chart.yaml", "values.yaml") or "/templates/" in origin.file:
        return "it belongs to a Helm chart; point the Application at the folder with Chart.yaml, or move it away"
    return (
        "it is not a Kubernetes object. A plain folder may hold nothing else in .yaml, .yml and .json files; "
        "move it away, or let its name start with a dot"
    )


def refuse_duplicates(found: Iterable[Manifest]) -> None:
    """Raises Terminal(DUPLICATE_OBJECT) that names both places."""
    first: dict[ObjectId, Origin] = {}
    for manifest in found:
        identity = manifest.id
        if identity in first:
            raise duplicate(str(identity), str(first[identity]), str(manifest.origin))
        first[identity] = manifest.origin


def duplicate(identity: str, first: str, second: str) -> Terminal:
    return Terminal(
        Reason.DUPLICATE_OBJECT, f"{identity} is there twice: in {first} and in {second}.\n{_SAME_OBJECT_WAY_OUT}."
    )


def split_hooks(found: Iterable[Manifest]) -> tuple[list[Manifest], list[str]]:
    """Objects to apply, and the names of the hooks: `Job/migrate (pre-install)`, `Job/backup (PreSync)`.

    Helm's hooks (helm.sh/hook) and Argo CD's (argocd.argoproj.io/hook, `Skip` included). What carries a hook that Helm
    does not know, as `crd-install` of Helm 2, Helm leaves out itself.
    """
    objects: list[Manifest] = []
    hooks: list[str] = []
    for manifest in found:
        events = manifest.annotations.get(_HELM_HOOK) or manifest.annotations.get(_ARGO_HOOK)
        if events:
            name = manifest.id.name or manifest.document["metadata"]["generateName"]
            hooks.append(f"{manifest.kind}/{name} ({events})")
        else:
            objects.append(manifest)
    return objects, hooks


def holds_secrets(found: Iterable[Manifest]) -> bool:
    """Whether an object is a core Secret with a value in it."""
    return any(
        manifest.kind == "Secret"
        and manifest.id.group == ""
        and any(manifest.document.get(field) for field in ("data", "stringData"))
        for manifest in found
    )


def digest(found: Iterable[Manifest]) -> str:
    """Hex SHA-256 of the objects' content in the order of their identities, wherever they come from."""
    ordered = sorted(found, key=lambda manifest: (manifest.id, manifest.api_version))
    total = hashlib.sha256()
    for manifest in ordered:
        text = json.dumps(manifest.document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        total.update(text.encode() + b"\n")
    return total.hexdigest()


def _invalid(origin: Origin, message: str) -> Terminal:
    return Terminal(Reason.INVALID_MANIFEST, f"{origin}: {message}")


_NAMES: dict[type, str] = {list: "a list", dict: "a mapping", str: "text", bool: "true or false", type(None): "empty"}


def _what(value: Any) -> str:
    return _NAMES.get(type(value), "a number")


def _listed(names: list[str]) -> str:
    return " and no ".join(f"`{name}`" for name in names)
