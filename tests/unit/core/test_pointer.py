"""Paths are written so that people read them and read back so that patches hit."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.pointer import Key, Path, Value, locate, resolve, segments, text, value_at
from reconciler.model.change import ABSENT

DOCUMENT: dict[str, Any] = {
    "metadata": {"labels": {"app.kubernetes.io/name": "web", "a~b": "c"}, "finalizers": ["x/y"]},
    "spec": {
        "containers": [
            {"name": "side", "image": "s"},
            {"name": "web", "volumeMounts": [{"mountPath": "/tmp/a,b=c"}], "ports": [{"containerPort": 80}]},
        ],
        "rules": [{"host": "a"}, {"host": "b"}],
    },
}
WEB = Key((("name", "web"),))
PORT = Key((("containerPort", 80), ("protocol", "TCP")))
WRITTEN: list[tuple[Path, str, str]] = [
    ((), "", ""),
    (
        ("metadata", "labels", "app.kubernetes.io/name"),
        "/metadata/labels/app.kubernetes.io~1name",
        "/metadata/labels/app.kubernetes.io~1name",
    ),
    (("metadata", "labels", "a~b"), "/metadata/labels/a~0b", "/metadata/labels/a~0b"),
    (("metadata", "finalizers", Value("x/y")), "/metadata/finalizers/[=x~1y]", "/metadata/finalizers/0"),
    (("spec", "containers", WEB), "/spec/containers/[name=web]", "/spec/containers/1"),
    (
        ("spec", "containers", WEB, "volumeMounts", Key((("mountPath", "/tmp/a,b=c"),))),
        "/spec/containers/[name=web]/volumeMounts/[mountPath=~1tmp~1a,b=c]",
        "/spec/containers/1/volumeMounts/0",
    ),
    (
        ("spec", "containers", WEB, "ports", PORT),
        "/spec/containers/[name=web]/ports/[containerPort=80,protocol=TCP]",
        "/spec/containers/1/ports/0",
    ),
    (("spec", "rules", 1, "host"), "/spec/rules/1/host", "/spec/rules/1/host"),
]


@pytest.mark.parametrize(("path", "written", "plain"), WRITTEN, ids=[written or "all" for _, written, _ in WRITTEN])
def test_a_path_is_written_and_found_again(path: Path, written: str, plain: str) -> None:
    assert text(path) == written
    assert locate(DOCUMENT, written) == plain
    assert resolve(DOCUMENT, written) == path
    assert resolve(DOCUMENT, plain) == path
    assert value_at(DOCUMENT, path) is not ABSENT


@pytest.mark.parametrize(
    "pointer",
    [
        "/nothing",
        "/spec/containers/2",
        "/spec/containers/[name=db]",
        "/spec/containers/web",
        "/spec/rules/01",
        "/spec/a/b",
    ],
)
def test_where_nothing_is_nothing_is_found(pointer: str) -> None:
    assert locate(DOCUMENT, pointer) is None
    assert resolve(DOCUMENT, pointer) is None


def test_a_missing_first_slash_is_forgiven() -> None:
    assert segments("spec/replicas") == segments("/spec/replicas") == ("spec", "replicas")
    assert segments("") == segments("/") == ()


def test_a_value_that_is_not_there_is_absent_and_null_is_a_value() -> None:
    assert value_at({"a": None}, ("a",)) is None
    assert value_at({"a": None}, ("a", "b")) is ABSENT
    assert value_at({"a": [1]}, ("a", 1)) is ABSENT
