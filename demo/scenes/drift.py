"""Somebody changes the cluster past Git."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demo.stage import NAMESPACE, Stage


def somebody_edits_a_live_object(stage: Stage) -> None:
    narrator = stage.narrator
    narrator.scene("Somebody edits a live object by hand; it is named and mended")
    narrator.say("kubectl edit deployment web   # image: nginx:latest")
    _edit(stage, "web", "nginx:latest")
    entry = narrator.until("the drift is seen", lambda: _entry(stage))
    narrator.check(
        f"it is named: {entry['field']} was {entry['live']}, set by {entry['manager']}",
        entry["live"] == "nginx:latest" and entry["manager"] == "kubectl-edit",
    )
    narrator.until("the Deployment runs nginx:1.29.4 again", lambda: stage.image("web") == "nginx:1.29.4")
    narrator.until("web-staging is Healthy again", lambda: stage.ready("web-staging"))
    stage.shown("drift", "-n", NAMESPACE)


def _edit(stage: Stage, deployment: str, image: str) -> None:
    """Past Git, with another client and under its name, as `kubectl edit` does it."""
    from kubernetes import client, config

    containers = [{"name": deployment, "image": image}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    connect: Callable[[str], Any] = config.new_client_from_config
    with connect(str(stage.kubeconfig)) as connection:
        client.AppsV1Api(connection).patch_namespaced_deployment(
            deployment, "staging", patch, field_manager="kubectl-edit"
        )


def _entry(stage: Stage) -> dict[str, str] | None:
    found = stage.status("web-staging").get("drift") or []
    return next((entry for entry in found if "image" in entry["field"]), None)
