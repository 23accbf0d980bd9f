"""What Git itself remembers of an Application's versions: the last that was promoted, and those that may not return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Promoted:
    """`commit` brought it; `templates` are the digests of the pod templates, by the name of the workload."""

    commit: str
    templates: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Veto:
    """A version that was aborted. `template` is the digest of its pod template, `images` what it ran; `by` is empty
    when an analysis aborted it.
    """

    template: str
    images: tuple[str, ...]
    commit: str
    why: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Ledger:
    """The whole memory: small, and complete in each entry. `earlier` are the versions (`workload=template`) that were
    promoted before, the oldest first: to one of them a revert goes back.
    """

    promoted: Promoted | None = None
    vetoes: tuple[Veto, ...] = field(default=())
    earlier: tuple[str, ...] = ()

    def vetoed(self, template: str) -> Veto | None:
        """The veto on a pod template, None when there is none."""
        return next((veto for veto in self.vetoes if veto.template == template), None)
