"""`dispatch rollout` on the real Argo Rollouts. Dispatch itself is not running here: what it would answer is put in by
hand, so that each verb is seen with an answer, with a refusal and with nobody there.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from signal import SIGINT
from subprocess import PIPE, Popen
from sys import executable
from typing import Any

import pytest
from command_line import Ran, application, dispatch, put
from lone_rollout import until_seen
from persons import bind, install, person, user
from rollout_documents import GIVEN, STEPS
from sandbox_fixtures import fresh_namespace
from team import eventually

from reconciler.adapters.kube.cluster import KubeCluster, connect
from reconciler.core.applyset import PART_OF, applyset_id
from reconciler.core.installation import APPROVER
from reconciler.core.progressive.patches import promote_full_patch
from reconciler.core.progressive.seen import see
from reconciler.core.progressive.template import mark
from reconciler.model.change import Refusal, Resource
from reconciler.model.rollout import CANDIDATE, RolloutSeen
from reconciler.sandbox.platform import Sandbox

_ROLLOUTS = Resource("argoproj.io/v1alpha1", "Rollout", "rollouts", True)
_SETS = Resource("apps/v1", "ReplicaSet", "replicasets", True)
_ACTIONS = Resource("dispatch.dev/v1alpha1", "RolloutAction", "rolloutactions", True)
_PAUSED: list[dict[str, Any]] = [*STEPS[:2], *STEPS[3:4], {"pause": {"duration": "1h"}}]
_GIVEN: list[dict[str, Any]] = [*GIVEN[:2], *GIVEN[3:4], {"pause": {"duration": "1h"}}]


class Canary:
    """An Application `web` in a namespace of its own, whose second version waits at the pause of step 2."""

    def __init__(self, kube: KubeCluster, sandbox: Sandbox) -> None:
        self.kube = kube
        self.sandbox = sandbox
        self.space = fresh_namespace(sandbox)
        self.kubeconfig = sandbox.kubeconfig
        put(kube, [application("web", self.space, strategy={"canary": {"steps": _GIVEN}}), self._version("3")])
        self.until(lambda seen: seen.promoted and seen.phase == "Healthy")
        put(kube, [self._version("4")])
        self.until(lambda seen: seen.pause == "CanaryPauseStep" and seen.step == 1 and self._settled())

    def run(self, verb: str, *words: str | Path) -> Ran:
        return dispatch("rollout", verb, "web", "-n", self.space, "--kubeconfig", self.kubeconfig, *words)

    def seen(self) -> RolloutSeen:
        document = self.kube.read(_ROLLOUTS, self.space, "web")
        assert document is not None
        return see(document)

    def until(self, wanted: Any) -> RolloutSeen:
        return until_seen(self.seen, wanted)

    def _settled(self) -> bool:
        """One pod of four is the new version's, and all are ready."""
        sets = self.kube.listing(_SETS, self.space)
        return sorted((each.get("status") or {}).get("readyReplicas", 0) for each in sets) == [1, 3]

    def patch(self, patch: Any) -> None:
        answer = self.kube.patch(_ROLLOUTS, self.space, "web", patch, "status")
        assert not isinstance(answer, Refusal), answer

    def actions(self) -> list[dict[str, Any]]:
        return list(self.kube.listing(_ACTIONS, self.space))

    def person(self, name: str, folder: Path, *roles: str) -> None:
        """From now on the verbs are run as somebody with these roles."""
        self.kubeconfig = person(self.kube, self.sandbox, self.space, name, folder / name)
        for role in roles:
            bind(self.kube, self.space, name, role)
        with closing(connect(self.kubeconfig)) as theirs:
            eventually(lambda: not roles or theirs.allowed("create", _ACTIONS, self.space))

    @contextmanager
    def answered(self, state: str, message: str) -> Iterator[None]:
        """The next action is answered as Dispatch would."""

        def answer() -> None:
            (action,) = eventually(self.actions)
            status = {"status": {"state": state, "message": message}}
            self.kube.patch(_ACTIONS, self.space, action["metadata"]["name"], status, "status")

        thread = threading.Thread(target=answer)
        thread.start()
        yield
        thread.join()

    def _version(self, number: str) -> dict[str, Any]:
        pod = {"containers": [{"name": "web", "image": f"nginx:1.29.{number}"}]}
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {
                "name": "web",
                "namespace": self.space,
                "labels": {PART_OF: applyset_id("web", self.space)},
                "annotations": {CANDIDATE: mark("0123456789abcdef", number * 40)},
            },
            "spec": {
                "replicas": 4,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
                "strategy": {"canary": {"steps": _PAUSED}},
            },
        }


@pytest.fixture(scope="module")
def installed(platform: Sandbox) -> Iterator[KubeCluster]:
    with closing(connect(platform.kubeconfig)) as kube:
        install(kube)
        yield kube


@pytest.fixture
def canary(installed: KubeCluster, platform: Sandbox) -> Canary:
    return Canary(installed, platform)


def test_status_shows_where_it_is_and_both_versions(canary: Canary) -> None:
    ran = canary.run("status")
    assert (ran.code, ran.err) == (0, "")
    seen = canary.seen()
    (row,) = ran.out.splitlines()[1:2]
    assert re.split(" {2,}", row) == [
        f"{canary.space}/web",
        "Paused",
        "2 of 4: pause until approved",
        "25%",
        "1 of 4, 25%",
        f"{seen.pod_hash}@4444444444",
        seen.stable_hash,
        "nginx:1.29.4",
    ]
    (one,) = json.loads(canary.run("status", "-o", "json").out)["rollouts"]
    assert (one["uid"], one["podHash"], one["step"]) == (seen.uid, seen.pod_hash, 1)
    assert [(each["role"], each["ready"], len(each["pods"])) for each in one["versions"]] == [
        ("new", 1, 1),
        ("stable", 3, 3),
    ]


def test_promote_asks_for_this_version_at_this_step_and_tells_the_answer(canary: Canary) -> None:
    seen = canary.seen()
    with canary.answered("Done", "it goes on"):
        ran = canary.run("promote", "--reason", "looks good")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f"asked as sandbox-administrator: promote version {seen.pod_hash} of Rollout {canary.space}/web at step 2 of 4",
        "done: it goes on",
    ]
    (action,) = canary.actions()
    assert action["spec"] == {
        "application": "web",
        "action": "Promote",
        "rollout": "web",
        "uid": seen.uid,
        "podHash": seen.pod_hash,
        "step": 1,
        "by": "sandbox-administrator",
        "reason": "looks good",
    }
    assert canary.seen().step == 1, "the command itself releases nothing"


def test_a_wish_that_waits_for_the_end_of_a_freeze_is_told_and_is_no_failure(canary: Canary) -> None:
    with canary.answered("Pending", "freeze: frozen until 14:00 (a sale)"):
        ran = canary.run("promote")
    assert (ran.code, ran.err) == (0, "")
    last = ran.out.splitlines()[-1]
    assert last.startswith("waits: freeze: frozen until 14:00 (a sale). It is carried out then")


def test_a_refusal_is_told_and_is_exit_code_1(canary: Canary) -> None:
    with canary.answered("Refused", "the step has moved on"):
        ran = canary.run("promote", "--full")
    assert ran.code == 1
    assert ran.err == "refused: the step has moved on\n"


def test_without_dispatch_the_wish_stays_and_the_command_says_so(canary: Canary) -> None:
    ran = canary.run("promote", "--timeout", "1s")
    assert ran.code == 1
    assert "Dispatch has not answered within 1 s: is `dispatch run` running" in ran.err
    assert len(canary.actions()) == 1


def test_what_cannot_be_asked_is_refused_at_once_and_nothing_is_written(canary: Canary) -> None:
    assert canary.run("retry").code == 1
    ran = canary.run("promote", "--rollout", "wbe")
    assert (ran.code, ran.err) == (1, f"Application {canary.space}/web has no Rollout 'wbe': it has web\n")
    canary.patch(promote_full_patch(canary.seen()))
    seen = canary.until(lambda seen: seen.promoted and seen.phase == "Healthy")
    for verb in ("promote", "abort"):
        ran = canary.run(verb)
        assert (ran.code, ran.out) == (1, "")
        assert f"version {seen.pod_hash} of Rollout {canary.space}/web is promoted already" in ran.err
    assert canary.actions() == []


def test_an_application_without_a_rollout_says_so(canary: Canary) -> None:
    put(canary.kube, [application("plain", canary.space)])
    for verb in ("promote", "abort", "retry", "watch"):
        ran = dispatch("rollout", verb, "plain", "-n", canary.space, "--kubeconfig", canary.kubeconfig)
        assert ran.code == 1, verb
        assert f"Application {canary.space}/plain has no Rollout" in ran.err


def test_a_bad_version_is_aborted_while_dispatch_is_down_by_who_has_the_right(canary: Canary) -> None:
    before = canary.seen()
    ran = canary.run("abort", "--reason", "login is broken", "--timeout", "1s")
    assert ran.code == 0
    assert f"goes back to version {before.stable_hash} (by your own right to its status)" in ran.out
    assert "Dispatch has not recorded it yet" in ran.err
    after = canary.until(lambda seen: seen.aborted)
    assert after.pod_hash == before.pod_hash
    (action,) = canary.actions()
    assert (action["spec"]["action"], action["spec"]["podHash"]) == ("Abort", before.pod_hash)
    assert "was aborted" in canary.run("abort").err
    assert "Aborted" in canary.run("status").out
    canary.kube.delete([(_ACTIONS, canary.space, action["metadata"]["name"], action["metadata"]["uid"])])
    with canary.answered("Done", "it starts again"):
        assert canary.run("retry").code == 0


def test_an_approver_asks_dispatch_to_abort_and_cannot_do_it_alone(canary: Canary, tmp_path: Path) -> None:
    canary.person("ada", tmp_path, APPROVER)
    ran = canary.run("abort", "--timeout", "1s")
    assert ran.code == 1
    assert f"asked as {user(canary.space, 'ada')}: abort version" in ran.out
    assert "you may not patch the status" in ran.err
    assert not canary.seen().aborted
    (action,) = canary.actions()
    assert action["spec"]["by"] == user(canary.space, "ada")


def test_an_approver_sees_all_of_it_with_that_role_alone(canary: Canary, tmp_path: Path) -> None:
    canary.person("ada", tmp_path, APPROVER)
    ran = canary.run("status")
    assert (ran.code, ran.err) == (0, "")
    assert "2 of 4: pause until approved" in ran.out
    with canary.answered("Done", "it goes on"):
        assert canary.run("promote").out.startswith(f"asked as {user(canary.space, 'ada')}: promote")


def test_who_may_see_but_not_approve_is_told_which_right_is_missing(canary: Canary, tmp_path: Path) -> None:
    canary.person("bob", tmp_path)
    ran = canary.run("status")
    assert ran.code == 2
    seeing = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "sees-rollouts"},
        "rules": [
            {"apiGroups": ["dispatch.dev"], "resources": ["applications"], "verbs": ["get"]},
            {"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["get", "list"]},
        ],
    }
    put(canary.kube, [seeing])
    bind(canary.kube, canary.space, "bob", "sees-rollouts")
    eventually(lambda: canary.run("status").code == 0)
    shown = canary.run("status")
    assert "not shown: " in shown.err
    assert "pods" in shown.err
    ran = canary.run("promote")
    assert ran.code == 2
    assert f'User "{user(canary.space, "bob")}" cannot create resource "rolloutactions"' in ran.err
    assert "a RoleBinding to the ClusterRole dispatch-approver gives it" in ran.err
    ran = canary.run("abort")
    assert ran.code == 1
    assert "Dispatch could not be asked" in ran.err


@contextmanager
def watching(canary: Canary) -> Iterator[Popen[str]]:
    command = [str(Path(executable).parent / "dispatch"), "rollout", "watch", "web", "-n", canary.space]
    with Popen([*command, "--kubeconfig", str(canary.kubeconfig)], stdout=PIPE, stderr=PIPE, text=True) as watch:
        try:
            yield watch
        finally:
            watch.kill()


def test_watch_in_a_pipe_tells_each_change_and_ends_with_the_promotion(canary: Canary) -> None:
    with watching(canary) as watch:
        assert watch.stdout is not None
        first = watch.stdout.readline()
        assert "Paused, step 2 of 4 (pause until approved), weight 25%" in first
        canary.patch(promote_full_patch(canary.seen()))
        rest = watch.communicate(timeout=60)[0].splitlines()
    assert watch.returncode == 0
    assert "Healthy" in rest[-1]
    assert len(rest) == len(set(rest))


def test_watch_ends_with_1_when_it_is_aborted(canary: Canary) -> None:
    with watching(canary) as watch:
        assert watch.stdout is not None
        watch.stdout.readline()
        canary.run("abort", "--timeout", "1s")
        rest = watch.communicate(timeout=60)[0]
    assert watch.returncode == 1
    assert "Aborted, weight 0%" in rest.splitlines()[-1]


def test_watch_is_ended_by_ctrl_c(canary: Canary) -> None:
    with watching(canary) as watch:
        assert watch.stdout is not None
        watch.stdout.readline()
        watch.send_signal(SIGINT)
        assert watch.communicate(timeout=10)[1] == ""
    assert watch.returncode == 130
