"""The CustomResourceDefinitions: made from the models, structural, complete, and not stale."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kind_cases import application, notifier, repository, whole_application

from reconciler.model import crd
from reconciler.model.document import load
from reconciler.model.manifest import Origin
from reconciler.model.structural import structural


def schemas() -> list[tuple[str, dict[str, Any]]]:
    return [
        (each["spec"]["names"]["kind"], each["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
        for each in crd.definitions()
    ]


def walk(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, member in schema.get("properties", {}).items():
        yield from walk(member, f"{path}.{name}")
    for key, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from walk(schema[key], path + suffix)


def nodes() -> list[tuple[str, dict[str, Any]]]:
    return [node for kind, schema in schemas() for node in walk(schema, kind)]


def test_the_generated_files_are_what_the_models_say() -> None:
    assert crd.main(["--check"]) == 0


def test_a_stale_missing_or_left_over_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert crd.main(["--check"], tmp_path) == 1
    assert crd.main(["--write"], tmp_path) == 0
    assert crd.main(["--check"], tmp_path) == 0
    (tmp_path / "applications.dispatch.dev.yaml").write_text("old")
    (tmp_path / "gone.dispatch.dev.yaml").write_text("old")
    capsys.readouterr()
    assert crd.main(["--check"], tmp_path) == 1
    told = capsys.readouterr().err
    assert "applications.dispatch.dev.yaml is stale" in told
    assert "gone.dispatch.dev.yaml is stale" in told
    assert "repositories" not in told
    assert crd.main(["--write"], tmp_path) == 0
    assert crd.main(["--check"], tmp_path) == 0
    assert crd.main(["--help"], tmp_path) == 2


def test_the_files_hold_the_definitions() -> None:
    written = [yaml.safe_load(text) for text in crd.files().values()]
    assert written == crd.definitions()


def test_every_place_of_a_schema_has_a_type_and_no_reference() -> None:
    for path, schema in nodes():
        assert "type" in schema or schema.get("x-kubernetes-int-or-string"), path
        assert not schema.keys() & {"$ref", "anyOf", "oneOf", "allOf", "title", "$defs", "const"}, path
        assert schema.get("default", 0) is not None, path


def test_every_field_is_described() -> None:
    bare = [
        path for path, schema in nodes() if "description" not in schema and not path.endswith(("[]", "{}", ".metadata"))
    ]
    assert bare == []


def test_only_what_is_another_projects_takes_any_field() -> None:
    free = [path for path, schema in nodes() if "x-kubernetes-preserve-unknown-fields" in schema]
    canary, blue_green = "Application.spec.strategy.canary", "Application.spec.strategy.blueGreen"
    assert sorted(free) == [
        "Application.spec.render.auto",
        "Application.spec.render.helm.values",
        f"{blue_green}.after[].job.spec",
        f"{blue_green}.before[].job.spec",
        f"{canary}.steps[].analysis.job.spec",
        f"{canary}.steps[].headerRoute",
        f"{canary}.steps[].mirrorRoute",
        f"{canary}.trafficRouting",
    ]


def test_what_a_user_can_make_long_is_bounded() -> None:
    for path, schema in nodes():
        if ".spec." not in path:
            continue
        if schema.get("type") == "array":
            assert "maxItems" in schema, path
        if schema.get("type") == "string" and "enum" not in schema:
            assert "maxLength" in schema, path


def test_patterns_are_understood_by_re2_as_by_python() -> None:
    patterns = [schema["pattern"] for _, schema in nodes() if "pattern" in schema]
    assert len(patterns) > 10
    for pattern in patterns:
        assert not re.search(r"\(\?|\\[dswbDSWBAZpP1-9]", pattern), pattern
        assert all(part.startswith("^") and part.endswith("$") for part in re.split(r"\|(?=\^)", pattern)), pattern


def test_a_status_has_no_defaults_and_a_spec_has_those_of_the_model() -> None:
    assert [path for path, schema in nodes() if ".status" in path and "default" in schema] == []
    defaults = {path: schema["default"] for path, schema in nodes() if "default" in schema}
    assert defaults["Application.spec.sync.timeout"] == "5m"
    assert defaults["Repository.spec.branch"] == "main"
    assert defaults["Application.spec.render"] == {}


def with_defaults(value: Any, schema: dict[str, Any]) -> Any:
    """What the server stores: Kubernetes, "Defaulting" of structural schemas."""
    if not isinstance(value, dict):
        return value
    full = dict(value)
    for name, member in schema.get("properties", {}).items():
        if name not in full and "default" in member:
            full[name] = member["default"]
        if name in full:
            full[name] = with_defaults(full[name], member)
    return full


@pytest.mark.parametrize("document", [application(), whole_application(), repository(), notifier()])
def test_a_document_with_the_defaults_of_the_schema_is_the_same_document(document: dict[str, Any]) -> None:
    stored = with_defaults(document, dict(schemas())[document["kind"]])
    assert stored != document
    assert load(stored, Origin("stored")) == load(document, Origin("given"))


def test_an_application_may_be_the_parent_of_an_applyset() -> None:
    parents = {
        each["spec"]["names"]["kind"]: each["metadata"].get("labels", {}).get("applyset.kubernetes.io/is-parent-type")
        for each in crd.definitions()
    }
    others = ("Repository", "RolloutAction", "Notifier", "Promotion", "PromotionAction", "Hotfix", "ImageFeed")
    assert parents == {"Application": "true"} | dict.fromkeys(others)


def test_the_columns_show_how_it_is() -> None:
    columns = {
        each["spec"]["names"]["kind"]: [
            (column["name"], column.get("priority", 0))
            for column in each["spec"]["versions"][0]["additionalPrinterColumns"]
        ]
        for each in crd.definitions()
    }
    assert columns == {
        "Application": [("Sync", 0), ("Health", 0), ("Revision", 0), ("Age", 0), ("Message", 1)],
        "Repository": [
            *((name, 0) for name in ("URL", "Revision", "Ready", "Age")),
            *((name, 1) for name in ("Webhook", "Missed", "Message")),
        ],
        "Promotion": [("Environments", 0), ("States", 0), ("Ready", 0), ("Age", 0), ("Message", 1)],
        "PromotionAction": [
            *((name, 0) for name in ("Promotion", "Environment", "Action", "By", "Age")),
            ("Reason", 1),
        ],
        "Hotfix": [
            *((name, 0) for name in ("Promotion", "Environment", "State", "By", "Expires", "Age")),
            *((name, 1) for name in ("Reason", "Message")),
        ],
        "RolloutAction": [
            *((name, 0) for name in ("Application", "Rollout", "Action", "Step", "By", "State", "Age")),
            *((name, 1) for name in ("Version", "Message")),
        ],
        "Notifier": [("Ready", 0), ("Sent", 0), ("Failures", 0), ("Age", 0), ("Message", 1)],
        "ImageFeed": [("Image", 0), ("Tag", 0), ("Ready", 0), ("Age", 0), ("Digest", 1), ("Message", 1)],
    }


def test_the_names_do_not_clash_with_other_kinds_called_application() -> None:
    names = [name for each in crd.definitions() for name in each["spec"]["names"]["shortNames"]]
    assert not set(names) & {"app", "apps", "repo", "gitrepo", "application", "repository"}
    assert len(set(names)) == len(names) == len(crd.definitions())


@pytest.mark.parametrize(
    "member",
    [
        {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        {"oneOf": [{"type": "string"}]},
        {"type": "integer", "exclusiveMinimum": 1},
        {"type": "object", "patternProperties": {}},
    ],
)
def test_what_a_definition_cannot_say_is_an_error_and_not_left_out(member: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="structural"):
        structural({"type": "object", "properties": {"a": member}})
