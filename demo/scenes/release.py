"""From a push of CI to production, untouched by hand but for two reviews."""

from __future__ import annotations

from typing import Any

from demo.release import PRODUCTION, STAGING, TEAM, Release
from demo.stage import Stage

LOG = "git log --format='%an: %s' main"
_FIRST = "1.0.0"


def team_b_is_there(stage: Stage) -> None:
    narrator, release = stage.narrator, Release(stage)
    narrator.scene("Another team: a repository in Gitea, images in a registry, a channel in Slack")
    narrator.say("Gitea and the registry are real. Slack cannot run here: examples/promotion/slack.py answers for it.")
    release.make_town()
    release.open_channel()
    release.write_config(release.build(_FIRST, "3d4e5f"))
    commit = release.push("The store, in staging and in production")
    stage.example("promotion/town.py", "protect", str(release.town))
    promotion = (release.config / "dispatch/promotion.yaml").read_text()
    narrator.shows("sed -n '/^spec/,$p' dispatch/promotion.yaml", promotion[promotion.index("spec:") :])
    release.apply()
    narrator.until(f"{STAGING} is Healthy", lambda: stage.ready(STAGING, commit, TEAM))
    narrator.until(f"{PRODUCTION} is Healthy", lambda: stage.ready(PRODUCTION, commit, TEAM))
    for name in ("feed", "promotion"):
        stage.apply(release.config / "dispatch" / f"{name}.yaml")
    stage.open_shop("production", "store")
    narrator.until("production has what staging runs", lambda: release.on_its_way().get("state") == "Current")


def an_image_becomes_a_pull_request(stage: Stage) -> None:
    narrator, release = stage.narrator, Release(stage)
    narrator.scene("CI pushes an image; proven in staging, it becomes a pull request to production")
    release.build("1.1.0", "8c1a27")
    release.hand_over("1.1.0")
    narrator.until("1.1.0 is live in staging", lambda: stage.pods("store", "staging") == {"1.1.0": 2})
    state = propose(stage, "1.1.0")
    request = release.request(state["number"])
    narrator.say(f"{request['html_url']}, by {request['user']['login']}:")
    for line in [request["title"], "", *request["body"].splitlines()]:
        narrator.say(f"| {line}")
    narrator.check("production still wants 1.0.0", release.wanted("production") == _FIRST)
    narrator.until("the channel hears of it", lambda: "is ready for production" in release.channel())
    narrator.shows("curl $SLACK", release.channel())


def two_people_approve_it(stage: Stage) -> None:
    narrator, release = stage.narrator, Release(stage)
    narrator.scene("Two people approve it; it merges itself, and customers get it by canary")
    state = release.on_its_way()
    release.approve(state["number"])
    merge(stage, state["number"])
    one_pod(stage, "1.1.0")
    stage.shown("rollout", "status", PRODUCTION, "-n", TEAM)
    narrator.until("all five pods are 1.1.0", lambda: stage.pods("store", "production") == {"1.1.0": 5})
    commit = str(release.request(state["number"])["merge_commit_sha"])
    narrator.until("the channel hears of it", lambda: f"{commit[:7]} promoted" in release.channel())
    narrator.shows("curl $SLACK", release.channel())
    narrator.shows(LOG, release.log(4))


def propose(stage: Stage, tag: str) -> dict[str, Any]:
    """The environment once the pull request is there."""
    release = Release(stage)
    seen = stage.narrator.until(
        f"staging is Ready, and a pull request proposes {tag}", lambda: release.proposed(tag), 90, release.on_its_way
    )
    stage.shown("promotion", "explain", "store", "-n", TEAM)
    return seen


def merge(stage: Stage, number: int) -> None:
    release = Release(stage)
    stage.narrator.until(
        "staging has held for 5 s, both reviews count, and it has merged itself",
        lambda: release.request(number)["merged"],
        90,
        release.on_its_way,
    )


def one_pod(stage: Stage, tag: str) -> None:
    stage.narrator.until(
        f"one pod of five in production is {tag}", lambda: stage.pods("store", "production").get(tag) == 1
    )
