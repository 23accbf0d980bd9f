"""What people are told of an Application: one message a revision that follows it, and news only."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.core.notices import Last, Told, candidate_ready, notices
from reconciler.core.standing import standing
from reconciler.model.application_status import (
    ApplicationStatus,
    AppliedRevision,
    DriftEntry,
    HistoryEntry,
    QueuedRevision,
    RevertState,
    RolloutState,
    VetoEntry,
)
from reconciler.model.health import Level
from reconciler.model.notice import Candidate, Notice, NoticeEvent, Subject
from reconciler.model.outcome import Reason
from reconciler.model.resource import Condition, ConditionType

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD, NEW = "a" * 40, "b" * 40
SHOP = Subject("team-a", "shop")


def at(
    commit: str, ready: str, reason: Reason, message: str = "", stalled: bool = False, **more: Any
) -> ApplicationStatus:
    """A status: the commit that was tried, and what `Ready` says."""
    kinds = [(ConditionType.READY, ready), *([(ConditionType.STALLED, "True")] if stalled else [])]
    found = tuple(
        Condition(type=kind, status=status, reason=reason, message=message, last_transition_time=NOW)
        for kind, status in kinds
    )
    tried = AppliedRevision(revision=f"main@sha1:{commit}", digest=commit[:4], at=NOW) if commit else None
    return ApplicationStatus(conditions=found, attempted=tried, applied=tried, **more)


def ready(commit: str, **more: Any) -> ApplicationStatus:
    history = (HistoryEntry(revision=f"main@sha1:{commit}", at=NOW, result="Applied", message="Ada: it", changed=2),)
    return at(commit, "True", Reason.SUCCEEDED, history=history, **more)


def on_its_way(commit: str, **more: Any) -> ApplicationStatus:
    return at(commit, "Unknown", Reason.PROGRESSING, **more)


def rollout(commit: str, decision: str, step: int = 0, message: str = "it moves") -> RolloutState:
    return RolloutState(
        object="Rollout.argoproj.io/p/shop", revision=commit, template="t" + commit[:3], step=step, steps=4,
        decision=decision, message=message,
    )  # fmt: skip


def walk(*statuses: ApplicationStatus, about: Subject = SHOP, last: Last | None = None) -> list[Told]:
    """All that is told on the way through these statuses."""
    found: list[Told] = []
    last = last or Last()
    for before, after in itertools.pairwise(statuses):
        found += notices(about, before, after, last)
        last = last.then(before).then(after)
    return found


def news(told: list[Told]) -> list[tuple[str, str]]:
    return [(each.notice.event.value, each.notice.title.removeprefix("team-a/shop ")) for each in told if each.news]


def test_a_deployment_is_one_message_from_its_beginning_to_its_end() -> None:
    told = walk(ApplicationStatus(), on_its_way(NEW), on_its_way(NEW, objects=3), ready(NEW))
    assert news(told) == [("Deployed", "bbbbbbb is being deployed"), ("Deployed", "bbbbbbb deployed")]
    assert {each.notice.key for each in told} == {f"team-a/shop@{NEW}"}
    assert told[-1].notice.lines == ("Ada: it", "2 changed")


def test_a_deployment_that_is_done_at_once_is_told_once() -> None:
    assert news(walk(ready(OLD), ready(NEW))) == [("Deployed", "bbbbbbb deployed")]


def test_pods_that_come_and_go_are_no_deployment() -> None:
    assert news(walk(ready(OLD), on_its_way(OLD), ready(OLD))) == []


def test_what_turns_bad_and_well_again_is_told_as_that_also_by_way_of_something_between() -> None:
    bad = at(OLD, "False", Reason.DEGRADED, "a pod crashes")
    assert news(walk(ready(OLD), bad, on_its_way(OLD), ready(OLD))) == [
        ("Degraded", "aaaaaaa is not healthy (Degraded)"),
        ("Recovered", "aaaaaaa is well again"),
    ]


def test_a_passing_failure_is_no_news() -> None:
    passing = at(OLD, "False", Reason.SOURCE_UNREACHABLE, "the host does not answer")
    assert news(walk(ready(OLD), passing, ready(OLD))) == []


def test_a_commit_that_cannot_be_deployed_is_told_under_its_own_name() -> None:
    failed = at(OLD, "False", Reason.RENDER_FAILED, "line 3: no such key", stalled=True)
    (told,) = notices(SHOP, ready(OLD), failed, Last(OLD), NEW)
    assert (told.news, told.notice.event, told.notice.commit) == (True, NoticeEvent.FAILED, NEW)
    assert told.notice.lines == ("line 3: no such key",)
    assert notices(SHOP, failed, failed, Last(OLD), NEW) == []
    back = notices(SHOP, failed, ready(OLD), Last(OLD, True), "c" * 40)
    assert news(back) == [("Recovered", "aaaaaaa is well again")]


def test_a_repository_that_lets_nobody_in_any_more_is_told_of_what_is_deployed() -> None:
    denied = at(OLD, "False", Reason.SOURCE_DENIED, "the token has expired", stalled=True)
    assert news(walk(ready(OLD), denied, ready(OLD))) == [
        ("Failed", "aaaaaaa is deployed, and cannot be kept up to date (SourceAuthenticationFailed)"),
        ("Recovered", "aaaaaaa is well again"),
    ]


def test_a_canary_is_one_message_through_its_steps_its_approval_and_its_promotion() -> None:
    told = walk(
        ready(OLD, rollouts=(rollout(OLD, "promoted", 4),)),
        on_its_way(NEW, rollouts=(rollout(NEW, "wait", 0),)),
        on_its_way(NEW, rollouts=(rollout(NEW, "hold", 1, "waits for a person"),)),
        on_its_way(NEW, rollouts=(rollout(NEW, "wait", 2),)),
        ready(NEW, rollouts=(rollout(NEW, "promoted", 4),)),
    )
    assert news(told) == [
        ("Deployed", "bbbbbbb is walked out at step 1 of 4"),
        ("ApprovalWanted", "bbbbbbb somebody must decide at step 2 of 4"),
        ("CanaryStep", "bbbbbbb is walked out at step 3 of 4"),
        ("Deployed", "bbbbbbb promoted"),
    ]
    assert len({each.notice.key for each in told}) == 1


def test_a_rollout_that_only_git_can_mend_asks_nobody_for_an_approval() -> None:
    broken = rollout(NEW, "hold").model_copy(update={"phase": "Degraded"})
    found = standing(SHOP, on_its_way(NEW, rollouts=(broken,)), NEW)
    assert found is not None and found.event is NoticeEvent.DEGRADED


def test_a_gate_that_waits_for_an_approval_asks_for_it_though_argo_says_it_moves() -> None:
    moving = on_its_way(NEW, rollouts=(rollout(NEW, "wait", 2),))
    found = standing(SHOP, moving, NEW)
    assert found is not None and found.event is NoticeEvent.CANARY_STEP
    gated = Subject("team-a", "shop", approvals=frozenset({2}))
    found = standing(gated, moving, NEW)
    assert found is not None and found.event is NoticeEvent.APPROVAL_WANTED
    assert found.lines[-2:] == ("`dispatch rollout promote shop -n team-a`", "`dispatch rollout abort shop -n team-a`")


def test_an_abort_and_its_revert_are_told_in_the_message_of_the_bad_version() -> None:
    veto = VetoEntry(template="tbbb", revision=NEW, why="too many errors", at=NOW)
    aborted = at(NEW, "False", Reason.ROLLOUT_ABORTED, rollouts=(rollout(NEW, "failed", 1, "aborted by x"),))
    undone = ready(
        "c" * 40,
        rollouts=(rollout(OLD, "promoted", 4),),
        vetoes=(veto,),
        revert=RevertState(template="tbbb", commit="c" * 40, state="Pushed", message="Git is back"),
    )
    told = walk(ready(OLD), aborted, undone)
    mine = [each for each in told if each.notice.commit == NEW]
    assert news(mine) == [
        ("Aborted", "bbbbbbb aborted: users have the version before"),
        ("Reverted", "bbbbbbb reverted: Git is back at the good version"),
    ]
    assert mine[-1].notice.lines == ("too many errors", "Git is back")
    at_once = [each for each in walk(ready(OLD), on_its_way(NEW), undone) if each.notice.commit == NEW]
    assert news(at_once)[-2:] == news(mine), "also when one run sees both"


@pytest.mark.parametrize(
    ("message", "lines"),
    [("http://g/pulls/3 is merged", ("http://g/pulls/3 is merged",)), ("", ("http://g/pulls/3",))],
)
def test_the_pull_request_of_a_revert_is_named_once(message: str, lines: tuple[str, ...]) -> None:
    veto = VetoEntry(template="tbbb", revision=NEW, why="too many errors", at=NOW)
    revert = RevertState(template="tbbb", state="Merged", message=message, pull_request="http://g/pulls/3")
    found = standing(SHOP, ready("c" * 40, vetoes=(veto,), revert=revert), NEW)
    assert found is not None and found.lines == ("too many errors", *lines)


def test_the_revert_of_one_version_says_nothing_new_of_an_older_one() -> None:
    vetoes = tuple(VetoEntry(template=f"t{c[:3]}", revision=c, why="bad", at=NOW) for c in (OLD, NEW))
    first = ready("c" * 40, vetoes=vetoes[:1], revert=RevertState(template="taaa", state="Pushed"))
    second = ready("d" * 40, vetoes=vetoes, revert=RevertState(template="tbbb", state="Pushed"))
    assert [each.notice.commit for each in walk(first, second)] == [NEW, NEW, "d" * 40]


def test_a_revision_that_waits_is_told_and_then_deployed_in_the_same_message() -> None:
    queued = QueuedRevision(
        revision=f"main@sha1:{NEW}", running=OLD, reason="RevisionQueued", message="one is under way"
    )
    told = walk(ready(OLD), ready(OLD, queued=queued), on_its_way(NEW))
    assert news(told) == [
        ("RevisionQueued", "bbbbbbb waits, and is not deployed yet"),
        ("Deployed", "bbbbbbb is being deployed"),
    ]
    assert len({each.notice.key for each in told}) == 1


def drift(field: str, corrected: bool = False, live: str = "5") -> DriftEntry:
    return DriftEntry(
        object="Secret/p/keys", field=field, drift="changed", wanted="s3cr3t", live=live, manager="kubectl-edit",
        seen=NOW, corrected=NOW + timedelta(seconds=1) if corrected else None,
    )  # fmt: skip


def test_drift_is_a_message_of_its_own_that_names_fields_and_authors_and_no_values() -> None:
    found = drift("/data/a")
    told = walk(
        ready(OLD), ready(OLD, drift=(found,)), ready(OLD, drift=(found,)), ready(OLD, drift=(drift("/data/a", True),))
    )
    assert news(told) == [
        ("DriftFound", "aaaaaaa has drifted from Git"),
        ("DriftMended", "aaaaaaa had drifted, and is as Git says again"),
    ]
    assert {each.notice.key for each in told} == {f"team-a/shop@{OLD}@drift 2026-01-02"}
    assert told[0].notice.lines == ("/data/a of Secret/p/keys is changed by kubectl-edit",)
    assert "s3cr3t" not in repr(told)


def test_drift_that_is_mended_as_soon_as_it_is_seen_is_told_once() -> None:
    many = tuple(drift(f"/data/{number}", True) for number in range(15))
    told = walk(ready(OLD), ready(OLD, drift=many))
    assert [each.notice.event for each in told] == [NoticeEvent.DRIFT_MENDED]
    assert told[0].notice.lines[-1] == "and 5 more: dispatch drift names them all"


def test_a_change_that_only_says_more_brings_the_message_up_to_date_and_is_no_news() -> None:
    one = at(OLD, "False", Reason.DEGRADED, "one pod crashes", health=Level.DEGRADED)
    two = at(OLD, "False", Reason.DEGRADED, "two pods crash", health=Level.DEGRADED)
    told = walk(ready(OLD), one, two)
    assert [each.news for each in told] == [True, False]


@pytest.mark.parametrize("status", [ApplicationStatus(), at("", "False", Reason.INVALID_SPEC, "bad")])
def test_a_status_without_a_revision_has_no_message(status: ApplicationStatus) -> None:
    assert walk(ApplicationStatus(), status) == []


def test_a_candidate_says_what_changed_which_images_what_is_open_and_who_may_approve() -> None:
    told = candidate_ready(
        Candidate(SHOP, "production", NEW, ("Ada: faster",), ("shop:2@sha256:1",), ("healthy for 10m",), ("sre",), "u")
    )
    assert isinstance(told, Notice)
    assert told.title == "team-a/shop bbbbbbb is ready for production"
    assert told.lines == (
        "Ada: faster",
        "image shop:2@sha256:1",
        "open gate: healthy for 10m",
        "may be approved by sre",
    )
    assert told.key != f"team-a/shop@{NEW}"
