"""The table of rules, one per kind, and the two that hold for all: what is not there, and what is being deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from reconciler.core.health import (
    analysisrun,
    apiservice,
    cronjob,
    customresourcedefinition,
    daemonset,
    deletion,
    deployment,
    experiment,
    horizontalpodautoscaler,
    ingress,
    job,
    kstatus,
    namespace,
    persistentvolumeclaim,
    pod,
    poddisruptionbudget,
    replicaset,
    rollout,
    service,
    statefulset,
    workflow,
)
from reconciler.core.health.fields import Malformed, text, value
from reconciler.core.health.verdict import unknown
from reconciler.model.health import Health, Level
from reconciler.model.identity import GroupKind, group_of

Rule = Callable[[dict[str, Any]], Health]

RULES: Final[Mapping[GroupKind, Rule]] = {
    GroupKind("", "Namespace"): namespace.assess,
    GroupKind("", "PersistentVolumeClaim"): persistentvolumeclaim.assess,
    GroupKind("", "Pod"): pod.assess,
    GroupKind("", "Service"): service.assess,
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): customresourcedefinition.assess,
    GroupKind("apiregistration.k8s.io", "APIService"): apiservice.assess,
    GroupKind("apps", "DaemonSet"): daemonset.assess,
    GroupKind("apps", "Deployment"): deployment.assess,
    GroupKind("apps", "ReplicaSet"): replicaset.assess,
    GroupKind("apps", "StatefulSet"): statefulset.assess,
    GroupKind("argoproj.io", "AnalysisRun"): analysisrun.assess,
    GroupKind("argoproj.io", "Experiment"): experiment.assess,
    GroupKind("argoproj.io", "Rollout"): rollout.assess,
    GroupKind("argoproj.io", "Workflow"): workflow.assess,
    GroupKind("autoscaling", "HorizontalPodAutoscaler"): horizontalpodautoscaler.assess,
    GroupKind("batch", "CronJob"): cronjob.assess,
    GroupKind("batch", "Job"): job.assess,
    GroupKind("networking.k8s.io", "Ingress"): ingress.assess,
    GroupKind("policy", "PodDisruptionBudget"): poddisruptionbudget.assess,
}

MISSING: Final = Health(Level.MISSING, "the object does not exist")


def assess(document: dict[str, Any] | None, now: datetime | None = None) -> Health:
    """The health of one object as the API server shows it; None is an object that it does not have.

    Never raises for what an object holds: a field of a type that its kind does not have gives Unknown, and the message
    names the field. `now` (with a time zone) is used in one place, to say that a deletion is overdue; no level depends
    on it, so an object whose status does not change does not change its level either.
    """
    if document is None:
        return MISSING
    try:
        if value(document, "metadata", "deletionTimestamp") is not None:
            return deletion.assess(document, now)
        kind = GroupKind(group_of(text(document, "apiVersion")), text(document, "kind"))
        return RULES.get(kind, kstatus.assess)(document)
    except Malformed as error:
        return unknown(f"cannot tell: {error}")
