"""docs/kinds.md: every field of the specs is in it as the schema says, and its examples are good documents.

`UPDATE_DOCS=1` with this test rewrites the tables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.model.crd import schema_of
from reconciler.model.document import KINDS, load
from reconciler.model.manifest import Origin
from reconciler.model.outcome import Terminal

_PAGE = Path(__file__).parents[2] / "docs" / "kinds.md"
_INSTALL = _PAGE.with_name("install.md")


def rows(schema: dict[str, Any], path: str, required: bool) -> Iterator[str]:
    default = schema.get("default")
    given = "required" if required else f"`{_said(default)}`" if default not in (None, {}) else ""
    yield f"| `{path}` | {_type(schema)} | {given} | {schema['description'].replace('|', '/')} |"
    inner, inside = (schema["items"], f"{path}[]") if "items" in schema else (schema, path)
    for name, member in inner.get("properties", {}).items():
        yield from rows(member, f"{inside}.{name}", name in inner.get("required", ()))


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{word}`" for word in schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return "number or text"
    if schema["type"] == "array":
        return f"list of {'maps' if schema['items']['type'] == 'object' else 'text'}"
    return {"string": "text", "integer": "number", "boolean": "true or false", "object": "map"}[schema["type"]]


def table(kind: str) -> str:
    schema = schema_of(KINDS[kind])["properties"]["spec"]
    head = "| field | type | default | |\n|---|---|---|---|\n"
    members = schema["properties"].items()
    lines = [
        line for name, member in members for line in rows(member, f"spec.{name}", name in schema.get("required", ()))
    ]
    return head + "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_documented_as_it_is(kind: str) -> None:
    page = _PAGE.read_text()
    block = re.compile(rf"(<!-- fields of {kind} -->\n).*?(<!-- end -->)", re.DOTALL)
    renewed = block.sub(lambda match: match[1] + table(kind) + match[2], page)
    if os.environ.get("UPDATE_DOCS"):
        _PAGE.write_text(renewed)
    assert f"<!-- fields of {kind} -->" in page
    assert _PAGE.read_text() == renewed, "docs/kinds.md is stale: run this test with UPDATE_DOCS=1"


def _examples(page: Path) -> list[dict[str, Any]]:
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)]


def test_the_examples_are_good_documents_one_of_each_kind() -> None:
    examples = _examples(_PAGE)
    assert sorted(example["kind"] for example in examples) == sorted(KINDS)
    for example in examples:
        load(example, Origin("docs/kinds.md"))


def test_the_errors_that_the_page_shows_are_the_errors_that_are_told() -> None:
    document = {
        "apiVersion": "dispatch.dev/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web"},
        "spec": {"source": {"repository": "a", "pth": "x"}, "sync": {"timeout": 60}},
    }
    lines: dict[tuple[str | int, ...], int] = {("spec", "source", "pth"): 8, ("spec", "sync", "timeout"): 12}
    with pytest.raises(Terminal) as told:
        load(document, Origin("apps.yaml", 1), lines)
    assert told.value.message in _PAGE.read_text()


def test_the_page_on_rights_names_every_object_that_is_installed_and_its_role_widens() -> None:
    from reconciler.core.installation import AGGREGATE, Installation, objects

    page = _INSTALL.read_text()
    for each in objects(Installation(image="x:1")):
        assert f"`{each['metadata']['name']}`" in page, each["metadata"]["name"]
    (role,) = _examples(_INSTALL)
    assert role["metadata"]["labels"] == {AGGREGATE: "true"}
