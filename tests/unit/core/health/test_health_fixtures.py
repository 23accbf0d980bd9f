"""One object a file: `fixtures/<Kind.group>/<Level>-<case>.yaml`, its first line `# says: <the whole message>`."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from reconciler.core.health import assess
from reconciler.model.health import Level
from reconciler.model.identity import identify

FIXTURES = Path(__file__).with_name("fixtures")
CASES = sorted(FIXTURES.rglob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_verdict_is_the_one_in_the_name_and_the_message_the_one_on_the_first_line(path: Path) -> None:
    written = path.read_text()
    document = yaml.load(written, Loader=yaml.CSafeLoader)
    before = copy.deepcopy(document)
    health = assess(document)
    said = f"# says: {health.message}" if health.message else "# says nothing"
    assert (health.level, said) == (Level(path.stem.partition("-")[0]), written.partition("\n")[0])
    assert document == before, "assess changed the object"


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_fixture_lies_in_the_folder_of_its_kind(path: Path) -> None:
    document = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    assert path.parent.name in (str(identify(document).group_kind), "any-other")
