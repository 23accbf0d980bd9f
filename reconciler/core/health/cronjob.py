"""CronJob.batch, by its last run, as Argo CD's resource_customizations/batch/CronJob/health.lua."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.fields import flag, items, text
from reconciler.core.health.verdict import degraded, healthy
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    """Suspended is Healthy: it is what Git asked for, and one resting CronJob must not suspend an application.

    That is Argo CD's own choice (argo-cd issues 24428 and 19126).
    """
    if flag(document, "spec", "suspend"):
        return healthy("suspended (spec.suspend)")
    scheduled = text(document, "status", "lastScheduleTime")
    succeeded = text(document, "status", "lastSuccessfulTime")
    if not scheduled:
        return healthy("has not run yet")
    if items(document, "status", "active"):
        return healthy("a run is under way")
    if not succeeded:
        # The status does not tell a first run that failed from one whose success is not written yet.
        return healthy("no run has succeeded yet")
    # Both are written by the server as RFC 3339 in UTC with whole seconds, so their order is that of their text.
    if succeeded < scheduled:
        return degraded(f"the run of {scheduled[:32]} did not succeed; the last success was at {succeeded[:32]}")
    return healthy()
