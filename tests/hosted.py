"""A team whose repository is on Gitea."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from gitea_town import Town
from somebody import Somebody
from team import git
from walking import Walkers

from reconciler.adapters.kube import KubeCluster
from reconciler.model.ledger import Ledger


class Hosted(Walkers):
    """A team whose repository is on Gitea; `bare` is a mirror that is brought up to date before it is read.

    Dispatch asks the API at `api_url`, where a test stands in between.
    """

    api_url = ""

    def __init__(self, cluster: KubeCluster, somebody: Somebody, namespace: str, folder: Path, host: Town) -> None:
        super().__init__(cluster, somebody, namespace, folder)
        self.host = host
        scheme, _, rest = host.git_url.partition("://")
        self.owners_url = f"{scheme}://{host.owner.name}:{host.owner.token}@{rest}"

    @property
    def url(self) -> str:
        return self.host.git_url

    def push(self, files: Mapping[str, str | None], message: str = "change", force: bool = False) -> str:
        commit = super().push(files, message, force)
        git("push", "--quiet", "--force", self.owners_url, "main", at=self.bare)
        return commit

    def read_repository(self, name: str = "config", **spec: Any) -> None:
        password = base64.b64encode(self.host.bot.token.encode()).decode()
        self.apply(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "config-git"}, "data": {"password": password}}
        )
        forge = {"kind": "gitea", **({"apiUrl": self.api_url} if self.api_url else {})}
        super().read_repository(name, credentialsRef={"name": "config-git"}, forge=forge, **spec)

    def ledger(self) -> Ledger:
        self._mirror()
        return super().ledger()

    def head(self, path: str) -> str:
        self._mirror()
        return super().head(path)

    def requests(self) -> list[dict[str, Any]]:
        """All pull requests, the newest first."""
        found: list[dict[str, Any]] = []
        for page in count(1):
            more: list[dict[str, Any]] = self.host.ask("GET", f"/pulls?state=all&limit=50&page={page}")
            found += more
            if len(more) < 50:
                break
        return found

    def _mirror(self) -> None:
        git("fetch", "--quiet", "--force", self.owners_url, "+refs/heads/main:refs/heads/main", at=self.bare)
        git("fetch", "--quiet", "--force", self.owners_url, "+refs/dispatch/*:refs/dispatch/*", at=self.bare)
