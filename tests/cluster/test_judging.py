"""How a version is judged when things are not clear: no answer, a run ended by hand, pods that stay away."""

from __future__ import annotations

import time
from typing import Any

from team import eventually, git
from walking import ROLLOUTS, Metric, Walkers, shop


def runs(walkers: Walkers) -> list[dict[str, Any]]:
    return list(walkers.cluster.listing(walkers.resource(ROLLOUTS, "AnalysisRun"), walkers.namespace))


def reverting(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"canary": {"steps": [{"weight": 50}, *steps], "onFailure": "Revert", **more}}


def judge(page: Metric) -> dict[str, str]:
    """An AnalysisTemplate of the folder's own, which cannot tell when the page says neither `good` nor `bad`."""
    return {
        "shop/judge.yaml": f"""apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: judge}}
spec:
  metrics:
  - name: word
    successCondition: result == "good"
    failureCondition: result == "bad"
    provider: {{web: {{url: "{page.url}", jsonPath: "{{$.value}}"}}}}
"""
    }


def test_what_cannot_be_told_is_decided_by_a_person(walkers: Walkers, page: Metric) -> None:
    walkers.push(judge(page))
    walkers.start(reverting({"analysis": {"template": "judge"}}))
    page.value = "perhaps"
    walkers.release("2")
    walkers.until_reason("shop", "RolloutPaused", within=60)
    time.sleep(2)
    assert walkers.images() == {"shop:1", "shop:2"}
    assert "cannot tell" in walkers.condition("shop")["message"]

    assert walkers.until_answered(walkers.ask("Promote", by="ada"))["state"] == "Done"
    walkers.until_stable("shop:2")


def test_nobody_decides_about_an_inconclusive_analysis_for_too_long_and_the_version_goes(
    walkers: Walkers, page: Metric
) -> None:
    walkers.push(judge(page))
    walkers.start(reverting({"analysis": {"template": "judge"}}, inconclusiveDeadline="3s"))
    page.value = "perhaps"
    walkers.release("2")
    eventually(lambda: walkers.ledger().vetoes, 60, lambda: walkers.status("shop"))
    walkers.until_stable("shop:1")


def test_a_metric_that_cannot_be_asked_condemns_nothing(walkers: Walkers, page: Metric) -> None:
    """Prometheus is down: the version is taken back by Argo Rollouts, and neither vetoed nor undone in Git."""
    template = judge(page)["shop/judge.yaml"].replace(
        "  - name: word\n", "  - name: word\n    consecutiveErrorLimit: 0\n"
    )
    walkers.push({"shop/judge.yaml": template})
    walkers.start(reverting({"analysis": {"template": "judge"}}))
    page.value = None
    second = walkers.release("2")
    walkers.until_reason("shop", "RolloutAborted", within=60)
    eventually(lambda: "could not be asked" in walkers.condition("shop")["message"], 30, lambda: walkers.status("shop"))
    time.sleep(2)
    assert walkers.ledger().vetoes == ()
    assert git("rev-parse", "main", at=walkers.bare) == second

    page.value = "good"
    assert walkers.until_answered(walkers.ask("Retry", by="ada"))["state"] == "Done"
    walkers.until_stable("shop:2")


def test_an_analysis_that_somebody_ended_is_no_pass(walkers: Walkers, page: Metric) -> None:
    """Argo Rollouts calls a terminated run Successful and moves on (analysis.go)."""
    walkers.start(reverting(page.analysis(count=100), {"pause": {}}))
    walkers.release("2")
    (run,) = eventually(
        lambda: [each for each in runs(walkers) if (each.get("status") or {}).get("phase") == "Running"], 60
    )
    resource = walkers.resource(ROLLOUTS, "AnalysisRun")
    walkers.somebody.edits(resource, walkers.namespace, run["metadata"]["name"], {"spec": {"terminate": True}})
    eventually(lambda: walkers.ledger().vetoes, 30, lambda: walkers.status("shop"))
    walkers.until_stable("shop:1")
    assert any(
        "ended" in message or "terminated" in message for result, message in walkers.results() if result == "Aborted"
    )


def test_a_version_whose_pods_never_get_ready_is_taken_back_after_its_deadline(walkers: Walkers) -> None:
    walkers.start(reverting({"pause": {}}, progressDeadline="3s"))
    broken = shop("2")["shop/deployment.yaml"].replace(
        "metadata: {labels: {app: shop}}",
        "metadata: {labels: {app: shop}, annotations: {dispatch.dev/sandbox-pod: unready}}",
    )
    walkers.push({"shop/deployment.yaml": broken}, "shop 2, broken")
    eventually(lambda: walkers.ledger().vetoes, 60, lambda: walkers.status("shop"))
    eventually(lambda: "unready" not in walkers.head("shop/deployment.yaml"))
    walkers.until_stable("shop:1")


def test_a_gate_holds_the_step_until_it_is_approved(walkers: Walkers) -> None:
    walkers.start(reverting({"gate": {"approval": True, "interval": "1s"}}, {"weight": 80}))
    walkers.release("2")
    eventually(lambda: [each for each in runs(walkers) if (each.get("status") or {}).get("phase") == "Running"], 60)
    time.sleep(4)
    assert walkers.rollout()["status"]["currentStepIndex"] == 1
    assert not walkers.rollout()["status"].get("abort")

    wish = walkers.ask("Promote", by="ada")
    walkers.until_stable("shop:2")
    assert walkers.until_answered(wish)["state"] == "Done"
    assert any("by ada" in message for result, message in walkers.results() if result == "Promoted")


def test_a_gate_waits_until_another_application_is_well(walkers: Walkers) -> None:
    gate = {"gate": {"healthy": {"applications": ["database"]}, "interval": "1s"}}
    walkers.start(reverting(gate))
    walkers.release("2")
    eventually(lambda: walkers.rollout()["status"].get("currentStepIndex") == 1, 60)
    time.sleep(3)
    assert walkers.images() == {"shop:1", "shop:2"}
    walkers.push({"database/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: database}\n"})
    walkers.deploy("database", "database")
    walkers.until_stable("shop:2")


def test_pods_that_somebody_adds_to_the_deployment_are_taken_away_again(walkers: Walkers) -> None:
    walkers.start(reverting({"pause": {}}))
    walkers.edit("apps/v1", "Deployment", "shop", {"spec": {"replicas": 5}}, manager="kubectl-scale")
    eventually(lambda: (walkers.live("apps/v1", "Deployment", "shop") or {})["spec"]["replicas"] == 0, 30)
    assert walkers.rollout()["spec"]["replicas"] == 2


def test_an_undone_promotion_runs_the_steps_again_unless_a_window_is_set(walkers: Walkers) -> None:
    walkers.start(reverting({"pause": {"duration": "1s"}}, rollbackWindow=3))
    walkers.release("2")
    walkers.until_stable("shop:2")
    walkers.release("1")
    walkers.until_stable("shop:1")
    assert walkers.rollout()["spec"]["rollbackWindow"] == {"revisions": 3}
