"""Which paths a kustomization names, field by field; the table is api/types/kustomization.go of kustomize v5.8."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.render.kustomization import (
    Reference,
    References,
    Wants,
    is_remote,
    references,
    without_credentials,
)


def found(**fields: Any) -> list[Reference]:
    return list(references(fields).found)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"resources": ["a.yaml", "../b"]}, [("resources[0]", "a.yaml", "EITHER"), ("resources[1]", "../b", "EITHER")]),
        ({"bases": ["../b"]}, [("bases[0]", "../b", "ROOT")]),
        ({"components": ["c"]}, [("components[0]", "c", "ROOT")]),
        ({"crds": ["crd.json"]}, [("crds[0]", "crd.json", "FILE")]),
        ({"configurations": ["k.yaml"]}, [("configurations[0]", "k.yaml", "FILE")]),
        ({"openapi": {"path": "s.json"}}, [("openapi.path", "s.json", "FILE")]),
        ({"openapi": {"version": "v1.20.4"}}, []),
        ({"patches": [{"path": "p.yaml"}, {"patch": "- op: x"}]}, [("patches[0].path", "p.yaml", "FILE")]),
        ({"patches": ["old.yaml"]}, [("patches[0]", "old.yaml", "FILE")]),
        ({"patchesJson6902": [{"path": "j.yaml"}]}, [("patchesJson6902[0].path", "j.yaml", "FILE")]),
        ({"replacements": [{"source": {}}, {"path": "r.yaml"}]}, [("replacements[1].path", "r.yaml", "FILE")]),
        (
            {"patchesStrategicMerge": ["s.yaml", "kind: A\nspec: {}\n", "{kind: A}"]},
            [("patchesStrategicMerge[0]", "s.yaml", "FILE")],
        ),
        (
            {"configMapGenerator": [{"files": ["a.txt", "key=dir/b.txt"], "envs": ["c.env"], "literals": ["x=y.txt"]}]},
            [
                ("configMapGenerator[0].files[0]", "a.txt", "FILE"),
                ("configMapGenerator[0].files[1]", "dir/b.txt", "FILE"),
                ("configMapGenerator[0].envs[0]", "c.env", "FILE"),
            ],
        ),
        ({"secretGenerator": [{"env": "s.env"}]}, [("secretGenerator[0].env", "s.env", "FILE")]),
    ],
)
def test_a_field_names_its_paths(fields: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert found(**fields) == [Reference(field, path, Wants[wants]) for field, path, wants in expected]
    assert references(fields)[1:] == ("", "")


@pytest.mark.parametrize("field", ["generators", "transformers", "validators"])
def test_a_plugin_may_read_its_whole_folder(field: str) -> None:
    read = references({field: ["t.yaml", "apiVersion: builtin\nkind: PatchTransformer\n"]})
    assert read == References((Reference(f"{field}[0]", "t.yaml", Wants.EITHER),), whole_folder=field)


def test_a_field_that_nobody_knows_may_read_its_whole_folder() -> None:
    assert references({"fromTheFuture": ["x.yaml"]}).whole_folder == "fromTheFuture"


@pytest.mark.parametrize("field", ["helmCharts", "helmGlobals", "helmChartInflationGenerator"])
def test_helm_is_seen(field: str) -> None:
    assert references({field: [{"name": "x"}]}).charts == field


@pytest.mark.parametrize(
    "field",
    ["namePrefix", "namespace", "commonLabels", "labels", "images", "replicas", "vars", "generatorOptions", "metadata"],
)
def test_other_fields_name_no_path(field: str) -> None:
    assert references({field: {"a": "b.yaml"}}) == References()


@pytest.mark.parametrize(
    "path",
    [
        "https://github.com/org/repo?ref=v1",
        "HTTP://example.com/x.yaml",
        "github.com/org/repo//path?ref=main",
        "GitHub.com/org/repo",
        "github.com:org/repo",
        "git@github.com:org/repo.git",
        "git::https://host/repo",
        "ssh://git@host/repo.git",
        "file:///etc",
        "oci://registry/x",
        "user@host/org/repo",
    ],
)
def test_a_place_on_the_network_is_remote(path: str) -> None:
    assert is_remote(path)


@pytest.mark.parametrize(
    "path", ["a.yaml", "../base", "./github.com/x", "github.community/x", "dir/a@b.yaml", "a:b.yaml", "x/https://y"]
)
def test_a_place_in_the_repository_is_not_remote(path: str) -> None:
    assert not is_remote(path)


def test_a_password_in_a_url_is_not_shown() -> None:
    assert without_credentials("https://ada:pw@host/x@v1") == "https://host/x@v1"


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["path", "files", "envs", "x"]), inner),
)


@given(
    st.dictionaries(
        st.sampled_from(["resources", "patches", "configMapGenerator", "openapi", "transformers", "x", "crds"]), ANY
    )
    | ANY
)
def test_any_shape_is_read_without_an_error(document: Any) -> None:
    assert all(isinstance(reference.path, str) for reference in references(document).found)
