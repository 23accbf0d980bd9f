"""Who owns what is read from managedFields as the server writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.core.managed_fields import Owner, below, entries, leaves, ours, owned_paths, owner
from reconciler.core.pointer import Key, Path, Value

WEB = ("spec", "template", "spec", "containers", Key((("name", "web"),)))


def test_an_entry_names_fields_items_members_and_things() -> None:
    entry = {
        "fieldsV1": {
            "f:metadata": {"f:finalizers": {".": {}, 'v:"a/b"': {}}},
            "f:spec": {
                "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}},
                "f:list": {"i:3": {"f:x": {}}},
                "f:selector": {},
            },
        }
    }
    port = Key((("port", 80), ("protocol", "TCP")))
    assert owned_paths(entry) == {
        ("metadata", "finalizers"),
        ("metadata", "finalizers", Value("a/b")),
        ("spec", "ports", port),
        ("spec", "ports", port, "port"),
        ("spec", "list", 3, "x"),
        ("spec", "selector"),
    }
    assert leaves(entry) == owned_paths(entry) - {("metadata", "finalizers"), ("spec", "ports", port)}


def test_our_entry_is_the_apply_of_our_manager(recorded: Any) -> None:
    live = recorded("scaled-by-kubectl").live
    entry = ours(live)
    assert entry is not None
    assert (entry["manager"], entry["operation"]) == ("dispatch", "Apply")
    assert ours(live, "nobody") is None
    assert len(entries(live)) == 3
    assert entries({"metadata": {}}) == []


@pytest.mark.parametrize(
    ("name", "path", "manager", "operation", "subresource"),
    [
        ("applied", ("spec", "replicas"), "dispatch", "Apply", ""),
        ("scaled-by-kubectl", ("spec", "replicas"), "kubectl", "Update", "scale"),
        ("scaled-by-autoscaler", ("spec", "replicas"), "kube-controller-manager", "Update", "scale"),
        ("image-set", (*WEB, "image"), "kubectl-set", "Update", ""),
        ("changed-by-another-apply", ("spec", "replicas"), "other", "Apply", ""),
        ("rollouts-hash", ("spec", "selector"), "rollouts-controller", "Update", ""),
        ("rollouts-hash", ("spec", "selector", "app"), "rollouts-controller", "Update", ""),
        ("env-added", (*WEB, "env", Key((("name", "DEBUG"),))), "kubectl-set", "Update", ""),
    ],
)
def test_the_last_writer_of_a_field_is_named(
    name: str, path: Path, manager: str, operation: str, subresource: str, recorded: Any
) -> None:
    found = owner(recorded(name).live, path)
    assert found is not None
    assert (found.manager, found.operation, found.subresource) == (manager, operation, subresource)


def test_the_time_is_that_of_the_entry_and_scale_has_none(recorded: Any) -> None:
    image = owner(recorded("image-set").live, (*WEB, "image"))
    assert image is not None
    assert isinstance(image.time, datetime)
    assert image.time.tzinfo is UTC
    assert owner(recorded("scaled-by-kubectl").live, ("spec", "replicas")) == Owner("kubectl", "Update", None, "scale")


def test_a_default_and_a_field_that_was_taken_out_have_no_owner(recorded: Any) -> None:
    assert owner(recorded("applied").live, ("spec", "progressDeadlineSeconds")) is None
    assert owner(recorded("env-removed").live, (*WEB, "env", Key((("name", "MODE"),)))) is None


def test_below_a_thing_that_is_owned_as_a_whole_all_is_owned() -> None:
    fields: dict[str, Any] = {"f:spec": {"f:selector": {}}}
    assert below(fields, ("spec", "selector", "app")) == {}
    assert below(fields, ("spec", "replicas")) is None
    assert below(fields, ("spec",)) == {"f:selector": {}}
