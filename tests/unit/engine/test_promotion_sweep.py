"""Which PromotionActions are taken away: old, and of a version that the status does not name any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.engine.catalog import Catalog
from reconciler.engine.keys import Key
from reconciler.engine.promotion_sweep import sweep
from reconciler.engine.stages.sweep import KEPT
from reconciler.model.change import Resource
from reconciler.model.promotion import EnvironmentState, PastMerge, PromotionState

NOW = datetime(2026, 6, 1, tzinfo=UTC)
STATES = [
    EnvironmentState(
        name="production",
        state=PromotionState.HELD,
        candidate="c0ffee",
        again="c0ffee-7-abc",
        merged=PastMerge(commit="d" * 40),
    )
]
OLD = KEPT + timedelta(days=1)


def action(version: str, environment: str, age: timedelta, promotion: str) -> dict[str, Any]:
    return {
        "apiVersion": "dispatch.dev/v1alpha1",
        "kind": "PromotionAction",
        "metadata": {
            "name": "a",
            "namespace": "team-a",
            "uid": "uid-a",
            "creationTimestamp": (NOW - age).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "spec": {
            "promotion": promotion,
            "environment": environment,
            "action": "Again",
            "version": version,
            "by": "ada",
        },
    }


@pytest.mark.parametrize(
    ("version", "environment", "age", "promotion", "goes"),
    [
        ("beef-6-abc", "production", OLD, "shop", True),
        ("beef-6-abc", "production", KEPT - timedelta(days=1), "shop", False),
        ("c0ffee-7-abc", "production", OLD, "shop", False),
        ("c0ffee-6-abc", "production", OLD, "shop", False),
        ("d" * 40, "production", OLD, "shop", False),
        ("e" * 40, "production", OLD, "shop", True),
        ("beef-6-abc", "gone", OLD, "shop", True),
        ("beef-6-abc", "production", OLD, "other", False),
    ],
    ids=[
        "of-a-version-that-is-gone",
        "young",
        "what-is-held-now",
        "an-earlier-one-of-the-present-version",
        "the-merge-that-was-accepted",
        "an-earlier-merge",
        "of-an-environment-that-is-gone",
        "of-another-promotion",
    ],
)
def test_only_what_is_old_and_of_another_version_goes(
    version: str, environment: str, age: timedelta, promotion: str, goes: bool
) -> None:
    catalog = Catalog(lambda key: None)
    catalog.observe(action(version, environment, age, promotion))
    deleted: list[Any] = []
    cluster = SimpleNamespace(
        resource=lambda version, kind: Resource(version, kind, "promotionactions", True), delete=deleted.extend
    )
    world: Any = SimpleNamespace(
        catalog=catalog, cluster=cluster, clock=SimpleNamespace(now=lambda: NOW), stopping=lambda: False
    )
    sweep(world, Key("Promotion", "team-a", "shop"), STATES)
    assert [target[1:] for target in deleted] == ([("team-a", "a", "uid-a")] if goes else [])
