"""A new version, by a commit."""

from __future__ import annotations

from demo.stage import NAMESPACE, Stage

_OVERLAY = "apps/web/overlays/staging/kustomization.yaml"


def an_image_changes(stage: Stage) -> None:
    narrator = stage.narrator
    narrator.scene("A commit changes an image, and the change is live")
    stage.edit(_OVERLAY, "1.29.3", "1.29.4")
    shown = stage.shown("diff", str(stage.config / "apps/web/overlays/staging"), "-n", "staging", allow=(1,))
    narrator.check(
        "dispatch diff told it before it was merged", "+        image: nginx:1.29.4" in shown or "1.29.4" in shown
    )
    commit = stage.push("web 1.29.4")
    narrator.until("the Deployment runs nginx:1.29.4", lambda: stage.image("web") == "nginx:1.29.4")
    narrator.until("web-staging is Healthy at that commit", lambda: stage.ready("web-staging", commit))
    stage.shown("history", "web-staging", "-n", NAMESPACE)
