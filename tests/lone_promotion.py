"""Environments whose workloads need no nodes, and controllers that tests kill, for the faults of promotion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from controller_fixtures import administrator
from gitea_town import Town
from lone_controller import running
from promoting import Environments
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import config_map, eventually, git

from reconciler import app
from reconciler.engine.progress import Abandoned
from reconciler.model.outcome import Reason
from reconciler.model.resource import API_VERSION
from reconciler.sandbox.platform import Sandbox


class Cheap(Environments):
    """Two environments of a CronJob each, which is well as soon as it is there: an API server alone is enough."""

    def files(self, environment: str, image: str, settings: str = "1") -> dict[str, str]:
        return {
            f"{environment}/web.yaml": cron_job(f"web-{environment}", image),
            f"{environment}/settings.yaml": config_map(f"settings-{environment}", answer=settings),
        }

    def stage(self, image: str, environment: str = "staging") -> str:
        git("fetch", "--quiet", self.owners_url, "main", at=self.work)
        git("reset", "--quiet", "--hard", "FETCH_HEAD", at=self.work)
        files = {f"{environment}/web.yaml": cron_job(f"web-{environment}", image)}
        return self.push(files, f"{environment} runs {image}")

    def runs(self, environment: str) -> str:
        live = self.live("batch/v1", "CronJob", f"web-{environment}") or {}
        pod = live["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        image: str = pod["containers"][0]["image"]
        return image

    def until_runs(self, image: str, within: float = 60.0) -> None:
        eventually(lambda: self.runs("production") == image, within, self.state)

    def arrived(self, image: str) -> bool:
        """Whether production runs it, and the Promotion knows."""
        return self.state().get("state") == "Current" and self.runs("production") == image

    def fix(self, name: str, image: str) -> None:
        """A Hotfix of production, as somebody asks for it."""
        spec = {"promotion": "shop", "environment": "production", "images": [image], "reason": "CVE-1", "by": "ada"}
        self.apply({"apiVersion": API_VERSION, "kind": "Hotfix", "metadata": {"name": name}, "spec": spec})

    def offered_back(self, name: str) -> int:
        """The number of the pull request that carries it back, once there is one and production runs it."""
        found = self.status(name, "Hotfix")
        returns: list[dict[str, Any]] = found.get("back") or [{}]
        runs = self.runs("production") in (self.live(API_VERSION, "Hotfix", name) or {})["spec"]["images"]
        return int(returns[0].get("number") or 0) if runs and returns[0].get("state") == "Open" else 0

    def died_or_offered_back(self, name: str, mortal: Mortal) -> bool:
        return mortal.dead or bool(self.offered_back(name))

    def is_ready(self, name: str) -> bool:
        """Whether a Hotfix is in its environment and carried back."""
        return self.condition(name, kind="Hotfix").get("status") == "True"

    def merged(self) -> list[str]:
        """The titles of what was merged, the oldest first."""
        return [each["title"] for each in reversed(self.requests()) if each["merged"]]

    def until_merged(self, titles: list[str], when: str = "") -> None:
        """Exactly these, once Gitea says so: it pushes a merge before it says that it has merged."""
        eventually(lambda: self.merged() == titles, 30, lambda: (when, titles, self.merged()))

    def brought(self) -> list[str]:
        """What was promoted, as Git has it, the oldest first."""
        self._mirror()
        told = git(
            "log", "--reverse", "--no-merges", "--grep=^Dispatch-Promotion:", "--format=%s", "main", at=self.bare
        )
        return told.splitlines()


def cron_job(name: str, image: str) -> str:
    return f"""apiVersion: batch/v1
kind: CronJob
metadata: {{name: {name}}}
spec:
  schedule: 0 0 1 1 *
  suspend: true
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: web
            image: {image}
"""


@contextmanager
def cheap(server: Sandbox, folder: Path) -> Iterator[Cheap]:
    """A team whose controller is not running yet."""
    with administrator(server) as cluster:
        yield Cheap(cluster, Somebody(server), fresh_namespace(server), folder, Town(server))


class Mortal:
    """Stands where the election does: its process may write `writes` times, anywhere outside, and is dead from then on,
    as after kill -9. None: it lives."""

    def __init__(self, writes: int | None = None) -> None:
        self._left = writes
        self.dead = False

    def leads(self) -> bool:
        return not self.dead

    def permit(self) -> None:
        if self._left is not None:
            self._left -= 1
            self.dead = self.dead or self._left < 0
        if self.dead:
            raise Abandoned(Reason.PROGRESSING, "killed")


@contextmanager
def controller(server: Sandbox, team: Cheap, cache: Path, writes: int | None = None) -> Iterator[Mortal]:
    """A controller of the team's namespace in this process; with `writes`, one that is dead after so many."""
    mortal: Any = Mortal(writes)
    settings = app.Settings(kubeconfig=server.kubeconfig, cache=cache, namespace=team.namespace)
    with running(settings, mortal):
        yield mortal
