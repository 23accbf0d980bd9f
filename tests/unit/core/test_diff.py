"""A difference is shown once, where it is, and without noise."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from reconciler.core.diff import differences, readable, to_yaml, unified
from reconciler.model.change import ABSENT, FieldChange


def deployment(**container: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1", **container}]}}},
    }


WEB = "/spec/template/spec/containers/[name=web]"

CASES: list[tuple[str, Any, Any, list[FieldChange]]] = [
    ("nothing", {"a": 1}, {"a": 1}, []),
    ("a value", {"a": 1}, {"a": 2}, [FieldChange("/a", 1, 2)]),
    ("true is not one", {"a": True}, {"a": 1}, [FieldChange("/a", True, 1)]),
    ("null is a value", {"a": None}, {}, [FieldChange("/a", None, ABSENT)]),
    ("one side only", {}, {"a": {"b": {"c": 1}}}, [FieldChange("/a", ABSENT, {"b": {"c": 1}})]),
    ("a name with a slash", {"a/b": 1}, {"a/b": 2}, [FieldChange("/a~1b", 1, 2)]),
    ("a plain list", {"args": ["a"]}, {"args": ["a", "b"]}, [FieldChange("/args", ["a"], ["a", "b"])]),
    (
        "a list of maps without a key",
        {"rules": [{"host": "a"}, {"host": "b"}]},
        {"rules": [{"host": "a"}, {"host": "c"}]},
        [FieldChange("/rules/1/host", "b", "c")],
    ),
    (
        "a list of maps that grew",
        {"rules": [{"host": "a"}]},
        {"rules": []},
        [FieldChange("/rules", [{"host": "a"}], [])],
    ),
    (
        "an item found by its key",
        {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        {"env": [{"name": "B", "value": "3"}]},
        [
            FieldChange("/env/[name=B]/value", "2", "3"),
            FieldChange("/env/[name=A]", {"name": "A", "value": "1"}, ABSENT),
        ],
    ),
    (
        "items that moved",
        {"env": [{"name": "A"}, {"name": "B"}]},
        {"env": [{"name": "B"}, {"name": "A"}]},
        [FieldChange("/env", [{"name": "A"}, {"name": "B"}], [{"name": "B"}, {"name": "A"}])],
    ),
    (
        "a port by number and protocol",
        {"ports": [{"port": 80, "protocol": "UDP"}, {"port": 80, "name": "t"}]},
        {"ports": [{"port": 80, "protocol": "UDP"}, {"port": 80, "name": "u"}]},
        [FieldChange("/ports/[port=80,protocol=TCP]/name", "t", "u")],
    ),
]


@pytest.mark.parametrize(("live", "wanted", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_difference_is_named_once(live: Any, wanted: Any, expected: list[FieldChange]) -> None:
    assert differences(live, wanted) == expected


def test_a_container_is_named_and_not_counted() -> None:
    assert differences(deployment(), deployment(image="nginx:2")) == [FieldChange(f"{WEB}/image", "nginx:1", "nginx:2")]


def test_a_path_may_start_below_the_object() -> None:
    assert differences([{"name": "a", "x": 1}], [{"name": "a", "x": 2}], "/spec/env") == [
        FieldChange("/spec/env/[name=a]/x", 1, 2)
    ]


def test_a_unified_diff_shows_the_lines_around_the_change() -> None:
    assert unified(deployment(), deployment(image="nginx:2"), title="Deployment.apps/n/web").splitlines() == [
        "--- live/Deployment.apps/n/web",
        "+++ git/Deployment.apps/n/web",
        "@@ -6,5 +6,5 @@",
        "   template:",
        "     spec:",
        "       containers:",
        "-      - image: nginx:1",
        "+      - image: nginx:2",
        "         name: web",
    ]


def test_the_servers_bookkeeping_is_no_difference(recorded: Any) -> None:
    found = recorded("adopted-from-client-side-apply")
    live = copy.deepcopy(found.live)
    live["status"] = {"replicas": 1}
    live["metadata"] |= {"uid": "1", "selfLink": "/x"}
    assert unified(live, found.predicted, title="web") == ""
    assert "managedFields" not in to_yaml(readable(live))
    assert "last-applied" not in to_yaml(readable(live))


def test_a_creation_is_all_plus_and_a_deletion_all_minus() -> None:
    created, deleted = unified(None, deployment(), title="web"), unified(deployment(), None, title="web")
    assert created.startswith("--- /dev/null\n+++ git/web\n")
    assert deleted.startswith("--- live/web\n+++ /dev/null\n")
    assert all(line.startswith(("+", "@")) for line in created.splitlines()[2:])
    assert all(line.startswith(("-", "@")) for line in deleted.splitlines()[2:])
    assert unified(None, None, title="web") == ""


def test_a_text_of_several_lines_is_a_block_and_a_shared_part_is_written_out() -> None:
    shared = {"a": "x\ny\n"}
    assert to_yaml({"one": shared, "two": shared}) == "one:\n  a: |\n    x\n    y\ntwo:\n  a: |\n    x\n    y\n"


def test_one_changed_line_of_a_block_is_one_changed_line() -> None:
    def config(text: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "ConfigMap", "data": {"file": text}}

    lines = unified(config("a\nb\nc\n"), config("a\nB\nc\n"), title="c").splitlines()[3:]
    assert [line for line in lines if line[0] in "+-"] == ["-    b", "+    B"]


def test_a_text_that_looks_like_a_number_is_not_taken_for_it() -> None:
    assert unified({"a": "1"}, {"a": 1}, title="x") != ""
