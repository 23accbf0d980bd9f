"""Two versions side by side, and a person between them."""

from __future__ import annotations

from demo.stage import NAMESPACE, Stage

_PROMOTE = ("rollout", "promote", "checkout", "-n", NAMESPACE)


def somebody_approves_the_switch(stage: Stage) -> None:
    narrator = stage.narrator
    narrator.scene("Blue/green: a preview, an approval, a switch")
    _deploy(stage)
    stage.edit("apps/checkout/deployment.yaml", "checkout:1.0.0", "checkout:1.1.0")
    commit = stage.push("checkout 1.1.0")
    narrator.until("checkout-preview is served by 1.1.0", lambda: stage.customers.served("checkout-preview", "1.1.0"))
    narrator.until("Prometheus finds it quick enough", lambda: stage.judged_before("checkout") == "Successful")
    narrator.until("and it waits for a person", lambda: stage.rollout("checkout").get("decision") == "hold")
    narrator.check("checkout itself is served by 1.0.0 alone", set(stage.customers.behind("checkout")) == {"1.0.0"})
    stage.shown("rollout", "status", "checkout", "-n", NAMESPACE)
    _approve(stage)
    narrator.until("checkout is served by 1.1.0 alone", lambda: set(stage.customers.behind("checkout")) == {"1.1.0"})
    narrator.until("1.1.0 is promoted", lambda: stage.promoted("checkout", commit))
    stage.shown("history", "checkout", "-n", NAMESPACE)
    narrator.until("the pods of 1.0.0 are gone", lambda: stage.pods("checkout") == {"1.1.0": 2})


def _deploy(stage: Stage) -> None:
    stage.take_example("checkout")
    stage.narrator.shows("sed -n '/strategy/,$p' dispatch/checkout.yaml", stage.strategy("checkout"))
    commit = stage.push("The checkout, by blue/green")
    stage.narrator.until("the repository is read", lambda: stage.read(commit))
    stage.apply(stage.config / "dispatch/checkout.yaml")
    stage.narrator.until("checkout is Healthy", lambda: stage.ready("checkout", commit))


def _approve(stage: Stage) -> None:
    narrator = stage.narrator
    narrator.say("Lin may look, Grace may approve too: she has the ClusterRole dispatch-approver.")
    stage.invite("lin", "view")
    stage.invite("grace", "dispatch-approver")
    refused = stage.shown(*_PROMOTE, "--context", "lin", allow=(1, 2))
    narrator.check("Lin is refused, by Kubernetes", "forbidden" in refused.lower())
    stage.shown(*_PROMOTE, "--context", "grace", "--reason", "the preview looks right")
