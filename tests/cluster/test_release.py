"""`dispatch release`: the last step of a pipeline; and registries that ask who comes."""

from __future__ import annotations

import time
from base64 import b64encode
from pathlib import Path

import pytest
from adapters.registry.doors import PASSWORD, USER, Door, basic
from command_line import dispatch
from feeding import KIND, Feeders, shop
from images import Store
from sandbox_fixtures import fresh_namespace
from somebody import Somebody

from reconciler.adapters.kube import KubeCluster
from reconciler.sandbox.platform import Sandbox


@pytest.fixture
def feeders(town: Sandbox, kube: KubeCluster, controller: None, registry: str, tmp_path: Path) -> Feeders:
    team = Feeders(kube, Somebody(town), fresh_namespace(town), tmp_path)
    team.store = Store(registry)
    return team


def test_a_pipeline_releases_and_hears_what_became_of_it(feeders: Feeders, town: Sandbox) -> None:
    access = ("-n", feeders.namespace, "--kubeconfig", town.kubeconfig)
    feeders.store.push("1.0.0")
    feeders.push({"shop/shop.yaml": shop(f"{feeders.store.name}:1.0.0")})
    feeders.read_repository(interval="1h")
    feeders.deploy("shop", "shop")
    feeders.feed(interval="1h")
    feeders.until_write("Current", "1.0.0")
    digest = feeders.store.push("1.1.0")
    time.sleep(1.5)
    assert ":1.0.0@" in feeders.main("shop/shop.yaml")
    ran = dispatch("release", "shop", "--image", f"{feeders.store.name}:1.1.0", "--wait", *access)
    assert ran.code == 0, ran
    assert f"asked ImageFeed {feeders.namespace}/shop to look for {feeders.store.name}" in ran.out
    assert f"selected 1.1.0 {digest}" in ran.out
    assert f":1.1.0@{digest}" in feeders.main("shop/shop.yaml")
    late = dispatch("release", "shop", "--image", f"{feeders.store.name}:1.0.5", "--wait", *access)
    assert late.code == 1
    assert "1.0.5 was pushed and is not what the policy wants" in late.err
    nobody = dispatch("release", "shop", "--image", "r.example/other:1", *access)
    assert nobody.code == 2
    assert "no ImageFeed of namespace" in nobody.err
    assert "there are shop" in nobody.err
    assert dispatch("release", "shop", "--image", "a b", *access).code == 2


def test_an_image_that_somebody_took_back_is_written_again_when_it_is_released(feeders: Feeders, town: Sandbox) -> None:
    feeders.store.push("1.1.0")
    feeders.push({"shop/shop.yaml": shop(f"{feeders.store.name}:1.0.0")})
    feeders.read_repository()
    feeders.deploy("shop", "shop")
    feeders.feed()
    feeders.until_write("Current", "1.1.0")
    feeders.follow_main()
    feeders.push({"shop/shop.yaml": shop(f"{feeders.store.name}:1.0.0")}, "back")
    feeders.until_write("Held", "1.1.0")
    access = ("-n", feeders.namespace, "--kubeconfig", town.kubeconfig)
    assert dispatch("release", "shop", "--image", f"{feeders.store.name}:1.1.0", "--wait", *access).code == 0
    feeders.until_write("Current", "1.1.0")


def test_a_registry_that_asks_for_a_password_gets_the_one_of_the_secret(feeders: Feeders, registry: str) -> None:
    door = Door(registry, basic)
    try:
        image = f"{door.host}/{feeders.store.repository}"
        digest = feeders.store.push("1.0.0")
        feeders.push({"shop/shop.yaml": shop(f"{image}:0.9.0")})
        feeders.read_repository()
        feeders.feed(image=image, credentialsRef={"name": "registry"})
        assert "create it or mend" in feeders.until_reason("shop", "CredentialsNotFound", kind=KIND)
        _secret(feeders, "wrong-2f9a")
        message = feeders.until_reason("shop", "RegistryDenied", kind=KIND)
        assert "wrong-2f9a" not in message
        _secret(feeders, PASSWORD)
        feeders.until_write("Current", f"1.0.0@{digest}")
    finally:
        door.stop()


def _secret(team: Feeders, password: str) -> None:
    data = {"username": b64encode(USER.encode()).decode(), "password": b64encode(password.encode()).decode()}
    team.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry"}, "data": data})
