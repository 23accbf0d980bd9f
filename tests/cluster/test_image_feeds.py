"""From a push into a real registry to a commit in Git, and to pods."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3
from controller_fixtures import open_cluster
from feeding import KIND, Feeders, shop
from images import Store
from rollout_fixtures import Walking
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import eventually, git

from reconciler.adapters.kube import KubeCluster
from reconciler.core import ledger
from reconciler.model.ledger import Ledger, Veto
from reconciler.sandbox.platform import Sandbox

KUSTOMIZATION = "resources: [../base]\n# pinned by the feed\n"


@pytest.fixture
def feeders(town: Sandbox, kube: KubeCluster, controller: None, registry: str, tmp_path: Path) -> Feeders:
    team = Feeders(kube, Somebody(town), fresh_namespace(town), tmp_path)
    team.store = Store(registry)
    return team


def started(team: Feeders, tag: str = "1.0.0") -> str:
    """The team with version `tag` in Git and in the registry; the digest."""
    digest = team.store.push(tag, revision="0a1b2c", source="https://git.example/shop")
    team.push({"shop/shop.yaml": shop(f"{team.store.name}:{tag}")}, "by hand")
    team.read_repository()
    return digest


def test_a_pushed_tag_becomes_a_commit_and_is_deployed(feeders: Feeders) -> None:
    first = started(feeders)
    feeders.deploy("shop", "shop")
    feeders.feed()
    feeders.until_write("Current", "1.0.0")
    assert feeders.main("shop/shop.yaml") == shop(f"{feeders.store.name}:1.0.0@{first}")
    digest = feeders.store.push("1.1.0", revision="3d4e5f", source="https://git.example/shop")
    entry = feeders.until_write("Current", "1.1.0")
    assert feeders.main("shop/shop.yaml") == shop(f"{feeders.store.name}:1.1.0@{digest}")
    feeders.until_ready("shop", entry["commit"])
    live = feeders.live("apps/v1", "Deployment", "shop") or {}
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == f"{feeders.store.name}:1.1.0@{digest}"
    message = git("log", "-1", "--format=%B", "main", at=feeders.bare)
    assert f"Dispatch-Feed: {feeders.namespace}/shop" in message
    assert f"Dispatch-Image: {feeders.store.name}:1.1.0" in message
    assert f"Dispatch-Digest: {digest}" in message
    assert "Dispatch-Source-Commit: 3d4e5f" in message
    assert feeders.commits() == [
        f"{feeders.store.repository.partition('/')[2]} {tag}" for tag in ("1.1.0", "1.0.0")
    ] + ["by hand"]
    selected = feeders.fed()["selected"]
    assert (selected["tag"], selected["digest"], selected["revision"]) == ("1.1.0", digest, "3d4e5f")
    assert feeders.condition("shop", kind=KIND)["status"] == "True"


def test_an_overlay_gets_an_entry_for_an_image_of_its_base(feeders: Feeders) -> None:
    digest = feeders.store.push("1.0.0")
    base = {
        "base/shop.yaml": shop(f"{feeders.store.name}:0.9.0"),
        "base/kustomization.yaml": "resources: [shop.yaml]\n",
    }
    feeders.push({**base, "shop/kustomization.yaml": KUSTOMIZATION})
    feeders.read_repository()
    feeders.deploy("shop", "shop")
    feeders.feed()
    entry = feeders.until_write("Current", "1.0.0")
    feeders.until_ready("shop", entry["commit"])
    assert feeders.main("base/shop.yaml") == shop(f"{feeders.store.name}:0.9.0")
    live = feeders.live("apps/v1", "Deployment", "shop") or {}
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == f"{feeders.store.name}:1.0.0@{digest}"
    assert "# pinned by the feed\n" in feeders.main("shop/kustomization.yaml")


def test_a_build_that_ends_late_takes_nothing_back(feeders: Feeders) -> None:
    newest = feeders.store.push("main-b-11")
    feeders.push({"shop/shop.yaml": shop(f"{feeders.store.name}:main-b-11@{newest}")}, "by hand")
    feeders.read_repository()
    feeders.feed(policy={"newest": {"pattern": "main-[a-z]-(?P<build>[0-9]+)"}})
    feeders.until_write("Current", "main-b-11")
    feeders.store.push("main-a-9")
    feeders.store.remove("main-b-11")
    entry = feeders.until_write("Held")
    assert "not newer than main-b-11" in entry["message"]
    assert feeders.fed()["selected"]["tag"] == "main-b-11"
    assert feeders.condition("shop", kind=KIND)["status"] == "True"
    assert feeders.commits() == ["by hand"]


def test_a_tag_that_moves_is_pinned_to_what_it_is_now(feeders: Feeders) -> None:
    first = feeders.store.push("main")
    feeders.push({"shop/shop.yaml": shop(f"{feeders.store.name}:main")})
    feeders.read_repository()
    feeders.feed(policy={"digest": "main"})
    feeders.until_write("Current", f"main@{first}")
    second = feeders.store.push("main")
    feeders.until_write("Current", f"main@{second}")
    assert f"{feeders.store.name}:main@{second}" in feeders.main("shop/shop.yaml")


def test_a_vetoed_digest_is_not_proposed_under_another_tag(feeders: Feeders) -> None:
    started(feeders)
    feeders.deploy("shop", "shop")
    feeders.until_ready("shop")
    bad = feeders.store.push("1.1.0", "1.2.0")
    at = datetime(2026, 11, 26, tzinfo=UTC)
    veto = Veto("0" * 64, (f"{feeders.store.name}:1.1.0@{bad}",), "f" * 40, "too many errors", "", at)
    message = ledger.write(Ledger(None, (veto,)), "aborted")
    tree = git("rev-parse", "main^{tree}", at=feeders.bare)
    entry = git("commit-tree", tree, "-m", message, at=feeders.bare)
    git("update-ref", ledger.ref_of("default", feeders.namespace, "shop"), entry, at=feeders.bare)
    # Until the Repository was read again.
    time.sleep(2.5)
    feeders.feed()
    feeders.until_write("Current", "1.0.0")
    feeders.store.retag("1.1.0", "1.3.0")
    time.sleep(2.5)
    assert ":1.0.0@" in feeders.main("shop/shop.yaml")
    good = feeders.store.push("1.4.0")
    feeders.until_write("Current", f"1.4.0@{good}")


def test_what_a_person_takes_back_in_git_is_left_alone_until_it_is_asked_for(feeders: Feeders) -> None:
    started(feeders)
    feeders.feed()
    feeders.until_write("Current", "1.0.0")
    feeders.store.push("1.1.0")
    feeders.until_write("Current", "1.1.0")
    feeders.follow_main()
    git("revert", "--no-edit", "HEAD", at=feeders.work)
    git("push", "--quiet", str(feeders.bare), "HEAD:main", at=feeders.work)
    entry = feeders.until_write("Held", "1.1.0")
    assert "somebody took it back in Git" in entry["message"]
    time.sleep(2)
    assert ":1.0.0@" in feeders.main("shop/shop.yaml")
    digest = feeders.store.push("1.2.0")
    feeders.until_write("Current", f"1.2.0@{digest}")


def test_two_feeds_of_one_repository_both_get_in(feeders: Feeders, registry: str) -> None:
    other = Store(registry)
    pushed = feeders.store.push("1.0.0"), other.push("1.0.0")
    files = {"shop/shop.yaml": shop(f"{feeders.store.name}:0.1.0"), "other/d.yaml": shop(f"{other.name}:0.1.0")}
    feeders.push(files, "by hand")
    feeders.read_repository()
    feeders.feed()
    feeders.feed("other", image=other.name, writes=[{"repository": "config", "path": "other"}])
    feeders.until_write("Current", "1.0.0")
    feeders.until_write("Current", "1.0.0", name="other")
    for _ in range(3):
        pushed = feeders.store.push("1.1.0"), other.push("1.1.0")
        feeders.until_write("Current", f"1.1.0@{pushed[0]}")
        feeders.until_write("Current", f"1.1.0@{pushed[1]}", name="other")
    # Each change once: no commit was lost, and none was made twice.
    assert len(feeders.commits()) == 1 + 2 + 6


def test_a_folder_without_the_image_is_said(feeders: Feeders) -> None:
    feeders.store.push("1.0.0")
    feeders.push({"shop/shop.yaml": shop("r.example/other:1")})
    feeders.read_repository()
    feeders.feed()
    message = feeders.until_reason("shop", "ImageNotWritten", kind=KIND)
    assert "no manifest, values or kustomization in shop names" in message


def test_an_unchanged_feed_writes_nothing(feeders: Feeders) -> None:
    started(feeders)
    feeders.feed()
    feeders.until_write("Current", "1.0.0")
    resource = feeders.resource("dispatch.dev/v1alpha1", KIND)
    time.sleep(1.5)
    before = feeders.cluster.read(resource, feeders.namespace, "shop")
    time.sleep(2.5)
    after = feeders.cluster.read(resource, feeders.namespace, "shop")
    assert before is not None
    assert after is not None
    assert before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]


def test_a_signed_push_wakes_the_feed_and_an_unsigned_one_does_not(
    town: Sandbox, registry: str, tmp_path: Path
) -> None:
    namespace = fresh_namespace(town)
    team = Feeders(open_cluster(town), Somebody(town), namespace, tmp_path)
    team.store = Store(registry)
    own = Walking(town, tmp_path / "cache", namespace=namespace)
    own.start()
    try:
        token = secrets.token_urlsafe(24)
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hook"}}
        team.apply({**secret, "data": {"token": b64encode(token.encode()).decode()}})
        started(team)
        team.feed(interval="1h", secretRef={"name": "hook"})
        team.until_write("Current", "1.0.0")
        team.store.push("1.1.0")
        url = f"http://{own._listen}/hooks/images/{namespace}"
        body = b'{"image": "anything"}'
        signature = f"sha256={hmac.new(token.encode(), body, hashlib.sha256).hexdigest()}"

        def posted(name: str, content: bytes, told: str) -> int:
            headers = {"X-Dispatch-Signature": told}
            return urllib3.request("POST", f"{url}/{name}", body=content, headers=headers, retries=False).status

        assert posted("shop", body, "sha256=" + "0" * 64) == 401
        assert posted("shop", body + b" ", signature) == 401
        assert posted("shop", body, "") == 401
        assert posted("nobody", body, signature) == 404
        assert posted("shop", b"x" * 70_000, signature) == 413
        time.sleep(1)
        began = time.monotonic()
        assert posted("shop", body, signature) == 202
        assert time.monotonic() - began < 0.1
        eventually(lambda: ":1.1.0@" in team.main("shop/shop.yaml"), 10)
    finally:
        assert own.stop()
        team.cluster.close()
