"""What `dispatch rollout status` says beside the table; and the table's row."""

from __future__ import annotations

from rollout_documents import NEW, NOW, OLD, application, blue_green, rollout, run, scene

from reconciler.cli.rollout.picture import pictures
from reconciler.cli.rollout.status import details, of_application, row


def test_a_row_says_where_it_is() -> None:
    (canary,) = pictures(scene(), NOW)
    assert row(canary) == (
        "shop/web",
        "Paused",
        "2 of 5: pause until approved",
        "25%",
        "1 of 3, 33%",
        f"{NEW}@4444444444",
        f"{OLD}@3333333333",
        "nginx:1.29.4",
    )


def test_a_row_of_a_promoted_and_of_an_aborted_version_and_of_a_blue_green() -> None:
    over = {"pauseConditions": None, "controllerPause": None}
    done = rollout({"stableRS": NEW, "phase": "Healthy", "currentStepIndex": 5, **over})
    gone = rollout({"abort": True, "abortedAt": "2026-11-26T04:32:30Z", **over})
    (promoted,), (aborted,), (switch,) = (pictures(scene(one), NOW) for one in (done, gone, blue_green()))
    assert row(promoted)[1:4] == ("Healthy", "5 of 5 done", "100%")
    assert row(promoted)[6] == "same"
    assert row(aborted)[1:4] == ("Aborted", "0 of 5 done", "0%")
    assert row(switch)[2:4] == ("3 of 4: pause until approved", "-")


def test_a_rollout_that_argo_has_not_looked_at_is_shown() -> None:
    bare = rollout()
    del bare["status"]
    (found,) = pictures(scene(bare), NOW)
    assert row(found)[1] == "Waiting"
    assert row(found)[5:] == ("-", "-", "")


def test_analyses_and_the_decision_stand_below() -> None:
    (canary,) = pictures(scene(None, run(2, "Running", "0.01", "0.02", successful=2)), NOW)
    assert list(details(canary)) == [
        "\nshop/web: CanaryPauseStep",
        "shop/web: analysis of step 3: Running",
        "  errors: 2 good, 0 bad, 0 unclear, 0 errors; last 0.01, 0.02",
        f"shop/web: Dispatch: hold: version {NEW} at step 2 of 5 waits for a person: `dispatch rollout promote web`",
    ]


def test_what_waits_what_is_vetoed_and_what_was_reverted() -> None:
    of = application(
        queued={"revision": "main@sha1:" + "5" * 40, "reason": "RevisionQueued", "message": "waits for\n444"},
        vetoes=[
            {"template": "t", "images": ["nginx:1"], "revision": "6" * 40, "by": "ada", "why": "login is broken"}
            | {"at": "2026-11-26T04:00:00Z"},
            {"template": "u", "why": "errors", "at": "2026-11-25T04:00:00Z", "revision": "7" * 40},
        ],
        revert={"template": "t", "commit": "8" * 40, "state": "Pushed", "message": "main went back"},
    )
    assert list(of_application(of)) == [
        "queued: main@5555555555: waits for 444",
        "veto: 6666666666 (nginx:1) by ada, 2026-11-26 04:00:00Z: login is broken",
        "veto: 7777777777, 2026-11-25 04:00:00Z: errors",
        "revert: Pushed 8888888888: main went back",
    ]
    opened = application(revert={"template": "t", "pullRequest": "https://git/pulls/3", "state": "Open"})
    assert list(of_application(opened)) == ["revert: Open https://git/pulls/3"]
    assert list(of_application(application())) == []
