"""One Rollout on the real controller, and a gate that answers what the test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from somebody import Somebody
from team import eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.core.progressive.ended import ended_by_hand
from reconciler.core.progressive.seen import see
from reconciler.model.change import Answer, Refusal, Resource
from reconciler.model.rollout import Asked, Decision, Limits, RolloutSeen, Wish
from strategies.rollout import blue_green, canary

STEPS = {"canary": {"steps": [{"setWeight": 50}, {"pause": {}}, {"pause": {}}, {"setWeight": 80}, {"pause": {}}]}}
JUDGED = {
    "canary": {"steps": [{"setWeight": 50}, {"analysis": {"templates": [{"templateName": "gate"}]}}, {"pause": {}}]}
}
SWITCH = {
    "blueGreen": {
        "activeService": "active",
        "previewService": "preview",
        "autoPromotionEnabled": False,
        "scaleDownDelaySeconds": 1,
    }
}


def until_seen(
    read: Callable[[], RolloutSeen], wanted: Callable[[RolloutSeen], object], within: float = 60.0
) -> RolloutSeen:
    """Wait until what `read` finds is observed by Argo Rollouts and as wanted; fails with what is there instead."""

    def look() -> RolloutSeen | None:
        seen = read()
        return seen if seen.observed and wanted(seen) else None

    return eventually(look, within, read)


class Walk:
    """A Rollout `web` in a namespace of its own, driven as the engine drives one."""

    def __init__(self, kube: KubeCluster, somebody: Somebody, namespace: str) -> None:
        self.kube = kube
        self.namespace = namespace
        self._somebody = somebody

    def starts(self, strategy: dict[str, Any], *beside: dict[str, Any], replicas: int = 2) -> RolloutSeen:
        """The first version, walked out."""
        self.put(*beside, rollout("1", strategy, replicas))
        return self.until(lambda seen: seen.promoted and seen.phase == "Healthy")

    def brings(self, version: str, strategy: dict[str, Any], replicas: int = 2) -> None:
        self.put(rollout(version, strategy, replicas))

    def put(self, *documents: dict[str, Any]) -> None:
        for document in documents:
            own = {**document, "metadata": {"namespace": self.namespace, **document["metadata"]}}
            (answer,) = self.kube.apply([(self.resource(document["kind"], document["apiVersion"]), own)])
            assert not isinstance(answer, Refusal), answer

    def live(self, kind: str = "Rollout", name: str = "web", version: str = "argoproj.io/v1alpha1") -> dict[str, Any]:
        found = self.kube.read(self.resource(kind, version), self.namespace, name)
        assert found is not None
        return found

    def seen(self) -> RolloutSeen:
        document = self.live()
        hash = (document.get("status") or {}).get("currentPodHash", "")
        selector = f"rollouts-pod-template-hash={hash}"
        runs = self.kube.listing(self.resource("AnalysisRun"), self.namespace, selector=selector) if hash else ()
        return see(document, ended_by_hand(document, runs))

    def until(self, wanted: Any, within: float = 60.0) -> RolloutSeen:
        """Wait until the Rollout is observed and as wanted."""
        return until_seen(self.seen, wanted, within)

    def until_paused(self, reason: str, step: int | None) -> RolloutSeen:
        return self.until(lambda seen: (seen.pause, seen.step) == (reason, step))

    def patch(self, patch: Any) -> Answer:
        return self.kube.patch(self.resource("Rollout"), self.namespace, "web", patch, "status")

    def somebody_patches(self, patch: dict[str, Any], kind: str = "Rollout", name: str = "web/status") -> None:
        self._somebody.edits(self.resource(kind), self.namespace, name, patch)

    def resource(self, kind: str, version: str = "argoproj.io/v1alpha1") -> Resource:
        return eventually(lambda: self.kube.resource(version, kind))


def decided(seen: RolloutSeen, *asked: Asked, now: datetime | None = None, limits: Limits | None = None) -> Decision:
    decide = blue_green.decide if seen.strategy == "blueGreen" else canary.decide
    return decide(seen, asked, limits or Limits(), now or datetime.now(UTC))


def wish(seen: RolloutSeen, kind: Wish) -> Asked:
    """What a person asks who looks at the Rollout now."""
    step = seen.step if kind is Wish.PROMOTE else None
    return Asked("asked", kind, seen.uid, seen.pod_hash, step, "alice", datetime.now(UTC))


def rollout(version: str, strategy: dict[str, Any], replicas: int) -> dict[str, Any]:
    pod = {"containers": [{"name": "web", "image": f"nginx:{version}"}]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
            "strategy": strategy,
        },
    }


def service(name: str) -> dict[str, Any]:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


class Gate:
    """An endpoint like Dispatch's own: always 200, with a verdict."""

    def __init__(self, port: int) -> None:
        self.verdict = "wait"
        self._url = f"http://127.0.0.1:{port}/"

    def template(self, patient: bool = True) -> dict[str, Any]:
        """An AnalysisTemplate `gate` that asks it; one that is not patient takes `wait` for an end without a result."""
        never = 2147483647
        waits = {"count": never, "inconclusiveLimit": never, "consecutiveErrorLimit": never}
        metric = {
            "name": "gate",
            "interval": "1s",
            "successCondition": 'result == "pass"',
            "failureCondition": 'result == "fail"',
            "provider": {"web": {"url": self._url, "jsonPath": "{$.verdict}"}},
            **({**waits, "consecutiveSuccessLimit": 1} if patient else {"count": 1}),
        }
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisTemplate",
            "metadata": {"name": "gate"},
            "spec": {"metrics": [metric]},
        }


@contextmanager
def serving() -> Iterator[Gate]:
    """A gate on a free port of the loopback."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"verdict": gate.verdict}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        gate = Gate(server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield gate
        server.shutdown()
