"""A version that is good, and one that is bad, each walked out by canary and judged by Prometheus."""

from __future__ import annotations

from typing import Any

from demo.stage import NAMESPACE, Stage

_FILE = "apps/shop/deployment.yaml"


def a_good_version_is_promoted(stage: Stage) -> None:
    narrator = stage.narrator
    narrator.scene("A new version is walked out by canary, judged by Prometheus, and promoted")
    stage.take_example("shop")
    narrator.shows("sed -n '/strategy/,$p' dispatch/shop.yaml", stage.strategy("shop"))
    commit = stage.push("The shop, by canary")
    narrator.until("the repository is read", lambda: stage.read(commit))
    stage.apply(stage.config / "dispatch/shop.yaml")
    narrator.until(
        "shop is Healthy; a first version has none to be judged against", lambda: stage.ready("shop", commit)
    )
    stage.open_shop("staging", "shop", "checkout", "checkout-preview")
    narrator.say(
        "Pods of a sandbox run nothing: examples/progressive/shop.py answers in their place, and is its own customer."
    )
    narrator.until("Prometheus counts the customers of 1.0.0", lambda: stage.customers.served("shop", "1.0.0"))
    stage.edit(_FILE, "shop:1.0.0", "shop:2.0.0")
    told = stage.shown("diff", "-f", str(stage.config / "dispatch/shop.yaml"), allow=(1,))
    narrator.check("it says what the merge will start", "starts a canary of 5 steps" in told)
    commit = stage.push("shop 2.0.0")
    narrator.until("one pod of five is 2.0.0", lambda: stage.pods("shop") == {"1.0.0": 4, "2.0.0": 1})
    narrator.until("it serves customers, and Prometheus counts them", lambda: stage.customers.served("shop", "2.0.0"))
    stage.shown("rollout", "status", "shop", "-n", NAMESPACE)
    narrator.until("it is judged good, and given three pods of five", lambda: stage.pods("shop")["2.0.0"] >= 3)
    narrator.until("2.0.0 is promoted, and Git remembers it", lambda: stage.promoted("shop", commit))
    narrator.check("all five pods are 2.0.0", stage.pods("shop") == {"2.0.0": 5})
    stage.shown("rollout", "status", "shop", "-n", NAMESPACE)


def a_bad_version_is_undone(stage: Stage) -> None:
    narrator = stage.narrator
    narrator.scene("A bad version is aborted by its metric, and undone in Git")
    stage.edit(_FILE, "shop:2.0.0", "shop:2.1.0-bad")
    bad = stage.push("shop 2.1.0-bad")
    narrator.until("one pod of five is 2.1.0-bad", lambda: stage.pods("shop").get("2.1.0-bad") == 1)
    share = narrator.until("Prometheus sees its errors", lambda: stage.customers.errors("shop", "2.1.0-bad"))
    narrator.say(f"{share:.0%} of its answers are errors; 5% are allowed.")
    veto = narrator.until("it is aborted, and may not come back", lambda: _veto(stage, bad))
    narrator.say(f"| {veto['why']}")
    narrator.until("the revert is in the repository", lambda: stage.tip() != bad)
    _show_log(stage, 3)
    stage.git("pull", "--quiet", "--rebase", "origin", "main")
    narrator.check("Git wants shop:2.0.0 again", "shop:2.0.0" in (stage.config / _FILE).read_text())
    narrator.until("Git and the cluster agree: shop is Healthy at the revert", lambda: stage.ready("shop", stage.tip()))
    narrator.check("all five pods are 2.0.0", stage.pods("shop") == {"2.0.0": 5})
    stage.shown("rollout", "status", "shop", "-n", NAMESPACE)
    _again(stage)


def _again(stage: Stage) -> None:
    narrator = stage.narrator
    narrator.say("Somebody merges it once more.")
    stage.edit(_FILE, "shop:2.0.0", "shop:2.1.0-bad")
    commit = stage.push("shop 2.1.0-bad, again")
    narrator.until("it is undone at once", lambda: stage.tip() != commit)
    _show_log(stage, 2)
    stage.git("pull", "--quiet", "--rebase", "origin", "main")
    narrator.until("the repository is read", lambda: stage.read(stage.tip()))
    narrator.until("shop is Healthy, and nothing waits", lambda: not _queued(stage) and stage.ready("shop"))
    started = [entry for entry in stage.status("shop")["history"] if entry["revision"].endswith(commit)]
    narrator.check("no pod of it was started", all(entry["result"] != "Applied" for entry in started))


def _show_log(stage: Stage, commits: int) -> None:
    output = stage.git("log", f"-{commits}", "--format=%h %an: %s", "main", at=stage.bare)
    stage.narrator.shows(f"git log -{commits} --format='%h %an: %s'", output)


def _veto(stage: Stage, commit: str) -> dict[str, Any] | None:
    found = stage.status("shop").get("vetoes") or []
    return next((veto for veto in found if veto["revision"].endswith(commit)), None)


def _queued(stage: Stage) -> bool:
    return bool(stage.status("shop").get("queued"))
