"""What applying would change, asked of the server by dry-run: what `dispatch diff` shows. Nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from reconciler.core.applyset import ID, PART_OF, belongs_to
from reconciler.core.desired import Wanted
from reconciler.core.diff import differences, readable
from reconciler.core.mask import mask_pair
from reconciler.core.prune import Member, keeps, to_prune
from reconciler.core.refusals import explain, may_replace
from reconciler.core.respect import respect
from reconciler.model.application import DriftIgnore, Sync
from reconciler.model.change import Action, Answer, FieldChange, Refusal
from reconciler.model.identity import GroupKind, ObjectId, identify
from reconciler.model.manifest import Origin
from reconciler.model.outcome import Reason, StageError, Terminal
from reconciler.model.resource import API_VERSION
from reconciler.ports import Cluster

_READERS = 8
_NO_LIMIT = "100%"

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One object. `live` and `wanted` are what people compare: Secrets masked, the server's bookkeeping left out.

    `action` NONE is an object that is as it should be. `predictions` are sentences about what the change does to a
    rollout. `error` says why the server (or a rule of ours) refuses the
    object, with file and line; `unchecked` why the server could not be asked about it. `origin` is None for a delete.
    """

    id: ObjectId
    action: Action
    origin: Origin | None = None
    live: Document | None = None
    wanted: Document | None = None
    fields: tuple[FieldChange, ...] = ()
    error: str = ""
    unchecked: str = ""
    predictions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    """One object to ask about: the live one, and the document that would be sent."""

    wanted: Wanted
    live: dict[str, Any] | None
    document: Document


def preview(
    cluster: Cluster, wanted: Sequence[Wanted], *, applyset: str = "", ignore: Sequence[DriftIgnore] = ()
) -> list[Difference]:
    """A read and a dry-run of each object, in order. `ignore` are the fields that an apply leaves alone.

    Without an `applyset` (a folder that no Application names) objects stay members of the set that they are in.
    Raises Transient when the server does not answer; what it refuses becomes an `error`.
    """
    found: dict[ObjectId, Difference] = {}
    asked: list[_Asked] = []
    for each, live in zip(wanted, _read_all(cluster, wanted), strict=True):
        if isinstance(live, StageError):
            found[each.id] = Difference(each.id, Action.NONE, each.manifest.origin, error=_at(each, live.message))
            continue
        one = _Asked(each, live, _document(each, live, applyset, ignore))
        if foreign := _foreign(cluster, one, applyset):
            found[each.id] = Difference(each.id, Action.NONE, each.manifest.origin, error=foreign)
        elif not _served(cluster, each):
            why = f"{each.manifest.kind} of {each.manifest.api_version} is defined by these objects"
            found[each.id] = _unchecked(one, why)
        else:
            asked.append(one)
    answers = cluster.apply([(one.wanted.resource, one.document) for one in asked], dry_run=True)
    for one, answer in zip(asked, answers, strict=True):
        found[one.wanted.id] = _settle(one, answer)
    return [found[each.id] for each in wanted]


def leaving(
    cluster: Cluster, applyset: str, contained: Iterable[GroupKind], wanted: Collection[ObjectId], policy: Sync
) -> tuple[list[Difference], list[str]]:
    """The members of a set that are no longer wanted, in the order in which they would be deleted; and notes: a limit
    that would stop the deletes, kinds that we may not list. `contained` are the kinds that the set may hold."""
    kinds = frozenset(contained)
    documents: dict[ObjectId, dict[str, Any]] = {}
    notes: list[str] = []
    for kind in sorted(kinds):
        resource = cluster.preferred(kind)
        try:
            found = cluster.listing(resource, "", f"{PART_OF}={applyset}") if resource is not None else ()
            documents |= {identify(document): document for document in found}
        except Terminal as error:
            if error.reason is not Reason.FORBIDDEN:
                raise
            notes.append(f"deletions of {kind} are not shown: {error.message}")
    members = [_member(id, document) for id, document in documents.items()]
    changes = to_prune(members, wanted, policy.model_copy(update={"prune_limit": _NO_LIMIT}), kinds)
    try:
        to_prune(members, wanted, policy, kinds)
    except Terminal as error:
        notes.append(f"the controller would not delete these: {error.message}")
    return [_deletion(change.id, documents[change.id]) for change in changes], notes


def _read_all(cluster: Cluster, wanted: Sequence[Wanted]) -> list[dict[str, Any] | StageError | None]:
    def read(each: Wanted) -> dict[str, Any] | StageError | None:
        if not _served(cluster, each):
            return None
        try:
            return cluster.read(each.resource, each.id.namespace, each.id.name)
        except Terminal as error:
            return error

    with ThreadPoolExecutor(max_workers=_READERS) as threads:
        return list(threads.map(read, wanted))


def _served(cluster: Cluster, wanted: Wanted) -> bool:
    return cluster.resource(wanted.manifest.api_version, wanted.manifest.kind) is not None


def _document(wanted: Wanted, live: Document | None, applyset: str, ignore: Sequence[DriftIgnore]) -> Document:
    document = wanted.manifest.document
    return respect(document if applyset else _member_as(document, live), live, ignore)


def _member_as(document: dict[str, Any], live: Document | None) -> dict[str, Any]:
    """The document with the mark of membership that the live object has, if any."""
    metadata = dict(document["metadata"])
    labels = {name: text for name, text in (metadata.pop("labels", None) or {}).items() if name != PART_OF}
    mark = ((live or {}).get("metadata", {}).get("labels") or {}).get(PART_OF)
    labels |= {PART_OF: mark} if mark else {}
    return {**document, "metadata": {**metadata, **({"labels": labels} if labels else {})}}


def _foreign(cluster: Cluster, one: _Asked, applyset: str) -> str:
    """Why the object may not be touched: it is another Application's."""
    theirs = ((one.live or {}).get("metadata", {}).get("labels") or {}).get(PART_OF, "")
    if not applyset or theirs in ("", applyset):
        return ""
    return _at(one.wanted, belongs_to(one.wanted.id, theirs, _owner(cluster, theirs)))


def _owner(cluster: Cluster, applyset: str) -> str:
    resource = cluster.resource(API_VERSION, "Application")
    if resource is None:
        return ""
    try:
        for document in cluster.listing(resource, "", f"{ID}={applyset}"):
            return f"{document['metadata']['namespace']}/{document['metadata']['name']}"
    except Terminal:
        return ""
    return ""


def _settle(one: _Asked, answer: Answer) -> Difference:
    if isinstance(answer, Refusal):
        return _refused(one, answer)
    if one.live is None:
        return _difference(one, Action.CREATE, answer)
    changed = _difference(one, Action.UPDATE, answer)
    return changed if changed.fields else _difference(one, Action.NONE, answer)


def _refused(one: _Asked, refusal: Refusal) -> Difference:
    error = explain(refusal, one.wanted.manifest, one.wanted.id)
    if error.reason is Reason.NAMESPACE_MISSING and one.live is None:
        return _unchecked(one, refusal.message)
    if error.reason is Reason.IMMUTABLE_FIELD and may_replace(one.wanted.manifest):
        return _difference(one, Action.REPLACE, one.document)
    return Difference(one.wanted.id, Action.NONE, one.wanted.manifest.origin, error=error.message)


def _unchecked(one: _Asked, why: str) -> Difference:
    _, wanted = mask_pair(None, one.document)
    return Difference(
        one.wanted.id, Action.CREATE, one.wanted.manifest.origin, wanted=readable(wanted or {}), unchecked=why
    )


def _difference(one: _Asked, action: Action, predicted: Document) -> Difference:
    masked_live, masked_wanted = mask_pair(one.live, predicted)
    live = None if masked_live is None else readable(masked_live)
    wanted = readable(masked_wanted or {})
    fields = () if live is None else tuple(differences(live, wanted))
    return Difference(one.wanted.id, action, one.wanted.manifest.origin, live, wanted, fields)


def _deletion(id: ObjectId, document: Document) -> Difference:
    masked, _ = mask_pair(document, None)
    return Difference(id, Action.DELETE, live=readable(masked or {}))


def _member(id: ObjectId, document: Document) -> Member:
    metadata = document["metadata"]
    controlled = any(owner.get("controller") for owner in metadata.get("ownerReferences") or ())
    return Member(id, metadata["uid"], controlled, keeps(metadata.get("annotations") or {}))


def _at(wanted: Wanted, message: str) -> str:
    return f"{wanted.manifest.origin}: {message}"
