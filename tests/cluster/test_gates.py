"""The gates as Argo Rollouts asks them: written by the strategy, answered by Dispatch's own server and rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from command_line import put
from kind_cases import rollout_action
from lone_rollout import until_seen
from persons import install
from sandbox_fixtures import fresh_namespace

from reconciler.adapters.kube.cluster import KubeCluster, connect
from reconciler.core.progressive.gates import verdict
from reconciler.core.progressive.seen import see
from reconciler.model.change import Refusal, Resource
from reconciler.model.rollout import RolloutSeen, Verdict, Wish
from reconciler.model.rollout_action import asked
from reconciler.model.strategy import Canary, CanaryStep, Gate
from reconciler.ports import Making
from reconciler.sandbox.platform import Sandbox
from reconciler.web.server import Gatehouse
from strategies.rollout import canary

_ROLLOUTS = Resource("argoproj.io/v1alpha1", "Rollout", "rollouts", True)
_RUNS = Resource("argoproj.io/v1alpha1", "AnalysisRun", "analysisruns", True)
_ACTIONS = Resource("dispatch.dev/v1alpha1", "RolloutAction", "rolloutactions", True)
_GATE = Gate(approval=True, interval=1.0)
_STEPS = Canary(steps=(CanaryStep(weight=50), CanaryStep(gate=_GATE), CanaryStep(weight=75), CanaryStep(gate=_GATE)))


class Gated:
    """A Rollout `web` with a gate at steps 1 and 3 (from 0), and a Dispatch that only answers gates."""

    def __init__(self, kube: KubeCluster, sandbox: Sandbox) -> None:
        self.kube = kube
        self.space = fresh_namespace(sandbox)
        self.asked: list[tuple[str, int]] = []
        self._house = Gatehouse("127.0.0.1:0")
        self._house.start(self._answer, lambda: True)
        self._address = self._house.address
        self._written = canary.write(_STEPS, Making(self.space, "web", f"{self._house.url}/gates"))
        put(kube, self._written.objects)
        put(kube, [self._version("1")])
        self.until(lambda seen: seen.promoted and seen.phase == "Healthy")

    def close(self) -> None:
        assert self._house.stop()

    def revive(self) -> None:
        self._house = Gatehouse(self._address)
        self._house.start(self._answer, lambda: True)

    def brings(self, number: str) -> RolloutSeen:
        """The next version, at its first gate."""
        before = self.seen().pod_hash
        put(self.kube, [self._version(number)])
        return self.until(lambda seen: seen.step == 1 and seen.pod_hash != before and self.measured(seen))

    def ask(self, wish: Wish, seen: RolloutSeen, step: int | None = None) -> None:
        document = rollout_action()
        document["metadata"] = {"name": f"{wish.lower()}-{seen.pod_hash}-{step or 0}"}
        document["spec"] |= {"action": str(wish), "uid": seen.uid, "podHash": seen.pod_hash}
        document["spec"] |= {"by": "sandbox-administrator", "step": step}
        answer = self.kube.create(_ACTIONS, self.space, document)
        assert not isinstance(answer, Refusal), answer

    def seen(self) -> RolloutSeen:
        document = self.kube.read(_ROLLOUTS, self.space, "web")
        assert document is not None
        return see(document)

    def until(self, wanted: Any) -> RolloutSeen:
        return until_seen(self.seen, wanted)

    def measured(self, seen: RolloutSeen) -> dict[str, Any]:
        """The gate's metric in the run of the current step; empty before its first measurement."""
        selector = f"rollouts-pod-template-hash={seen.pod_hash},step-index={seen.step}"
        for run in self.kube.listing(_RUNS, self.space, selector):
            for result in (run.get("status") or {}).get("metricResults") or ():
                found: dict[str, Any] = result
                return found
        return {}

    def _answer(self, namespace: str, rollout: str, pod_hash: str, step: int) -> tuple[Verdict, str]:
        """What the engine does, from reads instead of watches."""
        self.asked.append((pod_hash, step))
        document = self.kube.read(_ROLLOUTS, namespace, rollout)
        wishes = [asked(each) for each in self.kube.listing(_ACTIONS, namespace)]
        gate = _STEPS.steps[step].gate
        return verdict(gate, see(document) if document else None, pod_hash, step, wishes, {}, datetime.now(UTC))

    def _version(self, number: str) -> dict[str, Any]:
        pod = {"containers": [{"name": "web", "image": f"nginx:{number}"}]}
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": "web", "namespace": self.space},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
                "strategy": dict(self._written.strategy),
            },
        }


@pytest.fixture(scope="module")
def installed(platform: Sandbox) -> Iterator[KubeCluster]:
    with closing(connect(platform.kubeconfig)) as kube:
        install(kube)
        yield kube


@pytest.fixture
def gated(installed: KubeCluster, platform: Sandbox) -> Iterator[Gated]:
    made = Gated(installed, platform)
    yield made
    made.close()


def test_each_gate_holds_until_it_is_approved_by_itself(gated: Gated) -> None:
    seen = gated.brings("2")
    assert gated.measured(seen)["inconclusive"] >= 1
    assert set(gated.asked) == {(seen.pod_hash, 1)}
    gated.ask(Wish.PROMOTE, seen, step=1)
    seen = gated.until(lambda now: now.step == 3 and gated.measured(now).get("inconclusive", 0) >= 2)
    assert (seen.aborted, seen.promoted) == (False, False)
    gated.ask(Wish.PROMOTE, seen, step=3)
    gated.until(lambda now: now.promoted and now.phase == "Healthy")


def test_an_approval_of_one_version_does_not_let_the_next_one_pass(gated: Gated) -> None:
    first = gated.brings("2")
    gated.ask(Wish.PROMOTE, first, step=3)
    second = gated.brings("3")
    assert second.pod_hash != first.pod_hash
    gated.ask(Wish.PROMOTE, first, step=1)
    waits = gated.until(lambda now: gated.measured(now).get("inconclusive", 0) >= 4)
    assert (waits.step, waits.pod_hash) == (1, second.pod_hash)


def test_a_dead_dispatch_holds_and_is_neither_a_pass_nor_a_fail(gated: Gated) -> None:
    seen = gated.brings("2")
    gated.close()
    gated.ask(Wish.PROMOTE, seen, step=1)
    held = gated.until(lambda now: gated.measured(now).get("error", 0) >= 6)
    assert (held.step, held.aborted) == (1, False), "five errors in a row would abort an analysis of the usual kind"
    gated.revive()
    gated.until(lambda now: now.step == 3)


def test_who_asks_to_abort_fails_the_gate_which_aborts_the_version(gated: Gated) -> None:
    seen = gated.brings("2")
    gated.ask(Wish.ABORT, seen)
    after = gated.until(lambda now: now.aborted)
    assert (after.pod_hash, after.promoted) == (seen.pod_hash, False)
