"""A version walked out by canary: a commit starts it, people and metrics judge it, and Git tells the truth about it."""

from __future__ import annotations

import time

from team import eventually, git
from walking import ROLLOUTS, Metric, Walkers

from reconciler.model.resource import API_VERSION

TWO_STEPS = {"canary": {"steps": [{"weight": 50}, {"pause": {}}, {"weight": 80}, {"pause": {}}]}}


def judged(page: Metric, **canary: object) -> dict[str, object]:
    return {"canary": {"steps": [{"weight": 50}, page.analysis()], **canary}}


def test_the_first_deployment_is_promoted_at_once_and_git_remembers_it(walkers: Walkers) -> None:
    first = walkers.start(TWO_STEPS)

    promoted = walkers.ledger().promoted
    assert promoted is not None
    assert promoted.commit == first
    assert list(promoted.templates) == ["shop"]
    assert walkers.status("shop")["promoted"]["revision"] == first
    assert walkers.images() == {"shop:1"}


def test_a_commit_starts_a_canary_and_each_pause_is_ended_by_a_person_who_is_named(walkers: Walkers) -> None:
    walkers.start(TWO_STEPS)
    second = walkers.release("2")
    walkers.until_paused(1)
    assert walkers.images() == {"shop:1", "shop:2"}
    walkers.until_reason("shop", "RolloutPaused")
    assert "dispatch rollout promote" in walkers.condition("shop")["message"]

    assert walkers.until_answered(walkers.ask("Promote", by="ada", reason="looks good"))["state"] == "Done"
    walkers.until_paused(3)
    walkers.ask("Promote", by="bob")
    walkers.until_stable("shop:2")

    eventually(lambda: (found := walkers.ledger().promoted) and found.commit == second)
    told = "\n".join(message for result, message in walkers.results() if result == "Promoted")
    assert "by ada: looks good" in told
    assert "by bob" in told
    assert "step 2 of 4" in told


def test_a_wish_for_a_step_that_was_left_is_answered_and_moves_nothing(walkers: Walkers) -> None:
    walkers.start(TWO_STEPS)
    walkers.release("2")
    rollout = walkers.until_paused(1)
    one, two = walkers.ask("Promote", by="ada"), walkers.ask("Promote", by="bob")
    walkers.until_answered(one), walkers.until_answered(two)
    walkers.until_paused(3)
    late = walkers.ask("Promote", step=1, podHash=rollout["status"]["currentPodHash"])
    walkers.until_answered(late)
    time.sleep(1)
    assert walkers.rollout()["status"]["currentStepIndex"] == 3


def test_a_bad_metric_aborts_the_version_and_git_goes_back_by_itself(walkers: Walkers, page: Metric) -> None:
    first = walkers.start(judged(page, onFailure="Revert"))
    page.value = 0.9
    second = walkers.release("2-bad")
    head = eventually(lambda: None if (now := git("rev-parse", "main", at=walkers.bare)) == second else now)
    walkers.until_ready("shop", head)
    walkers.until_stable("shop:1")
    assert "shop:1" in walkers.head("shop/deployment.yaml")
    message = git("log", "-1", "--format=%B", head, at=walkers.bare)
    assert f"Dispatch-Reverts: {second}" in message
    (veto,) = walkers.ledger().vetoes
    assert (veto.commit, veto.images) == (second, ("shop:2-bad",))
    assert "measured 0.9" in veto.why
    promoted = walkers.ledger().promoted
    assert promoted is not None and promoted.commit == first
    assert {"Aborted", "Reverted"} <= {result for result, _ in walkers.results()}


def test_a_vetoed_version_does_not_come_back_until_the_veto_is_lifted(walkers: Walkers, page: Metric) -> None:
    walkers.start(judged(page, onFailure="Revert"))
    page.value = 0.9
    walkers.release("2")
    eventually(lambda: walkers.ledger().vetoes)
    eventually(lambda: "shop:1" in walkers.head("shop/deployment.yaml"))
    walkers.follow_main()
    walkers.until_ready("shop", git("rev-parse", "main", at=walkers.bare))

    page.value = 0.0
    again = walkers.release("2", settings="2")
    walkers.until_queued("Vetoed")
    assert walkers.status("shop")["queued"]["revision"].endswith(again)
    assert walkers.images() == {"shop:1"}


def test_a_lifted_veto_lets_the_version_come_again(walkers: Walkers, page: Metric) -> None:
    walkers.start(judged(page, onFailure="Revert"))
    page.value = 0.9
    walkers.release("2")
    eventually(lambda: "shop:1" in walkers.head("shop/deployment.yaml"), 60, lambda: walkers.status("shop"))
    walkers.until_stable("shop:1")
    page.value = 0.0

    assert walkers.until_answered(walkers.ask("Retry", by="ada", reason="the database was down"))["state"] == "Done"
    assert walkers.ledger().vetoes == ()
    walkers.follow_main()
    walkers.release("2")
    walkers.until_stable("shop:2")
    assert any("lifted by ada" in message for _, message in walkers.results())


def test_what_was_aborted_is_left_to_a_person_where_the_policy_says_hold(walkers: Walkers, page: Metric) -> None:
    walkers.start(judged(page, onFailure="Hold"))
    page.value = 0.9
    second = walkers.release("2")
    walkers.until_reason("shop", "RolloutAborted", within=60)
    time.sleep(3)

    assert git("rev-parse", "main", at=walkers.bare) == second
    assert walkers.rollout()["status"]["abort"] is True
    assert walkers.until_pods({"shop:1"})

    page.value = 0.0
    assert walkers.until_answered(walkers.ask("Retry", by="ada"))["state"] == "Done"
    walkers.until_stable("shop:2")
    assert walkers.ledger().vetoes == ()


def test_a_person_aborts_and_is_named_in_the_veto(walkers: Walkers) -> None:
    walkers.start({"canary": {"steps": TWO_STEPS["canary"]["steps"], "onFailure": "Revert"}})
    walkers.release("2")
    walkers.until_paused(1)
    walkers.until_answered(walkers.ask("Abort", by="ada", reason="customers complain"))
    eventually(lambda: "shop:1" in walkers.head("shop/deployment.yaml"))
    assert [veto.by for veto in walkers.ledger().vetoes] == ["ada"]
    walkers.until_stable("shop:1")


def test_a_newer_version_waits_in_line_and_starts_when_the_running_one_is_promoted(walkers: Walkers) -> None:
    walkers.start(TWO_STEPS)
    walkers.release("2")
    walkers.until_paused(1)
    walkers.release("3")
    walkers.until_queued("RevisionQueued")
    assert walkers.images() == {"shop:1", "shop:2"}
    walkers.ask("Promote")
    walkers.until_paused(3)
    walkers.ask("Promote")
    eventually(lambda: walkers.images() == {"shop:2", "shop:3"}, 60, walkers.images)
    walkers.until_paused(1)


def test_a_newer_version_supersedes_where_the_policy_says_so(walkers: Walkers) -> None:
    walkers.start({"canary": {"steps": TWO_STEPS["canary"]["steps"], "inFlight": "Supersede"}})
    walkers.release("2")
    walkers.until_paused(1)
    walkers.release("3")
    eventually(lambda: walkers.images() == {"shop:1", "shop:3"}, 60, walkers.images)


def test_a_git_revert_in_the_middle_goes_back_at_once(walkers: Walkers) -> None:
    walkers.start(TWO_STEPS)
    walkers.release("2")
    walkers.until_paused(1)
    walkers.release("1")
    walkers.until_stable("shop:1", within=30)
    assert walkers.ledger().vetoes == ()


def test_a_commit_that_changes_no_pod_goes_through_while_a_version_is_on_its_way(walkers: Walkers) -> None:
    walkers.start(TWO_STEPS)
    walkers.release("2")
    before = walkers.until_paused(1)
    walkers.release("2", settings="42")
    eventually(lambda: (walkers.live("v1", "ConfigMap", "settings") or {})["data"]["answer"] == "42")
    after = walkers.rollout()
    assert after["status"]["currentStepIndex"] == before["status"]["currentStepIndex"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


def test_a_version_that_somebody_put_back_by_hand_is_reported_and_not_fought(walkers: Walkers) -> None:
    """`kubectl argo rollouts undo`: it patches the template of the Deployment that the Rollout refers to."""
    walkers.start({"canary": {"steps": [{"weight": 50}]}})
    walkers.release("2")
    walkers.until_stable("shop:2")
    template = {"spec": {"template": {"spec": {"containers": [{"name": "shop", "image": "shop:1"}]}}}}
    walkers.edit("apps/v1", "Deployment", "shop", template, manager="kubectl-argo-rollouts")
    walkers.until_pods({"shop:1"})
    time.sleep(2)
    assert walkers.images() == {"shop:1"}
    (drift, *_) = walkers.status("shop")["drift"]
    assert drift["live"] == "shop:1"
    assert drift["manager"] == "kubectl-argo-rollouts"


def test_going_back_to_rolling_takes_the_rollout_away_and_keeps_the_pods(walkers: Walkers) -> None:
    walkers.start(TWO_STEPS)
    walkers.deploy("shop", "shop")
    eventually(lambda: walkers.live(ROLLOUTS, "Rollout", "shop") is None, 60, lambda: walkers.status("shop"))
    walkers.until_ready("shop")
    deployment = walkers.live("apps/v1", "Deployment", "shop")
    assert deployment is not None
    assert deployment["status"]["availableReplicas"] == 2


def test_a_rebuilt_cluster_gets_the_promoted_version_first_and_then_walks_the_newest_out(walkers: Walkers) -> None:
    walkers.start(TWO_STEPS)
    walkers.release("2")
    walkers.until_paused(1)
    walkers.delete(API_VERSION, "Application", "shop")
    eventually(lambda: walkers.live(API_VERSION, "Application", "shop") is None)
    for kind, version in (("Rollout", ROLLOUTS), ("Deployment", "apps/v1")):
        walkers.delete(version, kind, "shop")
    eventually(lambda: walkers.images() == set(), 60)

    walkers.deploy("shop", "shop", strategy=TWO_STEPS)
    eventually(lambda: walkers.images() == {"shop:1"}, 60, walkers.images)
    walkers.until_paused(1)
    assert walkers.images() == {"shop:1", "shop:2"}
