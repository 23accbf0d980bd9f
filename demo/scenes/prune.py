"""What leaves Git leaves the cluster."""

from __future__ import annotations

from demo.stage import Stage


def a_file_leaves_git(stage: Stage) -> None:
    narrator = stage.narrator
    narrator.scene("A file is removed from Git, and its object is pruned")
    narrator.check("the Service web is there", stage.live("v1", "Service", "web") is not None)
    (stage.config / "apps/web/base/service.yaml").unlink()
    stage.edit("apps/web/base/kustomization.yaml", "- service.yaml\n", "")
    commit = stage.push("web has no Service any more")
    narrator.until("the Service is gone", lambda: stage.live("v1", "Service", "web") is None)
    narrator.check("the Deployment is not touched", stage.image("web") == "nginx:1.29.4")
    narrator.until("web-staging is Healthy at that commit", lambda: stage.ready("web-staging", commit))
