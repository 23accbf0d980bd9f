"""What a release is told with: team-b's repository in Gitea, its images in a registry, its people, their channel."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from typing import Any

import urllib3

from demo.narrator import Untrue
from demo.stage import EXAMPLES, Stage

TEAM = "team-b"
STAGING, PRODUCTION = "store-staging", "store-production"
_EXAMPLE = EXAMPLES / "promotion" / "config"
_IMAGE = "team/store"
_SOURCE = "https://git.example.com/team/store"


class Release:
    """Holds nothing itself: any scene may ask for one."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._folder = stage.folder / "release"
        self.config = self._folder / "config"
        self.town = self._folder / "town"

    # -- the set

    def make_town(self) -> None:
        self._folder.mkdir()
        self._stage.example("promotion/town.py", "make", str(self.town))

    def open_channel(self) -> None:
        """Slack cannot run here: a program answers in its place."""
        self._stage.open("slack", "promotion/slack.py")
        self._stage.narrator.until("the channel is open", self._slack)

    def write_config(self, digest: str) -> None:
        """The example, with the addresses of this sandbox and the image that is in its registry."""
        registry = self._stage.url("registry").partition("://")[2]
        words = {"GITEA": self._stage.url("gitea"), "REGISTRY": registry, "DIGEST": digest, "SLACK": f"{self._slack()}"}
        shutil.copytree(_EXAMPLE, self.config)
        for file in self.config.rglob("*.yaml"):
            text = file.read_text()
            for word, value in words.items():
                text = text.replace(word, value)
            file.write_text(text)

    def push(self, message: str) -> str:
        """All of it, by Ada, as the first commit of the repository; the commit."""
        git, at = self._stage.git, self.config
        git("init", "--quiet", "--initial-branch=main", at=at)
        git("add", "--all", at=at)
        git("commit", "--quiet", "--message", message, at=at)
        # git is told where the token is, not what it is: a command line can be read by everybody.
        credentials = f"credential.helper=store --file={self.town / 'git-credentials'}"
        git("-c", credentials, "push", "--quiet", f"{self.page}.git", "main", at=at)
        return git("rev-parse", "HEAD", at=at)

    def apply(self) -> None:
        """All but what moves images: that comes once both environments run."""
        self._stage.apply(self.config / "dispatch" / "namespaces.yaml")
        self._stage.put(_secret("config-git", password=self._kept("bot-token")))
        self._stage.put(_secret("config-hook", token=self._kept("hook-token"), password=self._kept("hook-password")))
        self._stage.put(_secret("releases-slack", token="xoxb-of-a-stand-in"))  # noqa: S106
        for name in ("repository", "applications", "notifier"):
            self._stage.apply(self.config / "dispatch" / f"{name}.yaml")

    def _kept(self, name: str) -> str:
        return (self.town / name).read_text()

    # -- what its people do

    def build(self, tag: str, revision: str) -> str:
        """CI builds an image and pushes it; its digest."""
        options = ["--revision", revision, "--source", _SOURCE]
        return self._pushed(tag, *options)

    def rename(self, old: str, new: str) -> str:
        """The same image under another tag; its digest."""
        return self._pushed(new, "--same-as", old)

    def hand_over(self, tag: str) -> None:
        """The last step of a pipeline: the feed need not wait for its interval."""
        image = f"{self._stage.url('registry').partition('://')[2]}/{_IMAGE}:{tag}"
        self._stage.shown("release", STAGING, "--image", image, "-n", TEAM, "--wait")

    def approve(self, number: int) -> None:
        for name in ("ada", "bob"):
            self._stage.example("promotion/town.py", "approve", str(self.town), str(number), "--by", name)

    def _pushed(self, tag: str, *options: str) -> str:
        told = self._stage.example("feed/push.py", self._stage.url("registry"), _IMAGE, tag, *options)
        return told.rpartition(" ")[2]

    # -- what is seen

    @property
    def page(self) -> str:
        """The repository's address, for people."""
        return f"{self._stage.url('gitea')}/acme/config"

    def on_its_way(self) -> dict[str, Any]:
        """What the Promotion says of production."""
        found: list[dict[str, Any]] = self._stage.status("store", TEAM, "Promotion").get("environments") or [{}]
        return found[0]

    def proposed(self, tag: str) -> dict[str, Any] | None:
        """The same, once there is an open pull request with this tag."""
        state = self.on_its_way()
        here = state.get("state") == "Open" and any(f":{tag}@" in image for image in state.get("images") or ())
        return state if here else None

    def requests(self) -> list[dict[str, Any]]:
        """All pull requests, the newest first."""
        found: list[dict[str, Any]] = self._ask("/pulls?state=all")
        return found

    def request(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self._ask(f"/pulls/{number}")
        return found

    def wanted(self, environment: str) -> str:
        """The tag of the image that Git wants in an environment now."""
        content = self._ask(f"/raw/apps/store/{environment}/deployment.yaml", text=True)
        return str(content).partition(f"/{_IMAGE}:")[2].partition("@")[0]

    def log(self, commits: int) -> str:
        """The newest commits of main: who, and what."""
        found = self._ask(f"/commits?sha=main&stat=false&verification=false&files=false&limit={commits}")
        lines = [each["commit"] for each in found[:commits]]
        return "\n".join(f"{each['author']['name']}: {each['message'].splitlines()[0]}" for each in lines)

    def channel(self) -> str:
        """The channel as it looks now."""
        url = self._slack().removesuffix("/api/")
        return urllib3.request("GET", url, retries=False, timeout=5).data.decode()

    def _slack(self) -> str:
        first = (self._stage.folder / "slack.log").read_text().partition("\n")[0]
        return first.removeprefix("open at ")

    def _ask(self, path: str, text: bool = False) -> Any:
        """Gitea's API, as Ada."""
        token = json.loads((self.town / "people.json").read_text())["ada"]["token"]
        url = f"{self._stage.url('gitea')}/api/v1/repos/acme/config{path}"
        answer = urllib3.request("GET", url, headers={"Authorization": f"token {token}"}, retries=False, timeout=30)
        if answer.status != 200:
            raise Untrue(f"Gitea answered {answer.status} to {path}: {answer.data.decode(errors='replace')}")
        return answer.data.decode() if text else answer.json()


def _secret(name: str, **fields: str) -> dict[str, Any]:
    data = {key: b64encode(value.encode()).decode() for key, value in fields.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": TEAM}, "data": data}
