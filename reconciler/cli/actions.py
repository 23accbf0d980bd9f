"""What a person asks, written as an object of Kubernetes: RolloutActions, PromotionActions and Hotfixes."""

from __future__ import annotations

import secrets
from typing import Any

from reconciler.model.change import Answer, Refusal, Resource
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.resource import API_VERSION
from reconciler.ports import Cluster

_LONGEST_NAME = 253
_WHO = Resource("authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews", False)


def named(subject: str, verb: str, namespace: str) -> dict[str, Any]:
    """The metadata of what is asked: a name of its own, which tells of what it is and does not outgrow a name."""
    ending = f"-{verb}-{secrets.token_hex(4)}"
    return {"name": subject[: _LONGEST_NAME - len(ending)] + ending, "namespace": namespace}


def kind_of(cluster: Cluster, kind: str) -> Resource:
    """Raises Terminal(UNKNOWN_KIND) where Dispatch is not installed."""
    resource = cluster.resource(API_VERSION, kind)
    if resource is None:
        raise Terminal(Reason.UNKNOWN_KIND, f"this cluster does not know the kind {kind}: run `dispatch install`")
    return resource


def who(cluster: Cluster) -> str:
    """The name by which the API server knows us (a SelfSubjectReview, KEP-3325): the only one it lets us write."""
    review = {"apiVersion": _WHO.api_version, "kind": _WHO.kind}
    answer: Answer = cluster.create(_WHO, "", review)
    if isinstance(answer, Refusal):
        raise Terminal(Reason.FORBIDDEN, f"the API server does not say who you are: {answer.message}")
    return str(answer["status"]["userInfo"]["username"])


def write(cluster: Cluster, resource: Resource, document: dict[str, Any], right: str, role: str) -> dict[str, Any]:
    """The action as it is stored. `right` says what right it takes, `role` is the ClusterRole that gives it.

    Raises Terminal(FORBIDDEN, OBJECT_REFUSED) where the API server does not take it.
    """
    answer = cluster.create(resource, document["metadata"]["namespace"], document)
    if not isinstance(answer, Refusal):
        return answer
    forbidden = answer.code == 403
    lacks = forbidden and "cannot create" in answer.message
    hint = f". {right} is a right of its own: a RoleBinding to the ClusterRole {role} gives it" if lacks else ""
    raise Terminal(
        Reason.FORBIDDEN if forbidden else Reason.OBJECT_REFUSED,
        f"the {resource.kind} was not taken: {answer.message}{hint}",
    )
