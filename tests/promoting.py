"""Two environments and a Promotion between them, in a repository on a real Gitea."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from gitea_town import Town
from hosted import Hosted
from rollout_fixtures import Walking
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import config_map, deployment, eventually, git

from reconciler.adapters.kube import KubeCluster
from reconciler.engine.stages.fetch import SYNC
from reconciler.model.resource import API_VERSION
from reconciler.sandbox.platform import Sandbox

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {password: hunter2-of-production}\n"


class Branch(NamedTuple):
    """One branch at the forge."""

    name: str
    commit: str


class Environments(Hosted):
    """Two folders, `staging` and `production`, each an Application of the same name in the team's namespace."""

    def start(self, image: str = "shop:1", **promotion: Any) -> None:  # type: ignore[override]
        self.push(self.files("staging", image) | self.files("production", image) | {"production/key.yaml": SECRET})
        self.read_repository()
        for name in ("staging", "production"):
            self.deploy(name, name)
            self.until_ready(name, within=60)
        self.promote(**promotion)

    def files(self, environment: str, image: str, settings: str = "1") -> dict[str, str]:
        return {
            f"{environment}/web.yaml": deployment(f"web-{environment}", image),
            f"{environment}/settings.yaml": config_map(f"settings-{environment}", answer=settings),
        }

    def promote(self, **production: Any) -> None:
        environments = [
            {"name": "staging", "application": "staging"},
            {"name": "production", "application": "production", "merge": "Automatic", **production},
        ]
        spec = {"environments": environments}
        self.apply({"apiVersion": API_VERSION, "kind": "Promotion", "metadata": {"name": "shop"}, "spec": spec})

    def stage(self, image: str, environment: str = "staging") -> str:
        """A new image in staging; the commit."""
        git("fetch", "--quiet", self.owners_url, "main", at=self.work)
        git("reset", "--quiet", "--hard", "FETCH_HEAD", at=self.work)
        return self.push(
            {f"{environment}/web.yaml": deployment(f"web-{environment}", image)}, f"{environment} runs {image}"
        )

    def look(self) -> None:
        """Let the Promotion look at the forge now: nothing tells it of a review or a merge by hand."""
        asked = {"metadata": {"annotations": {SYNC: secrets.token_hex(4)}}}
        self.edit(API_VERSION, "Promotion", "shop", asked)

    def state(self) -> dict[str, Any]:
        found = (self.live(API_VERSION, "Promotion", "shop") or {}).get("status") or {}
        return next(iter(found.get("environments") or []), {})

    def looked_at(self) -> dict[str, Any]:
        """The state a moment after it was asked for a look."""
        self.look()
        time.sleep(0.5)
        return self.state()

    def states(self) -> dict[str, dict[str, Any]]:
        """The state of each environment but the first, by its name."""
        found = (self.live(API_VERSION, "Promotion", "shop") or {}).get("status") or {}
        return {each["name"]: each for each in found.get("environments") or []}

    def observed(self) -> bool:
        """Whether the status speaks of the newest spec."""
        live = self.live(API_VERSION, "Promotion", "shop") or {}
        seen: int = (live.get("status") or {}).get("observedGeneration", 0)
        return seen == int(live["metadata"]["generation"])

    def branch(self, number: int = 0) -> Branch:
        """The branch of the (or a) pull request as Gitea has it now."""
        head = self.host.ask("GET", f"/pulls/{number or self.state()['number']}")["head"]
        return Branch(head["ref"], head["sha"])

    def until(self, state: str, within: float = 60.0, **more: Any) -> dict[str, Any]:
        def seen() -> dict[str, Any] | None:
            found = self.state()
            same = found.get("state") == state and all(found.get(name) == value for name, value in more.items())
            return found if same else None

        return eventually(seen, within, self.state)

    def runs(self, environment: str) -> str:
        live = self.live("apps/v1", "Deployment", f"web-{environment}") or {}
        image: str = live["spec"]["template"]["spec"]["containers"][0]["image"]
        return image


@pytest.fixture
def environments(
    harbour: Sandbox, harbour_cluster: KubeCluster, walking: Walking, gitea: Sandbox, tmp_path: Path
) -> Iterator[Environments]:
    yield Environments(harbour_cluster, Somebody(harbour), fresh_namespace(harbour), tmp_path, Town(gitea))
