"""What a change would do to an environment: asked of the server where the environment is in this cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.core.applyset import applyset_id
from reconciler.core.desired import Wanted, complete
from reconciler.core.diff import unified
from reconciler.core.mask import mask_pair
from reconciler.core.progressive.shaped import Shaped
from reconciler.core.progressive.template import workload_of
from reconciler.core.promotion_text import Changed, rendered
from reconciler.engine import outlook, proposals
from reconciler.engine.preview import Difference, preview
from reconciler.engine.proposals import Place
from reconciler.engine.world import World
from reconciler.model.application import Application
from reconciler.model.change import Action
from reconciler.model.identity import ObjectId
from reconciler.model.manifest import Manifest
from reconciler.model.outcome import StageError
from reconciler.model.rollout import CANDIDATE

_MOST = 200
"""Objects that the server is asked about: a description has no room for more."""
_LIVE = "What runs now, and what the server makes of the change: by its dry-run."
_RENDERED = "The objects as they are rendered, before and after"


@dataclass(frozen=True, slots=True)
class Outlook:
    """`predictions` are (object, sentence); `origin` says what the changes are between."""

    changes: tuple[Changed, ...]
    origin: str
    predictions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two renders, as the controller would apply it."""

    shaped: Shaped
    wanted: tuple[Wanted, ...]


def whole(world: World, to: Place, commit: str) -> Outlook:
    """For all Applications of an environment: what a commit would do to them."""
    tree = world.source.tree(to.seen.remote, commit)
    found = [
        ahead(world, each.application, each.before, proposals.objects(world, each.application, tree), commit)
        for each in to.members
    ]
    origins = {each.origin for each in found}
    named = " ".join(f"{member.name}: {each.origin}" for member, each in zip(to.members, found, strict=True))
    return Outlook(
        tuple(change for each in found for change in each.changes),
        found[0].origin if len(origins) == 1 else named,
        tuple(sentence for each in found for sentence in each.predictions),
    )


def ahead(
    world: World, application: Application, before: Sequence[Manifest], after: Sequence[Manifest], commit: str
) -> Outlook:
    """`commit` is the one that brings `after`. Where the server cannot be asked, what is rendered is compared: that
    holds no promotion up.
    """
    try:
        now, then = (_side(world, application, each, commit) for each in (before, after))
        changed, gone = _apart(now, then)
        if len(changed) > _MOST:
            return Outlook(rendered(before, after), f"{_RENDERED}: {len(changed)} change, too many to ask the server.")
        found = _asked(world, application, then, changed)
    except StageError as error:
        return Outlook(rendered(before, after), f"{_RENDERED}; the server could not be asked: {error.message}")
    changes = [*map(_change, found), *map(_deletion, gone)]
    return Outlook(
        tuple(each for each in changes if each.note or unified(each.before, each.after, title=each.title)),
        _LIVE,
        tuple((str(each.id), sentence) for each in found for sentence in each.predictions),
    )


def _side(world: World, application: Application, manifests: Sequence[Manifest], commit: str) -> _Side:
    applyset = applyset_id(application.metadata.name, application.metadata.namespace)
    shaped = outlook.shaped(world.cluster, application, manifests, world.rolling.strategies, applyset, commit)
    return _Side(shaped, tuple(complete(shaped.manifests, world.cluster.resource, application.namespace, applyset)))


def _apart(now: _Side, then: _Side) -> tuple[frozenset[ObjectId], list[Wanted]]:
    """(what is new or another than before, what is there no longer)."""
    known = {each.id: each.digest for each in now.wanted}
    wanted = {each.id for each in then.wanted}
    changed = frozenset(each.id for each in then.wanted if known.get(each.id) != each.digest)
    return changed, [each for each in now.wanted if each.id not in wanted]


def _asked(world: World, application: Application, then: _Side, changed: frozenset[ObjectId]) -> list[Difference]:
    """The differences of the changed objects, with what each would do to a rollout."""
    walkers = {
        each.id: workload_of(each.manifest.document, each.id.namespace)
        for each in then.wanted
        if each.id in then.shaped.rollouts
    }
    moved = {id: workload for id, workload in walkers.items() if id in changed or workload in changed}
    ids = changed | moved.keys() | {workload for workload in moved.values() if workload is not None}
    wanted = [each for each in then.wanted if each.id in ids]
    applyset = applyset_id(application.metadata.name, application.metadata.namespace)
    ignore = (*application.spec.drift.ignore, *then.shaped.ignore)
    found = preview(world.cluster, wanted, applyset=applyset, ignore=ignore)
    only = replace(then.shaped, rollouts=tuple(id for id in then.shaped.rollouts if id in moved))
    return outlook.told(world.cluster, application, application.status, only, wanted, found)


def _change(found: Difference) -> Changed:
    replaced = "It is deleted and created anew." if found.action is Action.REPLACE else ""
    unchecked = f"The server was not asked: {found.unchecked}" if found.unchecked else ""
    refused = f"The server would refuse it: {found.error}" if found.error else ""
    return Changed(str(found.id), _unmarked(found.live), _unmarked(found.wanted), refused or unchecked or replaced)


def _unmarked(document: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Without the mark of the version: it will name the commit of the merge, which nobody knows yet."""
    annotations = ((document or {}).get("metadata") or {}).get("annotations") or {}
    if document is None or CANDIDATE not in annotations:
        return document
    rest = {name: text for name, text in annotations.items() if name != CANDIDATE}
    return {**document, "metadata": {**document["metadata"], "annotations": rest}}


def _deletion(gone: Wanted) -> Changed:
    before, after = mask_pair(gone.manifest.document, None)
    return Changed(str(gone.id), before, after)
