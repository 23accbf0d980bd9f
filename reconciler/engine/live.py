"""What the watches have said of the objects that Dispatch applied: little per object, never the object itself.

Per object: reference, uid, resourceVersion, a digest of the content, health, and the verdict of its last comparison
with Git. The object as the server sent it is kept only until it has been judged.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.core.applyset import PART_OF
from reconciler.core.content import content_digest
from reconciler.core.health import assess
from reconciler.core.managed_fields import MANAGER
from reconciler.core.progressive.seen import see, see_deployment
from reconciler.core.progressive.template import DEPLOYMENT, ROLLOUT
from reconciler.core.prune import Member, keeps
from reconciler.model.drift import Drift
from reconciler.model.health import Health
from reconciler.model.identity import GroupKind, ObjectId, identify
from reconciler.model.rollout import CANDIDATE, DeploymentSeen, RolloutSeen

_GONE = 1024
"""How many ends are remembered, so that a late event of before does not bring the object back."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The object with this content was compared with the wanted one of this digest; `drift` is empty when in sync."""

    wanted: str
    drift: tuple[Drift, ...] = ()


@dataclass(slots=True)
class Entry:
    """One live object. `body` is its JSON until it has been judged; `shared` says that another manager than Dispatch
    owns fields outside its status. `candidate` is its CANDIDATE annotation, `seen` what a Rollout or a Deployment
    says of the versions that it runs.
    """

    id: ObjectId
    uid: str
    resource_version: str
    content: str
    health: Health
    applyset: str
    controlled: bool
    keep: bool
    shared: bool
    candidate: str = ""
    seen: RolloutSeen | DeploymentSeen | None = None
    verdict: Verdict | None = None
    body: bytes | None = None

    def document(self) -> dict[str, Any] | None:
        """The object, when it has not been judged yet."""
        return None if self.body is None else json.loads(self.body)


@dataclass(slots=True)
class _Kind:
    """`listed` are the namespaces of the lists that are complete; an empty one stands for all."""

    listed: set[str] = field(default_factory=set)
    seen: set[ObjectId] = field(default_factory=set)
    present: set[ObjectId] = field(default_factory=set)


_TEMPLATE_UNSEEN = "waiting for the controller to see the pod template of the workload that the Rollout refers to"


class LiveObjects:
    """The cache. `changed` is called with the ApplySet id of each object whose content or health is not what it was."""

    def __init__(self, changed: Any) -> None:
        self._changed = changed
        self._lock = threading.Condition()
        self._entries: dict[ObjectId, Entry] = {}
        self._sets: dict[str, set[ObjectId]] = {}
        self._kinds: dict[GroupKind, _Kind] = {}
        self._gone: dict[str, str] = {}

    def observe(self, document: dict[str, Any], *, agreed: str | None = None) -> None:
        """Take in an object from a watch, a list or the answer to a write of ours.

        `agreed` is the digest of the wanted object that the server has just applied: this content is in sync with it.
        What is older than what is known is dropped: a write's answer overtakes its watch event, and the end of the
        object may overtake both.
        """
        id = identify(document)
        metadata = document["metadata"]
        with self._lock:
            kind = self._kinds.setdefault(id.group_kind, _Kind())
            ended = self._gone.get(metadata["uid"])
            if ended is not None and not _older(ended, metadata["resourceVersion"]):
                return
            kind.seen.add(id)
            before = self._entries.get(id)
            if before is not None and before.uid == metadata["uid"]:
                if before.resource_version == metadata["resourceVersion"] and agreed is None:
                    return
                if _older(metadata["resourceVersion"], before.resource_version):
                    return
            entry = _entry(id, document, before, agreed)
            self._put(entry, kind, before)
        if before is None or _news(before, entry):
            self._tell({entry.applyset, before.applyset if before else entry.applyset})

    def remove(self, id: ObjectId, uid: str = "", resource_version: str = "") -> None:
        """The object is gone (of this uid, when one is given) since `resource_version`.

        For a watch of labelled objects one that loses its label is gone, too. It comes back under its uid with the
        label: what is newer than its end is believed.
        """
        with self._lock:
            if uid:
                self._gone[uid] = resource_version
                if len(self._gone) > _GONE:
                    del self._gone[next(iter(self._gone))]
            entry = self._entries.get(id)
            if entry is None or (uid and entry.uid != uid) or _older(resource_version, entry.resource_version):
                return
            self._drop(entry)
            self._lock.notify_all()
        self._tell({entry.applyset})

    def listing(self, kind: GroupKind, namespace: str = "") -> None:
        """A list of the kind begins, in one namespace or in all."""
        with self._lock:
            state = self._kinds.setdefault(kind, _Kind())
            state.seen = {id for id in state.seen if not _within(id, namespace)}

    def listed(self, kind: GroupKind, namespace: str = "") -> None:
        """The list is complete: what nobody named since it began is gone."""
        with self._lock:
            state = self._kinds.setdefault(kind, _Kind())
            gone = [self._entries[id] for id in state.present - state.seen if _within(id, namespace)]
            for entry in gone:
                self._drop(entry)
            first = namespace not in state.listed
            state.listed.add(namespace)
            sets = {entry.applyset for entry in gone}
            if first:
                sets |= {self._entries[id].applyset for id in state.present if _within(id, namespace)}
            self._lock.notify_all()
        self._tell(sets)

    def wait_listed(self, places: Iterable[tuple[GroupKind, str]], within: float) -> bool:
        """Wait until each kind has been listed once in that namespace (in all, where it is empty); False when that
        takes longer than `within` seconds."""
        wanted = list(places)

        def listed(kind: GroupKind, namespace: str) -> bool:
            state = self._kinds.get(kind)
            return state is not None and not state.listed.isdisjoint(("", namespace))

        with self._lock:
            return self._lock.wait_for(lambda: all(listed(*place) for place in wanted), within)

    def get(self, id: ObjectId) -> Entry | None:
        with self._lock:
            return self._entries.get(id)

    def rollout(self, id: ObjectId) -> RolloutSeen | None:
        """A Rollout as last seen, None when it is not there."""
        with self._lock:
            entry = self._entries.get(id)
        return self.beside_its_workload(entry.seen) if entry and isinstance(entry.seen, RolloutSeen) else None

    def beside_its_workload(self, seen: RolloutSeen) -> RolloutSeen:
        """Not `observed` while the controller has still to see the newest spec of the Deployment that it takes the pod
        template from: the status is that of the version before.
        """
        if seen.workload is None or seen.invalid:
            return seen
        with self._lock:
            entry = self._entries.get(seen.workload)
        deployment = entry.seen if entry is not None else None
        if not isinstance(deployment, DeploymentSeen) or (seen.workload_seen or 0) >= deployment.generation:
            return seen
        # The controller is silent only if it lets the new template lie.
        moved = max(filter(None, (seen.moved, deployment.moved)), default=None)
        return replace(seen, observed=False, message=_TEMPLATE_UNSEEN, moved=moved)

    def judge(self, id: ObjectId, content: str, verdict: Verdict) -> None:
        """Keep a verdict on the object while it has this content, and let its body go."""
        with self._lock:
            entry = self._entries.get(id)
            if entry is not None and entry.content == content:
                entry.verdict = verdict
                entry.body = None

    def members(self, applyset: str) -> list[Member]:
        """The live objects of one ApplySet."""
        with self._lock:
            entries = [self._entries[id] for id in self._sets.get(applyset, ())]
        return [Member(id=e.id, uid=e.uid, controlled=e.controlled, keep=e.keep) for e in entries]

    def health(self, ids: Collection[ObjectId]) -> dict[ObjectId, Health | None]:
        """The health of each object as last seen, None for one that is not there."""
        with self._lock:
            found = {id: self._entries.get(id) for id in ids}
        return {id: entry.health if entry else None for id, entry in found.items()}

    def forget(self, kind: GroupKind, namespace: str = "") -> None:
        """The kind is no longer followed there."""
        with self._lock:
            state = self._kinds.get(kind)
            if state is None:
                return
            state.listed.discard(namespace)
            for entry in [self._entries[id] for id in state.present if _within(id, namespace)]:
                self._drop(entry)

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def _put(self, entry: Entry, kind: _Kind, before: Entry | None) -> None:
        if before is not None and before.applyset != entry.applyset:
            self._sets.get(before.applyset, set()).discard(entry.id)
        self._entries[entry.id] = entry
        self._sets.setdefault(entry.applyset, set()).add(entry.id)
        kind.present.add(entry.id)
        self._lock.notify_all()

    def _drop(self, entry: Entry) -> None:
        self._entries.pop(entry.id, None)
        members = self._sets.get(entry.applyset)
        if members is not None:
            members.discard(entry.id)
            if not members:
                del self._sets[entry.applyset]
        kind = self._kinds.get(entry.id.group_kind)
        if kind is not None:
            kind.present.discard(entry.id)

    def _tell(self, applysets: Iterable[str]) -> None:
        for applyset in applysets:
            if applyset:
                self._changed(applyset)


def _entry(id: ObjectId, document: dict[str, Any], before: Entry | None, agreed: str | None) -> Entry:
    metadata = document["metadata"]
    content = content_digest(document)
    same = before is not None and before.content == content and before.uid == metadata["uid"]
    verdict = Verdict(agreed) if agreed is not None else before.verdict if same and before is not None else None
    annotations = metadata.get("annotations") or {}
    return Entry(
        id=id,
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        content=content,
        health=assess(document, datetime.now(UTC)),
        applyset=(metadata.get("labels") or {}).get(PART_OF, ""),
        controlled=any(owner.get("controller") for owner in metadata.get("ownerReferences") or ()),
        keep=keeps(annotations),
        shared=any(_of_another(entry) for entry in metadata.get("managedFields") or ()),
        candidate=annotations.get(CANDIDATE, ""),
        seen=_seen(id, document),
        verdict=verdict,
        body=None if verdict is not None else json.dumps(document, separators=(",", ":")).encode(),
    )


def _seen(id: ObjectId, document: dict[str, Any]) -> RolloutSeen | DeploymentSeen | None:
    if id.group_kind == ROLLOUT:
        return see(document)
    return see_deployment(document) if id.group_kind == DEPLOYMENT else None


def _of_another(entry: dict[str, Any]) -> bool:
    return entry.get("manager") != MANAGER and entry.get("subresource") != "status"


def _within(id: ObjectId, namespace: str) -> bool:
    return not namespace or id.namespace == namespace


def _older(resource_version: str, than: str) -> bool:
    """Resource versions of one object are ordered numbers since Kubernetes 1.35 (KEP-5504) and were before, in fact, on
    every etcd. Any other text is taken as newer: an event too many costs a comparison, one too few costs the truth.
    """
    return resource_version.isdecimal() and than.isdecimal() and int(resource_version) < int(than)


def _news(before: Entry, after: Entry) -> bool:
    return (
        before.content != after.content
        or before.health != after.health
        or before.applyset != after.applyset
        or (isinstance(after.seen, RolloutSeen) and before.seen != after.seen)
    )
