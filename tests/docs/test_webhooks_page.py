"""docs/webhooks.md: every test that it names is there, and the example is good."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import yaml

from reconciler.model.document import read
from reconciler.model.repository import Repository

_ROOT = Path(__file__).parents[2]
_PAGE = (_ROOT / "docs" / "webhooks.md").read_text()


def test_every_promise_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[^:`]+)::([a-z0-9_]+)`", _PAGE)
    assert len(named) > 6
    for file, name in named:
        tree = ast.parse((_ROOT / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (file, name)


def test_the_example_is_a_good_document() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", _PAGE, re.DOTALL)
    found = read(yaml.safe_load(example))
    assert isinstance(found, Repository), found
    assert found.spec.webhook is not None and found.spec.webhook.managed
