"""`dispatch history`: what was deployed, and what came of it."""

from __future__ import annotations

import json

from command_line import application, dispatch, put

from reconciler.adapters.kube.cluster import KubeCluster

GOOD = {
    "revision": "main@sha1:0123456789abcdef0123456789abcdef01234567",
    "digest": "d1",
    "at": "2026-11-23T15:00:00Z",
    "result": "Applied",
    "message": "Ada: raise the limits",
    "created": 2,
    "changed": 1,
    "pruned": 3,
    "seconds": 1.234,
}
BAD = {
    "revision": "main@sha1:fedcba9876543210fedcba9876543210fedcba98",
    "at": "2026-11-23T15:10:00Z",
    "result": "Failed",
    "message": "apps/shop/web.yaml:7: no such field\nsecond line",
    "count": 4,
}


def test_the_newest_run_is_first(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace, status={"history": [BAD, GOOD]})])

    lines = [line.split() for line in dispatch("history", "shop", *access).out.splitlines()]

    assert lines[0] == ["REVISION", "WHEN", "AGE", "RESULT", "CREATED", "CHANGED", "PRUNED", "SECONDS", "MESSAGE"]
    assert lines[1][:3] == ["main@fedcba9876", "2026-11-23", "15:10:00Z"]
    assert lines[1][4:6] == ["Failed", "x4"]
    assert lines[2][:3] == ["main@0123456789", "2026-11-23", "15:00:00Z"]
    assert lines[2][4:] == ["Applied", "2", "1", "3", "1.2", "Ada:", "raise", "the", "limits"]


def test_a_message_of_several_lines_is_one(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace, status={"history": [BAD]})])

    assert dispatch("history", "shop", *access).out.rstrip().endswith("apps/shop/web.yaml:7: no such field second line")


def test_json_is_what_the_status_holds(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace, status={"history": [BAD, GOOD]})])

    printed = json.loads(dispatch("history", "shop", *access, "-o", "json").out)

    assert [entry["result"] for entry in printed] == ["Failed", "Applied"]
    assert printed[1]["seconds"] == 1.234


def test_an_application_without_history(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("new", namespace)])

    assert dispatch("history", "new", *access) == (0, "", f"Application {namespace}/new has no history yet\n")
    assert dispatch("history", "new", *access, "-o", "json").out == "[]\n"


def test_an_application_that_is_not_there(access: tuple[str, ...], namespace: str) -> None:
    assert dispatch("history", "shop", *access) == (
        2,
        "",
        f"error: namespace {namespace} has no Application 'shop': it has none\n",
    )
