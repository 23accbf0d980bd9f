"""What is seen, decided and written, on the real controller: exactly what was judged happens, and nothing twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from controller_fixtures import open_cluster
from lone_rollout import JUDGED, STEPS, SWITCH, Gate, Walk, decided, service, serving, wish
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.core.progressive.outdated import outdated
from reconciler.core.progressive.patches import abort_patch, promote_full_patch, release_patch, retry_patch
from reconciler.core.progressive.seen import see
from reconciler.model.change import Refusal
from reconciler.model.rollout import Verb, Wish
from reconciler.sandbox.platform import Part, Sandbox

STEP, INCONCLUSIVE, BLUE_GREEN = "CanaryPauseStep", "InconclusiveAnalysisRun", "BlueGreenPause"


@pytest.fixture(scope="module")
def kube(platform: Sandbox) -> Iterator[KubeCluster]:
    opened = open_cluster(platform)
    yield opened
    opened.close()


@pytest.fixture
def walk(platform: Sandbox, kube: KubeCluster) -> Walk:
    return Walk(kube, Somebody(platform), fresh_namespace(platform))


@pytest.fixture
def gate() -> Iterator[Gate]:
    with serving() as found:
        yield found


def refused(answer: object) -> bool:
    return isinstance(answer, Refusal) and answer.code == 422


def test_a_release_ends_one_pause_and_a_second_of_the_same_is_refused(walk: Walk) -> None:
    walk.starts(STEPS)
    walk.brings("2", STEPS)
    paused = walk.until_paused(STEP, 1)
    promote = wish(paused, Wish.PROMOTE)
    assert decided(paused).verb is Verb.HOLD
    decision = decided(paused, promote)
    assert (decision.verb, decision.because_of) == (Verb.RELEASE, ("asked",))
    assert not isinstance(walk.patch(release_patch(paused)), Refusal)
    assert decided(walk.seen(), promote).verb is not Verb.RELEASE
    assert refused(walk.patch(release_patch(paused)))
    after = walk.until_paused(STEP, 2)
    assert refused(walk.patch(release_patch(paused)))
    assert decided(after, promote).verb is Verb.HOLD
    assert "the step has moved on" in (outdated(after, promote) or "")
    time.sleep(1)
    assert walk.seen().step == 2


def test_of_racing_promotes_one_wins_and_the_step_moves_by_one(walk: Walk) -> None:
    walk.starts(STEPS)
    walk.brings("2", STEPS)
    patch = release_patch(walk.until_paused(STEP, 1))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(walk.patch, [patch] * 8))
    assert [refused(answer) for answer in answers].count(False) == 1
    walk.until_paused(STEP, 2)
    time.sleep(1)
    assert walk.seen().step == 2


def test_a_promote_by_kubectl_at_the_same_time_is_the_same_promote(walk: Walk) -> None:
    walk.starts(STEPS)
    walk.brings("2", STEPS)
    paused = walk.until_paused(STEP, 1)
    walk.somebody_patches({"status": {"pauseConditions": None}})
    assert refused(walk.patch(release_patch(paused)))
    walk.until_paused(STEP, 2)


def test_a_promote_that_comes_while_nothing_is_paused_is_refused(walk: Walk, gate: Gate) -> None:
    """The patch of kubectl would skip the analysis that runs."""
    walk.starts(JUDGED, gate.template())
    walk.brings("2", JUDGED)
    judged = walk.until(lambda seen: seen.analyses and seen.analyses[0].status == "Running")
    assert decided(judged, wish(judged, Wish.PROMOTE)).verb is Verb.WAIT
    with pytest.raises(ValueError, match="not paused"):
        release_patch(judged)
    gate.verdict = "pass"
    paused = walk.until_paused(STEP, 2)
    assert not isinstance(walk.patch(release_patch(paused)), Refusal)
    walk.until(lambda seen: seen.promoted)
    assert refused(walk.patch(release_patch(paused)))


def test_a_full_promotion_and_an_abort_are_refused_once_another_version_has_come(walk: Walk) -> None:
    walk.starts(STEPS)
    walk.brings("2", STEPS)
    paused = walk.until_paused(STEP, 1)
    walk.brings("3", STEPS)
    newer = walk.until(lambda seen: seen.pod_hash != paused.pod_hash and seen.pause)
    for patch in (promote_full_patch, release_patch, abort_patch):
        assert refused(walk.patch(patch(paused)))
    assert "the version has moved on" in (outdated(newer, wish(paused, Wish.PROMOTE_FULL)) or "")
    assert decided(newer, wish(newer, Wish.PROMOTE_FULL)).verb is Verb.PROMOTE_FULL
    assert not isinstance(walk.patch(promote_full_patch(newer)), Refusal)
    done = walk.until(lambda seen: seen.promoted and seen.phase == "Healthy")
    assert (done.pod_hash, decided(done).verb) == (newer.pod_hash, Verb.PROMOTED)


def test_an_abort_beats_an_earlier_full_promotion(platform: Sandbox, walk: Walk) -> None:
    stable = walk.starts(STEPS)
    walk.brings("2", STEPS)
    paused = walk.until_paused(STEP, 1)
    platform.pause(Part.ROLLOUTS)
    try:
        assert not isinstance(walk.patch(promote_full_patch(paused)), Refusal)
        promoting = walk.seen()
        assert decided(promoting, wish(promoting, Wish.ABORT)).verb is Verb.ABORT
        assert not isinstance(walk.patch(abort_patch(promoting)), Refusal)
        # The abort is not taken for carried out before the controller says so: it drops some.
        assert (walk.seen().observed, decided(walk.seen()).verb) == (False, Verb.WAIT)
    finally:
        platform.resume(Part.ROLLOUTS)
    aborted = walk.until(lambda seen: seen.aborted)
    assert decided(aborted).verb is Verb.FAILED
    assert (aborted.stable_hash, aborted.promote_full) == (stable.pod_hash, False)


def test_an_abort_as_kubectl_writes_it_loses_to_a_full_promotion(platform: Sandbox, walk: Walk) -> None:
    """Why ours takes the full promotion back."""
    walk.starts(STEPS)
    walk.brings("2", STEPS)
    paused = walk.until_paused(STEP, 1)
    platform.pause(Part.ROLLOUTS)
    try:
        walk.somebody_patches({"status": {"promoteFull": True}})
        walk.somebody_patches({"status": {"abort": True}})
    finally:
        platform.resume(Part.ROLLOUTS)
    done = walk.until(lambda seen: seen.promoted and seen.phase == "Healthy")
    assert (done.pod_hash, decided(done).verb) == (paused.pod_hash, Verb.PROMOTED)


def test_a_retry_starts_at_the_first_step_and_what_was_asked_before_does_not_count(walk: Walk) -> None:
    walk.starts(STEPS)
    walk.brings("2", STEPS)
    paused = walk.until_paused(STEP, 1)
    promote, abort = wish(paused, Wish.PROMOTE), wish(paused, Wish.ABORT)
    assert decided(paused, promote, abort).verb is Verb.ABORT
    walk.patch(abort_patch(paused))
    aborted = walk.until(lambda seen: seen.aborted)
    assert decided(aborted, promote).verb is Verb.FAILED
    assert "aborted already" in (outdated(aborted, abort) or "")
    time.sleep(1.1)  # Times of the API are whole seconds.
    assert decided(aborted, wish(aborted, Wish.RETRY)).verb is Verb.RETRY
    assert not isinstance(walk.patch(retry_patch(aborted)), Refusal)
    again = walk.until_paused(STEP, 1)
    assert refused(walk.patch(retry_patch(aborted)))
    assert again.pod_hash == paused.pod_hash
    assert decided(again, promote).verb is Verb.HOLD
    assert "before the pause" in (outdated(again, promote) or "")


def test_the_switch_of_a_blue_green_is_released_once(walk: Walk) -> None:
    walk.starts(SWITCH, service("active"), service("preview"))
    walk.brings("2", SWITCH)
    paused = walk.until_paused(BLUE_GREEN, None)
    assert decided(paused).verb is Verb.HOLD
    assert decided(paused, wish(paused, Wish.PROMOTE)).verb is Verb.RELEASE
    assert not isinstance(walk.patch(release_patch(paused)), Refusal)
    assert refused(walk.patch(release_patch(paused)))
    done = walk.until(lambda seen: seen.promoted and seen.phase == "Healthy")
    assert (done.pod_hash, decided(done).verb) == (paused.pod_hash, Verb.PROMOTED)
    selector = walk.live("Service", "active", "v1")["spec"]["selector"]
    assert selector["rollouts-pod-template-hash"] == paused.pod_hash


def test_a_blue_green_goes_back_when_it_is_aborted_before_the_switch(walk: Walk) -> None:
    stable = walk.starts(SWITCH, service("active"), service("preview"))
    walk.brings("2", SWITCH)
    walk.patch(abort_patch(walk.until_paused(BLUE_GREEN, None)))
    aborted = walk.until(lambda seen: seen.aborted)
    assert (decided(aborted).verb, aborted.stable_hash) == (Verb.FAILED, stable.pod_hash)
    selector = walk.live("Service", "active", "v1")["spec"]["selector"]
    assert selector["rollouts-pod-template-hash"] == stable.pod_hash


def test_an_inconclusive_step_is_left_behind_and_the_next_pause_holds(walk: Walk, gate: Gate) -> None:
    walk.starts(JUDGED, gate.template(patient=False))
    walk.brings("2", JUDGED)
    paused = walk.until_paused(INCONCLUSIVE, 1)
    assert decided(paused).verb is Verb.HOLD
    assert decided(paused, wish(paused, Wish.PROMOTE)).verb is Verb.RELEASE
    assert not isinstance(walk.patch(release_patch(paused)), Refusal)
    assert refused(walk.patch(release_patch(paused)))
    held = walk.until_paused(STEP, 2)
    time.sleep(1)
    assert (walk.seen().step, decided(held).verb) == (2, Verb.HOLD)


def test_an_inconclusive_analysis_before_a_switch_is_asked_again(walk: Walk, gate: Gate) -> None:
    judged = {"prePromotionAnalysis": {"templates": [{"templateName": "gate"}]}}
    strategy = {"blueGreen": {**SWITCH["blueGreen"], **judged}}
    walk.starts(strategy, gate.template(patient=False), service("active"), service("preview"))
    walk.brings("2", strategy)
    paused = walk.until_paused(INCONCLUSIVE, None)
    assert "has it asked again" in decided(paused).why
    gate.verdict = "pass"
    assert not isinstance(walk.patch(release_patch(paused)), Refusal)
    held = walk.until_paused(BLUE_GREEN, None)
    assert [run.status for run in held.analyses] == ["Successful"]


def test_an_analysis_that_somebody_ends_passes_the_step_and_is_aborted_for(walk: Walk, gate: Gate) -> None:
    """Argo Rollouts takes it for a success, and has forgotten it with the step."""
    walk.starts(JUDGED, gate.template())
    walk.brings("2", JUDGED)
    judged = walk.until(lambda seen: seen.analyses and seen.analyses[0].status == "Running")
    walk.somebody_patches({"spec": {"terminate": True}}, "AnalysisRun", judged.analyses[0].name)
    passed = walk.until_paused(STEP, 2)
    assert not (walk.live()["status"]["canary"] or {})
    decision = decided(passed, wish(passed, Wish.PROMOTE))
    assert decision.verb is Verb.ABORT
    assert judged.analyses[0].name in decision.why
    walk.patch(abort_patch(passed))
    aborted = walk.until(lambda seen: seen.aborted)
    assert decided(aborted).verb is Verb.FAILED
    walk.patch(retry_patch(aborted))
    again = walk.until(lambda seen: seen.analyses and seen.analyses[0].status == "Running")
    assert decided(again).verb is Verb.WAIT
    gate.verdict = "pass"
    assert decided(walk.until_paused(STEP, 2)).verb is Verb.HOLD


def test_an_analysis_that_the_controller_ends_is_nothing_to_abort_for(walk: Walk, gate: Gate) -> None:
    walk.starts(JUDGED, gate.template())
    walk.brings("2", JUDGED)
    judged = walk.until(lambda seen: seen.analyses and seen.analyses[0].status == "Running")
    walk.somebody_patches({"status": {"currentStepIndex": 2}})
    eventually(lambda: walk.live("AnalysisRun", judged.analyses[0].name)["spec"].get("terminate"))
    assert decided(walk.until_paused(STEP, 2)).verb is Verb.HOLD


def test_a_template_that_its_controller_has_not_seen_is_waited_for(platform: Sandbox, walk: Walk) -> None:
    workload = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"replicas": 2, "workloadRef": workload, "strategy": STEPS}

    def deployment(version: str) -> dict[str, object]:
        pod = {"containers": [{"name": "web", "image": f"nginx:{version}"}]}
        template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
        own = {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": own}

    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"}}
    walk.put(deployment("1"), {**head, "spec": spec})
    first = walk.until(lambda seen: seen.promoted and seen.phase == "Healthy")
    platform.pause(Part.ROLLOUTS)
    try:
        walk.put(deployment("2"))
        seen = see(walk.live(), workload=walk.live("Deployment", version="apps/v1"))
        assert (walk.seen().promoted, seen.observed, decided(seen).verb) == (True, False, Verb.WAIT)
    finally:
        platform.resume(Part.ROLLOUTS)
    paused = walk.until_paused(STEP, 1)
    assert paused.pod_hash != first.pod_hash
    assert see(walk.live(), workload=walk.live("Deployment", version="apps/v1")).observed


def test_a_dead_controller_is_called_silent_and_nothing_is_written_for_it(platform: Sandbox, walk: Walk) -> None:
    walk.starts(STEPS)
    walk.brings("2", STEPS)
    paused = walk.until_paused(STEP, 1)
    platform.kill(Part.ROLLOUTS)
    try:
        assert not isinstance(walk.patch(release_patch(paused)), Refusal)
        seen = walk.seen()
        wishes = [wish(paused, kind) for kind in Wish]
        soon = decided(seen, *wishes)
        assert (soon.verb, soon.again is not None) == (Verb.WAIT, True)
        late = decided(seen, *wishes, now=datetime.now(UTC) + timedelta(seconds=61))
        assert (late.verb, late.because_of) == (Verb.WAIT, ())
        assert "Argo Rollouts is silent" in late.why
        assert refused(walk.patch(release_patch(paused)))
    finally:
        platform.restart(Part.ROLLOUTS)
    walk.until_paused(STEP, 2)
    time.sleep(1)
    assert walk.seen().step == 2
