"""Argo Rollouts keeps the wheel while it walks a version out."""

from __future__ import annotations

import copy
from typing import Any

from reconciler.core.compare import in_sync
from reconciler.core.desired import Wanted
from reconciler.core.drift import find
from reconciler.core.respect import respect
from reconciler.model.change import Resource
from reconciler.model.identity import ObjectId
from reconciler.model.manifest import Manifest, Origin

Document = dict[str, Any]


def route(stable: int, canary: int, host: str = "web") -> list[Document]:
    return [
        {
            "name": "primary",
            "match": [{"uri": {"prefix": f"/{host}"}}],
            "route": [
                {"destination": {"host": f"{host}-stable"}, "weight": stable},
                {"destination": {"host": f"{host}-canary"}, "weight": canary},
            ],
        }
    ]


def virtual_service(http: list[Document], *owners: tuple[str, str, Document]) -> Document:
    fields = [
        {"manager": manager, "operation": operation, "apiVersion": "networking.istio.io/v1", "fieldsV1": owned}
        for manager, operation, owned in owners
    ]
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "n", "managedFields": fields},
        "spec": {"hosts": ["web"], "http": http},
    }


def steered(http: list[Document]) -> Document:
    """As live after Rollouts moved the weights: it owns the whole list, which is atomic."""
    return virtual_service(
        http,
        ("dispatch", "Apply", {"f:spec": {"f:hosts": {}}}),
        ("rollouts-controller", "Update", {"f:spec": {"f:http": {}}}),
    )


def wanted(http: list[Document]) -> Document:
    document = virtual_service(http)
    del document["metadata"]["managedFields"]
    return document


def test_the_pod_hash_in_a_selector_is_left_alone(recorded: Any) -> None:
    found = recorded("rollouts-hash")
    document = respect(found.document, found.live)
    assert "selector" not in document["spec"]
    assert in_sync(found.live, document)


def test_a_selector_that_git_changed_is_sent_with_the_live_pod_hash(recorded: Any) -> None:
    found = recorded("rollouts-hash")
    moved = copy.deepcopy(found.document)
    moved["spec"]["selector"] = {"app": "new"}
    assert respect(moved, found.live)["spec"]["selector"] == {"app": "new", "rollouts-pod-template-hash": "abc"}


def test_weights_in_the_middle_of_a_canary_are_left_alone() -> None:
    document = respect(wanted(route(100, 0)), steered(route(80, 20)))
    assert "http" not in document["spec"]
    assert in_sync(steered(route(80, 20)), document)


def test_a_route_that_git_changed_is_sent_with_the_live_weights() -> None:
    document = respect(wanted(route(100, 0, "shop")), steered(route(80, 20)))
    assert document["spec"]["http"] == route(80, 20, "shop")


def test_a_list_to_which_rollouts_added_its_own_routes_is_left_alone() -> None:
    live = steered([{"name": "set-header", "route": []}, *route(80, 20)])
    assert "http" not in respect(wanted(route(100, 0)), live)["spec"]


def test_replicas_that_rollouts_took_over_are_left_out(recorded: Any) -> None:
    """A Rollout with `workloadRef` scales the Deployment that it refers to down to nothing."""
    found = recorded("changed-by-another-apply")
    live = copy.deepcopy(found.live)
    live["spec"]["replicas"] = 0
    live["metadata"]["managedFields"] = [
        entry
        for entry in live["metadata"]["managedFields"]
        if entry["manager"] == "dispatch" or entry.get("subresource") == "status"
    ]
    live["metadata"]["managedFields"].append(
        {"manager": "rollouts-controller", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    )
    assert "replicas" not in respect(found.document, live)["spec"]


def test_weights_that_a_person_moved_are_sent_back() -> None:
    live = steered(route(80, 20))
    live["metadata"]["managedFields"][1]["manager"] = "kubectl-edit"
    assert respect(wanted(route(100, 0)), live)["spec"]["http"] == route(100, 0)


def test_weights_back_at_gits_are_no_drift_though_rollouts_owns_them(recorded: Any) -> None:
    found = recorded("rollouts-hash")
    live = copy.deepcopy(found.live)
    live["spec"]["selector"] = {"app": "web"}
    assert find(found.wanted, live, None) == []


def test_what_the_types_of_rollouts_add_to_an_experiment_is_no_change() -> None:
    given, live = an_experiment({"name": "new", "specRef": "canary"}), written_back()
    document = respect(given, live)
    assert "strategy" not in document["spec"]
    assert in_sync(live, document)


def test_a_step_that_git_changed_is_sent_also_where_rollouts_wrote_the_steps_back() -> None:
    given = an_experiment({"name": "new", "specRef": "canary", "weight": 30})
    steps = respect(given, written_back())["spec"]["strategy"]["canary"]["steps"]
    assert steps[0]["experiment"]["templates"][0]["weight"] == 30


def test_a_quantity_in_rollouts_spelling_is_no_change_and_another_one_is_sent() -> None:
    live = a_rollout({"cpu": "500m"}, written={"f:cpu": {}})
    assert "cpu" not in str(respect(a_rollout({"cpu": 0.5}), live)["spec"])
    sent = respect(a_rollout({"cpu": 2}), live)["spec"]["template"]["spec"]["containers"][0]
    assert sent["resources"]["requests"] == {"cpu": 2}


def test_zeros_that_go_leaves_out_are_no_change() -> None:
    zeros: Document = {"paused": False, "strategy": {"canary": {"dynamicStableScale": False, "steps": []}}}
    container = {"name": "web", "env": [{"name": "A", "value": ""}], "command": [], "tty": False}
    given = an_experiment({}) | {
        "spec": zeros | {"template": {"spec": {"containers": [container], "nodeSelector": {}}}}
    }
    bare = {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "A"}]}]}}, "strategy": {"canary": {}}}
    live = owned(an_experiment({}) | {"spec": bare}, {}, {"f:spec": {"f:replicas": {}}})
    sent = respect(given, live)["spec"]
    assert sent == {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "A"}]}]}}}


def test_a_false_that_means_something_is_sent_where_it_is_gone() -> None:
    section = {"activeService": "web", "autoPromotionEnabled": False}
    given = an_experiment({}) | {"spec": {"strategy": {"blueGreen": section}}}
    live = owned(
        an_experiment({}) | {"spec": {"strategy": {"blueGreen": {"activeService": "web"}}}},
        {},
        {"f:spec": {"f:replicas": {}}},
    )
    assert respect(given, live)["spec"]["strategy"]["blueGreen"]["autoPromotionEnabled"] is False


def test_zeros_in_a_step_that_rollouts_wrote_back_are_no_change() -> None:
    analysis = {"name": "x", "templateName": "x"}
    zero = analysis | {"requiredForCompletion": False}
    live = an_experiment(
        {"name": "new", "specRef": "canary", "metadata": {}}, analyses=[analysis], analysisRunMetadata={}
    )
    owned(live, {"f:spec": {"f:replicas": {}}}, {"f:spec": {"f:strategy": {"f:canary": {"f:steps": {}}}}})
    assert "strategy" not in respect(an_experiment({"name": "new", "specRef": "canary"}, analyses=[zero]), live)["spec"]


def test_a_restart_of_all_pods_is_an_act_and_no_drift() -> None:
    """`kubectl argo rollouts restart` writes the time at which it was asked for."""
    live = owned(an_experiment({}), {"f:spec": {"f:replicas": {}, "f:strategy": {"f:canary": {"f:steps": {}}}}}, {})
    live["spec"]["restartAt"] = "2026-01-01T00:00:00Z"
    live["metadata"]["managedFields"][1] |= {
        "manager": "kubectl-argo-rollouts",
        "fieldsV1": {"f:spec": {"f:restartAt": {}}},
    }
    rollouts = Resource("argoproj.io/v1alpha1", "Rollout", "rollouts", True)
    id = ObjectId("argoproj.io", "Rollout", "n", "web")
    wanted = Wanted(id, rollouts, Manifest(an_experiment({}), Origin("f")), "")
    assert find(wanted, live, live) == []


def an_experiment(template: Document, **more: Any) -> Document:
    step = {"experiment": {"templates": [template], **more}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "web", "namespace": "n"},
        "spec": {"replicas": 1, "strategy": {"canary": {"steps": [step]}}},
    }


def written_back() -> Document:
    """As live once the controller has written the Rollout: it owns the steps, which are atomic."""
    live = an_experiment({"name": "new", "specRef": "canary", "metadata": {}}, analysisRunMetadata={})
    return owned(live, {"f:spec": {"f:replicas": {}}}, {"f:spec": {"f:strategy": {"f:canary": {"f:steps": {}}}}})


def a_rollout(requests: Document, written: Document | None = None) -> Document:
    container = {"name": "web", "resources": {"requests": requests}}
    rollout = an_experiment({}) | {"spec": {"template": {"spec": {"containers": [container]}}}}
    if written is None:
        return rollout
    key = 'k:{"name":"web"}'
    below = {"f:resources": {"f:requests": written}}
    spec = {"f:template": {"f:spec": {"f:containers": {key: below}}}}
    return owned(
        rollout,
        {"f:spec": {"f:template": {"f:spec": {"f:containers": {key: {".": {}, "f:name": {}}}}}}},
        {"f:spec": spec},
    )


def owned(document: Document, ours: Document, theirs: Document) -> Document:
    version = document["apiVersion"]
    document["metadata"]["managedFields"] = [
        {"manager": "dispatch", "operation": "Apply", "apiVersion": version, "fieldsV1": ours},
        {"manager": "rollouts-controller", "operation": "Update", "apiVersion": version, "fieldsV1": theirs},
    ]
    return document
