"""In sync means that an apply would change nothing; every doubt is a no."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.core.compare import covers, in_sync, ours_matches

Document = dict[str, Any]


def container(document: Document) -> Document:
    found: Document = document["spec"]["template"]["spec"]["containers"][0]
    return found


UNTOUCHED = ["applied", "service", "secret", "statefulset", "networkpolicy", "finalizer", "adopted-from-create"]
UNTOUCHED += ["adopted-from-client-side-apply"]


@pytest.mark.parametrize("name", UNTOUCHED)
def test_what_was_just_applied_is_in_sync(name: str, recorded: Any) -> None:
    found = recorded(name)
    assert in_sync(found.live, found.document)
    assert ours_matches(found.live, found.document)
    assert covers(found.live, found.document)


TOUCHED = ["scaled-by-kubectl", "scaled-by-autoscaler", "image-set", "env-removed", "env-reordered", "args-changed"]
TOUCHED += ["changed-by-another-apply", "taken-over", "rollouts-hash", "selector-changed", "secret-changed"]


@pytest.mark.parametrize("name", TOUCHED)
def test_a_named_field_that_somebody_wrote_is_not_in_sync(name: str, recorded: Any) -> None:
    found = recorded(name)
    assert not in_sync(found.live, found.document)


@pytest.mark.parametrize(
    "name", ["env-added", "labelled", "restarted", "paused", "affinity-added", "sidecar-added", "limit-added"]
)
def test_fields_that_others_added_would_survive_an_apply(name: str, recorded: Any) -> None:
    found = recorded(name)
    assert in_sync(found.live, found.document)


def test_a_value_that_the_server_normalises_is_left_to_the_dry_run(recorded: Any) -> None:
    found = recorded("quantity-normalised")
    assert ours_matches(found.live, found.document)
    assert not in_sync(found.live, found.document)


def test_a_field_taken_over_with_the_same_value_is_covered_and_not_ours(recorded: Any) -> None:
    found = recorded("taken-over")
    assert covers(found.live, found.document)
    assert not ours_matches(found.live, found.document)


def _drop(path: str) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        *above, last = path.split(".")
        place: Any = document
        for step in above:
            place = place[int(step) if step.isdigit() else step]
        if isinstance(place, list):
            del place[int(last)]
        else:
            del place[last]

    return change


def _put(path: str, value: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        *above, last = path.split(".")
        place: Any = document
        for step in above:
            place = place[int(step) if step.isdigit() else step]
        if isinstance(place, list):
            place.insert(int(last), value)
        else:
            place[last] = value

    return change


POD = "spec.template.spec"
WEB = f"{POD}.containers.0"
GIT_MOVED = [
    ("a scalar changed", _put("spec.replicas", 3)),
    ("a number became a boolean", _put("spec.minReadySeconds", True)),
    ("a scalar left", _drop("spec.replicas")),
    ("a scalar came", _put("spec.revisionHistoryLimit", 10)),
    ("a label left", _drop("metadata.labels.app")),
    ("a label came", _put("metadata.labels.new", "x")),
    ("an item left", _drop(f"{WEB}.env.1")),
    ("an item came", _put(f"{WEB}.env.0", {"name": "NEW", "value": "x"})),
    ("an item came twice", _put(f"{WEB}.env.0", {"name": "MODE", "value": "prod"})),
    ("an item lost its key", _drop(f"{WEB}.env.0.name")),
    ("an item's key is no text", _put(f"{WEB}.env.0.name", {"a": 1})),
    ("an item is no map", _put(f"{WEB}.env.0", "MODE")),
    ("an item's field left", _drop(f"{WEB}.env.0.value")),
    ("an item's field came", _put(f"{WEB}.imagePullPolicy", "Always")),
    ("items moved", lambda document: container(document)["env"].reverse()),
    ("a whole list changed", _put(f"{WEB}.args", ["--loud"])),
    ("a whole list was emptied", _put(f"{WEB}.args", [])),
    ("a whole list left", _drop(f"{WEB}.args")),
    ("a whole map grew", _put("spec.selector.matchLabels.more", "x")),
    ("a merged list was emptied", _put(f"{WEB}.env", [])),
    ("a merged list left", _drop(f"{WEB}.env")),
    ("a map became a text", _put(f"{WEB}.resources", "none")),
    ("a pointer's zero came", _put(f"{POD}.automountServiceAccountToken", False)),
    ("a zero that is dropped left", _drop(f"{POD}.hostNetwork")),
    ("a null left", _drop("spec.template.metadata.creationTimestamp")),
    ("an empty map was filled", _put(f"{POD}.volumes.0.emptyDir", {"medium": "Memory"})),
    ("another name", _put("metadata.name", "other")),
    ("another namespace", _put("metadata.namespace", "other")),
    ("another version of the kind", _put("apiVersion", "apps/v1beta2")),
]


@pytest.mark.parametrize("change", [change for _, change in GIT_MOVED], ids=[name for name, _ in GIT_MOVED])
def test_whatever_moved_in_git_is_not_in_sync(change: Callable[[Document], None], recorded: Any) -> None:
    found = recorded("applied")
    document = copy.deepcopy(found.document)
    change(document)
    assert not in_sync(found.live, document)


def test_a_default_within_an_atomic_list_is_known(recorded: Any) -> None:
    """A NetworkPolicy's port without protocol is TCP; one that Git now says is UDP is not the same."""
    found = recorded("networkpolicy")
    document = copy.deepcopy(found.document)
    document["spec"]["ingress"][0]["ports"][0]["protocol"] = "UDP"
    assert not in_sync(found.live, document)


def test_the_same_default_is_not_assumed_of_a_kind_that_is_not_built_in(recorded: Any) -> None:
    found = recorded("networkpolicy")
    live, document = copy.deepcopy(found.live), copy.deepcopy(found.document)
    for side in (live, document, *live["metadata"]["managedFields"]):
        side["apiVersion"] = "policy.example/v1"
    assert not in_sync(live, document)
    live["spec"]["ingress"][0]["ports"][0].pop("protocol")
    assert in_sync(live, document)


def test_an_item_of_others_between_ours_does_not_matter_and_its_twin_does(recorded: Any) -> None:
    found = recorded("applied")
    live = copy.deepcopy(found.live)
    container(live)["env"].insert(1, {"name": "THEIRS", "value": "x"})
    assert in_sync(live, found.document)
    container(live)["env"].insert(1, {"name": "THEIRS", "value": "y"})
    assert not in_sync(live, found.document)


def test_without_an_entry_of_ours_nothing_is_in_sync(recorded: Any) -> None:
    found = recorded("applied")
    live = copy.deepcopy(found.live)
    assert not in_sync(live, found.document, manager="somebody")
    for entry in live["metadata"]["managedFields"]:
        entry["operation"] = "Update"
    assert not in_sync(live, found.document)
    del live["metadata"]["managedFields"]
    assert not in_sync(live, found.document)


def test_covers_knows_no_owners_and_finds_items_by_key() -> None:
    wanted: Document = {
        "apiVersion": "v1",
        "kind": "X",
        "spec": {"containers": [{"name": "a", "image": "i"}], "args": ["x"]},
    }
    live = copy.deepcopy(wanted)
    live["spec"]["containers"].insert(0, {"name": "b", "image": "j"})
    live["spec"]["containers"][1]["more"] = True
    live["spec"]["theirs"] = 1
    assert covers(live, wanted)
    live["spec"]["args"].append("y")
    assert not covers(live, wanted)


def test_covers_tells_true_from_one() -> None:
    assert not covers({"a": True}, {"a": 1})
    assert not covers({"a": [True]}, {"a": [1]})
    assert covers({"a": 1.0}, {"a": 1})
