"""What is deleted because it left Git: the most careful decision of all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.order import removal_order
from reconciler.model.application import Sync
from reconciler.model.change import Action, Change
from reconciler.model.identity import GroupKind, ObjectId
from reconciler.model.outcome import Reason, Terminal

ALWAYS_ALLOWED = 10
"""A share never stops a run that deletes so few: a quarter of a small application is one object."""
_NAMED = 5

_SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
_KEEPING_OPTIONS = frozenset({"prune=false", "prune=confirm"})
_KEEPING = {
    "dispatch.dev/prune": "disabled",
    "helm.sh/resource-policy": "keep",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}
"""Annotations by which an object says that it outlives its manifest, in our words and in those of the tools that its
author may come from (Argo CD itself honours Helm's)."""


@dataclass(frozen=True, slots=True)
class Member:
    """A live object that carries the set's part-of label.

    `controlled`: it has an owner reference with `controller: true` (a controller copied the label from its owner).
    `keep`: `keeps(its annotations)`.
    """

    id: ObjectId
    uid: str
    controlled: bool = False
    keep: bool = False


def keeps(annotations: Mapping[str, str]) -> bool:
    """True when an object's annotations say that it must not be pruned. `Prune=confirm` counts as no: nobody asks."""
    if any(annotations.get(name) == value for name, value in _KEEPING.items()):
        return True
    options = str(annotations.get(_SYNC_OPTIONS, "")).split(",")
    return any(option.strip().lower() in _KEEPING_OPTIONS for option in options)


def to_prune(
    members: Sequence[Member], wanted: Collection[ObjectId], policy: Sync, contained: Collection[GroupKind]
) -> list[Change]:
    """The deletes, in the order of removal, for members that are not in `wanted`.

    `wanted` must come from a complete render. Never named: what a controller owns, a kind outside `contained` (the
    set's group-kinds: Endpoints copy a Service's labels without an owner), what opted out. Raises Terminal(PRUNE_LIMIT)
    when the policy's limit would be passed: then nothing may be deleted.
    """
    if not policy.prune:
        return []
    kinds, still_wanted = frozenset(contained), frozenset(wanted)
    ours = {member.id: member for member in members if not member.controlled and member.id.group_kind in kinds}
    leaving = [id for id, member in ours.items() if id not in still_wanted and not member.keep]
    ordered = removal_order(leaving)
    if _exceeds(len(ordered), len(ours), policy.prune_limit):
        raise Terminal(Reason.PRUNE_LIMIT, _over_limit(ordered, len(ours), policy.prune_limit))
    return [Change(id, Action.DELETE, uid=ours[id].uid, why="no longer in Git") for id in ordered]


def _exceeds(count: int, total: int, limit: str) -> bool:
    if limit.endswith("%"):
        return count > ALWAYS_ALLOWED and count * 100 > int(limit[:-1]) * total
    return count > int(limit)


def _over_limit(leaving: Sequence[ObjectId], total: int, limit: str) -> str:
    names = ", ".join(str(id) for id in leaving[:_NAMED])
    more = f" and {len(leaving) - _NAMED} more" if len(leaving) > _NAMED else ""
    enough = f"{-(-len(leaving) * 100 // total)}%" if limit.endswith("%") else str(len(leaving))
    return (
        f"would delete {len(leaving)} of {total} objects, more than sync.pruneLimit {limit} allows; "
        f"nothing was deleted. They left Git: {names}{more}. "
        f"If that is meant, set sync.pruneLimit to {enough} or more; if not, look at what the commit took away."
    )
