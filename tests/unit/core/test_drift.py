"""Drift names the field and who wrote it, and leaves alone what is nobody's fault."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.drift import find, removals
from reconciler.model.application import DriftIgnore
from reconciler.model.drift import Drift, DriftClass
from reconciler.model.manifest import Manifest

WEB = "/spec/template/spec/containers/[name=web]"
CHANGED, MISSING, EXTRA, TAKEN = DriftClass.CHANGED, DriftClass.MISSING, DriftClass.EXTRA, DriftClass.TAKEN_OVER

Seen = tuple[DriftClass, str, Any, Any, str, str]


def seen(drifts: list[Drift]) -> list[Seen]:
    return [(drift.kind, drift.path, drift.wanted, drift.live, drift.manager, drift.operation) for drift in drifts]


TOUCHED: list[tuple[str, Seen]] = [
    ("scaled-by-kubectl", (CHANGED, "/spec/replicas", 2, 5, "kubectl", "Update")),
    ("image-set", (CHANGED, f"{WEB}/image", "nginx:1", "nginx:2", "kubectl-set", "Update")),
    ("args-changed", (CHANGED, f"{WEB}/args", ["--quiet"], ["--loud"], "kubectl-patch", "Update")),
    ("env-removed", (MISSING, f"{WEB}/env/[name=MODE]", {"name": "MODE", "value": "prod"}, None, "", "")),
    ("env-added", (EXTRA, f"{WEB}/env/[name=DEBUG]", None, {"name": "DEBUG", "value": "1"}, "kubectl-set", "Update")),
    ("paused", (EXTRA, "/spec/paused", None, True, "kubectl-rollout", "Update")),
    ("limit-added", (EXTRA, f"{WEB}/resources/limits/memory", None, "1Gi", "kubectl-patch", "Update")),
    (
        "reapplied-client-side",
        (EXTRA, "/spec/template/spec/nodeSelector", None, {"disk": "ssd"}, "kubectl-client-side-apply", "Update"),
    ),
    ("taken-over", (TAKEN, f"{WEB}/image", "nginx:1", "nginx:1", "other", "Apply")),
    ("selector-changed", (CHANGED, "/spec/selector", {"app": "web"}, {"app": "other"}, "kubectl-patch", "Update")),
    (
        "port-added",
        (
            EXTRA,
            "/spec/ports/[port=99,protocol=TCP]",
            None,
            {"name": "x", "port": 99, "protocol": "TCP", "targetPort": 99},
            "kubectl-patch",
            "Update",
        ),
    ),
]


@pytest.mark.parametrize("dry_run", [True, False], ids=["with a dry-run", "without"])
@pytest.mark.parametrize(("name", "expected"), TOUCHED, ids=[name for name, _ in TOUCHED])
def test_what_somebody_did_is_named(name: str, expected: Seen, dry_run: bool, recorded: Any) -> None:
    found = recorded(name)
    assert seen(find(found.wanted, found.live, found.predicted if dry_run else None)) == [expected]


def test_the_time_is_that_of_the_write(recorded: Any) -> None:
    found = recorded("image-set")
    (drift,) = find(found.wanted, found.live, found.predicted)
    times = [entry["time"] for entry in found.live["metadata"]["managedFields"] if entry["manager"] == "kubectl-set"]
    assert drift.at is not None
    assert drift.at.strftime("%Y-%m-%dT%H:%M:%SZ") == times[0]


def test_an_added_container_is_one_finding_with_the_servers_defaults_in_it(recorded: Any) -> None:
    found = recorded("sidecar-added")
    (drift,) = find(found.wanted, found.live, found.predicted)
    assert (drift.kind, drift.path) == (EXTRA, "/spec/template/spec/containers/[name=side]")
    assert drift.live["image"] == "busybox"


def test_an_added_affinity_is_one_finding_as_high_up_as_it_is_theirs(recorded: Any) -> None:
    found = recorded("affinity-added")
    (drift,) = find(found.wanted, found.live, found.predicted)
    assert (drift.kind, drift.path) == (EXTRA, "/spec/template/spec/affinity")


def test_labels_and_annotations_of_a_person_are_found_one_by_one(recorded: Any) -> None:
    found = recorded("labelled")
    assert {(drift.path, drift.live, drift.manager) for drift in find(found.wanted, found.live, found.predicted)} == {
        ("/metadata/labels/team", "blue", "kubectl-label"),
        ("/metadata/annotations/note", "hi", "kubectl-annotate"),
    }


def test_an_apply_by_another_manager_changes_one_field_and_names_it(recorded: Any) -> None:
    found = recorded("changed-by-another-apply")
    drifts = find(found.wanted, found.live, found.predicted)
    assert (CHANGED, "/spec/replicas", 2, 4, "other", "Apply") in seen(drifts)
    assert {drift.kind for drift in drifts} <= {CHANGED, TAKEN}


def test_items_that_were_moved_are_a_change_of_the_list(recorded: Any) -> None:
    found = recorded("env-reordered")
    (drift,) = find(found.wanted, found.live, found.predicted)
    assert (drift.kind, drift.path) == (CHANGED, f"{WEB}/env")


NOT_DRIFT = ["applied", "service", "secret", "statefulset", "networkpolicy", "finalizer", "quantity-normalised"]
NOT_DRIFT += ["restarted", "scaled-by-autoscaler", "rollouts-hash"]
NOT_DRIFT += ["adopted-from-create", "adopted-from-client-side-apply"]


@pytest.mark.parametrize("dry_run", [True, False], ids=["with a dry-run", "without"])
@pytest.mark.parametrize("name", NOT_DRIFT)
def test_what_is_nobodys_fault_is_no_drift(name: str, dry_run: bool, recorded: Any) -> None:
    found = recorded(name)
    assert find(found.wanted, found.live, found.predicted if dry_run else None) == []


def test_an_object_that_is_gone_is_missing_as_a_whole(recorded: Any) -> None:
    found = recorded("applied")
    assert find(found.wanted, None, None) == [Drift(found.wanted.id, MISSING)]


def test_what_a_controller_adds_is_no_drift(recorded: Any) -> None:
    found = recorded("env-added")
    live = copy.deepcopy(found.live)
    for entry in live["metadata"]["managedFields"]:
        entry["manager"] = entry["manager"].replace("kubectl-set", "sidecar-injector")
    assert find(found.wanted, live, found.predicted) == []


def test_replicas_that_git_leaves_open_are_anybodys(recorded: Any) -> None:
    found = recorded("scaled-by-kubectl")
    document = copy.deepcopy(found.document)
    del document["spec"]["replicas"]
    wanted = replace(found.wanted, manifest=Manifest(document, found.wanted.manifest.origin))
    assert find(wanted, found.live, None) == []


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("image-set", DriftIgnore(fields=("/spec/template/spec/containers/0/image",))),
        ("image-set", DriftIgnore(fields=(f"{WEB}/image",))),
        ("image-set", DriftIgnore(fields=("/spec/template/spec",))),
        ("image-set", DriftIgnore(fields=("/",))),
        ("image-set", DriftIgnore(manager="kubectl-set")),
        ("image-set", DriftIgnore(kind="Deployment.apps", name="web", fields=(f"{WEB}/image",), manager="kubectl-set")),
        ("env-added", DriftIgnore(fields=(f"{WEB}/env",))),
        ("env-added", DriftIgnore(manager="kubectl-set")),
        ("labelled", DriftIgnore(fields=("/metadata",))),
        ("env-removed", DriftIgnore(kind="Deployment", fields=(f"{WEB}/env/[name=MODE]",))),
        ("selector-changed", DriftIgnore(fields=("/spec/selector/app",))),
        ("taken-over", DriftIgnore(manager="other")),
    ],
)
def test_an_ignore_rule_that_matches_silences_the_finding(name: str, rule: DriftIgnore, recorded: Any) -> None:
    found = recorded(name)
    assert find(found.wanted, found.live, None) != []
    assert find(found.wanted, found.live, None, [rule]) == []


@pytest.mark.parametrize(
    "rule",
    [
        DriftIgnore(kind="StatefulSet", fields=(f"{WEB}/image",)),
        DriftIgnore(kind="Deployment.example.com", fields=(f"{WEB}/image",)),
        DriftIgnore(name="other", fields=(f"{WEB}/image",)),
        DriftIgnore(fields=(f"{WEB}/imag",)),
        DriftIgnore(fields=("/spec/template/spec/containers/1/image",)),
        DriftIgnore(fields=(f"{WEB}/image",), manager="somebody"),
        DriftIgnore(manager="somebody"),
    ],
)
def test_an_ignore_rule_that_does_not_match_silences_nothing(rule: DriftIgnore, recorded: Any) -> None:
    found = recorded("image-set")
    assert find(found.wanted, found.live, None, [rule]) != []


def test_a_secrets_values_are_masked_and_its_keys_are_named(recorded: Any) -> None:
    found = recorded("secret-changed")
    drifts = find(found.wanted, found.live, found.predicted)
    assert [(drift.kind, drift.path, drift.wanted, drift.live) for drift in drifts] == [
        (CHANGED, "/data/password", "*** (after)", "*** (before)"),
        (EXTRA, "/data/extra", None, "***"),
    ]


def test_the_removal_takes_out_exactly_what_was_added(recorded: Any) -> None:
    found = recorded("env-added")
    patch = removals(find(found.wanted, found.live, found.predicted), found.live)
    place = "/spec/template/spec/containers/0/env/3"
    assert patch == [
        {"op": "test", "path": place, "value": {"name": "DEBUG", "value": "1"}},
        {"op": "remove", "path": place},
    ]


def test_removals_of_one_list_go_from_its_end(recorded: Any) -> None:
    found = recorded("env-added")
    live = copy.deepcopy(found.live)
    env = live["spec"]["template"]["spec"]["containers"][0]["env"]
    for number in range(10):
        env.append({"name": f"X{number}", "value": "1"})
    (drift,) = find(found.wanted, found.live, found.predicted)
    drifts = [drift]
    for number in range(10):
        drifts.append(Drift(found.wanted.id, EXTRA, f"{WEB}/env/[name=X{number}]"))
    removed = [operation["path"] for operation in removals(drifts, live) if operation["op"] == "remove"]
    assert [int(path.rpartition("/")[2]) for path in removed] == list(range(13, 2, -1))


def test_what_is_no_longer_there_is_not_removed_and_changes_never_are(recorded: Any) -> None:
    found = recorded("image-set")
    drifts = find(found.wanted, found.live, found.predicted)
    assert removals([*drifts, Drift(found.wanted.id, EXTRA, "/spec/gone")], found.live) == []


def test_a_removal_of_a_secrets_field_is_guarded_by_its_real_value(recorded: Any) -> None:
    found = recorded("secret-changed")
    patch = removals(find(found.wanted, found.live, found.predicted), found.live)
    assert patch == [
        {"op": "test", "path": "/data/extra", "value": found.live["data"]["extra"]},
        {"op": "remove", "path": "/data/extra"},
    ]


def test_finding_changes_neither_document(recorded: Any) -> None:
    found = recorded("image-set")
    before = json.dumps([found.document, found.live, found.predicted])
    find(found.wanted, found.live, found.predicted, [DriftIgnore(fields=(f"{WEB}/image",))])
    assert json.dumps([found.document, found.live, found.predicted]) == before
