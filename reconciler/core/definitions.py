"""The kinds that CustomResourceDefinitions among the manifests define, and what to say of a kind that nobody does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.core.kinds import BUILT_IN, BUILT_IN_GROUPS, DEFINITION
from reconciler.model.change import Resource
from reconciler.model.identity import GroupKind, group_of
from reconciler.model.manifest import Manifest
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.suggest import nearest

ResourceOf = Callable[[str, str], Resource | None]
"""(`apiVersion`, `kind`) -> how the server serves it, None when it does not."""


def is_definition(manifest: Manifest) -> bool:
    """True for a CustomResourceDefinition."""
    return GroupKind(group_of(manifest.api_version), manifest.kind) == DEFINITION


def defined_kind(definition: Mapping[str, Any]) -> GroupKind:
    """The kind that a CustomResourceDefinition defines; empty strings where it does not say."""
    spec = _map(definition.get("spec"))
    return GroupKind(str(spec.get("group", "")), str(_map(spec.get("names")).get("kind", "")))


def defined_resources(manifests: Iterable[Manifest]) -> dict[tuple[str, str], Resource]:
    """(`apiVersion`, `kind`) -> resource, for each version that a definition among the manifests serves."""
    resources: dict[tuple[str, str], Resource] = {}
    for manifest in manifests:
        if not is_definition(manifest):
            continue
        group, kind = defined_kind(manifest.document)
        spec = _map(manifest.document.get("spec"))
        plural = str(_map(spec.get("names")).get("plural", ""))
        versions = spec.get("versions")
        for version in versions if isinstance(versions, list) else ():
            if isinstance(version, dict) and version.get("served", True):
                api_version = f"{group}/{version.get('name')}"
                namespaced = spec.get("scope") == "Namespaced"
                resources[api_version, kind] = Resource(api_version, kind, plural, namespaced)
    return resources


def unknown_kind(manifest: Manifest, defined: Iterable[tuple[str, str]], resource_of: ResourceOf) -> Terminal:
    """The error for an object whose kind neither the server nor a definition among the manifests knows."""
    hint = _hint(manifest, [*defined, *BUILT_IN], resource_of)
    return Terminal(
        Reason.UNKNOWN_KIND,
        f"{manifest.origin}: {manifest.id}: the cluster does not know kind {manifest.kind} of {manifest.api_version}. "
        f"{hint}",
    )


def _hint(manifest: Manifest, known: Iterable[tuple[str, str]], resource_of: ResourceOf) -> str:
    versions: dict[str, list[str]] = {}
    for api_version, kind in known:
        versions.setdefault(kind, []).append(api_version)
    its_group = group_of(manifest.api_version)
    for api_version in sorted(versions.get(manifest.kind, ()), key=lambda version: group_of(version) != its_group):
        if (api_version, manifest.kind) not in BUILT_IN or resource_of(api_version, manifest.kind):
            return f"Did you mean apiVersion: {api_version}?"
    if its_group in BUILT_IN_GROUPS:
        meant = nearest(manifest.kind, versions)
        if meant is not None:
            return f"Did you mean kind: {meant} (apiVersion: {versions[meant][0]})?"
    return (
        "Install its CustomResourceDefinition first: commit it beside the object, "
        "or name in dependsOn the Application that brings it."
    )


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
