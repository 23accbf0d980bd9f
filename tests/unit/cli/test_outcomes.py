"""What a status says about a sync that was asked for."""

from __future__ import annotations

from typing import Any

from reconciler.cli.outcomes import judge

TOKEN = "2026-11-23T15:00:00.000001+00:00"
REVISION = "main@sha1:0123456789abcdef"


def document(status: str, reason: str, *, handled: str = "", more: tuple[str, ...] = (), generation: int = 1) -> Any:
    def condition(type: str, value: str) -> dict[str, Any]:
        return {"type": type, "status": value, "reason": reason, "message": "the words", "observedGeneration": 1}

    conditions = [condition("Ready", status), *(condition(type, "True") for type in more)]
    return {
        "metadata": {"name": "shop", "generation": generation},
        "status": {
            "conditions": conditions,
            "sync": "Synced",
            "health": "Healthy",
            "applied": {"revision": REVISION},
            "handledSync": handled,
        },
    }


NEW = {"metadata": {"name": "shop", "generation": 1}}
READY = document("True", "ReconciliationSucceeded")


def test_handled_and_ready_is_done() -> None:
    outcome = judge(document("True", "ReconciliationSucceeded", handled=TOKEN), TOKEN, READY)

    assert outcome == (True, "Synced, Healthy at main@0123456789", True)


def test_ready_from_before_is_not_an_answer() -> None:
    assert judge(READY, TOKEN, READY) == (None, "waiting for the controller", False)


def test_the_wish_of_another_is_not_ours() -> None:
    assert judge(document("True", "ReconciliationSucceeded", handled="other"), TOKEN, READY).done is None


def test_ready_for_an_older_spec_is_waited_for() -> None:
    assert judge(document("True", "ReconciliationSucceeded", handled=TOKEN, generation=2), TOKEN, READY).done is None


def test_progress_is_waited_for_and_told() -> None:
    now = document("Unknown", "Progressing", handled=TOKEN, more=("Reconciling",))

    assert judge(now, TOKEN, READY) == (None, "Synced, Healthy at main@0123456789: Progressing: the words", True)


def test_a_wish_that_cannot_be_carried_out_has_failed() -> None:
    outcome = judge(document("False", "RenderFailed", handled=TOKEN, more=("Stalled",)), TOKEN, READY)

    assert (outcome.done, outcome.line) == (False, "Synced, Healthy at main@0123456789: RenderFailed: the words")


def test_a_failure_from_before_is_not_the_answer() -> None:
    stalled = document("False", "RenderFailed", more=("Stalled",))

    assert judge(stalled, TOKEN, stalled).done is None


def test_a_failure_that_may_pass_is_waited_for() -> None:
    now = document("False", "SourceUnreachable", more=("Reconciling",))

    assert judge(now, TOKEN, READY).done is None


def test_degraded_after_the_sync_has_failed() -> None:
    assert judge(document("False", "Degraded", handled=TOKEN), TOKEN, READY).done is False


def test_a_first_deployment_without_a_status_is_waited_for() -> None:
    assert judge(NEW, TOKEN, NEW) == (None, "waiting for the controller", False)
