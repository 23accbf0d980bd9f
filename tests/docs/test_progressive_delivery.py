"""docs/progressive-delivery.md and docs/promotion*.md: every test that they name is there, and the example is good."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from reconciler.model.application import Application
from reconciler.model.document import read

_ROOT = Path(__file__).parents[2]
_DOCS = _ROOT / "docs"
_PAGE = (_DOCS / "progressive-delivery.md").read_text()


@pytest.mark.parametrize(
    ("page", "table", "least"), [("progressive-delivery.md", "states", 31), ("promotion-faults.md", "faults", 27)]
)
def test_every_row_names_tests_that_exist(page: str, table: str, least: int) -> None:
    block = (_DOCS / page).read_text().partition(f"<!-- {table} -->")[2].partition("<!-- end -->")[0]
    rows = [line for line in block.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= least
    for row in rows:
        named = re.findall(r"`(tests/[^:`]+)::([a-z0-9_]+)`", row)
        assert named, row
        for file, name in named:
            tree = ast.parse((_ROOT / file).read_text())
            assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (file, name)


def test_every_promise_of_a_promotion_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[^:`]+)::([a-z0-9_]+)`", (_DOCS / "promotion.md").read_text())
    assert len(named) > 7
    for file, name in named:
        assert name in {
            node.name for node in ast.parse((_ROOT / file).read_text()).body if isinstance(node, ast.FunctionDef)
        }


def test_the_example_is_a_good_document() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", _PAGE, re.DOTALL)
    assert isinstance(read(yaml.safe_load(example)), Application)
