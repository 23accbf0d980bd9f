"""A team whose images come from a registry, for tests."""

from __future__ import annotations

from typing import Any

from images import Store
from team import Team, eventually, git

from reconciler.model.resource import API_VERSION

KIND = "ImageFeed"


class Feeders(Team):
    """A team with one repository of images, `store`, beside its Git repository."""

    store: Store

    def feed(self, name: str = "shop", **spec: Any) -> None:
        """An ImageFeed of the store into `shop`, looked at each second."""
        wanted = {
            "image": self.store.name,
            "interval": "1s",
            "policy": {"semver": ">=1.0"},
            "writes": [{"repository": "config", "path": "shop"}],
            **spec,
        }
        self.apply({"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": wanted})

    def fed(self, name: str = "shop") -> dict[str, Any]:
        return self.status(name, KIND)

    def until_write(self, state: str, tag: str = "", name: str = "shop", within: float = 30.0) -> dict[str, Any]:
        """Wait until the feed's first folder is in this state (with this tag); its entry."""

        def seen() -> dict[str, Any] | None:
            writes = self.fed(name).get("writes") or [{}]
            good = writes[0].get("state") == state and (not tag or f":{tag}" in writes[0].get("image", ""))
            return writes[0] if good else None

        return eventually(seen, within, lambda: self.fed(name))

    def main(self, path: str) -> str:
        """A file of the main branch as Git has it now."""
        return git("show", f"main:{path}", at=self.bare) + "\n"

    def commits(self) -> list[str]:
        """The first lines of the main branch's commits, the newest first."""
        return git("log", "--format=%s", "main", at=self.bare).splitlines()

    def follow_main(self) -> None:
        git("fetch", "--quiet", str(self.bare), "main", at=self.work)
        git("reset", "--quiet", "--hard", "FETCH_HEAD", at=self.work)


def shop(image: str) -> str:
    """A Deployment with a comment and quotes that must stay."""
    return f"""# the shop
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec:
      containers:
      - name: shop   # ours
        image: '{image}'
"""
