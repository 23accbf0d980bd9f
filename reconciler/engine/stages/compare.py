"""Stage 3, first half: which objects of a stage are not as Git wants them, and whether Git or somebody else moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.core.applyset import PART_OF, belongs_to
from reconciler.core.compare import in_sync
from reconciler.core.content import content_digest
from reconciler.core.desired import Wanted
from reconciler.core.drift import find, respect
from reconciler.core.leftovers import owning_leftovers
from reconciler.core.refusals import explain, may_replace
from reconciler.engine.live import Entry, Verdict
from reconciler.engine.memory import Memory
from reconciler.engine.stages.send import send
from reconciler.engine.world import World
from reconciler.model.application import Application
from reconciler.model.change import Action, Change, Refusal
from reconciler.model.drift import Drift, DriftClass
from reconciler.model.outcome import Reason, StageError, Terminal


@dataclass(slots=True)
class Comparison:
    """`changes` are what Git moved; `drifted` what somebody else moved, with the object to send to put it back."""

    changes: list[tuple[Wanted, Change]] = field(default_factory=list)
    drifted: list[tuple[Wanted, Change, tuple[Drift, ...]]] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """An object without a verdict: the document to send, and the live one where it is at hand."""

    wanted: Wanted
    document: dict[str, Any]
    entry: Entry | None
    live: dict[str, Any] | None


def compare(world: World, application: Application, memory: Memory, stage: Sequence[Wanted]) -> Comparison:
    """Reads nothing from the server for objects whose verdict still holds; one dry-run for each of the others, all of
    them before anything is written. Raises the refusals of the dry-run, with file and line.
    """
    result = Comparison()
    unjudged = [found for wanted in stage if (found := _open(world, application, memory, wanted, result)) is not None]
    if not unjudged:
        return result
    answers = send(world, [(found.wanted.resource, found.document) for found in unjudged], dry_run=True)
    errors: list[StageError] = []
    for found, answer in zip(unjudged, answers, strict=True):
        if not isinstance(answer, Refusal):
            _settle(world, application, memory, found, answer, result)
        elif (change := _way_around(world, found, answer)) is not None:
            result.changes.append(change)
        else:
            errors.append(explain(answer, found.wanted.manifest, found.wanted.id))
    if errors:
        raise gather(errors)
    return result


def _way_around(world: World, found: _Open, refusal: Refusal) -> tuple[Wanted, Change] | None:
    """A refusal that need not be the last word: an allowed replacement, or defaults of the server in the way."""
    error = explain(refusal, found.wanted.manifest, found.wanted.id)
    if error.reason is Reason.IMMUTABLE_FIELD and may_replace(found.wanted.manifest):
        return _change(found, Action.REPLACE)
    if found.entry is None:
        return None
    live = found.live or world.cluster.read(found.wanted.resource, found.wanted.id.namespace, found.wanted.id.name)
    owning = owning_leftovers(found.document, live, refusal) if live is not None else None
    if owning is None:
        return None
    wanted, change = _change(found, Action.UPDATE)
    return wanted, replace(change, owning=owning)


def _open(world: World, application: Application, memory: Memory, wanted: Wanted, result: Comparison) -> _Open | None:
    entry = world.live.get(wanted.id)
    ignore = application.spec.drift.ignore
    if entry is None:
        return _Open(wanted, dict(wanted.manifest.document), None, None)
    _refuse_foreign(world, application, entry, wanted)
    if entry.verdict is not None and entry.verdict.wanted == wanted.digest:
        if entry.verdict.drift:
            result.drifted.append(_drifted(_Open(wanted, wanted.manifest.document, entry, None), entry.verdict.drift))
        return None
    live = entry.document()
    if live is None and (entry.shared or ignore):
        live = world.cluster.read(wanted.resource, wanted.id.namespace, wanted.id.name)
    document = dict(respect(wanted.manifest.document, live, ignore))
    found = _Open(wanted, document, entry, live)
    if live is None or not in_sync(live, document):
        return found
    extras = tuple(find(wanted, live, live, ignore)) if entry.shared and _known(application, memory, wanted) else ()
    world.live.judge(wanted.id, entry.content, Verdict(wanted.digest, extras))
    if extras:
        result.drifted.append(_drifted(found, extras))
    return None


def _settle(
    world: World,
    application: Application,
    memory: Memory,
    found: _Open,
    predicted: dict[str, Any],
    result: Comparison,
) -> None:
    wanted, entry = found.wanted, found.entry
    if entry is None:
        if _known(application, memory, wanted):
            result.drifted.append(_drifted(found, _lost(world, application, wanted, predicted)))
        else:
            result.changes.append(_change(found, Action.CREATE))
        return
    same = content_digest(predicted) == entry.content
    known = _known(application, memory, wanted)
    if not known and not same:
        result.changes.append(_change(found, Action.UPDATE))
        return
    if same and not (known and entry.shared):
        world.live.judge(wanted.id, entry.content, Verdict(wanted.digest))
        return
    live = found.live or world.cluster.read(wanted.resource, wanted.id.namespace, wanted.id.name)
    drifts = tuple(find(wanted, live, predicted, application.spec.drift.ignore))
    world.live.judge(wanted.id, entry.content, Verdict(wanted.digest, drifts))
    if drifts:
        result.drifted.append(_drifted(found, drifts))


def _lost(world: World, application: Application, wanted: Wanted, predicted: dict[str, Any]) -> tuple[Drift, ...]:
    """What became of an object that the watch does not see: it is gone, or there without the label of its set.

    Of an object that is not there a dry-run predicts no version.
    """
    if predicted["metadata"].get("resourceVersion"):
        live = world.cluster.read(wanted.resource, wanted.id.namespace, wanted.id.name)
        return tuple(find(wanted, live, predicted, application.spec.drift.ignore))
    return (Drift(wanted.id, DriftClass.MISSING),)


def _known(application: Application, memory: Memory, wanted: Wanted) -> bool:
    """True when this very object was applied before: what differs now, somebody else has changed.

    After a restart the status remembers it: the digest of the last render that was applied whole.
    """
    if memory.applied is not None:
        return memory.applied.get(wanted.id) == wanted.digest
    applied = application.status.applied
    return applied is not None and memory.goal is not None and applied.digest == memory.goal.rendered.digest


def _refuse_foreign(world: World, application: Application, entry: Entry, wanted: Wanted) -> None:
    ours = wanted.manifest.document["metadata"]["labels"][PART_OF]
    if entry.applyset in ("", ours):
        return
    owner = world.catalog.owner(entry.applyset)
    theirs = f"{owner.namespace}/{owner.name}" if owner is not None else ""
    mine = f"Application {application.metadata.namespace}/{application.metadata.name}"
    why = belongs_to(wanted.id, entry.applyset, theirs, mine)
    raise Terminal(Reason.OWNED_BY_ANOTHER, f"{wanted.manifest.origin}: {why}")


def _change(found: _Open, action: Action) -> tuple[Wanted, Change]:
    manifest = replace(found.wanted.manifest, document=found.document)
    if found.entry is None:
        return found.wanted, Change(found.wanted.id, action, manifest)
    return found.wanted, Change(found.wanted.id, action, manifest, found.entry.uid, found.entry.resource_version)


def _drifted(found: _Open, drifts: tuple[Drift, ...]) -> tuple[Wanted, Change, tuple[Drift, ...]]:
    wanted, change = _change(found, Action.CREATE if found.entry is None else Action.UPDATE)
    return wanted, change, drifts


def gather(errors: Sequence[StageError], most: int = 5) -> StageError:
    """One error for several objects: the first one's reason, all messages up to `most`."""
    if len(errors) == 1:
        return errors[0]
    first = errors[0]
    lines = [error.message for error in errors[:most]]
    if len(errors) > most:
        lines.append(f"... and {len(errors) - most} more objects")
    message = f"{len(errors)} objects are refused:\n" + "\n".join(lines)
    if any(isinstance(error, Terminal) for error in errors):
        reason = next(error.reason for error in errors if isinstance(error, Terminal))
        return Terminal(reason, message)
    return type(first)(first.reason, message)
