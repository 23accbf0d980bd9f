"""What the server's no to one object means, and what the user can do about it."""

from __future__ import annotations

import re
from collections.abc import Callable

from reconciler.model.change import Refusal
from reconciler.model.identity import ObjectId
from reconciler.model.manifest import Manifest
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

REPLACE = "dispatch.dev/replace"

_IMMUTABLE = re.compile(
    r"field is immutable|\bis immutable\b|may not be changed in an update|may not change once set"
    r"|updates to [\w ]+ (?:spec )?for fields other than|updates may not change fields other than"
    r"|cannot change roleRef|updates to (?:parameters|provisioner|reclaimPolicy|volumeBindingMode) are forbidden",
    re.IGNORECASE,
)
"""The words of k8s.io/apimachinery ValidateImmutableField and of the kinds that say it their own way (StatefulSet, Pod,
PersistentVolumeClaim, Service, RoleBinding, StorageClass, PriorityClass) and the usual ones of CEL rules."""

_NOT_TYPED = re.compile(r"failed to (?:create typed|convert) (?:patch|live|new) object|field not declared in schema")
"""A field that the kind does not have, or a value of another type, is answered to a server-side apply with code 500
(structured-merge-diff's errors carry no status); trying again cannot help."""

_MOST_SAID = 800
"""Characters of the server's message that are shown: a refused Job repeats its whole Pod template."""

_NO_NAMESPACE = re.compile(r'namespaces "([^"]*)" not found')
_TERMINATING = re.compile(r"unable to create new content in namespace (\S+) because it is being terminated")
_NO_RIGHT = re.compile(r"\bcannot (?:get|list|watch|create|update|patch|delete|escalate|bind)\b", re.IGNORECASE)
_QUOTA = re.compile(r"exceeded quota", re.IGNORECASE)
_PATCH_FAILED = "the server rejected our request due to an error in our request"
"""All that is said of a JSON Patch whose `test` failed or whose field is gone: somebody was faster."""


def may_replace(manifest: Manifest) -> bool:
    """True when the object allows that it is deleted and created anew: `dispatch.dev/replace: allowed`."""
    return manifest.annotations.get(REPLACE) == "allowed"


def explain(refusal: Refusal, manifest: Manifest, id: ObjectId) -> StageError:
    """The outcome that a refusal amounts to; its message has file and line, the object, the server's words, a way out.

    Transient: no answer, an overloaded server, a conflict, a namespace that is not there (yet), a full quota.
    Terminal: what stays refused until somebody changes the object, the cluster's rules or the rights of Dispatch.
    """
    for judge in (_unanswered, _misplaced, _not_permitted, _immutable, _busy):
        outcome = judge(refusal, manifest, id)
        if outcome is not None:
            return outcome
    return Terminal(Reason.OBJECT_REFUSED, _say(refusal, manifest, id, "Correct the object in Git."))


def may_pass(code: int, message: str) -> bool:
    """True for an answer that sending the same again may change: 429, and the 5xx that are not a verdict on the object
    (a field that the kind does not have is answered with 500).
    """
    return code == 429 or (code in _PASSING and not _NOT_TYPED.search(message))


_PASSING = frozenset({500, 502, 503, 504})


Judge = Callable[[Refusal, Manifest, ObjectId], StageError | None]


def _unanswered(refusal: Refusal, manifest: Manifest, id: ObjectId) -> StageError | None:
    if refusal.code == 0:
        message = f"{manifest.origin}: {id}: no answer from the API server: {refusal.message}. It is tried again."
        return Transient(Reason.CLUSTER_UNREACHABLE, message, refusal.retry_after)
    return None


def _misplaced(refusal: Refusal, manifest: Manifest, id: ObjectId) -> StageError | None:
    missing = _NO_NAMESPACE.search(refusal.message) if refusal.code in (403, 404) else None
    if missing and id.kind != "Namespace":
        way_out = (
            f"Create the namespace {missing[1]}, commit it beside the object, or name another in "
            "destination.namespace. It is tried again."
        )
        return Transient(Reason.NAMESPACE_MISSING, _say(refusal, manifest, id, way_out))
    if _TERMINATING.search(refusal.message):
        way_out = "It is tried again; the namespace must be gone and created anew first."
        return Transient(Reason.NAMESPACE_MISSING, _say(refusal, manifest, id, way_out))
    if refusal.code == 404:
        way_out = "Its kind is no longer served: was its CustomResourceDefinition deleted? It is tried again."
        return Transient(Reason.UNKNOWN_KIND, _say(refusal, manifest, id, way_out))
    return None


def _not_permitted(refusal: Refusal, manifest: Manifest, id: ObjectId) -> StageError | None:
    if refusal.code == 401:
        way_out = "The credentials of Dispatch are not valid for this cluster: renew them. It is tried again."
        return Transient(Reason.FORBIDDEN, _say(refusal, manifest, id, way_out))
    if refusal.code != 403:
        return None
    if _NO_RIGHT.search(refusal.message) or "attempting to grant RBAC permissions" in refusal.message:
        way_out = "Give the account named there that right (a Role or ClusterRole and its binding)."
        return Terminal(Reason.FORBIDDEN, _say(refusal, manifest, id, way_out))
    if _QUOTA.search(refusal.message):
        way_out = "Raise the ResourceQuota or ask for less. It is tried again."
        return Transient(Reason.OBJECT_REFUSED, _say(refusal, manifest, id, way_out))
    way_out = "A rule of the cluster (admission) forbids it: correct the object in Git, or the rule."
    return Terminal(Reason.OBJECT_REFUSED, _say(refusal, manifest, id, way_out))


def _immutable(refusal: Refusal, manifest: Manifest, id: ObjectId) -> StageError | None:
    """Narrow on purpose: only when every cause is an unchangeable field would a new object be taken."""
    if refusal.code != 422:
        return None
    said = [message for _, message in refusal.causes if message] or [refusal.message]
    if not all(_IMMUTABLE.search(message) for message in said):
        return None
    way_out = (
        f"The field cannot be changed on a live object. Undo the change, or allow that it is deleted and created anew "
        f"(its Pods or data may go with it) with the annotation {REPLACE}: allowed."
    )
    return Terminal(Reason.IMMUTABLE_FIELD, _say(refusal, manifest, id, way_out))


def _busy(refusal: Refusal, manifest: Manifest, id: ObjectId) -> StageError | None:
    if refusal.code == 409 or (refusal.code == 422 and refusal.message.startswith(_PATCH_FAILED)):
        message = _say(refusal, manifest, id, "Somebody changed it at the same moment. It is tried again.")
        return Transient(Reason.CONFLICT, message, refusal.retry_after)
    if may_pass(refusal.code, refusal.message):
        webhook = "A webhook of the cluster did not answer. " if "failed calling webhook" in refusal.message else ""
        message = _say(refusal, manifest, id, f"{webhook}It is tried again.")
        return Transient(Reason.CLUSTER_BUSY, message, refusal.retry_after)
    return None


def _say(refusal: Refusal, manifest: Manifest, id: ObjectId, way_out: str) -> str:
    said = refusal.message.strip().rstrip(".")
    if len(said) > _MOST_SAID:
        said = f"{said[: _MOST_SAID // 2]} [...] {said[-_MOST_SAID // 2 :]}"
    return f"{manifest.origin}: {id} was refused by the server ({refusal.code}): {said}. {way_out}"
