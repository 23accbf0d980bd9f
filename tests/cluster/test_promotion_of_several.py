"""Several applications go to the next environment as one release, all of it or nothing, on a real Gitea."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gitea_town import Town
from promoting import Environments
from rollout_fixtures import Walking
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import config_map, deployment, eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.model.resource import API_VERSION
from reconciler.sandbox.platform import Sandbox

STAGING, PRODUCTION = ("shop-staging", "till-staging"), ("shop-production", "till-production")
CANARY = {"canary": {"steps": [{"weight": 50}, {"pause": {}}], "onFailure": "Revert"}}


class Several(Environments):
    """Two environments of two applications each, which are released together."""

    def start(self, image: str = "1", till: dict[str, Any] | None = None, **promotion: Any) -> None:  # type: ignore[override]
        files: dict[str, str | None] = {}
        for name in (*STAGING, *PRODUCTION):
            files |= self.files(name, f"{name.partition('-')[0]}:{image}")
        self.push(files)
        self.read_repository()
        for name in (*STAGING, *PRODUCTION):
            self.deploy(name, name, **({"strategy": till} if till and name == "till-production" else {}))
        for name in (*STAGING, *PRODUCTION):
            self.until_ready(name, within=60)
        self.promote(**promotion)

    def promote(self, **production: Any) -> None:
        environments = [
            {"name": "staging", "applications": [*STAGING]},
            {"name": "production", "applications": [*PRODUCTION], "merge": "Automatic", **production},
        ]
        spec = {"environments": environments}
        self.apply({"apiVersion": API_VERSION, "kind": "Promotion", "metadata": {"name": "shop"}, "spec": spec})

    def follow_main(self) -> None:
        self._mirror()
        super().follow_main()

    def stages(self, **images: str) -> str:
        """One push of new versions: `shop="2", till="5"`."""
        self.follow_main()
        files: dict[str, str | None] = {
            f"{name}-staging/web.yaml": deployment(f"web-{name}-staging", f"{name}:{version}")
            for name, version in images.items()
        }
        return self.push(files, f"staging runs {images}")

    def rollout(self, name: str = "web-till-production") -> dict[str, Any]:
        return super().rollout(name)

    def run(self) -> tuple[str, str]:
        return self.runs("shop-production"), self.runs("till-production")

    def until_run(self, shop: str, till: str) -> None:
        eventually(lambda: self.run() == (shop, till), 90, lambda: (self.run(), self.state()))


@pytest.fixture
def several(
    harbour: Sandbox, harbour_cluster: KubeCluster, walking: Walking, gitea: Sandbox, tmp_path: Path
) -> Iterator[Several]:
    yield Several(harbour_cluster, Somebody(harbour), fresh_namespace(harbour), tmp_path, Town(gitea))


def told(several: Several, words: str) -> dict[str, Any]:
    """The state once its message has these words."""

    def seen() -> dict[str, Any] | None:
        found = several.looked_at()
        return found if words in found.get("message", "") else None

    return eventually(seen, 60, several.state)


def test_two_applications_go_in_one_pull_request_and_one_merge(several: Several) -> None:
    several.start(gates=[{"hold": True}])
    several.until("Current")
    several.stages(shop="2", till="5")
    state = several.until("Open")
    assert state["images"] == ["shop:2", "till:5"]
    assert state["parts"] == ["shop-production=shop:2", "till-production=till:5"]
    (request,) = several.requests()
    assert request["title"] == "shop:2, till:5 to production"
    assert "One release of `shop-production`, `till-production`: all of it goes, or nothing." in request["body"]
    assert "| `till-production` | `till` | `1` | `5` |" in request["body"]
    for name in PRODUCTION:
        assert f"web-{name}" in request["body"], "each object that changes is shown"
    several.promote()
    several.until_run("shop:2", "till:5")
    several.until("Current")
    (request,) = several.requests()
    assert request["merged"]
    changed = [each["filename"] for each in several.host.ask("GET", f"/pulls/{request['number']}/files")]
    assert sorted(changed) == [f"{name}/web.yaml" for name in PRODUCTION]

    # One of them alone is a release, too.
    several.stages(till="6")
    several.until_run("shop:2", "till:6")
    several.until("Current")
    assert several.state()["had"] == ["shop-production=shop:2", "till-production=till:6"]
    assert len(several.requests()) == 2


def test_one_that_is_not_ready_holds_all_of_them(several: Several) -> None:
    several.start()
    several.until("Current")
    several.follow_main()
    several.push(
        {
            "shop-staging/web.yaml": deployment("web-shop-staging", "shop:2"),
            "till-staging/web.yaml": "kind: [",
        },
        "half of it is broken",
    )
    eventually(lambda: several.runs("shop-staging") == "shop:2", 60)
    state = told(several, "till-staging is not Ready")
    assert state["state"] == "Waiting"
    assert "Nothing of shop-staging, till-staging goes on" in state["message"]
    assert several.requests() == [] and several.run() == ("shop:1", "till:1")
    several.stages(till="5")
    several.until_run("shop:2", "till:5")
    (request,) = several.requests()
    assert request["title"] == "shop:2, till:5 to production"


def test_one_that_was_aborted_holds_all_of_them(several: Several) -> None:
    several.start(till=CANARY)
    several.until("Current")
    several.stages(shop="2", till="5")
    eventually(lambda: (several.rollout().get("status") or {}).get("pauseConditions"), 90, several.rollout)
    asked = several.ask("Abort", application="till-production", rollout="web-till-production")
    several.until_answered(asked)
    told(several, "till:5 was aborted in till-production")
    before = len(several.requests())
    several.stages(shop="3")
    eventually(lambda: several.runs("shop-staging") == "shop:3", 60)
    state = eventually(lambda: (now := told(several, "till:5 was")) and "shop:3" in now["images"] and now, 60)
    assert state["state"] == "Failed"
    assert "Nothing of shop-production, till-production goes on" in state["message"]
    assert several.runs("shop-production") == "shop:2"
    assert len(several.requests()) == before


def test_an_approval_is_of_the_whole_release(several: Several) -> None:
    host = several.host
    several.start(gates=[{"approvals": {"count": 1, "from": [host.reviewer.name]}}, {"hold": True}])
    several.stages(shop="2", till="5")
    number = several.until("Open")["number"]
    head = several.branch()
    host.approve(number)
    several.push({"other/note.txt": "x"}, "something else")
    told(several, "hold")
    eventually(lambda: "approved by" in several.looked_at()["gates"][0]["evidence"], 30, several.state)
    assert several.branch() == head, "what none of them is made of voids nothing"

    digest = several.state()["digest"]
    several.push({"till-production/settings.yaml": config_map("settings-till-production", answer="2")}, "a mend")
    eventually(lambda: "void, for an earlier commit" in several.looked_at()["gates"][0]["evidence"], 60, several.state)
    assert several.branch() != head
    assert several.state()["digest"] != digest
    assert several.run() == ("shop:1", "till:1")


def test_applications_of_two_branches_are_no_environment(several: Several) -> None:
    several.start()
    several.deploy("till-production", "till-production", source={"revision": "other"})
    state = told(several, "till-production follows other and shop-production main")
    assert state["state"] == "Failed"
