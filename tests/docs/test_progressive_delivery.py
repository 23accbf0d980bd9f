"""docs/progressive-delivery.md and docs/promotion.md: every test that they name is there, and the example is good."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import yaml

from reconciler.model.application import Application
from reconciler.model.document import read

_ROOT = Path(__file__).parents[2]
_PAGE = (_ROOT / "docs" / "progressive-delivery.md").read_text()


def test_every_state_names_tests_that_exist() -> None:
    block = _PAGE.partition("<!-- states -->")[2].partition("<!-- end -->")[0]
    rows = [line for line in block.splitlines() if line.startswith("|") and not line.startswith(("|---", "| state"))]
    assert len(rows) > 30
    for row in rows:
        named = re.findall(r"`(tests/[^:`]+)::([a-z0-9_]+)`", row)
        assert named, row
        for file, name in named:
            tree = ast.parse((_ROOT / file).read_text())
            assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (file, name)


def test_every_promise_of_a_promotion_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[^:`]+)::([a-z0-9_]+)`", (_ROOT / "docs" / "promotion.md").read_text())
    assert len(named) > 7
    for file, name in named:
        assert name in {
            node.name for node in ast.parse((_ROOT / file).read_text()).body if isinstance(node, ast.FunctionDef)
        }


def test_the_example_is_a_good_document() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", _PAGE, re.DOTALL)
    assert isinstance(read(yaml.safe_load(example)), Application)
