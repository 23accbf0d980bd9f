"""The status as a function: what a user reads after each way that a run can end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.engine.keys import Key
from reconciler.engine.progress import Progress
from reconciler.engine.status import application_status
from reconciler.model.application import ApplicationStatus, SyncState
from reconciler.model.drift import Drift, DriftClass
from reconciler.model.health import HEALTHY, Health, Level
from reconciler.model.identity import ObjectId
from reconciler.model.outcome import Blocked, Reason, StageError, Terminal, Transient
from reconciler.model.rendered import ReadSet, Rendered
from reconciler.model.resource import Condition, ConditionType
from reconciler.model.revision import Revision

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WEB = ObjectId("apps", "Deployment", "a", "web")


def finished(**known: object) -> Progress:
    """A run that compared and applied everything."""
    progress = Progress(
        Key("Application", "a", "web"),
        generation=3,
        revision=Revision("main", "a" * 40),
        rendered=Rendered((), "digest", "key", ReadSet({}), "plain"),
        objects=1,
        health={WEB: HEALTHY},
        compared=True,
        complete=True,
    )
    for name, value in known.items():
        setattr(progress, name, value)
    return progress


def ready(status: ApplicationStatus) -> Condition:
    return next(condition for condition in status.conditions if condition.type == "Ready")


def after(
    progress: Progress, error: StageError | None = None, before: ApplicationStatus | None = None, overdue: bool = False
) -> ApplicationStatus:
    return application_status(before or ApplicationStatus(), progress, error, overdue, NOW)


def test_a_healthy_application_is_ready_and_synced() -> None:
    status = after(finished())
    assert (status.sync, status.health, ready(status).status) == (SyncState.SYNCED, Level.HEALTHY, "True")
    assert status.applied is not None and status.applied.digest == "digest"


def test_a_run_that_finds_nothing_new_gives_an_equal_status() -> None:
    first = after(finished())
    later = application_status(first, finished(), None, False, NOW + timedelta(hours=1))
    assert later == first


def test_a_commit_that_renders_the_same_objects_changes_nothing() -> None:
    first = after(finished())
    assert after(finished(revision=Revision("main", "b" * 40)), before=first).applied == first.applied


@pytest.mark.parametrize(
    ("error", "stalled"),
    [
        pytest.param(Terminal(Reason.RENDER_FAILED, "bad"), True, id="terminal"),
        pytest.param(Transient(Reason.SOURCE_UNREACHABLE, "away"), False, id="transient"),
        pytest.param(Blocked(Reason.DEPENDENCY_NOT_READY, "waits", 1), False, id="blocked"),
    ],
)
def test_a_failure_says_why_and_whether_it_will_be_tried_again(error: StageError, stalled: bool) -> None:
    status = after(Progress(Key("Application", "a", "web"), generation=3), error)
    kinds = {condition.type: condition.status for condition in status.conditions}
    assert kinds[ConditionType.READY] == "False"
    assert (ConditionType.STALLED in kinds, ConditionType.RECONCILING in kinds) == (stalled, not stalled)
    assert (ready(status).reason, ready(status).message) == (error.reason, error.message)


def test_a_failed_render_leaves_what_was_applied_and_its_health_in_the_status() -> None:
    good = after(finished())
    broken = Progress(Key("Application", "a", "web"), revision=Revision("main", "b" * 40))
    status = after(broken, Terminal(Reason.RENDER_FAILED, "bad"), before=good)
    assert status.applied == good.applied
    assert status.health is good.health
    assert status.sync is SyncState.UNKNOWN


def test_progressing_is_reconciling_until_the_time_is_over() -> None:
    progress = finished(health={WEB: Health(Level.PROGRESSING, "1 of 2")})
    waiting = after(progress)
    assert ready(waiting).status == "Unknown"
    assert any(condition.type == "Reconciling" for condition in waiting.conditions)
    late = after(progress, overdue=True)
    assert (ready(late).status, ready(late).reason) == ("False", Reason.TIMEOUT)
    assert "1 of 2" in ready(late).message


def test_a_degraded_object_is_named_with_its_reason() -> None:
    status = after(finished(health={WEB: Health(Level.DEGRADED, "crash loop")}))
    assert ready(status).status == "False"
    assert "Deployment.apps/a/web: crash loop" in ready(status).message
    assert status.unhealthy[0].object == str(WEB)


def test_a_manual_application_that_differs_is_out_of_sync_and_says_what_to_do() -> None:
    status = after(finished(pending=[WEB], complete=False))
    assert status.sync is SyncState.OUT_OF_SYNC
    assert "dispatch sync" in ready(status).message
    assert status.applied is None


DRIFT = Drift(WEB, DriftClass.CHANGED, "/spec/replicas", 2, 5, "kubectl-edit", "Update", NOW)


def test_corrected_drift_is_synced_and_stays_on_record() -> None:
    status = after(finished(drift=[DRIFT], corrected=[DRIFT], changed=[WEB]))
    assert status.sync is SyncState.SYNCED
    entry = status.drift[0]
    assert (entry.field, entry.wanted, entry.live, entry.manager) == ("/spec/replicas", "2", "5", "kubectl-edit")
    assert entry.corrected == NOW
    assert after(finished(), before=status).drift == status.drift


def test_drift_that_is_only_reported_is_out_of_sync_and_dated_once() -> None:
    first = after(finished(drift=[DRIFT]))
    again = application_status(first, finished(drift=[DRIFT]), None, False, NOW + timedelta(hours=1))
    assert first.sync is SyncState.OUT_OF_SYNC
    assert again == first


def test_a_fight_names_the_opponent() -> None:
    status = after(finished(drift=[DRIFT], fights=[DRIFT]))
    assert ready(status).reason == Reason.DRIFT_FIGHT
    assert "kubectl-edit" in ready(status).message


def test_the_history_holds_what_changed_newest_first_and_no_repeats_of_a_failure() -> None:
    status = after(finished(created=[WEB]))
    failure = Terminal(Reason.RENDER_FAILED, "bad")
    once = after(Progress(Key("Application", "a", "web")), failure, before=status)
    twice = after(Progress(Key("Application", "a", "web")), failure, before=once)
    assert [entry.result for entry in twice.history] == ["Failed", "Applied"]
    assert (status.history[0].created, status.history[0].changed) == (1, 0)


def test_the_history_is_bounded() -> None:
    status = ApplicationStatus()
    for number in range(30):
        progress = finished(changed=[replace_name(number)])
        status = application_status(status, progress, None, False, NOW + timedelta(seconds=number))
    assert len(status.history) == 10
    assert status.history[0].at > status.history[-1].at


def replace_name(number: int) -> ObjectId:
    return WEB._replace(name=f"web-{number}")


def test_waiting_for_an_earlier_wave_is_not_synced() -> None:
    status = after(finished(waiting_for=[WEB], compared=False, complete=False))
    assert status.sync is SyncState.OUT_OF_SYNC
    assert str(WEB) in ready(status).message


def test_values_are_cut_for_the_status() -> None:
    long = replace(DRIFT, live="x" * 5000)
    assert len(after(finished(drift=[long])).drift[0].live) <= 200
