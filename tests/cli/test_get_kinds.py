"""`dispatch get` of promotions, image feeds and notifiers: what an operator wants to see of each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from command_line import dispatch, put, ready

from reconciler.adapters.kube.cluster import KubeCluster

DIGEST = "sha256:" + "a" * 64


def columns(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("   ") if cell.strip()]


def document(kind: str, name: str, namespace: str, spec: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {
        "apiVersion": "dispatch.dev/v1alpha1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }


def promotion(namespace: str, **status: Any) -> dict[str, Any]:
    environments = [{"name": name, "application": name} for name in ("staging", "production", "china")]
    return document("Promotion", "shop", namespace, {"environments": environments}, status)


def test_a_promotion_has_a_row_for_each_environment_but_the_first(
    live: KubeCluster, access: tuple[str, ...], namespace: str
) -> None:
    gates = [{"gate": "healthyFor", "verdict": "pass"}, {"gate": "approvals", "verdict": "wait"}]
    production = {
        "name": "production",
        "state": "Open",
        "images": [f"registry.example.com/team/shop:2@{DIGEST}"],
        "gates": gates,
        "number": 7,
        "pullRequest": "https://git.example.com/pulls/7",
        "earliest": "2027-01-01T02:00:00Z",
        "message": "approvals: nobody",
        "since": "2026-11-23T15:00:00Z",
    }
    waits = ready("Unknown", "Progressing", "production: Open, approvals: nobody")
    put(live, [promotion(namespace, environments=[production], conditions=[waits])])

    table = dispatch("get", "promotions", *access).out.splitlines()
    wide = dispatch("get", "promotion", "shop", *access, "-o", "wide").out.splitlines()

    assert columns(table[0]) == ["NAMESPACE", "NAME", "ENVIRONMENT", "STATE", "IMAGES", "GATES", "REQUEST", "SINCE"]
    assert columns(table[1])[:7] == [namespace, "shop", "production", "Open", "shop:2", "1/2", "#7"]
    assert columns(table[2]) == [namespace, "shop", "china", "Unknown", "-", "-", "-"]
    assert table[-1] == f"{namespace}/shop: Progressing: production: Open, approvals: nobody"
    assert columns(wide[1])[-3:] == ["2027-01-01 02:00:00Z", "https://git.example.com/pulls/7", "approvals: nobody"]


def test_a_feed_shows_what_it_wants_and_where_it_got_to(
    live: KubeCluster, access: tuple[str, ...], namespace: str
) -> None:
    spec = {
        "image": "registry.example.com/team/shop",
        "policy": {"semver": ">=1.0"},
        "writes": [{"repository": "config", "path": "staging"}],
    }
    written = {"repository": "config", "path": "staging", "state": "Open", "pullRequest": "https://git.example.com/8"}
    status = {
        "selected": {"tag": "1.4.0", "digest": DIGEST},
        "writes": [written],
        "conditions": [ready("True", "ReconciliationSucceeded", "")],
    }
    put(live, [document("ImageFeed", "shop", namespace, spec, status)])

    wide = dispatch("get", "feeds", *access, "-o", "wide").out.splitlines()

    assert columns(wide[0])[2:6] == ["READY", "IMAGE", "TAG", "WRITES"]
    assert columns(wide[1])[2:6] == ["True", "registry.example.com/team/shop", "1.4.0", "staging=Open"]
    assert columns(wide[1])[-3:] == ["semver", "sha256:aaaaaaaaaaaa", "https://git.example.com/8"]
    assert len(dispatch("get", "imagefeeds", *access).out.splitlines()) == 2


def test_a_notifier_shows_where_it_tells_and_what_it_lost(
    live: KubeCluster, access: tuple[str, ...], namespace: str
) -> None:
    slack = {"slack": {"channel": "C0123456789", "secretRef": {"name": "slack"}}, "events": ["Deployed"]}
    hook = {"webhook": {"secretRef": {"name": "hook"}}}
    denied = {"conditions": [ready("False", "NoticeRefused", "invalid_auth")], "failures": 3, "dropped": 2}
    put(live, [document("Notifier", "a", namespace, slack, denied), document("Notifier", "b", namespace, hook, {})])

    table = dispatch("get", "notifiers", *access).out.splitlines()
    wide = dispatch("get", "notifier", "a", *access, "-o", "wide").out.splitlines()

    assert columns(table[0])[2:] == ["READY", "PLACE", "SENT", "FAILURES", "DROPPED", "AGE"]
    assert columns(table[1])[2:7] == ["False", "slack C0123456789", "never", "3", "2"]
    assert columns(table[2])[2:7] == ["Unknown", "webhook hook", "never", "0", "0"]
    assert table[-1] == f"{namespace}/a: NoticeRefused: invalid_auth"
    assert columns(wide[1])[-2:] == ["Deployed", "invalid_auth"]


def test_documents_of_each_kind_are_printed_as_they_are(
    live: KubeCluster, access: tuple[str, ...], namespace: str
) -> None:
    put(live, [promotion(namespace)])

    printed = json.loads(dispatch("get", "promotions", *access, "-o", "json").out)

    assert [item["metadata"]["name"] for item in printed["items"]] == ["shop"]
    assert dispatch("get", "promotions", *access, "-o", "name").out == "promotion.dispatch.dev/shop\n"


@pytest.mark.parametrize("kind", ["promotions", "imagefeeds", "notifiers", "repositories"])
def test_nothing_is_said_on_standard_error(access: tuple[str, ...], namespace: str, kind: str) -> None:
    assert dispatch("get", kind, *access) == (0, "", f"no {kind} in namespace {namespace}\n")
