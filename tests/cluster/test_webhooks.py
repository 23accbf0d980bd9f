"""Webhooks of forges, from a push to the deployment: a real Gitea that delivers to the controller, no poll in between.

Failure mode 15 of events: lost, twice, out of order, replayed; what is not genuine is in test_git_hooks.py.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from controller_fixtures import administrator
from forges.signing import signed
from gitea_town import Town
from hosted import Hosted
from rollout_fixtures import Walking
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import config_map, eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.core.webhook import secret_of
from reconciler.engine import managed_hooks
from reconciler.engine.keys import Key
from reconciler.model.resource import API_VERSION
from reconciler.sandbox.platform import Part, Sandbox


class Told(Hosted):
    """A team whose repository is on Gitea, which tells the team's own controller of what happens. `administrator` is in
    the Secret `hooks`; the token in `config-git` may only write.
    """

    controller: Walking

    def watch(self, managed: bool = True, interval: str = "1h", **webhook: Any) -> None:
        self.hook_secret()
        given = {"managed": managed, "secretRef": {"name": "hooks"}, **webhook}
        self.read_repository(interval=interval, webhook=given)

    def hook_secret(self, token: str = "first", password: str | None = None) -> None:
        data = {"token": token, "password": self.host.owner.token if password is None else password}
        encoded = {name: base64.b64encode(value.encode()).decode() for name, value in data.items() if value}
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hooks"}, "data": encoded})

    def hooks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.host.ask("GET", "/hooks")
        return found

    def webhook(self) -> dict[str, Any]:
        found: dict[str, Any] = self.status("config", "Repository").get("webhook") or {}
        return found

    def until_hook(self, state: str, within: float = 30.0) -> dict[str, Any]:
        """Wait until the hook's state is told; the status of it."""
        eventually(lambda: self.webhook().get("state") == state, within, lambda: self.status("config", "Repository"))
        return self.webhook()

    def sync(self) -> None:
        """As `dispatch sync repository` asks for a look."""
        annotation = {"dispatch.dev/sync": secrets.token_hex(4)}
        self.edit(API_VERSION, "Repository", "config", {"metadata": {"annotations": annotation}})

    def post(self, body: bytes, headers: dict[str, str], name: str = "config") -> int:
        url = f"{self.controller.url}/hooks/git/{self.namespace}/{name}"
        return urllib3.request("POST", url, body=body, headers=headers, retries=False, timeout=10).status

    def events(self, name: str) -> set[str]:
        """The reasons of the events of a Repository."""
        found = self.cluster.listing(self.resource("v1", "Event"), self.namespace)
        return {each["reason"] for each in found if each["involvedObject"]["name"] == name}

    def edit_status(self, status: dict[str, Any]) -> None:
        resource = self.resource(API_VERSION, "Repository")
        self.cluster.patch(resource, self.namespace, "config", {"status": status}, "status")

    def value(self) -> str:
        """What is deployed."""
        return str(((self.live("v1", "ConfigMap", "web") or {}).get("data") or {}).get("value", ""))

    def until_heard(self, value: str) -> None:
        """Push, until it is deployed and the controller has heard of it."""
        hooks, key = self.controller.controller._git_hooks, Key("Repository", self.namespace, "config")
        before = hooks.heard(key).refs_at
        self.bring(value)
        eventually(lambda: self.value() == value, 30, self.value)
        eventually(lambda: hooks.heard(key).refs_at > before, 30)

    def bring(self, value: str) -> str:
        return self.push({"app/web.yaml": config_map("web", value=value)})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An API server of this module's own: the session's controller would look at the same hooks."""
    with Sandbox.start(tmp_path_factory.mktemp("webhooks"), [Part.APISERVER], print) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def admin(server: Sandbox) -> Iterator[KubeCluster]:
    with administrator(server) as cluster:
        yield cluster


@pytest.fixture
def told(
    server: Sandbox, admin: KubeCluster, gitea: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Told]:
    # Gitea takes a second or two to deliver, and longer on a busy machine.
    monkeypatch.setattr(managed_hooks, "_LATE", 12.0)
    made = Told(admin, Somebody(server), fresh_namespace(server), tmp_path, Town(gitea))
    made.controller = Walking(server, tmp_path / "cache", namespace=made.namespace)
    made.controller.start()
    made.bring("1")
    yield made
    assert made.controller.stop()
    assert not made.controller.failures


def started(told: Told, **webhook: Any) -> dict[str, Any]:
    """The first version is deployed, and the hook is there."""
    told.watch(**webhook)
    told.deploy("web", "app")
    told.until_ready("web")
    return told.until_hook("Managed")


def test_a_push_is_deployed_at_once_though_the_remote_is_asked_once_an_hour(told: Told) -> None:
    status = started(told)
    (hook,) = told.hooks()
    assert hook["config"]["url"] == status["url"]
    assert status["url"].startswith(f"{told.controller.url}/hooks/git/{told.namespace}/config?key=")
    told.bring("2")
    eventually(lambda: told.value() == "2", 30, told.value)
    told.until_ready("web")
    assert told.webhook()["missed"] == 0 and told.webhook()["lastEvent"]


def test_a_lost_event_is_found_by_the_interval_counted_and_the_hook_is_mended(told: Told) -> None:
    started(told, interval="1s")
    told.until_heard("1b")
    (hook,) = told.hooks()
    told.host.ask("DELETE", f"/hooks/{hook['id']}")
    told.bring("2")
    eventually(lambda: told.value() == "2", 30, told.value)
    eventually(lambda: told.webhook().get("missed") == 1, 40, told.webhook)
    assert told.webhook()["lastMissed"] and told.webhook()["state"] == "Managed"
    assert [each["config"]["url"] for each in told.hooks()] == [hook["config"]["url"]]
    eventually(lambda: "WebhookEventMissed" in told.events("config"))
    told.until_heard("3")
    assert told.webhook()["missed"] == 1, "of this one the mended hook has told"


def test_a_hook_that_signs_with_another_secret_is_refused_missed_and_written_anew(told: Told) -> None:
    started(told, interval="2s")
    told.until_heard("1b")
    (hook,) = told.hooks()
    told.host.ask("DELETE", f"/hooks/{hook['id']}")
    config = {**hook["config"], "secret": "somebody's"}
    wrong = told.host.ask("POST", "/hooks", {**hook, "config": config, "id": 0})
    told.bring("2")
    eventually(lambda: told.value() == "2", 30, told.value)
    eventually(lambda: [each["id"] for each in told.hooks()] not in ([], [wrong["id"]]), 40, told.hooks)
    eventually(lambda: told.webhook().get("missed") == 1, 40, told.webhook)
    told.until_heard("3")
    assert told.webhook()["missed"] == 1


@pytest.mark.parametrize("change", [{"active": False}, {"events": ["issues"]}, {"config": {"content_type": "form"}}])
def test_a_hook_that_somebody_changed_is_put_right(told: Told, change: dict[str, Any]) -> None:
    started(told)
    (hook,) = told.hooks()
    told.host.ask("PATCH", f"/hooks/{hook['id']}", {"events": hook["events"], "active": True, **change})
    told.sync()
    kept = ("active", "config", "type")

    def right() -> bool:
        found = told.hooks()
        same = len(found) == 1 and all(found[0][name] == hook[name] for name in kept)
        return same and set(found[0]["events"]) == set(hook["events"])

    eventually(right, 30, told.hooks)
    told.bring("2")
    eventually(lambda: told.value() == "2", 30, told.value)


def test_a_new_secret_is_taken_over_and_the_former_one_is_good_for_a_while(told: Told) -> None:
    url = started(told)["url"]
    told.hook_secret("second")
    told.sync()
    eventually(lambda: told.webhook().get("url", url) != url, 40, told.webhook)
    assert [each["config"]["url"] for each in told.hooks()] == [told.webhook()["url"]]
    for key, status in (("first", 202), ("second", 202), ("third", 401)):
        body = json.dumps({"by": key}).encode()
        assert told.post(body, signed("gitea", secret_of(key.encode(), told.namespace, "config"), body)) == status
    told.bring("2")
    eventually(lambda: told.value() == "2", 30, told.value)
    assert "first" not in json.dumps(told.live(API_VERSION, "Repository", "config"))


def test_a_hook_goes_with_managed_and_comes_again(told: Told) -> None:
    started(told)
    told.host.ask("POST", "/hooks", {"type": "gitea", "config": {"url": "http://ci.invalid/", "content_type": "json"}})
    told.watch(managed=False)
    told.until_hook("ByHand")
    assert [each["config"]["url"] for each in told.hooks()] == ["http://ci.invalid/"]
    assert not (told.live(API_VERSION, "Repository", "config") or {})["metadata"].get("finalizers")
    body = b"{}"
    assert told.post(body, signed("gitea", "first", body)) == 202, "who makes it by hand signs with the token itself"
    told.watch()
    told.until_hook("Managed")
    assert len(told.hooks()) == 2


def test_a_hook_goes_with_its_repository(told: Told) -> None:
    started(told)
    assert len(told.hooks()) == 1
    told.delete(API_VERSION, "Repository", "config")
    eventually(lambda: told.live(API_VERSION, "Repository", "config") is None, 30)
    assert told.hooks() == []
    eventually(lambda: told.post(b"{}", signed("gitea", "x", b"{}")) == 404, 5)


def test_a_hook_that_was_made_before_a_crash_is_taken_away_all_the_same(told: Told) -> None:
    """Killed after the hook was made and before its status was written: the finalizer came first."""
    started(told)
    assert told.controller.stop()
    told.edit_status({"webhook": None})
    told.watch(managed=False)
    told.controller.start()
    told.until_hook("ByHand")
    assert told.hooks() == []


@pytest.mark.parametrize("writes", [0, 1])
def test_a_crash_at_the_finalizer_leaves_neither_a_hook_nor_a_repository_that_cannot_go(
    told: Told, writes: int
) -> None:
    assert told.controller.stop()
    told.controller.die_after(writes)
    told.controller.start()
    told.watch()
    eventually(lambda: told.controller.cluster.dead, 30)
    told.controller.stop()
    assert told.hooks() == []
    kept = (told.live(API_VERSION, "Repository", "config") or {})["metadata"].get("finalizers") or []
    assert kept == [managed_hooks.FINALIZER][:writes]
    told.controller.die_after(None)
    told.controller.start()
    told.until_hook("Managed")
    assert len(told.hooks()) == 1
    told.delete(API_VERSION, "Repository", "config")
    eventually(lambda: told.live(API_VERSION, "Repository", "config") is None, 30)
    assert told.hooks() == []


def test_a_restart_neither_writes_nor_makes_a_second_hook(told: Told) -> None:
    started(told)
    before = told.live(API_VERSION, "Repository", "config")
    hooks = [each["id"] for each in told.hooks()]
    assert told.controller.stop()
    told.controller.start()
    told.bring("2")
    eventually(lambda: told.value() == "2", 30, told.value)
    after = told.live(API_VERSION, "Repository", "config")
    assert [each["id"] for each in told.hooks()] == hooks
    assert before is not None and after is not None
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


def test_without_an_address_it_says_what_to_set_and_the_interval_goes_on(told: Told) -> None:
    assert told.controller.stop()
    told.controller.hooked = False
    told.controller.start()
    told.watch(interval="1s")
    told.deploy("web", "app")
    assert "--hooks-url" in told.until_hook("Failed")["message"]
    told.bring("2")
    eventually(lambda: told.value() == "2", 30, told.value)
    assert told.condition("config", kind="Repository")["status"] == "True"
    assert told.hooks() == []


def test_a_token_that_may_not_manage_hooks_is_told_and_the_interval_goes_on(told: Told) -> None:
    told.hook_secret(password="")
    told.read_repository(interval="1s", webhook={"managed": True, "secretRef": {"name": "hooks"}})
    told.deploy("web", "app")
    message = told.until_hook("Failed")["message"]
    assert "administrate" in message and "spec.webhook.secretRef" in message
    assert told.host.bot.token not in message
    told.bring("2")
    eventually(lambda: told.value() == "2", 30, told.value)
    assert told.condition("config", kind="Repository")["status"] == "True"
    # Nothing to take away, and no right to look: it goes all the same.
    told.delete(API_VERSION, "Repository", "config")
    eventually(lambda: told.live(API_VERSION, "Repository", "config") is None, 30)


def test_without_a_secret_of_its_own_the_forges_token_makes_the_secret(told: Told) -> None:
    told.host.ask("PUT", f"/collaborators/{told.host.bot.name}", {"permission": "admin"})
    told.read_repository(interval="1h", webhook={"managed": True})
    told.deploy("web", "app")
    told.until_ready("web")
    told.until_hook("Managed")
    told.bring("2")
    eventually(lambda: told.value() == "2", 30, told.value)


def test_what_an_event_says_is_not_believed(told: Told) -> None:
    """A genuine one that tells of commits that are not there, and of a pull request that was merged."""
    started(told)
    secret = secret_of(b"first", told.namespace, "config")
    for event in ("pull_request", "push"):
        lie = {"ref": "refs/heads/main", "after": "0" * 40, "action": "closed", "pull_request": {"merged": True}}
        body = json.dumps(lie).encode()
        assert told.post(body, signed("gitea", secret, body, event)) == 202
    told.until_ready("web", told.bring("2"), 30)
    assert told.condition("config", kind="Repository")["status"] == "True"


def test_one_that_is_not_genuine_is_refused_and_nothing_is_written(told: Told) -> None:
    started(told)
    # Until the deployment is told, and the watch has brought all of it.
    eventually(lambda: told.status("config", "Repository").get("revision"))
    before = told.live(API_VERSION, "Repository", "config")
    body = b'{"ref": "refs/heads/main"}'
    for headers in ({}, signed("gitea", "", body), signed("gitea", "guess", body), signed("github", "guess", body)):
        assert told.post(body, headers) == 401
    assert told.post(body, signed("gitea", "guess", body), name="nobody") == 404
    time.sleep(1)
    assert told.live(API_VERSION, "Repository", "config") == before
