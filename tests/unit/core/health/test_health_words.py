"""What holds for every kind: what is missing, what is on its way out, and how the words of others are quoted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.core.health import assess
from reconciler.model.health import Health, Level

DUE = datetime(2026, 11, 20, 10, 2, 11, tzinfo=UTC)


def held(**metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "deletionTimestamp": "2026-11-20T10:02:11Z", **metadata},
    }


def widget(**status: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "status": status}


def ready(message: str) -> dict[str, Any]:
    return widget(conditions=[{"type": "Ready", "status": "False", "reason": "Broken", "message": message}])


def test_an_object_that_the_server_does_not_have_is_missing() -> None:
    assert assess(None) == Health(Level.MISSING, "the object does not exist")


@pytest.mark.parametrize("document", [[], "Deployment", 3, {"kind": "Pod", "apiVersion": ["v1"]}, {"metadata": "web"}])
def test_what_is_not_an_object_is_unknown_and_says_what_it_is(document: Any) -> None:
    health = assess(document)
    assert health.level is Level.UNKNOWN
    assert "belongs" in health.message


def test_a_deletion_is_overdue_after_five_minutes() -> None:
    document = held(finalizers=["example.com/keep"])
    assert (
        assess(document, DUE + timedelta(minutes=5)).message
        == "being deleted: waiting for the finalizer example.com/keep"
    )
    assert (
        assess(document, DUE + timedelta(minutes=5, seconds=1)).message
        == "being deleted, due since 2026-11-20T10:02:11Z: waiting for the finalizer example.com/keep"
    )


def test_the_time_changes_no_level() -> None:
    document = held()
    levels = {assess(document, DUE + timedelta(days=days)).level for days in range(-2, 400, 100)}
    assert levels == {Level.PROGRESSING}


@pytest.mark.parametrize("due", ["yesterday", "2026-11-20T10:02:11", 17])
def test_a_deletion_timestamp_that_is_no_time_is_unknown(due: object) -> None:
    health = assess(held(deletionTimestamp=due), DUE)
    assert health.level is Level.UNKNOWN
    assert "metadata.deletionTimestamp" in health.message


def test_a_null_and_an_absent_field_are_the_same() -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a", "generation": 1, "deletionTimestamp": None},
        "spec": {"replicas": 0, "paused": None},
        "status": {"observedGeneration": 1, "conditions": None, "replicas": None},
    }
    assert assess(deployment) == Health(Level.HEALTHY)


def test_a_long_message_is_cut_to_200_characters() -> None:
    message = assess(ready("x" * 10_000_000)).message
    assert len(message) == 200
    assert message.endswith("…")


def test_a_quoted_message_stays_on_one_line_and_moves_no_terminal() -> None:
    assert assess(ready("one\n\ttwo\x1b[31m\u202ethree\ud800")).message == "Broken: one two [31m three"


def test_the_output_of_a_container_is_not_repeated() -> None:
    """A termination message is written by the program (or is its last log lines), so it may hold a credential."""
    ended = {"exitCode": 1, "reason": "Error", "message": "password=hunter2"}
    for state, phase in (({"terminated": ended}, "Failed"), ({"waiting": {"reason": "CrashLoopBackOff"}}, "Running")):
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "a"},
            "status": {
                "phase": phase,
                "containerStatuses": [{"name": "web", "state": state, "lastState": {"terminated": ended}}],
            },
        }
        health = assess(pod)
        assert health.level is Level.DEGRADED
        assert "exit code 1 (Error)" in health.message
        assert "hunter2" not in health.message


def test_the_group_counts_and_the_version_does_not() -> None:
    spec = {"replicas": 3}
    ours = {
        "apiVersion": "apps/v1beta9",
        "kind": "Deployment",
        "metadata": {"name": "a", "generation": 1},
        "spec": spec,
    }
    other = {**ours, "apiVersion": "example.com/v1"}
    assert assess(ours).level is Level.PROGRESSING
    assert assess(other).level is Level.HEALTHY


def test_a_number_that_no_api_holds_is_unknown() -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"generation": 10**5000}, "status": {}}
    health = assess(deployment)
    assert health == Health(
        Level.UNKNOWN, "cannot tell: metadata.generation is an integer where one of 64 bits belongs"
    )
