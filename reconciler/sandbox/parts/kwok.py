"""kwok stands in for the kubelets: nodes and pods are real objects with a simulated life."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from reconciler.sandbox import tools
from reconciler.sandbox.api import Api
from reconciler.sandbox.home import Home
from reconciler.sandbox.parts.part import Part, Spec

NODES = ("node-1", "node-2", "node-3")
ANNOTATION = "dispatch.dev/sandbox-pod"
DELAY_ANNOTATION = "dispatch.dev/sandbox-delay"
DEFAULT_DELAY_MS = 15_000
_CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "1000", "ephemeral-storage": "500Gi"}
_KWOK_STAGES = ("node/fast", "node/heartbeat-with-lease", "pod/fast")


def command(home: Home, binary: Path, port: int) -> Sequence[str]:
    return [
        str(binary),
        f"--kubeconfig={home.component_kubeconfig('kwok')}",
        f"--config={home.data('kwok') / 'stages.yaml'}",
        "--manage-all-nodes",
        "--node-lease-duration-seconds=40",
    ]


def prepare(home: Home) -> None:
    (home.data("kwok") / "stages.yaml").write_text(yaml.safe_dump_all(stages()), encoding="utf-8")
    with Api(home) as api:
        for number, name in enumerate(NODES):
            api.apply(node(name, zone="abc"[number % 3]))
            api.merge_status(node(name, zone="") | {"status": {"capacity": _CAPACITY, "allocatable": _CAPACITY}})


def node(name: str, zone: str) -> dict[str, Any]:
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node-role.kubernetes.io/worker": "",
    }
    if zone:
        labels |= {"topology.kubernetes.io/region": "sandbox", "topology.kubernetes.io/zone": f"sandbox-{zone}"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def stages() -> list[dict[str, Any]]:
    """kwok's own stages, those of its pods only for pods without the annotation; then the troubled ones."""
    own = list(_documents())
    for stage in own:
        if stage["metadata"]["name"] in ("pod-ready", "pod-complete"):
            troubled = ["crash", "no-image", "unready", *(["slow"] if stage["metadata"]["name"] == "pod-ready" else [])]
            _select(stage, "NotIn", troubled)
    ready = next(stage for stage in own if stage["metadata"]["name"] == "pod-ready")
    troubles = list(yaml.safe_load_all(Path(__file__).with_name("kwok-stages.yaml").read_text(encoding="utf-8")))
    return [*own, *troubles, _slow(ready)]


def _slow(ready: dict[str, Any]) -> dict[str, Any]:
    stage = copy.deepcopy(ready)
    stage["metadata"]["name"] = "dispatch-pod-slow"
    stage["spec"]["selector"]["matchExpressions"].pop()
    _select(stage, "In", ["slow"])
    stage["spec"]["delay"] = {
        "durationMilliseconds": DEFAULT_DELAY_MS,
        "durationFrom": {"expressionFrom": f'.metadata.annotations["{DELAY_ANNOTATION}"]'},
    }
    return stage


def _select(stage: dict[str, Any], operator: str, values: list[str]) -> None:
    expression = {"key": f'.metadata.annotations["{ANNOTATION}"]', "operator": operator, "values": values}
    stage["spec"]["selector"]["matchExpressions"].append(expression)


def _documents() -> Iterator[dict[str, Any]]:
    for folder in _KWOK_STAGES:
        for path in sorted(tools.share("kwok", f"kustomize/stage/{folder}").glob("*.yaml")):
            for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                if document and document.get("kind") == "Stage":
                    yield document


def ready(home: Home) -> bool:
    if not home.log_says("kwok", "Watch all nodes"):
        return False
    with Api(home) as api:
        return all(_is_ready(api.get(f"/api/v1/nodes/{name}")) for name in NODES)


def _is_ready(seen: dict[str, Any] | None) -> bool:
    conditions = (seen or {}).get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


SPEC = Spec(
    part=Part.KWOK,
    tool="kwok",
    title="kwok's nodes",
    command=command,
    ready=ready,
    needs=(Part.APISERVER,),
    prepare=prepare,
)
