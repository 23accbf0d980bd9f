"""In what order objects are applied and taken away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reconciler.core.definitions import defined_kind
from reconciler.core.kinds import DEFINITION, NAMESPACE, rank
from reconciler.core.shape import check
from reconciler.model.identity import GroupKind, ObjectId, group_of
from reconciler.model.manifest import Manifest
from reconciler.model.outcome import Reason, Terminal

WAVE = "dispatch.dev/wave"
ARGO_WAVE = "argocd.argoproj.io/sync-wave"
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)


def stages(manifests: Sequence[Manifest]) -> list[list[Manifest]]:
    """The objects in groups to be applied one after the other, each complete before the next is sent.

    Groups are waves (lowest first); what a wave defines (Namespaces, CustomResourceDefinitions) is a group of its own
    before the rest of it. A definition never comes in a later wave than an object that needs it (Argo CD's rule,
    gitops-engine sync_tasks.go adjustDeps); pass completed manifests, for one that names no namespace yet needs none.
    Raises Terminal(INVALID_MANIFEST) for a wave that is not an integer and for what is no object.
    """
    for manifest in manifests:
        check(manifest)
    waves = _waves(manifests)
    groups: dict[tuple[int, bool], list[Manifest]] = {}
    for manifest, its_wave in zip(manifests, waves, strict=True):
        groups.setdefault((its_wave, not defines(manifest)), []).append(manifest)
    return [sorted(groups[place], key=_place) for place in sorted(groups)]


def defines(manifest: Manifest) -> bool:
    """True for what other objects need before the server takes them."""
    return _group_kind(manifest) in (NAMESPACE, DEFINITION)


def wave(manifest: Manifest) -> int:
    """The wave that the object names, 0 when it names none. `dispatch.dev/wave` wins over Argo CD's annotation."""
    for annotation in (WAVE, ARGO_WAVE):
        text = manifest.annotations.get(annotation)
        if text is None:
            continue
        if not _INTEGER.fullmatch(str(text)):
            raise Terminal(
                Reason.INVALID_MANIFEST,
                f"{manifest.origin}: {manifest.id}: the annotation {annotation} is {text!r}: "
                f'write a whole number in quotes, such as "-1" or "5"',
            )
        return int(text)
    return 0


def removal_order(ids: Iterable[ObjectId]) -> list[ObjectId]:
    """The reverse of the order of installation: Namespaces and CustomResourceDefinitions go last."""
    return sorted(ids, key=lambda id: (-rank(id.group_kind), id.kind, id.namespace, id.name, id.group))


def _waves(manifests: Sequence[Manifest]) -> list[int]:
    own = [wave(manifest) for manifest in manifests]
    needed: dict[tuple[str, ...], int] = {}
    for manifest, its_wave in zip(manifests, own, strict=True):
        for need in _needs(manifest):
            needed[need] = min(its_wave, needed.get(need, its_wave))
    return [
        min(its_wave, needed.get(_provides(manifest), its_wave))
        for manifest, its_wave in zip(manifests, own, strict=True)
    ]


def _needs(manifest: Manifest) -> tuple[tuple[str, ...], ...]:
    group_kind = _group_kind(manifest)
    return (("namespace", manifest.id.namespace), ("kind", *group_kind))


def _provides(manifest: Manifest) -> tuple[str, ...]:
    group_kind = _group_kind(manifest)
    if group_kind == NAMESPACE:
        return ("namespace", manifest.id.name)
    if group_kind == DEFINITION:
        return ("kind", *defined_kind(manifest.document))
    return ()


def _group_kind(manifest: Manifest) -> GroupKind:
    return GroupKind(group_of(manifest.api_version), manifest.kind)


def _place(manifest: Manifest) -> tuple[int, str, str, str, str]:
    id = manifest.id
    return rank(id.group_kind), id.kind, id.namespace, id.name, id.group
