"""Walking a version out takes no more rights than `dispatch install` gives to the controller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command_line import kubeconfig
from persons import install
from rollout_fixtures import Walking
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import eventually
from walking import Walkers

from reconciler.adapters.kube.cluster import KubeCluster, connect
from reconciler.core.installation import CONTROLLER, NAMESPACE
from reconciler.model.change import Refusal, Resource
from reconciler.sandbox.platform import Sandbox

_STEPS = {"canary": {"steps": [{"weight": 50}, {"gate": {"approval": True, "interval": "1s"}}], "onFailure": "Revert"}}


@pytest.fixture(scope="module")
def admin(platform: Sandbox) -> Iterator[KubeCluster]:
    with closing(connect(platform.kubeconfig)) as kube:
        install(kube)
        yield kube


@pytest.fixture
def controller(platform: Sandbox, admin: KubeCluster, tmp_path: Path) -> Path:
    """The kubeconfig of the controller's own account."""
    wish = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    tokens = Resource("v1", "TokenRequest", f"serviceaccounts/{CONTROLLER}/token", True)
    answer = admin.create(tokens, NAMESPACE, wish)
    assert not isinstance(answer, Refusal), answer
    file = kubeconfig(tmp_path / "own", platform.home.api_url, answer["status"]["token"], platform.home.authority)
    with closing(connect(file)) as own:
        eventually(lambda: own.allowed("patch", Resource("apps/v1", "Deployment", "deployments", True)))
    return file


def test_a_canary_is_walked_out_approved_and_aborted(
    platform: Sandbox, admin: KubeCluster, controller: Path, tmp_path: Path
) -> None:
    space = fresh_namespace(platform)
    own: Any = SimpleNamespace(kubeconfig=controller)
    walking = Walking(own, tmp_path / "cache", namespace=space)
    walking.start()
    try:
        walkers = Walkers(admin, Somebody(platform), space, tmp_path)
        walkers.start(_STEPS)
        walkers.release("2")
        _at_gate(walkers)
        walkers.until_answered(walkers.ask("Promote", by="sandbox-administrator"))
        walkers.until_stable("shop:2")
        walkers.release("3")
        _at_gate(walkers)
        walkers.until_answered(walkers.ask("Abort", by="sandbox-administrator"))
        eventually(lambda: "shop:2" in walkers.head("shop/deployment.yaml"))
        walkers.until_stable("shop:2")
        told = "\n".join(message for _, message in walkers.results())
        assert "forbidden" not in told.lower()
    finally:
        assert walking.stop()
    assert walking.failures == []


def _at_gate(walkers: Walkers) -> None:
    def there() -> bool:
        status = walkers.rollout().get("status") or {}
        moving = status.get("stableRS") != status.get("currentPodHash")
        return bool(moving and status.get("currentStepIndex") == 1 and not status.get("abort"))

    eventually(there, 60.0, lambda: (walkers.rollout().get("status"), walkers.status("shop")))
