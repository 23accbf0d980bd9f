"""`dispatch promotion explain -f`: the controller's decision, made again from files, without a cluster and a forge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from adapters.git.upstream import Upstream
from command_line import Ran, dispatch
from team import deployment

READY = "2026-06-01T10:00:00Z"


def application(name: str, commit: str, ready: bool = True, **status: Any) -> dict[str, Any]:
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "reason": "Succeeded",
        "message": "",
        "observedGeneration": 1,
        "lastTransitionTime": READY,
    }
    applied = {"revision": f"main@sha1:{commit}", "digest": "0" * 64, "at": READY}
    return {
        "apiVersion": "dispatch.dev/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "team-a", "generation": 1},
        "spec": {"source": {"repository": "config", "path": name}},
        "status": {"conditions": [condition], "applied": applied, **status},
    }


class Scene:
    """A clone, and the objects of a team as `kubectl get -o yaml` gives them."""

    def __init__(self, folder: Path, upstream: Upstream, commit: str) -> None:
        self.folder, self.upstream, self.commit = folder, upstream, commit
        self.members = (["staging"], ["production"])
        self.gates: list[dict[str, Any]] = []
        self.known: dict[str, Any] = {}
        self.forge: dict[str, Any] = {"forge": {"kind": "gitea"}, "credentialsRef": {"name": "config-git"}}
        self.applications = [application("staging", commit), application("production", commit)]

    def write(self) -> None:
        environments = [
            {"name": "staging", "applications": self.members[0]},
            {"name": "production", "applications": self.members[1], "merge": "Automatic", "gates": self.gates},
        ]
        promotion = {
            "apiVersion": "dispatch.dev/v1alpha1",
            "kind": "Promotion",
            "metadata": {"name": "shop", "namespace": "team-a"},
            "spec": {"environments": environments},
            "status": {"environments": [{"name": "production", "state": "Waiting", **self.known}]},
        }
        repository = {
            "apiVersion": "dispatch.dev/v1alpha1",
            "kind": "Repository",
            "metadata": {"name": "config", "namespace": "team-a"},
            "spec": {"url": "https://git.invalid/team-a/config.git", **self.forge},
        }
        items = [promotion, *self.applications, repository]
        (self.folder / "objects").mkdir(exist_ok=True)
        text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items})
        (self.folder / "objects" / "team-a.yaml").write_text(text)

    def explain(self, *more: str, at: str = "2026-06-01T12:00:00Z") -> Ran:
        self.write()
        given = ["-f", str(self.folder / "objects"), "--repository", str(self.upstream.path), "--at", at]
        return dispatch("promotion", "explain", "shop", "-n", "team-a", *given, *more)

    def told(self, **more: Any) -> dict[str, Any]:
        result = self.explain("-o", "json", **more)
        assert result.code == 0, result.err
        found: list[dict[str, Any]] = json.loads(result.out)
        (one,) = found
        return one


@pytest.fixture
def scene(tmp_path: Path, own_cache: None) -> Scene:
    upstream = Upstream(tmp_path / "config.git")
    files = {
        f"{name}/web.yaml": deployment("web", f"shop:{version}").encode()
        for name, version in (("staging", 2), ("production", 1))
    }
    return Scene(tmp_path, upstream, upstream.commit(files, message="staging runs shop:2"))


def test_what_comes_next_is_told_with_the_evidence_of_every_gate(scene: Scene) -> None:
    scene.gates = [{"healthyFor": "3h"}, {"hold": False}]
    scene.forge = {}
    result = scene.explain()
    assert result.code == 0, result.err
    assert "production: Waiting" in result.out
    assert "shop:2" in result.out
    assert "gate      healthyFor: closed, Ready since 2026-06-01 10:00:00 UTC" in result.out
    assert "earliest  2026-06-01 13:00:00Z" in result.out
    assert "opens by  the time, at 2026-06-01 13:00:00 UTC at the earliest" in result.out


def test_at_another_time_the_same_files_are_decided_otherwise(scene: Scene) -> None:
    scene.gates = [{"healthyFor": "3h"}]
    scene.forge = {}
    assert scene.told(at="2026-06-01T12:59:59Z")["next"] == "none"
    later = scene.told(at="2026-06-01T13:00:00Z")
    assert (later["next"], later["state"]) == ("push", "Merged")


def test_what_people_said_is_taken_from_the_status_of_the_same_commit_and_named_as_such(scene: Scene) -> None:
    scene.gates = [{"approvals": {"count": 2, "from": ["ada", "bob"]}}]
    first = scene.told()
    assert first["next"] == "open" and "whether there is one is not told offline" in " ".join(first["notes"])

    scene.known = {"state": "Open", "candidate": first["candidate"], "number": 7, "proposed": first["candidate"]}
    scene.known |= {"pullRequest": "https://git.invalid/pulls/7"}
    closed = scene.told()
    assert closed["next"] == "none"
    assert "cannot be told offline" in closed["gates"][0]["evidence"]
    assert closed["opensBy"] == [
        "approvals: 2 of ada, bob must approve exactly this commit; not who opened the pull request"
    ]

    scene.known["gates"] = [{"gate": "approvals", "verdict": "pass", "evidence": "approved by ada, bob"}]
    scene.known["head"] = closed["head"]
    ripe = scene.told()
    assert (ripe["next"], ripe["state"]) == ("merge", "Merged")
    assert ripe["gates"][0]["evidence"] == "approved by ada, bob (as the status has it: nobody was asked again)"

    scene.known["head"] = "0" * 40
    assert scene.told()["next"] == "renew"


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        (lambda scene: scene.applications[0]["status"].pop("applied"), "Waiting", "has deployed nothing yet"),
        (
            lambda scene: scene.applications.__setitem__(0, application("staging", scene.commit, ready=False)),
            "Waiting",
            "is not Ready",
        ),
        (
            lambda scene: scene.applications[1]["status"].update(
                vetoes=[{"template": "t", "images": ["shop:2"], "why": "too many errors", "at": READY}]
            ),
            "Failed",
            "was aborted in production (too many errors)",
        ),
        (lambda scene: scene.applications.pop(1), "Failed", "there is no Application 'production'"),
    ],
    ids=["nothing-deployed", "not-ready", "vetoed", "not-among-the-files"],
)
def test_why_it_is_where_it_is_is_what_the_controller_says(
    scene: Scene, change: Callable[[Scene], object], state: str, words: str
) -> None:
    change(scene)
    found = scene.told()
    assert (found["state"], found["next"]) == (state, "none")
    assert words in found["message"]


def two(scene: Scene, worker: str = "", **status: Any) -> None:
    """Another application beside, whose staging has applied this commit."""
    scene.members = (["staging", "worker-staging"], ["production", "worker"])
    scene.applications += [
        application("worker-staging", worker or scene.commit, **status),
        application("worker", scene.commit),
    ]


def test_several_applications_are_one_release(scene: Scene) -> None:
    files = {f"{name}/web.yaml": deployment("worker", "till:1").encode() for name in ("worker-staging", "worker")}
    kept = {
        f"{name}/web.yaml": deployment("web", f"shop:{version}").encode()
        for name, version in (("staging", 2), ("production", 1))
    }
    first = scene.upstream.commit({**kept, **files}, message="a worker")
    two(scene, first)
    found = scene.told()
    assert (found["next"], found["parts"]) == ("open", ["production=shop:2"])
    assert found["source"] == first, "the commit at which both render what they run"

    scene.applications[2] = application("worker-staging", first, ready=False)
    held = scene.told()
    assert (held["state"], held["next"]) == ("Waiting", "none")
    assert held["message"].startswith("worker-staging is not Ready")
    assert held["opensBy"] == ["worker-staging becomes Ready with it"]

    # The half of a push: the worker has not deployed yet what staging has.
    newer = {**files, "worker-staging/web.yaml": deployment("worker", "till:2").encode()}
    newer |= {**kept, "staging/web.yaml": deployment("web", "shop:3").encode()}
    second = scene.upstream.commit(newer, message="both")
    scene.applications[0], scene.applications[2] = (
        application("staging", second),
        application("worker-staging", first),
    )
    half = scene.told()
    assert (half["state"], half["next"]) == ("Waiting", "none")
    assert "no commit is run by all" in half["message"]
    scene.applications[2] = application("worker-staging", second)
    assert scene.told()["parts"] == ["production=shop:3", "worker=till:2"]
    assert "part      worker=till:2" in scene.explain().out


def test_a_promotion_that_is_not_among_the_files_is_an_error_that_says_how_to_get_it(scene: Scene) -> None:
    scene.write()
    result = dispatch(
        "promotion",
        "explain",
        "till",
        "-n",
        "team-a",
        "-f",
        str(scene.folder / "objects"),
        "--repository",
        str(scene.upstream.path),
    )
    assert result.code == 2
    assert "kubectl get promotion till -n team-a -o yaml" in result.err


def test_a_replay_needs_a_clone_and_a_time_that_can_be_read(scene: Scene) -> None:
    scene.write()
    given = ("promotion", "explain", "shop", "-f", str(scene.folder / "objects"))
    assert "--repository" in dispatch(*given).err
    result = dispatch(*given, "--repository", str(scene.upstream.path), "--at", "tomorrow")
    assert (result.code, "is no time" in result.err) == (2, True)
    assert dispatch("promotion", "explain", "shop", "--at", READY).code == 2
