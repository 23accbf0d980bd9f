"""What the strategies write, as the real Argo Rollouts takes it: what is good, bad or neither, and how many pods."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from controller_fixtures import open_cluster
from sandbox_fixtures import fresh_namespace
from shaped_folder import Document, ShapedFolder
from team import eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.core.progressive.weights import may_surge, share
from reconciler.model.change import Refusal
from reconciler.model.strategy import Analysis, Gate
from reconciler.ports import Making
from reconciler.sandbox.platform import Sandbox
from strategies.rollout.analysis import ask, gate

WEB: Document = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
        },
    },
}
JOB = {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "t", "image": "t"}]}}}


class Answers:
    """An HTTP server on loopback that answers each path with the text that was set for it, as JSON."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                outer.asked.append(path)
                body = outer.texts.get(path, "")
                self.send_response(200 if body else 500)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body.encode())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.do_GET()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def vector(self, name: str, *numbers: str) -> str:
        """The address of a Prometheus that answers every query with these numbers."""
        series = [{"metric": {"n": str(place)}, "value": [1, number]} for place, number in enumerate(numbers)]
        answer = {"status": "success", "data": {"resultType": "vector", "result": series}}
        self.texts[f"/{name}/api/v1/query"] = json.dumps(answer)
        return f"{self.url}/{name}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    opened = Answers()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def server(platform: Sandbox) -> Iterator[KubeCluster]:
    opened = open_cluster(platform)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def namespace(platform: Sandbox, server: KubeCluster) -> str:
    return fresh_namespace(platform)


def run(server: KubeCluster, namespace: str, name: str, template: Document, args: dict[str, str]) -> None:
    """An AnalysisRun of the template, as the controller makes one for a step."""
    metrics = template["spec"]["metrics"]
    given = [{"name": arg["name"], "value": args[arg["name"]]} for arg in template["spec"]["args"]]
    document = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"args": given, "metrics": metrics},
    }
    resource = server.resource("argoproj.io/v1alpha1", "AnalysisRun")
    assert resource is not None
    (answer,) = server.apply([(resource, document)])
    assert not isinstance(answer, Refusal), answer


def outcome(server: KubeCluster, namespace: str, name: str) -> str:
    """The phase of the run, or `waits` once a measurement was neither good nor bad (or could not be taken)."""
    resource = server.resource("argoproj.io/v1alpha1", "AnalysisRun")
    assert resource is not None
    status = (server.read(resource, namespace, name) or {}).get("status") or {}
    result = (status.get("metricResults") or [{}])[0]
    if status.get("phase") in ("Successful", "Failed", "Error", "Inconclusive"):
        return str(status["phase"])
    return "waits" if result.get("inconclusive") or result.get("error") else ""


JUDGED: list[tuple[str, Document, list[str], str]] = [
    ("under-max", {"max": "0.05"}, ["0.01"], "Successful"),
    ("at-max", {"max": "0.05"}, ["0.05"], "Successful"),
    ("over-max", {"max": "0.05"}, ["0.5"], "Failed"),
    ("a-whole-number", {"max": "5"}, ["5.1"], "Failed"),
    ("under-min", {"min": "-1.5"}, ["-2"], "Failed"),
    ("between", {"min": "1", "max": "3"}, ["2"], "Successful"),
    ("one-of-two-is-bad", {"max": "1"}, ["0.5", "3"], "Failed"),
    ("one-of-two-is-no-number", {"max": "1"}, ["0.5", "NaN"], "waits"),
    ("no-traffic", {"max": "1"}, [], "waits"),
    ("nan", {"max": "1"}, ["NaN"], "waits"),
    ("infinite", {"max": "1"}, ["+Inf"], "Failed"),
]


@pytest.mark.parametrize(("name", "bound", "numbers", "expected"), JUDGED, ids=[row[0] for row in JUDGED])
def test_a_number_of_prometheus_is_good_bad_or_neither(
    name: str, bound: Document, numbers: list[str], expected: str, server: KubeCluster, namespace: str, answers: Answers
) -> None:
    metric = {"query": 'rate(x{hash="{{args.hash}}"}[1m])', "address": answers.vector(name, *numbers), **bound}
    analysis = Analysis.model_validate({"prometheus": metric, "interval": "1s"})
    _, (template,) = ask(analysis, name, "here", Making(namespace, "web", ""))
    run(server, namespace, f"p-{name}", template, {"hash": "abc", "stable": "def"})
    assert eventually(lambda: outcome(server, namespace, f"p-{name}")) == expected


def test_an_analysis_passes_after_as_many_good_measurements_as_it_asks_for(
    server: KubeCluster, namespace: str, answers: Answers
) -> None:
    metric = {"query": "x", "address": answers.vector("late"), "max": "1"}
    analysis = Analysis.model_validate({"prometheus": metric, "interval": "1s", "count": 2})
    _, (template,) = ask(analysis, "late", "here", Making(namespace, "web", ""))
    run(server, namespace, "late", template, {"hash": "abc", "stable": "def"})
    assert eventually(lambda: outcome(server, namespace, "late")) == "waits"
    answers.vector("late", "0.5")
    eventually(lambda: outcome(server, namespace, "late") == "Successful")


ANSWERED: list[tuple[str, Document, str, str]] = [
    ("number", {"max": "3", "json_path": "{$.n}"}, '{"n": 2}', "Successful"),
    ("too-many", {"max": "3", "json_path": "{$.n}"}, '{"n": 4}', "Failed"),
    ("text-number", {"min": "3", "json_path": "{$.n}"}, '{"n": "4"}', "Successful"),
    ("null", {"max": "3", "json_path": "{$.n}"}, '{"n": null}', "waits"),
    ("text", {"equals": 'o"k', "json_path": "{$.s}"}, '{"s": "o\\"k"}', "Successful"),
    ("other-text", {"equals": "ok", "json_path": "{$.s}"}, '{"s": "nok"}', "Failed"),
    ("truth", {"equals": "true", "json_path": "{$.s}"}, '{"s": true}', "Successful"),
    ("null-text", {"equals": "ok", "json_path": "{$.s}"}, '{"s": null}', "Failed"),
]


@pytest.mark.parametrize(("name", "judged", "answer", "expected"), ANSWERED, ids=[row[0] for row in ANSWERED])
def test_an_answer_of_the_web_is_good_bad_or_neither(
    name: str, judged: Document, answer: str, expected: str, server: KubeCluster, namespace: str, answers: Answers
) -> None:
    answers.texts[f"/web-{name}"] = answer
    metric = {"url": f"{answers.url}/web-{name}", **judged}
    analysis = Analysis.model_validate({"web": metric, "interval": "1s"})
    _, (template,) = ask(analysis, name, "here", Making(namespace, "web", ""))
    run(server, namespace, f"w-{name}", template, {"hash": "abc", "stable": "def"})
    assert eventually(lambda: outcome(server, namespace, f"w-{name}")) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('{"verdict": "pass"}', "Successful"),
        ('{"verdict": "fail"}', "Failed"),
        ('{"verdict": "wait"}', "waits"),
        ("", "waits"),
    ],
    ids=["pass", "fail", "wait", "no answer"],
)
def test_a_gate_has_three_answers_and_none_is_a_wait(
    said: str, expected: str, server: KubeCluster, namespace: str, answers: Answers, request: pytest.FixtureRequest
) -> None:
    name = f"gate-{request.node.callspec.id.replace(' ', '-')}"
    path = f"/gates/{namespace}/{name}/abc/2"
    if said:
        answers.texts[path] = said
    template = gate(
        Gate.model_validate({"interval": "1s"}), name, "here", Making(namespace, name, f"{answers.url}/gates")
    )
    run(server, namespace, name, template, {"namespace": namespace, "rollout": name, "hash": "abc", "step": "2"})
    assert eventually(lambda: outcome(server, namespace, name)) == expected
    assert path in answers.asked
    if expected == "waits":
        time.sleep(3)
        assert outcome(server, namespace, name) == "waits"


def canary(answers: Answers, most: str = "1") -> Document:
    steps = [
        {"weight": 50},
        {"pause": {"duration": "1s"}},
        {"analysis": {"prometheus": {"query": "x", "address": answers.vector("steps", "0.5"), "max": most}}},
        {
            "analysis": {
                "web": {"url": f"{answers.url}/steps", "jsonPath": "{$.n}", "max": "1"},
                "count": 2,
                "interval": "1s",
            }
        },
        {"analysis": {"job": {"spec": JOB}}},
        {"analysis": {"template": "theirs"}},
        {"gate": {"approval": True, "interval": "1s"}},
        {"pause": {}},
    ]
    return {"canary": {"steps": steps, "maxSurge": "1", "maxUnavailable": "0%", "rollbackWindow": 2}}


def test_every_kind_of_step_is_taken_and_a_new_threshold_restarts_nothing(
    platform: Sandbox, server: KubeCluster, answers: Answers
) -> None:
    answers.texts["/steps"] = '{"n": 0}'
    folder = ShapedFolder(server, fresh_namespace(platform), f"{answers.url}/gates")
    theirs = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "theirs"},
        "spec": {"metrics": [{"name": "q", "provider": {"web": {"url": f"{answers.url}/steps", "jsonPath": "{$.n}"}}}]},
    }
    documents = [WEB, theirs]
    folder.run(documents, canary(answers))
    eventually(lambda: (seen := folder.seen()) is not None and seen.promoted and seen.observed and seen.available == 2)
    newer = json.loads(json.dumps(documents).replace("web:1", "web:2"))
    folder.run(newer, canary(answers))
    eventually(lambda: (seen := folder.seen()) is not None and seen.step == 6, 60, folder.seen)
    seen = folder.seen()
    assert seen is not None and not seen.invalid
    folder.run(newer, canary(answers, most="2"))
    time.sleep(2)
    after = folder.seen()
    assert after is not None and after.observed
    assert (after.step, after.pod_hash, after.invalid) == (6, seen.pod_hash, False)
    answers.texts[f"/gates/{folder.namespace}/web/{seen.pod_hash}/6"] = '{"verdict": "pass"}'
    eventually(lambda: (now := folder.seen()) is not None and now.step == 7 and now.pause, 30, folder.seen)


def test_blue_green_with_analyses_is_taken(platform: Sandbox, server: KubeCluster, answers: Answers) -> None:
    answers.texts["/steps"] = '{"n": 0}'
    folder = ShapedFolder(server, fresh_namespace(platform))
    web = {"web": {"url": f"{answers.url}/steps", "jsonPath": "{$.n}", "max": "1"}, "interval": "1s"}
    strategy = {
        "blueGreen": {
            "before": [web, {"job": {"spec": JOB}}],
            "after": [web],
            "previewReplicas": 1,
            "scaleDownDelay": "1s",
        }
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "name": "http"}]},
    }
    folder.run([WEB, service], strategy)
    eventually(lambda: (seen := folder.seen()) is not None and seen.promoted and seen.observed and seen.available == 2)
    folder.run(json.loads(json.dumps([WEB, service]).replace("web:1", "web:2")), strategy)
    first = folder.seen()
    eventually(
        lambda: (seen := folder.seen()) is not None and seen.promoted and first and seen.pod_hash != first.stable_hash,
        60,
        folder.seen,
    )
    assert folder.service_selects("shop-preview")["app"] == "web"


def test_a_weight_is_as_many_pods_as_was_said(platform: Sandbox, server: KubeCluster) -> None:
    """Every pair of pods wanted and weight, with and without room for one more."""
    namespace = fresh_namespace(platform)
    cases = [
        (replicas, weight, surge)
        for replicas in (1, 2, 3, 5, 7)
        for weight in (5, 33, 50, 90)
        for surge in ({}, {"maxSurge": 0, "maxUnavailable": 1})
    ]
    resource = server.resource("argoproj.io/v1alpha1", "Rollout")
    assert resource is not None

    def send(image: str) -> None:
        documents = [(resource, _walk_out(namespace, number, *case, image)) for number, case in enumerate(cases)]
        for answer in server.apply(documents):
            assert not isinstance(answer, Refusal), answer

    def statuses() -> dict[str, Any]:
        return {each["metadata"]["name"]: each.get("status") or {} for each in server.listing(resource, namespace)}

    send("web:1")
    eventually(lambda: all(each.get("phase") == "Healthy" for each in statuses().values()), 120)
    send("web:2")
    eventually(lambda: all(each.get("phase") == "Paused" for each in statuses().values()), 120)
    found = {name: (each.get("updatedReplicas", 0), each["replicas"]) for name, each in statuses().items()}
    said = {f"w{number}": tuple(share(n, w, may_surge(n, s))) for number, (n, w, s) in enumerate(cases)}
    assert found == said


def _walk_out(namespace: str, number: int, replicas: int, weight: int, surge: Document, image: str) -> Document:
    labels = {"case": f"w{number}"}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": f"w{number}", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}]}},
            "strategy": {"canary": {**surge, "steps": [{"setWeight": weight}, {"pause": {}}]}},
        },
    }
