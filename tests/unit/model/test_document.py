"""A document of our kinds: read whole, or refused with every error, each in words and with its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kind_cases import CASES, Case, application, hotfix, repository, whole_application

from reconciler.model.application import Application, Render, SyncMode
from reconciler.model.document import load, read
from reconciler.model.manifest import Origin
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.problem import Path
from reconciler.model.repository import Repository

_HERE = Origin("apps.yaml", 7)


def refused(document: dict[str, Any], lines: Mapping[Path, int] | None = None) -> list[str]:
    with pytest.raises(Terminal) as caught:
        load(document, _HERE, lines)
    assert caught.value.reason is Reason.INVALID_SPEC
    return caught.value.message.splitlines()


def test_a_whole_application_is_read() -> None:
    read = load(whole_application(), _HERE)
    assert isinstance(read, Application)
    assert read.namespace == "staging"
    assert read.spec.source.revision == "v1"
    assert read.spec.render.helm is not None
    assert read.spec.render.helm.value_files == ("values.yaml", "/env/a.yaml")
    assert read.spec.render.helm.values == {"replicas": 2, "nothing": None}
    assert read.spec.sync.mode is SyncMode.MANUAL
    assert read.spec.sync.prune_limit == "5"
    assert read.spec.sync.timeout == 5400
    assert read.spec.drift.ignore[0].fields == ("/spec/replicas",)
    assert read.spec.depends_on == ("cache", "config")


def test_what_is_not_given_has_its_default() -> None:
    read = load(application(), _HERE)
    assert isinstance(read, Application)
    assert read.spec.render == Render()
    assert (read.spec.source.path, read.spec.sync.timeout, read.spec.sync.prune_limit) == (".", 300, "25%")
    found = load(repository(), _HERE)
    assert isinstance(found, Repository)
    assert (found.spec.branch, found.spec.interval, found.spec.credentials_ref) == ("main", 60, None)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_rule_holds(case: Case) -> None:
    found = read(case.document)
    fields = [problem.field for problem in found] if isinstance(found, list) else None
    assert fields == (None if case.field is None else [case.field]), found


def test_every_error_is_told_at_once() -> None:
    document = application()
    document["spec"] = {
        "source": {"repository": "config", "brnch": "main"},
        "sync": {"mode": "automatic", "prune": "yes"},
        "drift": {"ignore": [{}]},
        "prune": True,
    }
    assert refused(document) == [
        "apps.yaml:7: spec.source.brnch: unknown field; there are repository, path, revision",
        "apps.yaml:7: spec.sync.mode: must be Automatic or Manual; did you mean Automatic?",
        "apps.yaml:7: spec.sync.prune: must be true or false, not text",
        "apps.yaml:7: spec.drift.ignore[0]: needs `fields` or `manager`: an empty rule would ignore every drift",
        "apps.yaml:7: spec.prune: unknown field; did you mean spec.sync.prune?",
    ]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ({"source": {"repository": "a", "pth": "x"}}, "spec.source.pth: unknown field; did you mean spec.source.path?"),
        ({"depends_on": []}, "spec.depends_on: unknown field; did you mean spec.dependsOn?"),
        ({"Source": {}}, "spec.Source: unknown field; did you mean spec.source?"),
        ({"valueFiles": []}, "spec.valueFiles: unknown field; did you mean spec.render.helm.valueFiles?"),
        ({"namespace": "a"}, "spec.namespace: unknown field; did you mean spec.destination.namespace?"),
        ({"render": {"kustomise": {}}}, "spec.render.kustomise: unknown field; did you mean spec.render.kustomize?"),
        ({"render": {"kustomize": {"x": 1}}}, "spec.render.kustomize.x: unknown field; there are none here"),
    ],
)
def test_an_unknown_field_names_the_nearest_right_one(wrong: dict[str, Any], meant: str) -> None:
    document = application()
    document["spec"] = {**document["spec"], **wrong}
    assert refused(document) == [f"apps.yaml:7: {meant}"]


def test_a_misspelt_section_and_a_misspelt_label_are_named() -> None:
    document = application()
    document["sepc"] = document.pop("spec")
    document["metadata"]["lables"] = {}
    assert refused(document) == [
        "apps.yaml:7: metadata.lables: unknown field; did you mean metadata.labels?",
        "apps.yaml:7: spec: missing; what a user wants deployed",
        "apps.yaml:7: sepc: unknown field; did you mean spec?",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"apiVersion": "dispatch.dev/v1"}, "apiVersion: must be dispatch.dev/v1alpha1, not 'dispatch.dev/v1'"),
        ({"apiVersion": None}, "apiVersion: missing"),
        ({"kind": None}, "kind: missing"),
        ({"kind": "Aplication"}, "kind: 'Aplication' is no kind of dispatch.dev; did you mean Application?"),
        (
            {"kind": "Pod"},
            "kind: 'Pod' is no kind of dispatch.dev; "
            "the kinds are Application, Repository, RolloutAction, Notifier, Promotion, PromotionAction, Hotfix "
            "and ImageFeed",
        ),
        ({"kind": ["Application"]}, "kind: ['Application'] is no kind of dispatch.dev; did you mean Application?"),
        ({"metadata": None}, "metadata: missing"),
        ({"metadata": []}, "metadata: must be a map of fields, not a list"),
        ({"metadata": {"namespace": "a"}}, "metadata.name: missing"),
    ],
)
def test_what_is_no_document_of_ours_says_why(changes: dict[str, Any], message: str) -> None:
    assert refused({**application(), **changes}) == [f"apps.yaml:7: {message}"]


def test_an_error_has_the_line_of_its_field_or_of_the_nearest_thing_above_it() -> None:
    document = application()
    document["spec"]["sync"] = {"mode": "x", "prune": 1}
    lines: dict[Path, int] = {("spec",): 11, ("spec", "sync"): 14, ("spec", "sync", "mode"): 15}
    document["metadata"] = {}
    told = refused(document, lines)
    assert [line.split(": ")[0:2] for line in told] == [
        ["apps.yaml:7", "metadata.name"],
        ["apps.yaml:15", "spec.sync.mode"],
        ["apps.yaml:14", "spec.sync.prune"],
    ]


def test_an_origin_without_a_line_is_named_without_one() -> None:
    with pytest.raises(Terminal, match=r"^Application team-a/web: spec\.x: unknown field"):
        load({**application(), "spec": {"source": {"repository": "a"}, "x": 1}}, Origin("Application team-a/web"))


@pytest.mark.parametrize("url", ["https://alice:hunter2@h/a", "https://hunter2@h/a", "https://h/a?t=hunter2"])
def test_a_secret_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    document = repository()
    document["spec"]["url"] = url
    told = "\n".join(refused(document))
    assert "Secret that credentialsRef names" in told
    assert "hunter2" not in told


def test_a_value_for_helm_is_not_repeated() -> None:
    document = application()
    document["spec"]["render"] = {"helm": {"values": "password: hunter2"}}
    assert "hunter2" not in "\n".join(refused(document))


def test_a_status_of_a_newer_dispatch_does_not_hide_the_spec() -> None:
    document = application() | {"status": {"health": "Marvellous", "objects": "many"}}
    read = load(document, _HERE)
    assert isinstance(read, Application)
    assert read.status.objects == 0
    known = load(application() | {"status": {"objects": 3, "phase": "new"}}, _HERE)
    assert isinstance(known, Application)
    assert known.status.objects == 3


def test_what_the_server_adds_to_metadata_is_no_error() -> None:
    document = application()
    document["metadata"] |= {
        "uid": "u",
        "generation": 2,
        "resourceVersion": "5",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": "kubectl"}],
        "ownerReferences": [],
        "deletionTimestamp": None,
    }
    read = load(document, _HERE)
    assert (read.metadata.uid, read.metadata.generation) == ("u", 2)


def test_a_date_and_a_nan_are_told_apart_from_json() -> None:
    document = application()
    document["spec"]["render"] = {"helm": {"values": {"a": float("nan")}}}
    assert "put it in quotes" in refused(document)[0]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["metadata", "spec", "status", "spec.source", "spec.sync", "spec.drift", "spec.render"]), _JSON)
def test_no_json_at_any_place_breaks_the_reader(path: str, value: object) -> None:
    document = json.loads(json.dumps(whole_application()))
    *above, last = path.split(".")
    place = document
    for part in above:
        place = place[part]
    place[last] = value
    found = read(document)
    if isinstance(found, list):
        assert found
        assert all("\n" not in str(problem) for problem in found)


@given(st.text(min_size=1, max_size=12).filter(lambda name: name not in application()["spec"]))
def test_an_unknown_field_is_never_accepted(name: str) -> None:
    known = {"source", "render", "destination", "sync", "drift", "dependsOn"}
    document = application()
    document["spec"][name] = None
    assert isinstance(read(document), list) == (name not in known)


def test_a_list_that_is_too_short_says_so_and_one_of_bad_entries_only_says_what_is_bad() -> None:
    empty, bad = ({**hotfix(), "spec": {**hotfix()["spec"], "images": images}} for images in ([], ["shop"]))
    (short,) = read(empty)
    assert str(short) == "spec.images: must have at least 1 entry"
    (entry,) = read(bad)
    assert str(entry).startswith("spec.images[0]: must be an image with its tag or its digest")
