"""What somebody changed in the cluster: each field, who, and how to take it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.core.defaults import is_filled
from reconciler.core.desired import Wanted
from reconciler.core.extras import extras
from reconciler.core.kinds import BUILT_IN_GROUPS
from reconciler.core.mask import AFTER, BEFORE, HIDDEN, mask_value
from reconciler.core.overwritten import Finding, overwritten
from reconciler.core.pointer import Path, locate, resolve, text, value_at
from reconciler.core.respect import claimed, left_alone, respect
from reconciler.model.application import DriftIgnore
from reconciler.model.drift import Drift, DriftClass
from reconciler.model.identity import ObjectId

__all__ = ["find", "removals", "respect"]


def find(
    wanted: Wanted,
    live: Mapping[str, Any] | None,
    predicted: Mapping[str, Any] | None,
    ignore: Sequence[DriftIgnore] = (),
) -> list[Drift]:
    """How a live object differs from Git by somebody's hand; empty when it does not.

    For a document that was applied before: what Git changed since then is no drift. `predicted` is the server's answer
    to a dry-run of what `respect` gives, None when none was made: where it has the live value, the server itself made
    the difference (a default, a quantity, a webhook). Values of Secrets are masked.
    """
    if live is None:
        return [Drift(wanted.id, DriftClass.MISSING)]
    document = wanted.manifest.document
    built_in = wanted.id.group in BUILT_IN_GROUPS
    left, managers = claimed(document, live, ignore), left_alone(live, ignore)
    findings = [
        finding
        for finding in overwritten(respect(document, live, ignore), live, predicted, built_in=built_in)
        if not (finding.kind is DriftClass.TAKEN_OVER and _holds(finding.path, left))
    ]
    seen: set[Path] = set()
    for finding in extras(document, live):
        harmless = built_in and is_filled(str(finding.path[-1]), finding.live)
        ignored = (finding.who and finding.who.manager in managers) or _lies_in(finding.path, left)
        if not (harmless or ignored or finding.path in seen):
            seen.add(finding.path)
            findings.append(finding)
    return [_drift(wanted.id, finding) for finding in findings]


def _lies_in(path: Path, left: Sequence[Path]) -> bool:
    return any(path[: len(claim)] == claim for claim in left)


def _holds(path: Path, left: Sequence[Path]) -> bool:
    """True for a thing that is replaced as a whole and of which a part is somebody else's."""
    return any(claim[: len(path)] == path for claim in left)


def _drift(id: ObjectId, finding: Finding) -> Drift:
    both = finding.kind is DriftClass.CHANGED
    return Drift(
        id=id,
        kind=finding.kind,
        path=text(finding.path),
        wanted=mask_value(id, finding.path, finding.wanted, AFTER if both else HIDDEN),
        live=mask_value(id, finding.path, finding.live, BEFORE if both else HIDDEN),
        manager=finding.who.manager if finding.who else "",
        operation=finding.who.operation if finding.who else "",
        at=finding.who.time if finding.who else None,
    )


def removals(drifts: Sequence[Drift], live: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The JSON patch (RFC 6902) that takes the extra fields out of `live`, each removal guarded by a test of what is
    there: it fails as a whole when somebody was faster. It may hold values of a Secret: send it, never show it.
    """
    found: dict[str, Any] = {}
    for drift in drifts:
        path = resolve(live, drift.path) if drift.kind is DriftClass.EXTRA else None
        place = locate(live, drift.path) if path else None
        if path and place:
            found[place] = value_at(live, path)
    patch: list[dict[str, Any]] = []
    for place in sorted(found, key=_position, reverse=True):
        patch += [{"op": "test", "path": place, "value": found[place]}, {"op": "remove", "path": place}]
    return patch


def _position(place: str) -> list[tuple[int, str]]:
    """Items of one list from the last to the first, so that a removal does not move the next."""
    return [(int(part) if part.isdecimal() else -1, part) for part in place.split("/")]
