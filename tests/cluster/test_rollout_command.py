"""`dispatch rollout` with a Dispatch that runs: what a person asks is carried out, and told."""

from __future__ import annotations

import time
from pathlib import Path
from subprocess import PIPE, Popen
from sys import executable

import pytest
from command_line import Ran, dispatch
from team import eventually
from walking import Walkers

from reconciler.sandbox.platform import Sandbox

GATED = {
    "canary": {
        "steps": [
            {"weight": 50},
            {"pause": {}},
            {"gate": {"approval": True, "interval": "1s"}},
            {"weight": 80},
            {"pause": {}},
        ],
        "onFailure": "Revert",
    }
}


class Person:
    """Somebody at the command line, with an administrator's rights."""

    def __init__(self, walkers: Walkers, sandbox: Sandbox) -> None:
        self._words = ("shop", "-n", walkers.namespace, "--kubeconfig", str(sandbox.kubeconfig))

    def run(self, verb: str, *words: str) -> Ran:
        return dispatch("rollout", verb, *self._words, *words)

    def watches(self) -> Popen[str]:
        command = [str(Path(executable).parent / "dispatch"), "rollout", "watch", *self._words]
        return Popen(command, stdout=PIPE, stderr=PIPE, text=True)


@pytest.fixture
def person(walkers: Walkers, harbour: Sandbox) -> Person:
    return Person(walkers, harbour)


def test_a_version_is_promoted_step_by_step_from_the_command_line(walkers: Walkers, person: Person) -> None:
    walkers.start(GATED)
    second = walkers.release("2")
    walkers.until_paused(1)
    with person.watches() as watch:
        assert watch.stdout is not None
        assert "Paused, step 2 of 5 (pause until approved), weight 50%" in watch.stdout.readline()
        first = person.run("promote", "--reason", "looks good")
        assert (first.code, first.err) == (0, "")
        assert "promote version" in first.out
        assert "done: " in first.out
        eventually(lambda: "3 of 5: gate: approval" in person.run("status").out)
        gate = person.run("promote")
        assert (gate.code, gate.err) == (0, "")
        walkers.until_paused(4)
        shown = eventually(lambda: "Dispatch: hold" in (out := person.run("status").out) and out)
        assert "5 of 5: pause until approved" in shown
        assert f"@{second[:10]}" in shown
        assert person.run("promote").code == 0
        walkers.until_stable("shop:2")
        told = watch.communicate(timeout=60)[0]
    assert watch.returncode == 0
    assert "step 3 of 5 (gate: approval)" in told
    assert "Healthy" in told.splitlines()[-1]


def test_all_that_is_left_is_skipped_with_full(walkers: Walkers, person: Person) -> None:
    walkers.start(GATED)
    walkers.release("2")
    walkers.until_paused(1)
    assert person.run("promote", "--full").code == 0
    walkers.until_stable("shop:2")


def test_an_abort_is_recorded_with_who_asked_and_a_retry_lifts_it(walkers: Walkers, person: Person) -> None:
    walkers.start({"canary": {**GATED["canary"], "onFailure": "Hold"}})
    walkers.release("2")
    walkers.until_paused(1)
    ran = person.run("abort", "--reason", "login is broken")
    assert (ran.code, ran.err) == (0, "")
    veto = eventually(lambda: walkers.ledger().vetoes)[0]
    assert veto.by == "sandbox-administrator"
    assert "veto: " in eventually(lambda: "veto" in (out := person.run("status").out) and out)
    again = person.run("retry")
    assert (again.code, again.err) == (0, "")
    walkers.until_paused(1)
    eventually(lambda: walkers.ledger().vetoes == ())


def test_a_veto_is_lifted_by_a_retry_after_git_went_back(walkers: Walkers, person: Person) -> None:
    walkers.start({"canary": {**GATED["canary"], "onFailure": "Revert"}})
    walkers.release("2")
    walkers.until_paused(1)
    assert person.run("abort").code == 0
    eventually(lambda: "shop:1" in walkers.head("shop/deployment.yaml"))
    walkers.until_stable("shop:1")
    ran = person.run("retry", "--reason", "the database was down")
    assert (ran.code, ran.err) == (0, "")
    assert "done: the vetoes are lifted" in ran.out
    assert walkers.ledger().vetoes == ()
    assert "is lifted by sandbox-administrator" in "\n".join(message for _, message in walkers.results())
    walkers.follow_main()
    walkers.release("2", settings="2")
    walkers.until_paused(1)
    assert person.run("retry").code == 1


def test_a_version_that_comes_again_is_approved_again(walkers: Walkers, person: Person) -> None:
    """Its pods have the same hash, and its gates the same steps: an approval of the last time must not count."""
    walkers.start({"canary": {"steps": [{"weight": 50}, {"gate": {"approval": True, "interval": "1s"}}]}})
    for version in ("2", "3"):
        walkers.release(version)
        eventually(lambda: "2 of 2: gate: approval" in person.run("status").out)
        assert person.run("promote").code == 0
        walkers.until_stable(f"shop:{version}")
    walkers.release("2")
    eventually(lambda: "2 of 2: gate: approval" in person.run("status").out)
    time.sleep(5)
    assert "2 of 2: gate: approval" in person.run("status").out
    assert walkers.images() == {"shop:2", "shop:3"}
    assert person.run("promote").code == 0
    walkers.until_stable("shop:2")
