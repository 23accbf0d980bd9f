"""The cache of live objects: what it keeps, what it drops, whom it wakes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from recorded_rollouts import recorded

from reconciler.core.applyset import PART_OF
from reconciler.engine.live import LiveObjects, Verdict
from reconciler.model.health import Level
from reconciler.model.identity import GroupKind, ObjectId, identify

CONFIG_MAP = GroupKind("", "ConfigMap")


def config_map(name: str, version: int, *, data: str = "1", applyset: str = "ours", uid: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": "a",
            "uid": uid or f"uid-{name}",
            "resourceVersion": str(version),
            "labels": {PART_OF: applyset},
        },
        "data": {"key": data},
    }


def id_of(name: str) -> ObjectId:
    return ObjectId("", "ConfigMap", "a", name)


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def live(woken: list[str]) -> LiveObjects:
    return LiveObjects(woken.append)


def test_an_object_that_the_relist_does_not_name_is_gone(live: LiveObjects, woken: list[str]) -> None:
    live.listing(CONFIG_MAP)
    live.observe(config_map("kept", 1))
    live.observe(config_map("lost", 2))
    live.listed(CONFIG_MAP)
    woken.clear()
    live.listing(CONFIG_MAP)
    live.observe(config_map("kept", 1))
    live.listed(CONFIG_MAP)
    assert live.get(id_of("lost")) is None
    assert live.get(id_of("kept")) is not None
    assert woken == ["ours"]


def test_what_was_written_while_a_list_was_under_way_stays(live: LiveObjects) -> None:
    live.listing(CONFIG_MAP)
    live.observe(config_map("new", 5), agreed="digest")
    live.listed(CONFIG_MAP)
    assert live.get(id_of("new")) is not None


def test_a_verdict_holds_while_only_the_status_moves(live: LiveObjects) -> None:
    live.observe(config_map("x", 1), agreed="wanted")
    moved = config_map("x", 2)
    moved["status"] = {"seen": True}
    live.observe(moved)
    entry = live.get(id_of("x"))
    assert entry is not None and entry.verdict == Verdict("wanted") and entry.resource_version == "2"


def test_a_verdict_falls_when_the_content_moves_and_the_body_is_kept_to_judge(live: LiveObjects) -> None:
    live.observe(config_map("x", 1), agreed="wanted")
    live.observe(config_map("x", 2, data="by hand"))
    entry = live.get(id_of("x"))
    assert entry is not None and entry.verdict is None
    document = entry.document()
    assert document is not None and document["data"] == {"key": "by hand"}


def test_judging_lets_the_body_go(live: LiveObjects) -> None:
    live.observe(config_map("x", 1))
    entry = live.get(id_of("x"))
    assert entry is not None and entry.body is not None
    live.judge(id_of("x"), entry.content, Verdict("wanted"))
    judged = live.get(id_of("x"))
    assert judged is not None and judged.body is None and judged.verdict == Verdict("wanted")


def test_a_verdict_on_content_that_has_moved_meanwhile_is_not_kept(live: LiveObjects) -> None:
    live.observe(config_map("x", 1))
    entry = live.get(id_of("x"))
    assert entry is not None
    live.observe(config_map("x", 2, data="moved"))
    live.judge(id_of("x"), entry.content, Verdict("wanted"))
    after = live.get(id_of("x"))
    assert after is not None and after.verdict is None


def test_a_late_event_does_not_undo_the_answer_to_a_write(live: LiveObjects) -> None:
    live.observe(config_map("x", 7, data="written"), agreed="wanted")
    live.observe(config_map("x", 6, data="before"))
    entry = live.get(id_of("x"))
    assert entry is not None and entry.resource_version == "7" and entry.verdict == Verdict("wanted")


def test_an_object_made_again_under_its_name_is_another_object(live: LiveObjects) -> None:
    live.observe(config_map("x", 7, uid="first"), agreed="wanted")
    live.observe(config_map("x", 9, uid="second"))
    entry = live.get(id_of("x"))
    assert entry is not None and entry.uid == "second" and entry.verdict is None


def test_the_end_of_an_older_object_does_not_remove_the_newer_one(live: LiveObjects) -> None:
    live.observe(config_map("x", 9, uid="second"))
    live.remove(id_of("x"), "first")
    assert live.get(id_of("x")) is not None


def test_the_answer_to_a_write_does_not_bring_back_what_was_deleted_meanwhile(live: LiveObjects) -> None:
    live.remove(id_of("x"), "uid-x")
    live.observe(config_map("x", 7), agreed="wanted")
    assert live.get(id_of("x")) is None


def test_an_object_that_lost_its_label_comes_back_with_it(live: LiveObjects, woken: list[str]) -> None:
    """A watch by label calls both an end, and only the version tells which one it was."""
    live.observe(config_map("x", 5), agreed="wanted")
    live.remove(id_of("x"), "uid-x", "6")
    assert live.get(id_of("x")) is None
    live.observe(config_map("x", 5))
    assert live.get(id_of("x")) is None
    woken.clear()
    live.observe(config_map("x", 7), agreed="wanted")
    entry = live.get(id_of("x"))
    assert entry is not None and entry.resource_version == "7" and woken == ["ours"]


def test_a_late_end_does_not_undo_the_answer_to_the_write_that_came_after_it(live: LiveObjects) -> None:
    live.observe(config_map("x", 7), agreed="wanted")
    live.remove(id_of("x"), "uid-x", "6")
    entry = live.get(id_of("x"))
    assert entry is not None and entry.verdict == Verdict("wanted")


def test_an_object_that_changes_sets_wakes_both(live: LiveObjects, woken: list[str]) -> None:
    live.observe(config_map("x", 1, applyset="ours"))
    woken.clear()
    live.observe(config_map("x", 2, applyset="theirs"))
    assert sorted(woken) == ["ours", "theirs"]
    assert [member.id for member in live.members("theirs")] == [id_of("x")]
    assert live.members("ours") == []


def test_an_event_without_news_wakes_nobody(live: LiveObjects, woken: list[str]) -> None:
    live.observe(config_map("x", 1))
    woken.clear()
    again = config_map("x", 2)
    again["metadata"]["managedFields"] = [{"manager": "somebody"}]
    live.observe(again)
    assert woken == []


def test_the_health_of_what_is_not_there_is_none(live: LiveObjects) -> None:
    live.observe(config_map("x", 1))
    found = live.health([id_of("x"), id_of("y")])
    health = found[id_of("x")]
    assert health is not None and health.level is Level.HEALTHY
    assert found[id_of("y")] is None


def test_waiting_for_a_kind_ends_when_it_is_listed(live: LiveObjects) -> None:
    assert not live.wait_listed([(CONFIG_MAP, "")], within=0)
    live.listing(CONFIG_MAP)
    live.listed(CONFIG_MAP)
    assert live.wait_listed([(CONFIG_MAP, "")], within=0)


def test_a_rollout_whose_template_was_just_applied_is_not_seen_yet_and_its_controller_not_silent(
    live: LiveObjects,
) -> None:
    rollout, deployment = recorded("workload-not-yet-seen"), recorded("workload-not-yet-seen-deployment")
    deployment["metadata"]["managedFields"] = [{"manager": "dispatch", "time": "2026-11-26T09:00:00Z"}]
    for document in (rollout, deployment):
        live.observe(document)
    seen = live.rollout(identify(rollout))
    assert seen is not None
    assert (seen.observed, seen.promoted) == (False, True)
    assert seen.moved == datetime(2026, 11, 26, 9, tzinfo=UTC)
    newest = str(deployment["metadata"]["generation"])
    rollout["metadata"]["annotations"]["rollout.argoproj.io/workload-generation"] = newest
    rollout["status"]["workloadObservedGeneration"] = newest
    rollout["metadata"]["resourceVersion"] += "0"
    live.observe(rollout)
    assert (live.rollout(identify(rollout)) or seen).observed


def test_a_list_of_one_namespace_tells_nothing_of_another(live: LiveObjects) -> None:
    live.listing(CONFIG_MAP, "a")
    live.observe(config_map("here", 1))
    live.listed(CONFIG_MAP, "a")
    live.listing(CONFIG_MAP, "b")
    live.listed(CONFIG_MAP, "b")
    assert live.get(id_of("here")) is not None
    assert live.wait_listed([(CONFIG_MAP, "a"), (CONFIG_MAP, "b")], within=0)
    assert not live.wait_listed([(CONFIG_MAP, "")], within=0)
    live.listing(CONFIG_MAP, "a")
    live.listed(CONFIG_MAP, "a")
    assert live.get(id_of("here")) is None


def test_what_is_no_longer_followed_is_neither_known_nor_listed(live: LiveObjects) -> None:
    live.listing(CONFIG_MAP)
    live.observe(config_map("x", 1))
    live.listed(CONFIG_MAP)
    live.forget(CONFIG_MAP)
    assert live.get(id_of("x")) is None and live.members("ours") == []
    assert not live.wait_listed([(CONFIG_MAP, "")], within=0)
