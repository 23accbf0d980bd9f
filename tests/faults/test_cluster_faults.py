"""The API server is killed, restarted and frozen in the middle: nothing is lost, doubled or left hanging."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from contract.cluster_objects import Following, accepted, configmap, one, served, wait_for
from sandbox_fixtures import fresh_namespace

from reconciler.adapters.kube import KubeCluster, connect
from reconciler.adapters.kube import follow as follow_module
from reconciler.model.change import Resource
from reconciler.model.outcome import Reason, Transient
from reconciler.sandbox.platform import Part, Sandbox

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A server that no other module's tests talk to."""
    with Sandbox.start(tmp_path_factory.mktemp("breakable"), (Part.APISERVER,), print) as sandbox:
        yield sandbox


@pytest.fixture
def kube(breakable: Sandbox) -> Iterator[KubeCluster]:
    cluster = connect(breakable.kubeconfig, timeout=5.0)
    yield cluster
    cluster.close()


@pytest.fixture
def configmaps(kube: KubeCluster) -> Resource:
    return served(kube, "v1", "ConfigMap")


@pytest.fixture
def namespace(breakable: Sandbox) -> str:
    return fresh_namespace(breakable)


def applied_until_done(kube: KubeCluster, configmaps: Resource, namespace: str, names: list[str]) -> list[Transient]:
    """Apply as the engine does: again after each Transient. What went wrong on the way."""
    troubles: list[Transient] = []
    deadline = time.monotonic() + 120
    while True:
        try:
            answers = kube.apply([(configmaps, configmap(namespace, name, of=name)) for name in names])
        except Transient as trouble:
            assert time.monotonic() < deadline, trouble
            troubles.append(trouble)
        else:
            assert all(accepted(answer)["data"] == {"of": name} for name, answer in zip(names, answers, strict=True))
            return troubles


def told(caplog: pytest.LogCaptureFixture) -> str:
    return " ".join(str(getattr(record, "why", "")) for record in caplog.records)


@pytest.mark.parametrize("graceful", [True, False])
def test_an_apply_through_a_restart_arrives_whole(
    graceful: bool, breakable: Sandbox, kube: KubeCluster, configmaps: Resource, namespace: str
) -> None:
    names = [f"web-{number}" for number in range(1_500)]
    troubles: list[Transient] = []
    done = threading.Event()

    def work() -> None:
        troubles.extend(applied_until_done(kube, configmaps, namespace, names))
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: any(kube.listing(configmaps, namespace)))
    if not graceful:
        breakable.kill(Part.APISERVER)
    breakable.restart(Part.APISERVER)
    assert done.wait(120)
    thread.join()
    assert {trouble.reason for trouble in troubles} <= {Reason.CLUSTER_UNREACHABLE, Reason.CLUSTER_BUSY}
    assert {item["metadata"]["name"] for item in kube.listing(configmaps, namespace)} == set(names)


def test_a_watch_survives_a_restart_and_misses_nothing(
    breakable: Sandbox, kube: KubeCluster, configmaps: Resource, namespace: str
) -> None:
    one(kube, configmaps, configmap(namespace, "kept"))
    gone = accepted(one(kube, configmaps, configmap(namespace, "gone")))
    other = connect(breakable.kubeconfig)
    with Following(kube, configmaps, namespace=namespace) as following:
        assert following.names == {"kept", "gone"}
        breakable.kill(Part.APISERVER)
        breakable.restart(Part.APISERVER)
        # The follower may still be waiting while this happens: it must not need to have seen it.
        other.delete([(configmaps, namespace, "gone", gone["metadata"]["uid"])])
        one(other, configmaps, configmap(namespace, "new"))
        wait_for(lambda: following.names == {"kept", "new"}, 60)
        one(other, configmaps, configmap(namespace, "kept", a="2"))
        wait_for(lambda: any(e.document.get("data") == {"a": "2"} for e in following.events), 60)
    other.close()


def test_a_server_that_freezes_is_told_after_the_time_out_and_used_again_when_it_thaws(
    breakable: Sandbox, kube: KubeCluster, configmaps: Resource, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.adapters.kube.client.GRACE", 0.5)
    hasty = connect(breakable.kubeconfig, timeout=1.0)
    assert hasty.read(configmaps, namespace, "web") is None
    breakable.pause(Part.APISERVER)
    try:
        with pytest.raises(Transient, match=r"127\.0\.0\.1.*no answer within 1\.5 s") as raised:
            hasty.read(configmaps, namespace, "web")
        assert raised.value.reason is Reason.CLUSTER_UNREACHABLE
    finally:
        breakable.resume(Part.APISERVER)
    assert accepted(one(kube, configmaps, configmap(namespace)))["metadata"]["name"] == "web"
    assert hasty.read(configmaps, namespace, "web") is not None
    hasty.close()


def test_a_watch_on_a_frozen_server_is_given_up_and_goes_on_after_the_thaw(
    breakable: Sandbox,
    kube: KubeCluster,
    configmaps: Resource,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(follow_module, "SILENCE", 2.0)
    caplog.set_level("DEBUG", "reconciler.adapters.kube")
    other = connect(breakable.kubeconfig)
    with Following(kube, configmaps, namespace=namespace) as following:
        caplog.clear()
        breakable.pause(Part.APISERVER)
        try:
            wait_for(lambda: "nothing came for 2 s" in told(caplog), 30)
        finally:
            breakable.resume(Part.APISERVER)
        one(other, configmaps, configmap(namespace, "after"))
        wait_for(lambda: following.names == {"after"}, 60)
    other.close()


def test_the_end_of_a_follower_is_prompt_on_a_frozen_server(
    breakable: Sandbox, kube: KubeCluster, configmaps: Resource, namespace: str
) -> None:
    with Following(kube, configmaps, namespace=namespace) as following:
        breakable.pause(Part.APISERVER)
        try:
            began = time.monotonic()
            following.stop()
            # Far below every time-out of the connection, and well above half a second on a busy machine.
            assert time.monotonic() - began < 4
        finally:
            breakable.resume(Part.APISERVER)


def test_a_server_that_is_away_is_named_and_used_again_when_it_is_back(
    breakable: Sandbox, kube: KubeCluster, configmaps: Resource, namespace: str
) -> None:
    one(kube, configmaps, configmap(namespace))
    breakable.kill(Part.APISERVER)
    try:
        for ask in (
            lambda: kube.read(configmaps, namespace, "web"),
            lambda: kube.apply([(configmaps, configmap(namespace))]),
            lambda: kube.resource("example.com/v1", "Unknown"),
            lambda: kube.create(configmaps, namespace, configmap(namespace, "x")),
        ):
            with pytest.raises(Transient, match=f"{breakable.home.api_url}.*Connection refused") as raised:
                ask()
            assert raised.value.reason is Reason.CLUSTER_UNREACHABLE
    finally:
        breakable.restart(Part.APISERVER)
    assert kube.read(configmaps, namespace, "web") is not None


def test_followers_of_a_dead_server_end_promptly(
    breakable: Sandbox, kube: KubeCluster, configmaps: Resource, namespace: str
) -> None:
    with Following(kube, configmaps, namespace=namespace) as following:
        breakable.kill(Part.APISERVER)
        try:
            began = time.monotonic()
            following.stop()
            assert time.monotonic() - began < 4
        finally:
            breakable.restart(Part.APISERVER)
