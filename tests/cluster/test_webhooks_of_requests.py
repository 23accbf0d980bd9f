"""Promotions that hear of their pull requests: reviews, merges and closings at a real Gitea, which nobody polls."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gitea_town import Town
from promoting import Environments
from rollout_fixtures import Walking
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.engine import promotion_standing
from reconciler.sandbox.platform import Sandbox


class Heard(Environments):
    """Its repository is looked at once an hour, and tells of what happens."""

    def read_repository(self, name: str = "config", **spec: Any) -> None:
        data = {"password": base64.b64encode(self.host.owner.token.encode()).decode()}
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hooks"}, "data": data})
        hook = {"managed": True, "secretRef": {"name": "hooks"}}
        super().read_repository(name, **{"interval": "1h", "webhook": hook, **spec})


@pytest.fixture
def heard(
    harbour: Sandbox,
    harbour_cluster: KubeCluster,
    walking: Walking,
    gitea: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Heard]:
    monkeypatch.setattr(promotion_standing, "_LOOK", 3600.0)
    yield Heard(harbour_cluster, Somebody(harbour), fresh_namespace(harbour), tmp_path, Town(gitea))


def proposed(heard: Heard, **production: Any) -> dict[str, Any]:
    """A version waits in production's pull request; its state."""
    heard.start(**production)
    eventually(lambda: (heard.status("config", "Repository").get("webhook") or {}).get("state") == "Managed")
    heard.stage("shop:2")
    return heard.until("Open")


def test_a_review_lets_a_version_through(heard: Heard) -> None:
    state = proposed(heard, gates=[{"approvals": {"count": 1, "from": [heard.host.reviewer.name]}}])
    heard.host.approve(state["number"])
    eventually(lambda: heard.runs("production") == "shop:2", 30, heard.state)


def test_a_status_of_ci_lets_a_version_through(heard: Heard) -> None:
    state = proposed(heard, gates=[{"checks": ["ci/build"]}])
    told = {"context": "ci/build", "state": "success"}
    heard.host.ask("POST", f"/statuses/{state['head']}", told, heard.host.owner)
    eventually(lambda: heard.runs("production") == "shop:2", 30, heard.state)


def test_what_a_person_merges_or_closes_is_heard_of(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion_standing, "_SOON", 3600.0)
    state = proposed(heard, merge="Manual")
    heard.host.merge(state["number"])
    eventually(lambda: heard.runs("production") == "shop:2", 30, heard.state)
    heard.stage("shop:3")
    state = heard.until("Open", images=["shop:3"])
    heard.host.ask("PATCH", f"/pulls/{state['number']}", {"state": "closed"})
    heard.until("Rejected", within=30)
