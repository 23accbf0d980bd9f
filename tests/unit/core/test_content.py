"""The digest of a live object follows what people and controllers want of it, not the server's bookkeeping."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from reconciler.core.content import content_digest, digest, strip

LIVE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {
        "name": "c",
        "namespace": "n",
        "uid": "1",
        "resourceVersion": "5",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": "dispatch"}],
        "labels": {"a": "b"},
    },
    "data": {"k": "v"},
    "status": {"x": 1},
}


def changed(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(LIVE)
    place = document
    for field in path[:-1]:
        place = place[field]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    "path",
    [
        ("metadata", "uid"),
        ("metadata", "resourceVersion"),
        ("metadata", "generation"),
        ("metadata", "creationTimestamp"),
        ("metadata", "managedFields"),
        ("status",),
    ],
)
def test_bookkeeping_does_not_change_the_digest(path: tuple[str, ...]) -> None:
    assert content_digest(changed(path, "other")) == content_digest(LIVE)


@pytest.mark.parametrize(
    "path", [("data", "k"), ("metadata", "labels", "a"), ("metadata", "annotations"), ("metadata", "deletionTimestamp")]
)
def test_content_changes_the_digest(path: tuple[str, ...]) -> None:
    assert content_digest(changed(path, "other")) != content_digest(LIVE)


def test_the_order_of_keys_does_not_change_a_digest() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1}) != digest({"a": 1, "b": [2, 1]})


def test_strip_shows_what_remains_and_leaves_the_document_alone() -> None:
    before = copy.deepcopy(LIVE)
    assert strip(LIVE) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "namespace": "n", "labels": {"a": "b"}},
        "data": {"k": "v"},
    }
    assert before == LIVE
