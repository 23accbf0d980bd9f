"""From nothing to two healthy applications."""

from __future__ import annotations

from demo.stage import NAMESPACE, Stage


def a_cluster_is_there(stage: Stage) -> None:
    stage.narrator.scene("A Kubernetes on this machine, without Docker")
    stage.clear()
    stage.sandbox_up()
    stage.shown("install")


def a_config_repository_is_deployed(stage: Stage) -> None:
    narrator = stage.narrator
    narrator.scene("A config repository becomes running applications")
    stage.shown(
        "init",
        str(stage.config),
        "--name",
        "web",
        "--image",
        "nginx:1.29.3",
        "--namespace",
        NAMESPACE,
        "--url",
        f"file://{stage.bare}",
    )
    narrator.say("The Repository is asked every 2 s instead of every minute, so that nobody waits.")
    stage.edit("dispatch/repository.yaml", "interval: 1m", "interval: 2s")
    stage.git("init", "--quiet", "--bare", "--initial-branch=main", str(stage.bare), at=stage.folder)
    stage.git("init", "--quiet", "--initial-branch=main")
    stage.git("remote", "add", "origin", str(stage.bare))
    stage.push("What runs where")
    stage.shown("validate", str(stage.config))
    stage.start_controller()
    for file in ("namespaces", "repository", "staging"):
        stage.apply(stage.config / "dispatch" / f"{file}.yaml")
    narrator.until("cache-staging, a Helm chart, is Healthy", lambda: stage.ready("cache-staging"))
    narrator.until("web-staging, a kustomize overlay, is Healthy", lambda: stage.ready("web-staging"))
    stage.shown("get", "applications", "-n", NAMESPACE)
    stage.shown("tree", "web-staging", "-n", NAMESPACE)
