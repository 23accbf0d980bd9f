"""Which version an object is: the digest of its pod template, and the mark that says which commit brought it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.content import digest
from reconciler.model.identity import GroupKind, ObjectId

DEPLOYMENT = GroupKind("apps", "Deployment")
ROLLOUT = GroupKind("argoproj.io", "Rollout")


def template_digest(document: Mapping[str, Any]) -> str:
    """Of `spec.template` as Git has it, 16 hex digits: two commits with the same template bring the same version."""
    return digest((document.get("spec") or {}).get("template") or {})[:16]


def mark(template: str, commit: str) -> str:
    """The value of the CANDIDATE annotation."""
    return f"{template}.{commit}"


def read_mark(text: str) -> tuple[str, str]:
    """(digest of the template, commit) of a CANDIDATE annotation; two empty texts for what is none."""
    template, dot, commit = text.partition(".")
    return (template, commit) if dot else ("", "")


def images(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The images of a pod template, each once, in order."""
    return tuple(dict.fromkeys(_images(document)))


def workload_of(rollout: Mapping[str, Any], namespace: str) -> ObjectId | None:
    """What a Rollout takes its pod template from; None for one with a template of its own."""
    ref = (rollout.get("spec") or {}).get("workloadRef")
    if not isinstance(ref, Mapping):
        return None
    group, slash, _ = str(ref.get("apiVersion", "")).partition("/")
    return ObjectId(group if slash else "", str(ref.get("kind", "")), namespace, str(ref.get("name", "")))


def _images(document: Mapping[str, Any]) -> Iterator[str]:
    pod = ((document.get("spec") or {}).get("template") or {}).get("spec") or {}
    for field in ("initContainers", "containers"):
        for container in pod.get(field) or ():
            if isinstance(container, Mapping) and container.get("image"):
                yield str(container["image"])
