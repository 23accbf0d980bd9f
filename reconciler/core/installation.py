"""What `dispatch install` puts into a cluster: the kinds, a namespace, and the least rights that the controller needs.

Four roles for the controller, so that each can be read, bound and widened by itself:

- `dispatch-controller`: its own kinds, the state of Argo's Rollouts, and Kubernetes events. Nothing else.
- `dispatch-applier`: what Applications may contain. An aggregate of every ClusterRole with the label
  `rbac.dispatch.dev/aggregate-to-applier: "true"`; `dispatch-applier-workloads` brings the common workload kinds.
  Secrets, roles, webhooks and definitions are not among them: add a labelled ClusterRole for those that you want.
- `dispatch-credentials`: `get` of Secrets, bound by a RoleBinding only in the namespaces that hold Repositories or
  ImageFeeds with credentials. Never `list`: that is reading all of them.
- `dispatch-election`: one Lease in its own namespace, by which one of several controllers works.

Three for people (core/approving.py): `dispatch-approver`, the right to ask a rollout to go on or back,
`dispatch-releaser`, the right to ask for a way round what keeps a promotion back, and `dispatch-hotfixer`, the right to
pass the environments before. No other role brings them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from reconciler.core.approving import APPROVER as APPROVER
from reconciler.core.approving import FIXER as FIXER
from reconciler.core.approving import RELEASER as RELEASER
from reconciler.core.approving import approver_rules, fixer_rules, policy, policy_binding, releaser_rules
from reconciler.model.crd import definitions
from reconciler.model.resource import GROUP

NAMESPACE = "dispatch-system"
CONTROLLER = "dispatch-controller"
APPLIER = "dispatch-applier"
CREDENTIALS = "dispatch-credentials"
ELECTION = "dispatch-election"
PORT = 8080
"""Where the controller answers the gates of Argo Rollouts."""
AGGREGATE = "rbac.dispatch.dev/aggregate-to-applier"

_LABELS = {"app.kubernetes.io/name": "dispatch", "app.kubernetes.io/part-of": "dispatch"}
_CACHE = "/var/cache/dispatch"
_RBAC = "rbac.authorization.k8s.io"
_KINDS = ("applications", "imagefeeds", "notifiers", "promotions", "repositories")
_ACTIONS = ("hotfixes", "promotionactions", "rolloutactions")
_SEEN = ("get", "list", "watch")
_APPLY = ("get", "list", "watch", "create", "patch", "delete")
"""An apply that creates is checked for `create` as well as `patch`."""

_WORKLOADS = {
    "": ("configmaps", "persistentvolumeclaims", "pods", "serviceaccounts", "services"),
    "apps": ("daemonsets", "deployments", "replicasets", "statefulsets"),
    "argoproj.io": ("analysistemplates", "rollouts"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "gateway.networking.k8s.io": ("grpcroutes", "httproutes"),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "policy": ("poddisruptionbudgets",),
}


class Installation(NamedTuple):
    """`image` adds the controller's Deployment. `credentials_in`: namespaces whose Secrets may be read by name.
    `hooks_url` is where forges reach the controller, empty when they do not."""

    namespace: str = NAMESPACE
    image: str = ""
    credentials_in: tuple[str, ...] = ()
    hooks_url: str = ""


def objects(wanted: Installation) -> list[dict[str, Any]]:
    """All objects, in the order in which they must be applied: definitions and the namespace first."""
    account = {"kind": "ServiceAccount", "name": CONTROLLER, "namespace": wanted.namespace}
    namespaces = dict.fromkeys((wanted.namespace, *wanted.credentials_in))
    return [
        *definitions(),
        _namespace(wanted.namespace),
        # Before anybody may create what it guards.
        _object("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", APPROVER, spec=policy()),
        _object(
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicyBinding",
            APPROVER,
            spec=policy_binding(APPROVER),
        ),
        _object("v1", "ServiceAccount", CONTROLLER, namespace=wanted.namespace),
        _role(CONTROLLER, _own_rules()),
        _bound(CONTROLLER, account),
        *_election(wanted.namespace, account),
        _aggregate(),
        _role(f"{APPLIER}-workloads", _workload_rules(), {AGGREGATE: "true"}),
        _bound(APPLIER, account),
        _role(CREDENTIALS, [_rule("", ["secrets"], ["get"])]),
        *(_bound(CREDENTIALS, account, namespace) for namespace in namespaces),
        # Into `view` only. Whoever may write an Application deploys with the controller's rights, not with their own,
        # so being an editor of a namespace must not be enough for it.
        _role(
            "dispatch-view",
            [_rule(GROUP, (*_KINDS, *_ACTIONS), _SEEN)],
            {f"{_RBAC}/aggregate-to-view": "true"},
        ),
        # Aggregated to nothing: to approve is a right of its own, which being an editor does not bring.
        _role(APPROVER, [_rule(*each) for each in approver_rules()]),
        _role(RELEASER, [_rule(*each) for each in releaser_rules()]),
        _role(FIXER, [_rule(*each) for each in fixer_rules()]),
        *([_service(wanted), _deployment(wanted)] if wanted.image else []),
    ]


def _own_rules() -> list[dict[str, Any]]:
    """The ApplySet's label and annotations are on the Application itself, hence its `patch`; a Repository with a hook
    at its forge is given a finalizer, so that the hook goes with it. Of hotfixes only the status is written.

    What people ask is answered and later deleted, never created: the controller cannot approve. Promoting and aborting
    is writing the status of a Rollout; its ReplicaSets are deleted where they are left over (core/progressive).
    """
    return [
        _rule(GROUP, _KINDS, _SEEN),
        _rule(GROUP, ["applications", "repositories", *(f"{kind}/status" for kind in _KINDS)], ["patch"]),
        _rule(GROUP, ["hotfixes"], _SEEN),
        _rule(GROUP, ["promotionactions", "rolloutactions"], [*_SEEN, "delete"]),
        _rule(GROUP, ["hotfixes/status", "rolloutactions/status"], ["patch"]),
        _rule("argoproj.io", ["analysisruns", "rollouts"], _SEEN),
        _rule("argoproj.io", ["rollouts/status"], ["patch"]),
        _rule("apps", ["replicasets"], [*_SEEN, "delete"]),
        _rule("", ["events"], ["create", "patch"]),
    ]


def _workload_rules() -> list[dict[str, Any]]:
    """A namespace may be made, and never deleted: all that is in it would go with it."""
    return [
        *(_rule(group, kinds, _APPLY) for group, kinds in _WORKLOADS.items()),
        _rule("", ["namespaces"], [*_SEEN, "create", "patch"]),
    ]


def _rule(group: str, resources: Sequence[str], verbs: Sequence[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _object(
    api_version: str, kind: str, name: str, *, namespace: str = "", labels: dict[str, str] | None = None, **rest: Any
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {**_LABELS, **(labels or {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def _namespace(name: str) -> dict[str, Any]:
    """The controller needs no privilege on its node, and the namespace says so (Pod Security Standards)."""
    return _object("v1", "Namespace", name, labels={"pod-security.kubernetes.io/enforce": "restricted"})


def _role(name: str, rules: list[dict[str, Any]], labels: dict[str, str] | None = None) -> dict[str, Any]:
    return _object(f"{_RBAC}/v1", "ClusterRole", name, labels=labels, rules=rules)


def _aggregate() -> dict[str, Any]:
    """Without `rules`: those are the aggregation controller's to write."""
    rule = {"clusterRoleSelectors": [{"matchLabels": {AGGREGATE: "true"}}]}
    return _object(f"{_RBAC}/v1", "ClusterRole", APPLIER, aggregationRule=rule)


def _bound(role: str, account: dict[str, str], namespace: str = "") -> dict[str, Any]:
    """The role for the account: in one namespace, or in all of them."""
    return _object(
        f"{_RBAC}/v1",
        "RoleBinding" if namespace else "ClusterRoleBinding",
        role,
        namespace=namespace,
        subjects=[account],
        roleRef={"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
    )


def _election(namespace: str, account: dict[str, str]) -> list[dict[str, Any]]:
    """The Lease by which one of several controllers works. `create` cannot be bound to a name."""
    rules = [
        _rule("coordination.k8s.io", ["leases"], ["create"]),
        {**_rule("coordination.k8s.io", ["leases"], ["get", "patch"]), "resourceNames": [CONTROLLER]},
    ]
    reference = {"apiGroup": _RBAC, "kind": "Role", "name": ELECTION}
    return [
        _object(f"{_RBAC}/v1", "Role", ELECTION, namespace=namespace, rules=rules),
        _object(f"{_RBAC}/v1", "RoleBinding", ELECTION, namespace=namespace, subjects=[account], roleRef=reference),
    ]


_POD = {"app.kubernetes.io/name": "dispatch", "app.kubernetes.io/component": "controller"}


def _service(wanted: Installation) -> dict[str, Any]:
    """Where Argo Rollouts reaches the gates, and an Ingress the hooks: of nothing but `/hooks/` it should know."""
    ports = [{"name": "gates", "port": PORT, "targetPort": "gates"}]
    return _object(
        "v1", "Service", CONTROLLER, namespace=wanted.namespace, labels=_POD, spec={"selector": _POD, "ports": ports}
    )


def _deployment(wanted: Installation) -> dict[str, Any]:
    """One replica, replaced before its successor starts. A second one stands by and is not Ready until it leads, so a
    rollout that waits for it to be (RollingUpdate) would never end."""
    labels = _POD
    pod = {
        "serviceAccountName": CONTROLLER,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "fsGroup": 65532}
        | {"seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 15,
        "containers": [_container(wanted)],
        "volumes": [{"name": "cache", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
    }
    return _object(
        "apps/v1",
        "Deployment",
        CONTROLLER,
        namespace=wanted.namespace,
        labels=labels,
        spec={
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    )


def _container(wanted: Installation) -> dict[str, Any]:
    gates = f"http://{CONTROLLER}.{wanted.namespace}.svc:{PORT}"
    hooks = [f"--hooks-url={wanted.hooks_url}"] if wanted.hooks_url else []
    return {
        "name": "controller",
        "image": wanted.image,
        "args": [
            "run",
            "--leader-elect",
            "--log-format=json",
            f"--listen=0.0.0.0:{PORT}",
            f"--gates-url={gates}",
            *hooks,
        ],
        "ports": [{"name": "gates", "containerPort": PORT}],
        # Only the one that leads is ready: it alone can answer what the Service is asked.
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "gates"}, "periodSeconds": 2},
        "env": [{"name": "DISPATCH_CACHE", "value": _CACHE}, {"name": "HOME", "value": _CACHE}],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "cache", "mountPath": _CACHE},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 (a folder of the pod, not of this machine)
        ],
    }
