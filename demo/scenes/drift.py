"""Somebody changes the cluster past Git."""

from __future__ import annotations

from demo.stage import NAMESPACE, Stage


def somebody_edits_a_live_object(stage: Stage) -> None:
    narrator = stage.narrator
    narrator.scene("Somebody edits a live object by hand; it is named and mended")
    narrator.say("kubectl edit deployment web   # image: nginx:latest")
    stage.set_image_by_hand("web", "nginx:latest")
    entry = narrator.until("the drift is seen", lambda: _entry(stage))
    narrator.check(
        f"it is named: {entry['field']} was {entry['live']}, set by {entry['manager']}",
        entry["live"] == "nginx:latest" and entry["manager"] == "kubectl-edit",
    )
    narrator.until("the Deployment runs nginx:1.29.4 again", lambda: stage.image("web") == "nginx:1.29.4")
    narrator.until("web-staging is Healthy again", lambda: stage.ready("web-staging"))
    stage.shown("drift", "-n", NAMESPACE)


def _entry(stage: Stage) -> dict[str, str] | None:
    found = stage.status("web-staging").get("drift") or []
    return next((entry for entry in found if "image" in entry["field"]), None)
