"""Job.batch, by its conditions (k8s.io/api/batch/v1, JobConditionType), as gitops-engine's health_job.go."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.conditions import every
from reconciler.core.health.fields import flag, integer, value
from reconciler.core.health.verdict import degraded, healthy, progressing, suspended
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    """A condition counts only when it is True: a resumed Job keeps `Suspended` as False and is running."""
    holding = {one.type: one for one in every(document) if one.true}
    if failed := holding.get("Failed"):
        return degraded(failed.why)
    if "Complete" in holding:
        return healthy()
    if "Suspended" in holding or flag(document, "spec", "suspend"):
        return suspended("the Job is suspended (spec.suspend)")
    if failing := holding.get("FailureTarget"):
        return progressing(f"failing, waiting for its Pods to end: {failing.why}")
    if "SuccessCriteriaMet" in holding:
        return progressing("succeeded, waiting for its Pods to end")
    return progressing(_running(document))


def _running(document: dict[str, Any]) -> str:
    succeeded = integer(document, "status", "succeeded")
    active = integer(document, "status", "active")
    failed = integer(document, "status", "failed")
    if value(document, "spec", "completions") is None:
        done = f"{succeeded} Pods succeeded"
    else:
        done = f"{succeeded} of {integer(document, 'spec', 'completions')} completions"
    return f"{done}, {active} Pods active" + (f", {failed} failed" if failed else "")
