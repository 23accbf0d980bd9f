"""Who may approve: the role for people, and the policy by which the API server keeps approvals honest.

A RolloutAction, a PromotionAction and a Hotfix are worth what their `spec.by` is worth. So the API server itself
(ValidatingAdmissionPolicy, KEP-3488) holds that field to the name of the user whose request it is; Dispatch need not be
running for that, and cannot be talked round it.
"""

from __future__ import annotations

from typing import Any

from reconciler.model.resource import API_VERSION, GROUP, VERSION

APPROVER = "dispatch-approver"
RELEASER = "dispatch-releaser"
FIXER = "dispatch-hotfixer"
"""The ClusterRoles of people: who may ask a rollout to go on or back, who a promotion for a way round, and who may pass
the environments before.
"""

_SEE = ("get", "list", "watch")

_OWN_NAME = "object.spec.by == request.userInfo.username"
_BARE = (
    "!has(object.metadata.ownerReferences) && !has(object.metadata.finalizers) && "
    "(!has(object.metadata.labels) || !object.metadata.labels.exists(key, key.startsWith('applyset.kubernetes.io/')))"
)
"""An action that has a label of an ApplySet would be pruned as if it had come from Git; a finalizer would keep an
answered one for ever, and an owner would take one away before it is answered."""


def policy() -> dict[str, Any]:
    """The spec of the ValidatingAdmissionPolicy. What cannot be judged is refused (`failurePolicy`)."""
    rule = {
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "resources": ["hotfixes", "promotionactions", "rolloutactions"],
        "operations": ["CREATE"],
    }
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [
            {
                "expression": _OWN_NAME,
                "messageExpression": "'spec.by must be ' + request.userInfo.username + "
                "': nobody approves in the name of somebody else'",
                "message": "spec.by must be your own user name: nobody approves in the name of somebody else",
                "reason": "Forbidden",
            },
            {
                "expression": _BARE,
                "message": "an action carries no owner, no finalizer and no label of an ApplySet",
                "reason": "Invalid",
            },
        ],
    }


def policy_binding(name: str) -> dict[str, Any]:
    """The spec of its binding: in every namespace, and a violation is a refusal."""
    return {"policyName": name, "validationActions": ["Deny"]}


def forged(namespace: str) -> dict[str, Any]:
    """A RolloutAction by nobody who could ask for it: while the server takes it, it does not know the policy yet."""
    return {
        "apiVersion": API_VERSION,
        "kind": "RolloutAction",
        "metadata": {"name": "dispatch-install", "namespace": namespace},
        "spec": {
            "application": "none",
            "action": "Abort",
            "rollout": "none",
            "uid": "00000000-0000-4000-8000-000000000000",
            "podHash": "none",
            "by": "dispatch:nobody",
        },
    }


def approver_rules() -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """(group, resources, verbs) of the role for people: ask, and see what one asks about.

    To be bound in the namespace of the Applications and, for the Rollouts to be seen, in that of their objects.
    """
    return (
        (GROUP, ("rolloutactions",), ("create", *_SEE)),
        (GROUP, ("applications",), _SEE),
        ("argoproj.io", ("analysisruns", "rollouts"), _SEE),
        ("apps", ("replicasets",), _SEE),
        ("", ("pods",), _SEE),
    )


def fixer_rules() -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """(group, resources, verbs) of the role for people who may bring a hotfix."""
    return (
        (GROUP, ("hotfixes",), ("create", "delete", *_SEE)),
        (GROUP, ("applications", "promotions", "repositories"), _SEE),
    )


def releaser_rules() -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """(group, resources, verbs) of the role for people who may go round what keeps promotions back."""
    return (
        (GROUP, ("promotionactions",), ("create", *_SEE)),
        (GROUP, ("applications", "promotions", "repositories"), _SEE),
    )
