"""A mistake in Git does no harm."""

from __future__ import annotations

from demo.stage import NAMESPACE, Stage


def a_broken_commit_is_refused(stage: Stage) -> None:
    narrator = stage.narrator
    narrator.scene("A broken commit is refused, and what runs stays as it was")
    before = stage.live("apps/v1", "Deployment", "web")
    assert before is not None
    stage.edit("apps/web/base/deployment.yaml", "containerPort: 80", "containerPort: eighty")
    stage.push("a typo in the port")
    refused = narrator.until("web-staging says that it is refused", lambda: stage.condition("web-staging", "False"))
    for line in refused["message"].splitlines():
        narrator.say(f"| {line}")
    narrator.check("the message names the file", "deployment.yaml" in refused["message"])
    after = stage.live("apps/v1", "Deployment", "web")
    narrator.check("the Deployment is the one from before", after is not None and after["spec"] == before["spec"])
    narrator.say("The way back is a revert, in Git like all else.")
    stage.git("revert", "--no-edit", "HEAD")
    stage.git("push", "--quiet", "origin", "main")
    narrator.until("web-staging is Healthy again", lambda: stage.ready("web-staging"))
    stage.shown("get", "applications", "-n", NAMESPACE, "-o", "wide")
