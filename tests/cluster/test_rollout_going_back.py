"""The ways back, and versions that are slow, on the real controller: what Dispatch then decides."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from controller_fixtures import open_cluster
from lone_rollout import STEPS, Walk, decided, rollout, wish
from sandbox_fixtures import fresh_namespace
from somebody import Somebody

from reconciler.adapters.kube import KubeCluster
from reconciler.core.progressive.patches import abort_patch, release_patch
from reconciler.model.change import Refusal
from reconciler.model.rollout import Limits, RolloutSeen, Verb, Wish
from reconciler.sandbox.platform import Sandbox

PATIENT = Limits(settle=60)


@pytest.fixture(scope="module")
def kube(platform: Sandbox) -> Iterator[KubeCluster]:
    opened = open_cluster(platform)
    yield opened
    opened.close()


@pytest.fixture
def walk(platform: Sandbox, kube: KubeCluster) -> Walk:
    return Walk(kube, Somebody(platform), fresh_namespace(platform))


def slow(version: str, delay: str, **spec: Any) -> dict[str, Any]:
    """A version whose pods become ready after a time."""
    document = rollout(version, STEPS, 1)
    annotations = {"dispatch.dev/sandbox-pod": "slow", "dispatch.dev/sandbox-delay": delay}
    document["spec"]["template"]["metadata"]["annotations"] = annotations
    document["spec"] |= spec
    return document


def healthy(seen: RolloutSeen) -> bool:
    return seen.promoted and seen.phase == "Healthy"


def test_a_revert_in_the_middle_is_the_stable_version_again_at_once(walk: Walk) -> None:
    stable = walk.starts(STEPS)
    walk.brings("2", STEPS)
    paused = walk.until_paused("CanaryPauseStep", 1)
    walk.brings("1", STEPS)
    back = walk.until(lambda seen: seen.pod_hash == stable.pod_hash and healthy(seen))
    assert decided(back, wish(paused, Wish.PROMOTE), wish(paused, Wish.ABORT)).verb is Verb.PROMOTED
    assert isinstance(walk.patch(release_patch(paused)), Refusal)


def test_a_revert_of_an_aborted_version_ends_the_abort(walk: Walk) -> None:
    stable = walk.starts(STEPS)
    walk.brings("2", STEPS)
    walk.patch(abort_patch(walk.until_paused("CanaryPauseStep", 1)))
    assert decided(walk.until(lambda seen: seen.aborted)).verb is Verb.FAILED
    walk.brings("1", STEPS)
    back = walk.until(lambda seen: seen.pod_hash == stable.pod_hash and healthy(seen))
    assert (back.aborted, decided(back).verb) == (False, Verb.PROMOTED)


def test_an_abort_on_the_way_back_within_the_rollback_window_is_dropped_and_not_taken_for_done(walk: Walk) -> None:
    window = {"rollbackWindow": {"revisions": 3}}
    first = slow("1", "5s", **window)
    walk.put(first)
    before = walk.until(healthy)
    newer = rollout("2", STEPS, 1)
    newer["spec"] |= window
    walk.put(newer)
    for step in (1, 2, 4):
        walk.patch(release_patch(walk.until_paused("CanaryPauseStep", step)))
    walk.until(lambda seen: seen.pod_hash != before.pod_hash and healthy(seen))
    walk.put(first)
    back = walk.until(lambda seen: seen.pod_hash == before.pod_hash and not seen.promoted)
    assert decided(back, wish(back, Wish.ABORT)).verb is Verb.ABORT
    walk.patch(abort_patch(back))
    seen = walk.until(lambda seen: not seen.aborted)
    assert decided(seen).verb in (Verb.WAIT, Verb.PROMOTED)
    assert decided(walk.until(healthy)).verb is Verb.PROMOTED


def test_a_version_that_recovers_after_its_deadline_is_not_aborted(walk: Walk) -> None:
    walk.starts(STEPS, replicas=1)
    walk.put(slow("2", "8s", progressDeadlineSeconds=3))
    stuck = walk.until(lambda seen: seen.stuck_since is not None)
    decision = decided(stuck, limits=PATIENT)
    assert (decision.verb, decision.again is not None) == (Verb.WAIT, True)
    paused = walk.until_paused("CanaryPauseStep", 1)
    assert (paused.stuck_since, decided(paused, limits=PATIENT).verb) == (None, Verb.HOLD)


def test_a_version_that_does_not_is_aborted_once_and_stays_so(walk: Walk) -> None:
    stable = walk.starts(STEPS, replicas=1)
    walk.put(slow("2", "300s", progressDeadlineSeconds=2))
    stuck = walk.until(lambda seen: seen.stuck_since is not None)
    decision = decided(stuck, limits=Limits(settle=0))
    assert (decision.verb, "ProgressDeadlineExceeded" in decision.why) == (Verb.ABORT, True)
    walk.patch(abort_patch(stuck))
    aborted = walk.until(lambda seen: seen.aborted)
    time.sleep(3)
    assert decided(walk.seen()).verb is Verb.FAILED
    assert aborted.stable_hash == stable.pod_hash
