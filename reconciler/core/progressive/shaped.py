"""What the shape of a set depends on, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.model.application import DriftIgnore
from reconciler.model.identity import ObjectId
from reconciler.model.manifest import Manifest
from reconciler.model.rollout import DeploymentSeen, RolloutSeen

Look = Callable[[str, str, str], DeploymentSeen | RolloutSeen | None]
"""(kind, namespace, name) -> the live Deployment or Rollout, None when it is not there.

A Rollout that is no member of the Application's own set is not there. The answer must be as new as the documents that
the manifests will be compared with.
"""


@dataclass(frozen=True, slots=True)
class Shaped:
    """`manifests` are all that is wanted; those that nothing was done to are the very ones given. `ignore` are rules
    beside the user's own. `carriers` are the objects that hold the pod templates which are walked out, with the digest
    of each; `rollouts` what walks them. `state` is another text whenever the live objects lead to another outcome.
    """

    manifests: tuple[Manifest, ...]
    ignore: tuple[DriftIgnore, ...] = ()
    carriers: Mapping[ObjectId, str] = field(default_factory=dict)
    rollouts: tuple[ObjectId, ...] = ()
    state: str = ""
