"""The versions of a Rollout that have pods or matter: the newest, the stable one, and what is left of others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.cli.applications import Document
from reconciler.core.health import assess
from reconciler.core.health.fields import integer
from reconciler.core.progressive.template import images
from reconciler.model.rollout import RolloutSeen

HASH = "rollouts-pod-template-hash"


@dataclass(frozen=True, slots=True)
class Pod:
    """`words` say why it is not ready."""

    name: str
    ready: bool
    words: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """`role` is `new`, `stable` or `old`; `wanted` and `ready` count its pods."""

    role: str
    hash: str
    commit: str
    images: tuple[str, ...]
    wanted: int
    ready: int
    pods: tuple[Pod, ...]


def versions(
    seen: RolloutSeen,
    around: Sequence[Document],
    newest_images: tuple[str, ...],
    commit: str,
    stable_commit: str,
    now: datetime,
) -> tuple[Version, ...]:
    """The newest first, then the stable one, then others that still want pods.

    `newest_images` is what the newest version runs while it has no ReplicaSet yet.
    """
    sets = {_hash(each): each for each in around if each.get("kind") == "ReplicaSet" and _owned(each, seen.uid)}
    pods = [each for each in around if each.get("kind") == "Pod"]
    found = []
    for role, hash in _roles(seen, sets):
        one = sets.get(hash, {})
        known = {"new": commit, "stable": stable_commit}.get(role, "")
        told = images(one) or (newest_images if hash == seen.pod_hash else ())
        wanted, ready = integer(one, "spec", "replicas"), integer(one, "status", "readyReplicas")
        uid = one.get("metadata", {}).get("uid", "")
        mine = tuple(_pod(each, now) for each in pods if uid and _owned(each, uid))
        found.append(Version(role, hash, known, told, wanted, ready, tuple(sorted(mine, key=lambda pod: pod.name))))
    return tuple(found)


def _roles(seen: RolloutSeen, sets: dict[str, Document]) -> Iterator[tuple[str, str]]:
    """A promoted version is the stable one, and no other."""
    named = []
    if seen.pod_hash and not seen.promoted:
        named.append(("new", seen.pod_hash))
    if seen.stable_hash:
        named.append(("stable", seen.stable_hash))
    yield from named
    known = {hash for _, hash in named}
    for hash, one in sorted(sets.items()):
        if hash not in known and (integer(one, "spec", "replicas") or integer(one, "status", "replicas")):
            yield "old", hash


def _hash(document: Document) -> str:
    return str((document.get("metadata", {}).get("labels") or {}).get(HASH, ""))


def _owned(document: Document, uid: str) -> bool:
    owners = document.get("metadata", {}).get("ownerReferences") or ()
    return any(owner.get("controller") and owner.get("uid") == uid for owner in owners)


def _pod(document: Document, now: datetime) -> Pod:
    metadata, status = document["metadata"], document.get("status") or {}
    ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in status.get("conditions") or ())
    if metadata.get("deletionTimestamp"):
        return Pod(metadata["name"], False, "ending")
    return Pod(metadata["name"], ready, "" if ready else assess(document, now).message or str(status.get("phase", "")))
