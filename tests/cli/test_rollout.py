"""`dispatch rollout` on a cluster that knows no Argo Rollouts; with it: tests/cluster/test_rollout_verbs.py."""

from __future__ import annotations

import json

import pytest
from command_line import application, dispatch, put

from reconciler.adapters.kube.cluster import KubeCluster


@pytest.fixture
def web(live: KubeCluster, access: tuple[str, ...], namespace: str) -> tuple[str, ...]:
    """An Application whose strategy is rolling."""
    put(live, [application("web", namespace)])
    return ("web", *access)


def test_the_status_of_an_application_that_rolls_is_empty_and_no_error(web: tuple[str, ...], namespace: str) -> None:
    ran = dispatch("rollout", "status", *web)
    assert (ran.code, ran.out, ran.err) == (0, "", f"Application {namespace}/web has no Rollout\n")
    ran = dispatch("rollout", "status", *web, "-o", "json")
    assert json.loads(ran.out)["rollouts"] == []


@pytest.mark.parametrize("verb", ["promote", "abort", "retry", "watch"])
def test_there_is_nothing_to_speak_to(web: tuple[str, ...], namespace: str, verb: str) -> None:
    ran = dispatch("rollout", verb, *web)
    assert (ran.code, ran.out) == (1, "")
    assert f"Application {namespace}/web has no Rollout: its strategy is rolling" in ran.err


@pytest.mark.parametrize("verb", ["status", "promote", "abort", "retry", "watch"])
def test_a_name_that_is_not_there_is_an_error_with_the_nearest_one(web: tuple[str, ...], verb: str) -> None:
    ran = dispatch("rollout", verb, "wbe", *web[1:])
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean web?" in ran.err


def test_a_reason_that_is_too_long_is_refused_before_anything_is_read(web: tuple[str, ...]) -> None:
    ran = dispatch("rollout", "promote", *web, "--reason", "x" * 1025)
    assert ran.code == 2
    assert "--reason is at most 1024 characters" in ran.err
