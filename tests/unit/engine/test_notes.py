"""What is told of a run: news only, and each in words that stand alone."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.engine.keys import Key
from reconciler.engine.notes import Note, notes
from reconciler.engine.progress import Progress
from reconciler.engine.status import application_status
from reconciler.model.application import ApplicationStatus
from reconciler.model.drift import Drift, DriftClass
from reconciler.model.health import HEALTHY, Health, Level
from reconciler.model.identity import ObjectId
from reconciler.model.outcome import Reason, StageError, Terminal
from reconciler.model.rendered import ReadSet, Rendered
from reconciler.model.revision import Revision

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WEB = ObjectId("apps", "Deployment", "a", "web")
DRIFT = Drift(WEB, DriftClass.CHANGED, "/spec/replicas", 2, 5, "kubectl-edit", "Update", NOW)


def run(
    before: ApplicationStatus, error: StageError | None = None, **known: object
) -> tuple[list[Note], ApplicationStatus]:
    progress = Progress(
        Key("Application", "a", "web"), revision=Revision("main", "a" * 40), compared=True, complete=True
    )
    progress.rendered = Rendered((), "digest", "key", ReadSet({}), "plain")
    progress.health = {WEB: HEALTHY}
    for name, value in known.items():
        setattr(progress, name, value)
    after = application_status(before, progress, error, False, NOW)
    return notes(before, after, progress, error), after


def test_a_first_deployment_tells_what_was_created_and_that_it_is_ready() -> None:
    told, _ = run(ApplicationStatus(), created=[WEB])
    assert [(note.warning, note.reason) for note in told] == [(False, Reason.PROGRESSING), (False, Reason.SUCCEEDED)]
    assert "created Deployment.apps/a/web" in told[0].message


def test_a_run_without_news_tells_nothing() -> None:
    _, after = run(ApplicationStatus(), created=[WEB])
    told, _ = run(after)
    assert told == []


def test_the_same_failure_is_told_once() -> None:
    failure = Terminal(Reason.RENDER_FAILED, "apps/web.yaml:3: no such field")
    first, after = run(ApplicationStatus(), failure)
    again, _ = run(after, failure)
    assert [note.reason for note in first] == [Reason.RENDER_FAILED]
    assert first[0].warning and again == []


def test_drift_is_told_with_field_author_time_and_both_values_and_that_it_was_put_back() -> None:
    _, well = run(ApplicationStatus(), created=[WEB])
    told, _ = run(well, drift=[DRIFT], corrected=[DRIFT], changed=[WEB])
    assert [note.reason for note in told] == [Reason.DRIFT_DETECTED, Reason.DRIFT_CORRECTED]
    for word in ("/spec/replicas", "kubectl-edit", "2026-01-02T03:04:05Z", "2", "5", str(WEB)):
        assert word in told[0].message


def test_what_was_pruned_is_named() -> None:
    _, well = run(ApplicationStatus(), created=[WEB])
    told, _ = run(well, pruned=[WEB._replace(name="old")])
    assert [note.reason for note in told] == [Reason.PRUNED]
    assert "Deployment.apps/a/old" in told[0].message


def test_getting_unwell_is_a_warning_and_getting_well_is_not() -> None:
    _, well = run(ApplicationStatus(), created=[WEB])
    down, unwell = run(well, health={WEB: Health(Level.DEGRADED, "crash loop")})
    up, _ = run(unwell)
    assert [(note.warning, note.reason) for note in down] == [(True, Reason.DEGRADED)]
    assert [(note.warning, note.reason) for note in up] == [(False, Reason.SUCCEEDED)]
