"""What is true of every decision, whatever the input."""

from __future__ import annotations

import copy
import json
import random
from base64 import b64encode
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.backoff import delay
from reconciler.core.compare import covers
from reconciler.core.content import content_digest, digest
from reconciler.core.diff import differences, unified
from reconciler.core.mask import mask, mask_pair
from reconciler.core.order import defines, removal_order, stages, wave
from reconciler.core.ownership import same
from reconciler.core.prune import Member, to_prune
from reconciler.model.application import Sync
from reconciler.model.identity import GroupKind, ObjectId
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.outcome import Terminal

NAMES = st.sampled_from(["a", "b", "web", "app.kubernetes.io/name", "env", "ports", "data", "x~y"])
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=4), max_leaves=12
)
BODIES = st.dictionaries(NAMES, VALUES, max_size=5)

KINDS = [
    ("v1", "Namespace"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("v1", "ConfigMap"),
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("example.com/v1", "Backup"),
    ("apiregistration.k8s.io/v1", "APIService"),
]


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    api_version, kind = draw(st.sampled_from(KINDS))
    metadata: dict[str, Any] = {
        "name": draw(st.sampled_from("abcd")),
        "namespace": draw(st.sampled_from(["", "x", "y"])),
    }
    if draw(st.booleans()):
        metadata["annotations"] = {"dispatch.dev/wave": str(draw(st.integers(-2, 2)))}
    return Manifest({"apiVersion": api_version, "kind": kind, "metadata": metadata}, Origin("f.yaml", 1))


IDS = st.builds(
    ObjectId,
    st.sampled_from(["", "apps", "example.com"]),
    st.sampled_from(["Namespace", "ConfigMap", "Deployment", "Backup"]),
    st.sampled_from(["", "x", "y"]),
    st.sampled_from([f"n{number}" for number in range(20)]),
)
MEMBERS = st.lists(st.builds(Member, IDS, st.just("u"), st.booleans(), st.booleans()), max_size=40)


def shuffled(value: Any, seed: int) -> Any:
    """The same JSON with the keys of every map in another order."""
    if isinstance(value, dict):
        keys = list(value)
        random.Random(seed).shuffle(keys)
        return {key: shuffled(value[key], seed) for key in keys}
    return [shuffled(item, seed) for item in value] if isinstance(value, list) else value


@given(st.lists(manifests(), max_size=15))
def test_staging_loses_nothing_and_adds_nothing(given_manifests: list[Manifest]) -> None:
    staged = [manifest for stage in stages(given_manifests) for manifest in stage]
    assert sorted(map(id, staged)) == sorted(map(id, given_manifests))


@given(st.lists(manifests(), max_size=15, unique_by=lambda manifest: manifest.id), st.randoms())
def test_staging_does_not_depend_on_the_order_of_files(given_manifests: list[Manifest], chance: random.Random) -> None:
    moved = list(given_manifests)
    chance.shuffle(moved)
    assert stages(moved) == stages(given_manifests)


@given(st.lists(manifests(), max_size=15))
def test_a_namespace_comes_before_all_that_lives_in_it(given_manifests: list[Manifest]) -> None:
    staged = stages(given_manifests)
    place = {id(manifest): number for number, stage in enumerate(staged) for manifest in stage}
    for namespace in (manifest for manifest in given_manifests if manifest.kind == "Namespace"):
        for manifest in given_manifests:
            if manifest.id.namespace == namespace.id.name and not defines(manifest):
                assert place[id(namespace)] < place[id(manifest)]


@given(st.lists(manifests(), max_size=15))
def test_within_a_stage_all_define_or_none_does_and_waves_never_fall(given_manifests: list[Manifest]) -> None:
    highest: int | None = None
    for stage in stages(given_manifests):
        assert stage
        assert len({defines(manifest) for manifest in stage}) == 1
        if not defines(stage[0]):
            waves = {wave(manifest) for manifest in stage}
            assert len(waves) == 1
            assert highest is None or min(waves) > highest
            highest = max(waves)


@given(st.lists(IDS, unique=True))
def test_removal_is_a_permutation_with_namespaces_last(ids: list[ObjectId]) -> None:
    ordered = removal_order(ids)
    assert sorted(ordered) == sorted(ids)
    core_namespaces = [id.group_kind == GroupKind("", "Namespace") for id in ordered]
    assert core_namespaces == sorted(core_namespaces)


@given(MEMBERS, st.lists(IDS, max_size=10), st.booleans())
def test_prune_never_names_what_is_wanted_owned_kept_or_foreign(
    members: list[Member], wanted: list[ObjectId], enabled: bool
) -> None:
    contained = {GroupKind("", "ConfigMap"), GroupKind("apps", "Deployment"), GroupKind("", "Namespace")}
    deleted = [change.id for change in to_prune(members, wanted, Sync(prune=enabled, prune_limit="100%"), contained)]
    assert enabled or not deleted
    spared = {member.id for member in members if not (member.controlled or member.keep)}
    assert set(deleted) <= spared - set(wanted)
    assert {id.group_kind for id in deleted} <= contained
    assert len(deleted) == len(set(deleted))


@given(MEMBERS, st.integers(0, 100), st.booleans())
def test_prune_stays_within_its_limit_or_does_nothing(members: list[Member], limit: int, share: bool) -> None:
    contained = {member.id.group_kind for member in members}
    policy = Sync(prune_limit=f"{limit}%" if share else str(limit))
    try:
        count = len(to_prune(members, [], policy, contained))
    except Terminal:
        return
    assert count <= (max(10, limit * len(members) / 100) if share else limit)


@given(BODIES)
def test_an_object_covers_itself_and_differs_from_itself_by_nothing(body: dict[str, Any]) -> None:
    document = {"apiVersion": "example.com/v1", "kind": "X", **body}
    other = copy.deepcopy(document)
    assert covers(document, other)
    assert differences(document, other) == []
    assert unified(document, other, title="x") == ""


@given(BODIES, BODIES)
def test_differences_and_the_unified_diff_agree_with_equality(one: dict[str, Any], other: dict[str, Any]) -> None:
    equal = same(one, other)
    assert (differences(one, other) == []) is equal
    assert (unified(one, other, title="x") == "") is equal


@given(BODIES, BODIES)
def test_what_others_add_to_a_map_is_covered_and_what_they_take_is_not(
    wanted: dict[str, Any], more: dict[str, Any]
) -> None:
    wanted = {"apiVersion": "example.com/v1", **wanted}
    assert covers({**more, **wanted}, wanted)
    for name, value in wanted.items():
        without = {other: kept for other, kept in wanted.items() if other != name}
        if name != "apiVersion":
            assert covers(without, wanted) is (value is None)


@given(BODIES, st.integers())
def test_digests_do_not_depend_on_the_order_of_keys(body: dict[str, Any], seed: int) -> None:
    assert digest(body) == digest(shuffled(body, seed))
    live = {"metadata": {"name": "x", "resourceVersion": str(seed)}, "spec": body, "status": seed}
    later = {"spec": shuffled(body, seed), "metadata": {"resourceVersion": "other", "name": "x"}}
    assert content_digest(live) == content_digest(later)


@given(BODIES, BODIES)
def test_different_content_has_a_different_digest(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (digest(one) == digest(other)) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


SECRET = "s3cr3t-that-must-not-be-seen"
FIELDS = st.sampled_from(["data", "stringData", "stringdata", "spec", "password"])


@given(FIELDS, BODIES, BODIES, st.booleans())
def test_no_value_of_a_secret_survives_masking(
    field: str, body: dict[str, Any], other: dict[str, Any], encoded: bool
) -> None:
    value = b64encode(SECRET.encode()).decode() if encoded else SECRET
    holder = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, field: {**body, "key": value}}
    for shown in (mask(holder), mask_pair(holder, other), mask_pair(other, holder), mask_pair(holder, holder)):
        assert value not in json.dumps(shown)
    live, wanted = mask_pair(holder, {**holder, field: {"key": "other"}})
    assert value not in unified(live, wanted, title="s")


@given(st.integers(0, 10**9), st.floats(0, 1))
def test_a_delay_is_between_half_and_whole_of_what_it_may_be(failures: int, jitter: float) -> None:
    wait = delay(failures, jitter=jitter)
    whole = delay(failures, jitter=1.0)
    assert whole / 2 <= wait <= whole <= 300
    assert delay(failures + 1, jitter=1.0) >= whole


@given(st.floats(0.01, 10), st.floats(1, 5), st.floats(0.01, 1000), st.integers(1, 50))
def test_a_delay_never_passes_its_most(first: float, factor: float, most: float, failures: int) -> None:
    assert 0 < delay(failures, first=first, factor=factor, most=most, jitter=1.0) <= most
