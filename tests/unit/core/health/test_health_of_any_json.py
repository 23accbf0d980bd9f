"""Whatever an object holds, it gets a Health: never an exception, never an endless message."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.health import RULES, assess
from reconciler.model.health import Health, Level

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DOCUMENTS = [
    yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    for path in sorted(Path(__file__).with_name("fixtures").rglob("*.yaml"))
]
KEYS = st.sampled_from(
    ["conditions", "type", "status", "phase", "replicas", "ingress", "loadBalancer", "waiting", "state", "name"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["Ready", "True", "False", "Running", "Pending", "Always", "OnDelete"])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def answers(document: Any) -> None:
    health = assess(document, NOW)
    assert isinstance(health, Health)
    assert isinstance(health.level, Level)
    assert "\n" not in health.message
    assert health.level in (Level.HEALTHY, Level.PROGRESSING) or health.message


@given(document=ANYTHING)
def test_any_json_in_place_of_an_object(document: Any) -> None:
    answers(document)


@given(kind=st.sampled_from([*RULES, ("example.com", "Widget")]), status=ANYTHING, spec=ANYTHING, metadata=ANYTHING)
@settings(max_examples=400)
def test_any_json_in_the_status_the_spec_and_the_metadata(
    kind: tuple[str, str], status: Any, spec: Any, metadata: Any
) -> None:
    version = f"{kind[0]}/v1" if kind[0] else "v1"
    answers({"apiVersion": version, "kind": kind[1], "metadata": metadata, "spec": spec, "status": status})
    answers({"apiVersion": version, "kind": kind[1], "metadata": {"generation": 1}, "status": status})


@given(data=st.data())
@settings(max_examples=600)
def test_a_real_object_with_one_field_of_another_type(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    here: Any = document
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = data.draw(st.sampled_from(keys))
        below = here[key]
        if not isinstance(below, dict | list) or not below or data.draw(st.integers(0, 3)) == 0:
            here[key] = data.draw(ANYTHING)
            break
        here = below
    answers(document)
