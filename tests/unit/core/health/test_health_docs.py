"""docs/health.md tells every verdict of every kind, and none that no fixture shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.core.health import RULES

ROOT = Path(__file__).parents[4]
FIXTURES = Path(__file__).with_name("fixtures")


def documented() -> list[list[str]]:
    text = (ROOT / "docs" / "health.md").read_text()
    table = text.partition("## By kind")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def shown() -> set[tuple[str, str]]:
    return {(path.parent.name.replace("-", " "), path.stem.partition("-")[0]) for path in FIXTURES.rglob("*.yaml")}


@pytest.mark.parametrize("kind", [*map(str, RULES), "any other"])
def test_every_kind_with_a_rule_is_documented(kind: str) -> None:
    assert kind in {row[0] for row in documented()}


def test_every_row_gives_a_verdict_its_rule_and_a_source() -> None:
    for row in documented():
        assert len(row) == 4, row
        assert all(row), row
        assert re.search(r"\b(ge|lua|kstatus|kubectl|D|Argo Rollouts|core/v1)\b", row[3]), row


def test_the_verdicts_in_the_table_are_those_of_the_fixtures() -> None:
    # Every object can be malformed, and every object can be on its way out: those are told once for all kinds.
    told = {(row[0], row[1]) for row in documented()}
    extra = {(kind, level) for kind, level in shown() - told if level != "Unknown"}
    assert not extra, f"fixtures without a row in docs/health.md: {sorted(extra)}"
    assert not told - shown(), f"rows of docs/health.md without a fixture: {sorted(told - shown())}"
