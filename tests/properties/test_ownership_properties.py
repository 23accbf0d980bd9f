"""In sync, drift and respect, against an apply that is modelled here from KEP-555.

The model knows no schema but this: maps are merged, `items` is a list keyed by `name`, all other lists are replaced.
"""

from __future__ import annotations

import copy
import json
import random
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.core.compare import in_sync, ours_matches
from reconciler.core.content import digest
from reconciler.core.desired import Wanted
from reconciler.core.drift import find, removals
from reconciler.core.managed_fields import leaves
from reconciler.core.pointer import Element, Key, Path, value_at
from reconciler.core.respect import respect
from reconciler.model.application import DriftIgnore
from reconciler.model.change import ABSENT, Resource
from reconciler.model.drift import DriftClass
from reconciler.model.identity import identify
from reconciler.model.manifest import Manifest, Origin

Document = dict[str, Any]
Owned = dict[str, Any]

API_VERSION = "example.com/v1"
FIELDS = st.sampled_from(["a", "b", "c"])
SCALARS = st.integers(0, 3) | st.sampled_from(["x", "y"]) | st.booleans()
ATOMIC = st.lists(SCALARS, max_size=2)
MAPS = st.recursive(
    SCALARS | ATOMIC, lambda below: st.dictionaries(FIELDS, below, min_size=1, max_size=3), max_leaves=6
)


@st.composite
def specs(draw: st.DrawFn) -> Document:
    spec: Document = draw(st.dictionaries(FIELDS, MAPS, max_size=3))
    names = draw(st.lists(st.sampled_from(["one", "two", "three"]), unique=True, max_size=3))
    if names:
        spec["items"] = [{**draw(st.dictionaries(FIELDS, SCALARS, max_size=2)), "name": name} for name in names]
    return spec


def document(spec: Document) -> Document:
    return {
        "apiVersion": API_VERSION,
        "kind": "Thing",
        "metadata": {"name": "t", "namespace": "n", "labels": {"applyset.kubernetes.io/part-of": "applyset-x-v1"}},
        "spec": spec,
    }


def owned_by(value: Any) -> Owned:
    """The field set of an applied value (structured-merge-diff, typed/tofieldset.go)."""
    fields: Owned = {}
    for name, below in value.items():
        if name == "items":
            fields["f:items"] = {f'k:{{"name":"{item["name"]}"}}': {".": {}, **owned_by(item)} for item in below}
        else:
            fields[f"f:{name}"] = owned_by(below) if isinstance(below, dict) and below else {}
    return fields


def applied(spec: Document) -> Document:
    """The live object after Dispatch created it."""
    live = copy.deepcopy(document(spec))
    fields: Owned = {"f:metadata": {"f:labels": {"f:applyset.kubernetes.io/part-of": {}}}}
    if owned_by(spec):
        fields["f:spec"] = owned_by(spec)
    elif spec == {}:
        fields["f:spec"] = {}
    live["metadata"]["managedFields"] = [
        {"manager": "dispatch", "operation": "Apply", "apiVersion": API_VERSION, "fieldsV1": fields}
    ]
    return live


def edited(live: Document, path: Path, value: Any, manager: str) -> Document:
    """The live object after an update by another manager: the field is its alone now."""
    live = copy.deepcopy(live)
    parent = value_at(live, path[:-1])
    parent[path[-1]] = value
    _disown(live["metadata"]["managedFields"][0]["fieldsV1"], path)
    nested: Owned = {}
    for step in reversed(path):
        nested = {_written(step): nested}
    live["metadata"]["managedFields"].append(
        {"manager": manager, "operation": "Update", "apiVersion": API_VERSION, "fieldsV1": nested}
    )
    return live


def _written(step: Element) -> str:
    """A step as managedFields has it."""
    if isinstance(step, str):
        return f"f:{step}"
    assert isinstance(step, Key)
    return f'k:{{"name":"{dict(step.fields)["name"]}"}}'


def _disown(fields: Owned, path: Path) -> None:
    step = path[0]
    name = _written(step)
    if len(path) == 1:
        fields.pop(name, None)
    elif name in fields:
        _disown(fields[name], path[1:])
        if not fields[name]:
            del fields[name]


def as_wanted(wanted: Document) -> Wanted:
    resource = Resource(API_VERSION, "Thing", "things", True)
    return Wanted(identify(wanted), resource, Manifest(wanted, Origin("t.yaml", 1)), digest(wanted))


def editable(live: Document) -> list[Path]:
    """The leaves of our entry that an editor may change: not the keys of items, nor the mark of membership."""
    return sorted(
        (path for path in leaves(live["metadata"]["managedFields"][0]) if path[0] == "spec" and path[-1] != "name"),
        key=str,
    )


@given(specs(), st.integers())
def test_what_was_applied_is_in_sync_in_any_order_of_keys(spec: Document, seed: int) -> None:
    live = applied(spec)
    wanted = shuffled(document(spec), seed)
    assert in_sync(live, wanted)
    assert in_sync(shuffled(live, seed), document(spec))
    assert find(as_wanted(wanted), live, None) == []


@given(specs(), specs())
def test_in_sync_is_never_said_of_another_document(spec: Document, other: Document) -> None:
    one, two = json.dumps(spec, sort_keys=True), json.dumps(other, sort_keys=True)
    assert in_sync(applied(spec), document(other)) == (one == two)
    if one == two:
        assert ours_matches(applied(spec), document(other))


@given(specs(), st.data(), SCALARS)
def test_an_edit_of_a_named_field_is_never_in_sync_and_its_author_is_named(
    spec: Document, data: st.DataObject, value: Any
) -> None:
    live = applied(spec)
    paths = editable(live)
    assume(paths)
    path = data.draw(st.sampled_from(paths))
    before = value_at(live, path)
    assume(json.dumps(before) != json.dumps(value))
    changed = edited(live, path, value, "kubectl-edit")
    assert not in_sync(changed, document(spec))
    (drift,) = find(as_wanted(document(spec)), changed, None)
    assert (drift.kind, drift.wanted, drift.live) == (DriftClass.CHANGED, before, value)
    assert (drift.manager, drift.operation) == ("kubectl-edit", "Update")


@given(specs(), SCALARS)
def test_a_field_that_a_person_added_is_extra_and_its_removal_restores_the_object(spec: Document, value: Any) -> None:
    live = applied(spec)
    changed = edited(live, ("spec", "added"), value, "kubectl-edit")
    drifts = find(as_wanted(document(spec)), changed, None)
    assert [(drift.kind, drift.path) for drift in drifts] == [(DriftClass.EXTRA, "/spec/added")]
    test, remove = removals(drifts, changed)
    assert test == {"op": "test", "path": "/spec/added", "value": value}
    assert remove == {"op": "remove", "path": "/spec/added"}


@given(specs(), specs(), st.data(), SCALARS)
def test_respect_introduces_nothing_and_leaves_the_inputs_alone(
    spec: Document, other: Document, data: st.DataObject, value: Any
) -> None:
    live = applied(other)
    paths = editable(live)
    if paths:
        live = edited(live, data.draw(st.sampled_from(paths)), value, "keda")
    wanted = document(spec)
    rules = [DriftIgnore(fields=(f"/spec/{data.draw(FIELDS | st.just('items'))}",)), DriftIgnore(manager="keda")]
    before = json.dumps([wanted, live])
    sent = respect(wanted, live, data.draw(st.lists(st.sampled_from(rules), max_size=2)))
    assert json.dumps([wanted, live]) == before
    assert set(scalars(sent)) <= set(scalars(wanted)) | set(scalars(live))


@given(specs(), st.data(), SCALARS)
def test_an_ignored_edit_is_no_drift_and_is_not_sent(spec: Document, data: st.DataObject, value: Any) -> None:
    live = applied(spec)
    paths = editable(live)
    assume(paths)
    path = data.draw(st.sampled_from(paths))
    assume(json.dumps(value_at(live, path)) != json.dumps(value))
    changed = edited(live, path, value, "keda")
    rule = DriftIgnore(manager="keda")
    sent = respect(document(spec), changed, [rule])
    assert value_at(sent, path) is ABSENT
    assert find(as_wanted(document(spec)), changed, None, [rule]) == []


def scalars(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    """Each plain value of a document with where it stands; items by their name."""
    if isinstance(value, dict):
        return [found for name, below in value.items() for found in scalars(below, (*path, name))]
    if isinstance(value, list):
        names = [str(item.get("name")) if isinstance(item, dict) else str(place) for place, item in enumerate(value)]
        return [found for name, below in zip(names, value, strict=True) for found in scalars(below, (*path, name))]
    return [(path, json.dumps(value))]


def shuffled(value: Any, seed: int) -> Any:
    """The same JSON with the keys of every map in another order."""
    if isinstance(value, dict):
        keys = list(value)
        random.Random(seed).shuffle(keys)
        return {key: shuffled(value[key], seed) for key in keys}
    return [shuffled(item, seed) for item in value] if isinstance(value, list) else value
