"""Argo Rollouts keeps the wheel while it walks a version out."""

from __future__ import annotations

import copy
from typing import Any

from reconciler.core.compare import in_sync
from reconciler.core.drift import find
from reconciler.core.respect import respect

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
