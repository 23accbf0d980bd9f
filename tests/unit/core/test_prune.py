"""Nothing is deleted on a guess."""

from __future__ import annotations

import pytest

from reconciler.core.prune import Member, keeps, to_prune
from reconciler.model.application import Sync
from reconciler.model.change import Action
from reconciler.model.identity import GroupKind, ObjectId
from reconciler.model.outcome import Reason, Terminal

CONFIG = GroupKind("", "ConfigMap")
KINDS = {CONFIG, GroupKind("apps", "Deployment"), GroupKind("", "Namespace")}


def config(name: str) -> ObjectId:
    return ObjectId("", "ConfigMap", "n", name)


def members(count: int) -> list[Member]:
    return [Member(config(f"c{number:03}"), uid=f"u{number}") for number in range(count)]


def deleted(having: list[Member], wanted: set[ObjectId], policy: Sync | None = None) -> list[str]:
    return [change.id.name for change in to_prune(having, wanted, policy or Sync(), KINDS)]


def test_what_left_git_is_deleted_guarded_by_its_uid() -> None:
    (change,) = to_prune([Member(config("old"), "u1"), Member(config("new"), "u2")], {config("new")}, Sync(), KINDS)
    assert (change.id, change.action, change.uid, change.manifest) == (config("old"), Action.DELETE, "u1", None)
    assert change.why


def test_what_is_wanted_stays() -> None:
    assert deleted(members(3), {member.id for member in members(3)}) == []


def test_what_a_controller_owns_stays() -> None:
    assert deleted([Member(config("slice"), "u", controlled=True)], set()) == []


def test_a_kind_outside_the_set_stays() -> None:
    """Endpoints carry the labels of their Service and have no owner."""
    assert deleted([Member(ObjectId("", "Endpoints", "n", "web"), "u")], set()) == []


def test_what_opted_out_stays() -> None:
    assert deleted([Member(config("kept"), "u", keep=True)], set()) == []


def test_prune_off_deletes_nothing() -> None:
    assert deleted(members(5), set(), Sync(prune=False)) == []


@pytest.mark.parametrize(
    ("annotations", "kept"),
    [
        ({}, False),
        ({"dispatch.dev/prune": "disabled"}, True),
        ({"dispatch.dev/prune": "enabled"}, False),
        ({"argocd.argoproj.io/sync-options": "Prune=false"}, True),
        ({"argocd.argoproj.io/sync-options": "ServerSideApply=true, Prune=false"}, True),
        ({"argocd.argoproj.io/sync-options": "Prune=confirm"}, True),
        ({"argocd.argoproj.io/sync-options": "PruneLast=true"}, False),
        ({"helm.sh/resource-policy": "keep"}, True),
        ({"kustomize.toolkit.fluxcd.io/prune": "disabled"}, True),
    ],
)
def test_an_object_opts_out_by_annotation(annotations: dict[str, str], kept: bool) -> None:
    assert keeps(annotations) is kept


def test_namespaces_go_last() -> None:
    having = [
        Member(ObjectId("", "Namespace", "", "n"), "u1"),
        Member(config("c"), "u2"),
        Member(ObjectId("apps", "Deployment", "n", "web"), "u3"),
    ]
    assert deleted(having, set()) == ["web", "c", "n"]


def test_a_share_stops_a_run_that_deletes_too_much() -> None:
    having = members(40)
    with pytest.raises(Terminal) as stopped:
        to_prune(having, {member.id for member in having[11:]}, Sync(), KINDS)
    message = stopped.value.message
    assert stopped.value.reason is Reason.PRUNE_LIMIT
    assert "11 of 40" in message
    assert "25%" in message
    assert "ConfigMap/n/c000" in message
    assert "6 more" in message
    assert "sync.pruneLimit to 28% or more" in message


def test_the_share_named_in_the_error_is_enough() -> None:
    having = members(40)
    assert len(deleted(having, {member.id for member in having[11:]}, Sync(prune_limit="28%"))) == 11


def test_a_share_allows_what_is_within_it() -> None:
    having = members(48)
    assert len(deleted(having, {member.id for member in having[12:]})) == 12


def test_a_share_never_stops_ten_or_fewer() -> None:
    assert len(deleted(members(10), set(), Sync(prune_limit="0%"))) == 10


@pytest.mark.parametrize(("limit", "count", "stops"), [("3", 3, False), ("3", 4, True), ("0", 1, True)])
def test_a_number_stops_exactly_above_itself(limit: str, count: int, stops: bool) -> None:
    policy = Sync(prune_limit=limit)
    if not stops:
        assert len(deleted(members(count), set(), policy)) == count
        return
    with pytest.raises(Terminal) as stopped:
        deleted(members(count), set(), policy)
    assert f"set sync.pruneLimit to {count}" in stopped.value.message


def test_what_stays_anyway_does_not_count_against_the_limit() -> None:
    having = [*members(2), *(Member(config(f"kept{number}"), "u", keep=True) for number in range(20))]
    assert len(deleted(having, set(), Sync(prune_limit="2"))) == 2
