"""A team whose versions are walked out by Argo Rollouts, on a real controller."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from team import Team, config_map, eventually, git

from reconciler.core.ledger import parse, ref_of
from reconciler.model.change import Refusal
from reconciler.model.ledger import Ledger
from reconciler.model.resource import API_VERSION

ROLLOUTS = "argoproj.io/v1alpha1"


def shop(version: str, replicas: int = 2, settings: str = "1") -> dict[str, str]:
    """The files of an application of one Deployment, a Service and a ConfigMap."""
    return {
        "shop/deployment.yaml": f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec:
      containers:
      - {{name: shop, image: 'shop:{version}'}}
""",
        "shop/service.yaml": """apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
""",
        "shop/settings.yaml": config_map("settings", answer=settings),
    }


class Walkers(Team):
    """A team with one application, `shop`, that has a strategy."""

    def start(self, strategy: dict[str, Any], version: str = "1", **spec: Any) -> str:
        """Deploy the first version, and wait until it is promoted; the commit."""
        commit = self.push(shop(version), f"shop {version}")
        self.read_repository()
        self.deploy("shop", "shop", strategy=strategy, **spec)
        self.until_ready("shop", commit, within=60)
        eventually(lambda: self.ledger().promoted, 30, lambda: self.status("shop"))
        return commit

    def release(self, version: str, **more: Any) -> str:
        """Push a new version; the commit."""
        return self.push(shop(version, **more), f"shop {version}")

    def rollout(self, name: str = "shop") -> dict[str, Any]:
        return self.live(ROLLOUTS, "Rollout", name) or {}

    def until_paused(self, step: int, within: float = 60.0) -> dict[str, Any]:
        """Wait until the Rollout stands at this step in a pause; the Rollout."""

        def seen() -> dict[str, Any] | None:
            found = self.rollout()
            status = found.get("status") or {}
            there = status.get("currentStepIndex") == step and status.get("pauseConditions")
            return found if there and not status.get("abort") else None

        return eventually(seen, within, lambda: (self.rollout().get("status"), self.status("shop")))

    def until_stable(self, image: str, within: float = 90.0) -> dict[str, Any]:
        """Wait until this image is what everybody gets, and Dispatch says Ready."""

        def seen() -> dict[str, Any] | None:
            found, status = self.rollout(), self.status("shop")
            mine = found.get("status") or {}
            settled = mine.get("stableRS") and mine.get("stableRS") == mine.get("currentPodHash")
            ready = self.condition("shop").get("status") == "True"
            return status if settled and ready and self.images() == {image} else None

        return eventually(seen, within, lambda: (self.images(), self.rollout().get("status"), self.status("shop")))

    def until_queued(self, reason: str, within: float = 30.0) -> str:
        """Wait until a revision waits for this reason; why."""

        def seen() -> str:
            queued = self.status("shop").get("queued") or {}
            return queued.get("message", "") if queued.get("reason") == reason else ""

        return eventually(seen, within, lambda: self.status("shop"))

    def until_pods(self, images: set[str], within: float = 60.0) -> set[str]:
        """Wait until the pods run exactly these images."""
        return eventually(lambda: self.images() if self.images() == images else set(), within, self.images)

    def images(self) -> set[str]:
        """The images of all pods that are not on their way out."""
        pods = self.cluster.listing(self.resource("v1", "Pod"), self.namespace)
        return {
            container["image"]
            for pod in pods
            if "deletionTimestamp" not in pod["metadata"]
            for container in pod["spec"]["containers"]
        }

    def ask(self, action: str, by: str = "ada", **spec: Any) -> str:
        """What `dispatch rollout` creates, for the version and the step that are there now; its name."""
        rollout = self.rollout()
        status = rollout["status"]
        wish = {
            "application": "shop",
            "action": action,
            "rollout": "shop",
            "uid": rollout["metadata"]["uid"],
            "podHash": status["currentPodHash"],
            "by": by,
            **spec,
        }
        if action == "Promote" and "step" not in wish and status.get("currentStepIndex") is not None:
            wish["step"] = status["currentStepIndex"]
        name = f"{action.lower()}-{secrets.token_hex(3)}"
        metadata = {"name": name, "namespace": self.namespace}
        document = {"apiVersion": API_VERSION, "kind": "RolloutAction", "metadata": metadata, "spec": wish}
        answer = self.cluster.create(self.resource(API_VERSION, "RolloutAction"), self.namespace, document)
        assert not isinstance(answer, Refusal), answer
        return name

    def until_answered(self, name: str, within: float = 30.0) -> dict[str, Any]:
        """Wait until an action is Done or Refused; its status."""

        def seen() -> dict[str, Any] | None:
            status = (self.live(API_VERSION, "RolloutAction", name) or {}).get("status") or {}
            return status if status.get("state") in ("Done", "Refused") else None

        return eventually(seen, within, lambda: self.status("shop"))

    def ledger(self) -> Ledger:
        """What Git remembers."""
        ref = ref_of("default", self.namespace, "shop")
        listed = git("for-each-ref", "--format=%(refname)", ref, at=self.bare)
        return parse(git("log", "-1", "--format=%B", ref, at=self.bare)) if listed else Ledger()

    def head(self, path: str) -> str:
        """A file of the main branch as Git has it now."""
        return git("show", f"main:{path}", at=self.bare)

    def results(self) -> list[tuple[str, str]]:
        """(result, message) of the history, the newest first."""
        return [(entry["result"], entry["message"]) for entry in self.status("shop").get("history") or []]

    def follow_main(self) -> None:
        """Take over what Dispatch has pushed."""
        git("fetch", "--quiet", str(self.bare), "main", at=self.work)
        git("reset", "--quiet", "--hard", "FETCH_HEAD", at=self.work)


class Metric:
    """A web page that an analysis asks: `value` is what it says now; None is an answer 500."""

    def __init__(self) -> None:
        self.value: float | str | None = 0.0
        self.asked = 0
        outer = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                body = json.dumps({"value": outer.value}).encode()
                self.send_response(500 if outer.value is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def analysis(self, **more: Any) -> dict[str, Any]:
        """The step that asks it: good is at most 0.1."""
        web = {"url": self.url, "jsonPath": "{$.value}", "max": "0.1"}
        return {"analysis": {"web": web, "interval": "1s", "count": 2, **more}}


@contextmanager
def metric() -> Iterator[Metric]:
    page = Metric()
    page.start()
    try:
        yield page
    finally:
        page.stop()
