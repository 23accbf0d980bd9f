"""A bad image that two people approved: taken back from customers and from Git, and it stays away."""

from __future__ import annotations

from typing import Any

from demo.release import PRODUCTION, TEAM, Release
from demo.scenes.release import LOG, merge, one_pod, propose
from demo.stage import Stage

_GOOD, _BAD, _RENAMED = "1.1.0", "1.2.0-bad", "1.2.0"


def a_bad_image_gets_no_further(stage: Stage) -> None:
    narrator, release = stage.narrator, Release(stage)
    narrator.scene("CI pushes a bad image; both approve it, and customers are kept from it")
    release.build(_BAD, "e02b94")
    release.hand_over(_BAD)
    state = propose(stage, _BAD)
    release.approve(state["number"])
    merge(stage, state["number"])
    one_pod(stage, _BAD)
    share = narrator.until("Prometheus sees its errors", lambda: stage.customers.errors("store", _BAD))
    narrator.say(f"{share:.0%} of its answers are errors; 5% are allowed.")
    veto = narrator.until("it is aborted, and may not come back", lambda: _veto(stage))
    narrator.say(f"| {veto['why']}")
    narrator.until(
        "a pull request takes Git back, and has merged itself",
        lambda: release.wanted("production") == _GOOD,
        90,
        lambda: stage.status(PRODUCTION, TEAM).get("revert"),
    )
    narrator.shows(LOG, release.log(4))
    narrator.until(
        "Git and the cluster agree: all five pods are 1.1.0",
        lambda: stage.pods("store", "production") == {_GOOD: 5} and stage.ready(PRODUCTION, "", TEAM),
    )
    stage.shown("history", PRODUCTION, "-n", TEAM)


def it_stays_away(stage: Stage) -> None:
    narrator, release = stage.narrator, Release(stage)
    narrator.scene("It stays away, under another name, too")
    before = len(release.requests())
    release.rename(_BAD, _RENAMED)
    release.hand_over(_RENAMED)
    narrator.until("staging, where nobody aborted it, runs it as 1.2.0", lambda: _staged(stage))
    refused = narrator.until("it is not proposed to production", lambda: _refused(release), 90, release.on_its_way)
    narrator.say(f"| {refused}")
    stage.shown("promotion", "explain", "store", "-n", TEAM)
    narrator.check("there is no new pull request", len(release.requests()) == before)
    narrator.check("production wants 1.1.0, and runs it", release.wanted("production") == _GOOD)
    narrator.until("the channel has all of it", lambda: " reverted" in release.channel())
    narrator.shows("curl $SLACK", release.channel())
    _say_where(stage, release)


def _say_where(stage: Stage, release: Release) -> None:
    good, bad, undone = (f"{release.page}/pulls/{number}" for number in (1, 2, 3))
    stage.to_look_at += [
        f"dispatch promotion explain store -n {TEAM}",
        f"dispatch history {PRODUCTION} -n {TEAM}",
        f"dispatch rollout status {PRODUCTION} -n {TEAM}",
        f"{good}      # the good one; {bad}: the bad one; {undone}: its revert",
        f"# ada's and bob's passwords are in {release.town / 'people.json'}; Gitea is built without its style sheets",
    ]


def _staged(stage: Stage) -> bool:
    return stage.pods("store", "staging") == {_RENAMED: 2}


def _refused(release: Release) -> str:
    state = release.on_its_way()
    here = any(f":{_RENAMED}@" in image for image in state.get("images") or ())
    return str(state["message"]) if here and state["state"] == "Failed" else ""


def _veto(stage: Stage) -> dict[str, Any] | None:
    found = stage.status(PRODUCTION, TEAM).get("vetoes") or []
    return next((veto for veto in found if any(_BAD in image for image in veto["images"])), None)
