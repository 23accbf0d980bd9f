"""A decision that the controller made, made again from what `kubectl get -o yaml` and `git clone` give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from command_line import dispatch
from promoting import Environments
from team import git

from reconciler.model.resource import API_VERSION

TOLD = ("state", "candidate", "images", "source", "pullRequest", "number", "head", "gates", "message")


def replay(environments: Environments, folder: Path, *more: str) -> dict[str, Any]:
    """What `explain -f` says of production now."""
    kinds = (("Promotion", "shop"), ("Application", "staging"), ("Application", "production"), ("Repository", "config"))
    items = [environments.live(API_VERSION, kind, name) for kind, name in kinds]
    (folder / "objects.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    clone = folder / "clone"
    if not clone.exists():
        git("clone", "--quiet", "--mirror", environments.owners_url, str(clone), at=folder)
    git("remote", "update", at=clone)
    given = ["-n", environments.namespace, "-f", str(folder / "objects.json"), "--repository", str(clone), *more]
    ran = dispatch("promotion", "explain", "shop", *given, "-o", "json")
    assert ran.code == 0, ran.err
    found: list[dict[str, Any]] = json.loads(ran.out)
    (one,) = found
    return one


def test_a_replay_from_files_says_what_the_controller_says(environments: Environments, tmp_path: Path) -> None:
    environments.start(gates=[{"healthyFor": "1s"}, {"hold": True}])
    assert replay(environments, tmp_path)["message"] == environments.until("Current")["message"]
    environments.stage("shop:2")
    state = environments.until("Open", message="hold: the line is stopped by hand: set `hold` to false to go on")
    found = replay(environments, tmp_path)
    assert {name: found.get(name) for name in TOLD} == {name: state.get(name) for name in TOLD}
    assert found["next"] == "none"
    assert found["opensBy"] == ["hold: somebody sets `hold` to false"]
    earlier = replay(environments, tmp_path, "--at", "2026-01-01T00:00:00Z")
    assert [each["verdict"] for each in earlier["gates"]] == ["wait", "wait"]
